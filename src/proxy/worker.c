/* A worker's thread: takes sets and sockets, lets go of them, ends. What other
 * threads ask for is noted where it can be seen and told by a wake-up; the
 * worker looks at all of it in one place, on_wake, between two requests. */
#include "proxy/worker.h"

#include <stdio.h>
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "core/thread.h"
#include "net/tls_heap.h"
#include "proxy/request.h"
#include "proxy/worker_priv.h"

#define DRAIN_LOOK_MS 20
#define SWEEP_AFTER_MS 1000 /* sets that come together are swept once */
#define SWEEP_BACKENDS 1024 /* in one turn */
#define SWEEP_CREDENTIALS 1024
#define END_TURNS 64 /* for what closing connections still queues */

static void *run(void *context);
static void on_wake(void *context);
static void on_drain_timer(struct net_timer *timer);
static void on_sweep_timer(struct net_timer *timer);

static void
worker_free(struct proxy_worker *worker)
{
	while (worker->free_requests) {
		struct proxy_request *request = worker->free_requests;
		worker->free_requests = request->next_free;
		memory_free(request);
	}
	snap_holds_free(&worker->holds);
	snap_matcher_free(&worker->matcher);
	proxy_counters_fini(&worker->counters);
	proxy_sockets_fini(worker->sockets);
	memory_free(worker->sockets);
	metrics_fini(&worker->metrics);
	memory_free(worker);
}

static void
on_limit(void *context, enum limit limit)
{
	limit_hit(context, limit);
}

static struct proxy_worker *
worker_new(const struct proxy_options *options, struct net_loop *loop)
{
	struct proxy_worker *worker = memory_zero(1, sizeof(*worker));
	worker->options = *options;
	worker->loop = loop;
	worker->sockets = memory_zero(1, sizeof(*worker->sockets));
	proxy_sockets_init(worker->sockets);
	metrics_init(&worker->metrics);
	proxy_counters_init(&worker->counters);
	proxy_backends_init(&worker->backends, &worker->http);
	worker->backends.system = options->system;
	random_init(&worker->random);
	worker->holds = snap_holds_new(options->store);
	worker->matcher = snap_matcher_new(on_limit, &worker->metrics);
	net_timer_init(&worker->drain_timer, on_drain_timer);
	net_timer_init(&worker->sweep_timer, on_sweep_timer);
	net_loop_on_wake(loop, on_wake, worker);
	return worker;
}

static enum error
start_thread(struct proxy_worker *worker)
{
	char name[16];
	snprintf(name, sizeof(name), "worker %u", worker->options.number);
	return thread_start(&worker->thread, name, run, worker);
}

enum error
proxy_worker_start(
    const struct proxy_options *options, struct proxy_worker **worker)
{
	must(options->store && options->on_progress);
	*worker = NULL;
	struct net_loop *loop = net_loop_new();
	if (!loop)
		return ERROR_SYSTEM;
	struct proxy_worker *made = worker_new(options, loop);
	enum error error = http_worker_init(&made->http, loop, &made->metrics);
	if (error == ERROR_OK) {
		error = start_thread(made);
		if (error == ERROR_OK) {
			*worker = made;
			return ERROR_OK;
		}
		http_worker_fini(&made->http);
	}
	worker_free(made);
	net_loop_free(loop);
	return error;
}

void
proxy_worker_stop(struct proxy_worker **worker)
{
	struct proxy_worker *old = *worker;
	*worker = NULL;
	if (!old)
		return;
	atomic_store(&old->stop, true);
	net_loop_wake(old->loop);
	pthread_join(old->thread, NULL);
	net_loop_free(old->loop);
	worker_free(old);
}

void
proxy_worker_publish(struct proxy_worker *worker, const struct snap_set *set)
{
	must(set);
	atomic_store_explicit(&worker->wanted, set, memory_order_release);
	net_loop_wake(worker->loop);
}

uint64_t
proxy_worker_served(const struct proxy_worker *worker)
{
	return atomic_load_explicit(&worker->served, memory_order_acquire);
}

struct snap_holds *
proxy_worker_holds(struct proxy_worker *worker)
{
	return worker->holds;
}

void
proxy_worker_lend(struct proxy_worker *worker, uint32_t socket, int fd,
    uint16_t port, bool tls)
{
	proxy_sockets_lend(worker->sockets, worker, socket, fd, port, tls);
	net_loop_wake(worker->loop);
}

