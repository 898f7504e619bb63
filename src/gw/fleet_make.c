/* The objects of a fleet. Ports below 1024 are opened without privileges: the
 * kernel of the pod's network is told that none needs them, which restricted
 * pod security allows. So that a listener more restarts no pod, the pods' own
 * description names no port of theirs. */
#include <stdio.h>

#include "core/must.h"
#include "gw/fleet_priv.h"
#include "gw/template.h"
#include "wire/tree_json.h"

#define ADMIN_PORT 9911

static const char account_template[] = "apiVersion: v1\n"
                                       "kind: ServiceAccount\n"
                                       "metadata: $metadata\n"
                                       "automountServiceAccountToken: false\n";

static const char bundle_template[] = "apiVersion: v1\n"
                                      "kind: ConfigMap\n"
                                      "metadata: $metadata\n"
                                      "data: {$key: $bundle}\n";

static const char service_template[] = "apiVersion: v1\n"
                                       "kind: Service\n"
                                       "metadata: $metadata\n"
                                       "spec:\n"
                                       "  type: LoadBalancer\n"
                                       "  loadBalancerClass: $balancer\n"
                                       "  externalTrafficPolicy: $policy\n"
                                       "  selector: {yumen.dev/proxy: $name}\n"
                                       "  ports: $ports\n";

/* Of a Deployment's and of a DaemonSet's pods. */
#define POD_TEMPLATE \
	"  template:\n" \
	"    metadata: $pod\n" \
	"    spec:\n" \
	"      serviceAccountName: $name\n" \
	"      automountServiceAccountToken: false\n" \
	"      enableServiceLinks: false\n" \
	"      terminationGracePeriodSeconds: 45\n" \
	"      securityContext:\n" \
	"        runAsNonRoot: true\n" \
	"        seccompProfile: {type: RuntimeDefault}\n" \
	"        sysctls: [{name: net.ipv4.ip_unprivileged_port_start," \
	" value: '0'}]\n" \
	"      containers:\n" \
	"      - name: proxy\n" \
	"        image: $image\n" \
	"        imagePullPolicy: IfNotPresent\n" \
	"        args:\n" \
	"        - proxy\n" \
	"        - --controller=$host:$port\n" \
	"        - --server-name=$service.$namespace.svc\n" \
	"        - --gateway=$gateway\n" \
	"        - --name=$(POD_NAME)\n" \
	"        - --ca=/etc/yumen/$key\n" \
	"        - --token-file=/etc/yumen/token\n" \
	"        - --copy=/run/yumen/copy\n" \
	"        - --socket=/run/yumen/admin.sock\n" \
	"        - --admin=[::]:$admin\n" \
	"        env:\n" \
	"        - name: POD_NAME\n" \
	"          valueFrom: {fieldRef: {fieldPath: metadata.name}}\n" \
	"        ports: [{name: admin, containerPort: $admin_port," \
	" protocol: TCP}]\n" \
	"        readinessProbe:\n" \
	"          httpGet: {path: /readyz, port: admin}\n" \
	"          periodSeconds: 1\n" \
	"          failureThreshold: 2\n" \
	"        livenessProbe:\n" \
	"          httpGet: {path: /livez, port: admin}\n" \
	"          periodSeconds: 10\n" \
	"        lifecycle: {preStop: {sleep: {seconds: 5}}}\n" \
	"        resources: {requests: {cpu: 10m, memory: 32Mi}}\n" \
	"        securityContext:\n" \
	"          allowPrivilegeEscalation: false\n" \
	"          readOnlyRootFilesystem: true\n" \
	"          capabilities: {drop: [ALL]}\n" \
	"        volumeMounts:\n" \
	"        - {name: identity, mountPath: /etc/yumen, readOnly: true}\n" \
	"        - {name: run, mountPath: /run/yumen}\n" \
	"      volumes:\n" \
	"      - name: identity\n" \
	"        projected:\n" \
	"          sources:\n" \
	"          - serviceAccountToken: {audience: $audience," \
	" expirationSeconds: 3600, path: token}\n" \
	"          - configMap: {name: $name, items: [{key: $key, path: " \
	"$key}]}\n" \
	"      - name: run\n" \
	"        emptyDir: {medium: Memory, sizeLimit: 256Mi}\n"

