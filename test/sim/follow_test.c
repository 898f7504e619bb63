/* Following a resource on the simulated loop, from an API server that cuts what
 * it says anywhere, breaks connections, says garbage, forgets where a watch was
 * (410, as a status and as an event), drops pages' tokens, does not know who
 * asks, and is away for a while. Whatever happens, no object is told backwards,
 * once there is calm what was told is what the server has, and nobody asks more
 * often than the waits allow.
 *
 *	sim_follow_test [FIRST [COUNT]]	seeds; a failing one is printed */
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "kube/follow.h"
#include "sim/loop.h"
#include "sim/seeds.h"

enum { SEEDS = 300, STEPS = 150, NAMES = 7, EVENTS = 4096, ROUNDS_MAX = 3000 };

struct event {
	unsigned name;
	bool gone;
};

struct world {
	uint64_t seed;
	struct random random;
	struct net_loop *loop;
	struct kube_access access;
	struct kube_client *client;
	struct kube_follow follow;
	/* the server */
	struct sim_pipe *pipe; /* the connection, or NULL */
	struct text request; /* what came of it */
	unsigned there[NAMES]; /* versions of objects; 0: none */
	struct event events[EVENTS]; /* by version */
	unsigned version, oldest; /* the newest, and the last forgotten */
	unsigned page_version; /* of the list that is under way; 0: none */
	unsigned page_there[NAMES];
	bool watching; /* an answer is under way */
	bool unknown; /* who asks over this connection is not known (401) */
	unsigned watched; /* told up to this version */
	bool calm, away, missing;
	unsigned requests;
	/* what was told */
	unsigned told[NAMES], listed[NAMES];
	bool listing;
};

static unsigned
below(struct world *world, unsigned bound)
{
	return random_below(&world->random, bound);
}

static void
wrong(const struct world *world, const char *what)
{
	printf("sim follow: seed %llu: %s\n", (unsigned long long)world->seed,
	    what);
	exit(1);
}

/* ---- what is told ---- */

static struct world *
of_follow(struct kube_follow *follow)
{
	return container_of(follow, struct world, follow);
}

static void
on_begin(struct kube_follow *follow)
{
	struct world *world = of_follow(follow);

	world->listing = true;
	memset(world->listed, 0, sizeof(world->listed));
}

static void
on_end(struct kube_follow *follow)
{
	struct world *world = of_follow(follow);

	if (!world->listing)
		wrong(world, "a list ends that has not begun");
	world->listing = false;
	memcpy(world->told, world->listed, sizeof(world->told));
}

static unsigned
read_object(
    struct world *world, const struct tree_node *object, unsigned *version)
{
	const struct tree_node *metadata = wire_tree_get(object, "metadata");
	uint64_t name = 0, number = 0;

	if (metadata == NULL ||
	    !slice_to_number(
	        wire_tree_get(metadata, "name")->text, NAMES - 1, &name) ||
	    !slice_to_number(wire_tree_get(metadata, "resourceVersion")->text,
	        UINT32_MAX, &number))
		wrong(world, "an object that the server does not have");
	*version = (unsigned)number;
	return (unsigned)name;
}

static void
on_object(struct kube_follow *follow, struct tree_node *object)
{
	struct world *world = of_follow(follow);
	unsigned version, name = read_object(world, object, &version);

	if (version < world->told[name])
		wrong(world, "an object is told backwards");
	world->told[name] = world->listed[name] = version;
}

static void
on_gone(struct kube_follow *follow, struct tree_node *object)
{
	struct world *world = of_follow(follow);
	unsigned version, name = read_object(world, object, &version);

	if (version < world->told[name])
		wrong(world, "an object goes that came later");
	world->told[name] = 0;
}

static void
on_trouble(struct kube_follow *follow, enum kube_follow_trouble trouble,
    struct slice why)
{
	(void)follow;
	if (trouble != KUBE_FOLLOW_NONE)
		must(why.length > 0);
}

static const struct kube_follow_handler handler = {
    .on_begin = on_begin,
    .on_end = on_end,
    .on_object = on_object,
    .on_gone = on_gone,
    .on_trouble = on_trouble,
};

/* ---- the server ---- */

