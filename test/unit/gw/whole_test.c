/* Random edits of objects of all kinds: a state that was changed many times
 * says what a new one says, whatever the order that it is told in. The seed of
 * a run that fails is printed. */
#include "gw/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/memory.h"
#include "core/random.h"
#include "gw/address.h"
#include "world.h"

enum { SEEDS = 24, EDITS = 250, NAMES = 4 };

/* The objects there could be: kind by name; each is absent, or one of many. */
struct model {
	struct random random;
	struct text objects[GW_KIND__COUNT][NAMES]; /* YAML, or empty */
};

static const char *
pick(struct model *model, const char *const *words, uint32_t count)
{
	return words[random_below(&model->random, count)];
}
#define PICK(model, ...) \
	pick((model), (const char *const[]){__VA_ARGS__}, \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const char *const namespaces[] = {"n0", "n1"};

static void
make_head(struct model *model, struct text *out, enum gw_kind kind,
    unsigned name, const char *more)
{
	struct slice versions = slice_from_string(gw_kinds[kind].versions);

	text_printf(out, "apiVersion: %s%s%.*s\nkind: %s\nmetadata:\n",
	    gw_kinds[kind].group, gw_kinds[kind].group[0] ? "/" : "",
	    (int)slice_find(versions, '|'), versions.data, gw_kinds[kind].kind);
	if (kind == GW_NAMESPACE)
		text_printf(out, "  name: n%u\n", name % 2);
	else if (kind == GW_GATEWAYCLASS)
		text_printf(out, "  name: %s\n", name % 2 ? "yumen" : "other");
	else if (!gw_kinds[kind].namespaced)
		text_printf(out, "  name: x%u\n", name % 2);
	else
		text_printf(out, "  name: x%u\n  namespace: %s\n", name / 2,
		    namespaces[name % 2]);
	if (random_below(&model->random, 3) == 0)
		text_printf(out,
		    "  creationTimestamp: \"2026-01-0%uT00:00:00Z\"\n",
		    1 + random_below(&model->random, 3));
	text_push_string(out, more);
}

static void
make_gateway(struct model *model, struct text *out)
{
	unsigned listeners = 1 + random_below(&model->random, 3);

	text_printf(out, "spec:\n  gatewayClassName: %s\n",
	    PICK(model, "yumen", "yumen", "yumen", "other", "nowhere"));
	text_push_string(out,
	    PICK(model, "", "", "", "  addresses: [{value: 10.0.0.1}]\n",
	        "  addresses: [{value: 10.0.0.1}, {value: 10.0.0.2}]\n",
	        "  addresses: [{value: 10.0.0.2}, {type: IPAddress}]\n",
	        "  addresses: [{type: IPAddress}, {type: IPAddress}]\n",
	        "  infrastructure: {annotations: "
	        "{metallb.io/loadBalancerIPs: \"10.0.0.2, fd00::1\", "
	        "metallb.io/allow-shared-ip: a}}\n",
	        "  infrastructure: {labels: {team: a}, parametersRef: {group: "
	        "gateway.envoyproxy.io, kind: EnvoyProxy, name: x0}}\n",
	        "  infrastructure: {annotations: {metallb.io/address-pool: "
	        "x0, metallb.universe.tf/allow-shared-ip: a}}\n",
	        "  addresses: [{type: Hostname, value: a.example}]\n"));
	text_push_string(out,
	    PICK(model, "", "  allowedListeners: {namespaces: {from: Same}}\n",
	        "  allowedListeners: {namespaces: {from: All}}\n",
	        "  allowedListeners: {namespaces: {from: All}}\n",
	        "  allowedListeners: {namespaces: {from: Selector, selector: "
	        "{matchLabels: {team: a}}}}\n"));
	text_push_string(out, "  listeners:\n");
	for (unsigned i = 0; i < listeners; i++)
		text_printf(out,
		    "  - name: l%u\n    port: %u\n    protocol: %s\n%s%s", i,
		    80 + random_below(&model->random, 2) + 2 * i,
		    PICK(model, "HTTP", "HTTP", "HTTP", "TCP", "UDP",
		        "TLS\n    tls: {mode: Passthrough}",
		        "HTTPS\n    tls: {certificateRefs: [{name: x0}]}"),
		    PICK(model, "", "",
		        "    allowedRoutes: {namespaces: {from: All}}\n",
		        "    allowedRoutes: {namespaces: {from: All}}\n",
		        "    allowedRoutes: {namespaces: {from: Selector, "
		        "selector: {matchLabels: {team: a}}}}\n",
		        "    allowedRoutes: {kinds: [{kind: TCPRoute}]}\n",
		        "    allowedRoutes: {kinds: [{kind: GRPCRoute}, "
		        "{kind: UDPRoute}]}\n"),
		    "");
}

/* Of one Gateway mostly, on the ports that Gateways have too. */
static void
make_set(struct model *model, struct text *out)
{
	unsigned listeners = 1 + random_below(&model->random, 2);

	text_printf(out, "spec:\n  parentRef: {name: x%u%s}\n  listeners:\n",
	    random_below(&model->random, 2),
	    PICK(model, "", ", namespace: n0", ", namespace: n0",
	        ", namespace: n1", ", kind: Service, group: core"));
	for (unsigned i = 0; i < listeners; i++)
		text_printf(out,
		    "  - name: l%u\n    port: %u\n    protocol: %s\n%s", i,
		    80 + random_below(&model->random, 3) + 3 * i,
		    PICK(model, "HTTP", "HTTP\n    hostname: a.example",
		        "HTTP\n    hostname: b.example", "TCP"),
		    PICK(model, "",
		        "    allowedRoutes: {namespaces: {from: All}}\n"));
}

static void
make_parents(struct model *model, struct text *out)
{
	text_printf(out, "spec:\n  parentRefs:\n  - {name: x%u%s}\n",
	    random_below(&model->random, 2),
	    PICK(model, "", "", ", namespace: n0", ", namespace: n1",
	        ", sectionName: l1", ", port: 82", ", sectionName: nope"));
	if (random_below(&model->random, 2))
		text_printf(out, "  - {name: x%u, namespace: %s}\n",
		    2 + random_below(&model->random, 2),
		    PICK(model, "n0", "n1"));
	if (random_below(&model->random, 2))
		text_printf(out, "  - {kind: ListenerSet, name: x%u%s}\n",
		    random_below(&model->random, 2),
		    PICK(model, "", ", namespace: n0", ", namespace: n1",
		        ", sectionName: l1", ", port: 81"));
}

static void
make_backends(struct model *model, struct text *out)
{
	text_push_string(out, "    backendRefs:\n");
	text_printf(out, "    - {name: x%u%s, port: %u, weight: %u}\n",
	    random_below(&model->random, 2),
	    PICK(model, "", ", namespace: n0", ", namespace: n1"),
	    80 + random_below(&model->random, 2),
	    random_below(&model->random, 3));
	if (random_below(&model->random, 2))
		text_printf(out,
		    "    - {group: gateway.networking.x-k8s.io, kind: "
		    "XBackend, name: x%u%s}\n",
		    random_below(&model->random, 2),
		    PICK(model, "", ", namespace: n0"));
}

static void
make_rule(struct model *model, enum gw_kind kind, struct text *out)
{
	if (kind == GW_HTTPROUTE) {
		text_printf(out, "  - matches: [{path: {value: %s}}]\n",
		    PICK(model, "/", "/a", "/b"));
		text_push_string(out,
		    PICK(model, "", "", "", "    timeouts: {request: 1s}\n",
		        "    retry: {attempts: 2}\n"));
	} else if (kind == GW_GRPCROUTE) {
		text_printf(out, "  - matches: [{method: %s}]\n",
		    PICK(model, "{service: a.B, method: C}", "{service: a.B}",
		        "{type: RegularExpression, method: \"(\"}",
		        "{method: C}, headers: [{name: a, value: b}]"));
	} else {
		text_push_string(out, "  - name: only\n");
	}
	make_backends(model, out);
}

static void
make_route(struct model *model, enum gw_kind kind, struct text *out)
{
	bool requests = kind == GW_HTTPROUTE || kind == GW_GRPCROUTE;
	unsigned rules = requests ? random_below(&model->random, 4) : 1;

	make_parents(model, out);
	if (requests)
		text_push_string(out,
		    PICK(model, "", "  hostnames: [b.example, a.example]\n"));
	else if (kind == GW_TLSROUTE)
		text_push_string(out,
		    PICK(model, "  hostnames: [b.example]\n",
		        "  hostnames: [\"*.example\"]\n"));
	if (rules > 0)
		text_push_string(out, "  rules:\n");
	while (rules-- > 0)
		make_rule(model, kind, out);
}

static void
make_slice(struct model *model, struct text *out)
{
	text_printf(out, "addressType: IPv4\nports: [{port: %u}]\n",
	    8080 + random_below(&model->random, 2));
	text_printf(out, "endpoints: [{addresses: [10.0.0.%u]}]\n",
	    random_below(&model->random, 3));
}

static void
make_grant(struct model *model, struct text *out)
{
	text_printf(out,
	    "spec:\n  from: [{group: gateway.networking.k8s.io, kind: "
	    "%s, namespace: %s}]\n  to: [%s]\n",
	    PICK(model, "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute",
	        "UDPRoute"),
	    PICK(model, "n0", "n1"),
	    PICK(model, "{group: \"\", kind: Service}",
	        "{group: \"\", kind: Service, name: x0}",
	        "{group: gateway.networking.x-k8s.io, kind: XBackend}"));
}

static void
make_policy(struct model *model, struct text *out)
{
	text_printf(out,
	    "spec:\n  targetRefs:\n  - {group: \"\", kind: %s, %s}\n",
	    PICK(model, "Service", "Service", "Secret"),
	    PICK(model, "name: x0", "name: x1", "name: x0, sectionName: web",
	        "name: x1, sectionName: web"));
	if (random_below(&model->random, 3) == 0)
		text_push_string(out,
		    "  - {group: gateway.networking.x-k8s.io, kind: XBackend, "
		    "name: x0}\n");
	text_printf(out, "  validation: {hostname: %s, %s}\n",
	    PICK(model, "a.example", "b.example"),
	    PICK(model, "wellKnownCACertificates: System",
	        "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: x0}]",
	        "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: x1}, "
	        "{group: \"\", kind: ConfigMap, name: x0}]",
	        "caCertificateRefs: [{group: \"\", kind: Secret, name: x0}]",
	        "caCertificateRefs: [{group: certificates.k8s.io, kind: "
	        "ClusterTrustBundle, name: x0}]"));
}

/* Of few addresses, that overlap now and then. */
static void
make_pool(struct model *model, struct text *out)
{
	text_printf(out, "spec:\n  addresses: [%s]\n%s%s",
	    PICK(model, "10.0.0.0/30", "10.0.0.1-10.0.0.3, 'fd00::1-fd00::2'",
	        "10.0.0.2/32, nonsense", "10.1.0.0/31, 'fd00::2/128'"),
	    PICK(model, "", "", "  autoAssign: false\n",
	        "  avoidBuggyIPs: true\n"),
	    PICK(model, "", "", "",
	        "  serviceAllocation: {priority: 1, namespaces: [n0]}\n",
	        "  serviceAllocation: {namespaceSelectors: [{matchLabels: "
	        "{team: a}}]}\n"));
}

static void
make_object(
    struct model *model, enum gw_kind kind, unsigned name, struct text *out)
{
	text_reset(out);
	make_head(model, out, kind, name,
	    kind == GW_NAMESPACE ? PICK(model, "", "  labels: {team: a}\n")
	        : kind == GW_ENDPOINTSLICE
	        ? PICK(model, "  labels: {kubernetes.io/service-name: x0}\n",
	              "  labels: {kubernetes.io/service-name: x1}\n", "")
	        : "");
	if (kind == GW_GATEWAYCLASS)
		text_printf(out, "spec: {controllerName: %s}\n",
		    PICK(model, "yumen.dev/gateway-controller",
		        "example.com/other"));
	else if (kind == GW_GATEWAY)
		make_gateway(model, out);
	else if (kind == GW_LISTENERSET)
		make_set(model, out);
	else if (kind >= GW_HTTPROUTE && kind <= GW_UDPROUTE)
		make_route(model, kind, out);
	else if (kind == GW_SERVICE)
		text_printf(out, "spec: {ports: [{port: %u, name: %s%s}]%s}\n",
		    80 + random_below(&model->random, 2),
		    PICK(model, "web", "api"),
		    PICK(model, "", ", protocol: UDP",
		        "}, {port: 80, name: b, protocol: UDP"),
		    PICK(model, "", "", "",
		        ", type: ExternalName, externalName: a.example",
		        ", type: LoadBalancer, loadBalancerClass: yumen.dev/lb",
		        ", type: LoadBalancer"));
	else if (kind == GW_ENDPOINTSLICE)
		make_slice(model, out);
	else if (kind == GW_REFERENCEGRANT)
		make_grant(model, out);
	else if (kind == GW_BACKENDTLSPOLICY)
		make_policy(model, out);
	else if (kind == GW_CLUSTERTRUSTBUNDLE)
		text_printf(out, "spec: {trustBundle: \"%s\"}\n",
		    PICK(model, AUTHORITY, AUTHORITY AUTHORITY));
	else if (kind == GW_CONFIGMAP)
		text_printf(out, "data: {%s: \"%s\"}\n",
		    PICK(model, "ca.crt", "ca.crt", "ca.crt", "ca.pem"),
		    PICK(model, AUTHORITY, AUTHORITY AUTHORITY, "none"));
	else if (kind == GW_IPADDRESSPOOL)
		make_pool(model, out);
	else if (kind == GW_L2ADVERTISEMENT || kind == GW_BGPADVERTISEMENT)
		text_push_string(
		    out, PICK(model, "", "spec: {ipAddressPools: [x0]}\n"));
	else if (kind == GW_ENVOYPROXY)
		text_printf(out,
		    "spec: {mergeType: %s, provider: {type: Kubernetes, "
		    "kubernetes: {%s}}}\n",
		    PICK(model, "Replace", "JSONMerge", "StrategicMerge"),
		    PICK(model, "envoyDeployment: {replicas: 2}",
		        "envoyService: {type: ClusterIP}",
		        "envoyDeployment: {container: {env: [{name: A}]}}, "
		        "envoyPDB: {minAvailable: 1}"));
	else if (kind == GW_XBACKEND)
		text_printf(out,
		    "spec: {type: ExternalHostname, externalHostname: "
		    "{hostname: %s}, port: {number: 80}%s}\n",
		    PICK(model, "a.example", "b.example"),
		    PICK(model, "", "", ", protocol: H2C"));
}

static void
edit(struct model *model, struct world *world)
{
	/* Routes are edited most. */
	uint32_t draw = random_below(&model->random, GW_KIND__COUNT + 4);
	enum gw_kind kind = draw < GW_KIND__COUNT
	    ? draw
	    : GW_HTTPROUTE + random_below(&model->random, 5);
	unsigned name = random_below(&model->random, NAMES);
	struct gw_object *object;

	/* Those that are only shown have specs of their own. */
	if (!gw_kinds[kind].read)
		kind = GW_HTTPROUTE;
	if (!gw_kinds[kind].namespaced)
		name %= 2;
	struct text *yaml = &model->objects[kind][name];

	if (yaml->length > 0 && random_below(&model->random, 3) == 0) {
		object = world_object(text_slice(yaml));
		world_remove(world, object);
		gw_object_free(&object);
		text_reset(yaml);
		return;
	}
	make_object(model, kind, name, yaml);
	object = world_object(text_slice(yaml));
	world_put(world, &object);
}

/* A Gateway, or a Service, comes with what it has, as it would from the API. */
static struct gw_object *
object_with_addresses(const struct text *yaml, const struct world *edited)
{
	struct gw_object *object = world_object(text_slice(yaml));
	const struct gw_address *addresses;
	uint32_t count;
	struct text told;
	bool gateway = object->kind == GW_GATEWAY;

	if (!gateway && object->kind != GW_SERVICE)
		return object;
	count = gw_state_addresses(edited->state, object->kind,
	    object->namespace, object->name, &addresses);
	text_init(&told);
	text_push(&told, text_slice(yaml));
	text_push_string(&told,
	    gateway ? "status:\n  addresses:\n"
	            : "status:\n  loadBalancer:\n    ingress:\n");
	for (uint32_t i = 0; i < count; i++)
		text_printf(&told, "    - {%s: \"%.*s\"}\n",
		    gateway ? "type: IPAddress, value" : "ip",
		    SLICE_ARGS(addresses[i].text));
	gw_object_free(&object);
	object = world_object(text_slice(&told));
	text_fini(&told);
	return object;
}

static void
put_told(const struct model *model, unsigned kind, const struct world *edited,
    struct world *world)
{
	for (unsigned i = 0; i < NAMES; i++) {
		const struct text *yaml = &model->objects[kind][i];

		if (yaml->length == 0)
			continue;
		struct gw_object *object = object_with_addresses(yaml, edited);

		world_put(world, &object);
	}
}

/* On one host a file says what Gateways had, and who waits. */
static void
recall(
    const struct model *model, const struct world *edited, struct world *world)
{
	for (unsigned i = 0; i < NAMES; i++) {
		const struct text *yaml = &model->objects[GW_GATEWAY][i];
		const struct gw_address *had;

		if (yaml->length == 0)
			continue;
		struct gw_object *gateway = world_object(text_slice(yaml));
		struct slice namespace = gateway->namespace,
		             name = gateway->name;
		uint32_t count = gw_state_addresses(
		    edited->state, GW_GATEWAY, namespace, name, &had);

		for (uint32_t j = 0; j < count; j++)
			if (slice_is_set(had[j].pool))
				gw_state_hold(
				    world->state, namespace, name, had[j].text);
		if (gw_state_waits(edited->state, namespace, name))
			gw_state_wait(world->state, namespace, name);
		gw_object_free(&gateway);
	}
}

static void
print_whole(const struct model *model, const struct gw_options *options,
    const struct world *edited, struct text *out)
{
	struct world world;

	world_init(&world, options);
	gw_state_fleet_bundle(world.state, SLICE("bundle"));
	/* Not the order of the edits. */
	for (unsigned i = GW_KIND__COUNT; i-- > 0;)
		put_told(model, i, edited, &world);
	if (options->addressing == GW_ADDRESSING_HOST)
		recall(model, edited, &world);
	world_reconcile(&world);
	world_print(&world, out);
	world_fini(&world);
}

static void
run_seed(uint64_t seed)
{
	const struct slice name = SLICE("yumen.dev/gateway-controller");
	const struct gw_fleet_options fleet = {
	    .namespace = SLICE("n0"),
	    .service = SLICE("x1"),
	    .port = 9912,
	    .image = SLICE("yumen"),
	    .balancer_class =
	        seed % 8 == 3 ? SLICE("yumen.dev/lb") : SLICE_NONE,
	    .envoy_namespace = SLICE("n1"),
	};
	const struct gw_options options = {
	    .controller_names = &name,
	    .controller_name_count = seed % 3 == 0,
	    .namespaces_implied = seed % 2 == 0,
	    .carries = (uint32_t)(seed * 7 % 64),
	    .addressing =
	        seed % 4 < 2 ? GW_ADDRESSING_HOST : GW_ADDRESSING_CLUSTER,
	    .takes_unclassed = seed % 8 == 3,
	    .fleet = seed % 4 == 3 ? &fleet : NULL,
	};
	struct model *model = memory_zero(1, sizeof(*model));
	struct world world;
	struct text left, right;

	random_init_seed(&model->random, seed);
	world_init(&world, &options);
	gw_state_fleet_bundle(world.state, SLICE("bundle"));
	text_init(&left);
	text_init(&right);
	for (unsigned i = 0; i < EDITS; i++) {
		unsigned edits = 1 + random_below(&model->random, 3);

		while (edits-- > 0)
			edit(model, &world);
		world_reconcile(&world);
		/* Where fleets are made, what a status was told counts. */
		if (options.fleet)
			put_told(model, GW_GATEWAY, &world, &world);
		world_reconcile(&world);
		text_reset(&left);
		text_reset(&right);
		world_print(&world, &left);
		print_whole(model, &options, &world, &right);
		if (!slice_equal(text_slice(&left), text_slice(&right)))
			fail_msg(
			    "seed %llu, edit %u: incremental\n%s\nwhole\n%s",
			    (unsigned long long)seed, i, left.data, right.data);
	}
	text_fini(&left);
	text_fini(&right);
	world_fini(&world);
	for (unsigned i = 0; i < GW_KIND__COUNT; i++)
		for (unsigned j = 0; j < NAMES; j++)
			text_fini(&model->objects[i][j]);
	memory_free(model);
}

static void
incremental_equals_whole(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(incremental_equals_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
