/* A run: who acts when, what goes wrong when, and how it ends. */
#include "sim/http_world.h"

#include <stdio.h>

#include "core/memory.h"
#include "core/must.h"

enum { ROUNDS_MAX = 400000 };

void
sim_wrong(struct sim_world *world, const char *format, ...)
{
	va_list arguments;
	if (world->wrong[0])
		return;
	va_start(arguments, format);
	vsnprintf(world->wrong, sizeof(world->wrong), format, arguments);
	va_end(arguments);
}

static unsigned
below(struct sim_world *world, unsigned bound)
{
	return random_below(world->random, bound);
}

static bool
is_slow(const struct sim_manner *manner)
{
	return (manner->arrive_bytes_max && manner->arrive_bytes_max < 100) ||
	    (manner->accept_bytes_max && manner->accept_bytes_max < 100) ||
	    (manner->window_bytes && manner->window_bytes < 200);
}

static size_t
draw_bytes(struct sim_world *world, uint32_t most)
{
	if (most == 0)
		return 0;
	if (most == SIM_HUGE)
		return below(world, 8) ? SIM_SMALL : SIM_HUGE;
	if (world->scenario->is_large && most == SIM_LARGE)
		return most - below(world, most / 4);
	if (is_slow(&world->manner) && most > 3000)
		most = 3000;
	return 1 + (below(world, most) >> (below(world, 2) * below(world, 8)));
}

static void
draw_manner(struct sim_world *world)
{
	struct sim_manner *manner = &world->manner;
	*manner = sim_loop_draw_manner(world->loop);
	if (world->scenario->turns[0].answer_bytes == SIM_HUGE)
		*manner = (struct sim_manner){.splice = below(world, 2)};
	if (!world->scenario->is_large)
		return;
	manner->arrive_bytes_max = below(world, 2) * 5000;
	manner->accept_bytes_max = below(world, 2) * 5000;
	manner->window_bytes = 4096;
}

static void
draw_fault(struct sim_world *world)
{
	struct sim_fault *fault = &world->fault;
	if (world->scenario->no_faults || below(world, 2))
		return;
	fault->kind = below(world, FAULT__COUNT);
	/* The toy is no service and has no patience to lose. */
	if (world->toy_client &&
	    (fault->kind == FAULT_DRAIN || fault->kind == FAULT_ABORT ||
	        fault->kind == FAULT_CLIENT_STALL))
		fault->kind = FAULT_NONE;
	fault->calls =
	    below(world, 2) * (1 + below(world, 4u << below(world, 6)));
	fault->which = below(world, 3);
	fault->round = below(world, 8u << below(world, 8));
}

static void
draw(struct sim_world *world)
{
	unsigned toy = world->scenario->toy;
	world->toy_client = (toy & TOY_CLIENT) && below(world, 3) == 0;
	world->toy_backend = (toy & TOY_BACKEND) && below(world, 3) == 0;
	draw_manner(world);
	draw_fault(world);
	world->in_turn = world->scenario->in_turn || below(world, 2);
	world->delay_ms = below(world, 4) ? 0 : 5;
	world->turn_count = sim_turn_count(world->scenario);
	for (unsigned i = 0; i < world->turn_count; i++) {
		const struct sim_turn *row = &world->scenario->turns[i];
		world->request_bytes[i] = draw_bytes(world, row->bytes);
		world->answer_bytes[i] = draw_bytes(world, row->answer_bytes);
		world->fill_bytes[i] =
		    is_slow(&world->manner) ? row->fill / 20 : row->fill;
	}
}

static void
begin(struct sim_world *world)
{
	struct net_address none = {0};
	metrics_init(&world->metrics);
	must(http_worker_init(&world->worker, world->loop, &world->metrics) ==
	    ERROR_OK);
	http_service_init(
	    &world->service, &world->worker, &sim_http_handler, world);
	list_init(&world->idle_links);
	sim_loop_set_manner(world->loop, &world->manner);
	world->client.pipe = sim_pipe_new(world->loop);
	sim_client_begin(world);
	int fd = sim_pipe_fd(world->client.pipe);
	if (world->toy_client)
		toy_server_open(&world->worker, &sim_http_handler, world, fd,
		    &world->toy_count);
	else
		must(http_server_open(&world->service, fd, &none, &none) ==
		    ERROR_OK);
	if (world->fault.kind == FAULT_CLIENT_RESET)
		sim_pipe_reset_at(world->client.pipe, world->fault.calls);
	if (world->fault.kind == FAULT_CLIENT_END)
		sim_pipe_end_at(world->client.pipe, world->fault.calls);
}

