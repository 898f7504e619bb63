/* The admin server over real sockets: pages, hosts, garbage, many connections,
 * answers that come later, and where it can listen. */
#include "admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/limit.h"
#include "core/memory.h"
#include "core/random.h"
#include "net/listener.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define LAST(path) \
	"GET " path " HTTP/1.1\r\nHost: localhost\r\nConnection: " \
	"close\r\n\r\n"
#define GREAT_BYTES (4 << 20)

struct setting {
	struct net_loop *loop;
	struct admin *admin;
	char folder[64], path[80];
	struct net_address tcp;
	struct http_exchange *held; /* of /later */
	char query[64]; /* that /later was asked with */
};

static void
show_later(void *context, struct http_exchange *exchange, struct slice query)
{
	struct setting *setting = context;

	setting->held = exchange;
	snprintf(
	    setting->query, sizeof(setting->query), "%.*s", SLICE_ARGS(query));
}

static void
show_great(void *context, struct http_exchange *exchange, struct slice query)
{
	char *bytes = memory_zero(1, GREAT_BYTES);

	(void)context;
	(void)query;
	admin_answer(exchange, 200, "application/octet-stream",
	    slice_make(bytes, GREAT_BYTES));
	memory_free(bytes);
}

static void
write_metrics(void *context, struct text *out)
{
	(void)context;
	text_push_string(out, "of_the_test 1\n");
}

static uint16_t
free_port(void)
{
	struct net_address any, bound;
	int fd;

	assert_int_equal(
	    net_address_parse(SLICE("127.0.0.1"), 0, &any), ERROR_OK);
	assert_int_equal(net_listen_tcp(&any, 1, &fd), ERROR_OK);
	assert_int_equal(net_address_local(fd, &bound), ERROR_OK);
	close(fd);
	return bound.port;
}

static int
set_up(void **state)
{
	struct setting *setting = memory_zero(1, sizeof(*setting));

	snprintf(setting->folder, sizeof(setting->folder), "%s",
	    "/tmp/yumen-admin-XXXXXX");
	assert_non_null(mkdtemp(setting->folder));
	snprintf(
	    setting->path, sizeof(setting->path), "%s/sock", setting->folder);
	setting->loop = net_loop_new();
	assert_int_equal(admin_new(setting->loop, &setting->admin), ERROR_OK);
	admin_add_page(
	    setting->admin, "/later", "answers later", show_later, setting);
	admin_add_page(
	    setting->admin, "/great", "much to read", show_great, NULL);
	admin_add_metrics(setting->admin, write_metrics, NULL);
	assert_int_equal(
	    admin_listen_unix(setting->admin, setting->path), ERROR_OK);
	assert_int_equal(
	    net_address_parse(SLICE("127.0.0.1"), free_port(), &setting->tcp),
	    ERROR_OK);
	assert_int_equal(
	    admin_listen_tcp(setting->admin, &setting->tcp), ERROR_OK);
	*state = setting;
	return 0;
}

static int
tear_down(void **state)
{
	struct setting *setting = *state;

	admin_free(&setting->admin);
	assert_null(setting->admin);
	assert_int_equal(access(setting->path, F_OK), -1);
	net_loop_free(setting->loop);
	assert_int_equal(rmdir(setting->folder), 0);
	memory_free(setting);
	return 0;
}

static void
turn(struct setting *setting)
{
	assert_int_equal(net_loop_turn(setting->loop, 1), ERROR_OK);
}