static void
change(struct world *world)
{
	unsigned name = below(world, NAMES);
	bool gone = world->there[name] != 0 && below(world, 3) == 0;

	if (world->version + 1 >= EVENTS)
		return;
	world->version++;
	world->events[world->version] = (struct event){name, gone};
	world->there[name] = gone ? 0 : world->version;
}

static void
feed(struct world *world, const struct text *text)
{
	if (world->pipe != NULL && !sim_pipe_is_over(world->pipe))
		sim_pipe_feed(world->pipe, text_slice(text));
}

static void
push_object(
    struct world *world, struct text *out, unsigned name, unsigned version)
{
	text_printf(out,
	    "{\"metadata\":{\"name\":\"%u\",\"resourceVersion\":\"%u\"},"
	    "\"spec\":\"",
	    name, version);
	for (unsigned i = below(world, 60); i > 0; i--)
		text_push_string(out, below(world, 4) == 0 ? "\\\"]}{" : "x");
	text_push_string(out, "\"}");
}

static void
push_chunk(struct text *out, struct slice data)
{
	text_printf(out, "%zx\r\n%.*s\r\n", data.length, SLICE_ARGS(data));
}

/* A whole answer, framed in one way or another. */
static void
answer(struct world *world, unsigned status, const struct text *body)
{
	struct text out;

	text_init(&out);
	text_printf(&out, "HTTP/1.1 %u X\r\n", status);
	if (below(world, 3) == 0) {
		text_printf(&out, "Content-Length: %zu\r\n\r\n", body->length);
		text_push(&out, text_slice(body));
	} else {
		struct slice rest = text_slice(body);

		text_push_string(&out, "Transfer-Encoding: chunked\r\n\r\n");
		while (rest.length > 0) {
			size_t length = 1 + below(world, (unsigned)rest.length);

			push_chunk(&out, slice_make(rest.data, length));
			rest = slice_skip(rest, length);
		}
		text_push_string(&out, "0\r\n\r\n");
	}
	feed(world, &out);
	text_fini(&out);
}

static void
answer_status(struct world *world, unsigned status)
{
	struct text body;

	text_init(&body);
	text_printf(&body,
	    "{\"kind\":\"Status\",\"code\":%u,\"message\":\"no\"}", status);
	answer(world, status, &body);
	text_fini(&body);
}

/* Pages of two objects. */
static void
answer_list(struct world *world, struct slice target)
{
	struct slice mark = SLICE("&continue=");
	unsigned from = 0, count = 0, i;
	struct text body;

	for (size_t at = 0; at + mark.length < target.length; at++)
		if (slice_starts_with(slice_skip(target, at), mark))
			from = (unsigned)(target.data[at + mark.length] - '0');
	if (from > 0 &&
	    (world->page_version == 0 ||
	        (!world->calm && below(world, 8) == 0))) {
		answer_status(world, 410);
		return;
	}
	if (from == 0) {
		world->page_version = world->version;
		memcpy(world->page_there, world->there, sizeof(world->there));
	}
	text_init(&body);
	text_push_string(&body, "{\"items\":[");
	for (i = from; i < NAMES && count < 2; i++)
		if (world->page_there[i] != 0) {
			if (count++ > 0)
				text_push_byte(&body, ',');
			push_object(world, &body, i, world->page_there[i]);
		}
	text_printf(&body, "],\"metadata\":{\"resourceVersion\":\"%u\"",
	    world->page_version + 1000000);
	if (i < NAMES)
		text_printf(&body, ",\"continue\":\"%u\"", i);
	text_push_string(&body, "}}");
	answer(world, 200, &body);
	text_fini(&body);
}

