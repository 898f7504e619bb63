/* Whether the pods of what is made are up, and what is told of those that are
 * not: what keeps them, as far as the workload's own status says, and who
 * serves meanwhile. It is told once they have had their time, or their
 * controller has given up, so that no status follows each step of an ordinary
 * change. */
#include "core/limit.h"
#include "ctl/fleets_priv.h"

enum { TROUBLE_BYTES = 256 };

bool
ctl_fleet_is_workload(const struct ctl_fleet_row *row)
{
	return row->row.kind == GW_MADE_DEPLOYMENT ||
	    row->row.kind == GW_MADE_DAEMONS;
}

/* ---- what the API says ---- */

static int64_t
number(const struct tree_node *map, const char *key, int64_t unsaid)
{
	const struct tree_node *node = wire_tree_member(map, key, TREE_INTEGER);

	return node != NULL ? node->integer : unsaid;
}

/* What it lacks of what there is to be, all of the newest kind; of a DaemonSet
 * one at least, for its nodes may be still to come. NULL: nothing. */
static const char *
find_lack(enum gw_made kind, const struct tree_node *object)
{
	const struct tree_node *status =
	    wire_tree_member(object, "status", TREE_MAP);
	bool daemons = kind == GW_MADE_DAEMONS;
	int64_t wanted = daemons
	    ? number(status, "desiredNumberScheduled", 0)
	    : number(wire_tree_member(object, "spec", TREE_MAP), "replicas", 1);
	int64_t updated = number(
	    status, daemons ? "updatedNumberScheduled" : "updatedReplicas", 0);
	int64_t available = number(
	    status, daemons ? "numberAvailable" : "availableReplicas", 0);
	bool seen = number(status, "observedGeneration", 0) >=
	    number(wire_tree_member(object, "metadata", TREE_MAP), "generation",
	        0);

	if (daemons && seen && wanted == 0)
		return "no node is to run its pods";
	if (seen && updated >= wanted && available >= wanted)
		return NULL;
	return available > 0 ? "not all of its pods are ready"
	                     : "none of its pods is ready";
}

/* What is said of one pod, whose name is another each time that it is tried. */
static void
push_trouble(struct text *out, struct slice message)
{
	if (slice_starts_with(message, SLICE("pods \"")) ||
	    slice_starts_with(message, SLICE("Pod \""))) {
		message = slice_skip(message, slice_find(message, '"') + 1);
		message = slice_skip(message, slice_find(message, '"'));
		message = slice_skip(message, message.length > 0 ? 1 : 0);
		text_push_string(out, "a pod");
	}
	if (message.length > TROUBLE_BYTES)
		message.length = TROUBLE_BYTES;
	text_push(out, message);
}

/* Of a Deployment's conditions, the one that says most; DaemonSets have none.
 */
static struct slice
find_trouble(const struct tree_node *object)
{
	const struct tree_node *conditions =
	    wire_tree_member(wire_tree_member(object, "status", TREE_MAP),
	        "conditions", TREE_LIST);
	struct slice trouble = SLICE_NONE;

	for (const struct tree_node *at = conditions ? conditions->child : NULL;
	     at != NULL; at = at->next) {
		struct slice type = wire_tree_text(at, "type");
		struct slice status = wire_tree_text(at, "status");
		struct slice message = wire_tree_text(at, "message");

		if (slice_equal(type, SLICE("ReplicaFailure")) &&
		    slice_equal(status, SLICE("True")))
			return message;
		if (slice_equal(type, SLICE("Progressing")) &&
		    slice_equal(status, SLICE("False")))
			trouble = message;
	}
	return trouble;
}

/* ---- what is told ---- */

/* One that is wanted no more, and serves until what is wanted does. */
static const struct ctl_fleet_row *
find_old(const struct ctl_fleets *fleets, const struct list *rows,
    const struct ctl_fleet_gateway *gateway)
{
	LIST_FOR_EACH(at, rows)
	{
		const struct ctl_fleet_row *row =
		    container_of(at, struct ctl_fleet_row, due);

		if (ctl_fleet_is_workload(row) && row->owner != NULL &&
		    slice_equal(slice_from_string(row->owner),
		        ctl_fleet_gateway_key(gateway)) &&
		    ctl_fleet_stays(fleets, row))
			return row;
	}
	return NULL;
}

static void
push_name(struct text *out, const struct ctl_fleet_row *row)
{
	text_printf(out, "%s %.*s/%.*s", gw_made_rows[row->row.kind].kind,
	    SLICE_ARGS(ctl_row_namespace(&row->row)),
	    SLICE_ARGS(ctl_row_name(&row->row)));
}

