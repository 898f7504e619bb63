/* What an EnvoyProxy asks for, laid over the documents of a fleet. What says
 * whose a document is, and who its pods are, stays as it is. */
#include "core/must.h"
#include "gw/fleet_priv.h"
#include "gw/template.h"

#define KUBERNETES "provider.kubernetes."

struct tree_node *
gw_parameter(const struct tree_node *parameters, const char *path)
{
	struct slice rest = slice_from_string(path), key;
	struct tree_node *at = NULL;

	while (parameters && slice_cut(&rest, '.', &key)) {
		at = parameters->kind == TREE_MAP ? parameters->child : NULL;
		while (at && !slice_equal(at->key, key))
			at = at->next;
		parameters = at;
	}
	return at;
}

static bool
is_text(const struct tree_node *node, const char *text)
{
	return node && node->kind == TREE_TEXT &&
	    slice_equal(node->text, slice_from_string(text));
}

/* A copy, as a node is in one list alone. */
static void
put(struct arena *arena, struct tree_node *map, const char *key,
    const struct tree_node *node)
{
	if (node)
		gw_tree_put(
		    map, slice_from_string(key), gw_tree_copy(arena, node));
}

/* Member by member, lists of named things by their names. */
static void
lay(struct arena *arena, struct tree_node *map, const char *key,
    const struct tree_node *over)
{
	struct tree_node *under = wire_tree_get(map, key);

	if (!over)
		return;
	gw_tree_put(map, slice_from_string(key),
	    under ? gw_tree_merge(arena, under, over, true)
	          : gw_tree_copy(arena, over));
}

static void
lay_member(struct arena *arena, struct tree_node *map, const char *key,
    const struct tree_node *parameters, const char *path)
{
	lay(arena, map, key, gw_parameter(parameters, path));
}

/* Of patch: {type, value}. */
static void
patch(struct arena *arena, struct tree_node *document,
    const struct tree_node *asked)
{
	const struct tree_node *value =
	    asked ? gw_parameter(asked, "value") : NULL;
	const struct tree_node *type =
	    asked ? gw_parameter(asked, "type") : NULL;
	bool strategic =
	    !type || slice_equal(type->text, SLICE("StrategicMerge"));
	struct tree_node *made;

	if (!value || value->kind != TREE_MAP)
		return;
	made = gw_tree_merge(arena, document, value, strategic);
	document->child = made->child;
	document->count = made->count;
}

/* Both may be there of an EnvoyProxy over another: then it is the second. */
#define DEPLOYMENT KUBERNETES "envoyDeployment"
#define DAEMONS KUBERNETES "envoyDaemonSet"

bool
gw_fleet_has_daemons(const struct tree_node *parameters)
{
	return gw_parameter(parameters, DAEMONS) != NULL;
}

/* asked: for a Deployment or a DaemonSet, or NULL. */
static void
lay_pod(const struct tree_node *asked, struct arena *arena,
    struct tree_node *template)
{
	static const char *const whole[] = {"affinity", "tolerations",
	    "nodeSelector", "topologySpreadConstraints", "priorityClassName",
	    "imagePullSecrets"};
	struct tree_node *metadata = gw_tree_map(arena, template, "metadata");
	struct tree_node *pod = gw_tree_map(arena, template, "spec");
	const struct tree_node *of_pod = gw_parameter(asked, "pod");

	for (size_t i = 0; of_pod && i < sizeof(whole) / sizeof(whole[0]); i++)
		put(arena, pod, whole[i], gw_parameter(of_pod, whole[i]));
	lay_member(arena, metadata, "labels", of_pod, "labels");
	lay_member(arena, metadata, "annotations", of_pod, "annotations");
	lay_member(arena, pod, "securityContext", of_pod, "securityContext");
	lay_member(arena, pod, "volumes", of_pod, "volumes");
	put(arena, pod, "initContainers",
	    gw_parameter(asked, "initContainers"));
}

