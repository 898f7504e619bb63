/* ctl's thread. Whatever wakes it (a change of files, a reply of the agent, a
 * query, a time that has come), it does one round: take replies, read what
 * changed, reconcile, offer, show. All of its state is the thread's own but the
 * mailboxes: the feed's and the pages'. */
#include "ctl/ctl.h"

#include "core/clock.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "core/thread.h"
#include "ctl/addresses.h"
#include "ctl/ctl_priv.h"
#include "ctl/problem.h"
#include "ctl/stream_secret.h"

enum { LEAVE_MS = 1000 };

static enum error probe_paths(const struct ctl_options *options);
static enum error open_parts(struct ctl *ctl);
static void *run_thread(void *context);
static void on_readable(struct net_watch *watch, unsigned events);
static void on_wake(void *context);
static void wake(void *context);
static void on_timer(struct net_timer *timer);
static void run_round(struct net_task *task);
static void answer(struct ctl *ctl, struct ctl_query *query);

enum error
ctl_new(const struct ctl_options *options, struct ctl **ctl)
{
	must(options != NULL && options->feed != NULL &&
	    options->admin_loop != NULL && ctl != NULL);
	enum error error = probe_paths(options);

	if (error != ERROR_OK)
		return error;
	struct ctl *made = memory_zero(1, sizeof(*made));

	made->options = *options;
	error = open_parts(made);
	if (error == ERROR_OK) {
		error =
		    thread_start(&made->thread, "yumen-ctl", run_thread, made);
		made->started = error == ERROR_OK;
	}
	if (error != ERROR_OK) {
		log_event(LOG_CTL_FAILED, LOG_STRING("why", error_text(error)));
		ctl_free(&made);
		return error;
	}
	*ctl = made;
	return ERROR_OK;
}

void
ctl_free(struct ctl **ctl)
{
	struct ctl *old = *ctl;

	*ctl = NULL;
	if (old == NULL)
		return;
	atomic_store(&old->stop, true);
	if (old->started) {
		net_loop_wake(old->loop);
		int failed = pthread_join(old->thread, NULL);

		must(!failed);
	}
	feed_on_reply(old->options.feed, NULL, NULL);
	while (!list_is_empty(&old->waiting))
		answer(old,
		    container_of(old->waiting.next, struct ctl_query, link));
	if (old->pages != NULL)
		ctl_pages_free(&old->pages);
	ctl_gauges_free(&old->certificates);
	ctl_gauges_free(&old->pools);
	ctl_sources_free(&old->sources);
	ctl_files_free(&old->files);
	ctl_addresses_free(&old->addresses);
	ctl_cluster_free(&old->cluster);
	ctl_answers_free(&old->answers);
	ctl_statuses_free(&old->statuses);
	ctl_changes_fini(&old->changes);
	ctl_units_fini(&old->units);
	if (old->state != NULL)
		gw_state_free(&old->state);
	ctl_tickets_fini(&old->tickets);
	ctl_accounts_free(&old->accounts);
	if (old->loop != NULL)
		net_loop_free(old->loop);
	memory_free(old);
}

void
ctl_register(struct ctl *ctl, struct admin *admin)
{
	must(ctl != NULL);
	ctl_pages_register(ctl->pages, admin);
	admin_add_metrics(admin, ctl_gauges_write, ctl->certificates);
	admin_add_metrics(admin, ctl_gauges_write, ctl->pools);
}

void
ctl_wake(struct ctl *ctl)
{
	must(ctl != NULL);
	ctl_pages_deliver(ctl->pages);
}

static enum error
probe_paths(const struct ctl_options *options)
{
	enum error first = ERROR_OK;

	for (unsigned i = 0; i < options->path_count; i++) {
		enum error error = ctl_source_probe(options->paths[i]);

		if (error == ERROR_OK)
			continue;
		log_event(LOG_FILE_NOT_OPEN,
		    LOG_STRING("path", options->paths[i]),
		    LOG_STRING("why", error_text(error)));
		first = first == ERROR_OK ? error : first;
	}
	return first;
}

/* What the files say, in ctl's thread. */

