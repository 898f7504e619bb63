/* The stream on the simulated loop: a server with a ctl that changes units at
 * random, a client with an agent that takes its time, and between them a relay
 * that cuts what they write anywhere and breaks connections; the client is
 * killed now and then and begins from its copy. Now and then another is said to
 * lead: it is the same server, at another address. Whatever happens, once there
 * is calm the agent has what its Gateway's view has, ctl waits for nobody, and
 * the client is where the leader is.
 *
 *	sim_stream_test [FIRST [COUNT]]	seeds; a failing one is printed */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/map.h"
#include "core/memory.h"
#include "core/must.h"
#include "sim/loop.h"
#include "sim/seeds.h"
#include "stream/client.h"
#include "stream/server.h"
#include "stream/views.h"
#include "wire/record_binary.h"

enum { SEEDS = 600, STEPS = 60, ROUNDS_MAX = 20000, NAMES = 6 };

#define GATEWAY SLICE("ns/gw")

struct unit_held {
	struct unit_digest digest;
	char name[64];
};

struct world {
	uint64_t seed;
	struct random random;
	struct net_loop *loop;
	struct feed *ctl_feed, *agent_feed;
	struct stream_server *server;
	struct stream_client *client;
	struct sim_pipe *pipes[2]; /* client's, server's; NULL: none */
	char copy[64];
	/* ctl */
	struct stream_views *views; /* all units, as they must be */
	struct map offered; /* name -> struct unit_held */
	struct feed_generation generation;
	bool has_offered;
	bool waits; /* for the Gateway */
	bool elsewhere; /* the leader is: the client is told to go there */
	struct feed_generation confirmed;
	/* agent */
	struct map held; /* name -> struct unit_held */
	struct feed_generation told; /* by the last batch */
	bool whole, owes; /* a confirmation */
};

static unsigned
below(struct world *world, unsigned bound)
{
	return random_below(&world->random, bound);
}

static void
wrong(const struct world *world, const char *what)
{
	printf("sim stream: seed %llu: %s\n", (unsigned long long)world->seed,
	    what);
	exit(1);
}

/* ---- ctl ---- */

static void
forget(struct map *map, struct slice name)
{
	memory_free(map_remove(map, name));
}

static void
hold(struct map *map, struct slice name, struct slice bytes)
{
	struct unit_held *held = memory_zero(1, sizeof(*held));

	must(name.length < sizeof(held->name));
	forget(map, name);
	held->digest = snap_unit_digest(name, bytes);
	memcpy(held->name, name.data, name.length);
	map_put(map, slice_make(held->name, name.length), held);
}

static void
forget_all(struct map *map)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(map, &at, &name, &value);)
		memory_free(value);
	map_fini(map);
	map_init(map);
}

static struct feed_generation
sum_of(const struct map *map)
{
	struct feed_generation sum = {0};
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(map, &at, &name, &value);)
		feed_generation_add(&sum, &((struct unit_held *)value)->digest);
	return sum;
}

static void
offer_put(struct world *world, struct feed_batch *batch, const char *name,
    const struct record_type *type, const void *record)
{
	struct text bytes;

	text_init(&bytes);
	wire_record_encode(&bytes, type, record);
	feed_batch_put(batch, slice_from_string(name), text_slice(&bytes));
	hold(&world->offered, slice_from_string(name), text_slice(&bytes));
	must(stream_views_put(world->views, slice_from_string(name),
	         text_slice(&bytes)) == ERROR_OK);
	text_fini(&bytes);
}

