/* The handler of simulated worlds: a proxy to one backend, with a pool. */
#include "core/memory.h"
#include "core/must.h"
#include "http/message.h"
#include "sim/http_world.h"

enum { ATTEMPTS_MAX = 3 };

struct sim_request {
	struct sim_world *world;
	struct http_exchange *exchange;
	struct sim_link *link; /* that it waits for */
	unsigned attempts;
	struct net_timer delay;
};

/* A connection to the backend. */
struct sim_link {
	struct list link; /* in idle_links */
	struct sim_world *world;
	struct http_client *client; /* or */
	struct toy *toy;
	struct sim_request *request; /* that waits for it */
};

static void attempt(struct sim_request *request, bool fresh);

static void
answer(struct sim_request *request, uint16_t status)
{
	http_exchange_answer(
	    request->exchange, status, NULL, 0, SLICE("from here\n"));
}

static void
link_free(struct sim_link *link)
{
	list_remove(&link->link);
	link->world->link_count--;
	memory_free(link);
}

static struct http_stream *
lend(struct sim_link *link)
{
	return link->toy ? toy_client_lend(link->toy)
	                 : http_client_lend(link->client);
}

static void
on_idle(struct http_client *client, void *owner)
{
	struct sim_link *link = owner;
	(void)client;
	list_insert(link->world->idle_links.next, &link->link);
}

static void
on_connected(struct http_client *client, void *owner, enum error error)
{
	struct sim_link *link = owner;
	struct sim_request *request = link->request;
	link->request = NULL;
	if (request)
		request->link = NULL;
	if (error != ERROR_OK) {
		link_free(link);
		if (request)
			attempt(request, true);
		return;
	}
	struct http_stream *stream = request ? lend(link) : NULL;
	if (stream)
		http_exchange_forward(request->exchange, stream, 0);
	else if (request)
		attempt(request, true); /* on_closed comes for this one */
	else
		on_idle(client, owner);
}

static void
on_closed(struct http_client *client, void *owner)
{
	(void)client;
	link_free(owner);
}

static const struct http_client_owner_ops link_ops = {
    .on_connected = on_connected,
    .on_idle = on_idle,
    .on_closed = on_closed,
};

static struct http_stream *
lend_idle(struct sim_world *world)
{
	while (!list_is_empty(&world->idle_links)) {
		struct sim_link *newest =
		    container_of(world->idle_links.next, struct sim_link, link);
		list_remove(&newest->link);
		struct http_stream *stream = lend(newest);
		if (stream)
			return stream;
	}
	return NULL;
}

static bool
open_link(struct sim_request *request)
{
	struct sim_world *world = request->world;
	struct net_address address;
	must(net_address_parse(SLICE("10.0.0.1"), 80, &address) == ERROR_OK);
	struct sim_link *link = memory_zero(1, sizeof(*link));
	enum error error;
	list_init(&link->link);
	link->world = world;
	link->request = request;
	world->link_count++;
	if (world->toy_backend)
		link->toy =
		    toy_client_open(&world->worker, &address, &link_ops, link);
	else
		link->client = http_client_open(&world->worker, &address, NULL,
		    &link_ops, link, LIMIT_VALUE_CONNECT_MS, &error);
	if (!link->client && !link->toy) {
		link_free(link);
		return false;
	}
	request->link = link;
	return true;
}

static void
attempt(struct sim_request *request, bool fresh)
{
	struct http_stream *stream = fresh ? NULL : lend_idle(request->world);
	if (request->attempts++ >= ATTEMPTS_MAX)
		answer(request, 503);
	else if (stream)
		http_exchange_forward(request->exchange, stream, 0);
	else if (!open_link(request))
		answer(request, 503);
}

static void
begin(struct net_timer *timer)
{
	struct sim_request *request =
	    container_of(timer, struct sim_request, delay);
	struct http_exchange *exchange = request->exchange;
	struct wire_head *head = exchange->request;
	if (wire_head_find_name(head, SLICE("x-answer")))
		answer(request, 404);
	else if (wire_head_find_name(head, SLICE("x-reflect")))
		http_exchange_forward(exchange,
		    http_message_reflect(exchange, 200, NULL, 0, SLICE_NONE),
		    0);
	else
		attempt(request, false);
}

static void
on_request(struct http_exchange *exchange)
{
	struct sim_world *world = exchange->handler_context;
	struct sim_request *request = memory_zero(1, sizeof(*request));
	request->world = world;
	request->exchange = exchange;
	exchange->handler_state = request;
	net_timer_init(&request->delay, begin);
	if (world->delay_ms > 0)
		net_timer_set(world->loop, &request->delay, world->delay_ms);
	else
		begin(&request->delay);
}

static bool
on_response(struct http_exchange *exchange)
{
	(void)exchange;
	return true;
}

static bool
is_idempotent(enum method_id method)
{
	return method == METHOD_GET || method == METHOD_HEAD ||
	    method == METHOD_PUT || method == METHOD_DELETE;
}

static void
on_failure(struct http_exchange *exchange, enum error error)
{
	struct sim_request *request = exchange->handler_state;
	const struct http_attempt *failed = &exchange->failed;
	bool again = !failed->sent ||
	    (failed->reused && failed->fresh &&
	        (error == ERROR_CLOSED || error == ERROR_RESET) &&
	        is_idempotent(exchange->request->method_id));
	if (exchange->response && exchange->response->status)
		sim_wrong(request->world, "a response after its failure");
	if (again && exchange->replayable)
		attempt(request, true);
	else
		answer(request, error == ERROR_TIMEOUT ? 504 : 502);
}

static void
on_end(struct http_exchange *exchange, enum error error)
{
	struct sim_request *request = exchange->handler_state;
	(void)error;
	if (!request)
		return;
	if (request->link)
		request->link->request = NULL;
	net_timer_clear(&request->delay);
	memory_free(request);
}

const struct http_handler sim_http_handler = {
    .on_request = on_request,
    .on_response = on_response,
    .on_failure = on_failure,
    .on_end = on_end,
};

void
sim_links_close(struct sim_world *world)
{
	LIST_FOR_EACH_SAFE(at, &world->idle_links)
	{
		struct sim_link *link = container_of(at, struct sim_link, link);
		if (link->toy)
			toy_client_close(link->toy);
		else
			http_client_close(link->client);
		link_free(link);
	}
}
