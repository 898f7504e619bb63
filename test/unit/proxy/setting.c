/* See setting.h. */
#include "setting.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/memory.h"
#include "wire/record_binary.h"

static void
on_progress(void *context)
{
	struct setting *setting = context;

	atomic_fetch_add(&setting->progress, 1);
}

void
setting_rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void
setting_put(struct setting *setting, const char *name, const void *record)
{
	struct slice text = slice_from_string(name);
	struct text bytes;
	enum unit_kind kind;

	assert_true(snap_unit_kind(text, &kind));
	text_init(&bytes);
	wire_record_encode(&bytes, snap_unit_type(kind), record);
	assert_int_equal(
	    snap_store_put(setting->store, text, text_slice(&bytes)), ERROR_OK);
	text_fini(&bytes);
}

/* Publish and wait until it is served, as the agent does. */
const struct snap_set *
setting_publish(struct setting *setting)
{
	const struct snap_set *set = snap_store_commit(setting->store);
	uint64_t number = snap_set_number(set);
	struct snap_holds *holds = proxy_worker_holds(setting->worker);

	proxy_worker_publish(setting->worker, set);
	WAIT_UNTIL(proxy_worker_served(setting->worker) == number);
	snap_store_quiet(setting->store, number, &holds, 1);
	return set;
}

void
setting_put_listener(struct setting *setting, const char *hostname)
{
	struct unit_listener listener = {.gateway_namespace = SLICE("ns"),
	    .gateway_name = SLICE("gate"),
	    .name = SLICE("http"),
	    .port = setting->port,
	    .protocol = UNIT_PROTOCOL_HTTP,
	    .hostname = slice_from_string(hostname)};

	setting_put(setting, "listener/ns/gate/http", &listener);
}

void
setting_put_route(
    struct setting *setting, struct unit_rule *rules, uint32_t count)
{
	struct slice listener = SLICE("listener/ns/gate/http");
	struct unit_route route = {.listeners = &listener,
	    .listeners_count = 1,
	    .rules = rules,
	    .rules_count = count};

	setting_put(setting, "route/HTTPRoute/ns/r", &route);
}

/* A service with a port 80 and endpoints at these ports of loopback. */
void
setting_put_service(struct setting *setting, const char *name,
    const uint16_t *ports, unsigned count, int64_t conditions)
{
	struct unit_service_port port = {.number = 80, .name = SLICE("p")};
	struct unit_service service = {.ports = &port, .ports_count = 1};
	struct slice address = SLICE("127.0.0.1");
	struct unit_endpoint endpoint = {.addresses = &address,
	    .addresses_count = 1,
	    .conditions = conditions};
	char unit[64];

	snprintf(unit, sizeof(unit), "service/ns/%s", name);
	setting_put(setting, unit, &service);
	for (unsigned i = 0; i < count; i++) {
		struct unit_service_port at = {
		    .number = ports[i], .name = SLICE("p")};
		struct unit_endpoints endpoints = {
		    .service = slice_from_string(unit),
		    .ports = &at,
		    .ports_count = 1,
		    .endpoints = &endpoint,
		    .endpoints_count = 1};
		char slice[64];

		snprintf(slice, sizeof(slice), "endpoints/ns/%s-%u", name, i);
		setting_put(setting, slice, &endpoints);
	}
}

/* A rule of prefix that goes to one service. */
struct unit_rule
setting_rule_to(struct unit_match *match, struct unit_backend *backend)
{
	return (struct unit_rule){.identity = SLICE("rule"),
	    .matches = match,
	    .matches_count = 1,
	    .backends = backend,
	    .backends_count = 1};
}

static uint32_t
setting_socket_id(const struct snap_set *set)
{
	const struct snap_socket *sockets;

	assert_int_equal(snap_set_sockets(set, &sockets), 1);
	return sockets[0].id;
}

/* Everything to "one", over a listener of every host. */
uint32_t
setting_serve_one(struct setting *setting)
{
	struct unit_match match = {.path = SLICE("/")};
	struct unit_backend backend = {
	    .target = SLICE("service/ns/one"), .port = 80, .weight = 1};
	struct unit_rule rule = setting_rule_to(&match, &backend);

	setting_put_listener(setting, "");
	setting_put_service(
	    setting, "one", &setting->one.port, 1, UNIT_ENDPOINT_READY);
	setting_put_route(setting, &rule, 1);
	uint32_t id = setting_socket_id(setting_publish(setting));
	proxy_worker_lend(
	    setting->worker, id, setting->fd, setting->port, false);
	return id;
}

int
setting_start(void **state, struct proxy_log *log)
{
	struct setting *setting = memory_zero(1, sizeof(*setting));
	struct proxy_options options = {
	    .on_progress = on_progress, .context = setting, .access_log = log};

	signal(SIGPIPE, SIG_IGN);
	peer_backend_start(&setting->one, "one");
	peer_backend_start(&setting->two, "two");
	setting->fd = peer_listen(&setting->port);
	setting->store = snap_store_new();
	setting->log = log;
	options.store = setting->store;
	assert_int_equal(
	    proxy_worker_start(&options, &setting->worker), ERROR_OK);
	*state = setting;
	return 0;
}

int
setting_set_up(void **state)
{
	return setting_start(state, NULL);
}

int
setting_tear_down(void **state)
{
	struct setting *setting = *state;

	proxy_worker_stop(&setting->worker);
	assert_null(setting->worker);
	proxy_log_close(&setting->log);
	snap_store_free(&setting->store);
	close(setting->fd);
	peer_backend_stop(&setting->one);
	peer_backend_stop(&setting->two);
	memory_free(setting);
	return 0;
}

struct peer_answer
setting_get(struct setting *setting, const char *path)
{
	struct peer_answer answer;

	assert_true(peer_get(setting->port, path, &answer));
	return answer;
}