static void
offer_route(struct world *world, struct feed_batch *batch, const char *name)
{
	char target[64];
	struct slice listeners[] = {SLICE("listener/ns/gw/http")};
	struct unit_backend backends[] = {{.port = 80, .weight = 1}};
	struct unit_rule rules[] = {{.identity = SLICE("r"),
	    .backends = backends,
	    .backends_count = 1}};
	struct unit_route route = {
	    .listeners = listeners,
	    .listeners_count = below(world, 4) > 0,
	    .rules = rules,
	    .rules_count = 1,
	};

	snprintf(target, sizeof(target), "service/ns/%u", below(world, NAMES));
	backends[0].target = slice_from_string(target);
	offer_put(world, batch, name, &unit_route_type, &route);
}

static void
offer_service(struct world *world, struct feed_batch *batch, const char *name)
{
	struct unit_service_port ports[200];
	struct unit_service service = {
	    .ports = ports,
	    /* Also frames that take many reads. */
	    .ports_count = below(world, 8) == 0 ? 200 : 1,
	};

	for (unsigned i = 0; i < service.ports_count; i++)
		ports[i] = (struct unit_service_port){
		    .number = 1 + below(world, 60000)};
	offer_put(world, batch, name, &unit_service_type, &service);
}

static void
offer_any(struct world *world, struct feed_batch *batch)
{
	unsigned which = below(world, 5), number = below(world, NAMES);
	struct unit_listener listener = {
	    .gateway_namespace = SLICE("ns"),
	    .gateway_name = SLICE("gw"),
	    .name = SLICE("http"),
	    .port = 1 + below(world, 3),
	    .protocol = UNIT_PROTOCOL_HTTP,
	};
	char name[64];

	snprintf(name, sizeof(name), "%s/%u",
	    which < 2 ? "route/HTTPRoute/ns" : "service/ns", number);
	if (below(world, 12) == 0)
		snprintf(name, sizeof(name), "listener/ns/gw/http");
	if (below(world, 5) == 0) {
		feed_batch_drop(batch, slice_from_string(name));
		forget(&world->offered, slice_from_string(name));
		stream_views_drop(world->views, slice_from_string(name));
	} else if (name[0] == 'l') {
		offer_put(world, batch, name, &unit_listener_type, &listener);
	} else if (which < 2) {
		offer_route(world, batch, name);
	} else {
		offer_service(world, batch, name);
	}
}

static void step(struct world *world);

/* All at once, or in parts, between which time goes by. */
static void
offer(struct world *world)
{
	struct feed_batch *batch = feed_batch_new();

	for (unsigned i = below(world, 6); i > 0; i--) {
		offer_any(world, batch);
		if (below(world, 4) > 0)
			continue;
		batch->part = true;
		feed_offer(world->ctl_feed, &batch);
		for (unsigned j = below(world, 4); j > 0; j--)
			step(world);
		batch = feed_batch_new();
	}
	batch->whole = !world->has_offered;
	world->has_offered = true;
	world->generation = sum_of(&world->offered);
	batch->generation = world->generation;
	feed_offer(world->ctl_feed, &batch);
	stream_server_wake(world->server);
}

static void
take_replies(struct world *world)
{
	struct feed_reply *reply;

	while ((reply = feed_take_reply(world->ctl_feed)) != NULL) {
		bool ours = slice_equal(reply->name, GATEWAY);

		if (reply->kind == FEED_WAIT && ours)
			world->waits = true;
		else if (reply->kind == FEED_CONFIRM && ours)
			world->waits = false;
		else if (reply->kind == FEED_CONFIRM)
			world->confirmed = reply->generation;
		else
			wrong(world, "a reply that nobody made");
		feed_reply_free(&reply);
	}
}

/* ---- agent ---- */

static void
apply(struct world *world, const struct feed_batch *batch)
{
	if (batch->whole)
		forget_all(&world->held);
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct feed_change *change = &batch->changes[i];

		if (slice_is_set(change->bytes))
			hold(&world->held, change->name, change->bytes);
		else
			forget(&world->held, change->name);
	}
	if (!batch->whole && !world->whole)
		wrong(world, "the first batch is not whole");
	world->whole = true;
	world->told = batch->generation;
	struct feed_generation sum = sum_of(&world->held);

	if (!feed_generation_equal(&sum, &world->told))
		wrong(world, "a batch is not what its generation says");
	world->owes = true;
}

