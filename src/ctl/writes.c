/* Statuses on their way to the API. A row that may differ waits in line; when
 * its turn comes, hashes say whether it does. Then: read the object, merge
 * (ctl/merge.h), write it with the resourceVersion that was read, so that what
 * another wrote in between is not lost but read again. A few at once, and at
 * most KUBE_WRITES_PER_SECOND. A row whose write is refused rests alone; where
 * no answer comes, whoever asked does. What changed in conditions becomes
 * Events, one a change. */
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "ctl/cluster_priv.h"
#include "ctl/event_priv.h"
#include "ctl/line_priv.h"
#include "ctl/rate.h"
#include "gw/address.h"

enum {
	SLOTS = 8,
	/* Rows that are compared before others have their turn. */
	ROWS_PER_TURN = 500,
	ARENA_BYTES = 16384,
	/* Events that wait; they say what conditions say too. */
	EVENTS_MAX = 256,
};

enum step { STEP_READ, STEP_WRITE, STEP_EVENT };

struct slot {
	struct kube_ask ask;
	struct ctl_writes *writes;
	struct text key; /* of the row: it may go meanwhile */
	struct text target, body;
	struct net_timer timer; /* a wait before it is free again */
	struct list events; /* what the write makes happen */
	struct slice uid; /* of the object that is merged, while it is */
	uint64_t hash; /* ctl_merge_hash of what is written */
	uint64_t wait_ms;
	enum step step;
	bool busy;
};

struct ctl_writes {
	struct ctl_cluster *cluster;
	struct ctl_line line;
	struct slot slots[SLOTS];
	struct list events; /* to be sent */
	unsigned event_count;
	struct net_task work;
	struct net_timer timer; /* until there may be more */
	/* It has just come to lead: what waits for proxies waits longer. */
	struct net_timer calm;
	bool is_calm;
	struct ctl_rate rate;
	struct arena arena;
};

static void on_answer(struct kube_ask *ask, enum error error);
static void on_work(struct net_task *task);
static void on_timer(struct net_timer *timer);
static void on_rested(struct net_timer *timer);
static void on_calm(struct net_timer *timer);

/* ---- what is due ---- */

static struct net_loop *
loop_of(const struct ctl_writes *writes)
{
	return writes->cluster->options.loop;
}

void
ctl_writes_go(struct ctl_writes *writes)
{
	/* After what the same turn reconciles. */
	net_loop_yield(loop_of(writes), &writes->work);
}

void
ctl_writes_due(struct ctl_writes *writes, struct ctl_object_row *row)
{
	if (!list_is_empty(&row->due))
		return;
	ctl_line_add(&writes->line, row);
	ctl_writes_go(writes);
}

void
ctl_writes_all_due(struct ctl_writes *writes)
{
	struct slice key;
	void *value;

	for (size_t at = 0;
	     map_next(&writes->cluster->rows, &at, &key, &value);) {
		struct ctl_object_row *row = value;

		if (gw_status_type((enum gw_kind)row->row.kind) != NULL)
			ctl_writes_due(writes, row);
	}
	/* Also what was due before. */
	ctl_writes_go(writes);
}

void
ctl_writes_lead(struct ctl_writes *writes)
{
	net_timer_set(loop_of(writes), &writes->calm, LIMIT_VALUE_KUBE_CALM_MS);
	writes->is_calm = true;
	ctl_writes_all_due(writes);
}

static void
on_calm(struct net_timer *timer)
{
	struct ctl_writes *writes =
	    container_of(timer, struct ctl_writes, calm);

	writes->is_calm = false;
	ctl_writes_all_due(writes);
}

void
ctl_writes_forget(struct ctl_writes *writes, struct ctl_object_row *row)
{
	(void)writes;
	list_remove(&row->due);
}

/* Is all that a Service has out of pools that nobody gives of but us? Then we
 * gave it, for it says that we did. */
static bool
is_given(const struct gw_state *state, const struct tree_node *object)
{
	const struct tree_node *list = wire_tree_member(
	    wire_tree_member(wire_tree_member(object, "status", TREE_MAP),
	        "loadBalancer", TREE_MAP),
	    "ingress", TREE_LIST);

	for (const struct tree_node *at = list != NULL ? list->child : NULL;
	     at != NULL; at = at->next)
		if (!gw_state_gives(state, wire_tree_text(at, "ip")))
			return false;
	return true;
}

/* ---- calls ---- */

