/* EnvoyProxies: which one a class or a Gateway refers to, how a Gateway's is
 * laid over its class's, and what of it is honoured (gw/parameter.def). */
#include "core/hash.h"
#include "core/must.h"
#include "gw/fleet_priv.h"
#include "gw/template.h"
#include "wire/tree_json.h"

#define KUBERNETES "provider.kubernetes."
#define IMAGE ".container.image"

static const struct gw_node *
find(const struct gw_state *state, struct slice group, struct slice kind,
    struct slice namespace, struct slice name)
{
	const struct gw_node *node;

	if (!slice_equal(kind, SLICE("EnvoyProxy")) ||
	    !slice_equal(
	        group, slice_from_string(gw_kinds[GW_ENVOYPROXY].group)))
		return NULL;
	node = gw_node_get(state, GW_ENVOYPROXY, namespace, name);
	return node && node->object ? node : NULL;
}

/* Envoy Gateway's default, too. */
static struct slice
namespace_of(const struct gw_class_parameters *reference)
{
	return reference->namespace.length > 0 ? reference->namespace
	                                       : SLICE("default");
}

static const struct gw_node *
class_parameters(const struct gw_state *state, const struct gw_object *class)
{
	const struct gw_class_parameters *reference =
	    class->gatewayclass->spec->parameters_ref;

	return reference ? find(state, reference->group, reference->kind,
	                       namespace_of(reference), reference->name)
	                 : NULL;
}

bool
gw_parameters_are_there(
    const struct gw_state *state, const struct gw_object *class)
{
	return !state->has_fleets ||
	    !class->gatewayclass->spec->parameters_ref ||
	    class_parameters(state, class) != NULL;
}

/* ---- what is ignored ---- */

enum honour { HONOURED, IN_PART, IGNORED };

static enum honour
judge_path(struct slice path)
{
	static const char *const rows[] = {
#define GW_PARAMETER(path, what) path,
#define GW_PARAMETER_IGNORED(path, why)
#include "gw/parameter.def"
#undef GW_PARAMETER
#undef GW_PARAMETER_IGNORED
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice row = slice_from_string(rows[i]);

		if (slice_equal(path, row))
			return HONOURED;
		if (slice_starts_with(row, path) &&
		    row.data[path.length] == '.')
			return IN_PART;
	}
	return IGNORED;
}

struct telling {
	const struct gw_owner_node *gateway;
	struct text *told;
	struct arena *arena;
	bool image;
};

static void tell_members(const struct telling *telling,
    const struct tree_node *map, struct slice path);

/* Why what is honoured is not honoured here, or NULL. */
static const char *
but(const struct telling *telling, const struct tree_node *node,
    struct slice path)
{
	if (!telling->image &&
	    (slice_equal(path, SLICE(KUBERNETES "envoyDeployment" IMAGE)) ||
	        slice_equal(path, SLICE(KUBERNETES "envoyDaemonSet" IMAGE))))
		return "only with --proxy-image-from-envoyproxy";
	if (gw_fleet_has_daemons(telling->gateway->parameters) &&
	    (slice_equal(path, SLICE(KUBERNETES "envoyDeployment")) ||
	        slice_equal(path, SLICE(KUBERNETES "envoyHpa"))))
		return "there is an envoyDaemonSet";
	if (gw_fleet_keeps_name(telling->gateway, path))
		return "no name for it, or another Gateway's";
	if (slice_equal(path, SLICE("concurrency")) &&
	    !gw_fleet_takes_workers(node->integer))
		return "1 to 256 workers";
	return NULL;
}

static void
tell_member(const struct telling *telling, const struct tree_node *node,
    struct slice path)
{
	enum honour honour = judge_path(path);
	const char *why = but(telling, node, path);

	if (honour == IN_PART && node->kind == TREE_MAP && !why) {
		tell_members(telling, node, path);
		return;
	}
	if (honour == HONOURED && !why)
		return;
	text_printf(telling->told, "%sEnvoyProxy spec.%.*s",
	    telling->told->length > 0 ? ", " : "", SLICE_ARGS(path));
	if (why)
		text_printf(telling->told, " (%s)", why);
}

