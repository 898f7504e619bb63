/* TLS on the simulated loop: a client's and a server's end, and between them a
 * relay (sim/relay.h) that cuts what they write anywhere and does harm;
 *besides, either side may be reset at any of its calls. Whatever happens, an
 * end that was told CLOSED has all that the other sent, any other a beginning
 * of it; everything ends; nothing is left.
 *
 *	sim_tls_test [FIRST [COUNT]]	seeds; a failing one is printed */
#include <stdio.h>
#include <stdlib.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "sim/relay.h"
#include "sim/seeds.h"
#include "tls/end.h"

enum { SEEDS = 1000, OUT_BYTES_MAX = 40000, ROUNDS_MAX = 200000 };

struct world {
	uint64_t seed;
	struct random random;
	struct net_loop *loop;
	struct metrics metrics;
	struct net_tls_profile *server_profile, *client_profile;
	struct net_tls_server server;
	struct net_tls_client client;
	struct net_tls_session session;
	struct net_tls_choice choice;
	struct crypt_name name;
	struct tls_end ends[2]; /* client, server */
	struct sim_pipe *pipes[2]; /* theirs */
	struct sim_relay relay;
};

static struct tls_keys keys;
static unsigned resumed;

static unsigned
below(struct world *world, unsigned bound)
{
	return random_below(&world->random, bound);
}

static void
wrong(const struct world *world, const char *what)
{
	printf("sim tls: seed %llu: %s (fault %u of side %u at %zu)\n",
	    (unsigned long long)world->seed, what, world->relay.fault,
	    world->relay.fault_side, world->relay.fault_bytes);
	exit(1);
}

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	const struct world *world = context;
	/* Nothing vouches for a ClientHello yet. */
	must(world->relay.fault == RELAY_FLIP ||
	    slice_equal(server_name, SLICE("a.example")));
	*choice = world->choice;
	return ERROR_OK;
}

static struct net_tls_profile *
profile_new(struct world *world, enum net_tls_version version_max)
{
	struct net_tls_settings settings = {.version_max = version_max};
	struct net_tls_profile *profile;
	const char *setting;
	must(net_tls_profile_new(
	         &settings, &world->metrics, &profile, &setting) == ERROR_OK);
	return profile;
}

static void
world_init(struct world *world, uint64_t seed)
{
	static const struct net_tls_ticket_key ticket_key = {"n", "c", "m"};
	*world = (struct world){.seed = seed};
	random_init_seed(&world->random, seed);
	world->loop = sim_loop_new(seed);
	metrics_init(&world->metrics);
	world->server_profile = profile_new(world, NET_TLS_ANY);
	world->client_profile =
	    profile_new(world, below(world, 3) ? NET_TLS_ANY : NET_TLS_1_2);
	net_tls_profile_set_ticket_keys(
	    world->server_profile, &ticket_key, below(world, 4) > 0);
	world->choice = (struct net_tls_choice){
	    .identities = keys.servers,
	    .identity_count = 1,
	    .session_context = SLICE("sim"),
	    .clients =
	        below(world, 2) ? NET_TLS_CLIENTS_VALID : NET_TLS_CLIENTS_ANY,
	    .trust = keys.trust,
	};
	world->server =
	    (struct net_tls_server){.profile = world->server_profile,
	        .choose = choose,
	        .context = world};
	world->name = (struct crypt_name){CRYPT_NAME_DNS, SLICE("a.example")};
	world->client = (struct net_tls_client){
	    .profile = world->client_profile,
	    .server_name = "a.example",
	    .names = &world->name,
	    .name_count = 1,
	    .trust = keys.trust,
	    .identity = keys.client,
	    .session = &world->session,
	};
}

static void
world_fini(struct world *world)
{
	net_tls_session_fini(&world->session);
	net_tls_profile_unref(world->server_profile);
	net_tls_profile_unref(world->client_profile);
	net_loop_free(world->loop);
	metrics_fini(&world->metrics);
}

static void
fill(struct world *world, struct tls_end *end)
{
	unsigned most = below(world, 3) ? 2000 : OUT_BYTES_MAX;
	size_t length = below(world, most);
	tls_end_init(end);
	for (size_t i = 0; i < length; i++)
		text_push_byte(
		    &end->out, (char)(i * 31 + i / 251 + end->is_client));
	end->ends = true;
	end->read_bytes = 1 + below(world, below(world, 2) ? 100 : 40000);
}

/* A closing end that has not read all resets: only one that gets nothing. */
static void
draw_close(struct world *world)
{
	unsigned side = below(world, 2);
	if (below(world, 4))
		return;
	text_reset(&world->ends[!side].out);
	world->ends[side].closes = true;
}

