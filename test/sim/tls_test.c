/* TLS on the simulated loop: a client's and a server's end, and between them a
 * relay that cuts what they write anywhere, holds it back, loses the end of it,
 * resets either side at any of its calls, or falls silent. Whatever happens, an
 * end that was told CLOSED has all that the other sent, any other a beginning
 * of it; everything ends; nothing is left.
 *
 *	sim_tls_test [FIRST [COUNT]]	seeds; a failing one is printed */
#include <stdio.h>
#include <stdlib.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "sim/loop.h"
#include "tls/end.h"

enum { SEEDS = 1000, OUT_BYTES_MAX = 40000, ROUNDS_MAX = 200000 };

enum fault {
	FAULT_NONE,
	FAULT_RESET, /* of one side, after so many bytes */
	FAULT_RESET_CALL, /* before its so many-th call */
	FAULT_TRUNCATE, /* the end without the last bytes */
	FAULT_FLIP, /* a bit of what goes by */
	FAULT_SILENCE,
	FAULT__COUNT
};

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
	enum fault fault;
	unsigned fault_side; /* whose bytes, or calls */
	size_t fault_bytes, passed[2];
	bool is_silent, is_relayed_end[2];
	bool has_struck; /* the fault */
};

static struct tls_keys keys;

static unsigned
below(struct world *world, unsigned bound)
{
	return random_below(&world->random, bound);
}

static void
wrong(const struct world *world, const char *what)
{
	printf("sim tls: seed %llu: %s (fault %u of side %u at %zu)\n",
	    (unsigned long long)world->seed, what, world->fault,
	    world->fault_side, world->fault_bytes);
	exit(1);
}

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	const struct world *world = context;
	/* Nothing vouches for a ClientHello yet. */
	must(world->fault == FAULT_FLIP ||
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
	world->fault = FAULT_NONE;
	if (below(world, 2))
		world->fault = below(world, FAULT__COUNT);
	world->fault_side = below(world, 2);
	world->fault_bytes = below(world, below(world, 2) ? 3000 : 60000);
	if (world->fault == FAULT_RESET_CALL)
		sim_pipe_reset_at(world->pipes[world->fault_side],
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

/* May length bytes of side go by, and how many? Does what is to be done then.
 */
static size_t
meddle(struct world *world, unsigned side, size_t length)
{
	if (side != world->fault_side || world->fault == FAULT_NONE ||
	    world->fault == FAULT_RESET_CALL)
		return length;
	size_t left = world->fault_bytes > world->passed[side]
	    ? world->fault_bytes - world->passed[side]
	    : 0;
	if (length < left || (left == 0 && world->fault == FAULT_FLIP))
		return length;
	world->has_struck = true;
	switch (world->fault) {
	case FAULT_RESET:
		sim_pipe_reset(world->pipes[side]);
		sim_pipe_reset(world->pipes[!side]);
		world->is_relayed_end[0] = world->is_relayed_end[1] = true;
		return 0;
	case FAULT_TRUNCATE:
		world->is_relayed_end[side] = true;
		if (!sim_pipe_is_over(world->pipes[!side]))
			sim_pipe_end(world->pipes[!side]);
		return 0;
	case FAULT_SILENCE:
		world->is_silent = true;
		return 0;
	default:
		return left;
	}
}

static void
feed(struct world *world, unsigned side, struct slice bytes)
{
	struct text copy;
	text_init(&copy);
	text_push(&copy, bytes);
	if (world->fault == FAULT_FLIP && side == world->fault_side &&
	    world->passed[side] <= world->fault_bytes &&
	    world->passed[side] + bytes.length > world->fault_bytes)
		copy.data[world->fault_bytes - world->passed[side]] ^= 16;
	sim_pipe_feed(world->pipes[!side], text_slice(&copy));
	text_fini(&copy);
}

static bool
relay(struct world *world, unsigned side)
{
	struct sim_pipe *from = world->pipes[side], *to = world->pipes[!side];
	struct slice written = sim_pipe_written(from);
	if (world->is_silent)
		return false;
	if (sim_pipe_is_reset(from) || world->is_relayed_end[side]) {
		if (!sim_pipe_is_over(to))
			sim_pipe_reset(to);
		sim_pipe_take(from, written.length);
		return written.length > 0;
	}
	size_t length = written.length;
	if (length > 0 && below(world, 3) == 0)
		length = 1 + below(world, (unsigned)length);
	length = meddle(world, side, length);
	if (world->is_silent || world->is_relayed_end[side])
		return true;
	if (length > 0) {
		if (!sim_pipe_is_over(to))
			feed(world, side, slice_make(written.data, length));
		world->passed[side] += length;
		sim_pipe_take(from, length);
		return true;
	}
	if (written.length > 0 || !sim_pipe_is_ended(from))
		return false;
	world->is_relayed_end[side] = true;
	if (sim_pipe_is_over(to))
		return false;
	if (sim_pipe_is_aborted(from))
		sim_pipe_reset(to);
	else
		sim_pipe_end(to);
	return true;
}

static void
go(struct world *world)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		sim_loop_settle(world->loop);
		bool first = relay(world, 0), second = relay(world, 1);
		if (!first && !second)
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
	bool is_harmless = !world->has_struck &&
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
		if (world->fault != FAULT_SILENCE || !end->is_up)
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
static unsigned
run_seed(uint64_t seed)
{
	struct world world;
	unsigned resumed = 0;
	world_init(&world, seed);
	for (unsigned i = 0; i < 2; i++) {
		world.is_silent = world.has_struck = false;
		memset(world.passed, 0, sizeof(world.passed));
		memset(world.is_relayed_end, 0, sizeof(world.is_relayed_end));
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
	return resumed;
}

int
main(int argc, char **argv)
{
	uint64_t first = 1, count = SEEDS;
	unsigned resumed = 0;
	if (argc > 1)
		must(slice_to_number(
		    slice_from_string(argv[1]), UINT64_MAX, &first));
	if (argc > 2)
		must(slice_to_number(
		    slice_from_string(argv[2]), UINT64_MAX, &count));
	if (argc == 2)
		count = 1;
	tls_keys_init(&keys, false);
	for (uint64_t seed = first; seed < first + count; seed++)
		resumed += run_seed(seed);
	tls_keys_fini(&keys);
	printf("sim tls: %llu seeds, %u sessions resumed\n",
	    (unsigned long long)count, resumed);
	return 0;
}