/* No deeper than the rows. */
static void
tell_members(const struct telling *telling, const struct tree_node *map,
    struct slice path)
{
	for (const struct tree_node *at = map->child; at; at = at->next)
		tell_member(telling, at,
		    arena_format(telling->arena, "%.*s%s%.*s", SLICE_ARGS(path),
		        path.length > 0 ? "." : "", SLICE_ARGS(at->key)));
}

/* ---- one over the other ---- */

static struct tree_node *
spec_of(const struct gw_node *node, struct arena *arena)
{
	const struct gw_stored *stored = node->object->stored;
	struct tree_node *document, *spec;

	must(stored != NULL);
	/* Later than the object's own, as trees point into what they read. */
	document = wire_tree_from_json(
	    arena_copy(arena, slice_make(stored->text, stored->length)), arena);
	spec = document ? wire_tree_get(document, "spec") : NULL;
	return spec && spec->kind == TREE_MAP ? spec
	                                      : gw_tree_new(arena, TREE_MAP);
}

static struct slice
merge_type(const struct tree_node *spec)
{
	const struct tree_node *how = gw_parameter(spec, "mergeType");

	return how && how->kind == TREE_TEXT ? how->text : SLICE("Replace");
}

static struct tree_node *
merge(struct arena *arena, struct tree_node *class, struct tree_node *gateway)
{
	struct slice type = merge_type(gateway);

	if (slice_equal(type, SLICE("StrategicMerge")))
		return gw_tree_merge(arena, class, gateway, true);
	if (slice_equal(type, SLICE("JSONMerge")))
		return gw_tree_merge(arena, class, gateway, false);
	return gateway;
}

/* Which of them says what is seen only where one is in the other's place. */
static void
name(struct gw_owner_node *gateway, const struct gw_node *first,
    const struct gw_node *second)
{
	const struct gw_node *upper = second ? second : first;

	if (!upper)
		return;
	gateway->parameters_name = first && second &&
	        !slice_equal(merge_type(gateway->parameters), SLICE("Replace"))
	    ? arena_format(&gateway->arena, "%.*s over %.*s",
	          SLICE_ARGS(gw_node_key(second)),
	          SLICE_ARGS(gw_node_key(first)))
	    : arena_copy(&gateway->arena, gw_node_key(upper));
}

bool
gw_parameters_judge(const struct gw_state *state, struct gw_owner_node *gateway)
{
	const struct gw_object *object = gateway->node.object;
	const struct gw_gateway_spec *spec = object->gateway->spec;
	const struct gw_local_reference *reference =
	    spec->infrastructure ? spec->infrastructure->parameters_ref : NULL;
	const struct gw_node *class = gw_node_get(
	    state, GW_GATEWAYCLASS, SLICE(""), spec->gateway_class_name);
	const struct gw_node *first =
	    class ? class_parameters(state, class->object) : NULL;
	const struct gw_node *second = reference
	    ? find(state, reference->group, reference->kind, object->namespace,
	          reference->name)
	    : NULL;
	struct arena *arena = &gateway->arena;
	struct hash hash;

	hash_init(&hash);
	hash_push_number(&hash, first ? first->object->digest : 0);
	hash_push_number(&hash, second ? second->object->digest : 0);
	gateway->parameters_hash = hash_take(&hash);
	gateway->parameters = NULL;
	if (first)
		gateway->parameters = spec_of(first, arena);
	if (second)
		gateway->parameters = first
		    ? merge(arena, gateway->parameters, spec_of(second, arena))
		    : spec_of(second, arena);
	name(gateway, first, second);
	return !reference || second != NULL;
}

void
gw_parameters_tell_ignored(const struct gw_state *state,
    const struct gw_owner_node *gateway, struct text *told)
{
	struct arena arena;
	const struct telling telling = {.gateway = gateway,
	    .told = told,
	    .arena = &arena,
	    .image = state->fleet.image_from_parameters};

	if (!gateway->parameters)
		return;
	arena_init(&arena, 1024);
	tell_members(&telling, gateway->parameters, SLICE(""));
	arena_fini(&arena);
}