static void
ask(struct slot *slot, enum step step, const char *method, struct slice body)
{
	struct kube_request request = {
	    .method = method,
	    .target = text_slice(&slot->target),
	    .body = body,
	};

	slot->step = step;
	kube_ask_start(&slot->ask, &request);
}

static struct ctl_object_row *
row_of(const struct slot *slot)
{
	return map_get(&slot->writes->cluster->rows, text_slice(&slot->key));
}

/* "/apis/g/v1/things" to "/apis/g/v1/namespaces/n/things/x/status" */
static void
set_target(struct slot *slot, const struct ctl_object_row *row)
{
	const struct ctl_cluster *cluster = slot->writes->cluster;
	struct slice root = SLICE_NONE, folder,
	             namespace = ctl_row_namespace(&row->row);

	for (unsigned i = 0; i < cluster->followed_count; i++)
		if (cluster->followed[i].kind == (enum gw_kind)row->row.kind)
			root = slice_from_string(
			    kube_follow_root(&cluster->followed[i].follow));
	folder = root;
	while (folder.length > 0 && folder.data[folder.length - 1] != '/')
		folder.length--;
	text_reset(&slot->target);
	text_push(&slot->target, folder);
	if (namespace.length > 0)
		text_printf(
		    &slot->target, "namespaces/%.*s/", SLICE_ARGS(namespace));
	text_push(&slot->target, slice_skip(root, folder.length));
	text_printf(
	    &slot->target, "/%.*s/status", SLICE_ARGS(ctl_row_name(&row->row)));
}

static void
begin(struct slot *slot, const struct ctl_object_row *row)
{
	slot->busy = true;
	text_reset(&slot->key);
	text_push(&slot->key, ctl_row_key(&row->row));
	set_target(slot, row);
	ask(slot, STEP_READ, "GET", SLICE_NONE);
}

static void
drop_events(struct slot *slot)
{
	while (!list_is_empty(&slot->events))
		ctl_event_free(ctl_event_first(&slot->events));
}

static void
let_go(struct slot *slot)
{
	drop_events(slot);
	slot->busy = false;
	slot->wait_ms = 0;
	ctl_writes_go(slot->writes);
}

static void
end(struct slot *slot)
{
	struct ctl_object_row *row = row_of(slot);

	if (row != NULL)
		ctl_line_forgive(row);
	let_go(slot);
}

/* The API answers, but not as we ask: this row once more, later. */
static void
put_off(struct slot *slot)
{
	struct ctl_writes *writes = slot->writes;
	struct ctl_object_row *row = row_of(slot);

	if (row != NULL)
		ctl_line_rest(
		    &writes->line, row, net_loop_now_ms(loop_of(writes)));
	let_go(slot);
}

/* No answer came: that is not for this row's sake. */
static void
rest(struct slot *slot)
{
	struct ctl_writes *writes = slot->writes;
	struct ctl_object_row *row = row_of(slot);

	drop_events(slot);
	if (row != NULL)
		ctl_writes_due(writes, row);
	net_timer_set(loop_of(writes), &slot->timer,
	    kube_client_wait_ms(writes->cluster->client, &slot->wait_ms));
}

static void
on_rested(struct net_timer *timer)
{
	struct slot *slot = container_of(timer, struct slot, timer);

	slot->busy = false;
	ctl_writes_go(slot->writes);
}

static void
on_change(void *context, const struct ctl_merge_change *change)
{
	struct slot *slot = context;
	const struct ctl_object_row *row = row_of(slot);

	if (row != NULL)
		ctl_event_note(&slot->events, &row->row, slot->uid, change);
}

/* The object is read: write what differs. */
static void
on_read(struct slot *slot)
{
	struct ctl_writes *writes = slot->writes;
	struct ctl_object_row *row = row_of(slot);
	struct tree_node *object = kube_ask_object(&slot->ask, &writes->arena);
	struct ctl_merge merge = {
	    .ours = &writes->cluster->ours,
	    .object = object,
	    .on_change = on_change,
	    .context = slot,
	};
	enum ctl_merged merged = CTL_MERGE_SAME;

	if (object == NULL) {
		put_off(slot);
		return;
	}
	text_reset(&slot->body);
	slot->uid = wire_tree_text(
	    wire_tree_member(object, "metadata", TREE_MAP), "uid");
	if (row != NULL && writes->cluster->leads) {
		merge.kind = (enum gw_kind)row->row.kind;
		merge.takes_back = merge.kind == GW_SERVICE &&
		    is_given(writes->cluster->options.state, object);
		if (ctl_find_wanted(writes->cluster, writes->is_calm, row,
		        &writes->arena, &merge.status) &&
		    ctl_may_be_written(row, merge.status)) {
			slot->hash = ctl_merge_hash(
			    merge.kind, merge.status, merge.ours);
			merged = ctl_merge(&slot->body, &merge);
		}
		if (merge.kind == GW_SERVICE && merged == CTL_MERGE_WRITE)
			ctl_event_note_addresses(&slot->events, &row->row,
			    slot->uid, wire_tree_get(object, "status"),
			    merge.status);
	}
	if (merged == CTL_MERGE_WRITE)
		ask(slot, STEP_WRITE, "PUT", text_slice(&slot->body));
	else
		end(slot);
}