static int
connect_unix(struct setting *setting)
{
	int fd;

	assert_int_equal(net_connect_unix(setting->path, &fd), ERROR_OK);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static int
connect_tcp(struct setting *setting)
{
	struct sockaddr_storage to;
	socklen_t size = net_address_to_sockaddr(&setting->tcp, &to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, size), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* All of it; what the server does not take any more is dropped. */
static void
send_bytes(struct setting *setting, int fd, struct slice bytes)
{
	while (bytes.length > 0) {
		ssize_t sent = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return;
		if (sent > 0)
			bytes = slice_skip(bytes, (size_t)sent);
		turn(setting);
	}
}

/* Everything until the server closes; the socket is closed too. */
static void
read_to_end(struct setting *setting, int fd, struct text *answer)
{
	static char part[65536];

	for (unsigned idle = 0; idle < 20000;) {
		ssize_t got = recv(fd, part, sizeof(part), 0);

		if (got == 0 || (got < 0 && errno != EAGAIN)) {
			close(fd);
			text_push_byte(answer, '\0');
			return;
		}
		if (got > 0)
			text_push(answer, slice_make(part, (size_t)got));
		idle += got < 0;
		turn(setting);
	}
	fail_msg("the connection stays open");
}

static unsigned
status_of(const char *answer)
{
	unsigned status = 0;

	return sscanf(answer, "HTTP/1.1 %u ", &status) == 1 ? status : 0;
}

/* One exchange of bytes over a connection of its own. */
static const char *
ask(struct setting *setting, int fd, struct slice bytes)
{
	static struct text answer;

	text_fini(&answer);
	text_init(&answer);
	send_bytes(setting, fd, bytes);
	read_to_end(setting, fd, &answer);
	return answer.data;
}

static const char *
ask_unix(struct setting *setting, const char *text)
{
	return ask(setting, connect_unix(setting), slice_from_string(text));
}

static const char *
ask_tcp(struct setting *setting, const char *text)
{
	return ask(setting, connect_tcp(setting), slice_from_string(text));
}

static void
test_pages(void **state)
{
	struct setting *setting = *state;
	const char *answer = ask_unix(setting, LAST("/"));

	assert_int_equal(status_of(answer), 200);
	assert_non_null(strstr(answer, "\n/metrics "));
	assert_non_null(
	    strstr(answer, "/later                   answers later\n"));
	assert_non_null(strcasestr(answer, "\r\ncache-control: no-store\r\n"));

	answer = ask_unix(setting, LAST("/metrics"));
	assert_int_equal(status_of(answer), 200);
	assert_non_null(strcasestr(answer, "text/plain; version=0.0.4"));
	assert_non_null(strstr(answer, "# TYPE yumen_build_info gauge\n"));
	assert_non_null(strstr(answer, "\nof_the_test 1\n"));

	answer = ask_unix(setting,
	    "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_int_equal(status_of(answer), 200);
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void
test_no_page(void **state)
{
	struct setting *setting = *state;
	static const struct {
		const char *request;
		unsigned status;
	} rows[] = {
	    {LAST("/metric"), 404},
	    {LAST("/metrics/"), 404},
	    {LAST("//metrics"), 404},
	    {LAST("/../metrics"), 404},
	    {LAST("/x?/metrics"), 404},
	    {"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	     "Content-Length: 3\r\n\r\nabc",
	        405},
	    {"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
	    {"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
	    {"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\nConnection: close\r\n\r\n",
	        0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned status = status_of(ask_unix(setting, rows[i].request));

		if (rows[i].status == 0 ? status < 400
		                        : status != rows[i].status)
			fail_msg("%s: %u", rows[i].request, status);
	}
}

/* Over TCP a name would let a web page in a browser in. */
static void
test_hosts(void **state)
{
	struct setting *setting = *state;
	static const struct {
		const char *host;
		unsigned status;
	} rows[] = {
	    {"localhost", 200},
	    {"LOCALHOST:9911", 200},
	    {"127.0.0.1", 200},
	    {"127.0.0.1:1", 200},
	    {"[::1]:9911", 200},
	    {"10.1.2.3", 200},
	    {"evil.example", 403},
	    {"localhost.evil.example", 403},
	    {"127.0.0.1.evil.example", 403},
	    {"1.2.3", 403},
	    {"", 400},
	    {"a b", 400},
	    {"[::1", 400},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char request[256];
		unsigned status;

		snprintf(request, sizeof(request),
		    "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
		    rows[i].host);
		status = status_of(ask_tcp(setting, request));
		if (status != rows[i].status)
			fail_msg("Host: %s: %u", rows[i].host, status);
	}
	/* Whoever can open the socket's file may call it as they like. */
	assert_int_equal(
	    status_of(ask_unix(setting,
	        "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: "
	        "close\r\n\r\n")),
	    200);
	assert_int_equal(
	    status_of(ask_tcp(setting, "GET / HTTP/1.0\r\n\r\n")), 403);
	assert_int_equal(
	    status_of(ask_unix(setting, "GET / HTTP/1.0\r\n\r\n")), 200);
}

static void
test_garbage(void **state)
{
	struct setting *setting = *state;
	static const struct {
		struct slice bytes;
		unsigned status; /* 0: any refusal */
	} rows[] = {
	    {SLICE("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"), 400},
	    {SLICE("\0\0\0\0\0\0\r\n\r\n"), 400},
	    {SLICE("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
	        400},
	    {SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0},
	    {SLICE("GET / HTTP/1.1\nHost: x\n\n"), 400},
	    {SLICE("GET / HTTP/1.1\r\n\r\n"), 400},
	    {SLICE("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400},
	    {SLICE("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), 505},
	    {SLICE("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
	    {SLICE("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: "
	           "3\r\nTransfer-Encoding: chunked\r\n\r\n"),
	        400},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *answer =
		    ask(setting, connect_unix(setting), rows[i].bytes);
		unsigned status = status_of(answer);

		if (rows[i].status == 0 ? status < 400
		                        : status != rows[i].status)
			fail_msg("row %zu: %s", i, answer);
	}
	assert_int_equal(status_of(ask_unix(setting, LAST("/"))), 200);
}

/* Whatever comes, the next one is served. */
static void
test_noise(void **state)
{
	struct setting *setting = *state;
	struct random random;
	char noise[512];

	random_init_seed(&random, 1);
	for (unsigned round = 0; round < 300; round++) {
		size_t length = 1 + random_below(&random, sizeof(noise));
		int fd =
		    round % 2 ? connect_unix(setting) : connect_tcp(setting);

		for (size_t i = 0; i < length; i++)
			noise[i] = (char)random_below(&random, 256);
		if (round % 3 == 0)
			memcpy(noise, "GET / HTTP/1.1\r\n", 16);
		send_bytes(setting, fd, slice_make(noise, length));
		turn(setting);
		close(fd);
	}
	assert_int_equal(status_of(ask_unix(setting, LAST("/"))), 200);
}

static void
test_too_much(void **state)
{
	struct setting *setting = *state;
	struct text request;
	const char *answer;

	text_init(&request);
	text_push_string(&request, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (unsigned i = 0; i < LIMIT_VALUE_REQUEST_FIELDS + 1; i++)
		text_printf(&request, "X-%u: y\r\n", i);
	text_push_string(&request, "\r\n");
	answer = ask(setting, connect_unix(setting), text_slice(&request));
	assert_int_equal(status_of(answer), 431);

	text_reset(&request);
	text_push_string(&request, "GET /");
	for (unsigned i = 0; i < LIMIT_VALUE_REQUEST_HEAD_BYTES; i++)
		text_push_byte(&request, 'a');
	answer = ask(setting, connect_unix(setting), text_slice(&request));
	assert_true(status_of(answer) == 414 || status_of(answer) == 431);
	text_fini(&request);
}

/* Many at once, all open, each asks twice. */
static void
test_many(void **state)
{
	struct setting *setting = *state;
	struct rlimit limit;
	unsigned count = 400;
	int *fds;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < 2 * count + 50)
		count = (unsigned)limit.rlim_cur / 2 - 50;
	fds = memory_zero(count, sizeof(*fds));
	for (unsigned i = 0; i < count; i++) {
		fds[i] = i % 2 ? connect_unix(setting) : connect_tcp(setting);
		turn(setting);
	}
	for (unsigned i = 0; i < count; i++)
		send_bytes(setting, fds[i], SLICE(GET("/nowhere")));
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(
		    status_of(ask(setting, fds[i], SLICE(LAST("/")))), 404);
	memory_free(fds);
}

static void
test_pipelined(void **state)
{
	struct setting *setting = *state;
	const char *answer =
	    ask_unix(setting, GET("/") GET("/x") LAST("/metrics"));
	const char *second = strstr(answer, "HTTP/1.1 404 ");

	assert_int_equal(status_of(answer), 200);
	assert_non_null(second);
	assert_non_null(strstr(second, "HTTP/1.1 200 "));
}

static void
test_great(void **state)
{
	struct setting *setting = *state;
	struct text answer;
	int fd = connect_unix(setting);

	text_init(&answer);
	send_bytes(setting, fd, SLICE(LAST("/great")));
	read_to_end(setting, fd, &answer);
	assert_true(answer.length > GREAT_BYTES);
	text_fini(&answer);

	/* Nobody reads it: the others are served, and it ends with all. */
	fd = connect_unix(setting);
	send_bytes(setting, fd, SLICE(GET("/great")));
	assert_int_equal(status_of(ask_unix(setting, LAST("/"))), 200);
	admin_free(&setting->admin);
	close(fd);
}

static void
test_later(void **state)
{
	struct setting *setting = *state;
	struct text answer;
	int fd = connect_unix(setting);

	text_init(&answer);
	send_bytes(setting, fd, SLICE(LAST("/later?kind=x&name=a%20b")));
	for (unsigned i = 0; setting->held == NULL && i < 1000; i++)
		turn(setting);
	assert_non_null(setting->held);
	assert_string_equal(setting->query, "kind=x&name=a%20b");
	assert_int_equal(status_of(ask_unix(setting, LAST("/"))), 200);
	admin_answer(setting->held, 202, "text/plain", SLICE("at last\n"));
	read_to_end(setting, fd, &answer);
	assert_int_equal(status_of(answer.data), 202);
	assert_non_null(strstr(answer.data, "\r\n\r\nat last\n"));
	text_fini(&answer);
}

/* It ends while answers are outstanding. */
static void
test_end(void **state)
{
	struct setting *setting = *state;
	int waits = connect_unix(setting), half = connect_tcp(setting);
	int idle = connect_tcp(setting);

	send_bytes(setting, waits, SLICE(GET("/later")));
	send_bytes(setting, half, SLICE("GET / HT"));
	for (unsigned i = 0; setting->held == NULL && i < 1000; i++)
		turn(setting);
	admin_free(&setting->admin);
	assert_int_equal(access(setting->path, F_OK), -1);
	close(waits);
	close(half);
	close(idle);
}

static void
test_where(void **state)
{
	struct setting *setting = *state;
	struct admin *other;
	struct stat status;
	char path[300], file[100];
	FILE *made;
	int fd;

	assert_int_equal(stat(setting->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0660);
	assert_int_equal(admin_new(setting->loop, &other), ERROR_OK);
	assert_int_equal(admin_listen_unix(other, setting->path), ERROR_IN_USE);
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(admin_listen_unix(other, path), ERROR_INVALID);
	assert_int_equal(admin_listen_unix(other, ""), ERROR_INVALID);
	assert_int_equal(
	    admin_listen_unix(other, "/nonexistent/x"), ERROR_NOT_FOUND);
	snprintf(file, sizeof(file), "%s/file", setting->folder);
	made = fopen(file, "w");
	assert_non_null(made);
	fclose(made);
	assert_int_equal(admin_listen_unix(other, file), ERROR_EXISTS);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(unlink(file), 0);
	/* Left over by one that died: replaced. */
	assert_int_equal(net_listen_unix(file, 0600, &fd), ERROR_OK);
	close(fd);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(admin_listen_unix(other, file), ERROR_OK);
	assert_int_equal(admin_listen_tcp(other, &setting->tcp), ERROR_IN_USE);
	admin_free(&other);
	/* The first one was never touched. */
	assert_int_equal(status_of(ask_unix(setting, LAST("/"))), 200);
	admin_free(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_pages),
	    TEST(test_no_page),
	    TEST(test_hosts),
	    TEST(test_garbage),
	    TEST(test_noise),
	    TEST(test_too_much),
	    TEST(test_many),
	    TEST(test_pipelined),
	    TEST(test_great),
	    TEST(test_later),
	    TEST(test_end),
	    TEST(test_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