static bool
is_stream_secret(const struct ctl *ctl, const struct gw_object *object)
{
	return ctl->options.stream_secret && object->kind == GW_SECRET &&
	    slice_equal(object->name, SLICE(CTL_STREAM_SECRET)) &&
	    slice_equal(object->namespace, ctl->options.cluster->namespace);
}

/* Gateways are few, and do not sleep. */
static void
on_put_gateway(struct ctl *ctl, const struct gw_object *gateway)
{
	ctl->gateways_changed = true;
	if (ctl->addresses != NULL)
		ctl_addresses_recall(ctl->addresses, ctl->state,
		    gateway->namespace, gateway->name);
}

static void
on_put(void *context, struct gw_object **object)
{
	struct ctl *ctl = context;
	const struct gw_object *gateway =
	    (*object)->kind == GW_GATEWAY ? *object : NULL;

	(*object)->since = (uint32_t)(clock_wall_ms() / 1000);
	(*object)->change = ctl_changes_next(&ctl->changes);
	gw_state_succeed(ctl->state, *object);
	if (is_stream_secret(ctl, *object))
		ctl_stream_secret_take(ctl->state, *object);
	gw_state_put(ctl->state, object);
	if (gateway != NULL)
		on_put_gateway(ctl, gateway);
	ctl->state_changed = true;
}

static void
on_remove(
    void *context, enum gw_kind kind, struct slice namespace, struct slice name)
{
	struct ctl *ctl = context;

	ctl_changes_remove(&ctl->changes, kind, namespace, name);
	ctl_statuses_remove(ctl->statuses,
	    gw_state_status_tag(ctl->state, kind, namespace, name));
	gw_state_remove(ctl->state, kind, namespace, name);
	ctl->gateways_changed |= kind == GW_GATEWAY;
	ctl->pools_changed |= kind == GW_IPADDRESSPOOL;
	ctl->state_changed = true;
}

static void
on_problem(void *context, const struct ctl_problem *problem)
{
	(void)context;
	ctl_problem_log(problem);
}

static enum error
open_source(struct ctl *ctl)
{
	const struct ctl_options *options = &ctl->options;
	struct ctl_sink sink = {
	    .context = ctl,
	    .put = on_put,
	    .remove = on_remove,
	    .tell = on_problem,
	};

	if (options->cluster != NULL)
		return ctl_open_cluster(ctl, &sink);
	if (options->addresses != NULL)
		ctl->addresses = ctl_addresses_new(options->addresses);
	ctl->files = ctl_files_new(&sink);
	enum error error = ctl_sources_new(ctl->files, options->paths,
	    options->path_count, &ctl->stop, &ctl->sources);

	if (error != ERROR_OK)
		return error;
	ctl->watch.fd = ctl_sources_fd(ctl->sources);
	ctl->watch.on_ready = on_readable;
	return net_loop_add(ctl->loop, &ctl->watch);
}

static enum error
open_parts(struct ctl *ctl)
{
	const struct ctl_options *options = &ctl->options;

	ctl_units_init(&ctl->units);
	ctl->state = gw_state_new(&options->gw);
	ctl->accounts = ctl_accounts_new();
	ctl_changes_init(&ctl->changes, (uint64_t)clock_wall_ms() * 1000);
	list_init(&ctl->waiting);
	ctl->statuses = ctl_statuses_new(&ctl->changes);
	ctl->loop = net_loop_new();
	if (ctl->loop == NULL)
		return ERROR_SYSTEM;
	ctl->certificates = ctl_gauges_new(ctl->loop, ctl_certificates_metrics);
	ctl->pools = ctl_gauges_new(ctl->loop, ctl_pools_metrics);
	ctl->pages = ctl_pages_new(ctl->loop, options->admin_loop);
	net_task_init(&ctl->round, run_round);
	net_timer_init(&ctl->timer, on_timer);
	net_loop_on_wake(ctl->loop, on_wake, ctl);
	feed_on_reply(options->feed, wake, ctl);
	return open_source(ctl);
}

/* The thread. */

static void *
run_thread(void *context)
{
	struct ctl *ctl = context;

	net_loop_yield(ctl->loop, &ctl->round);
	enum error error = net_loop_run(ctl->loop);

	if (error != ERROR_OK)
		log_event(LOG_CTL_FAILED, LOG_STRING("why", error_text(error)));
	return NULL;
}