static void
agent(struct world *world, bool at_once)
{
	struct feed_batch *batch;

	while ((batch = feed_take_offer(world->agent_feed)) != NULL) {
		apply(world, batch);
		feed_batch_free(&batch);
	}
	if (world->owes && (at_once || below(world, 3) == 0)) {
		struct feed_reply *reply =
		    feed_reply_new(FEED_CONFIRM, SLICE(""), SLICE(""));

		world->owes = false;
		reply->generation = world->told;
		feed_answer(world->agent_feed, &reply);
		stream_client_wake(world->client);
	}
}

/* ---- between ---- */

static void
judge_token(void *context, const struct stream_claim *claim)
{
	struct world *world = context;

	stream_server_judged(world->server, claim->peer, GATEWAY, NULL);
}

static void
new_client(struct world *world)
{
	struct stream_client_options options = {
	    .loop = world->loop,
	    .feed = world->agent_feed,
	    .host = SLICE("10.0.0.1"),
	    .port = 1,
	    .gateway = GATEWAY,
	    .name = SLICE("p"),
	    .copy_path = world->copy,
	    .plain = true,
	};

	must(stream_client_new(&options, &world->client) == ERROR_OK);
}

static void
elect(struct world *world)
{
	char name[] = "leader 0";

	name[sizeof(name) - 2] += (char)below(world, 3);
	world->elsewhere = true;
	stream_server_lead(
	    world->server, slice_from_string(name), SLICE("10.0.0.2:1"));
}

static void
connect_both(struct world *world)
{
	struct net_address address;
	struct sim_pipe *pipe = sim_loop_take_connect(world->loop, &address);

	if (pipe == NULL)
		return;
	if (below(world, 6) == 0) {
		sim_pipe_refuse(pipe, ERROR_REFUSED);
		return;
	}
	sim_pipe_accept(pipe);
	if (address.ip[15] == 2) {
		world->elsewhere = false;
		stream_server_lead(world->server, SLICE(""), SLICE(""));
	}
	world->pipes[0] = pipe;
	world->pipes[1] = sim_pipe_new(world->loop);
	stream_server_accept(
	    world->server, sim_pipe_fd(world->pipes[1]), &address);
}

static void
cut(struct world *world)
{
	for (unsigned side = 0; side < 2; side++)
		if (world->pipes[side] != NULL &&
		    !sim_pipe_is_over(world->pipes[side]))
			sim_pipe_reset(world->pipes[side]);
	world->pipes[0] = world->pipes[1] = NULL;
}

/* Something went by. */
static bool
relay(struct world *world, unsigned side)
{
	struct sim_pipe *from = world->pipes[side], *to = world->pipes[!side];

	if (from == NULL)
		return false;
	struct slice written = sim_pipe_written(from);
	size_t length = written.length;
	struct text copy;

	if (length == 0) {
		if (!sim_pipe_is_closed(from))
			return false;
		cut(world);
		return true;
	}
	if (below(world, 2) == 0)
		length = 1 + below(world, (unsigned)length);
	if (sim_pipe_is_over(to)) {
		cut(world);
		return true;
	}
	text_init(&copy);
	text_push(&copy, slice_make(written.data, length));
	sim_pipe_take(from, length);
	sim_pipe_feed(to, text_slice(&copy));
	text_fini(&copy);
	return true;
}

static void
judge_client(const struct world *world)
{
	struct stream_client_facts facts;

	stream_client_facts(world->client, &facts);
	if (facts.unsettled > 0)
		wrong(world, "what came is not what it should be");
}

