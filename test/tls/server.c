/* A small TLS server over net/tls.h for black-box tests: it tells what was
 * agreed upon in its first line, then sends back what comes; on stdout it tells
 * its port and how each connection ended.
 *
 *	tls_server [--min 1.3] [--max 1.2] [--alpn h2,http/1.1] [--tickets]
 *	    [--clients NAME CA.pem] [--asked NAME CA.pem] CHAIN.pem KEY.pem...
 *
 * --clients: who asks for NAME must show a certificate that CA has signed;
 * --asked: may. A name that no chain has is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/must.h"
#include "net/listener.h"
#include "net/tls.h"

enum { IDENTITIES_MAX = 8, PORTION_BYTES = 32768, BACKLOG = 64 };

struct site {
	const char *name;
	enum net_tls_clients clients;
	struct net_tls_trust *trust;
};

struct server {
	struct net_loop *loop;
	struct net_acceptor acceptor;
	struct metrics metrics;
	struct net_tls_server tls;
	struct crypt_certificates *chains[IDENTITIES_MAX];
	struct net_tls_identity *identities[IDENTITIES_MAX];
	unsigned count;
	struct net_tls_identity *chosen[IDENTITIES_MAX];
	struct site sites[2];
	unsigned site_count;
};

struct connection {
	struct net_stream stream; /* first */
	struct server *server;
	struct net_task task; /* frees it */
	struct text out;
	size_t sent;
	bool is_up, has_ended;
};

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "tls_server: %s: %s\n", what, why);
	exit(2);
}

static void
read_file(const char *path, struct text *text)
{
	FILE *file = fopen(path, "r");
	if (!file)
		die(path, "cannot be opened");
	for (size_t length = 1; length > 0;) {
		length = fread(text_reserve(text, 4096), 1, 4096, file);
		text_advance(text, length);
	}
	fclose(file);
}

static void
check(const char *path, const struct crypt_fault *fault)
{
	struct text text;
	if (fault->problem == CRYPT_NONE)
		return;
	text_init(&text);
	crypt_fault_print(fault, &text);
	die(path, text.data);
}

static void
add_identity(struct server *server, const char *chain, const char *key)
{
	struct text pem;
	struct crypt_fault fault;
	must(server->count < IDENTITIES_MAX);
	text_init(&pem);
	read_file(chain, &pem);
	struct crypt_certificates *certificates =
	    crypt_chain_parse(text_slice(&pem), &fault);
	check(chain, &fault);
	text_reset(&pem);
	read_file(key, &pem);
	struct crypt_key *parsed = crypt_key_parse(text_slice(&pem), &fault);
	check(key, &fault);
	server->chains[server->count] = certificates;
	server->identities[server->count] =
	    net_tls_identity_new(certificates, parsed);
	must(server->identities[server->count]);
	server->count++;
	crypt_key_free(parsed);
	text_fini(&pem);
}

static void
add_site(struct server *server, enum net_tls_clients clients, const char *name,
    const char *bundle)
{
	struct text pem;
	struct crypt_fault fault;
	text_init(&pem);
	read_file(bundle, &pem);
	struct crypt_certificates *authorities =
	    crypt_bundle_parse(text_slice(&pem), &fault);
	check(bundle, &fault);
	must(server->site_count < 2);
	server->sites[server->site_count++] = (struct site){
	    .name = name,
	    .clients = clients,
	    .trust = net_tls_trust_new(authorities),
	};
	crypt_certificates_free(authorities);
	text_fini(&pem);
}

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	struct server *server = context;
	struct crypt_name wanted = {CRYPT_NAME_DNS, server_name};
	for (unsigned i = 0; i < server->count; i++)
		if (!slice_is_set(server_name) ||
		    crypt_certificate_has(server->chains[i]->items[0], wanted))
			server->chosen[choice->identity_count++] =
			    server->identities[i];
	choice->identities = server->chosen;
	choice->session_context = SLICE("others");
	for (unsigned i = 0; i < server->site_count; i++) {
		const struct site *site = &server->sites[i];
		if (!slice_equal(server_name, slice_from_string(site->name)))
			continue;
		choice->session_context = slice_from_string(site->name);
		choice->clients = site->clients;
		choice->trust = site->trust;
	}
	return choice->identity_count > 0 ? ERROR_OK : ERROR_TLS_NAME_REFUSED;
}

static void
on_task(struct net_task *task)
{
	struct connection *connection =
	    container_of(task, struct connection, task);
	text_fini(&connection->out);
	memory_free(connection);
}

static void
finish(struct connection *connection, enum error error)
{
	printf("ended %s\n", error_label(error));
	fflush(stdout);
	net_stream_close(&connection->stream);
	net_loop_defer(connection->server->loop, &connection->task);
}

static void
greet(struct connection *connection)
{
	struct net_tls_facts facts;
	struct text *out = &connection->out;
	net_tls_facts(&connection->stream, &facts);
	text_printf(out, "%s %s alpn=%.*s sni=%.*s resumed=%d peer=",
	    facts.version == NET_TLS_1_3 ? "1.3" : "1.2", facts.cipher,
	    SLICE_ARGS(facts.protocol), SLICE_ARGS(facts.server_name),
	    facts.resumed);
	struct crypt_certificate *peer = net_tls_peer(&connection->stream);
	if (peer)
		crypt_certificate_subject(peer, out);
	crypt_certificate_free(peer);
	text_printf(
	    out, " fault=%s\n", facts.peer_fault ? facts.peer_fault : "none");
}

