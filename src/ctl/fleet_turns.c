/* What has to wait for another: proxies that are not wanted any more are
 * deleted once those that take their place are up, and a Service once there is
 * the other, so that who changes a Deployment into a DaemonSet loses no
 * request, and who changes a name next to none. */
#include "ctl/fleets_priv.h"

static bool
is_workload(const struct ctl_fleet_row *row)
{
	return row->row.kind == GW_MADE_DEPLOYMENT ||
	    row->row.kind == GW_MADE_DAEMONS;
}

/* ---- are they up? ---- */

static int64_t
number(const struct tree_node *map, const char *key, int64_t unsaid)
{
	const struct tree_node *node = wire_tree_member(map, key, TREE_INTEGER);

	return node != NULL ? node->integer : unsaid;
}

/* All of the newest kind that there are to be; of a DaemonSet one at least, for
 * its nodes may be still to come. */
static bool
are_up(enum gw_made kind, const struct tree_node *object)
{
	const struct tree_node *status =
	    wire_tree_member(object, "status", TREE_MAP);
	int64_t wanted =
	    number(wire_tree_member(object, "spec", TREE_MAP), "replicas", 1);
	int64_t updated = number(status, "updatedReplicas", 0);
	int64_t available = number(status, "availableReplicas", 0);

	if (kind == GW_MADE_DAEMONS) {
		wanted = number(status, "desiredNumberScheduled", 0);
		wanted = wanted > 0 ? wanted : 1;
		updated = number(status, "updatedNumberScheduled", 0);
		available = number(status, "numberAvailable", 0);
	}
	return number(status, "observedGeneration", 0) >=
	    number(wire_tree_member(object, "metadata", TREE_MAP), "generation",
	        0) &&
	    updated >= wanted && available >= wanted;
}

void
ctl_fleet_take_up(struct ctl_fleets *fleets, struct ctl_fleet_row *row,
    const struct tree_node *object)
{
	bool up = is_workload(row) && are_up(row->row.kind, object);

	if (up && !row->up)
		ctl_fleet_wake(fleets);
	row->up = up;
}

/* ---- who waits ---- */

/* Does what takes its place do what it does? */
static bool
is_replaced(
    const struct ctl_fleet_row *old, const struct ctl_fleet_gateway *gateway)
{
	bool any = false;

	LIST_FOR_EACH(at, &gateway->rows)
	{
		const struct ctl_fleet_row *row =
		    container_of(at, struct ctl_fleet_row, wanted_by);

		if (is_workload(row) != is_workload(old) ||
		    (!is_workload(row) && row->row.kind != old->row.kind))
			continue;
		if (row->applied_hash == row->wanted_hash &&
		    (is_workload(row) ? row->up : ctl_fleet_is_given(row)))
			return true;
		any = true;
	}
	return !any;
}

bool
ctl_fleet_stays(
    const struct ctl_fleets *fleets, const struct ctl_fleet_row *row)
{
	const struct ctl_fleet_gateway *gateway = row->owner != NULL
	    ? map_get(&fleets->gateways, slice_from_string(row->owner))
	    : NULL;

	return !gw_made_rows[row->row.kind].own && row->wanted == NULL &&
	    row->live_hash != 0 && gateway != NULL &&
	    gateway->state == GW_FLEET_WANTED && !is_replaced(row, gateway);
}

void
ctl_fleet_wake(struct ctl_fleets *fleets)
{
	if (list_is_empty(&fleets->staying))
		return;
	LIST_FOR_EACH_SAFE(at, &fleets->staying)
	{
		list_remove(at);
		list_insert(&fleets->due, at);
	}
	ctl_fleet_go(fleets);
}
