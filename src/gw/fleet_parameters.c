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

#define DEPLOYMENT KUBERNETES "envoyDeployment."

static void
lay_pod(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *pod)
{
	static const char *const whole[] = {"affinity", "tolerations",
	    "nodeSelector", "topologySpreadConstraints", "priorityClassName",
	    "imagePullSecrets"};
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, DEPLOYMENT "pod");

	for (size_t i = 0; asked && i < sizeof(whole) / sizeof(whole[0]); i++)
		put(arena, pod, whole[i], gw_parameter(asked, whole[i]));
	lay_member(arena, pod, "securityContext", asked, "securityContext");
	lay_member(arena, pod, "volumes", asked, "volumes");
	put(arena, pod, "initContainers",
	    gw_parameter(plan->parameters, DEPLOYMENT "initContainers"));
}

static void
lay_container(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *container)
{
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, DEPLOYMENT "container");

	lay_member(arena, container, "env", asked, "env");
	lay_member(arena, container, "volumeMounts", asked, "volumeMounts");
	lay_member(
	    arena, container, "securityContext", asked, "securityContext");
	put(arena, container, "resources", gw_parameter(asked, "resources"));
	if (plan->options->image_from_parameters)
		put(arena, container, "image", gw_parameter(asked, "image"));
}

static void
lay_deployment(const struct gw_fleet_plan *plan, struct arena *arena,
    struct tree_node *document)
{
	const struct tree_node *parameters = plan->parameters;
	struct tree_node *spec = gw_tree_map(arena, document, "spec");
	struct tree_node *metadata =
	    gw_tree_map(arena, spec, "template.metadata");
	struct tree_node *pod = gw_tree_map(arena, spec, "template.spec");
	struct tree_node *container = wire_tree_get(pod, "containers")->child;

	put(arena, spec, "replicas",
	    gw_parameter(parameters, DEPLOYMENT "replicas"));
	if (gw_parameter(parameters, KUBERNETES "envoyHpa"))
		wire_tree_drop(spec, "replicas");
	put(arena, spec, "strategy",
	    gw_parameter(parameters, DEPLOYMENT "strategy"));
	lay_member(
	    arena, metadata, "labels", parameters, DEPLOYMENT "pod.labels");
	lay_member(arena, metadata, "annotations", parameters,
	    DEPLOYMENT "pod.annotations");
	lay_pod(plan, arena, pod);
	lay_container(plan, arena, container);
	gw_fleet_lay_flags(parameters, arena, pod, container);
	patch(arena, document, gw_parameter(parameters, DEPLOYMENT "patch"));
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
	    "externalTrafficPolicy"};
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
	/* One that asks for nothing would let everything go. */
	const struct tree_node *asked =
	    gw_parameter(plan->parameters, KUBERNETES "envoyPDB");

	if (kind == GW_MADE_AUTOSCALER)
		return gw_parameter(plan->parameters, KUBERNETES "envoyHpa") !=
		    NULL;
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
	const struct tree_node *type =
	    gw_parameter(gateway->parameters, SERVICE "type");

	return !state->has_fleets || !type || is_text(type, "LoadBalancer");
}

bool
gw_fleet_balances(
    const struct gw_state *state, const struct gw_owner_node *gateway)
{
	const struct slice ours = state->fleet.balancer_class;
	const struct tree_node *class =
	    gw_parameter(gateway->parameters, SERVICE "loadBalancerClass");

	return state->has_fleets && slice_is_set(ours) &&
	    gw_fleet_asks(state, gateway) &&
	    (!class || slice_equal(class->text, ours));
}

void
gw_fleet_want(struct gw_owner_node *gateway)
{
	const struct tree_node *asked =
	    gw_parameter(gateway->parameters, "ipFamily");
	struct gw_ask *ask = &gateway->ask;

	if (!asked || ask->some != 1)
		return;
	if (is_text(asked, "DualStack"))
		ask->want = ADDR_BOTH;
	else
		ask->want = is_text(asked, "IPv6") ? ADDR_IPV6 : ADDR_IPV4;
}