static void
lay_container(const struct gw_fleet_plan *plan, const struct tree_node *asked,
    struct arena *arena, struct tree_node *container)
{
	lay_member(arena, container, "env", asked, "env");
	lay_member(arena, container, "volumeMounts", asked, "volumeMounts");
	lay_member(
	    arena, container, "securityContext", asked, "securityContext");
	put(arena, container, "resources", gw_parameter(asked, "resources"));
	if (plan->options->image_from_parameters)
		put(arena, container, "image", gw_parameter(asked, "image"));
}

/* In the node's own network a pod may not say what ports need privileges. */
static void
drop_sysctls(struct tree_node *document)
{
	struct tree_node *pod = wire_tree_member(
	    wire_tree_member(wire_tree_member(document, "spec", TREE_MAP),
	        "template", TREE_MAP),
	    "spec", TREE_MAP);
	const struct tree_node *host =
	    wire_tree_member(pod, "hostNetwork", TREE_BOOL);
	struct tree_node *context =
	    wire_tree_member(pod, "securityContext", TREE_MAP);

	if (host && host->integer && context)
		wire_tree_drop(context, "sysctls");
}

/* strategy: what the kind calls it. */
static void
lay_workload(const struct gw_fleet_plan *plan, const struct tree_node *asked,
    const char *strategy, struct arena *arena, struct tree_node *document)
{
	struct tree_node *spec = gw_tree_map(arena, document, "spec");
	struct tree_node *pod = gw_tree_map(arena, spec, "template.spec");
	struct tree_node *container = wire_tree_get(pod, "containers")->child;

	put(arena, spec, strategy, gw_parameter(asked, "strategy"));
	lay_pod(asked, arena, gw_tree_map(arena, spec, "template"));
	lay_container(plan, gw_parameter(asked, "container"), arena, container);
	gw_fleet_lay_flags(plan->parameters, arena, pod, container);
	patch(arena, document, gw_parameter(asked, "patch"));
	drop_sysctls(document);
}

static void
lay_deployment(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *document)
{
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, DEPLOYMENT);
	struct tree_node *spec = gw_tree_map(arena, document, "spec");

	put(arena, spec, "replicas", gw_parameter(asked, "replicas"));
	if (gw_parameter(plan->parameters, KUBERNETES "envoyHpa"))
		wire_tree_drop(spec, "replicas");
	lay_workload(plan, asked, "strategy", arena, document);
}

#define SERVICE KUBERNETES "envoyService."

/* IPv4, IPv6 or DualStack; unasked the cluster says. */
static void
lay_families(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *spec)
{
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, "ipFamily");
	struct tree_node *list = gw_tree_new(arena, TREE_LIST);

	if (!asked)
		return;
	bool dual = is_text(asked, "DualStack");

	if (dual)
		gw_tree_push(list, gw_tree_text(arena, SLICE("IPv4")));
	gw_tree_push(
	    list, gw_tree_text(arena, dual ? SLICE("IPv6") : asked->text));
	gw_tree_put(spec, SLICE("ipFamilies"), list);
	gw_tree_put(spec, SLICE("ipFamilyPolicy"),
	    gw_tree_text(arena,
	        dual ? SLICE("RequireDualStack") : SLICE("SingleStack")));
}

static void
lay_service(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *document)
{
	static const char *const whole[] = {"type", "loadBalancerClass",
	    "allocateLoadBalancerNodePorts", "loadBalancerSourceRanges",
	    "loadBalancerIP", "externalTrafficPolicy"};
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, KUBERNETES "envoyService");
	struct tree_node *spec = gw_tree_map(arena, document, "spec");
	struct tree_node *metadata = gw_tree_map(arena, document, "metadata");

	for (size_t i = 0; asked && i < sizeof(whole) / sizeof(whole[0]); i++)
		put(arena, spec, whole[i], gw_parameter(asked, whole[i]));
	lay_families(plan, arena, spec);
	lay_member(arena, metadata, "labels", asked, "labels");
	lay_member(arena, metadata, "annotations", asked, "annotations");
	if (!is_text(wire_tree_get(spec, "type"), "LoadBalancer"))
		wire_tree_drop(spec, "loadBalancerClass");
	if (is_text(wire_tree_get(spec, "type"), "ClusterIP"))
		wire_tree_drop(spec, "externalTrafficPolicy");
	patch(arena, document, gw_parameter(plan->parameters, SERVICE "patch"));
}

