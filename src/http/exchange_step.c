/* The exchange's steps: its phases and turning points. All of its work happens
 * in its run, a task that codecs, handlers and the timer queue; so nothing
 * calls up the stack. */
#include "core/must.h"
#include "http/exchange_priv.h"
#include "http/message.h"
#include "http/worker_priv.h"
#include "wire/h1.h"

/* What a step leaves to do: nothing now, the next step at once, or nothing ever
 * again (the exchange must not be touched). */
enum exchange_step { STEP_WAIT, STEP_ON, STEP_ENDED };

static enum exchange_step
end(struct http_exchange *exchange, enum error error)
{
	http_exchange_finish(exchange, error);
	return STEP_ENDED;
}

static void
drop_client(struct http_exchange *exchange, enum error error)
{
	struct http_stream *client = exchange->client;

	for (unsigned way = 0; way < 2; way++) {
		if (exchange->state.pipes[way])
			http_pipe_give(
			    exchange->worker, &exchange->state.pipes[way]);
	}
	exchange->client = NULL;
	exchange->response = NULL;
	http_stream_release(client, error);
	http_exchange_set_phase(exchange, EXCHANGE_DECIDING);
}

/* The attempt has failed before anything final was sent on: what next is the
 * handler's to say. */
static enum exchange_step
fail_attempt(struct http_exchange *exchange, enum error error)
{
	const struct http_stream *client = exchange->client;

	exchange->failed = (struct http_attempt){
	    .reused = client->reused,
	    .fresh = client->fresh,
	    .sent = client->out != HTTP_OUT_HEAD,
	};
	drop_client(exchange, error);
	exchange->handler->on_failure(exchange, error);
	return STEP_ON;
}

/* The request's body is broken or does not come: answer that here, once. */
static enum exchange_step
refuse_body(struct http_exchange *exchange, enum error error, uint16_t status)
{
	struct http_exchange_state *state = &exchange->state;

	drop_client(exchange, ERROR_CANCELLED);
	state->flags |= EXCHANGE_REFUSING;
	state->end_error = error;
	http_exchange_answer(exchange, status, NULL, 0,
	    SLICE("yumen: the request's body was refused\n"));
	return STEP_ON;
}

/* The server stream has failed. A peer that is gone needs no answer. */
static enum exchange_step
fail_request(struct http_exchange *exchange)
{
	struct http_stream *server = exchange->server;
	enum error error = server->failure;
	bool gone = error < ERROR_HTTP_BAD_REQUEST_LINE ||
	    error == ERROR_HTTP_BODY_INCOMPLETE;

	if (gone || exchange->response_started || !exchange->client ||
	    server->out != HTTP_OUT_HEAD)
		return end(exchange, error);
	return refuse_body(exchange, error, (uint16_t)wire_h1_status(error));
}

static bool
has_request_failed(const struct http_exchange *exchange)
{
	const struct http_stream *server = exchange->server;

	return server->out == HTTP_OUT_FAILED ||
	    (server->in == HTTP_IN_FAILED &&
	        !(exchange->state.flags & EXCHANGE_REFUSING));
}

static enum exchange_step
begin_attempt(struct http_exchange *exchange)
{
	struct http_exchange_state *state = &exchange->state;
	struct http_stream *client = state->next_client;

	must(exchange->replayable || http_message_is(client));
	state->next_client = NULL;
	exchange->client = client;
	client->exchange = exchange;
	state->replay_sent = 0;
	state->flags &= ~(uint32_t)(EXCHANGE_REQUEST_ENDED | EXCHANGE_EXPIRED);
	state->flags |= EXCHANGE_PROGRESS;
	http_exchange_set_phase(exchange, EXCHANGE_ATTEMPT);
	enum error error = client->ops->send_head(client, exchange->request);
	if (unlikely(error != ERROR_OK))
		return fail_attempt(exchange, error);
	return STEP_ON;
}

/* Let the client send its body although nobody has asked for it: RFC 9110
 * 10.1.1 allows no more than a wait. */
static void
send_continue(struct http_exchange *exchange)
{
	struct http_stream *server = exchange->server;
	struct wire_head *head = arena_alloc(&exchange->arena, sizeof(*head));

	wire_head_reset(head);
	head->status = 100;
	head->version_minor = 1;
	exchange->state.flags |= EXCHANGE_MAY_PULL;
	if (server->ops->send_head(server, head) == ERROR_OK)
		server->ops->flush(server);
}

