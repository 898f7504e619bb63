/* What the Service that a Gateway has, or would have, says to whoever gives it
 * an address: what an EnvoyProxy asks for laid over the Gateway's own labels
 * and annotations, as the Service itself is made. It counts on one host as
 * well, where no Service is made. */
#include "core/must.h"
#include "gw/fleet_priv.h"
#include "gw/template.h"

#define SERVICE "provider.kubernetes.envoyService."
#define PATCHED SERVICE "patch.value."

/* ---- laid over ---- */

static struct tree_node *
make_document(const struct gw_state *state, const struct gw_owner_node *gateway,
    struct arena *arena)
{
	const struct gw_infrastructure *infra =
	    gateway->node.object->gateway->spec->infrastructure;
	const struct gw_fleet_plan plan = {.parameters = gateway->parameters};
	struct tree_node *document = gw_tree_new(arena, TREE_MAP);
	struct tree_node *metadata = gw_tree_map(arena, document, "metadata");
	struct tree_node *labels = gw_tree_map(arena, metadata, "labels");
	struct tree_node *annotations =
	    gw_tree_map(arena, metadata, "annotations");
	struct tree_node *spec = gw_tree_map(arena, document, "spec");

	if (infra) {
		gw_tree_put_pairs(
		    arena, labels, infra->labels, infra->labels_count);
		gw_tree_put_pairs(arena, annotations, infra->annotations,
		    infra->annotations_count);
	}
	gw_tree_put(
	    spec, SLICE("type"), gw_tree_text(arena, SLICE("LoadBalancer")));
	if (slice_is_set(state->fleet.balancer_class))
		gw_tree_put(spec, SLICE("loadBalancerClass"),
		    gw_tree_text(arena, state->fleet.balancer_class));
	gw_fleet_lay(&plan, GW_MADE_SERVICE, arena, document);
	return document;
}

/* Those of texts, as the API has no others. */
static uint32_t
read_pairs(struct arena *arena, const struct tree_node *map,
    struct record_pair **pairs)
{
	uint32_t count = 0;

	*pairs = arena_zero(arena, (map ? map->count : 0) + 1, sizeof(**pairs));
	for (const struct tree_node *at = map ? map->child : NULL; at;
	     at = at->next)
		if (at->kind == TREE_TEXT)
			(*pairs)[count++] =
			    (struct record_pair){at->key, at->text};
	return count;
}

void
gw_fleet_say(const struct gw_state *state, struct gw_owner_node *gateway)
{
	must(gateway->node.object != NULL);
	const struct gw_infrastructure *infra =
	    gateway->node.object->gateway->spec->infrastructure;
	struct arena *arena = &gateway->arena;
	struct gw_metadata *said = arena_zero(arena, 1, sizeof(*said));

	gateway->said = said;
	gateway->service = NULL;
	if (gateway->parameters) {
		gateway->service = make_document(state, gateway, arena);
		said->labels_count = read_pairs(arena,
		    gw_parameter(gateway->service, "metadata.labels"),
		    &said->labels);
		said->annotations_count = read_pairs(arena,
		    gw_parameter(gateway->service, "metadata.annotations"),
		    &said->annotations);
	} else if (infra) {
		said->labels = infra->labels;
		said->labels_count = infra->labels_count;
		said->annotations = infra->annotations;
		said->annotations_count = infra->annotations_count;
	}
}

/* ---- who said it ---- */

static bool
has(const struct tree_node *map, struct slice key)
{
	const struct tree_node *at = map ? map->child : NULL;

	while (at && !slice_equal(at->key, key))
		at = at->next;
	return at != NULL;
}

static struct slice
tell_path(
    const struct gw_owner_node *gateway, const char *path, struct arena *arena)
{
	return arena_format(arena, "EnvoyProxy %.*s spec." SERVICE "%s",
	    SLICE_ARGS(gateway->parameters_name), path);
}

struct slice
gw_fleet_said_where(
    const struct gw_owner_node *gateway, struct slice key, struct arena *arena)
{
	const struct tree_node *parameters = gateway->parameters;

	if (has(gw_parameter(parameters, PATCHED "metadata.annotations"), key))
		return tell_path(gateway, "patch", arena);
	if (has(gw_parameter(parameters, SERVICE "annotations"), key))
		return tell_path(gateway, "annotations", arena);
	return SLICE_NONE;
}

struct slice
gw_fleet_said_ip(const struct gw_owner_node *gateway, struct arena *arena,
    struct slice *where)
{
	const struct tree_node *ip =
	    gw_parameter(gateway->service, "spec.loadBalancerIP");

	if (!ip || ip->kind != TREE_TEXT)
		return SLICE_NONE;
	*where = tell_path(gateway,
	    gw_parameter(gateway->parameters, PATCHED "spec.loadBalancerIP")
	        ? "patch"
	        : "loadBalancerIP",
	    arena);
	return ip->text;
}