static void
on_readable(struct net_watch *watch, unsigned events)
{
	struct ctl *ctl = container_of(watch, struct ctl, watch);

	(void)events;
	ctl->files_changed = true;
	net_loop_defer(ctl->loop, &ctl->round);
}

static void
on_wake(void *context)
{
	struct ctl *ctl = context;

	net_loop_defer(ctl->loop, &ctl->round);
}

/* From any thread. */
static void
wake(void *context)
{
	const struct ctl *ctl = context;

	net_loop_wake(ctl->loop);
}

static void
on_timer(struct net_timer *timer)
{
	struct ctl *ctl = container_of(timer, struct ctl, timer);

	ctl->files_changed = true;
	net_loop_defer(ctl->loop, &ctl->round);
}

/* Until all of it is there, nothing follows from what is. */
static void
read_cluster(struct ctl *ctl)
{
	ctl_hear_unread(ctl);
	if (ctl->read_once || !ctl_cluster_is_whole(ctl->cluster))
		return;
	struct ctl_counts counts = ctl_cluster_counts(ctl->cluster);

	ctl->read_once = ctl->state_changed = true;
	log_event(LOG_KUBE_READ, LOG_NUMBER("objects", counts.objects),
	    LOG_NUMBER("problems", counts.problems));
	if (ctl->options.on_read != NULL)
		ctl->options.on_read(
		    ctl->options.context, counts.objects, 0, counts.problems);
}

static void
read_files(struct ctl *ctl)
{
	uint64_t now_ms = net_loop_now_ms(ctl->loop);

	if (!ctl->read_once)
		ctl_sources_read_all(ctl->sources);
	else if (ctl->files_changed)
		ctl_sources_read_changed(ctl->sources, now_ms);
	ctl->files_changed = false;
	struct ctl_counts counts = ctl_files_counts(ctl->files);

	if (ctl->read_once && counts.reads == ctl->reads)
		return;
	/* Reconcile runs once even where there is nothing. */
	ctl->state_changed |= !ctl->read_once;
	ctl->read_once = true;
	ctl->reads = counts.reads;
	log_event(LOG_FILES_READ, LOG_NUMBER("files", counts.files),
	    LOG_NUMBER("objects", counts.objects),
	    LOG_NUMBER("problems", counts.problems));
	if (ctl->options.on_read != NULL)
		ctl->options.on_read(ctl->options.context, counts.objects,
		    counts.files, counts.problems);
}

static void
on_unit(
    void *context, struct slice name, struct slice bytes, struct gw_tag *tag)
{
	struct ctl *ctl = context;

	ctl_units_put(&ctl->units, name, bytes, tag);
	struct feed_batch *part = ctl_units_take_part(&ctl->units);

	if (part != NULL)
		feed_offer(ctl->options.feed, &part);
	if (slice_starts_with(name, SLICE("certificate/")))
		ctl->certificates_changed = true;
}

static void
on_status(void *context, const struct gw_object *object, const void *status,
    struct gw_status_tag *tag)
{
	struct ctl *ctl = context;

	ctl->gateways_changed |= object->kind == GW_GATEWAY;
	ctl->pools_changed |= object->kind == GW_IPADDRESSPOOL;
	ctl_statuses_put(ctl->statuses, object, status, tag);
}

static void
on_certificate(void *context, const struct gw_certificate *certificate)
{
	struct ctl *ctl = context;

	ctl_certificate_log(certificate);
	ctl->certificates_changed = true;
}

static void
on_fleet(void *context, const struct gw_fleet *fleet)
{
	struct ctl *ctl = context;

	if (!slice_starts_with(fleet->gateway, SLICE(GW_FLEET_OF_SERVICE)))
		ctl_accounts_put(ctl->accounts, fleet);
	ctl_cluster_fleet(ctl->cluster, fleet);
}

