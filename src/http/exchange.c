/* The exchange: its life and what handlers ask of it. Its work is done in steps
 * (exchange_step.c), bodies are moved by exchange_pump.c. */
#include "http/exchange.h"

#include "core/memory.h"
#include "core/must.h"
#include "http/exchange_priv.h"
#include "http/message.h"
#include "http/worker_priv.h"

enum { ARENA_BYTES = 1024 };

#define BIT(phase) (1u << (phase))
static const unsigned moves[] = {
    [EXCHANGE_NEW] = BIT(EXCHANGE_DECIDING) | BIT(EXCHANGE_ENDED),
    [EXCHANGE_DECIDING] = BIT(EXCHANGE_ATTEMPT) | BIT(EXCHANGE_ENDED),
    [EXCHANGE_ATTEMPT] = BIT(EXCHANGE_DECIDING) | BIT(EXCHANGE_RESPONSE) |
        BIT(EXCHANGE_TUNNEL) | BIT(EXCHANGE_ENDED),
    [EXCHANGE_RESPONSE] = BIT(EXCHANGE_ENDED),
    [EXCHANGE_TUNNEL] = BIT(EXCHANGE_ENDED),
    [EXCHANGE_ENDED] = 0,
};

void
http_exchange_set_phase(
    struct http_exchange *exchange, enum exchange_phase phase)
{
	must(moves[exchange->state.phase] & BIT(phase));
	exchange->state.phase = (uint8_t)phase;
}

static struct http_exchange *
take(struct http_worker *worker)
{
	struct http_connection_pools *pools = worker->pools;
	struct http_exchange *exchange = pools->free_exchanges;

	if (likely(exchange)) {
		pools->free_exchanges = exchange->state.next_free;
		pools->free_exchange_count--;
		return exchange;
	}
	exchange = memory_zero(1, sizeof(*exchange));
	net_task_init(&exchange->task, http_exchange_run);
	net_timer_init(&exchange->state.timer, http_exchange_expire);
	arena_init(&exchange->arena, ARENA_BYTES);
	exchange->worker = worker;
	return exchange;
}

struct http_exchange *
http_exchange_new(struct http_worker *worker,
    const struct http_handler *handler, void *handler_context,
    struct http_stream *server)
{
	must(server->in == HTTP_IN_BODY || server->in == HTTP_IN_END);
	struct http_exchange *exchange = take(worker);
	struct http_exchange_state *state = &exchange->state;

	exchange->handler = handler;
	exchange->handler_context = handler_context;
	exchange->handler_state = NULL;
	exchange->server = server;
	exchange->client = NULL;
	exchange->request = server->head;
	exchange->response = NULL;
	exchange->started_ms = net_loop_now_ms(worker->loop);
	exchange->request_body_bytes = exchange->response_body_bytes = 0;
	exchange->status = 0;
	exchange->replayable = true;
	exchange->response_started = exchange->tunnel = false;
	exchange->failed = (struct http_attempt){0};
	state->next_client = NULL;
	state->replay = NULL;
	state->replay_bytes = state->replay_sent = 0;
	state->pipes[0] = state->pipes[1] = NULL;
	state->wait_ms = 0;
	state->flags = 0;
	state->phase = EXCHANGE_NEW;
	state->watch = EXCHANGE_WATCH_NOTHING;
	state->end_error = ERROR_OK;
	server->exchange = exchange;
	worker->pools->exchange_count++;
	metric_add(worker->metrics, METRIC_REQUESTS_ACTIVE, 1);
	net_loop_defer(worker->loop, &exchange->task);
	return exchange;
}

static void
give(struct http_exchange *exchange)
{
	struct http_connection_pools *pools = exchange->worker->pools;

	pools->exchange_count--;
	arena_reset(&exchange->arena);
	if (unlikely(pools->free_exchange_count >= HTTP_FREE_MAX)) {
		net_timer_clear(&exchange->state.timer);
		arena_fini(&exchange->arena);
		memory_free(exchange);
		return;
	}
	exchange->state.next_free = pools->free_exchanges;
	pools->free_exchanges = exchange;
	pools->free_exchange_count++;
}

void
http_exchange_finish(struct http_exchange *exchange, enum error error)
{
	struct http_exchange_state *state = &exchange->state;
	struct http_worker *worker = exchange->worker;
	struct metrics *metrics = worker->metrics;
	/* An answer to a broken body went out in good order. */
	bool refused = error == ERROR_OK && (state->flags & EXCHANGE_REFUSING);

	http_exchange_set_phase(exchange, EXCHANGE_ENDED);
	net_timer_pause(&state->timer);
	net_task_cancel(worker->loop, &exchange->task);
	exchange->handler->on_end(exchange, refused ? state->end_error : error);
	metric_subtract(metrics, METRIC_REQUESTS_ACTIVE, 1);
	if (exchange->request_body_bytes > 0)
		metric_add(metrics, METRIC_REQUEST_BODY_BYTES,
		    exchange->request_body_bytes);
	if (exchange->response_body_bytes > 0)
		metric_add(metrics, METRIC_RESPONSE_BODY_BYTES,
		    exchange->response_body_bytes);
	for (unsigned way = 0; way < 2; way++) {
		if (state->pipes[way])
			http_pipe_give(worker, &state->pipes[way]);
	}
	http_exchange_drop_replay(exchange);
	if (state->next_client)
		http_stream_release(state->next_client, ERROR_CANCELLED);
	if (exchange->client)
		http_stream_release(exchange->client, error);
	http_stream_release(exchange->server, error);
	give(exchange);
}

void
http_exchange_forward(struct http_exchange *exchange,
    struct http_stream *client, uint32_t wait_ms)
{
	struct http_exchange_state *state = &exchange->state;

	must(client && !state->next_client);
	must(state->phase == EXCHANGE_DECIDING ||
	    state->phase == EXCHANGE_ATTEMPT);
	state->next_client = client;
	state->wait_ms = wait_ms;
	http_exchange_wake(exchange);
}

void
http_exchange_answer(struct http_exchange *exchange, uint16_t status,
    const struct field *fields, unsigned field_count, struct slice body)
{
	struct arena *arena = &exchange->arena;
	struct field *copies = NULL;

	if (field_count > 0)
		copies = arena_zero(arena, field_count, sizeof(*copies));
	for (unsigned i = 0; i < field_count; i++) {
		copies[i] = fields[i];
		copies[i].name = arena_copy(arena, field_name(&fields[i])).data;
		copies[i].value =
		    arena_copy(arena, field_value(&fields[i])).data;
	}
	http_exchange_forward(exchange,
	    http_message_answer(
	        exchange, status, copies, field_count, arena_copy(arena, body)),
	    0);
}

void
http_exchange_wake(struct http_exchange *exchange)
{
	if (!(exchange->state.flags & EXCHANGE_RUNNING))
		net_loop_defer(exchange->worker->loop, &exchange->task);
}

void
http_exchange_abort(struct http_exchange *exchange, enum error error)
{
	must(error != ERROR_OK);
	exchange->state.flags |= EXCHANGE_ABORTED;
	exchange->state.end_error = error;
	http_exchange_wake(exchange);
}
