/* One request and its answer over a Unix socket, blocking; or a page made of
 * files. */
#include "cmd/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/planned.h"
#include "core/memory.h"
#include "net/listener.h"
#include "wire/h1.h"

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
cannot_reach(const char *command, const char *path, enum error error)
{
	const char *hint = "Is yumen running? --socket names its admin socket.";

	if (error == ERROR_DENIED)
		hint = "It runs as another user: ask as that one, or as root.";
	if (error == ERROR_INVALID)
		hint = "A socket's path has at most 107 bytes.";
	fprintf(stderr, "yumen %s: %s: %s\n%s\n", command, path,
	    error_text(error), hint);
	return false;
}

/* HTTP/1.0, so that the body is what follows the head until the end. */
static bool
exchange(const char *command, const char *path, struct slice request,
    struct text *answer)
{
	int fd;
	enum error error = net_connect_unix(path, &fd);
	bool ok;

	if (error != ERROR_OK)
		return cannot_reach(command, path, error);
	ok = send_all(fd, request) && read_all(fd, answer);
	if (!ok)
		fprintf(stderr, "yumen %s: %s: %s\n", command, path,
		    strerror(errno));
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

static json_t *
read_json(const char *command, struct slice body)
{
	json_error_t error;
	json_t *root = json_loadb(body.data, body.length, 0, &error);

	if (root == NULL)
		fprintf(stderr, "yumen %s: the answer is no JSON: %s\n",
		    command, error.text);
	return root;
}

static json_t *
read_answer(const char *command, struct slice answer)
{
	struct slice body;
	uint16_t code;

	if (!split_answer(answer, &code, &body)) {
		fprintf(stderr, "yumen %s: the answer is no HTTP\n", command);
		return NULL;
	}
	if (code != 200) {
		fprintf(stderr, "yumen %s: %u %.*s", command, code,
		    SLICE_ARGS(body));
		return NULL;
	}
	return read_json(command, body);
}

static json_t *
ask_files(const struct ask *ask, struct slice target)
{
	struct text page;
	json_t *root = NULL;

	text_init(&page);
	if (planned_page(ask->planned, target, &page))
		root = read_json(ask->command, text_slice(&page));
	else
		fprintf(stderr, "yumen %s: files have no %.*s\n", ask->command,
		    SLICE_ARGS(target));
	text_fini(&page);
	return root;
}

json_t *
ask_page(const struct ask *ask, struct slice target)
{
	char fallback[108]; /* sun_path's size */
	const char *path = ask->socket;
	struct text request, answer;
	json_t *root = NULL;

	if (ask->planned != NULL)
		return ask_files(ask, target);
	if (path == NULL) {
		if (!command_default_socket(fallback, sizeof(fallback)))
			return NULL;
		path = fallback;
	}
	text_init(&request);
	text_init(&answer);
	text_printf(&request, "GET %.*s HTTP/1.0\r\nHost: localhost\r\n\r\n",
	    SLICE_ARGS(target));
	if (exchange(ask->command, path, text_slice(&request), &answer))
		root = read_answer(ask->command, text_slice(&answer));
	text_fini(&request);
	text_fini(&answer);
	return root;
}

void
ask_push_escaped(struct text *out, struct slice value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.data[i];

		if (byte != 0 &&
		    strchr("abcdefghijklmnopqrstuvwxyz"
		           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:",
		        byte))
			text_push_byte(out, (char)byte);
		else
			text_printf(out, "%%%02X", byte);
	}
}

/* Letters, digits, '-' and '.' are all that names have. */
bool
ask_check_name(const char *command, const char *name)
{
	if (name[0] != '\0' &&
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.")] ==
	        '\0')
		return true;
	fprintf(stderr,
	    "yumen %s: '%s' is no name: lower case letters, digits, '-' and "
	    "'.'\n",
	    command, name);
	return false;
}
