/* What is done about a row: looked whether there is one that is not ours,
 * applied, or deleted; a few at once. One that fails rests, longer each time,
 * and holds up no other. */
#include "core/hash.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "ctl/fleets_priv.h"
#include "wire/tree_json.h"

enum { RATE_WAIT_MS = 100 };

static void on_answer(struct kube_ask *ask, enum error error);
static void on_work(struct net_task *task);
static void on_timer(struct net_timer *timer);

/* ---- calls ---- */

/* "/apis/g/v1/namespaces/n/things/x" */
static void
set_target(struct ctl_fleet_slot *slot, const struct ctl_fleet_row *row)
{
	const struct gw_made_row *kind = &gw_made_rows[row->row.kind];

	text_reset(&slot->target);
	text_printf(&slot->target, "/%s%s/%s/namespaces/%.*s/%s/%.*s",
	    kind->group[0] != '\0' ? "apis/" : "api", kind->group,
	    kind->version, SLICE_ARGS(ctl_row_namespace(&row->row)),
	    kind->plural, SLICE_ARGS(ctl_row_name(&row->row)));
}

static void
ask(struct ctl_fleet_slot *slot, enum ctl_fleet_step step, const char *method,
    const char *content_type)
{
	struct kube_request request = {
	    .method = method,
	    .target = text_slice(&slot->target),
	    .body = content_type != NULL ? text_slice(&slot->body) : SLICE_NONE,
	    .content_type = content_type,
	};

	slot->step = step;
	kube_ask_start(&slot->ask, &request);
}

/* One that others made in between is not taken from them by force. */
static void
apply(struct ctl_fleet_slot *slot, bool force)
{
	const struct ctl_fleet_row *row = slot->row;

	set_target(slot, row);
	text_printf(&slot->target,
	    "?fieldManager=" CTL_FLEET_MANAGER "&force=%s",
	    force ? "true" : "false");
	text_reset(&slot->body);
	text_push(&slot->body, slice_make(row->wanted, row->wanted_length));
	slot->hash = row->wanted_hash;
	ask(slot, CTL_FLEET_APPLY, "PATCH", "application/apply-patch+yaml");
}

/* Not by force: who scales it meanwhile has them already. */
static void
hand(struct ctl_fleet_slot *slot)
{
	const struct ctl_fleet_row *row = slot->row;
	const struct gw_made_row *kind = &gw_made_rows[row->row.kind];

	set_target(slot, row);
	text_push_string(
	    &slot->target, "?fieldManager=" CTL_FLEET_KEEPER "&force=false");
	text_reset(&slot->body);
	text_printf(&slot->body,
	    "{\"apiVersion\":\"%s/%s\",\"kind\":\"%s\",\"metadata\":{\"uid\":",
	    kind->group, kind->version, kind->kind);
	text_push_json(&slot->body, slice_from_string(row->uid));
	text_printf(
	    &slot->body, "},\"spec\":{\"replicas\":%s}}", row->own_replicas);
	ask(slot, CTL_FLEET_HAND, "PATCH", "application/apply-patch+yaml");
}

static void
look(struct ctl_fleet_slot *slot)
{
	set_target(slot, slot->row);
	ask(slot, CTL_FLEET_LOOK, "GET", NULL);
}

/* loadBalancer.ingress, which is one value to the API. */
static void
push_ingress(struct text *out, struct slice addresses)
{
	struct slice one;
	bool first = true;

	text_push_string(out, "{\"loadBalancer\":{\"ingress\":[");
	while (addresses.length > 0 && slice_cut(&addresses, ',', &one)) {
		text_printf(out, "%s{\"ip\":", first ? "" : ",");
		text_push_json(out, one);
		text_push_byte(out, '}');
		first = false;
	}
	text_push_string(out, "]}}");
}

static void
give(struct ctl_fleet_slot *slot)
{
	const struct ctl_fleet_row *row = slot->row;
	const struct gw_made_row *kind = &gw_made_rows[row->row.kind];
	struct slice given = slice_from_string(row->given);

	slot->hash = hash_bytes(given);
	set_target(slot, row);
	text_push_string(&slot->target,
	    "/status?fieldManager=" CTL_FLEET_MANAGER "&force=true");
	text_reset(&slot->body);
	text_printf(&slot->body,
	    "{\"apiVersion\":\"%s%s%s\",\"kind\":\"%s\",\"metadata\":{"
	    "\"uid\":",
	    kind->group, kind->group[0] != '\0' ? "/" : "", kind->version,
	    kind->kind);
	text_push_json(&slot->body, slice_from_string(row->uid));
	text_push_string(&slot->body, "},\"status\":");
	if (row->row.kind == GW_MADE_SERVICE)
		push_ingress(&slot->body, given);
	else
		text_push(&slot->body, given);
	text_push_byte(&slot->body, '}');
	ask(slot, CTL_FLEET_GIVE, "PATCH", "application/apply-patch+yaml");
}