static void
reconcile(struct ctl *ctl)
{
	struct gw_output output = {
	    .context = ctl,
	    .on_unit = on_unit,
	    .on_status = on_status,
	    .on_certificate = on_certificate,
	    .on_fleet = on_fleet,
	};

	ctl->state_changed = false;
	gw_state_reconcile(ctl->state, &output);
	if (ctl->gateways_changed && ctl->addresses != NULL)
		ctl_addresses_keep(ctl->addresses, ctl->state);
	ctl->gateways_changed = false;
	if (ctl->answers != NULL)
		ctl_ask_answers(ctl);
	struct feed_batch *batch = ctl_units_take(&ctl->units);

	ctl_statuses_offer(ctl->statuses, &ctl->units.generation,
	    net_loop_now_ms(ctl->loop), clock_wall_ms());
	if (ctl->cluster != NULL)
		ctl_cluster_reconciled(ctl->cluster);
	if (batch != NULL)
		feed_offer(ctl->options.feed, &batch);
}

/* Answers with what there is. */
static void
answer(struct ctl *ctl, struct ctl_query *query)
{
	if (!list_is_empty(&query->link)) {
		list_remove(&query->link);
		ctl->waiting_count--;
	}
	ctl_pages_answer(ctl->pages, &query);
}

/* False: it waits for a change, and there is none yet. */
static bool
write_answer(struct ctl *ctl, struct ctl_query *query, uint64_t now_ms)
{
	const struct ctl_view view = {ctl->state, ctl->statuses, &ctl->changes};

	text_reset(&query->body);
	return query->write(&query->body, &view, query) ||
	    now_ms >= query->deadline_ms;
}

static void
answer_queries(struct ctl *ctl)
{
	uint64_t now_ms = net_loop_now_ms(ctl->loop);
	struct ctl_query *query;

	LIST_FOR_EACH_SAFE(at, &ctl->waiting)
	{
		query = container_of(at, struct ctl_query, link);
		if (write_answer(ctl, query, now_ms))
			answer(ctl, query);
	}
	while ((query = ctl_pages_take(ctl->pages)) != NULL) {
		query->deadline_ms = now_ms + LIMIT_VALUE_WATCH_MS;
		if (ctl->waiting_count >= LIMIT_VALUE_WATCHERS)
			query->deadline_ms = now_ms;
		if (write_answer(ctl, query, now_ms)) {
			answer(ctl, query);
			continue;
		}
		list_insert(&ctl->waiting, &query->link);
		ctl->waiting_count++;
	}
}

/* Certificates are judged by the time of day, and silence by how long it is. */
static void
tell_time(struct ctl *ctl)
{
	int64_t now = clock_wall_ms() / 1000;
	int64_t due = gw_state_clock_due(ctl->state);

	gw_state_clock(ctl->state, now);
	if (due != 0 && now >= due)
		ctl->state_changed = true;
}

/* A lease is given back first, for which an API server gets a moment. */
static void
leave(struct ctl *ctl)
{
	uint64_t now_ms = net_loop_now_ms(ctl->loop);

	if (ctl->leave_ms == 0)
		ctl->leave_ms = now_ms + LEAVE_MS;
	if (ctl->cluster != NULL && ctl_cluster_leave(ctl->cluster) &&
	    now_ms < ctl->leave_ms)
		net_timer_set(ctl->loop, &ctl->timer, 10);
	else
		net_loop_stop(ctl->loop);
}

static void
refresh_gauges(struct ctl *ctl)
{
	if (ctl_gauges_refresh(
	        ctl->certificates, ctl->state, ctl->certificates_changed))
		ctl->certificates_changed = false;
	if (ctl_gauges_refresh(ctl->pools, ctl->state, ctl->pools_changed))
		ctl->pools_changed = false;
}

static void
run_round(struct net_task *task)
{
	struct ctl *ctl = container_of(task, struct ctl, round);

	if (!atomic_load(&ctl->stop)) {
		ctl_take_replies(ctl);
		tell_time(ctl);
		if (!ctl->options.stream_secret)
			ctl->state_changed |= ctl_tickets_turn(&ctl->tickets,
			    ctl->state, net_loop_now_ms(ctl->loop));
		if (ctl->cluster != NULL)
			read_cluster(ctl);
		else
			read_files(ctl);
		if (ctl->state_changed && ctl->read_once)
			reconcile(ctl);
		ctl_statuses_expire(
		    ctl->statuses, net_loop_now_ms(ctl->loop), clock_wall_ms());
		answer_queries(ctl);
		refresh_gauges(ctl);
		ctl_set_timer(ctl);
	}
	if (atomic_load(&ctl->stop))
		leave(ctl);
}
