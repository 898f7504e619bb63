/* The pool of an endpoint. Connections come and go by calls from the http
 * room; what follows from them (a waiter gets its stream, is told a failure, an
 * idle connection is closed) is done by the endpoint's task, later in the turn,
 * so that nobody is called from within his own call.
 *
 * Idle connections: the newest is used first, so those at the list's end are
 * the ones that load does not need. Each half of LIMIT_BACKEND_IDLE_MS as many
 * are closed as were never used in it: none is idle for longer than the limit,
 * and no request pays for a clock. */
#include "proxy/pool.h"

#include "core/limit.h"

#define EJECT_MS LIMIT_VALUE_BACKEND_EJECT_MS

static void on_connected(struct http_client *, void *owner, enum error error);
static void on_idle(struct http_client *client, void *owner);
static void on_closed(struct http_client *client, void *owner);

static const struct http_client_owner_ops ops = {
    .on_connected = on_connected,
    .on_idle = on_idle,
    .on_closed = on_closed,
};

static void run(struct net_task *task);
static void on_idle_timer(struct net_timer *timer);
static void on_wait_timer(struct net_timer *timer);

void
proxy_pool_init(struct proxy_endpoint *endpoint)
{
	list_init(&endpoint->opening);
	list_init(&endpoint->idle);
	list_init(&endpoint->waiters);
	net_task_init(&endpoint->task, run);
	net_timer_init(&endpoint->idle_timer, on_idle_timer);
	net_timer_init(&endpoint->wait_timer, on_wait_timer);
}

static void
close_all(struct proxy_endpoint *endpoint, struct list *list)
{
	LIST_FOR_EACH_SAFE(at, list)
	{
		list_remove(at);
		http_client_close(http_client_from_link(at));
		endpoint->connections--;
	}
}

void
proxy_pool_fini(struct proxy_endpoint *endpoint)
{
	must(list_is_empty(&endpoint->waiters));
	close_all(endpoint, &endpoint->opening);
	close_all(endpoint, &endpoint->idle);
	net_task_cancel(endpoint->http->loop, &endpoint->task);
	net_timer_clear(&endpoint->idle_timer);
	net_timer_clear(&endpoint->wait_timer);
}

static void
defer(struct proxy_endpoint *endpoint)
{
	net_loop_defer(endpoint->http->loop, &endpoint->task);
}

static void
note_failure(struct proxy_endpoint *endpoint, enum error error)
{
	endpoint->ejected_until_ms =
	    net_loop_now_ms(endpoint->http->loop) + EJECT_MS;
	endpoint->failure = error;
}

static enum error
open_connection(struct proxy_endpoint *endpoint)
{
	enum error error = ERROR_OK;
	struct http_client *client = http_client_open(endpoint->http,
	    &endpoint->address, endpoint->tls ? &endpoint->tls->client : NULL,
	    &ops, endpoint, LIMIT_VALUE_CONNECT_MS, &error);
	if (!client) {
		note_failure(endpoint, error);
		return error;
	}
	list_insert(&endpoint->opening, http_client_link(client));
	endpoint->connections++;
	endpoint->opening_count++;
	return ERROR_OK;
}

/* The newest idle connection's stream; NULL: none. */
static struct http_stream *
lend_idle(struct proxy_endpoint *endpoint)
{
	while (!list_is_empty(&endpoint->idle)) {
		struct list *newest = endpoint->idle.next;
		list_remove(newest);
		if (--endpoint->idle_count < endpoint->idle_low)
			endpoint->idle_low = endpoint->idle_count;
		struct http_stream *stream =
		    http_client_lend(http_client_from_link(newest));
		if (likely(stream != NULL))
			return stream;
	}
	return NULL;
}

