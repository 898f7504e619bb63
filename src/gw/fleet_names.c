/* Names that EnvoyProxies give to objects of fleets. One that another Gateway's
 * objects have by themselves, or that an older Gateway was given, is nobody
 * else's: it is told, and the object keeps its own. */
#include <stdlib.h>

#include "core/map.h"
#include "gw/fleet_priv.h"
#include "gw/form.h"

#define KUBERNETES "provider.kubernetes."

static const struct {
	enum gw_made kind;
	const char *path;
} rows[] = {
    {GW_MADE_SERVICE, KUBERNETES "envoyService.name"},
    {GW_MADE_DEPLOYMENT, KUBERNETES "envoyDeployment.name"},
    {GW_MADE_DAEMONS, KUBERNETES "envoyDaemonSet.name"},
    {GW_MADE_AUTOSCALER, KUBERNETES "envoyHpa.name"},
    {GW_MADE_DISRUPTION, KUBERNETES "envoyPDB.name"},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct naming {
	struct arena *arena;
	struct map own; /* Gateways by "namespace/name" of their fleets */
	struct map given; /* by "kind namespace/name" */
};

static struct slice
asked_of(const struct gw_owner_node *gateway, size_t row)
{
	const struct tree_node *node =
	    gw_parameter(gateway->parameters, rows[row].path);

	return node && node->kind == TREE_TEXT ? node->text : SLICE_NONE;
}

static bool
asks(const struct gw_owner_node *gateway)
{
	for (size_t i = 0; gateway->parameters && i < ROWS; i++)
		if (slice_is_set(asked_of(gateway, i)))
			return true;
	return false;
}

static bool
is_free(struct naming *naming, const struct gw_owner_node *gateway,
    enum gw_made kind, struct slice name)
{
	struct slice own = arena_format(naming->arena, "%.*s/%.*s",
	    SLICE_ARGS(gateway->fleet_namespace), SLICE_ARGS(name));
	struct slice given = arena_format(
	    naming->arena, "%u %.*s", (unsigned)kind, SLICE_ARGS(own));
	const struct gw_owner_node *owner = map_get(&naming->own, own);

	if (owner && owner != gateway)
		return false;
	if (map_get(&naming->given, given))
		return false;
	map_put(&naming->given, given, (void *)(uintptr_t)gateway);
	return true;
}

static bool
is_name(enum gw_made kind, struct slice name)
{
	return kind == GW_MADE_SERVICE ? gw_form_is_service(name)
	                               : gw_form_is_name(name);
}

static void
name(struct naming *naming, struct gw_owner_node *gateway)
{
	struct slice *names =
	    arena_zero(&gateway->arena, GW_MADE__COUNT, sizeof(*names));

	for (size_t i = 0; i < ROWS; i++) {
		struct slice asked = asked_of(gateway, i);

		if (slice_is_set(asked) && is_name(rows[i].kind, asked) &&
		    is_free(naming, gateway, rows[i].kind, asked))
			names[rows[i].kind] = asked;
	}
	gateway->fleet_names = names;
}

void
gw_fleets_name(
    struct gw_state *state, struct gw_owner_node **gateways, uint32_t count)
{
	struct naming naming = {.arena = &state->work};
	struct gw_owner_node **asking =
	    arena_zero(&state->work, count + 1, sizeof(*asking));
	uint32_t asking_count = 0;

	for (uint32_t i = 0; i < count; i++)
		if (gateways[i]->ours && asks(gateways[i]))
			asking[asking_count++] = gateways[i];
	if (asking_count == 0)
		return;
	map_init(&naming.own);
	map_init(&naming.given);
	for (uint32_t i = 0; i < count; i++)
		if (gateways[i]->ours)
			map_put(&naming.own,
			    arena_format(naming.arena, "%.*s/%.*s",
			        SLICE_ARGS(gateways[i]->fleet_namespace),
			        SLICE_ARGS(gateways[i]->fleet_name)),
			    gateways[i]);
	qsort(asking, asking_count, sizeof(*asking), gw_owner_compare_ages);
	for (uint32_t i = 0; i < asking_count; i++)
		name(&naming, asking[i]);
	map_fini(&naming.own);
	map_fini(&naming.given);
}

struct slice
gw_fleet_name(const struct gw_owner_node *gateway, enum gw_made kind)
{
	const struct slice *names = gateway->fleet_names;

	return names && slice_is_set(names[kind]) ? names[kind]
	                                          : gateway->fleet_name;
}

bool
gw_fleet_keeps_name(const struct gw_owner_node *gateway, struct slice path)
{
	const struct slice *names = gateway->fleet_names;

	for (size_t i = 0; i < ROWS; i++)
		if (slice_equal(path, slice_from_string(rows[i].path)))
			return !names || !slice_is_set(names[rows[i].kind]);
	return false;
}
