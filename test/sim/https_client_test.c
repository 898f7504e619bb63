/* A gateway that speaks TLS to its backend, on the simulated loop: a client in
 * plain text, the server and the client connections of src/http with a handler
 * between them, a relay that does harm (sim/relay.h), and a backend that is a
 * TLS server of src/http. Without harm every request gets its whole answer, in
 * order, a later connection resumes the session of the first; a backend that
 * must not be believed sees no request, and why is told; with harm nothing that
 * is wrong looks right; everything ends, nothing is left.
 *
 *	sim_https_client_test [FIRST [COUNT]]	a failing seed is printed */
#include <stdio.h>
#include <stdlib.h>

#include "core/limit.h"
#include "core/must.h"
#include "http/client.h"
#include "http/server.h"
#include "sim/relay.h"
#include "sim/seeds.h"
#include "tls/end.h"

enum {
	SEEDS = 400,
	ROUNDS_MAX = 200000,
	ASKED_MAX = 6,
	BODY_MAX = 40000,
	RELAYS_MAX = 3 * ASKED_MAX,
};

/* Whom the backend is. */
enum peer {
	PEER_GOOD,
	PEER_UNTRUSTED,
	PEER_EXPIRED,
	PEER_NAMED, /* otherwise */
	PEER_NO_TLS, /* speaks HTTP in plain text */
	PEER_ASKS, /* for a certificate, which is shown */
	PEER_MISSES, /* asks for one, and none is shown */
	PEER__COUNT
};

struct world {
	uint64_t seed;
	struct net_loop *loop;
	struct random *random;
	struct metrics metrics;
	struct http_worker worker;
	struct http_service front, back;
	struct net_tls_profile *profiles[2]; /* the client's, the server's */
	struct net_tls_server server;
	struct net_tls_client client;
	struct net_tls_session session;
	struct crypt_name name;
	enum peer peer;
	bool closes; /* the backend, after each answer */
	struct sim_pipe *pipe; /* the client's */
	struct sim_relay relays[RELAYS_MAX];
	unsigned relay_count, resumed;
	enum sim_relay_fault fault; /* of the first relay */
	struct text in; /* what the client got */
	struct http_exchange *waiting; /* for the connection */
	struct http_client *idle;
	enum error error; /* the last connect's */
	unsigned asked, served;
	size_t body_bytes[ASKED_MAX];
};

static struct tls_keys keys;
static unsigned resumed;

static unsigned
below(struct world *world, unsigned bound)
{
	return random_below(world->random, bound);
}

static void
wrong(const struct world *world, const char *what)
{
	printf("sim https client: seed %llu: %s (peer %u, fault %u of side %u "
	       "at %zu)\n",
	    (unsigned long long)world->seed, what, world->peer, world->fault,
	    world->relays[0].fault_side, world->relays[0].fault_bytes);
	exit(1);
}

static void
on_end(struct http_exchange *exchange, enum error error)
{
	struct world *world = exchange->handler_context;

	(void)error;
	if (world->waiting == exchange)
		world->waiting = NULL;
}

/* ---- the backend ---- */

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	struct world *world = context;

	/* A bit may have been flipped in what nothing vouches for yet. */
	if (world->fault != RELAY_FLIP &&
	    !slice_equal(
	        server_name, slice_from_string(world->client.server_name)))
		wrong(world, "another server name");
	choice->identities =
	    world->peer == PEER_EXPIRED ? &keys.expired : keys.servers;
	choice->identity_count = 1;
	choice->session_context = SLICE("backend");
	if (world->peer == PEER_ASKS || world->peer == PEER_MISSES)
		choice->clients = NET_TLS_CLIENTS_VALID;
	choice->trust = keys.trust;
	return ERROR_OK;
}

static void
on_back_request(struct http_exchange *exchange)
{
	struct world *world = exchange->handler_context;
	struct slice number = slice_skip(exchange->request->target, 1);
	uint64_t index;
	struct text body;

	if (!slice_to_number(number, ASKED_MAX - 1, &index))
		wrong(world, "the backend sees another request");
	world->served++;
	exchange->server->closing = world->closes;
	text_init(&body);
	text_printf(&body, "[%u:", (unsigned)index);
	for (size_t i = 0; i < world->body_bytes[index]; i++)
		text_push_byte(&body, (char)('a' + i % 23));
	text_printf(&body, ":%u]", (unsigned)index);
	http_exchange_answer(exchange, 200, NULL, 0, text_slice(&body));
	text_fini(&body);
}