static enum error
queue(struct proxy_endpoint *endpoint, struct proxy_waiter *waiter)
{
	struct http_worker *http = endpoint->http;
	if (endpoint->connections >= LIMIT_VALUE_BACKEND_CONNECTIONS) {
		limit_hit(http->metrics, LIMIT_BACKEND_CONNECTIONS);
		if (endpoint->waiting_count >= LIMIT_VALUE_BACKEND_WAITERS) {
			limit_hit(http->metrics, LIMIT_BACKEND_WAITERS);
			return ERROR_LIMIT;
		}
	} else {
		enum error error = open_connection(endpoint);
		if (error != ERROR_OK)
			return error;
	}
	waiter->endpoint = endpoint;
	waiter->deadline_ms =
	    net_loop_now_ms(http->loop) + LIMIT_VALUE_BACKEND_WAIT_MS;
	list_insert(&endpoint->waiters, &waiter->link);
	endpoint->waiting_count++;
	if (!net_timer_is_set(&endpoint->wait_timer))
		net_timer_set(http->loop, &endpoint->wait_timer,
		    LIMIT_VALUE_BACKEND_WAIT_MS);
	return ERROR_OK;
}

struct http_stream *
proxy_pool_take(struct proxy_endpoint *endpoint, struct proxy_waiter *waiter,
    bool fresh, enum error *error)
{
	must(!endpoint->gone && !waiter->endpoint);
	*error = ERROR_OK;
	struct http_stream *stream = fresh ? NULL : lend_idle(endpoint);
	if (unlikely(!stream))
		*error = queue(endpoint, waiter);
	return stream;
}

void
proxy_pool_cancel(struct proxy_waiter *waiter)
{
	if (!waiter->endpoint)
		return;
	list_remove(&waiter->link);
	waiter->endpoint->waiting_count--;
	waiter->endpoint = NULL;
}

void
proxy_pool_retire(struct proxy_endpoint *endpoint)
{
	endpoint->gone = true;
	defer(endpoint);
}

void
proxy_pool_leave(struct proxy_endpoint *endpoint)
{
	must(endpoint->in_flight > 0);
	endpoint->in_flight--;
	if (unlikely(endpoint->gone))
		defer(endpoint);
}

static void
on_connected(struct http_client *client, void *owner, enum error error)
{
	struct proxy_endpoint *endpoint = owner;
	list_remove(http_client_link(client));
	endpoint->opening_count--;
	if (error == ERROR_OK) {
		endpoint->ejected_until_ms = 0;
		on_idle(client, owner);
		return;
	}
	endpoint->connections--;
	endpoint->failed++;
	note_failure(endpoint, error);
	defer(endpoint);
}

static void
on_idle(struct http_client *client, void *owner)
{
	struct proxy_endpoint *endpoint = owner;
	list_insert(endpoint->idle.next, http_client_link(client));
	endpoint->idle_count++;
	if (!net_timer_is_set(&endpoint->idle_timer)) {
		endpoint->idle_low = 0;
		net_timer_set(endpoint->http->loop, &endpoint->idle_timer,
		    LIMIT_VALUE_BACKEND_IDLE_MS / 2);
	}
	if (unlikely(endpoint->waiting_count > 0 || endpoint->gone ||
	        endpoint->idle_count > LIMIT_VALUE_BACKEND_IDLE_CONNECTIONS))
		defer(endpoint);
}

static void
on_closed(struct http_client *client, void *owner)
{
	struct proxy_endpoint *endpoint = owner;
	list_remove(http_client_link(client));
	endpoint->connections--;
	/* It may have been idle or lent: count the idle ones that are left. */
	endpoint->idle_count = 0;
	LIST_FOR_EACH(at, &endpoint->idle)
	{
		endpoint->idle_count++;
	}
	if (endpoint->idle_count < endpoint->idle_low)
		endpoint->idle_low = endpoint->idle_count;
	if (endpoint->waiting_count > 0 || endpoint->gone)
		defer(endpoint);
}

static void
tell(struct proxy_waiter *waiter, struct http_stream *stream, enum error error)
{
	proxy_pool_cancel(waiter);
	waiter->on_stream(waiter, stream, error);
}