static void
meddle_with_backend(struct sim_world *world)
{
	if (world->fault.which >= world->backend_count)
		return;
	struct sim_pipe *pipe = world->backends[world->fault.which].pipe;
	if (world->fault.kind == FAULT_BACKEND_RESET)
		sim_pipe_reset(pipe);
	else
		sim_pipe_end(pipe);
}

/* What comes at a time of its own. */
static void
meddle(struct sim_world *world)
{
	if (world->round != world->fault.round)
		return;
	switch (world->fault.kind) {
	case FAULT_CLIENT_RESET:
		if (world->fault.calls == 0)
			sim_pipe_reset(world->client.pipe);
		break;
	case FAULT_CLIENT_END:
		if (world->fault.calls == 0)
			sim_pipe_end(world->client.pipe);
		break;
	case FAULT_BACKEND_RESET:
	case FAULT_BACKEND_END:
		if (world->fault.calls == 0)
			meddle_with_backend(world);
		break;
	case FAULT_CLIENT_STALL:
		world->client.stalled = true;
		break;
	case FAULT_BACKEND_STALL:
		if (world->fault.which < world->backend_count)
			world->backends[world->fault.which].stalled = true;
		break;
	case FAULT_DRAIN:
		http_service_drain(&world->service);
		world->drained = true;
		world->drained_at = world->client.fed;
		world->worker.draining = below(world, 2);
		break;
	case FAULT_ABORT:
		http_service_abort(&world->service);
		break;
	default:
		break;
	}
}

static size_t
bytes_in_use(const struct http_buffers *buffers)
{
	size_t head = sizeof(struct http_buffer);
	return buffers->bytes -
	    buffers->small.count * (head + HTTP_BUFFER_SMALL) -
	    buffers->large.count * (head + HTTP_BUFFER_LARGE);
}

/* A head, an input and an output on either side, of which the inputs may be
 * large, all where heads are; and what is kept to be sent again. */
static void
check_buffers(struct sim_world *world)
{
	static const size_t small =
	    sizeof(struct http_buffer) + HTTP_BUFFER_SMALL;
	static const size_t large =
	    sizeof(struct http_buffer) + HTTP_BUFFER_LARGE;
	size_t bytes = bytes_in_use(&world->worker.buffers);
	size_t most = 4 * small + 3 * large;
	if (world->scenario->turns[0].fill > 0)
		most = 7 * large;
	else if (world->client.in_tunnel)
		most = 4 * small + 2 * large;
	if (bytes > most)
		sim_wrong(world, "%zu bytes of buffers in use", bytes);
}

static bool
act(struct sim_world *world)
{
	bool acted = sim_client_act(world);
	acted |= sim_backend_begin(world);
	for (unsigned i = 0; i < world->backend_count; i++)
		acted |= sim_backend_act(world, &world->backends[i]);
	for (unsigned steps = 1 + below(world, 3); steps > 0; steps--)
		acted |= sim_loop_step(world->loop);
	return acted;
}

static bool
think(struct sim_world *world)
{
	bool thought = sim_client_think(world);
	for (unsigned i = 0; i < world->backend_count; i++)
		thought |= sim_backend_think(world, &world->backends[i]);
	return thought;
}

/* The client has all it wanted. It may go in three ways. */
static void
finish(struct sim_world *world)
{
	struct sim_pipe *pipe = world->client.pipe;
	bool rests = !sim_pipe_is_over(pipe) && !sim_pipe_is_ended(pipe);
	if (rests && bytes_in_use(&world->worker.buffers) > 0)
		sim_wrong(world, "a connection at rest holds buffers");
	unsigned habits = world->scenario->turns[world->turn_count - 1].habits;
	if (habits & LOCAL_DRAIN)
		http_service_drain(&world->service);
	if (sim_pipe_is_over(pipe) || (habits & (LOCAL_DRAIN | CLIENT_RESTS)))
		return;
	switch (below(world, world->toy_client ? 2 : 3)) {
	case 0:
		sim_pipe_end(pipe);
		break;
	case 1:
		sim_pipe_reset(pipe);
		break;
	default:
		break; /* until the keep-alive ends */
	}
}

/* Nothing moves any more: what is over is given up, what rests is small. */
static unsigned
connection_count(const struct sim_world *world)
{
	return world->service.connection_count + world->toy_count;
}

static void
check_still(struct sim_world *world)
{
	const struct sim_client *client = &world->client;
	size_t heads = 2 * (sizeof(struct http_buffer) + HTTP_BUFFER_SMALL);
	if (sim_pipe_is_over(client->pipe) && client->saw_end &&
	    !sim_pipe_is_closed(client->pipe))
		sim_wrong(world, "both have ended, and it is not closed");
	if (sim_pipe_is_reset(client->pipe) &&
	    !sim_pipe_is_closed(client->pipe))
		sim_wrong(world, "the client is gone, and it is not closed");
	if (client->in_tunnel && world->fault.kind == FAULT_NONE &&
	    bytes_in_use(&world->worker.buffers) > heads)
		sim_wrong(world, "%zu bytes for a tunnel at rest",
		    bytes_in_use(&world->worker.buffers));
}