static void delete (struct ctl_fleet_slot *slot)
{
	set_target(slot, slot->row);
	text_reset(&slot->body);
	text_push_string(&slot->body,
	    "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\","
	    "\"propagationPolicy\":\"Background\",\"preconditions\":{\"uid\":");
	text_push_json(&slot->body, slice_from_string(slot->row->uid));
	text_push_string(&slot->body, "}}");
	ask(slot, CTL_FLEET_DELETE, "DELETE", "application/json");
}

/* ---- what comes of it ---- */

/* The row, which is not in hand any more. */
static struct ctl_fleet_row *
let_go(struct ctl_fleet_slot *slot)
{
	struct ctl_fleet_row *row = slot->row;

	slot->row = NULL;
	row->busy = false;
	ctl_fleet_go(slot->fleets);
	return row;
}

static void
end(struct ctl_fleet_slot *slot)
{
	struct ctl_fleet_row *row = let_go(slot);

	row->failures = 0;
	row->ready_ms = 0;
	/* What has changed meanwhile. */
	ctl_fleet_due(slot->fleets, row);
}

/* Once more, later. */
static void
rest(struct ctl_fleet_slot *slot)
{
	struct ctl_fleets *fleets = slot->fleets;
	struct ctl_fleet_row *row = let_go(slot);

	if (row->failures < CTL_RESTS)
		row->failures++;
	row->ready_ms = net_loop_now_ms(fleets->options.loop) +
	    ctl_rest_ms(row->failures - 1);
	ctl_fleet_due(fleets, row);
}

static void
fail(struct ctl_fleet_slot *slot, struct slice why)
{
	ctl_fleet_fault(slot->fleets, slot->row, why);
	rest(slot);
}

static void
tell_made(struct ctl_fleets *fleets, const struct ctl_fleet_row *row)
{
	struct slice owner = slice_from_string(row->owner);

	if (slice_starts_with(owner, SLICE(GW_FLEET_OF_SERVICE)) &&
	    row->given != NULL)
		fleets->options.on_made(fleets->options.context,
		    (enum gw_made)row->row.kind,
		    slice_skip(owner, sizeof(GW_FLEET_OF_SERVICE) - 1),
		    slice_from_string(row->given));
}

/* Does another not agree with it? Said once, until it has stayed. */
static void
note_written(struct ctl_fleet_slot *slot, struct ctl_undone *undone)
{
	uint64_t now_ms = net_loop_now_ms(slot->fleets->options.loop);

	if (ctl_undone_note(undone, slot->hash, now_ms))
		log_event(LOG_KUBE_UNDONE,
		    LOG_TEXT("path", text_slice(&slot->target)));
}

static void
on_applied(struct ctl_fleet_slot *slot, struct tree_node *object)
{
	struct ctl_fleet_row *row = slot->row;
	bool past = ctl_row_is_past(&row->row, object);
	uint64_t before = row->live_hash;

	if (!past)
		ctl_fleet_live(slot->fleets, row, object);
	if (slot->step == CTL_FLEET_HAND) {
		end(slot);
		return;
	}
	if (slot->step == CTL_FLEET_GIVE)
		note_written(slot, &row->given_undone);
	if (slot->step == CTL_FLEET_APPLY) {
		/* Fields that are others' change too: of those it says
		 * nothing. */
		if (row->live_hash != before)
			note_written(slot, &row->applied_undone);
		row->applied_hash = row->live_hash != 0 ? slot->hash : 0;
		row->applied_live_hash =
		    past ? ctl_fleet_hash(object) : row->live_hash;
		if (slot->ask.status == 201)
			tell_made(slot->fleets, row);
	}
	ctl_fleet_wake(slot->fleets);
	ctl_fleet_fault(slot->fleets, row, SLICE_NONE);
	end(slot);
}

/* Does the fleet that a live object names let go of it? One that nobody told
 * of may be there where its kind was not listed. */
static bool
is_orphan(const struct ctl_fleets *fleets, const struct ctl_fleet_row *row)
{
	struct slice owner = slice_from_string(row->owner);
	const struct ctl_fleet_gateway *gateway =
	    row->owner != NULL ? map_get(&fleets->gateways, owner) : NULL;
	bool of_service = slice_starts_with(owner, SLICE(GW_FLEET_OF_SERVICE));

	if (gateway != NULL)
		return gateway->state != GW_FLEET_KEPT;
	return (fleets->knows_gateways || of_service) &&
	    (fleets->knows_services || (row->owner != NULL && !of_service));
}

