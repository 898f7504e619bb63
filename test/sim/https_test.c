/* HTTP over TLS on the simulated loop: a server connection of src/http that
 * speaks TLS, a client of net/tls, and between them a relay that cuts the
 * records anywhere, resets either side, in the midst of a handshake too, flips
 *a bit, or ends early. Without a fault every request gets its whole answer, in
 * order; with one nothing that is wrong looks right; everything ends, nothing
 *is left.
 *
 *	sim_https_test [FIRST [COUNT]]	seeds; a failing one is printed */
#include <stdio.h>
#include <stdlib.h>

#include "core/limit.h"
#include "core/must.h"
#include "http/server.h"
#include "sim/relay.h"
#include "sim/seeds.h"
#include "tls/end.h"

enum { SEEDS = 300, ROUNDS_MAX = 200000, ASKED_MAX = 5, BODY_MAX = 40000 };

struct world {
	uint64_t seed;
	struct net_loop *loop;
	struct random *random;
	struct metrics metrics;
	struct http_worker worker;
	struct http_service service;
	struct net_tls_profile *profile;
	struct net_tls_server server;
	struct net_tls_client client;
	struct crypt_name name;
	struct tls_end end; /* the client's */
	struct sim_relay relay; /* from the client to the server */
	unsigned asked, served; /* requests; those that were begun */
	size_t body_bytes[ASKED_MAX];
};

static struct tls_keys keys;

static unsigned
below(struct world *world, unsigned bound)
{
	return random_below(world->random, bound);
}

static void
wrong(const struct world *world, const char *what)
{
	printf("sim https: seed %llu: %s (fault %u of side %u at %zu)\n",
	    (unsigned long long)world->seed, what, world->relay.fault,
	    world->relay.fault_side, world->relay.fault_bytes);
	exit(1);
}

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	const struct world *world = context;

	(void)server_name;
	if (world->seed % 16 == 0)
		return ERROR_TLS_NO_CERTIFICATE;
	choice->identities = keys.servers;
	choice->identity_count = 1;
	choice->tag = 7;
	return ERROR_OK;
}

static void
on_request(struct http_exchange *exchange)
{
	struct world *world = exchange->handler_context;
	struct text body;

	if (net_tls_tag(http_exchange_socket(exchange)) != 7)
		wrong(world, "the tag is lost");
	must(world->served < world->asked);
	text_init(&body);
	text_printf(&body, "[%u:", world->served);
	for (size_t i = 0; i < world->body_bytes[world->served]; i++)
		text_push_byte(&body, (char)('a' + i % 23));
	text_printf(&body, ":%u]", world->served++);
	http_exchange_answer(exchange, 200, NULL, 0, text_slice(&body));
	text_fini(&body);
}

static void
on_end(struct http_exchange *exchange, enum error error)
{
	(void)exchange;
	(void)error;
}

static const struct http_handler handler = {
    .on_request = on_request, .on_end = on_end};

static void
world_init(struct world *world, uint64_t seed)
{
	static const struct net_tls_settings settings;
	struct sim_manner manner;
	const char *setting;

	*world = (struct world){.seed = seed, .loop = sim_loop_new(seed)};
	world->random = sim_loop_random(world->loop);
	metrics_init(&world->metrics);
	must(http_worker_init(&world->worker, world->loop, &world->metrics) ==
	    ERROR_OK);
	http_service_init(&world->service, &world->worker, &handler, world);
	must(net_tls_profile_new(&settings, &world->metrics, &world->profile,
	         &setting) == ERROR_OK);
	world->server = (struct net_tls_server){
	    .profile = world->profile, .choose = choose, .context = world};
	world->service.tls = &world->server;
	world->service.secure = true;
	world->name = (struct crypt_name){CRYPT_NAME_DNS, SLICE("a.example")};
	world->client = (struct net_tls_client){.profile = world->profile,
	    .server_name = "a.example",
	    .names = &world->name,
	    .name_count = 1,
	    .trust = keys.trust};
	manner = sim_loop_draw_manner(world->loop);
	manner.splice = false;
	if (manner.arrive_bytes_max && manner.arrive_bytes_max < 40 &&
	    below(world, 8))
		manner.arrive_bytes_max = 40;
	sim_loop_set_manner(world->loop, &manner);
}