static enum exchange_step
expire_attempt(struct http_exchange *exchange)
{
	struct http_stream *server = exchange->server;
	struct metrics *metrics = exchange->worker->metrics;
	struct slice slice;

	switch (exchange->state.watch) {
	case EXCHANGE_WATCH_CONTINUE:
		limit_hit(metrics, LIMIT_CONTINUE_WAIT_MS);
		send_continue(exchange);
		return STEP_ON;
	case EXCHANGE_WATCH_HEAD:
		limit_hit(metrics, LIMIT_RESPONSE_HEAD_MS);
		return fail_attempt(exchange, ERROR_TIMEOUT);
	default:
		break;
	}
	limit_hit(metrics, LIMIT_BODY_PROGRESS_MS);
	/* Whose fault is it? */
	if (server->in == HTTP_IN_BODY &&
	    server->ops->peek(server, &slice, 1) == 0)
		return refuse_body(exchange, ERROR_TIMEOUT, 408);
	return fail_attempt(exchange, ERROR_TIMEOUT);
}

static enum exchange_step
pass_interim(struct http_exchange *exchange)
{
	struct http_stream *client = exchange->client;
	struct http_stream *server = exchange->server;
	const struct http_handler *handler = exchange->handler;
	bool send = true;

	exchange->response = client->head;
	exchange->state.flags |= EXCHANGE_PROGRESS;
	if (client->head->status == 100)
		exchange->state.flags |= EXCHANGE_MAY_PULL;
	else
		send = handler->on_response(exchange);
	if (send && server->ops->send_head(server, client->head) == ERROR_OK)
		server->ops->flush(server);
	exchange->response = NULL;
	client->ops->take_interim(client);
	return STEP_ON;
}

/* RFC 9110 6.6.1: a response that has no Date gets one on its way. */
static void
add_date(struct http_exchange *exchange)
{
	struct wire_head *head = exchange->response;

	if (wire_head_find(head, FIELD_DATE))
		return;
	/* It is written before the worker makes another. */
	(void)wire_head_add_line(head, http_worker_date(exchange->worker));
}

static enum exchange_step
begin_tunnel(struct http_exchange *exchange)
{
	struct http_stream *server = exchange->server;

	if (!slice_is_set(exchange->request->upgrade) ||
	    server->in != HTTP_IN_END)
		return fail_attempt(exchange, ERROR_HTTP_BAD_UPGRADE);
	enum error error = server->ops->send_head(server, exchange->response);
	if (error != ERROR_OK)
		return fail_attempt(exchange, error);
	exchange->status = 101;
	exchange->tunnel = exchange->response_started = true;
	exchange->replayable = false;
	http_exchange_drop_replay(exchange);
	exchange->state.flags &= ~(uint32_t)EXCHANGE_REQUEST_ENDED;
	http_exchange_set_phase(exchange, EXCHANGE_TUNNEL);
	return STEP_ON;
}

static enum exchange_step
begin_response(struct http_exchange *exchange)
{
	struct http_exchange_state *state = &exchange->state;
	struct http_stream *client = exchange->client;
	struct http_stream *server = exchange->server;

	exchange->response = client->head;
	state->flags |= EXCHANGE_PROGRESS;
	if (client->head->status == 101)
		return begin_tunnel(exchange);
	if (!http_message_is(client) &&
	    !exchange->handler->on_response(exchange)) {
		drop_client(exchange, ERROR_CANCELLED);
		return STEP_ON;
	}
	if (state->flags & EXCHANGE_ABORTED)
		return STEP_ON;
	add_date(exchange);
	if (server->in != HTTP_IN_END &&
	    (client->out == HTTP_OUT_FAILED || server->in == HTTP_IN_FAILED ||
	        (http_message_is(client) && !http_message_reflects(client))))
		server->closing = true;
	enum error error = server->ops->send_head(server, exchange->response);
	if (unlikely(error != ERROR_OK))
		return fail_attempt(exchange, error);
	exchange->status = exchange->response->status;
	exchange->response_started = true;
	/* What an attempt has sent is not asked for again. */
	if (state->replay && state->replay_sent == state->replay_bytes)
		http_exchange_drop_replay(exchange);
	exchange->replayable = false;
	http_exchange_set_phase(exchange, EXCHANGE_RESPONSE);
	return STEP_ON;
}

static enum exchange_step
step_attempt(struct http_exchange *exchange)
{
	struct http_exchange_state *state = &exchange->state;

	if (has_request_failed(exchange))
		return fail_request(exchange);
	if (state->flags & EXCHANGE_EXPIRED) {
		state->flags &= ~(uint32_t)EXCHANGE_EXPIRED;
		return expire_attempt(exchange);
	}
	http_exchange_pump_request(exchange);
	if (has_request_failed(exchange))
		return fail_request(exchange);
	switch (exchange->client->in) {
	case HTTP_IN_WAIT:
		return STEP_WAIT;
	case HTTP_IN_INTERIM:
		return pass_interim(exchange);
	case HTTP_IN_BODY:
	case HTTP_IN_END:
		return begin_response(exchange);
	default:
		return fail_attempt(exchange, exchange->client->failure);
	}
}