static void
tell_row(const struct ctl_fleets *fleets, const struct ctl_fleet_row *row,
    struct text *out)
{
	const struct ctl_fleet_gateway *gateway = row->gateway;
	const struct ctl_fleet_row *old =
	    find_old(fleets, &fleets->staying, gateway);

	if (old == NULL)
		old = find_old(fleets, &fleets->due, gateway);
	push_name(out, row);
	text_printf(out, ": %s", row->lack);
	if (row->trouble != NULL)
		text_printf(out, " (%s)", row->trouble);
	if (old != NULL) {
		text_push_string(out, "; ");
		push_name(out, old);
		text_push_string(out, " serves until they are");
	}
	text_printf(out,
	    "; kubectl -n %.*s describe pods -l yumen.dev/proxy=%s tells why",
	    SLICE_ARGS(ctl_row_namespace(&row->row)), gateway->name);
}

static bool
is_late(const struct ctl_fleets *fleets, const struct ctl_fleet_row *row)
{
	return row->lack != NULL && ctl_fleet_is_ours(row) &&
	    (row->trouble != NULL ||
	        net_loop_now_ms(fleets->options.loop) >= row->late_ms);
}

void
ctl_fleet_tell_late(
    struct ctl_fleets *fleets, struct ctl_fleet_gateway *gateway)
{
	struct slice name = ctl_fleet_gateway_key(gateway), namespace;
	struct text text;

	text_init(&text);
	LIST_FOR_EACH(at, &gateway->rows)
	{
		const struct ctl_fleet_row *row =
		    container_of(at, struct ctl_fleet_row, wanted_by);

		if (ctl_fleet_is_workload(row) && is_late(fleets, row))
			tell_row(fleets, row, &text);
	}
	if (!slice_equal(slice_from_string(gateway->late), text_slice(&text))) {
		ctl_fleet_text(&gateway->late,
		    text.length > 0 ? text_slice(&text) : SLICE_NONE);
		(void)slice_cut(&name, '/', &namespace);
		fleets->options.on_word(fleets->options.context, namespace,
		    name, GW_FLEET_LATE, text_slice(&text));
	}
	text_fini(&text);
}

/* ---- when ---- */

/* Their times end in the order in which they began. */
static void
set_timer(struct ctl_fleets *fleets)
{
	uint64_t now_ms = net_loop_now_ms(fleets->options.loop);

	if (list_is_empty(&fleets->late))
		return;
	const struct ctl_fleet_row *first =
	    container_of(fleets->late.next, struct ctl_fleet_row, late);

	net_timer_set(fleets->options.loop, &fleets->patience,
	    first->late_ms > now_ms ? first->late_ms - now_ms : 0);
}

static void
on_patience(struct net_timer *timer)
{
	struct ctl_fleets *fleets =
	    container_of(timer, struct ctl_fleets, patience);
	uint64_t now_ms = net_loop_now_ms(fleets->options.loop);

	LIST_FOR_EACH_SAFE(at, &fleets->late)
	{
		struct ctl_fleet_row *row =
		    container_of(at, struct ctl_fleet_row, late);

		if (row->late_ms > now_ms)
			break;
		list_remove(&row->late);
		if (row->gateway != NULL)
			ctl_fleet_tell_late(fleets, row->gateway);
	}
	set_timer(fleets);
}

void
ctl_fleet_take_up(struct ctl_fleets *fleets, struct ctl_fleet_row *row,
    const struct tree_node *object)
{
	bool was_up = row->up;
	struct text trouble;

	if (!ctl_fleet_is_workload(row))
		return;
	row->lack = object != NULL
	    ? find_lack((enum gw_made)row->row.kind, object)
	    : NULL;
	row->up = object != NULL && row->lack == NULL;
	text_init(&trouble);
	if (row->lack != NULL)
		push_trouble(&trouble, find_trouble(object));
	ctl_fleet_text(&row->trouble,
	    trouble.length > 0 ? text_slice(&trouble) : SLICE_NONE);
	text_fini(&trouble);
	if (row->lack == NULL) {
		list_remove(&row->late);
		row->late_ms = 0;
	} else if (row->late_ms == 0) {
		row->late_ms = net_loop_now_ms(fleets->options.loop) +
		    LIMIT_VALUE_KUBE_READY_MS;
		list_insert(&fleets->late, &row->late);
		set_timer(fleets);
	}
	if (row->up && !was_up)
		ctl_fleet_wake(fleets);
	if (row->gateway != NULL)
		ctl_fleet_tell_late(fleets, row->gateway);
}

void
ctl_fleet_ready_init(struct ctl_fleets *fleets)
{
	list_init(&fleets->late);
	net_timer_init(&fleets->patience, on_patience);
}