static const struct http_handler back_handler = {
    .on_request = on_back_request, .on_end = on_end};

/* ---- the gateway ---- */

static void
answer(struct http_exchange *exchange)
{
	http_exchange_answer(exchange, 503, NULL, 0, SLICE("none\n"));
}

static void
on_connected(struct http_client *client, void *owner, enum error error)
{
	struct world *world = owner;
	struct http_exchange *exchange = world->waiting;
	struct net_tls_facts facts;

	world->waiting = NULL;
	if (error != ERROR_OK) {
		world->error = error;
		if (exchange)
			answer(exchange);
		return;
	}
	net_tls_facts(http_client_socket(client), &facts);
	world->resumed += facts.resumed;
	struct http_stream *stream = exchange ? http_client_lend(client) : NULL;

	if (stream)
		http_exchange_forward(exchange, stream, 0);
	else if (exchange)
		answer(exchange);
	else
		world->idle = client;
}

static void
on_idle(struct http_client *client, void *owner)
{
	struct world *world = owner;

	must(!world->idle);
	world->idle = client;
}

static void
on_closed(struct http_client *client, void *owner)
{
	struct world *world = owner;

	if (world->idle == client)
		world->idle = NULL;
}

static const struct http_client_owner_ops owner_ops = {
    .on_connected = on_connected,
    .on_idle = on_idle,
    .on_closed = on_closed,
};

static void
on_front_request(struct http_exchange *exchange)
{
	struct world *world = exchange->handler_context;
	struct http_client *idle = world->idle;
	struct net_address address;
	struct http_stream *stream = NULL;
	enum error error;

	world->idle = NULL;
	if (idle)
		stream = http_client_lend(idle);
	if (stream) {
		http_exchange_forward(exchange, stream, 0);
		return;
	}
	must(net_address_parse(SLICE("10.0.0.1"), 443, &address) == ERROR_OK);
	world->waiting = exchange;
	must(http_client_open(&world->worker, &address, &world->client,
	    &owner_ops, world, LIMIT_VALUE_CONNECT_MS, &error));
}

static bool
on_response(struct http_exchange *exchange)
{
	(void)exchange;
	return true;
}

static void
on_failure(struct http_exchange *exchange, enum error error)
{
	(void)error;
	answer(exchange);
}

static const struct http_handler front_handler = {
    .on_request = on_front_request,
    .on_response = on_response,
    .on_failure = on_failure,
    .on_end = on_end,
};

/* ---- the run ---- */

static void
draw_tls(struct world *world)
{
	static const struct net_tls_ticket_key ticket_key = {"n", "c", "m"};
	struct net_tls_settings settings = {.protocols = SLICE("\10http/1.1")};
	const char *setting;

	for (unsigned i = 0; i < 2; i++) {
		settings.version_max =
		    below(world, 3) ? NET_TLS_ANY : NET_TLS_1_2;
		must(net_tls_profile_new(&settings, &world->metrics,
		         &world->profiles[i], &setting) == ERROR_OK);
	}
	net_tls_profile_set_ticket_keys(world->profiles[1], &ticket_key, 1);
	world->server = (struct net_tls_server){
	    .profile = world->profiles[1], .choose = choose, .context = world};
	world->name = (struct crypt_name){CRYPT_NAME_DNS, SLICE("a.example")};
	if (world->peer == PEER_NAMED)
		world->name.value = SLICE("other.example");
	world->client = (struct net_tls_client){.profile = world->profiles[0],
	    .server_name = "a.example",
	    .names = &world->name,
	    .name_count = 1,
	    .trust =
	        world->peer == PEER_UNTRUSTED ? keys.other_trust : keys.trust,
	    .identity = world->peer == PEER_ASKS ? keys.client : NULL,
	    .session = &world->session};
}

