/* yumen get: asks a running yumen over its admin socket for objects and their
 * status, and prints them. It reads nothing else and changes nothing. */
#include "cmd/get_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/command.h"
#include "core/memory.h"
#include "net/listener.h"
#include "wire/h1.h"
#include "wire/nearest.h"

#define ANSWER_BYTES_MAX ((size_t)1 << 30)
#define READ_BYTES 65536

static bool
send_all(int fd, struct slice bytes)
{
	while (bytes.length > 0) {
		ssize_t sent = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes = slice_skip(bytes, (size_t)sent);
	}
	return true;
}

static bool
read_all(int fd, struct text *answer)
{
	static char part[READ_BYTES];

	while (answer->length < ANSWER_BYTES_MAX) {
		ssize_t got = read(fd, part, sizeof(part));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		text_push(answer, slice_make(part, (size_t)got));
	}
	errno = EMSGSIZE;
	return false;
}

static bool
cannot_reach(const char *path, enum error error)
{
	const char *hint = "Is yumen running? --socket names its admin socket.";

	if (error == ERROR_DENIED)
		hint = "It runs as another user: ask as that one, or as root.";
	if (error == ERROR_INVALID)
		hint = "A socket's path has at most 107 bytes.";
	fprintf(
	    stderr, "yumen get: %s: %s\n%s\n", path, error_text(error), hint);
	return false;
}

/* HTTP/1.0, so that the body is what follows the head until the end. */
static bool
ask(const char *path, struct slice request, struct text *answer)
{
	int fd;
	enum error error = net_connect_unix(path, &fd);
	bool ok;

	if (error != ERROR_OK)
		return cannot_reach(path, error);
	ok = send_all(fd, request) && read_all(fd, answer);
	if (!ok)
		fprintf(stderr, "yumen get: %s: %s\n", path, strerror(errno));
	close(fd);
	return ok;
}

static bool
split_answer(struct slice answer, uint16_t *status, struct slice *body)
{
	const struct wire_h1_limits limits = {65536, 16384, 128};
	struct wire_h1_parser parser;
	struct wire_head *head = memory_alloc(sizeof(*head));
	ssize_t length;

	wire_h1_parser_init(&parser, &limits);
	length = wire_h1_response_feed(&parser, answer, METHOD_GET, head);
	*status = length > 0 ? head->status : 0;
	memory_free(head);
	if (length <= 0)
		return false;
	*body = slice_skip(answer, (size_t)length);
	return true;
}

static int
print_items(const struct flags *flags, enum gw_kind kind, json_t *answer)
{
	const char *format = flags_value(flags, FLAG_GET_OUTPUT);
	json_t *items = json_object_get(answer, "items");
	struct text out;
	int status = 0;

	if (!json_is_array(items)) {
		fputs("yumen get: the answer is no list of objects\n", stderr);
		return 1;
	}
	if (json_array_size(items) == 0) {
		fprintf(stderr, "No %s found.\n", gw_kinds[kind].plural);
		status = flags->argument_count > 1 ? 1 : 0;
	}
	if (format != NULL && strcmp(format, "json") == 0) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
		return status;
	}
	if (json_array_size(items) == 0)
		return status;
	text_init(&out);
	if (format != NULL && strcmp(format, "yaml") == 0)
		get_yaml(&out, items);
	else
		get_table(&out, kind, items);
	fwrite(out.data, 1, out.length, stdout);
	text_fini(&out);
	return 0;
}

static int
show_answer(
    const struct flags *flags, enum gw_kind kind, const struct text *answer)
{
	struct slice body;
	uint16_t code;
	json_error_t error;
	json_t *root;
	int status;

	if (!split_answer(text_slice(answer), &code, &body)) {
		fputs("yumen get: the answer is no HTTP\n", stderr);
		return 1;
	}
	if (code != 200) {
		fprintf(stderr, "yumen get: %u %.*s", code, SLICE_ARGS(body));
		return 1;
	}
	root = json_loadb(body.data, body.length, 0, &error);
	if (root == NULL) {
		fprintf(stderr, "yumen get: the answer is no JSON: %s\n",
		    error.text);
		return 1;
	}
	status = print_items(flags, kind, root);
	json_decref(root);
	return status;
}

/* A name in a query: letters, digits, '-' and '.' are all that names have. */
static bool
push_parameter(struct text *out, const char *key, const char *value)
{
	if (value == NULL)
		return true;
	if (value[0] == '\0' ||
	    value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-.")] !=
	        '\0') {
		fprintf(stderr,
		    "yumen get: '%s' is no name: lower case letters, digits, "
		    "'-' and '.'\n",
		    value);
		return false;
	}
	text_printf(out, "&%s=%s", key, value);
	return true;
}

static void
no_kind(const char *name)
{
	struct wire_nearest nearest;

	wire_nearest_init(&nearest, slice_from_string(name));
	for (int i = 0; i < GW_KIND__COUNT; i++)
		wire_nearest_feed(
		    &nearest, slice_from_string(gw_kinds[i].plural));
	fprintf(stderr, "yumen get: no kind '%s'", name);
	if (slice_is_set(nearest.best))
		fprintf(
		    stderr, "; did you mean %.*s?\n", SLICE_ARGS(nearest.best));
	else
		fputs("; yumen help get lists them\n", stderr);
}

static bool
check_flags(const struct flags *flags, enum gw_kind *kind)
{
	const char *format = flags_value(flags, FLAG_GET_OUTPUT);

	if (flags->argument_count < 1) {
		fputs("yumen get: name a kind: yumen get gateways\n", stderr);
		return false;
	}
	if (!gw_kind_parse(slice_from_string(flags->arguments[0]), kind)) {
		no_kind(flags->arguments[0]);
		return false;
	}
	if (format != NULL && strcmp(format, "table") != 0 &&
	    strcmp(format, "yaml") != 0 && strcmp(format, "json") != 0) {
		fprintf(stderr,
		    "yumen get: -o %s: table, yaml or json is wanted\n",
		    format);
		return false;
	}
	return true;
}

int
command_get(const struct flags *flags)
{
	const char *socket = flags_value(flags, FLAG_GET_SOCKET);
	char fallback[108];
	struct text request, answer;
	enum gw_kind kind;
	int status = 2;

	if (!check_flags(flags, &kind))
		return 2;
	if (socket == NULL) {
		if (!command_default_socket(fallback, sizeof(fallback)))
			return 2;
		socket = fallback;
	}
	text_init(&request);
	text_init(&answer);
	text_printf(
	    &request, "GET /api/v1/objects?kind=%s", gw_kinds[kind].plural);
	if (push_parameter(&request, "namespace",
	        flags_value(flags, FLAG_GET_NAMESPACE)) &&
	    push_parameter(&request, "name",
	        flags->argument_count > 1 ? flags->arguments[1] : NULL)) {
		text_push_string(
		    &request, " HTTP/1.0\r\nHost: localhost\r\n\r\n");
		status = ask(socket, text_slice(&request), &answer)
		    ? show_answer(flags, kind, &answer)
		    : 1;
	}
	text_fini(&request);
	text_fini(&answer);
	return status;
}