static void
lay_autoscaler(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *document)
{
	static const char *const whole[] = {
	    "minReplicas", "maxReplicas", "metrics", "behavior"};
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, KUBERNETES "envoyHpa");
	struct tree_node *spec = gw_tree_map(arena, document, "spec");

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		put(arena, spec, whole[i], gw_parameter(asked, whole[i]));
	patch(arena, document, gw_parameter(asked, "patch"));
}

static void
lay_disruption(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *document)
{
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, KUBERNETES "envoyPDB");
	struct tree_node *spec = gw_tree_map(arena, document, "spec");

	put(arena, spec, "minAvailable", gw_parameter(asked, "minAvailable"));
	put(arena, spec, "maxUnavailable",
	    gw_parameter(asked, "maxUnavailable"));
	patch(arena, document, gw_parameter(asked, "patch"));
}

bool
gw_fleet_has(const struct gw_fleet_plan *plan, enum gw_made kind)
{
	bool daemons = gw_fleet_has_daemons(plan->parameters);
	/* One that asks for nothing would let everything go. */
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, KUBERNETES "envoyPDB");

	if (kind == GW_MADE_DEPLOYMENT)
		return !daemons;
	if (kind == GW_MADE_DAEMONS)
		return daemons;
	if (kind == GW_MADE_AUTOSCALER)
		return !daemons &&
		    gw_parameter(plan->parameters, KUBERNETES "envoyHpa");
	if (kind == GW_MADE_DISRUPTION)
		return gw_parameter(asked, "minAvailable") ||
		    gw_parameter(asked, "maxUnavailable") ||
		    gw_parameter(asked, "patch");
	return !gw_made_rows[kind].own;
}

void
gw_fleet_lay(const struct gw_fleet_plan *plan, enum gw_made kind,
    struct arena *arena, struct tree_node *document)
{
	if (!plan->parameters)
		return;
	switch (kind) {
	case GW_MADE_DEPLOYMENT:
		lay_deployment(plan, arena, document);
		break;
	case GW_MADE_DAEMONS:
		lay_workload(plan, gw_parameter(plan->parameters, DAEMONS),
		    "updateStrategy", arena, document);
		break;
	case GW_MADE_SERVICE:
		lay_service(plan, arena, document);
		break;
	case GW_MADE_AUTOSCALER:
		lay_autoscaler(plan, arena, document);
		break;
	case GW_MADE_DISRUPTION:
		lay_disruption(plan, arena, document);
		break;
	case GW_MADE_ACCOUNT:
	case GW_MADE_BUNDLE:
	default:
		break;
	}
}

bool
gw_fleet_asks(const struct gw_state *state, const struct gw_owner_node *gateway)
{
	return !state->has_fleets || !gateway->service ||
	    is_text(
	        gw_parameter(gateway->service, "spec.type"), "LoadBalancer");
}

struct slice
gw_fleet_balancer(
    const struct gw_state *state, const struct gw_owner_node *gateway)
{
	const struct tree_node *class =
	    gw_parameter(gateway->service, "spec.loadBalancerClass");

	if (!gateway->service)
		return state->fleet.balancer_class;
	return class ? class->text : SLICE_NONE;
}

bool
gw_fleet_balances(
    const struct gw_state *state, const struct gw_owner_node *gateway)
{
	return state->has_fleets && gw_fleet_asks(state, gateway) &&
	    gw_balancer_takes(state, gw_fleet_balancer(state, gateway));
}

bool
gw_fleet_is_local(
    const struct gw_state *state, const struct gw_owner_node *gateway)
{
	const struct tree_node *policy =
	    gw_parameter(gateway->service, "spec.externalTrafficPolicy");

	if (!gw_fleet_balances(state, gateway))
		return false;
	return state->forwards ||
	    (policy ? is_text(policy, "Local") : gateway->fleet_envoy);
}