/* Read while little waits to be sent; the end is answered by ours. */
static enum error
work(struct connection *connection)
{
	struct net_stream *stream = &connection->stream;
	struct text *out = &connection->out;
	for (;;) {
		enum error error = ERROR_AGAIN;
		size_t length;
		if (stream->readable && !connection->has_ended &&
		    out->length - connection->sent < PORTION_BYTES) {
			error = net_stream_read(stream,
			    text_reserve(out, PORTION_BYTES), PORTION_BYTES,
			    &length);
			if (error == ERROR_OK)
				text_advance(out, length);
			else if (error == ERROR_CLOSED)
				connection->has_ended = true;
			else if (error != ERROR_AGAIN)
				return error;
		}
		if (stream->writable && connection->sent < out->length) {
			struct iovec part = {out->data + connection->sent,
			    out->length - connection->sent};
			error = net_stream_write(stream, &part, 1, &length);
			if (error != ERROR_OK && error != ERROR_AGAIN)
				return error;
			connection->sent += length;
		}
		if (connection->sent == out->length) {
			text_reset(out);
			connection->sent = 0;
			if (connection->has_ended)
				return ERROR_CLOSED;
		}
		if (error == ERROR_AGAIN)
			return ERROR_AGAIN;
	}
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct connection *connection =
	    container_of(watch, struct connection, stream.watch);
	char byte;
	size_t length;
	net_stream_note(&connection->stream, events);
	if (!connection->is_up && (events & NET_FAILED)) {
		finish(connection,
		    net_stream_read(&connection->stream, &byte, 1, &length));
		return;
	}
	if (!connection->is_up)
		greet(connection);
	connection->is_up = true;
	enum error error = work(connection);
	if (error != ERROR_AGAIN)
		finish(connection, error);
}

static void
on_accept(struct net_acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct server *server = container_of(acceptor, struct server, acceptor);
	struct connection *connection = memory_zero(1, sizeof(*connection));
	(void)peer;
	connection->server = server;
	text_init(&connection->out);
	net_task_init(&connection->task, on_task);
	if (net_tls_accept(&connection->stream, server->loop, fd, on_ready,
	        &server->tls) != ERROR_OK)
		net_loop_defer(server->loop, &connection->task);
}

static enum net_tls_version
version_of(const char *text)
{
	return strcmp(text, "1.3") == 0 ? NET_TLS_1_3 : NET_TLS_1_2;
}

/* "h2,http/1.1" as ALPN has it. */
static void
push_protocols(struct text *out, const char *list)
{
	struct slice rest = slice_from_string(list), name;
	while (slice_cut(&rest, ',', &name)) {
		text_push_byte(out, (char)name.length);
		text_push(out, name);
	}
}

static void
listen_on(struct server *server)
{
	struct net_address address;
	int fd;
	must(net_address_parse(SLICE("127.0.0.1"), 0, &address) == ERROR_OK);
	if (net_listen_tcp(&address, BACKLOG, &fd) != ERROR_OK ||
	    net_address_local(fd, &address) != ERROR_OK ||
	    net_acceptor_open(&server->acceptor, server->loop, fd, on_accept) !=
	        ERROR_OK)
		die("127.0.0.1", "cannot listen");
	printf("%u\n", address.port);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static struct server server;
	static const struct net_tls_ticket_key key = {"name", "c", "m"};
	struct net_tls_settings settings = {0};
	struct text protocols;
	const char *wrong;
	bool tickets = false;
	text_init(&protocols);
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		if (strcmp(word, "--tickets") == 0)
			tickets = true;
		else if (i + 1 >= argc)
			die(word, "something is missing");
		else if (strcmp(word, "--min") == 0)
			settings.version_min = version_of(argv[++i]);
		else if (strcmp(word, "--max") == 0)
			settings.version_max = version_of(argv[++i]);
		else if (strcmp(word, "--alpn") == 0)
			push_protocols(&protocols, argv[++i]);
		else if (strcmp(word, "--clients") == 0 ||
		    strcmp(word, "--asked") == 0) {
			add_site(&server,
			    word[2] == 'c' ? NET_TLS_CLIENTS_VALID
			                   : NET_TLS_CLIENTS_ASKED,
			    argv[i + 1], argv[i + 2]);
			i += 2;
		} else {
			add_identity(&server, word, argv[++i]);
		}
	}
	if (protocols.length > 0)
		settings.protocols = text_slice(&protocols);
	metrics_init(&server.metrics);
	server.loop = net_loop_new();
	if (net_tls_profile_new(&settings, &server.metrics, &server.tls.profile,
	        &wrong) != ERROR_OK)
		die(wrong, "is wrong");
	net_tls_profile_set_ticket_keys(server.tls.profile, &key, tickets);
	server.tls.choose = choose;
	server.tls.context = &server;
	listen_on(&server);
	return net_loop_run(server.loop) == ERROR_OK ? 0 : 1;
}