static const char deployment_template[] =
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: $metadata\n"
    "spec:\n"
    "  replicas: 1\n"
    "  selector: {matchLabels: {yumen.dev/proxy: $name}}\n"
    "  strategy:\n"
    "    type: RollingUpdate\n"
    "    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}\n" POD_TEMPLATE;

static const char daemons_template[] =
    "apiVersion: apps/v1\n"
    "kind: DaemonSet\n"
    "metadata: $metadata\n"
    "spec:\n"
    "  selector: {matchLabels: {yumen.dev/proxy: $name}}\n"
    "  updateStrategy:\n"
    "    type: RollingUpdate\n"
    "    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}\n" POD_TEMPLATE;

static const char autoscaler_template[] =
    "apiVersion: autoscaling/v2\n"
    "kind: HorizontalPodAutoscaler\n"
    "metadata: $metadata\n"
    "spec:\n"
    "  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: "
    "$deployment}\n"
    "  metrics:\n"
    "  - type: Resource\n"
    "    resource:\n"
    "      name: cpu\n"
    "      target: {type: Utilization, averageUtilization: 80}\n";

static const char disruption_template[] =
    "apiVersion: policy/v1\n"
    "kind: PodDisruptionBudget\n"
    "metadata: $metadata\n"
    "spec:\n"
    "  selector: {matchLabels: {yumen.dev/proxy: $name}}\n";

static const char *const templates[GW_MADE__COUNT] = {
    [GW_MADE_ACCOUNT] = account_template,
    [GW_MADE_BUNDLE] = bundle_template,
    [GW_MADE_SERVICE] = service_template,
    [GW_MADE_DEPLOYMENT] = deployment_template,
    [GW_MADE_DAEMONS] = daemons_template,
    [GW_MADE_AUTOSCALER] = autoscaler_template,
    [GW_MADE_DISRUPTION] = disruption_template,
};

/* ---- metadata ---- */

static void
put_text(struct arena *arena, struct tree_node *map, struct slice key,
    struct slice text)
{
	gw_tree_put(map, key, gw_tree_text(arena, text));
}

/* Its own after what people ask for, which must not hide whose it is. */
static void
put_labels(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *labels)
{
	const struct gw_object *gateway = plan->gateway;
	const struct gw_infrastructure *infra =
	    gateway->gateway->spec->infrastructure;

	if (infra)
		gw_tree_put_pairs(
		    arena, labels, infra->labels, infra->labels_count);
	put_text(arena, labels, SLICE("app.kubernetes.io/name"),
	    plan->envoy ? SLICE("envoy") : SLICE("yumen"));
	put_text(arena, labels, SLICE("app.kubernetes.io/component"),
	    SLICE("proxy"));
	put_text(arena, labels, SLICE("app.kubernetes.io/managed-by"),
	    plan->envoy ? SLICE("envoy-gateway") : SLICE("yumen"));
	put_text(arena, labels, SLICE("gateway.networking.k8s.io/gateway-name"),
	    gw_fleet_cut(arena, gateway->name, gateway->name, false));
	put_text(arena, labels,
	    SLICE("gateway.networking.k8s.io/gateway-class-name"),
	    gw_fleet_cut(arena, gateway->gateway->spec->gateway_class_name,
	        gateway->gateway->spec->gateway_class_name, false));
	if (plan->envoy) {
		put_text(arena, labels,
		    SLICE("gateway.envoyproxy.io/owning-gateway-namespace"),
		    gateway->namespace);
		put_text(arena, labels,
		    SLICE("gateway.envoyproxy.io/owning-gateway-name"),
		    gw_fleet_cut(arena, gateway->name, gateway->name, false));
	}
}