/* There is one: it may be ours, of which the watch has not told yet. */
static void
on_found(struct ctl_fleet_slot *slot, struct tree_node *object)
{
	struct ctl_fleet_row *row = slot->row;

	if (row->wanted == NULL) {
		end(slot);
		return;
	}
	if (!ctl_fleet_is_marked(slot->fleets, object)) {
		fail(slot,
		    SLICE("there is one that yumen did not make, and it is "
		          "left alone: delete or rename it"));
		return;
	}
	if (ctl_row_is_past(&row->row, object)) {
		rest(slot);
		return;
	}
	ctl_fleet_live(slot->fleets, row, object);
	if (!ctl_fleet_is_ours(row) && is_orphan(slot->fleets, row))
		delete (slot);
	else if (!ctl_fleet_is_ours(row))
		fail(slot, SLICE("it belongs to another Gateway"));
	else if (ctl_fleet_is_held(row))
		hand(slot);
	else
		apply(slot, true);
}

static struct slice
message_of(const struct ctl_fleet_slot *slot, const struct tree_node *answer)
{
	struct slice message = wire_tree_text(answer, "message");

	return slice_is_set(message) ? message : kube_ask_text(&slot->ask);
}

static void
take_answer(struct ctl_fleet_slot *slot)
{
	struct ctl_fleets *fleets = slot->fleets;
	struct tree_node *answer = kube_ask_object(&slot->ask, &fleets->arena);
	unsigned status = slot->ask.status;
	bool good = kube_ask_is_good(&slot->ask);

	if (slot->step == CTL_FLEET_DELETE && (good || status == 404)) {
		/* That it is gone the watch tells. */
		rest(slot);
	} else if (slot->step == CTL_FLEET_LOOK && !fleets->leads) {
		/* Another does what is to be done. */
		end(slot);
	} else if (slot->step == CTL_FLEET_LOOK && status == 404) {
		if (slot->row->wanted != NULL)
			apply(slot, false);
		else
			end(slot);
	} else if (slot->step == CTL_FLEET_HAND && status == 409) {
		/* The watch will tell who has taken them. */
		rest(slot);
	} else if (!good || answer == NULL) {
		fail(slot, message_of(slot, answer));
	} else if (slot->step == CTL_FLEET_LOOK) {
		on_found(slot, answer);
	} else {
		on_applied(slot, answer);
	}
}

static void
on_answer(struct kube_ask *ask, enum error error)
{
	struct ctl_fleet_slot *slot =
	    container_of(ask, struct ctl_fleet_slot, ask);

	if (error != ERROR_OK)
		rest(slot);
	else
		take_answer(slot);
	arena_reset(&slot->fleets->arena);
}

/* ---- what is to be done ---- */

/* Is it to be deleted? */
static bool
is_to_go(const struct ctl_fleets *fleets, const struct ctl_fleet_row *row)
{
	return row->wanted == NULL && row->live_hash != 0 && row->uid != NULL &&
	    is_orphan(fleets, row);
}

static bool
is_applied(const struct ctl_fleet_row *row)
{
	return row->applied_hash == row->wanted_hash && row->live_hash != 0 &&
	    row->applied_live_hash == row->live_hash;
}

/* What comes from announcers is waited for, and what leads to pods. */
static uint64_t
ready_ms(const struct ctl_fleets *fleets, const struct ctl_fleet_row *row)
{
	uint64_t keep_ms =
	    row->keep_ms > fleets->calm_ms ? row->keep_ms : fleets->calm_ms;

	if (gw_made_rows[row->row.kind].own && is_to_go(fleets, row) &&
	    keep_ms > row->ready_ms)
		return keep_ms;
	if (row->row.kind == GW_MADE_SERVICE && row->wanted != NULL &&
	    is_applied(row) && row->gateway->hold_ms > row->ready_ms)
		return row->gateway->hold_ms;
	return row->ready_ms;
}

/* Until when what another has undone rests; 0: it does not. */
static uint64_t
undone_ms(const struct ctl_fleet_row *row, uint64_t now_ms)
{
	uint32_t wait_ms;

	if (row->wanted == NULL || row->live_hash == 0)
		return 0;
	if (!is_applied(row))
		wait_ms = ctl_undone_wait_ms(
		    &row->applied_undone, row->wanted_hash, now_ms);
	else
		wait_ms = ctl_undone_wait_ms(&row->given_undone,
		    hash_bytes(slice_from_string(row->given)), now_ms);
	return wait_ms > 0 ? now_ms + wait_ms : 0;
}

