/* The agent's way of a batch: applied to the store in slices of a few
 * milliseconds, committed, its sockets opened, published to the workers, and
 * confirmed when all of them serve it. It owns the store, the workers and the
 * listening sockets. It never judges an object and never sees one. */
#include "agent/agent_priv.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "net/tls_system.h"

/* A turn of the control loop may take 5 ms; applying stops well before. */
#define APPLY_SLICE_NS 2000000
#define APPLY_LOOK_AT_CLOCK 32
#define SYSTEM_SLICE 16 /* certificates: as much time */
#define COLLECT_MS 100

static void
refuse(struct agent *agent, struct slice name, enum error error)
{
	struct feed_reply *reply = feed_reply_new(
	    FEED_REFUSE, name, slice_from_string(error_text(error)));

	reply->error = error;
	feed_answer(agent->options.feed, &reply);
}

/* Where it announces, an address that the set claims: also one that no listener
 * here asks for. */
static enum error
claim(struct agent *agent, struct slice name)
{
	const struct unit *unit = snap_store_unit(agent->store, name);

	if (agent->options.announcer == NULL || unit->kind != UNIT_CLAIM)
		return ERROR_OK;
	return announce_claims_put(&agent->claims, name, unit->claim);
}

static bool
asks_for_system(const struct unit *unit)
{
	if (unit->kind == UNIT_EXTERNAL)
		return unit->external->tls && unit->external->tls->system;
	if (unit->kind != UNIT_SERVICE)
		return false;
	for (uint32_t i = 0; i < unit->service->ports_count; i++)
		if (unit->service->ports[i].tls &&
		    unit->service->ports[i].tls->system)
			return true;
	return false;
}

static void
note_system(struct agent *agent, struct slice name)
{
	const struct unit *unit = snap_store_unit(agent->store, name);

	if (!agent->wants_system && unit && asks_for_system(unit))
		agent->wants_system = true;
}

static void
apply(struct agent *agent, const struct feed_change *change)
{
	enum unit_kind kind;
	enum error error;

	if (snap_unit_kind(change->name, &kind)) {
		if (kind == UNIT_EXTERNAL)
			agent->externals_changed = true;
		if (kind == UNIT_LISTENER)
			agent_listeners_note(agent, change->name);
	}
	if (!slice_is_set(change->bytes)) {
		announce_claims_drop(&agent->claims, change->name);
		snap_store_drop(agent->store, change->name);
		return;
	}
	error = snap_store_put(agent->store, change->name, change->bytes);
	if (error == ERROR_OK) {
		note_system(agent, change->name);
		error = claim(agent, change->name);
	}
	if (error != ERROR_OK)
		refuse(agent, change->name, error);
}

/* Drop the units that a whole batch does not name. */
static void
drop_others(struct agent *agent, const struct feed_batch *batch)
{
	struct map named;
	const struct unit *unit;
	struct feed_batch *gone = feed_batch_new();
	size_t at = 0;

	map_init(&named);
	for (uint32_t i = 0; i < batch->count; i++)
		map_put(&named, batch->changes[i].name, &batch->changes[i]);
	while (snap_store_next(agent->store, &at, &unit))
		if (map_get(&named, unit->name) == NULL)
			feed_batch_drop(gone, unit->name);
	for (uint32_t i = 0; i < gone->count; i++)
		apply(agent, &gone->changes[i]);
	map_fini(&named);
	feed_batch_free(&gone);
}

static void
publish(struct agent *agent)
{
	const struct snap_set *set = snap_store_commit(agent->store);

	if (snap_set_number(set) == agent->published)
		return;
	agent->published = snap_set_number(set);
	agent->published_ms = net_loop_now_ms(agent->options.loop);
	agent->set = set;
	for (unsigned i = 0; i < agent->options.workers; i++)
		proxy_worker_publish(agent->workers[i], set);
	if (agent->listeners_changed && !agent->draining) {
		agent_sockets_sync(agent, set);
		agent_listeners_report(agent);
	}
	agent->listeners_changed = false;
	if (agent->externals_changed)
		agent_hostnames_sync(agent);
	agent->externals_changed = false;
}

