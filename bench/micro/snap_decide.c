/* What decide() costs, and what routes weigh: builds a table, then decides N
 * requests. Under callgrind the difference between two N, divided by theirs, is
 * the number of instructions a request; bench/snap_decide.sh does that. Without
 * it, times and memory are printed.
 *
 *	snap_decide one|paths|hosts|calls|beside|patterns ROUTES REQUESTS
 *
 * one: ROUTES routes of PathPrefix "/" on no hostname (1 is the hello example);
 * paths: all on one host, each with a path of its own; hosts: each on a host of
 * its own; calls: GRPCRoutes on one host, each of a service of its own; beside:
 * as hosts, with a pattern at each but the one that is asked for; patterns: all
 * on one host, each with a pattern of its own, the last one of which fits. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/must.h"
#include "snap/decide.h"
#include "wire/record_binary.h"

#define KEYS 1024

enum shape { ONE, PATHS, HOSTS, CALLS, BESIDE, PATTERNS, SHAPES };

static const char *const shapes[SHAPES] = {
    "one", "paths", "hosts", "calls", "beside", "patterns"};

struct key {
	char host[64], path[64];
};

static void
put(struct snap_store *store, const char *name, enum unit_kind kind,
    const void *record)
{
	struct text bytes;
	enum error error;

	text_init(&bytes);
	wire_record_encode(&bytes, snap_unit_type(kind), record);
	error =
	    snap_store_put(store, slice_from_string(name), text_slice(&bytes));
	must(error == ERROR_OK);
	text_fini(&bytes);
}

static void
make_key(enum shape shape, unsigned number, struct key *key)
{
	snprintf(key->host, sizeof(key->host),
	    shape == HOSTS || shape == BESIDE ? "app-%u.customers.example.com"
	                                      : "www.example.com",
	    number);
	snprintf(key->path, sizeof(key->path),
	    shape == PATHS          ? "/api/service-%u/items"
	        : shape == PATTERNS ? "/api/v1/%u"
	        : shape == CALLS    ? "/example.Service%u/Get"
	                            : "/",
	    number);
}

static void
put_route(struct snap_store *store, enum shape shape, unsigned number,
    int64_t created)
{
	struct key key;
	char full[128];
	struct slice listener = SLICE("listener/default/gateway/http");
	struct slice hostname;
	struct unit_match match = {.path_type = UNIT_PATH_PREFIX};
	struct unit_backend backend = {
	    .target = SLICE("service/default/web"), .port = 80, .weight = 1};
	struct unit_rule rule = {.identity = SLICE("0"),
	    .matches = &match,
	    .matches_count = 1,
	    .backends = &backend,
	    .backends_count = 1};
	struct unit_call call = {.method = SLICE("Get")};
	char pattern[64], service[64];
	struct unit_route route = {.created = created,
	    .listeners = &listener,
	    .listeners_count = 1,
	    .hostnames = &hostname,
	    .hostnames_count = shape != ONE,
	    .rules = &rule,
	    .rules_count = 1};

	make_key(shape, number, &key);
	snprintf(full, sizeof(full), "route/%s/default/route-%u",
	    shape == CALLS ? "GRPCRoute" : "HTTPRoute", number);
	hostname = slice_from_string(key.host);
	if (shape != CALLS)
		match.path = slice_from_string(key.path);
	if (shape == CALLS) {
		snprintf(service, sizeof(service), "example.Service%u", number);
		call.service = slice_from_string(service);
		match.call = &call;
	}
	if (shape == PATTERNS || (shape == BESIDE && number > 0)) {
		snprintf(pattern, sizeof(pattern), "/api/v[0-9]+/%u", number);
		match.path = slice_from_string(pattern);
		match.path_type = UNIT_PATH_PATTERN;
	}
	put(store, full, UNIT_ROUTE, &route);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void
put_frame(struct snap_store *store)
{
	struct unit_listener listener = {
	    .port = 80, .protocol = UNIT_PROTOCOL_HTTP};
	struct unit_service_port port = {.number = 80};
	struct unit_service service = {.ports = &port, .ports_count = 1};

	put(store, "listener/default/gateway/http", UNIT_LISTENER, &listener);
	put(store, "service/default/web", UNIT_SERVICE, &service);
}

/* One route edited, over and over: what the control loop pays. */
static void
edit(struct snap_store *store, enum shape shape, unsigned routes)
{
	enum { EDITS = 2000 };
	double start = now();

	for (unsigned i = 0; i < EDITS; i++) {
		const struct snap_set *set;

		put_route(store, shape, i * 7919 % routes, 2 + i);
		set = snap_store_commit(store);
		snap_store_quiet(store, snap_set_number(set), NULL, 0);
	}
	printf("edit    %.1f us\n", (now() - start) * 1e6 / EDITS);
}

/* Not inlined: callgrind counts within it, by name. */
static __attribute__((noinline)) void
ask(const struct snap_set *set, enum shape shape, unsigned routes,
    unsigned long requests)
{
	static struct key keys[KEYS];
	const struct snap_socket *sockets;
	struct snap_decision decision;
	static const struct field field = {.name = "content-type",
	    .name_length = 12,
	    .value = "application/grpc",
	    .value_length = 16};
	struct snap_request request = {.method = SLICE("GET"),
	    .fields = &field,
	    .field_count = shape == CALLS,
	    .matcher = snap_matcher_new(NULL, NULL)};
	char scratch[1];
	double start;

	must(snap_set_sockets(set, &sockets) == 1);
	request.socket = sockets[0].id;
	request.scratch = scratch;
	for (unsigned i = 0; i < KEYS; i++)
		make_key(shape,
		    shape == BESIDE         ? 0
		        : shape == PATTERNS ? routes - 1
		                            : (unsigned)(i * 7919UL % routes),
		    &keys[i]);
	start = now();
	for (unsigned long i = 0; i < requests; i++) {
		const struct key *key = &keys[i % KEYS];

		request.host = slice_from_string(key->host);
		request.path = slice_from_string(key->path);
		snap_decide(set, &request, &decision);
		must(decision.reason == REASON_NONE);
	}
	printf("decide  %.1f ns\n", (now() - start) * 1e9 / (double)requests);
	snap_matcher_free(&request.matcher);
}

int
main(int argc, char **argv)
{
	must(argc == 4);
	enum shape shape = 0;
	unsigned routes = 0;
	unsigned long requests = 0;

	while (shape < SHAPES && strcmp(shapes[shape], argv[1]) != 0)
		shape++;
	must(shape < SHAPES);
	must(sscanf(argv[2], "%u", &routes) == 1 && routes > 0);
	must(sscanf(argv[3], "%lu", &requests) == 1 && requests > 0);

	struct snap_store *store = snap_store_new();
	struct mallinfo2 before = mallinfo2();
	double start = now();

	put_frame(store);
	for (unsigned i = 0; i < routes; i++)
		put_route(store, shape, i, 1);

	const struct snap_set *set = snap_store_commit(store);
	double loaded = now();
	struct mallinfo2 after = mallinfo2();
	size_t units = 0, at = 0;
	const struct unit *unit;

	while (snap_store_next(store, &at, &unit))
		units += arena_blocks_bytes(unit->blocks);
	printf("load    %.2f us a route\n", (loaded - start) * 1e6 / routes);
	printf("memory  %.1f MiB, of which units %.1f MiB\n",
	    (double)(after.uordblks + after.hblkhd - before.uordblks -
	        before.hblkhd) /
	        1048576,
	    (double)units / 1048576);
	ask(set, shape, routes, requests);
	if (shape != ONE)
		edit(store, shape, routes);
	snap_store_free(&store);
	return 0;
}
