/* GatewayClasses: which are ours, and their status. */
#include "core/must.h"
#include "gw/honour.h"
#include "gw/state_priv.h"

static bool
is_controller_ours(const struct gw_state *state, struct slice controller)
{
	for (uint32_t i = 0; i < state->controller_name_count; i++)
		if (slice_equal(state->controller_names[i], controller))
			return true;
	return state->controller_name_count == 0;
}

bool
gw_controller_is_ours(const struct gw_state *state, struct slice controller)
{
	struct slice key;
	void *value;

	if (state->controller_name_count > 0)
		return is_controller_ours(state, controller);
	if (slice_equal(controller, SLICE(GW_CONTROLLER)))
		return true;
	for (size_t at = 0;
	     map_next(&state->nodes[GW_GATEWAYCLASS], &at, &key, &value);) {
		const struct gw_class_node *class = value;

		if (slice_equal(controller,
		        class->node.object->gatewayclass->spec
		            ->controller_name))
			return true;
	}
	return false;
}

static void
add_features(struct gw_gatewayclass_status *status,
    const struct gw_state *state, struct arena *arena)
{
	static const struct {
		const char *name;
		uint32_t carry;
	} features[] = {
#define GW_FEATURE(name, carry) {name, carry},
#include "gw/feature.def"
#undef GW_FEATURE
	};
	uint32_t count = sizeof(features) / sizeof(features[0]);

	status->supported_features =
	    arena_zero(arena, count, sizeof(*status->supported_features));
	for (uint32_t i = 0; i < count; i++)
		if ((features[i].carry & ~state->carries) == 0)
			status
			    ->supported_features
			        [status->supported_features_count++]
			    .name = slice_from_string(features[i].name);
}

static const struct gw_gatewayclass_status *
make_status(const struct gw_state *state, struct arena *arena,
    struct gw_class_node *class)
{
	const struct gw_object *object = class->node.object;
	const struct gw_class_parameters *parameters =
	    object->gatewayclass->spec->parameters_ref;
	struct gw_gatewayclass_status *status =
	    arena_zero(arena, 1, sizeof(*status));
	struct gw_conditions conditions;

	gw_conditions_init(&conditions, arena, object);
	if (!class->accepted &&
	    gw_honour_knows_parameters(parameters->group, parameters->kind))
		gw_conditions_add(&conditions, "Accepted", "False",
		    "InvalidParameters",
		    arena_format(arena,
		        "spec.parametersRef: there is no EnvoyProxy "
		        "\"%.*s\" in namespace \"%.*s\"",
		        SLICE_ARGS(parameters->name),
		        SLICE_ARGS(parameters->namespace)));
	else if (!class->accepted)
		gw_conditions_add(&conditions, "Accepted", "False",
		    "InvalidParameters",
		    arena_format(arena,
		        "spec.parametersRef: %.*s of group \"%.*s\" is not a "
		        "kind of parameters that yumen knows",
		        SLICE_ARGS(parameters->kind),
		        SLICE_ARGS(parameters->group)));
	else if (parameters && !state->has_fleets)
		gw_conditions_add(&conditions, "Accepted", "True", "Accepted",
		    arena_format(arena,
		        "accepted; without effect: spec.parametersRef (%.*s is "
		        "of use in a cluster alone)",
		        SLICE_ARGS(parameters->kind)));
	else
		gw_conditions_add(&conditions, "Accepted", "True", "Accepted",
		    SLICE("accepted"));
	status->conditions = conditions.items;
	status->conditions_count = conditions.count;
	add_features(status, state, arena);
	return status;
}

void
gw_classes_judge(struct gw_state *state)
{
	uint32_t count;
	struct gw_node **nodes =
	    gw_nodes_sorted(state, GW_GATEWAYCLASS, &state->work, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct gw_class_node *class = (void *)nodes[i];
		const struct gw_gatewayclass_spec *spec =
		    nodes[i]->object->gatewayclass->spec;
		const struct gw_class_parameters *parameters =
		    spec->parameters_ref;

		class->ours = is_controller_ours(state, spec->controller_name);
		class->accepted = !parameters ||
		    (gw_honour_knows_parameters(
		         parameters->group, parameters->kind) &&
		        gw_parameters_are_there(state, nodes[i]->object));
		gw_outbox_status(&state->outbox, &class->status,
		    nodes[i]->object,
		    class->ours
		        ? make_status(state, &state->outbox.arena, class)
		        : NULL);
	}
	state->classes_stale = false;
	state->gateways_stale = true;
	arena_reset(&state->work);
}

struct gw_class_view
gw_class_view(const struct gw_state *state, struct slice name)
{
	const struct gw_class_node *class =
	    (const void *)gw_node_get(state, GW_GATEWAYCLASS, SLICE(""), name);

	if (class)
		return (struct gw_class_view){
		    .exists = true,
		    .ours = class->ours,
		    .accepted = class->accepted,
		    .controller =
		        class->node.object->gatewayclass->spec->controller_name,
		};
	/* In files without any class there is one of our own. */
	if (!state->classes_told && state->nodes[GW_GATEWAYCLASS].count == 0 &&
	    slice_equal(name, SLICE(GW_CLASS_BUILT_IN)))
		return (struct gw_class_view){
		    .exists = true,
		    .ours = is_controller_ours(state, SLICE(GW_CONTROLLER)),
		    .accepted = true,
		    .controller = SLICE(GW_CONTROLLER),
		};
	return (struct gw_class_view){0};
}