void
ctl_writes_event(struct ctl_writes *writes, struct ctl_event *event)
{
	list_remove(&event->link);
	if (writes->event_count >= EVENTS_MAX) {
		ctl_event_free(event);
		return;
	}
	list_insert(&writes->events, &event->link);
	writes->event_count++;
	ctl_writes_go(writes);
}

/* Another does not agree with what we write: once, until it has stayed. */
static void
note_written(struct slot *slot, struct ctl_object_row *row)
{
	uint64_t now_ms = net_loop_now_ms(loop_of(slot->writes));

	if (ctl_undone_note(&row->undone, slot->hash, now_ms))
		log_event(LOG_KUBE_UNDONE,
		    LOG_TEXT("path", text_slice(&slot->target)));
}

static void
on_written(struct slot *slot)
{
	struct ctl_writes *writes = slot->writes;
	struct ctl_object_row *row = row_of(slot);
	const struct tree_node *object =
	    kube_ask_object(&slot->ask, &writes->arena);

	if (row != NULL)
		note_written(slot, row);
	if (row != NULL && object != NULL &&
	    !ctl_row_is_past(&row->row, object))
		(void)ctl_cluster_take_status(
		    writes->cluster, row, wire_tree_get(object, "status"));
	while (!list_is_empty(&slot->events))
		ctl_writes_event(writes, ctl_event_first(&slot->events));
	end(slot);
}

/* Once, until it succeeds. */
static void
tell_refused(struct slot *slot)
{
	struct ctl_object_row *row = row_of(slot);

	if (row == NULL || row->told)
		return;
	row->told = true;
	log_event(LOG_KUBE_WRITE_FAILED,
	    LOG_TEXT("path", text_slice(&slot->target)),
	    LOG_NUMBER("status", slot->ask.status),
	    LOG_TEXT("why", kube_ask_text(&slot->ask)));
}

static void
on_answer(struct kube_ask *ask, enum error error)
{
	struct slot *slot = container_of(ask, struct slot, ask);
	bool good = error == ERROR_OK && kube_ask_is_good(ask);

	if (slot->step == STEP_EVENT) {
		/* Who has no room for Events, or does not let us, has none. */
		end(slot);
	} else if (good && slot->step == STEP_READ) {
		on_read(slot);
	} else if (good) {
		on_written(slot);
	} else if (error == ERROR_OK && slot->ask.status == 404) {
		/* It is gone, as we shall hear. */
		end(slot);
	} else if (error != ERROR_OK) {
		rest(slot);
	} else {
		if (slot->ask.status != 409)
			tell_refused(slot);
		put_off(slot);
	}
	arena_reset(&slot->writes->arena);
}

/* ---- when ---- */

static struct slot *
free_slot(struct ctl_writes *writes)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (!writes->slots[i].busy)
			return &writes->slots[i];
	return NULL;
}

/* Is the object of this row in hand already? */
static bool
is_under_way(const struct ctl_writes *writes, const struct ctl_object_row *row)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (writes->slots[i].busy &&
		    slice_equal(text_slice(&writes->slots[i].key),
		        ctl_row_key(&row->row)))
			return true;
	return false;
}

static void
send_event(struct ctl_writes *writes, struct slot *slot)
{
	struct ctl_event *event = ctl_event_first(&writes->events);

	list_remove(&event->link);
	writes->event_count--;
	slot->busy = true;
	text_reset(&slot->key);
	text_reset(&slot->body);
	text_reset(&slot->target);
	ctl_event_write(&slot->target, &slot->body, event,
	    writes->cluster->options.identity);
	ctl_event_free(event);
	ask(slot, STEP_EVENT, "POST", text_slice(&slot->body));
}

