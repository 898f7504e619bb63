/* What has to wait for another: proxies that are not wanted any more are
 * deleted once those that take their place are up, and a Service once there is
 * the other, so that who changes a Deployment into a DaemonSet loses no
 * request, and who changes a name next to none. */
#include "ctl/fleets_priv.h"

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

		if (ctl_fleet_is_workload(row) != ctl_fleet_is_workload(old) ||
		    (!ctl_fleet_is_workload(row) &&
		        row->row.kind != old->row.kind))
			continue;
		if (row->applied_hash == row->wanted_hash &&
		    (ctl_fleet_is_workload(row) ? row->up
		                                : ctl_fleet_is_given(row)))
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
