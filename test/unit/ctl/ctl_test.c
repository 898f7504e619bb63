/* ctl as a whole: files in a folder, its own thread, the feed with a fake agent
 * in the test, and its page asked over the admin server's socket. */
#include "ctl/ctl.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/log.h"
#include "folder.h"

#define PATIENCE_MS 10000

static struct net_loop *loop;
static struct admin *admin;
static struct feed *feed;
static struct ctl *ctl;
static atomic_uint objects_read, problems_read, reads;

static void
on_wake(void *context)
{
	(void)context;
	if (ctl != NULL)
		ctl_wake(ctl);
}

static void
on_read(void *context, unsigned objects, unsigned files, unsigned problems)
{
	(void)context;
	(void)files;
	atomic_store(&objects_read, objects);
	atomic_store(&problems_read, problems);
	atomic_fetch_add(&reads, 1);
}

#define GATEWAY \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\n" \
	"metadata: {name: yumen}\n" \
	"spec: {controllerName: yumen.dev/gateway-controller}\n---\n" \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n" \
	"metadata: {name: web}\nspec:\n  gatewayClassName: yumen\n" \
	"  listeners: [{name: http, port: 8080, protocol: HTTP}]\n"
#define ROUTE(name, host) \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n" \
	"metadata: {name: " name "}\nspec:\n" \
	"  parentRefs: [{name: web}]\n  hostnames: [" host "]\n" \
	"  rules: [{filters: [{type: RequestRedirect, requestRedirect: " \
	"{hostname: x.example}}]}]\n---\n"

static int
set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	folder_make();
	folder_make_inner("objects");
	loop = net_loop_new();
	net_loop_on_wake(loop, on_wake, NULL);
	feed = feed_new();
	assert_int_equal(admin_new(loop, &admin), ERROR_OK);
	assert_int_equal(
	    admin_listen_unix(admin, folder_path("socket")), ERROR_OK);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ctl_free(&ctl);
	admin_free(&admin);
	feed_free(feed);
	net_loop_free(loop);
	folder_remove();
	return 0;
}

static void
open_ctl(void)
{
	const char *path = folder_path("objects");
	struct ctl_options options = {
	    .paths = &path,
	    .path_count = 1,
	    .gw = {.namespaces_implied = true},
	    .feed = feed,
	    .admin_loop = loop,
	    .on_read = on_read,
	};
	static const char *kept;

	kept = path;
	options.paths = &kept;
	assert_int_equal(ctl_new(&options, &ctl), ERROR_OK);
	ctl_register(ctl, admin);
}

static void
turn(void)
{
	assert_int_equal(net_loop_turn(loop, 1), ERROR_OK);
}

/* The next offer, as an agent would take it. */
static struct feed_batch *
next_offer(void)
{
	uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct feed_batch *batch;

	while ((batch = feed_take_offer(feed)) == NULL) {
		assert_true(clock_monotonic_ms() < end_ms);
		turn();
	}
	return batch;
}

static void
confirm(const struct feed_generation *generation)
{
	struct feed_reply *reply =
	    feed_reply_new(FEED_CONFIRM, SLICE_NONE, SLICE_NONE);

	reply->generation = *generation;
	feed_answer(feed, &reply);
}

static bool
has_change(const struct feed_batch *batch, const char *name)
{
	for (uint32_t i = 0; i < batch->count; i++)
		if (slice_equal(
		        batch->changes[i].name, slice_from_string(name)))
			return true;
	return false;
}

static int
ask(const char *query)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char request[256];

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    folder_path("socket"));
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	int length = snprintf(request, sizeof(request),
	    "GET /api/v1/objects?%s HTTP/1.1\r\nHost: localhost\r\n"
	    "Connection: close\r\n\r\n",
	    query);
	assert_int_equal(write(fd, request, (size_t)length), length);
	return fd;
}

static void
read_answer(int fd, struct text *answer)
{
	uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
	char part[4096];
	ssize_t got;

	text_reset(answer);
	while ((got = read(fd, part, sizeof(part))) != 0) {
		assert_true(clock_monotonic_ms() < end_ms);
		if (got > 0)
			text_push(answer, slice_make(part, (size_t)got));
		else
			turn();
	}
	close(fd);
}