static void
draw_manner(struct world *world)
{
	struct sim_manner manner = sim_loop_draw_manner(world->loop);

	manner.splice = false;
	if (manner.arrive_bytes_max && manner.arrive_bytes_max < 40 &&
	    below(world, 8))
		manner.arrive_bytes_max = 40;
	if (manner.window_bytes && manner.window_bytes < 200)
		manner.window_bytes = 200;
	sim_loop_set_manner(world->loop, &manner);
}

static void
world_init(struct world *world, uint64_t seed)
{
	*world = (struct world){.seed = seed, .loop = sim_loop_new(seed)};
	world->random = sim_loop_random(world->loop);
	metrics_init(&world->metrics);
	text_init(&world->in);
	must(http_worker_init(&world->worker, world->loop, &world->metrics) ==
	    ERROR_OK);
	world->peer = below(world, 2) ? below(world, PEER__COUNT) : PEER_GOOD;
	world->fault =
	    below(world, 2) ? below(world, RELAY__COUNT) : RELAY_NONE;
	world->closes = below(world, 2);
	draw_tls(world);
	draw_manner(world);
	http_service_init(&world->front, &world->worker, &front_handler, world);
	http_service_init(&world->back, &world->worker, &back_handler, world);
	if (world->peer != PEER_NO_TLS)
		world->back.tls = &world->server;
}

static void
open_client(struct world *world)
{
	struct net_address none = {0};
	struct text out;

	world->pipe = sim_pipe_new(world->loop);
	must(http_server_open(&world->front, sim_pipe_fd(world->pipe), &none,
	         &none) == ERROR_OK);
	text_init(&out);
	world->asked = 1 + below(world, ASKED_MAX);
	for (unsigned i = 0; i < world->asked; i++) {
		size_t sent = below(world, 2) ? 0 : below(world, 20000);

		world->body_bytes[i] =
		    below(world, below(world, 3) ? 300 : BODY_MAX);
		text_printf(&out,
		    "%s /%u HTTP/1.1\r\nHost: a.example\r\n"
		    "Content-Length: %zu\r\n%s\r\n",
		    sent ? "POST" : "GET", i, sent,
		    i + 1 == world->asked ? "Connection: close\r\n" : "");
		while (sent-- > 0)
			text_push_byte(&out, 'x');
	}
	sim_pipe_feed(world->pipe, text_slice(&out));
	text_fini(&out);
}

/* Every connection that the gateway asks for leads to the backend. */
static bool
connect_backend(struct world *world)
{
	struct net_address address, none = {0};
	struct sim_pipe *near = sim_loop_take_connect(world->loop, &address),
	                *far;

	if (!near)
		return false;
	must(world->relay_count < RELAYS_MAX);
	far = sim_pipe_new(world->loop);
	must(http_server_open(&world->back, sim_pipe_fd(far), &none, &none) ==
	    ERROR_OK);
	sim_pipe_accept(near);
	struct sim_relay *relay = &world->relays[world->relay_count++];
	sim_relay_init(relay, world->random, near, far);
	if (world->relay_count > 1)
		return true;
	relay->fault = world->fault;
	relay->fault_side = below(world, 2);
	relay->fault_bytes = below(world, below(world, 2) ? 3000 : 60000);
	return true;
}

static void
go(struct world *world)
{
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		bool any = false;

		sim_loop_settle(world->loop);
		struct slice written = sim_pipe_written(world->pipe);
		if (written.length > 0) {
			text_push(&world->in, written);
			sim_pipe_take(world->pipe, written.length);
			any = true;
		}
		any |= connect_backend(world);
		for (unsigned j = 0; j < world->relay_count; j++)
			any |= sim_relay_run(&world->relays[j]);
		if (!any)
			return;
	}
	wrong(world, "it does not come to an end");
}

/* ---- the verdict ---- */