static void
begin_watch(struct world *world, struct slice target)
{
	struct slice mark = SLICE("resourceVersion="), rest;
	uint64_t version = 0;
	struct text out;

	for (size_t at = 0; at + mark.length < target.length; at++) {
		rest = slice_skip(target, at);
		if (!slice_starts_with(rest, mark))
			continue;
		rest = slice_skip(rest, mark.length);
		rest.length = slice_find(rest, '&');
		if (!slice_to_number(rest, UINT32_MAX, &version))
			wrong(world, "a watch from nowhere");
	}
	/* Versions of lists are marked, as what they mean is the server's. */
	if (version >= 1000000)
		version -= 1000000;
	if (version > world->version)
		wrong(world, "a watch from what is to come");
	if (version < world->oldest && below(world, 2) == 0) {
		answer_status(world, 410);
		return;
	}
	text_init(&out);
	text_push_string(
	    &out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	if (version < world->oldest) {
		push_chunk(&out,
		    SLICE("{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n"));
		text_push_string(&out, "0\r\n\r\n");
	} else {
		world->watching = true;
		world->watched = (unsigned)version;
	}
	feed(world, &out);
	text_fini(&out);
}

static void
answer_request(struct world *world, struct slice line)
{
	struct slice target = slice_skip(line, 4);
	bool is_watch = false;

	target.length = slice_find(target, ' ');
	for (size_t at = 0; at + 7 < target.length; at++)
		is_watch |= memcmp(target.data + at, "watch=1", 7) == 0;
	if (world->watching)
		wrong(world, "a request before its answer ended");
	if (world->unknown)
		wrong(world, "asked again with what was not known");
	world->requests++;
	if (!world->calm && below(world, 20) == 0) {
		world->unknown = true;
		answer_status(world, 401);
	} else if (!world->calm && below(world, 12) == 0) {
		answer_status(world, 500 + below(world, 4));
	} else if (world->missing) {
		answer_status(world, 404);
	} else if (is_watch) {
		begin_watch(world, target);
	} else {
		answer_list(world, target);
	}
}

static void
take_request(struct world *world)
{
	struct slice written = sim_pipe_written(world->pipe), request;

	text_push(&world->request, written);
	if (written.length > 0)
		sim_pipe_take(world->pipe, written.length);
	request = text_slice(&world->request);
	if (!slice_ends_with(request, SLICE("\r\n\r\n")))
		return;
	answer_request(
	    world, slice_make(request.data, slice_find(request, '\r')));
	text_reset(&world->request);
}

static void
tell_events(struct world *world)
{
	struct text out, event;

	if (!world->watching || sim_pipe_is_over(world->pipe))
		return;
	text_init(&out);
	text_init(&event);
	while (world->watched < world->version &&
	    (world->calm || below(world, 4) > 0)) {
		unsigned version = ++world->watched;
		const struct event *at = &world->events[version];

		text_reset(&event);
		text_printf(&event, "{\"type\":\"%s\",\"object\":",
		    at->gone ? "DELETED" : "MODIFIED");
		push_object(world, &event, at->name, version);
		text_push_string(&event, "}\n");
		push_chunk(&out, text_slice(&event));
	}
	if (below(world, 5) == 0) {
		text_reset(&event);
		text_printf(&event,
		    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
		    "\"resourceVersion\":\"%u\"}}}\n",
		    world->watched);
		push_chunk(&out, text_slice(&event));
	}
	if (!world->calm && below(world, 25) == 0) {
		push_chunk(&out, SLICE("{\"type\":nonsense}\n"));
	} else if (!world->calm && below(world, 25) == 0) {
		text_push_string(&out, "0\r\n\r\n");
		world->watching = false;
	}
	feed(world, &out);
	text_fini(&out);
	text_fini(&event);
}

static void
cut(struct world *world)
{
	if (world->pipe == NULL)
		return;
	if (!sim_pipe_is_over(world->pipe)) {
		if (below(world, 2) == 0)
			sim_pipe_reset(world->pipe);
		else
			sim_pipe_end(world->pipe);
	}
	sim_loop_settle(world->loop);
	if (sim_pipe_is_closed(world->pipe)) {
		sim_pipe_free(world->pipe);
		world->pipe = NULL;
	}
	world->watching = false;
}

static void
serve(struct world *world)
{
	struct net_address address;

	if (world->pipe != NULL && sim_pipe_is_closed(world->pipe)) {
		sim_pipe_free(world->pipe);
		world->pipe = NULL;
		world->watching = false;
	}
	if (world->pipe == NULL) {
		world->pipe = sim_loop_take_connect(world->loop, &address);
		world->watching = false;
		world->unknown = false;
		text_reset(&world->request);
		if (world->pipe == NULL)
			return;
		if (world->away) {
			sim_pipe_refuse(world->pipe, ERROR_REFUSED);
			sim_loop_settle(world->loop);
			world->requests++;
			if (sim_pipe_is_closed(world->pipe))
				sim_pipe_free(world->pipe);
			world->pipe = NULL;
			return;
		}
		sim_pipe_accept(world->pipe);
		sim_loop_settle(world->loop);
	}
	if (sim_pipe_is_over(world->pipe))
		return;
	take_request(world);
	tell_events(world);
	sim_loop_settle(world->loop);
}

/* ---- a run ---- */

static void
step(struct world *world)
{
	for (unsigned i = below(world, 4); i > 0; i--)
		change(world);
	if (below(world, 20) == 0)
		world->oldest = world->version;
	if (below(world, 30) == 0)
		world->away = !world->away;
	if (below(world, 15) == 0 || world->away)
		cut(world);
	/* A change of CRDs: whatever was there is not, for long. */
	serve(world);
	if (below(world, 3) == 0)
		sim_loop_pass(world->loop, below(world, 3000));
	serve(world);
}

static bool
is_same(const struct world *world)
{
	return !world->listing &&
	    memcmp(world->told, world->there, sizeof(world->told)) == 0;
}

/* However the server fails, it is asked no more often than a wait allows. */
static void
check_storm(struct world *world)
{
	unsigned before = world->requests;

	world->away = true;
	cut(world);
	for (unsigned i = 0; i < 600; i++) {
		serve(world);
		sim_loop_pass(world->loop, 100);
	}
	/* A minute: waits of 200 ms that double to 5 s, at least half of each.
	 */
	if (world->requests - before > 40)
		wrong(world, "a storm");
	if (world->requests == before)
		wrong(world, "nobody asks any more");
	world->away = false;
}

static void
come_to_rest(struct world *world)
{
	world->calm = true;
	world->away = false;
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		serve(world);
		if (is_same(world) && world->watching &&
		    world->watched == world->version)
			return;
		sim_loop_pass(world->loop, 50);
	}
	wrong(world, "what was told is not what the server has");
}