static void
open_ends(struct world *world)
{
	struct net_address address = {0}, none = {0};
	struct tls_end *end = &world->end;
	struct sim_pipe *near, *far;

	tls_end_init(end);
	world->asked = 1 + below(world, ASKED_MAX);
	for (unsigned i = 0; i < world->asked; i++) {
		world->body_bytes[i] =
		    below(world, below(world, 3) ? 300 : BODY_MAX);
		text_printf(&end->out,
		    "GET /%u HTTP/1.1\r\nHost: a.example\r\n%s\r\n", i,
		    i + 1 == world->asked ? "Connection: close\r\n" : "");
	}
	must(net_address_parse(SLICE("10.0.0.1"), 443, &address) == ERROR_OK);
	must(net_tls_connect(&end->stream, world->loop, &address,
	         tls_end_on_ready, &world->client) == ERROR_OK);
	near = sim_loop_take_connect(world->loop, &address);
	far = sim_pipe_new(world->loop);
	must(http_server_open(
	         &world->service, sim_pipe_fd(far), &none, &none) == ERROR_OK);
	sim_pipe_accept(near);
	sim_relay_init(&world->relay, world->random, near, far);
	/* Silence is told of in sim/tls. */
	if (below(world, 2))
		world->relay.fault = below(world, RELAY_SILENCE);
	world->relay.fault_side = below(world, 2);
	world->relay.fault_bytes = below(world, below(world, 2) ? 3000 : 60000);
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

/* The answers that came, whole and in order; the rest is a beginning. */
static unsigned
count_answers(struct world *world)
{
	const char *at = world->end.in.data;

	for (unsigned i = 0; i < world->asked; i++) {
		char begin[16], end[16];

		snprintf(begin, sizeof(begin), "\r\n\r\n[%u:", i);
		snprintf(end, sizeof(end), ":%u]", i);
		at = at ? strstr(at, begin) : NULL;
		if (!at)
			return i;
		at += strlen(begin);
		for (size_t j = 0; j < world->body_bytes[i]; j++, at++) {
			if (*at == '\0')
				return i;
			if (*at != (char)('a' + j % 23))
				wrong(world, "another body");
		}
		if (strncmp(at, end, strlen(end)) != 0)
			return i;
	}
	return world->asked;
}

static void
judge(struct world *world)
{
	bool refused = world->seed % 16 == 0;
	unsigned answers = count_answers(world);

	if (world->relay.has_struck)
		return;
	if (refused && (answers > 0 || world->end.is_up))
		wrong(world, "a refused handshake was served");
	if (refused)
		return;
	if (answers != world->asked)
		wrong(world, "not every request has its answer");
	if (world->end.error != ERROR_CLOSED)
		wrong(world, error_text(world->end.error));
}

static void
finish(struct world *world)
{
	/* Whatever waits has its time. */
	for (unsigned i = 0; i < 40 && world->service.connection_count > 0;
	     i++) {
		sim_loop_pass(world->loop, 5000);
		go(world);
	}
	if (world->service.connection_count > 0)
		wrong(world, "a connection is left");
	tls_end_fini(&world->end);
	sim_loop_pass(world->loop, LIMIT_VALUE_CLOSE_LINGER_MS + 100);
	net_tls_profile_cut(world->profile);
	http_worker_fini(&world->worker);
	net_timer_clear(&world->service.drain_timer);
	sim_loop_settle(world->loop);
	if (sim_loop_open_count(world->loop) != 0)
		wrong(world, "a stream is left");
	net_tls_profile_unref(world->profile);
	net_loop_free(world->loop);
	metrics_fini(&world->metrics);
}

static void
run(uint64_t seed)
{
	struct world world;

	world_init(&world, seed);
	open_ends(&world);
	go(&world);
	judge(&world);
	finish(&world);
}

int
main(int argc, char **argv)
{
	tls_keys_init(&keys, false);
	int status = sim_seeds(argc, argv, "https", SEEDS, run);

	tls_keys_fini(&keys);
	return status;
}