/* The good answers, in order; one that says 503 stands for its own. */
static unsigned
count_good(struct world *world, unsigned *refused)
{
	const char *at = world->in.data;
	unsigned good = 0;

	*refused = 0;
	for (unsigned i = 0; at && i < world->asked; i++) {
		char begin[24], end[24];

		at = strstr(at, "HTTP/1.1 ");
		if (!at)
			break;
		if (strncmp(at + 9, "503", 3) == 0) {
			(*refused)++;
			at += 9;
			continue;
		}
		snprintf(begin, sizeof(begin), "\r\n\r\n[%u:", i);
		snprintf(end, sizeof(end), ":%u]", i);
		at = strstr(at, begin);
		if (!at)
			break;
		at += strlen(begin);
		for (size_t j = 0; j < world->body_bytes[i]; j++, at++) {
			if (*at == '\0')
				return good;
			if (*at != (char)('a' + j % 23))
				wrong(world, "another body");
		}
		if (strncmp(at, end, strlen(end)) != 0)
			break;
		good++;
	}
	return good;
}

static const enum error wanted_errors[PEER__COUNT] = {
    [PEER_UNTRUSTED] = ERROR_TLS_CERTIFICATE_UNTRUSTED,
    [PEER_EXPIRED] = ERROR_TLS_CERTIFICATE_EXPIRED,
    [PEER_NAMED] = ERROR_TLS_CERTIFICATE_NAME,
    [PEER_NO_TLS] = ERROR_TLS_FAILED,
};

static void
judge_unbelieved(struct world *world, unsigned good, unsigned refused)
{
	if (world->served > 0)
		wrong(world, "who is not believed was sent a request");
	if (world->relays[0].has_struck)
		return;
	if (good > 0 || refused != world->asked)
		wrong(world, "not every request was refused");
	if (world->error != wanted_errors[world->peer])
		wrong(world, error_text(world->error));
}

static void
judge(struct world *world)
{
	unsigned refused, good = count_good(world, &refused);

	if (wanted_errors[world->peer] != ERROR_OK) {
		judge_unbelieved(world, good, refused);
		return;
	}
	if (world->peer == PEER_MISSES) {
		if (good > 0 || world->served > 0)
			wrong(world, "served without a certificate");
		return;
	}
	if (world->relays[0].has_struck) {
		if (world->relays[0].is_silent && world->served == 0 &&
		    world->error != ERROR_TIMEOUT)
			wrong(world, "silence is no time-out");
		return;
	}
	if (good != world->asked || refused > 0)
		wrong(world, "not every request has its answer");
	if (world->closes && world->resumed + 1 != world->asked)
		wrong(world, "sessions are not resumed");
}

static void
finish(struct world *world)
{
	/* Whatever waits has its time. */
	for (unsigned i = 0; i < 60 && world->front.connection_count > 0; i++) {
		sim_loop_pass(world->loop, 5000);
		go(world);
	}
	if (world->front.connection_count > 0)
		wrong(world, "a connection of a client is left");
	judge(world);
	if (world->idle)
		http_client_close(world->idle);
	for (unsigned i = 0; i < world->relay_count; i++)
		world->relays[i].is_silent = false;
	for (unsigned i = 0; i < 60 && world->back.connection_count > 0; i++) {
		go(world);
		sim_loop_pass(world->loop, 5000);
	}
	if (world->back.connection_count > 0)
		wrong(world, "a connection of the backend is left");
	go(world);
	sim_loop_pass(world->loop, LIMIT_VALUE_CLOSE_LINGER_MS + 100);
	for (unsigned i = 0; i < 2; i++)
		net_tls_profile_cut(world->profiles[i]);
	http_worker_fini(&world->worker);
	net_timer_clear(&world->front.drain_timer);
	net_timer_clear(&world->back.drain_timer);
	sim_loop_settle(world->loop);
	if (sim_loop_open_count(world->loop) != 0)
		wrong(world, "a stream is left");
	net_tls_session_fini(&world->session);
	for (unsigned i = 0; i < 2; i++)
		net_tls_profile_unref(world->profiles[i]);
	net_loop_free(world->loop);
	metrics_fini(&world->metrics);
	text_fini(&world->in);
}

static void
run(uint64_t seed)
{
	struct world world;

	world_init(&world, seed);
	open_client(&world);
	go(&world);
	finish(&world);
	resumed += world.resumed;
}

int
main(int argc, char **argv)
{
	tls_keys_init(&keys, false);
	int status = sim_seeds(argc, argv, "https client", SEEDS, run);

	tls_keys_fini(&keys);
	printf("sim https client: %u sessions resumed\n", resumed);
	return status;
}