/* False: there is nothing to be written, or it rests first. */
static bool
may_begin(struct ctl_writes *writes, struct ctl_object_row *row)
{
	uint64_t now_ms = net_loop_now_ms(loop_of(writes)), hash;

	if (!ctl_is_to_be_written(
	        writes->cluster, writes->is_calm, row, &writes->arena, &hash)) {
		ctl_line_forgive(row);
		return false;
	}
	if (ctl_undone_wait_ms(&row->undone, hash, now_ms) == 0)
		return true;
	ctl_line_wait(&writes->line, row, row->undone.times, now_ms);
	ctl_writes_go(writes);
	return false;
}

/* The next row whose status differs, or NULL. */
static struct ctl_object_row *
next_row(struct ctl_writes *writes, unsigned *left)
{
	struct list later;
	struct ctl_line *line = &writes->line;
	struct ctl_object_row *row, *found = NULL;

	list_init(&later);
	while (found == NULL && *left > 0 && (row = ctl_line_take(line))) {
		--*left;
		if (is_under_way(writes, row))
			list_insert(&later, &row->due);
		else if (may_begin(writes, row))
			found = row;
	}
	while (!list_is_empty(&later)) {
		row = container_of(later.next, struct ctl_object_row, due);
		list_remove(&row->due);
		ctl_line_add(line, row);
	}
	return found;
}

static void
on_work(struct net_task *task)
{
	struct ctl_writes *writes = container_of(task, struct ctl_writes, work);
	uint64_t now_ms = net_loop_now_ms(loop_of(writes)), rest_ms;
	unsigned left = ROWS_PER_TURN;
	struct slot *slot;

	if (!writes->cluster->leads || !writes->cluster->reconciled)
		return;
	ctl_rate_refill(&writes->rate, now_ms);
	rest_ms = ctl_line_wake(&writes->line, now_ms);
	if (rest_ms > 0)
		net_timer_set(loop_of(writes), &writes->timer, rest_ms);
	while ((slot = free_slot(writes)) != NULL && writes->rate.tokens > 0) {
		struct ctl_object_row *row = next_row(writes, &left);

		if (row != NULL)
			begin(slot, row);
		else if (writes->event_count > 0)
			send_event(writes, slot);
		else
			break;
		writes->rate.tokens--;
	}
	if (slot == NULL)
		return;
	if (writes->rate.tokens == 0 &&
	    (!ctl_line_is_empty(&writes->line) || writes->event_count > 0))
		net_timer_set(loop_of(writes), &writes->timer, 100);
	else if (left == 0)
		net_loop_yield(loop_of(writes), &writes->work);
}

static void
on_timer(struct net_timer *timer)
{
	ctl_writes_go(container_of(timer, struct ctl_writes, timer));
}

/* ---- its life ---- */

struct ctl_writes *
ctl_writes_new(struct ctl_cluster *cluster)
{
	struct ctl_writes *writes = memory_zero(1, sizeof(*writes));

	writes->cluster = cluster;
	ctl_rate_init(&writes->rate, net_loop_now_ms(cluster->options.loop));
	ctl_line_init(&writes->line);
	list_init(&writes->events);
	net_task_init(&writes->work, on_work);
	net_timer_init(&writes->timer, on_timer);
	net_timer_init(&writes->calm, on_calm);
	arena_init(&writes->arena, ARENA_BYTES);
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &writes->slots[i];

		slot->writes = writes;
		kube_ask_init(&slot->ask, cluster->client, on_answer);
		net_timer_init(&slot->timer, on_rested);
		list_init(&slot->events);
		text_init(&slot->key);
		text_init(&slot->target);
		text_init(&slot->body);
	}
	return writes;
}

void
ctl_writes_free(struct ctl_writes **writes)
{
	struct ctl_writes *old = *writes;

	*writes = NULL;
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &old->slots[i];

		kube_ask_fini(&slot->ask);
		net_timer_clear(&slot->timer);
		drop_events(slot);
		text_fini(&slot->key);
		text_fini(&slot->target);
		text_fini(&slot->body);
	}
	while (!list_is_empty(&old->events))
		ctl_event_free(ctl_event_first(&old->events));
	net_task_cancel(loop_of(old), &old->work);
	net_timer_clear(&old->timer);
	net_timer_clear(&old->calm);
	arena_fini(&old->arena);
	memory_free(old);
}
