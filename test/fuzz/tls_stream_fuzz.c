/* A TLS connection whose peer is a toy: a libssl of its own, over memory. The
 * input is what it does: so many bytes of what libssl says go by, are lost,
 * flipped or said again, others are put among them, before, in and after the
 * handshake; it sends data, closes, or is cut. The end under test is a server
 * or a client of net/tls on the simulated loop.
 *
 * Whatever comes, no byte is given out that the toy's libssl was not told to
 * send, in order; an end that looks orderly is one; what is kept has a bound;
 * nothing stays. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/limit.h"
#include "core/must.h"
#include "core/reader.h"
#include "sim/loop.h"
#include "tls/end.h"

enum {
	STEPS_MAX = 400,
	SENT_BYTES_MAX = 300000,
	OUT_BYTES = 3000,
	TURNS_MAX = 100000
};

enum step {
	STEP_PASS, /* a length: of what libssl says */
	STEP_PASS_ALL, /* and let it answer, until neither says more */
	STEP_LOSE, /* a length */
	STEP_FLIP, /* a bit of the next byte */
	STEP_AGAIN, /* the last bytes that went by */
	STEP_RAW, /* a length, bytes */
	STEP_RECORD, /* a type, a length, bytes: a record of them in clear */
	STEP_SEND, /* a length: data */
	STEP_EMPTY, /* a record with nothing in it, where there is such */
	STEP_KEYS, /* a key update, or what TLS 1.2 has of the kind */
	STEP_SHUT, /* close_notify */
	STEP_END, /* of the transport */
	STEP_RESET,
	STEP_TIME, /* seconds */
	STEP_WRITE, /* the end under test sends */
	STEP__COUNT
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct net_loop *loop;
	struct metrics metrics;
	struct net_tls_profile *profile;
	struct net_tls_server server;
	struct net_tls_client client;
	struct crypt_name name;
	struct tls_end end; /* under test */
	struct sim_pipe *pipe; /* its */
	SSL *ssl; /* the toy's */
	BIO *in, *out;
	struct text sent; /* what libssl was told to send */
	struct text last; /* what went by last */
	bool has_shut; /* close_notify was said */
	bool asks; /* the server wants a certificate */
	bool is_harmed; /* something was done that may end it */
};

static struct tls_keys keys;
static struct authority_pair server_pair, client_pair;
static SSL_CTX *contexts[2]; /* of a toy that is a server, a client */

static void
set_up(void)
{
	static const char *const dns[] = {"a.example", NULL};
	struct authority_wish wish = {.key = "ED25519", .subject = "toy"};

	tls_keys_init(&keys, false);
	wish.issuer = &keys.root;
	wish.dns = dns;
	server_pair = authority_make(&wish);
	wish.dns = NULL;
	wish.uri = "spiffe://toy";
	client_pair = authority_make(&wish);
	contexts[0] = SSL_CTX_new(TLS_server_method());
	contexts[1] = SSL_CTX_new(TLS_client_method());
	must(contexts[0] && contexts[1]);
	for (unsigned i = 0; i < 2; i++) {
		struct authority_pair *own = i ? &client_pair : &server_pair;

		must(SSL_CTX_use_certificate(contexts[i], own->x509) == 1 &&
		    SSL_CTX_use_PrivateKey(contexts[i], own->pkey) == 1);
	}
}

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	const struct world *world = context;

	must(!slice_is_set(server_name) || server_name.length <= 255);
	choice->identities = keys.servers;
	choice->identity_count = 1;
	choice->session_context = SLICE("fuzz");
	choice->trust = keys.trust;
	if (world->asks)
		choice->clients = NET_TLS_CLIENTS_VALID;
	return ERROR_OK;
}

static void
open_toy(struct world *world, bool is_server, bool old)
{
	char name[] = "a.example";

	world->ssl = SSL_new(contexts[!is_server]);
	world->in = BIO_new(BIO_s_mem());
	world->out = BIO_new(BIO_s_mem());
	must(world->ssl && world->in && world->out);
	SSL_set_bio(world->ssl, world->in, world->out);
	must(
	    !old || SSL_set_max_proto_version(world->ssl, TLS1_2_VERSION) == 1);
	if (is_server) {
		SSL_set_accept_state(world->ssl);
		return;
	}
	must(SSL_set_tlsext_host_name(world->ssl, name) == 1);
	SSL_set_connect_state(world->ssl);
}