/* A kind that goes: what was of it is gone, and comes back. */
static void
check_missing(struct world *world)
{
	static const unsigned none[NAMES];

	world->missing = true;
	world->oldest = world->version + 1;
	cut(world);
	for (unsigned i = 0;
	     i < ROUNDS_MAX && memcmp(world->told, none, sizeof(none)) != 0;
	     i++) {
		serve(world);
		sim_loop_pass(world->loop, 50);
	}
	if (memcmp(world->told, none, sizeof(none)) != 0)
		wrong(world, "objects of a kind that is gone");
	world->missing = false;
	world->oldest = world->version;
	come_to_rest(world);
}

static void
run(uint64_t seed)
{
	struct world world = {.seed = seed,
	    .access = {.host = "127.0.0.1", .port = 80, .plain = true}};
	struct kube_follow_options options = {.roots = {"/apis/g/v1/things"}};

	random_init_seed(&world.random, seed);
	world.access.prefix = SLICE("");
	text_init(&world.request);
	world.loop = sim_loop_new(seed);
	struct sim_manner manner = sim_loop_draw_manner(world.loop);

	manner.splice = false;
	sim_loop_set_manner(world.loop, &manner);
	must(kube_client_new(world.loop, &world.access, &world.client) ==
	    ERROR_OK);
	kube_follow_init(&world.follow, world.client, &options, &handler);
	for (unsigned i = 0; i < STEPS; i++)
		step(&world);
	come_to_rest(&world);
	check_storm(&world);
	come_to_rest(&world);
	check_missing(&world);
	kube_follow_fini(&world.follow);
	kube_client_free(&world.client);
	sim_loop_settle(world.loop);
	if (sim_loop_open_count(world.loop) > 0)
		wrong(&world, "a stream is still open");
	if (sim_loop_pending_count(world.loop) > 0)
		wrong(&world, "a timer or a task is left");
	net_loop_free(world.loop);
	text_fini(&world.request);
}

int
main(int argc, char **argv)
{
	return sim_seeds(argc, argv, "follow", SEEDS, run);
}