/* By which it is known to be ours, and whose. */
static void
put_identity(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *metadata)
{
	struct tree_node *labels = gw_tree_map(arena, metadata, "labels");
	char mark[GW_FLEET_NAME_BYTES + 1];

	gw_fleet_mark(plan->controller, mark);
	put_text(arena, labels, SLICE(GW_FLEET_MARK),
	    arena_copy(arena, slice_from_string(mark)));
	put_text(arena, labels, SLICE("yumen.dev/proxy"), plan->name);
	put_text(arena, gw_tree_map(arena, metadata, "annotations"),
	    SLICE(GW_FLEET_GATEWAY),
	    arena_format(arena, "%.*s/%.*s",
	        SLICE_ARGS(plan->gateway->namespace),
	        SLICE_ARGS(plan->gateway->name)));
}

/* Labels and annotations, of objects and of pods. */
static struct tree_node *
make_metadata(const struct gw_fleet_plan *plan, struct arena *arena)
{
	const struct gw_object *gateway = plan->gateway;
	const struct gw_infrastructure *infra =
	    gateway->gateway->spec->infrastructure;
	struct tree_node *metadata = gw_tree_new(arena, TREE_MAP);
	struct tree_node *annotations =
	    gw_tree_map(arena, metadata, "annotations");

	put_labels(plan, arena, gw_tree_map(arena, metadata, "labels"));
	if (infra)
		gw_tree_put_pairs(arena, annotations, infra->annotations,
		    infra->annotations_count);
	put_identity(plan, arena, metadata);
	return metadata;
}

/* Where it is in the Gateway's namespace the cluster clears up after it. */
static void
put_owner(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *metadata)
{
	const struct gw_object *gateway = plan->gateway;
	struct tree_node *list, *owner;

	if (!slice_equal(plan->namespace, gateway->namespace) ||
	    gateway->metadata->uid.length == 0)
		return;
	list = gw_tree_new(arena, TREE_LIST);
	owner = gw_tree_new(arena, TREE_MAP);
	put_text(arena, owner, SLICE("apiVersion"), SLICE(GW_GROUP "/v1"));
	put_text(arena, owner, SLICE("kind"), SLICE("Gateway"));
	put_text(arena, owner, SLICE("name"), gateway->name);
	put_text(arena, owner, SLICE("uid"), gateway->metadata->uid);
	gw_tree_put(owner, SLICE("controller"), gw_tree_bool(arena, true));
	gw_tree_push(list, owner);
	gw_tree_put(metadata, SLICE("ownerReferences"), list);
}

static struct slice
name_of(const struct gw_fleet_plan *plan, enum gw_made kind)
{
	return plan->names && slice_is_set(plan->names[kind])
	    ? plan->names[kind]
	    : plan->name;
}

static struct tree_node *
make_object_metadata(
    const struct gw_fleet_plan *plan, enum gw_made kind, struct arena *arena)
{
	struct tree_node *metadata = make_metadata(plan, arena);

	put_text(arena, metadata, SLICE("name"), name_of(plan, kind));
	put_text(arena, metadata, SLICE("namespace"), plan->namespace);
	put_owner(plan, arena, metadata);
	return metadata;
}

/* Whatever was laid over it, it is known by these. */
static void
put_own(const struct gw_fleet_plan *plan, enum gw_made kind,
    struct arena *arena, struct tree_node *document)
{
	struct tree_node *metadata = gw_tree_map(arena, document, "metadata");

	put_text(arena, metadata, SLICE("name"), name_of(plan, kind));
	put_text(arena, metadata, SLICE("namespace"), plan->namespace);
	put_identity(plan, arena, metadata);
	if (kind == GW_MADE_DEPLOYMENT || kind == GW_MADE_DAEMONS)
		put_identity(plan, arena,
		    gw_tree_map(arena, document, "spec.template.metadata"));
}

/* ---- the rest ---- */