/* A response, or a tunnel, is on its way. */
static enum exchange_step
step_response(struct http_exchange *exchange)
{
	struct http_exchange_state *state = &exchange->state;
	struct http_stream *server = exchange->server;
	struct http_stream *client = exchange->client;
	bool tunnel = state->phase == EXCHANGE_TUNNEL;

	if (state->flags & EXCHANGE_EXPIRED) {
		limit_hit(exchange->worker->metrics,
		    tunnel ? LIMIT_TUNNEL_IDLE_MS : LIMIT_BODY_PROGRESS_MS);
		return end(exchange, ERROR_TIMEOUT);
	}
	http_exchange_pump_response(exchange);
	if (!(state->flags & EXCHANGE_REQUEST_ENDED) ||
	    client->out == HTTP_OUT_BODY)
		http_exchange_pump_request(exchange);
	if (has_request_failed(exchange))
		return end(exchange, server->failure);
	if (client->in == HTTP_IN_FAILED)
		return end(exchange, client->failure);
	if (server->out != HTTP_OUT_END)
		return STEP_WAIT;
	if (tunnel && client->out == HTTP_OUT_FAILED)
		return end(exchange, client->failure);
	if (tunnel && client->out != HTTP_OUT_END)
		return STEP_WAIT;
	return end(exchange, ERROR_OK);
}

static enum exchange_step
step(struct http_exchange *exchange)
{
	struct http_exchange_state *state = &exchange->state;

	if (unlikely(state->flags & EXCHANGE_ABORTED))
		return end(exchange, state->end_error);
	switch (state->phase) {
	case EXCHANGE_NEW:
		http_exchange_set_phase(exchange, EXCHANGE_DECIDING);
		exchange->handler->on_request(exchange);
		return STEP_ON;
	case EXCHANGE_DECIDING:
		if (has_request_failed(exchange))
			return fail_request(exchange);
		return state->next_client ? begin_attempt(exchange) : STEP_WAIT;
	case EXCHANGE_ATTEMPT:
		return step_attempt(exchange);
	default:
		return step_response(exchange);
	}
}

static void
set_watch(
    struct http_exchange *exchange, enum exchange_watch watch, uint32_t ms)
{
	exchange->state.watch = (uint8_t)watch;
	net_timer_set(exchange->worker->loop, &exchange->state.timer, ms);
}

/* Watch for what has to come next. A wait that has begun goes on, but for
 * progress, which begins it anew. */
static void
watch(struct http_exchange *exchange)
{
	struct http_exchange_state *state = &exchange->state;
	const struct http_stream *server = exchange->server;
	bool progress = state->flags & EXCHANGE_PROGRESS;

	state->flags &= ~(uint32_t)EXCHANGE_PROGRESS;
	if (state->phase == EXCHANGE_DECIDING) {
		state->watch = EXCHANGE_WATCH_NOTHING;
		net_timer_pause(&state->timer);
	} else if (state->phase == EXCHANGE_TUNNEL) {
		if (progress || state->watch != EXCHANGE_WATCH_TUNNEL)
			set_watch(exchange, EXCHANGE_WATCH_TUNNEL,
			    LIMIT_VALUE_TUNNEL_IDLE_MS);
	} else if (state->phase == EXCHANGE_ATTEMPT &&
	    exchange->client->out == HTTP_OUT_END) {
		if (state->watch != EXCHANGE_WATCH_HEAD)
			set_watch(exchange, EXCHANGE_WATCH_HEAD,
			    state->wait_ms ? state->wait_ms
			                   : LIMIT_VALUE_RESPONSE_HEAD_MS);
	} else if (state->phase == EXCHANGE_ATTEMPT &&
	    server->expects_continue && !(state->flags & EXCHANGE_MAY_PULL)) {
		if (state->watch != EXCHANGE_WATCH_CONTINUE)
			set_watch(exchange, EXCHANGE_WATCH_CONTINUE,
			    LIMIT_VALUE_CONTINUE_WAIT_MS);
	} else if (progress || state->watch != EXCHANGE_WATCH_PROGRESS) {
		set_watch(exchange, EXCHANGE_WATCH_PROGRESS,
		    LIMIT_VALUE_BODY_PROGRESS_MS);
	}
}

void
http_exchange_run(struct net_task *task)
{
	struct http_exchange *exchange =
	    container_of(task, struct http_exchange, task);
	struct http_exchange_state *state = &exchange->state;

	state->flags |= EXCHANGE_RUNNING;
	/* Each moves the phase on or takes an interim head, both bounded. */
	enum exchange_step next;
	do
		next = step(exchange);
	while (next == STEP_ON);
	if (next == STEP_ENDED)
		return;
	state->flags &= ~(uint32_t)EXCHANGE_RUNNING;
	watch(exchange);
	if (unlikely(state->flags & EXCHANGE_YIELD)) {
		state->flags &= ~(uint32_t)EXCHANGE_YIELD;
		net_loop_yield(exchange->worker->loop, task);
	}
}

void
http_exchange_expire(struct net_timer *timer)
{
	struct http_exchange *exchange =
	    container_of(timer, struct http_exchange, state.timer);

	exchange->state.flags |= EXCHANGE_EXPIRED;
	http_exchange_wake(exchange);
}