static void
run(struct sim_world *world)
{
	bool finished = false, no_timers = false;
	for (; !world->wrong[0]; world->round++) {
		if (world->round == ROUNDS_MAX) {
			sim_wrong(world, "it does not end");
			return;
		}
		meddle(world);
		bool acted = act(world);
		check_buffers(world);
		if (!acted || below(world, 4) == 0)
			acted |= think(world);
		if (acted) {
			if (below(world, 16) == 0)
				sim_loop_pass(world->loop, below(world, 20));
			continue;
		}
		check_still(world);
		if (finished)
			sim_links_close(world);
		/* The toy never closes a connection because it rests. */
		if (!finished && (sim_client_is_done(world) || no_timers)) {
			finish(world);
			finished = true;
		} else if (connection_count(world) == 0 &&
		    world->link_count == 0) {
			return;
		} else if (!sim_loop_jump(world->loop)) {
			if (world->toy_client && !finished) {
				no_timers = true;
				continue;
			}
			finished = true;
			if (world->link_count == 0 ||
			    list_is_empty(&world->idle_links))
				return;
		}
	}
}

static uint64_t
gauge(const struct sim_world *world, enum metric metric)
{
	return atomic_load(&world->metrics.values[metric]);
}

/* Nothing is left of it. */
static void
check_rest(struct sim_world *world)
{
	if (connection_count(world) > 0 || world->link_count > 0)
		sim_wrong(world, "%u connections and %u links are left",
		    connection_count(world), world->link_count);
	if (gauge(world, METRIC_REQUESTS_ACTIVE) > 0)
		sim_wrong(world, "an exchange is left");
	if (gauge(world, METRIC_CONNECTIONS_OPEN) > 0 ||
	    gauge(world, METRIC_BACKEND_CONNECTIONS_OPEN) > 0)
		sim_wrong(world, "a connection is left");
	if (bytes_in_use(&world->worker.buffers) > 0)
		sim_wrong(world, "a buffer is left");
	if (sim_loop_open_count(world->loop) > 0)
		sim_wrong(world, "a pipe is left open");
}

static void
end(struct sim_world *world)
{
	http_service_abort(&world->service);
	sim_links_close(world);
	sim_loop_settle(world->loop);
	http_worker_fini(&world->worker);
	if (sim_loop_pending_count(world->loop) > 0)
		sim_wrong(world, "a timer or a task is left");
	metrics_fini(&world->metrics);
	if (sim_loop_open_count(world->loop) == 0) /* else it was told */
		net_loop_free(world->loop);
	text_fini(&world->client.in);
	text_fini(&world->client.out);
	for (unsigned i = 0; i < world->backend_count; i++) {
		text_fini(&world->backends[i].in);
		text_fini(&world->backends[i].out);
	}
}

static void
print(const char *what, const struct text *text)
{
	struct slice s = text_slice(text);
	size_t length = s.length < 1000 ? s.length : 1000;
	fprintf(stderr, "--- %s, %zu bytes:\n", what, s.length);
	for (size_t i = 0; i < length; i++) {
		char c = s.data[i];
		bool shows = (c >= ' ' && c <= '~') || c == '\n';
		if (c != '\r')
			fputc(shows ? c : '?', stderr);
	}
	fputc('\n', stderr);
}

static void
print_all(const struct sim_world *world)
{
	fprintf(stderr, "toys: %d %d\n", world->toy_client, world->toy_backend);
	print("the client has for all to send", &world->client.out);
	fprintf(stderr, "of which it sent %zu\n", world->client.fed);
	print("the client got", &world->client.in);
	for (unsigned i = 0; i < world->backend_count; i++) {
		print("a backend got", &world->backends[i].in);
		print("and said", &world->backends[i].out);
	}
}

bool
sim_world_run(struct sim_world *world, const struct sim_scenario *scenario,
    uint64_t seed, bool prints)
{
	memset(world, 0, sizeof(*world));
	world->scenario = scenario;
	world->seed = seed;
	world->loop = sim_loop_new(seed);
	world->random = sim_loop_random(world->loop);
	draw(world);
	begin(world);
	run(world);
	sim_loop_settle(world->loop);
	if (!world->wrong[0])
		check_rest(world);
	if (!world->wrong[0])
		sim_judge(world);
	if (prints)
		print_all(world);
	end(world);
	return !world->wrong[0];
}