static void
open_end(struct world *world, bool is_server)
{
	struct net_address address;
	enum error error;

	tls_end_init(&world->end);
	if (is_server) {
		world->pipe = sim_pipe_new(world->loop);
		error = net_tls_accept(&world->end.stream, world->loop,
		    sim_pipe_fd(world->pipe), tls_end_on_ready, &world->server);
	} else {
		must(net_address_parse(SLICE("10.0.0.1"), 443, &address) ==
		    ERROR_OK);
		error = net_tls_connect(&world->end.stream, world->loop,
		    &address, tls_end_on_ready, &world->client);
		world->pipe = sim_loop_take_connect(world->loop, &address);
		sim_pipe_accept(world->pipe);
	}
	must(error == ERROR_OK);
}

static void
open_world(struct world *world, uint8_t form)
{
	static const struct net_tls_ticket_key ticket_key = {"n", "c", "m"};
	static const struct net_tls_settings settings;
	const char *wrong;

	*world = (struct world){.loop = sim_loop_new(form)};
	metrics_init(&world->metrics);
	text_init(&world->sent);
	text_init(&world->last);
	world->asks = form & 4;
	must(net_tls_profile_new(&settings, &world->metrics, &world->profile,
	         &wrong) == ERROR_OK);
	net_tls_profile_set_ticket_keys(world->profile, &ticket_key, 1);
	world->server = (struct net_tls_server){
	    .profile = world->profile, .choose = choose, .context = world};
	world->name = (struct crypt_name){CRYPT_NAME_DNS, SLICE("a.example")};
	world->client = (struct net_tls_client){.profile = world->profile,
	    .server_name = "a.example",
	    .names = &world->name,
	    .name_count = 1,
	    .trust = keys.trust,
	    .identity = keys.client};

	struct sim_manner manner = sim_loop_draw_manner(world->loop);

	if (form & 8)
		sim_loop_set_manner(world->loop, &manner);
	open_toy(world, form & 1, form & 2);
	open_end(world, !(form & 1));
}

/* What is held of either side, and what was given out. */
static void
check(const struct world *world)
{
	const struct tls_end *end = &world->end;

	must(slice_starts_with(text_slice(&world->sent), text_slice(&end->in)));
	must(end->is_up || end->in.length == 0);
	if (end->error == ERROR_CLOSED)
		must(world->has_shut && end->in.length == world->sent.length);
	must(sim_pipe_written(world->pipe).length <=
	    LIMIT_VALUE_TLS_PENDING_BYTES + OUT_BYTES);
}

/* The end under test has its turn, libssl hears what it said; false: nothing.
 */
static bool
turn(struct world *world)
{
	char byte[4096];

	sim_loop_settle(world->loop);
	check(world);
	struct slice written = sim_pipe_written(world->pipe);

	if (written.length > 0)
		must(BIO_write(world->in, written.data, (int)written.length) ==
		    (int)written.length);
	sim_pipe_take(world->pipe, written.length);
	if (SSL_in_init(world->ssl))
		(void)SSL_do_handshake(world->ssl);
	while (!SSL_in_init(world->ssl) &&
	    SSL_read(world->ssl, byte, sizeof(byte)) > 0)
		;
	ERR_clear_error();
	return written.length > 0;
}

static void
feed(struct world *world, struct slice bytes)
{
	if (bytes.length > 0 && !sim_pipe_is_over(world->pipe))
		sim_pipe_feed(world->pipe, bytes);
}

/* What libssl says and has not said yet. */
static struct slice
said(const struct world *world, size_t most)
{
	char *data;
	long length = BIO_get_mem_data(world->out, &data);

	return slice_make(data, (size_t)length < most ? (size_t)length : most);
}

static void
skip(struct world *world, size_t length)
{
	char byte[256];

	while (length > 0) {
		size_t part = length < sizeof(byte) ? length : sizeof(byte);

		must(BIO_read(world->out, byte, (int)part) == (int)part);
		length -= part;
	}
}

static void
pass(struct world *world, size_t most, uint8_t flip)
{
	struct slice bytes = said(world, most);

	text_reset(&world->last);
	text_push(&world->last, bytes);
	if (bytes.length > 0)
		world->last.data[0] ^= (char)flip;
	skip(world, bytes.length);
	feed(world, text_slice(&world->last));
	(void)turn(world);
}

static void
pass_all(struct world *world)
{
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		if (turn(world) || said(world, 1).length > 0) {
			pass(world, SIZE_MAX, 0);
			continue;
		}
		must(world->is_harmed ||
		    (world->end.is_up &&
		        world->end.in.length == world->sent.length));
		return;
	}
	must(!"they go on talking");
}

static void
send_data(struct world *world, size_t length)
{
	char data[4096];

	if (SSL_in_init(world->ssl) || world->has_shut ||
	    world->sent.length > SENT_BYTES_MAX)
		return;
	for (size_t i = 0; i < length; i++)
		data[i] = (char)((world->sent.length + i) * 31 % 251);
	if (length > 0 && SSL_write(world->ssl, data, (int)length) > 0)
		text_push(&world->sent, slice_make(data, length));
	ERR_clear_error();
}