static struct tree_node *
make_ports(const struct gw_fleet_plan *plan, struct arena *arena)
{
	struct tree_node *list = gw_tree_new(arena, TREE_LIST);

	for (uint32_t i = 0; i < plan->port_count; i++) {
		const struct gw_fleet_port *port = &plan->ports[i];
		struct tree_node *map = gw_tree_new(arena, TREE_MAP);

		put_text(arena, map, SLICE("name"), port->name);
		gw_tree_put(
		    map, SLICE("port"), gw_tree_number(arena, port->number));
		put_text(arena, map, SLICE("protocol"),
		    slice_from_string(port->transport));
		gw_tree_put(map, SLICE("targetPort"),
		    gw_tree_number(arena, port->number));
		gw_tree_push(list, map);
	}
	return list;
}

/* The first that no listener has. */
static int64_t
find_admin_port(const struct gw_fleet_plan *plan)
{
	int64_t port = ADMIN_PORT;

	for (uint32_t i = 0; i < plan->port_count; i++)
		if (plan->ports[i].number == port)
			port++;
	return port;
}

static struct gw_fleet_object
make_object(
    const struct gw_fleet_plan *plan, enum gw_made kind, struct arena *arena)
{
	const struct gw_fleet_options *options = plan->options;
	int64_t admin = find_admin_port(plan);
	const struct gw_template_value values[] = {
	    {"metadata", .tree = make_object_metadata(plan, kind, arena)},
	    {"pod", .tree = make_metadata(plan, arena)},
	    {"ports", .tree = make_ports(plan, arena)},
	    {"name", plan->name, NULL},
	    {"deployment", name_of(plan, GW_MADE_DEPLOYMENT), NULL},
	    {"key", SLICE(GW_FLEET_BUNDLE_KEY), NULL},
	    {"bundle", plan->bundle, NULL},
	    {"balancer", options->balancer_class, NULL},
	    {"policy", plan->envoy ? SLICE("Local") : SLICE("Cluster"), NULL},
	    {"image", options->image, NULL},
	    {"host", plan->host, NULL},
	    {"port", arena_format(arena, "%u", options->port), NULL},
	    {"service", options->service, NULL},
	    {"namespace", options->namespace, NULL},
	    {"gateway",
	        arena_format(arena, "%.*s/%.*s",
	            SLICE_ARGS(plan->gateway->namespace),
	            SLICE_ARGS(plan->gateway->name)),
	        NULL},
	    {"admin", arena_format(arena, "%lld", (long long)admin), NULL},
	    {"admin_port", .tree = gw_tree_number(arena, admin)},
	    {"audience", SLICE(GW_FLEET_AUDIENCE), NULL},
	};
	struct gw_fleet_object made = {
	    .kind = kind, .name = plan->names ? plan->names[kind] : SLICE_NONE};
	struct text json;

	struct tree_node *document = gw_template_fill(
	    arena, templates[kind], values, sizeof(values) / sizeof(values[0]));

	gw_fleet_lay(plan, kind, arena, document);
	if (kind == GW_MADE_SERVICE && slice_is_set(plan->addresses))
		gw_fleet_put_families(arena, document);
	put_own(plan, kind, arena, document);
	text_init(&json);
	wire_tree_json(&json, document);
	made.json = arena_copy(arena, text_slice(&json));
	text_fini(&json);
	if (kind == GW_MADE_SERVICE)
		made.given = plan->addresses;
	made.scaled = kind == GW_MADE_DEPLOYMENT &&
	    !wire_tree_get(gw_tree_map(arena, document, "spec"), "replicas");
	return made;
}

const struct gw_fleet_object *
gw_fleet_make(
    const struct gw_fleet_plan *plan, struct arena *arena, uint32_t *count)
{
	must(plan->port_count > 0);
	struct gw_fleet_object *objects =
	    arena_zero(arena, GW_MADE__COUNT, sizeof(*objects));

	*count = 0;
	for (unsigned i = 0; i < GW_MADE__COUNT; i++)
		if (gw_fleet_has(plan, i))
			objects[(*count)++] = make_object(plan, i, arena);
	return objects;
}