/* False: nothing is. */
static bool
begin(struct ctl_fleet_slot *slot, struct ctl_fleet_row *row)
{
	if ((row->wanted == NULL && !is_to_go(slot->fleets, row)) ||
	    slot->fleets->follows[row->row.kind].missing)
		return false;
	if (row->wanted != NULL && is_applied(row) && ctl_fleet_is_given(row))
		return false;
	slot->row = row;
	row->busy = true;
	if (row->wanted == NULL)
		delete (slot);
	else if (is_applied(row))
		give(slot);
	else if (!ctl_fleet_is_ours(row))
		look(slot);
	else if (ctl_fleet_is_held(row))
		hand(slot);
	else
		apply(slot, true);
	return true;
}

static struct ctl_fleet_slot *
free_slot(struct ctl_fleets *fleets)
{
	for (unsigned i = 0; i < CTL_FLEET_SLOTS; i++)
		if (fleets->slots[i].row == NULL)
			return &fleets->slots[i];
	return NULL;
}

/* Sets the timer for the first of those that rest; moves those that have. */
static void
wake_resting(struct ctl_fleets *fleets, uint64_t now_ms)
{
	uint64_t first_ms = UINT64_MAX;

	LIST_FOR_EACH_SAFE(at, &fleets->resting)
	{
		struct ctl_fleet_row *row =
		    container_of(at, struct ctl_fleet_row, due);

		if (row->ready_ms <= now_ms) {
			list_remove(&row->due);
			list_insert(&fleets->due, &row->due);
		} else if (row->ready_ms < first_ms) {
			first_ms = row->ready_ms;
		}
	}
	if (first_ms != UINT64_MAX)
		net_timer_set(
		    fleets->options.loop, &fleets->timer, first_ms - now_ms);
}

/* The next one that there is something to do about is begun; false: none. */
static bool
begin_next(
    struct ctl_fleets *fleets, struct ctl_fleet_slot *slot, uint64_t now_ms)
{
	while (!list_is_empty(&fleets->due)) {
		struct ctl_fleet_row *row =
		    container_of(fleets->due.next, struct ctl_fleet_row, due);

		list_remove(&row->due);
		if (row->busy)
			continue; /* it is looked at again when that ends */
		uint64_t rested_ms = undone_ms(row, now_ms);

		row->ready_ms = ready_ms(fleets, row);
		if (rested_ms > row->ready_ms)
			row->ready_ms = rested_ms;
		if (row->ready_ms > now_ms) {
			list_insert(&fleets->resting, &row->due);
			continue;
		}
		if (ctl_fleet_stays(fleets, row)) {
			list_insert(&fleets->staying, &row->due);
			continue;
		}
		if (begin(slot, row))
			return true;
		ctl_fleet_drop(fleets, row);
	}
	return false;
}

static void
on_work(struct net_task *task)
{
	struct ctl_fleets *fleets = container_of(task, struct ctl_fleets, work);
	uint64_t now_ms = net_loop_now_ms(fleets->options.loop);
	struct ctl_fleet_slot *slot;

	if (!fleets->leads || !fleets->begun || !fleets->whole)
		return;
	ctl_rate_refill(&fleets->rate, now_ms);
	wake_resting(fleets, now_ms);
	while (fleets->rate.tokens > 0 && (slot = free_slot(fleets)) != NULL) {
		if (!begin_next(fleets, slot, now_ms))
			break;
		fleets->rate.tokens--;
	}
	wake_resting(fleets, now_ms);
	if (fleets->rate.tokens == 0 && !list_is_empty(&fleets->due))
		net_timer_set(
		    fleets->options.loop, &fleets->timer, RATE_WAIT_MS);
}

static void
on_timer(struct net_timer *timer)
{
	ctl_fleet_go(container_of(timer, struct ctl_fleets, timer));
}

void
ctl_fleet_go(struct ctl_fleets *fleets)
{
	net_loop_yield(fleets->options.loop, &fleets->work);
}

void
ctl_fleet_calls_init(struct ctl_fleets *fleets)
{
	net_task_init(&fleets->work, on_work);
	net_timer_init(&fleets->timer, on_timer);
	ctl_rate_init(&fleets->rate, net_loop_now_ms(fleets->options.loop));
	for (unsigned i = 0; i < CTL_FLEET_SLOTS; i++) {
		struct ctl_fleet_slot *slot = &fleets->slots[i];

		slot->fleets = fleets;
		kube_ask_init(&slot->ask, fleets->options.client, on_answer);
		text_init(&slot->target);
		text_init(&slot->body);
	}
}

void
ctl_fleet_calls_fini(struct ctl_fleets *fleets)
{
	for (unsigned i = 0; i < CTL_FLEET_SLOTS; i++) {
		struct ctl_fleet_slot *slot = &fleets->slots[i];

		kube_ask_fini(&slot->ask);
		text_fini(&slot->target);
		text_fini(&slot->body);
	}
	net_task_cancel(fleets->options.loop, &fleets->work);
	net_timer_clear(&fleets->timer);
}
