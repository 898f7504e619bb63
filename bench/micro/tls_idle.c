/* Bytes of heap of an idle TLS 1.3 connection on the server's side: OpenSSL's
 * own object with buffers released, and a stream of net/tls.h, which has one.
 * A child is the client of all of them. */
#include <malloc.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority/authority.h"
#include "core/must.h"
#include "net/tls.h"

enum { CONNECTIONS = 400 };

struct server {
	struct net_tls_server tls;
	struct net_tls_identity *identity;
	struct authority_pair pair;
	unsigned up;
};

static struct net_stream streams[CONNECTIONS];
static struct server server;

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	(void)context;
	(void)server_name;
	choice->identities = &server.identity;
	choice->identity_count = 1;
	choice->session_context = SLICE("bench");
	return ERROR_OK;
}

/* One request is read and answered, then it rests. */
static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct net_stream *stream =
	    container_of(watch, struct net_stream, watch);
	char buffer[64];
	struct iovec part = {.iov_base = buffer, .iov_len = 4};
	size_t length;
	net_stream_note(stream, events);
	while (stream->readable)
		if (net_stream_read(stream, buffer, sizeof(buffer), &length) ==
		    ERROR_OK) {
			must(net_stream_write(stream, &part, 1, &length) ==
			    ERROR_OK);
			server.up++;
		}
}

static void
be_client(const int *fds)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	char byte[4];
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		SSL *ssl = SSL_new(context);
		SSL_set_fd(ssl, fds[i]);
		must(SSL_connect(ssl) == 1 && SSL_write(ssl, "ping", 4) == 4 &&
		    SSL_read(ssl, byte, 4) == 4);
	}
	pause();
	_exit(0);
}

static pid_t
start_clients(int *fds)
{
	int others[CONNECTIONS];
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		int pair[2];
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		fds[i] = pair[0];
		others[i] = pair[1];
	}
	pid_t child = fork();
	must(child >= 0);
	if (child == 0)
		be_client(others);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		close(others[i]);
	return child;
}

static void
stop(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static double
measure_own(void)
{
	static SSL *all[CONNECTIONS];
	int fds[CONNECTIONS];
	pid_t child = start_clients(fds);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	char byte[4];
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_num_tickets(context, 1);
	must(SSL_CTX_use_certificate(context, server.pair.x509) &&
	    SSL_CTX_use_PrivateKey(context, server.pair.pkey));
	size_t before = 0;
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (i == CONNECTIONS / 4)
			before = mallinfo2().uordblks;
		all[i] = SSL_new(context);
		SSL_set_fd(all[i], fds[i]);
		must(SSL_accept(all[i]) == 1 &&
		    SSL_read(all[i], byte, 4) == 4 &&
		    SSL_write(all[i], byte, 4) == 4);
	}
	double bytes = (double)(mallinfo2().uordblks - before);
	stop(child);
	return bytes / (CONNECTIONS - CONNECTIONS / 4);
}

static double
measure_ours(struct net_loop *loop)
{
	int fds[CONNECTIONS];
	pid_t child = start_clients(fds);
	size_t before = 0;
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (i == CONNECTIONS / 4)
			before = mallinfo2().uordblks;
		must(net_tls_accept(&streams[i], loop, fds[i], on_ready,
		         &server.tls) == ERROR_OK);
		while (server.up <= i)
			must(net_loop_turn(loop, 100) == ERROR_OK);
	}
	double bytes = (double)(mallinfo2().uordblks - before);
	stop(child);
	return bytes / (CONNECTIONS - CONNECTIONS / 4);
}

static void
make_identity(void)
{
	struct authority_wish wish = {.key = "P-256", .subject = "a"};
	struct crypt_fault fault;
	struct text text;
	server.pair = authority_make(&wish);
	text_init(&text);
	authority_push_certificate(&server.pair, &text);
	authority_push_key(&server.pair, AUTHORITY_PKCS8, &text);
	server.identity =
	    net_tls_identity_new(crypt_chain_parse(text_slice(&text), &fault),
	        crypt_key_parse(text_slice(&text), &fault));
	must(server.identity);
	text_fini(&text);
}

int
main(void)
{
	static const struct net_tls_ticket_key key = {"n", "c", "m"};
	static const struct net_tls_settings settings;
	static struct metrics metrics;
	const char *wrong;
	struct net_loop *loop = net_loop_new();
	signal(SIGPIPE, SIG_IGN);
	metrics_init(&metrics);
	must(net_tls_profile_new(
	         &settings, &metrics, &server.tls.profile, &wrong) == ERROR_OK);
	net_tls_profile_set_ticket_keys(server.tls.profile, &key, 1);
	server.tls.choose = choose;
	make_identity();
	double own = measure_own(), ours = measure_ours(loop);
	printf("bytes of an idle TLS 1.3 connection: OpenSSL's SSL %.0f, "
	       "net/tls.h %.0f (%+.0f)\n",
	    own, ours, ours - own);
	return 0;
}