/* Apply the first batch as far as the slice of time goes. True: all of it. */
static bool
apply_slice(struct agent *agent, struct feed_batch *batch)
{
	uint64_t start = clock_monotonic_ns();

	while (agent->applied < batch->count) {
		apply(agent, &batch->changes[agent->applied++]);
		if (agent->applied % APPLY_LOOK_AT_CLOCK == 0 &&
		    clock_monotonic_ns() - start > APPLY_SLICE_NS)
			return false;
	}
	return true;
}

/* The system's authorities, for the first that asks for them: before workers
 * do, to whom it would be too long. True: they are there, or nobody asks. */
static bool
read_system(struct agent *agent)
{
	return !agent->wants_system ||
	    net_tls_system_read(agent->system, SYSTEM_SLICE);
}

/* All of the batch is applied. */
static void
finish(struct agent *agent, const struct feed_batch *batch)
{
	agent->applied = 0;
	if (batch->part) {
		agent->parted = true;
		return;
	}
	/* Before the first there is nothing else. */
	must(!batch->whole || !agent->whole || !agent->parted);
	if (batch->whole && agent->whole)
		drop_others(agent, batch);
	agent->parted = false;
	agent->whole = agent->whole || batch->whole;
	agent->offered = batch->generation;
}

/* Work off the offers; true when some wait for the next turn. */
static bool
take_offers(struct agent *agent)
{
	struct feed_batch *batch;

	while ((batch = feed_take_offer(agent->options.feed)) != NULL)
		list_insert(&agent->offers, &batch->link);
	while (!list_is_empty(&agent->offers)) {
		batch =
		    container_of(agent->offers.next, struct feed_batch, link);
		if (!apply_slice(agent, batch) || !read_system(agent))
			return true;
		finish(agent, batch);
		list_remove(&batch->link);
		feed_batch_free(&batch);
	}
	return false;
}

static void
confirm(struct agent *agent)
{
	struct feed_reply *reply;

	if (!agent->whole || agent->served != agent->published ||
	    agent->confirmed == agent->published)
		return;
	agent->confirmed = agent->published;
	reply = feed_reply_new(FEED_CONFIRM, SLICE(""), SLICE(""));
	reply->generation = agent->offered;
	feed_answer(agent->options.feed, &reply);
	agent->options.on_served(agent->options.context);
}

static void
retry_sockets(struct agent *agent)
{
	if (agent_sockets_retry(agent))
		agent_listeners_report(agent);
}

void
agent_addresses_changed(struct agent *agent)
{
	agent_sockets_retry(agent);
	agent_listeners_report(agent);
	announce_claims_report(&agent->claims);
}

/* Look how far the workers are: free old sets, confirm, reap sockets. */
static void
note_progress(struct agent *agent)
{
	uint64_t served = agent->published;
	bool idle = true;

	for (unsigned i = 0; i < agent->options.workers; i++) {
		uint64_t one = proxy_worker_served(agent->workers[i]);

		if (one < served)
			served = one;
		idle = idle && proxy_worker_is_idle(agent->workers[i]);
	}
	if (served != agent->served) {
		agent->served = served;
		snap_store_quiet(
		    agent->store, served, agent->holds, agent->options.workers);
	}
	if (snap_store_has_garbage(agent->store) &&
	    !net_timer_is_set(&agent->collect))
		net_timer_set(agent->options.loop, &agent->collect, COLLECT_MS);
	if (agent_sockets_reap(agent))
		retry_sockets(agent);
	confirm(agent);
	if (agent->draining && idle && !agent->drained) {
		agent->drained = true;
		agent->options.on_drained(agent->options.context);
	}
}

void
agent_wake(struct agent *agent)
{
	bool more = take_offers(agent);

	if (agent->whole && !more && !agent->parted) {
		agent->resolved = false;
		publish(agent);
	}
	note_progress(agent);
	if (more)
		net_loop_wake(agent->options.loop);
}