static void
draw_fault(struct world *world)
{
	struct sim_relay *relay = &world->relay;
	unsigned fault = below(world, RELAY__COUNT + 1);
	sim_relay_init(relay, &world->random, world->pipes[0], world->pipes[1]);
	relay->fault_side = below(world, 2);
	relay->fault_bytes = below(world, below(world, 2) ? 3000 : 60000);
	if (below(world, 2))
		return;
	if (fault < RELAY__COUNT)
		relay->fault = fault;
	else
		sim_pipe_reset_at(world->pipes[relay->fault_side],
		    1 + below(world, below(world, 2) ? 20 : 200));
}

static void
open_ends(struct world *world)
{
	struct net_address address;
	must(net_address_parse(SLICE("10.0.0.1"), 443, &address) == ERROR_OK);
	struct sim_manner manner = sim_loop_draw_manner(world->loop);
	if (below(world, 2))
		manner.window_bytes = 1 + below(world, 30000);
	/* A byte at a time is for some. */
	if (below(world, 8) && manner.arrive_bytes_max &&
	    manner.arrive_bytes_max < 40)
		manner.arrive_bytes_max = 40;
	sim_loop_set_manner(world->loop, &manner);
	must(net_tls_connect(&world->ends[0].stream, world->loop, &address,
	         tls_end_on_ready, &world->client) == ERROR_OK);
	world->pipes[0] = sim_loop_take_connect(world->loop, &address);
	world->pipes[1] = sim_pipe_new(world->loop);
	must(net_tls_accept(&world->ends[1].stream, world->loop,
	         sim_pipe_fd(world->pipes[1]), tls_end_on_ready,
	         &world->server) == ERROR_OK);
	sim_pipe_accept(world->pipes[0]);
}

static void
go(struct world *world)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		sim_loop_settle(world->loop);
		if (!sim_relay_run(&world->relay))
			return;
	}
	wrong(world, "it does not come to an end");
}

static void
judge_end(const struct world *world, unsigned side)
{
	const struct tls_end *end = &world->ends[side];
	struct slice sent = text_slice(&world->ends[!side].out);
	struct slice came = text_slice(&end->in);
	bool is_harmless = !world->relay.has_struck &&
	    !sim_pipe_is_reset(world->pipes[0]) &&
	    !sim_pipe_is_reset(world->pipes[1]);
	if (!slice_starts_with(sent, came))
		wrong(world, "other bytes came than were sent");
	if (end->error == ERROR_CLOSED && !end->closes &&
	    came.length != sent.length)
		wrong(world, "what was cut looks whole");
	if (end->error == ERROR_OK)
		wrong(world, "an end was not told of its end");
	if (is_harmless && !end->is_up)
		wrong(world, "no handshake");
	if (is_harmless && end->error != ERROR_CLOSED)
		wrong(world, error_text(end->error));
	if (is_harmless && came.length != sent.length)
		wrong(world, "bytes were lost");
}

static void
judge(struct world *world)
{
	for (unsigned side = 0; side < 2; side++) {
		struct tls_end *end = &world->ends[side];
		if (tls_end_is_over(end)) {
			judge_end(world, side);
			continue;
		}
		/* Only silence leaves an established one as it is. */
		if (world->relay.fault != RELAY_SILENCE || !end->is_up)
			wrong(world, "an end is still open");
		net_stream_close(&end->stream);
	}
	sim_loop_pass(world->loop, LIMIT_VALUE_CLOSE_LINGER_MS + 100);
	if (sim_loop_open_count(world->loop) > 0)
		wrong(world, "a stream is open");
	if (sim_loop_pending_count(world->loop) > 0)
		wrong(world, "a timer is set, or a task queued");
}

/* Two connections, the second of which may resume the first's session. */
static void
run(uint64_t seed)
{
	struct world world;
	world_init(&world, seed);
	for (unsigned i = 0; i < 2; i++) {
		fill(&world, &world.ends[0]);
		fill(&world, &world.ends[1]);
		draw_close(&world);
		open_ends(&world);
		draw_fault(&world);
		go(&world);
		sim_loop_pass(world.loop, LIMIT_VALUE_TLS_HANDSHAKE_MS + 100);
		go(&world);
		judge(&world);
		resumed += world.ends[0].facts.resumed;
		for (unsigned side = 0; side < 2; side++) {
			tls_end_fini(&world.ends[side]);
			sim_pipe_free(world.pipes[side]);
		}
	}
	world_fini(&world);
}

int
main(int argc, char **argv)
{
	tls_keys_init(&keys, false);
	int status = sim_seeds(argc, argv, "tls", SEEDS, run);
	tls_keys_fini(&keys);
	printf("sim tls: %u sessions resumed\n", resumed);
	return status;
}