static void
keys_anew(struct world *world)
{
	if (SSL_in_init(world->ssl))
		return;
	if (SSL_version(world->ssl) == TLS1_3_VERSION)
		(void)SSL_key_update(world->ssl, SSL_KEY_UPDATE_REQUESTED);
	else {
		world->is_harmed = true;
		(void)SSL_renegotiate(world->ssl);
	}
	(void)SSL_do_handshake(world->ssl);
	ERR_clear_error();
}

static void
feed_record(struct world *world, struct reader *reader)
{
	uint8_t type = reader_u8(reader);
	struct slice body = reader_bytes(reader, reader_u8(reader));
	const char head[] = {(char)(20 + type % 5), 3, 3, 0, (char)body.length};

	feed(world, slice_make(head, sizeof(head)));
	feed(world, body);
}

static void
end_data(struct world *world)
{
	if (SSL_in_init(world->ssl) || world->has_shut)
		return;
	world->has_shut = true;
	(void)SSL_shutdown(world->ssl);
	ERR_clear_error();
}

static void
write_back(struct world *world)
{
	struct tls_end *end = &world->end;

	if (!end->is_up || tls_end_is_over(end) || end->out.length > end->sent)
		return;
	text_reset(&end->out);
	end->sent = 0;
	for (unsigned i = 0; i < OUT_BYTES; i++)
		text_push_byte(&end->out, 'x');
	tls_end_act(end);
}

/* Of those that harm nothing, keys_anew may. */
static bool
is_harmless(enum step step)
{
	return step == STEP_PASS || step == STEP_PASS_ALL ||
	    step == STEP_SEND || step == STEP_KEYS || step == STEP_SHUT ||
	    step == STEP_WRITE;
}

static void
step(struct world *world, struct reader *reader)
{
	enum step step = reader_u8(reader) % STEP__COUNT;

	world->is_harmed = world->is_harmed || !is_harmless(step);
	switch (step) {
	case STEP_PASS:
		pass(world, reader_u8(reader), 0);
		break;
	case STEP_PASS_ALL:
		pass_all(world);
		break;
	case STEP_LOSE:
		skip(world, said(world, reader_u8(reader)).length);
		break;
	case STEP_FLIP:
		pass(world, 1, (uint8_t)(1 << reader_u8(reader) % 8));
		break;
	case STEP_AGAIN:
		feed(world, text_slice(&world->last));
		break;
	case STEP_RAW:
		feed(world, reader_bytes(reader, reader_u8(reader)));
		break;
	case STEP_RECORD:
		feed_record(world, reader);
		break;
	case STEP_SEND:
		send_data(world, 16 * (size_t)reader_u8(reader));
		break;
	case STEP_EMPTY:
		feed(world, SLICE("\27\3\3\0\0"));
		break;
	case STEP_KEYS:
		keys_anew(world);
		break;
	case STEP_SHUT:
		end_data(world);
		break;
	case STEP_END:
		if (!sim_pipe_is_over(world->pipe))
			sim_pipe_end(world->pipe);
		break;
	case STEP_RESET:
		if (!sim_pipe_is_over(world->pipe))
			sim_pipe_reset(world->pipe);
		break;
	case STEP_TIME:
		sim_loop_pass(world->loop, UINT64_C(1000) * reader_u8(reader));
		break;
	case STEP_WRITE:
		write_back(world);
		break;
	case STEP__COUNT:
		break;
	}
	(void)turn(world);
}

/* The toy goes: the other end hears of it. */
static void
close_world(struct world *world)
{
	if (!sim_pipe_is_over(world->pipe))
		sim_pipe_end(world->pipe);
	(void)turn(world);
	sim_loop_pass(world->loop, LIMIT_VALUE_TLS_HANDSHAKE_MS + 100);
	(void)turn(world);
	tls_end_fini(&world->end);
	sim_loop_pass(world->loop, LIMIT_VALUE_CLOSE_LINGER_MS + 100);
	must(sim_loop_open_count(world->loop) == 0);
	must(sim_loop_pending_count(world->loop) == 0);
	SSL_free(world->ssl);
	net_tls_profile_unref(world->profile);
	net_loop_free(world->loop);
	metrics_fini(&world->metrics);
	text_fini(&world->sent);
	text_fini(&world->last);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader reader;
	struct world world;

	if (!contexts[0])
		set_up();
	reader_init(&reader, slice_make((const char *)data, size));
	open_world(&world, reader_u8(&reader));
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&reader) > 0 &&
	     reader.error == ERROR_OK;
	     i++)
		step(&world, &reader);
	close_world(&world);
	return 0;
}