void
proxy_worker_take_back(struct proxy_worker *worker, int fd)
{
	proxy_sockets_take_back(worker->sockets, fd);
	net_loop_wake(worker->loop);
}

bool
proxy_worker_accepts(const struct proxy_worker *worker, int fd)
{
	return proxy_sockets_accepts(worker->sockets, fd);
}

void
proxy_worker_drain(struct proxy_worker *worker)
{
	atomic_store(&worker->drain, true);
	net_loop_wake(worker->loop);
}

bool
proxy_worker_is_idle(const struct proxy_worker *worker)
{
	return atomic_load(&worker->idle);
}

void
proxy_workers_metrics(struct proxy_worker *const *workers, unsigned count,
    const struct snap_store *store, struct text *out)
{
	struct proxy_counters **counters =
	    memory_zero((size_t)count + 1, sizeof(*counters));
	for (unsigned i = 0; i < count; i++)
		counters[i] = &workers[i]->counters;
	proxy_counters_write(counters, count, snap_store_rule_ids(store), out);
	memory_free(counters);
}

/* What follows runs in the worker's thread. */

static void
take_set(struct proxy_worker *worker)
{
	const struct snap_set *set =
	    atomic_load_explicit(&worker->wanted, memory_order_acquire);
	if (set == worker->set)
		return;
	worker->set = set;
	atomic_store_explicit(
	    &worker->served, snap_set_number(set), memory_order_release);
	if (!net_timer_is_set(&worker->sweep_timer))
		net_timer_set(
		    worker->loop, &worker->sweep_timer, SWEEP_AFTER_MS);
	worker->options.on_progress(worker->options.context);
}

/* Sockets that were lent, taken back, or have drained meanwhile. */
static void
tend_sockets(struct proxy_worker *worker)
{
	bool drain = atomic_load(&worker->drain);
	worker->http.draining = drain;
	struct proxy_sockets_left left =
	    proxy_sockets_tend(worker->sockets, drain);
	bool is_idle = drain && !left.any;
	left.changed |= is_idle != atomic_load(&worker->idle);
	atomic_store(&worker->idle, is_idle);
	if (left.draining)
		net_timer_set(
		    worker->loop, &worker->drain_timer, DRAIN_LOOK_MS);
	if (left.changed)
		worker->options.on_progress(worker->options.context);
}

static void
on_wake(void *context)
{
	struct proxy_worker *worker = context;
	if (atomic_load(&worker->stop)) {
		net_loop_stop(worker->loop);
		return;
	}
	take_set(worker);
	tend_sockets(worker);
}

static void
on_drain_timer(struct net_timer *timer)
{
	tend_sockets(container_of(timer, struct proxy_worker, drain_timer));
}

static void
on_sweep_timer(struct net_timer *timer)
{
	struct proxy_worker *worker =
	    container_of(timer, struct proxy_worker, sweep_timer);
	bool more = proxy_backends_sweep(
	    &worker->backends, worker->set, SWEEP_BACKENDS);
	if (worker->tls)
		more |= proxy_tls_sweep(
		    worker->tls, worker->set, SWEEP_CREDENTIALS);
	if (more)
		net_timer_set(worker->loop, timer, NET_TIMER_TICK_MS);
}

/* Close everything, in the thread that owns it. */
static void
end(struct proxy_worker *worker)
{
	for (unsigned i = 0;
	     i < END_TURNS && (proxy_sockets_abort(worker->sockets) || i == 0);
	     i++)
		(void)!net_loop_turn(worker->loop, 0);
	net_timer_clear(&worker->drain_timer);
	net_timer_clear(&worker->sweep_timer);
	proxy_backends_fini(&worker->backends);
	http_worker_fini(&worker->http);
	proxy_tls_free(&worker->tls);
	if (worker->log)
		proxy_log_port_close(&worker->log);
}

static void *
run(void *context)
{
	struct proxy_worker *worker = context;
	net_tls_heap_open();
	if (worker->options.access_log)
		worker->log = proxy_log_port_open(
		    worker->options.access_log, &worker->metrics);
	enum error error = net_loop_run(worker->loop);
	if (error != ERROR_OK)
		log_event(LOG_WORKER_FAILED,
		    LOG_NUMBER("worker", worker->options.number),
		    LOG_STRING("error", error_text(error)));
	end(worker);
	net_tls_heap_close();
	return NULL;
}
