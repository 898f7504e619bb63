/* yumen echo: a backend for trying things out. It answers with what it was
 * asked, as JSON, so that one sees what a gateway made of a request. */
#include "cmd/echo_priv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/command.h"
#include "core/memory.h"
#include "core/metric.h"
#include "core/text.h"
#include "http/message.h"
#include "http/server.h"
#include "net/listener.h"

#define ECHO_BYTES_MAX (64 << 20)

struct echo {
	struct net_loop *loop;
	struct metrics metrics;
	struct http_worker worker;
	struct http_service service;
	struct net_acceptor acceptor;
	struct echo_tls *tls; /* NULL: plain */
	const char *name;
	char *filler; /* what /bytes/N answers with */
};

void
echo_json_string(struct text *out, struct slice s)
{
	text_push_byte(out, '"');
	for (size_t i = 0; i < s.length; i++) {
		unsigned char byte = (unsigned char)s.data[i];

		if (byte == '"' || byte == '\\')
			text_printf(out, "\\%c", byte);
		else if (byte < 0x20 || byte >= 0x7f)
			text_printf(out, "\\u%04x", byte);
		else
			text_push_byte(out, (char)byte);
	}
	text_push_byte(out, '"');
}

static void
json_member(struct text *out, const char *key, struct slice value)
{
	text_printf(out, ",\"%s\":", key);
	echo_json_string(out, value);
}

static void
describe(const struct echo *echo, const struct http_exchange *exchange,
    struct text *out)
{
	const struct wire_head *request = exchange->request;
	bool first = true;

	text_push_string(out, "{\"name\":");
	echo_json_string(out, slice_from_string(echo->name));
	json_member(out, "method", request->method);
	json_member(out, "path", request->target);
	json_member(out, "host", request->authority);
	text_push_string(out, ",\"headers\":[");
	for (unsigned i = 0; i < request->field_count; i++) {
		const struct field *field = &request->fields[i];

		if (field->id == FIELD_REMOVED)
			continue;
		text_push_string(out, first ? "[" : ",[");
		first = false;
		echo_json_string(out, field_name(field));
		text_push_byte(out, ',');
		echo_json_string(out, field_value(field));
		text_push_byte(out, ']');
	}
	text_push_byte(out, ']');
	if (echo->tls)
		echo_tls_describe(http_exchange_socket(exchange), out);
	text_push_string(out, "}\n");
}

static bool
path_number(
    struct slice path, struct slice prefix, uint64_t maximum, uint64_t *number)
{
	return slice_starts_with(path, prefix) &&
	    slice_to_number(slice_skip(path, prefix.length), maximum, number);
}

static void
on_request(struct http_exchange *exchange)
{
	const struct echo *echo = exchange->handler_context;
	struct wire_head *request = exchange->request;
	struct field fields[] = {
	    {.name = "Content-Type",
	        .name_length = sizeof("Content-Type") - 1,
	        .value = "application/json",
	        .value_length = sizeof("application/json") - 1},
	};
	uint64_t status = 200, bytes;
	struct text out;

	if (path_number(
	        request->path, SLICE("/bytes/"), ECHO_BYTES_MAX, &bytes)) {
		/* Borrowed: the filler lives as long as the process. */
		http_exchange_forward(exchange,
		    http_message_answer(exchange, 200, NULL, 0,
		        slice_make(echo->filler, bytes)),
		    0);
		return;
	}
	if (request->body != HEAD_BODY_NONE) {
		http_exchange_forward(exchange,
		    http_message_reflect(exchange, 200, NULL, 0, SLICE_NONE),
		    0);
		return;
	}
	if (path_number(request->path, SLICE("/status/"), 599, &status) &&
	    status < 200)
		status = 200;
	text_init(&out);
	describe(echo, exchange, &out);
	http_exchange_answer(
	    exchange, (uint16_t)status, fields, 1, text_slice(&out));
	text_fini(&out);
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
	http_exchange_abort(exchange, error);
}

static void
on_end(struct http_exchange *exchange, enum error error)
{
	(void)exchange;
	(void)error;
}

static const struct http_handler echo_handler = {
    .on_request = on_request,
    .on_response = on_response,
    .on_failure = on_failure,
    .on_end = on_end,
};

static void
on_accept(struct net_acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct echo *echo = container_of(acceptor, struct echo, acceptor);
	struct net_address none = {0};

	/* On an error the descriptor is closed already: the peer sees that. */
	if (http_server_open(&echo->service, fd, peer, &none) != ERROR_OK)
		return;
}

static int
serve(struct echo *echo, struct net_address *address)
{
	char text[NET_ADDRESS_TEXT];
	enum error error;
	int fd;

	error = net_listen_settle(address);
	net_address_format(address, text);
	if (error == ERROR_OK)
		error = net_listen_tcp(address, 1024, &fd);
	if (error == ERROR_OK)
		error = net_acceptor_open(
		    &echo->acceptor, echo->loop, fd, on_accept);
	if (error != ERROR_OK) {
		fprintf(stderr, "yumen echo: cannot listen on %s: %s\n", text,
		    error_text(error));
		return 1;
	}
	printf("yumen echo: %s listens on %s\n", echo->name, text);
	fflush(stdout);
	return net_loop_run(echo->loop) == ERROR_OK ? 0 : 1;
}

static int
serve_until_killed(struct echo *echo, struct net_address *address)
{
	int status;

	if (http_worker_init(&echo->worker, echo->loop, &echo->metrics) !=
	    ERROR_OK)
		return 1;
	http_service_init(&echo->service, &echo->worker, &echo_handler, echo);
	if (echo->tls) {
		echo->service.secure = true;
		echo->service.tls = echo_tls_server(echo->tls);
	}
	status = serve(echo, address);
	http_worker_fini(&echo->worker);
	return status;
}

int
command_echo(const struct flags *flags)
{
	const char *listen = flags_value(flags, FLAG_ECHO_LISTEN);
	const char *name = flags_value(flags, FLAG_ECHO_NAME);
	struct echo *echo;
	struct net_address address;
	int status = 1;

	if (!command_address(
	        listen ? listen : "127.0.0.1:9001", "--listen", &address))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	echo = memory_zero(1, sizeof(*echo));
	metrics_init(&echo->metrics);
	if (!echo_tls_open(flags, &echo->metrics, &echo->tls)) {
		memory_free(echo);
		return 2;
	}
	echo->name = name ? name : "echo";
	echo->filler = memory_zero(1, ECHO_BYTES_MAX);
	echo->loop = net_loop_new();
	if (echo->loop == NULL) {
		perror("yumen echo: event loop");
	} else {
		status = serve_until_killed(echo, &address);
		net_loop_free(echo->loop);
	}
	memory_free(echo->filler);
	echo_tls_free(echo->tls);
	metrics_fini(&echo->metrics);
	memory_free(echo);
	return status;
}