/* Asks until the answer has these words, or patience ends. */
static void
expect_answer(const char *query, const char *words)
{
	uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct text answer;

	text_init(&answer);
	do {
		if (clock_monotonic_ms() > end_ms)
			fail_msg("no %s in %s", words, answer.data);
		read_answer(ask(query), &answer);
	} while (strstr(answer.data, words) == NULL);
	text_fini(&answer);
}

static void
folder_is_served(void **state)
{
	(void)state;
	folder_write("objects/gateway.yaml", GATEWAY);
	folder_write("objects/routes.yaml",
	    ROUTE("a", "a.example") ROUTE("b", "b.example"));
	open_ctl();
	struct feed_batch *batch = next_offer();

	assert_true(batch->whole);
	assert_true(has_change(batch, "listener/default/web/http"));
	assert_true(has_change(batch, "route/HTTPRoute/default/a"));
	assert_int_equal(atomic_load(&objects_read), 4);
	confirm(&batch->generation);
	feed_batch_free(&batch);
	expect_answer("kind=gateway&name=web",
	    "\"reason\":\"Programmed\",\"status\":\"True\","
	    "\"type\":\"Programmed\"");

	/* One edited route is one unit. */
	folder_write("objects/routes.yaml",
	    ROUTE("a", "a.example") ROUTE("b", "c.example"));
	batch = next_offer();
	assert_false(batch->whole);
	assert_int_equal(batch->count, 1);
	assert_true(has_change(batch, "route/HTTPRoute/default/b"));
	confirm(&batch->generation);
	feed_batch_free(&batch);
	expect_answer(
	    "kind=httproutes&namespace=default&name=b", "\"generation\":2");
	expect_answer("kind=HTTPRoute&name=a", "\"generation\":1");
	expect_answer("kind=HTTPRoute", "\"hostnames\":[\"c.example\"]");
	expect_answer("kind=HTTPRoute&namespace=other", "\"items\":[]");
	expect_answer("kind=spoon", "400 Bad Request");

	folder_delete("objects/routes.yaml");
	batch = next_offer();
	assert_int_equal(batch->count, 2);
	assert_false(slice_is_set(batch->changes[0].bytes));
	feed_batch_free(&batch);
	expect_answer("kind=HTTPRoute", "\"items\":[]");
}

/* The number of the last change, as an answer has it. */
static void
last_change(char *out, size_t size)
{
	static const char key[] = "{\"change\":";
	struct text answer;
	const char *at;

	text_init(&answer);
	read_answer(ask("kind=all"), &answer);
	at = strstr(answer.data, key);
	assert_non_null(at);
	(void)snprintf(out, size, "%.*s",
	    (int)strspn(at + sizeof(key) - 1, "0123456789"),
	    at + sizeof(key) - 1);
	text_fini(&answer);
}

/* An answer that waits for a change comes with that change alone. */
static void
expect_change(int fd, const char *words, const char *none)
{
	struct text answer;

	text_init(&answer);
	read_answer(fd, &answer);
	if (strstr(answer.data, words) == NULL ||
	    strstr(answer.data, none) != NULL)
		fail_msg("no %s or a %s in %s", words, none, answer.data);
	text_fini(&answer);
}

static void
serve_offer(void)
{
	struct feed_batch *batch = next_offer();

	confirm(&batch->generation);
	feed_batch_free(&batch);
}