static struct proxy_waiter *
first_waiter(struct proxy_endpoint *endpoint)
{
	if (list_is_empty(&endpoint->waiters))
		return NULL;
	return container_of(endpoint->waiters.next, struct proxy_waiter, link);
}

/* One waiter for each connect that failed: the oldest, whose own it most
 * likely was. What they do then may put them here again, at the end. */
static void
fail_waiters(struct proxy_endpoint *endpoint)
{
	uint32_t count = endpoint->failed;
	endpoint->failed = 0;
	struct proxy_waiter *waiter;
	while (count-- > 0 && (waiter = first_waiter(endpoint)))
		tell(waiter, NULL, endpoint->failure);
	/* Who waits for one that went away goes elsewhere, if there is any. */
	if (!endpoint->gone ||
	    (endpoint->backend->candidate_count == 0 &&
	        !endpoint->backend->superseded))
		return;
	for (count = endpoint->waiting_count; count > 0; count--)
		if ((waiter = first_waiter(endpoint)))
			tell(waiter, NULL, ERROR_CANCELLED);
}

/* Connections for waiters that no opening one will serve. */
static void
open_missing(struct proxy_endpoint *endpoint)
{
	uint32_t missing = 0;
	if (endpoint->waiting_count > endpoint->opening_count)
		missing = endpoint->waiting_count - endpoint->opening_count;
	while (missing-- > 0 &&
	    endpoint->connections < LIMIT_VALUE_BACKEND_CONNECTIONS) {
		enum error error = open_connection(endpoint);
		struct proxy_waiter *waiter = first_waiter(endpoint);
		if (error != ERROR_OK && waiter)
			tell(waiter, NULL, error);
	}
}

static void
close_oldest(struct proxy_endpoint *endpoint, uint32_t count)
{
	while (count-- > 0 && endpoint->idle_count > 0) {
		struct list *oldest = endpoint->idle.previous;
		list_remove(oldest);
		endpoint->idle_count--;
		endpoint->connections--;
		http_client_close(http_client_from_link(oldest));
	}
}

static void
run(struct net_task *task)
{
	struct proxy_endpoint *endpoint =
	    container_of(task, struct proxy_endpoint, task);
	fail_waiters(endpoint);
	struct http_stream *stream;
	while (endpoint->waiting_count > 0 && (stream = lend_idle(endpoint)))
		tell(first_waiter(endpoint), stream, ERROR_OK);
	open_missing(endpoint);
	if (endpoint->gone) {
		close_oldest(endpoint, endpoint->idle_count);
		proxy_endpoint_settle(endpoint);
		return;
	}
	if (endpoint->idle_count > LIMIT_VALUE_BACKEND_IDLE_CONNECTIONS)
		close_oldest(endpoint,
		    endpoint->idle_count -
		        LIMIT_VALUE_BACKEND_IDLE_CONNECTIONS);
}

static void
on_idle_timer(struct net_timer *timer)
{
	struct proxy_endpoint *endpoint =
	    container_of(timer, struct proxy_endpoint, idle_timer);
	close_oldest(endpoint, endpoint->idle_low);
	endpoint->idle_low = endpoint->idle_count;
	if (endpoint->idle_count > 0)
		net_timer_set(endpoint->http->loop, timer,
		    LIMIT_VALUE_BACKEND_IDLE_MS / 2);
}

static void
on_wait_timer(struct net_timer *timer)
{
	struct proxy_endpoint *endpoint =
	    container_of(timer, struct proxy_endpoint, wait_timer);
	struct http_worker *http = endpoint->http;
	uint64_t now_ms = net_loop_now_ms(http->loop);
	struct proxy_waiter *waiter;
	while ((waiter = first_waiter(endpoint)) &&
	    waiter->deadline_ms <= now_ms) {
		limit_hit(http->metrics, LIMIT_BACKEND_WAIT_MS);
		tell(waiter, NULL, ERROR_LIMIT);
	}
	if (waiter)
		net_timer_set(http->loop, timer, waiter->deadline_ms - now_ms);
}
