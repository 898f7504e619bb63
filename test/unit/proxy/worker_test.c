/* A whole worker between a client and backends, over loopback: what requests
 * get, what happens when sets change under load, and how it ends. */
#include "setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/metric.h"

static void
test_forward(void **state)
{
	struct setting *setting = *state;
	struct peer_answer answer;

	(void)setting_serve_one(setting);
	answer = setting_get(setting, "/x");
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.body, "one");
	assert_null(strcasestr(answer.head, "proxy-status"));

	answer = setting_get(setting, "/head?q=1");
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "GET /head?q=1 HTTP/1.1\r\n"));
	assert_non_null(strcasestr(answer.body, "\r\nhost: a.example\r\n"));
	assert_non_null(
	    strstr(answer.body, "\r\nX-Forwarded-For: 127.0.0.1\r\n"));
	assert_non_null(strstr(answer.body, "\r\nX-Forwarded-Proto: http\r\n"));
	assert_non_null(
	    strstr(answer.body, "\r\nX-Forwarded-Host: a.example\r\n"));
	assert_non_null(strstr(answer.body, "\r\nX-Request-Id: "));
	/* What is matched is what is forwarded. */
	answer = setting_get(setting, "/x/%2e%2e/%68ead?q=%41");
	assert_non_null(strstr(answer.body, "GET /head?q=%41 HTTP/1.1\r\n"));
	assert_int_equal(setting_get(setting, "/teapot").status, 418);
	assert_int_equal(setting_get(setting, "/../x").status, 400);
	/* All of that over one connection. */
	assert_int_equal(atomic_load(&setting->one.connections), 1);
}

static void
test_not_found(void **state)
{
	struct setting *setting = *state;
	struct unit_match match = {.path = SLICE("/api")};
	struct unit_backend backend = {
	    .target = SLICE("service/ns/one"), .port = 80, .weight = 1};
	struct unit_rule rule = setting_rule_to(&match, &backend);
	struct peer_answer answer;

	(void)setting_serve_one(setting);
	setting_put_route(setting, &rule, 1);
	(void)setting_publish(setting);
	answer = setting_get(setting, "/x");
	assert_int_equal(answer.status, 404);
	assert_non_null(
	    strstr(answer.head, "\r\nProxy-Status: yumen; error=no_route\r\n"));
	assert_non_null(strstr(answer.body, "no_route: "));
	assert_int_equal(setting_get(setting, "/api/x").status, 200);
	setting_put_listener(setting, "b.example");
	(void)setting_publish(setting);
	answer = setting_get(setting, "/api");
	assert_int_equal(answer.status, 404);
	assert_non_null(strstr(
	    answer.head, "\r\nProxy-Status: yumen; error=no_listener\r\n"));
}

static void
test_filters(void **state)
{
	struct unit_field set = {SLICE("X-Set"), SLICE("rule")};
	struct unit_field add = {SLICE("X-Set"), SLICE("backend")};
	struct unit_field answer_set = {SLICE("Server"), SLICE("gate")};
	struct slice gone = SLICE("user-agent");
	struct unit_filter of_rule[] = {
	    {.kind = UNIT_FILTER_REQUEST_HEADERS,
	        .set = &set,
	        .set_count = 1,
	        .remove = &gone,
	        .remove_count = 1},
	    {.kind = UNIT_FILTER_RESPONSE_HEADERS,
	        .set = &answer_set,
	        .set_count = 1},
	};
	struct unit_filter of_backend = {
	    .kind = UNIT_FILTER_REQUEST_HEADERS, .add = &add, .add_count = 1};
	struct unit_filter redirect = {.kind = UNIT_FILTER_REDIRECT,
	    .scheme = SLICE("https"),
	    .path_change = UNIT_PATH_REPLACE_PREFIX,
	    .path = SLICE("/new"),
	    .status = 308};
	struct unit_match matches[] = {
	    {.path = SLICE("/")}, {.path = SLICE("/old")}};
	struct unit_backend backend = {.target = SLICE("service/ns/one"),
	    .port = 80,
	    .weight = 1,
	    .filters = &of_backend,
	    .filters_count = 1};
	struct unit_rule rules[] = {setting_rule_to(&matches[0], &backend),
	    {.matches = &matches[1],
	        .matches_count = 1,
	        .filters = &redirect,
	        .filters_count = 1}};
	struct setting *setting = *state;
	struct peer_answer answer;

	(void)setting_serve_one(setting);
	rules[0].filters = of_rule;
	rules[0].filters_count = 2;
	setting_put_route(setting, rules, 2);
	(void)setting_publish(setting);
	answer = setting_get(setting, "/head");
	assert_non_null(
	    strstr(answer.body, "\r\nX-Set: rule\r\nX-Set: backend\r\n"));
	answer = setting_get(setting, "/teapot");
	assert_non_null(strstr(answer.head, "\r\nServer: gate\r\n"));
	assert_null(strstr(answer.head, "Server: pot\r\n"));
	answer = setting_get(setting, "/old/a?q=1");
	assert_int_equal(answer.status, 308);
	assert_non_null(strstr(
	    answer.head, "\r\nLocation: https://a.example/new/a?q=1\r\n"));
	assert_string_equal(answer.body, "");
}