static void
on_collect(struct net_timer *timer)
{
	struct agent *agent = container_of(timer, struct agent, collect);

	snap_store_quiet(
	    agent->store, agent->served, agent->holds, agent->options.workers);
	if (snap_store_has_garbage(agent->store))
		net_timer_set(agent->options.loop, &agent->collect, COLLECT_MS);
}

static void
on_deadline(struct net_timer *timer)
{
	struct agent *agent = container_of(timer, struct agent, deadline);

	if (agent->drained)
		return;
	agent->drained = true;
	agent->options.on_drained(agent->options.context);
}

static void
on_retry(struct net_timer *timer)
{
	retry_sockets(container_of(timer, struct agent, retry));
}

/* In a worker's thread. */
static void
on_progress(void *context)
{
	const struct agent *agent = context;

	net_loop_wake(agent->options.loop);
}

static enum error
start_workers(struct agent *agent)
{
	unsigned count = agent->options.workers;

	agent->workers = memory_zero(count, sizeof(struct proxy_worker *));
	agent->holds = memory_zero(count, sizeof(struct snap_holds *));
	for (unsigned i = 0; i < count; i++) {
		struct proxy_options options = {
		    .access_log = agent->options.access_log,
		    .store = agent->store,
		    .system = agent->system,
		    .on_progress = on_progress,
		    .context = agent,
		    .number = i,
		};
		enum error error =
		    proxy_worker_start(&options, &agent->workers[i]);

		if (error != ERROR_OK)
			return error;
		agent->holds[i] = proxy_worker_holds(agent->workers[i]);
	}
	return ERROR_OK;
}

enum error
agent_new(const struct agent_options *options, struct agent **agent)
{
	struct agent *made = memory_zero(1, sizeof(*made));
	enum error error;

	must(options->workers > 0 && options->loop != NULL);
	made->options = *options;
	made->store = snap_store_new();
	made->system = net_tls_system_new();
	list_init(&made->offers);
	list_init(&made->sockets);
	map_init(&made->listeners);
	map_init(&made->hostnames);
	announce_claims_init(&made->claims, options->announcer, options->feed);
	net_timer_init(&made->collect, on_collect);
	net_timer_init(&made->retry, on_retry);
	net_timer_init(&made->deadline, on_deadline);
	error = start_workers(made);
	if (error != ERROR_OK)
		agent_free(&made);
	*agent = made;
	return error;
}

void
agent_free(struct agent **agent)
{
	struct agent *old = *agent;

	if (old == NULL)
		return;
	for (unsigned i = 0; i < old->options.workers; i++)
		if (old->workers[i] != NULL)
			proxy_worker_stop(&old->workers[i]);
	agent_sockets_close(old);
	agent_listeners_free(old);
	agent_hostnames_free(old);
	announce_claims_fini(&old->claims);
	if (old->names != NULL)
		net_names_free(old->names);
	LIST_FOR_EACH_SAFE(at, &old->offers)
	{
		struct feed_batch *batch =
		    container_of(at, struct feed_batch, link);

		list_remove(at);
		feed_batch_free(&batch);
	}
	net_timer_clear(&old->collect);
	net_timer_clear(&old->retry);
	net_timer_clear(&old->deadline);
	snap_store_free(&old->store);
	net_tls_system_free(&old->system);
	memory_free(old->workers);
	memory_free(old->holds);
	memory_free(old);
	*agent = NULL;
}

void
agent_drain(struct agent *agent)
{
	if (agent->draining)
		return;
	agent->draining = true;
	for (unsigned i = 0; i < agent->options.workers; i++)
		proxy_worker_drain(agent->workers[i]);
	net_timer_set(
	    agent->options.loop, &agent->deadline, agent->options.drain_ms);
}

bool
agent_is_ready(const struct agent *agent)
{
	return agent->whole && agent->served > 0 && !agent->draining;
}

const struct snap_store *
agent_store(const struct agent *agent)
{
	return agent->store;
}