static void
step(struct world *world)
{
	stream_server_wake(world->server);
	if (world->pipes[0] == NULL)
		connect_both(world);
	relay(world, below(world, 2));
	if (below(world, 40) == 0)
		cut(world);
	if (below(world, 60) == 0)
		elect(world);
	if (below(world, 3) == 0)
		agent(world, false);
	take_replies(world);
	if (below(world, 4) == 0)
		sim_loop_pass(world->loop, below(world, 1500));
	sim_loop_settle(world->loop);
	judge_client(world);
}

/* Its process ends, and another one begins from the copy. */
static void
restart(struct world *world)
{
	cut(world);
	stream_client_free(&world->client);
	feed_free(world->agent_feed);
	world->agent_feed = feed_new();
	forget_all(&world->held);
	world->whole = world->owes = false;
	new_client(world);
	agent(world, false);
}

static bool
is_calm(struct world *world)
{
	struct stream_view *view = stream_view_ref(world->views, GATEWAY);
	struct feed_generation wanted =
	    stream_view_generation(view, (1u << UNIT__COUNT) - 1);
	struct feed_generation had = sum_of(&world->held);
	bool calm = world->whole && !world->waits && !world->owes &&
	    !world->elsewhere && feed_generation_equal(&wanted, &had) &&
	    feed_generation_equal(&world->confirmed, &world->generation);

	stream_view_unref(&view);
	return calm;
}

static void
come_to_rest(struct world *world)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		if (world->pipes[0] == NULL)
			connect_both(world);
		stream_server_wake(world->server);
		bool any = relay(world, 0);

		any = relay(world, 1) || any;
		sim_loop_settle(world->loop);
		agent(world, true);
		sim_loop_settle(world->loop);
		judge_client(world);
		take_replies(world);
		if (!any && is_calm(world))
			return;
		if (!any)
			sim_loop_pass(world->loop, 200);
	}
	wrong(world,
	    world->waits           ? "ctl waits for ever"
	        : world->elsewhere ? "the client does not go to the leader"
	                           : "the agent has not what the view has");
}

static void
run(uint64_t seed)
{
	struct world world = {.seed = seed};
	struct stream_server_options options = {
	    .judge = judge_token, .context = &world, .plain = true};

	random_init_seed(&world.random, seed);
	world.loop = sim_loop_new(seed);
	struct sim_manner manner = sim_loop_draw_manner(world.loop);

	manner.splice = false;
	sim_loop_set_manner(world.loop, &manner);
	snprintf(world.copy, sizeof(world.copy), "/tmp/yumen-sim-stream-%d",
	    (int)getpid());
	(void)unlink(world.copy);
	world.ctl_feed = feed_new();
	world.agent_feed = feed_new();
	world.views = stream_views_new();
	map_init(&world.offered);
	map_init(&world.held);
	options.loop = world.loop;
	options.feed = world.ctl_feed;
	must(stream_server_new(&options, &world.server) == ERROR_OK);
	new_client(&world);
	for (unsigned i = 0; i < STEPS; i++) {
		if (below(&world, 3) == 0)
			offer(&world);
		for (unsigned j = below(&world, 12); j > 0; j--)
			step(&world);
		if (below(&world, 25) == 0)
			restart(&world);
	}
	offer(&world);
	come_to_rest(&world);
	stream_client_free(&world.client);
	stream_server_free(&world.server);
	sim_loop_settle(world.loop);
	if (sim_loop_open_count(world.loop) > 0)
		wrong(&world, "a stream is still open");
	if (sim_loop_pending_count(world.loop) > 0)
		wrong(&world, "a timer or a task is left");
	net_loop_free(world.loop);
	feed_free(world.ctl_feed);
	feed_free(world.agent_feed);
	stream_views_free(&world.views);
	forget_all(&world.offered);
	forget_all(&world.held);
	map_fini(&world.offered);
	map_fini(&world.held);
	(void)unlink(world.copy);
}

int
main(int argc, char **argv)
{
	return sim_seeds(argc, argv, "stream", SEEDS, run);
}