static void
test_methods(void **state)
{
	struct setting *setting = *state;
	struct peer_answer answer;
	int fd;

	(void)setting_serve_one(setting);
	fd = peer_connect(setting->port);
	assert_true(peer_ask(fd,
	    "OPTIONS /head HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n",
	    &answer));
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.head, "\r\nAllow: GET, "));
	assert_true(peer_ask(fd,
	    "OPTIONS /head HTTP/1.1\r\nHost: a\r\nMax-Forwards: 10\r\n\r\n",
	    &answer));
	assert_non_null(strcasestr(answer.body, "\r\nmax-forwards: 9\r\n"));
	assert_true(
	    peer_ask(fd, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", &answer));
	assert_int_equal(answer.status, 200);
	assert_true(
	    peer_ask(fd, "PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n", &answer));
	assert_int_equal(answer.status, 200);
	assert_true(
	    peer_ask(fd, "TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n", &answer));
	assert_int_equal(answer.status, 501);
	close(fd);
	fd = peer_connect(setting->port);
	assert_true(peer_ask(
	    fd, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", &answer));
	assert_int_equal(answer.status, 405);
	assert_non_null(strstr(answer.head, "\r\nConnection: close\r\n"));
	close(fd);
	/* HTTP/1.0 without Host gets one on its way. */
	fd = peer_connect(setting->port);
	assert_true(peer_ask(fd, "GET /head HTTP/1.0\r\n\r\n", &answer));
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\r\nHost: 127.0.0.1:"));
	close(fd);
}

/* Each way in which there is no backend. */
static void
test_no_backend(void **state)
{
	struct unit_match match = {.path = SLICE("/")};
	struct setting *setting = *state;
	static const struct {
		struct unit_backend backend;
		uint32_t count;
		struct slice refused;
		int status;
		const char *reason;
	} cases[] = {
	    {{{0}}, 0, {0}, 500, "no_backend"},
	    {{.target = SLICE("service/ns/one"), .port = 80, .weight = 0}, 1,
	        {0}, 500, "no_backend"},
	    {{.target = SLICE("service/ns/missing"), .port = 80, .weight = 1},
	        1, {0}, 500, "ref_not_resolved"},
	    {{.target = SLICE("service/ns/one"), .port = 81, .weight = 1}, 1,
	        {0}, 500, "ref_not_resolved"},
	    {{.target = SLICE("service/ns/one"),
	         .port = 80,
	         .weight = 1,
	         .refused = SLICE("not granted")},
	        1, {0}, 500, "ref_not_resolved"},
	    {{.target = SLICE("service/ns/one"), .port = 80, .weight = 1}, 1,
	        SLICE("timeouts"), 500, "rule_refused"},
	    {{.target = SLICE("service/ns/empty"), .port = 80, .weight = 1}, 1,
	        {0}, 503, "destination_unavailable"},
	    {{.target = SLICE("service/ns/starting"), .port = 80, .weight = 1},
	        1, {0}, 503, "destination_unavailable"},
	    {{.target = SLICE("service/ns/ending"), .port = 80, .weight = 1}, 1,
	        {0}, 200, ""},
	    {{.target = SLICE("service/ns/dead"), .port = 80, .weight = 1}, 1,
	        {0}, 503, "connection_refused"},
	};
	uint16_t dead = peer_dead_port();

	(void)setting_serve_one(setting);
	setting_put_service(setting, "empty", NULL, 0, 0);
	setting_put_service(setting, "starting", &setting->one.port, 1, 0);
	setting_put_service(setting, "ending", &setting->one.port, 1,
	    UNIT_ENDPOINT_SERVING | UNIT_ENDPOINT_TERMINATING);
	setting_put_service(setting, "dead", &dead, 1, UNIT_ENDPOINT_READY);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct unit_backend backend = cases[i].backend;
		struct unit_rule rule = setting_rule_to(&match, &backend);
		struct peer_answer answer;
		char wanted[64];

		rule.backends_count = cases[i].count;
		rule.refused = cases[i].refused;
		setting_put_route(setting, &rule, 1);
		(void)setting_publish(setting);
		answer = setting_get(setting, "/x");
		if (answer.status != cases[i].status)
			fail_msg("%zu: %d", i, answer.status);
		snprintf(
		    wanted, sizeof(wanted), "error=%s\r\n", cases[i].reason);
		if (cases[i].status != 200 && !strstr(answer.head, wanted))
			fail_msg("%zu: %s", i, answer.head);
	}
}

/* Refused in proportion: one in two. */
static void
test_weights(void **state)
{
	struct setting *setting = *state;
	struct unit_match match = {.path = SLICE("/")};
	struct unit_backend backends[] = {
	    {.target = SLICE("service/ns/one"), .port = 80, .weight = 2},
	    {.target = SLICE("service/ns/two"), .port = 80, .weight = 1},
	    {.target = SLICE("service/ns/none"), .port = 80, .weight = 1},
	    {.target = SLICE("service/ns/zero"), .port = 80, .weight = 0},
	};
	struct unit_rule rule = setting_rule_to(&match, backends);
	unsigned one = 0, two = 0, failed = 0;
	int fd;

	(void)setting_serve_one(setting);
	setting_put_service(
	    setting, "two", &setting->two.port, 1, UNIT_ENDPOINT_READY);
	rule.backends_count = 4;
	setting_put_route(setting, &rule, 1);
	(void)setting_publish(setting);
	fd = peer_connect(setting->port);
	for (unsigned i = 0; i < 2000; i++) {
		struct peer_answer answer;

		assert_true(peer_ask(fd, GET("/x"), &answer));
		one += answer.status == 200 && !strcmp(answer.body, "one");
		two += answer.status == 200 && !strcmp(answer.body, "two");
		failed += answer.status == 500;
	}
	close(fd);
	assert_int_equal(one + two + failed, 2000);
	assert_in_range(one, 880, 1120);
	assert_in_range(two, 400, 600);
	assert_in_range(failed, 400, 600);
}

/* A dead endpoint beside a live one: nobody notices, and it rests. */
static void
test_other_endpoint(void **state)
{
	struct setting *setting = *state;
	uint16_t ports[] = {peer_dead_port(), setting->one.port};
	uint64_t before = metrics_total(METRIC_BACKEND_CONNECT_FAILURES);

	(void)setting_serve_one(setting);
	setting_put_service(setting, "one", ports, 2, UNIT_ENDPOINT_READY);
	(void)setting_publish(setting);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(setting_get(setting, "/x").status, 200);
	assert_in_range(
	    metrics_total(METRIC_BACKEND_CONNECT_FAILURES) - before, 1, 3);
}

/* Endpoints that go away, one after the other, before they were reached: that
 * is no try, and who waits is served by the one that is left. */
static void
test_endpoints_go(void **state)
{
	enum { GONE = LIMIT_VALUE_ATTEMPTS + 1 };
	struct setting *setting = *state;
	uint64_t before = metrics_total(METRIC_BACKEND_CONNECTS), opened = 0;
	int listening[GONE], other[GONE], asked[GONE];

	(void)setting_serve_one(setting);
	for (unsigned i = 0; i < GONE; i++) {
		uint16_t port;

		listening[i] = peer_listen_full(&port, &other[i]);
		setting_put_service(
		    setting, "one", &port, 1, UNIT_ENDPOINT_READY);
		(void)setting_publish(setting);
		/* By it the worker sees that the one before is gone. */
		asked[i] = peer_connect(setting->port);
		assert_true(peer_send(asked[i], GET("/x")));
		opened += i + 1;
		WAIT_UNTIL(
		    metrics_total(METRIC_BACKEND_CONNECTS) - before == opened);
	}
	setting_put_service(
	    setting, "one", &setting->one.port, 1, UNIT_ENDPOINT_READY);
	(void)setting_publish(setting);
	assert_int_equal(setting_get(setting, "/x").status, 200);
	for (unsigned i = 0; i < GONE; i++) {
		struct peer_answer answer;

		assert_true(peer_receive(asked[i], false, &answer));
		assert_int_equal(answer.status, 200);
		close(asked[i]);
		close(other[i]);
		close(listening[i]);
	}
}

static void
test_retry(void **state)
{
	struct setting *setting = *state;
	struct peer_answer answer;

	(void)setting_serve_one(setting);
	/* The second request of a backend's connection finds it closed. */
	assert_string_equal(setting_get(setting, "/die-later").body, "one");
	assert_string_equal(setting_get(setting, "/die-later").body, "one");
	assert_int_equal(atomic_load(&setting->one.connections), 2);
	/* Not what may have been done already and must not be done twice. */
	int fd = peer_connect(setting->port);
	assert_true(peer_ask(fd,
	    "POST /die-later HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
	    &answer));
	assert_int_equal(answer.status, 502);
	assert_non_null(strstr(answer.head, "error=connection_terminated"));
	/* A new connection that dies is the request's doing. */
	assert_true(peer_ask(fd, GET("/die"), &answer));
	assert_int_equal(answer.status, 502);
	assert_true(peer_ask(fd, GET("/junk"), &answer));
	assert_int_equal(answer.status, 502);
	assert_non_null(strstr(answer.head, "error=http_protocol_error"));
	close(fd);
	assert_false(peer_get(setting->port, "/half", &answer));
	assert_int_equal(answer.status, 200);
}

struct load {
	struct setting *setting;
	_Atomic bool *stop;
	_Atomic unsigned asked, failed;
};

static void *
run_load(void *context)
{
	struct load *load = context;
	int fd = peer_connect(load->setting->port);
	struct peer_answer answer;

	while (!atomic_load(load->stop)) {
		bool good = fd >= 0 && peer_ask(fd, GET("/x"), &answer) &&
		    answer.status == 200 && !answer.close &&
		    (!strcmp(answer.body, "one") ||
		        !strcmp(answer.body, "two"));
		atomic_fetch_add(&load->asked, 1);
		atomic_fetch_add(&load->failed, !good);
		if (!good) {
			fprintf(stderr, "%d %s\n", answer.status, answer.head);
			break;
		}
	}
	close(fd);
	return NULL;
}

/* Routes, weights and endpoints change under load: no request is lost, and each
 * is answered by an old or a new configuration. */
static void
test_publish(void **state)
{
	struct setting *setting = *state;
	struct unit_match match = {.path = SLICE("/")};
	struct unit_backend backends[] = {
	    {.target = SLICE("service/ns/one"), .port = 80, .weight = 1},
	    {.target = SLICE("service/ns/two"), .port = 80, .weight = 1},
	};
	struct unit_rule rule = setting_rule_to(&match, backends);
	_Atomic bool stop = false;
	struct load loads[3];
	pthread_t threads[3];

	(void)setting_serve_one(setting);
	setting_put_service(
	    setting, "two", &setting->two.port, 1, UNIT_ENDPOINT_READY);
	(void)setting_publish(setting);
	for (unsigned i = 0; i < 3; i++) {
		loads[i] = (struct load){.setting = setting, .stop = &stop};
		assert_int_equal(
		    pthread_create(&threads[i], NULL, run_load, &loads[i]), 0);
	}
	for (unsigned i = 0; i < 300; i++) {
		uint16_t ports[2] = {setting->one.port, setting->two.port};

		rule.backends = &backends[i % 2];
		rule.backends_count = i % 3 == 0 && i % 2 == 0 ? 2 : 1;
		backends[0].weight = 1 + i % 7;
		setting_put_service(
		    setting, "two", &ports[i % 2], 1, UNIT_ENDPOINT_READY);
		if (i % 5 == 0)
			snap_store_drop(
			    setting->store, SLICE("service/ns/unused"));
		setting_put_route(setting, &rule, 1);
		(void)setting_publish(setting);
	}
	/* However seldom they had a turn. */
	for (unsigned i = 0; i < 3; i++)
		WAIT_UNTIL(atomic_load(&loads[i].asked) > 10 ||
		    atomic_load(&loads[i].failed) > 0);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(loads[i].failed, 0);
	}
	struct snap_holds *holds = proxy_worker_holds(setting->worker);
	WAIT_UNTIL((snap_store_quiet(setting->store,
	                proxy_worker_served(setting->worker), &holds, 1),
	    !snap_store_has_garbage(setting->store)));
}

/* The socket is taken back: what is open is finished, then it is free. */
static void
test_take_back(void **state)
{
	struct setting *setting = *state;
	struct peer_answer answer;
	uint32_t id = setting_serve_one(setting);
	int busy = peer_connect(setting->port);
	int idle = peer_connect(setting->port);

	assert_true(proxy_worker_accepts(setting->worker, setting->fd));
	assert_false(proxy_worker_accepts(setting->worker, setting->fd + 1));
	assert_true(peer_ask(idle, GET("/x"), &answer));
	assert_true(peer_send(idle, "GET /x HTTP/1.1\r\n"));
	assert_true(peer_send(busy, GET("/slow")));
	WAIT_UNTIL(atomic_load(&setting->one.requests) == 2);
	proxy_worker_take_back(setting->worker, setting->fd);
	WAIT_UNTIL(!proxy_worker_accepts(setting->worker, setting->fd));
	/* Its number may be another socket's from now on: what still comes on
	 * its connections belongs to no listener. */
	assert_true(peer_ask(idle, "Host: a.example\r\n\r\n", &answer));
	assert_int_equal(answer.status, 404);
	assert_true(answer.close);
	assert_true(peer_receive(busy, false, &answer));
	assert_int_equal(answer.status, 200);
	assert_true(answer.close);
	assert_int_equal(recv(idle, answer.body, 1, 0), 0);
	assert_false(proxy_worker_is_idle(setting->worker));
	close(idle);
	close(busy);
	/* And lent again. */
	proxy_worker_lend(
	    setting->worker, id, setting->fd, setting->port, false);
	assert_int_equal(setting_get(setting, "/x").status, 200);
}

static void
test_drain(void **state)
{
	struct setting *setting = *state;
	struct peer_answer answer;
	(void)setting_serve_one(setting);
	int busy = peer_connect(setting->port);

	assert_true(peer_send(busy, GET("/slow")));
	WAIT_UNTIL(atomic_load(&setting->one.requests) == 1);
	proxy_worker_drain(setting->worker);
	assert_false(proxy_worker_is_idle(setting->worker));
	assert_true(peer_receive(busy, false, &answer));
	assert_int_equal(answer.status, 200);
	assert_true(answer.close);
	unsigned progress = atomic_load(&setting->progress);
	WAIT_UNTIL(proxy_worker_is_idle(setting->worker));
	WAIT_UNTIL(atomic_load(&setting->progress) > progress);
	close(busy);
}

/* The end with requests in work. */
static void
test_stop(void **state)
{
	struct setting *setting = *state;
	(void)setting_serve_one(setting);
	int fds[4];

	for (unsigned i = 0; i < 4; i++) {
		fds[i] = peer_connect(setting->port);
		assert_true(peer_send(fds[i], i == 0 ? "GET" : GET("/slow")));
	}
	WAIT_UNTIL(atomic_load(&setting->one.requests) == 3);
	proxy_worker_stop(&setting->worker);
	for (unsigned i = 0; i < 4; i++)
		close(fds[i]);
}

static void
test_metrics(void **state)
{
	struct setting *setting = *state;
	struct text text;

	(void)setting_serve_one(setting);
	for (unsigned i = 0; i < 3; i++)
		(void)setting_get(setting, "/x");
	(void)setting_get(setting, "/die");
	text_init(&text);
	WAIT_UNTIL((text_reset(&text),
	    proxy_workers_metrics(&setting->worker, 1, setting->store, &text),
	    strstr(text.data,
	        "yumen_http_requests_total{gateway=\"ns/gate\","
	        "listener=\"http\",route_kind=\"HTTPRoute\","
	        "route_namespace=\"ns\",route=\"r\",rule=\"rule\","
	        "code=\"200\",reason=\"\"} 3\n") &&
	        strstr(text.data,
	            "code=\"502\",reason=\"connection_terminated\"} 1\n")));
	text_fini(&text);
}

static char log_path[] = "/tmp/yumen-worker-log-XXXXXX";

static int
set_up_log(void **state)
{
	struct proxy_log *log;
	char specification[64];
	int fd = mkstemp(log_path);

	assert_true(fd >= 0);
	close(fd);
	snprintf(specification, sizeof(specification), "json:%s", log_path);
	assert_int_equal(
	    proxy_log_open(slice_from_string(specification), &log), ERROR_OK);
	return setting_start(state, log);
}

static void
test_log(void **state)
{
	struct setting *setting = *state;
	struct peer_answer answer;
	char line[4096];

	(void)setting_serve_one(setting);
	int fd = peer_connect(setting->port);
	assert_true(peer_ask(fd,
	    "GET /x?secret HTTP/1.1\r\nHost: A.example:81\r\n"
	    "X-Request-Id: me-1\r\nUser-Agent: a\"b\r\n\r\n",
	    &answer));
	assert_true(peer_send(fd, "GET /\x01 HTTP/1.1\r\n\r\n"));
	assert_true(peer_receive(fd, false, &answer));
	assert_int_equal(answer.status, 400);
	close(fd);
	proxy_worker_stop(&setting->worker);
	proxy_log_close(&setting->log);
	FILE *file = fopen(log_path, "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(strstr(line,
	    "\"gateway\":\"ns/gate\",\"listener\":\"http\","
	    "\"route\":\"HTTPRoute/ns/r\",\"rule\":\"rule\","
	    "\"backend\":\"service/ns/one:80\",\"endpoint\":\"127.0.0.1:"));
	assert_non_null(strstr(line,
	    "\"client\":\"127.0.0.1\",\"method\":\"GET\","
	    "\"host\":\"a.example\",\"path\":\"/x\","
	    "\"proto\":\"HTTP/1.1\",\"status\":200,"
	    "\"bytes_in\":0,\"bytes_out\":3,\"duration_ms\":"));
	assert_non_null(strstr(line,
	    "\"attempts\":1,\"request_id\":\"me-1\","
	    "\"user_agent\":\"a\\\"b\"}\n"));
	assert_null(strstr(line, "secret"));
	assert_null(strstr(line, "\"reason\""));
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(strstr(line,
	    "\"client\":\"127.0.0.1\",\"status\":400,"
	    "\"reason\":\"http_request_error\"}\n"));
	assert_null(fgets(line, sizeof(line), file));
	fclose(file);
	unlink(log_path);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setting_set_up, setting_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_forward),
	    TEST(test_not_found),
	    TEST(test_filters),
	    TEST(test_methods),
	    TEST(test_no_backend),
	    TEST(test_weights),
	    TEST(test_other_endpoint),
	    TEST(test_endpoints_go),
	    TEST(test_retry),
	    TEST(test_publish),
	    TEST(test_take_back),
	    TEST(test_drain),
	    TEST(test_stop),
	    TEST(test_metrics),
	    cmocka_unit_test_setup_teardown(
	        test_log, set_up_log, setting_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