static void
changes_are_waited_for(void **state)
{
	char after[32], query[128];

	(void)state;
	folder_write("objects/routes.yaml",
	    ROUTE("a", "a.example") ROUTE("b", "b.example"));
	open_ctl();
	serve_offer();
	expect_answer("kind=httproutes", "\"name\":\"b\"");

	last_change(after, sizeof(after));
	(void)snprintf(query, sizeof(query), "kind=svc&after=%s", after);
	int other = ask(query);

	(void)snprintf(query, sizeof(query), "kind=all&after=%s", after);
	int fd = ask(query);

	folder_write("objects/routes.yaml",
	    ROUTE("a", "a.example") ROUTE("b", "c.example"));
	expect_change(fd, "c.example", "a.example");

	last_change(after, sizeof(after));
	(void)snprintf(query, sizeof(query), "kind=httproutes&after=%s", after);
	fd = ask(query);
	folder_write("objects/routes.yaml", ROUTE("a", "a.example"));
	expect_change(fd,
	    "\"items\":[],\"since\":[],\"gone\":[\n{\"kind\":"
	    "\"HTTPRoute\",\"namespace\":\"default\",\"name\":\"b\"}]",
	    "a.example");
	/* What is not known any more, or not yet, is told whole. */
	expect_answer("kind=httproutes&after=1", "\"whole\":true");
	expect_answer(
	    "kind=httproutes&after=18446744073709551615", "\"whole\":true");
	expect_answer("kind=httproutes&after=x", "400 Bad Request");
	/* It still waits when ctl ends, and nothing of it is left. */
	close(other);
}

static void
reports_are_shown(void **state)
{
	(void)state;
	folder_write("objects/gateway.yaml", GATEWAY);
	open_ctl();
	struct feed_batch *batch = next_offer();

	confirm(&batch->generation);
	struct feed_reply *reply = feed_reply_new(FEED_REPORT,
	    SLICE("listener/default/web/http"), SLICE("port 8080 is taken"));

	feed_batch_free(&batch);
	reply->error = ERROR_IN_USE;
	feed_answer(feed, &reply);
	expect_answer("kind=gateway", "port 8080 is taken");
}

static void
nothing_is_a_configuration(void **state)
{
	(void)state;
	open_ctl();
	struct feed_batch *batch = next_offer();

	assert_true(batch->whole);
	assert_int_equal(batch->count, 0);
	feed_batch_free(&batch);
	folder_write("objects/bad.yaml", "a: [");
	while (atomic_load(&problems_read) == 0)
		turn();
	folder_write("objects/gateway.yaml", GATEWAY);
	batch = next_offer();
	assert_false(batch->whole);
	feed_batch_free(&batch);
	assert_int_equal(atomic_load(&objects_read), 2);
}

/* Not confirmed in time: shown, and said to be pending. */
static void
late_workers_are_named(void **state)
{
	(void)state;
	folder_write("objects/gateway.yaml", GATEWAY);
	open_ctl();
	struct feed_batch *batch = next_offer();

	expect_answer("kind=gateway", "\"reason\":\"Pending\"");
	confirm(&batch->generation);
	feed_batch_free(&batch);
	expect_answer("kind=gateway", "\"reason\":\"Programmed\"");
}

/* Whoever asked may be gone, and ctl may go before it has answered. */
static void
open_questions_at_the_end(void **state)
{
	struct text answer;

	(void)state;
	open_ctl();
	struct feed_batch *batch = next_offer();

	feed_batch_free(&batch);
	for (int i = 0; i < 20; i++) {
		int fd = ask("kind=gateway");

		for (int j = 0; j < i % 4; j++)
			turn();
		close(fd);
		turn();
	}
	int fd = ask("kind=gateway");

	turn();
	turn();
	ctl_free(&ctl);
	text_init(&answer);
	read_answer(fd, &answer);
	assert_true(strstr(answer.data, "503") != NULL ||
	    strstr(answer.data, "200") != NULL);
	text_fini(&answer);
}

static void
path_that_is_not_there(void **state)
{
	static const char *const paths[] = {"/nowhere/at/all"};
	struct ctl_options options = {
	    .paths = paths,
	    .path_count = 1,
	    .feed = feed,
	    .admin_loop = loop,
	};

	(void)state;
	assert_int_equal(ctl_new(&options, &ctl), ERROR_NOT_FOUND);
	assert_null(ctl);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(folder_is_served),
	    TEST(changes_are_waited_for),
	    TEST(reports_are_shown),
	    TEST(nothing_is_a_configuration),
	    TEST(late_workers_are_named),
	    TEST(open_questions_at_the_end),
	    TEST(path_that_is_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
