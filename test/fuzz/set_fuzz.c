/* Fuzz: the bytes are operations on a store (put, drop, commit, decide, hold,
 * release, quiet). After each commit the set must decide as a store does that
 * gets the same units in another order, and what a worker holds must be whole.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/must.h"
#include "snap/decide.h"
#include "snap/secret.h"
#include "wire/record_binary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define OPERATIONS_MAX 400

static const char *const patterns[] = {"", "*.test", "*.a.test", "a.test",
    "b.a.test", "*.b.a.test", "other", "*.x"};
static const char *const hosts[] = {
    "", "a.test", "b.a.test", "q.b.a.test", "z.test", "other", "x", "y.x"};
static const char *const paths[] = {
    "/", "/a", "/a/", "/a/b", "/ab", "//", "/a//", "/a/b/c"};
static const char *const path_patterns[] = {"/a.*", ".*", "/[ab]", "/a/?"};
static const char *const methods[] = {"", "GET", "POST", ""};

struct input {
	const uint8_t *next, *end;
};

struct run {
	struct input in;
	struct arena arena;
	struct snap_store *store;
	const struct snap_set *set; /* what the worker has */
	const struct snap_set *newest;
	struct snap_holds *holds;
	struct snap_matcher *matcher;
	const struct unit *held[4];
};

static unsigned
take(struct input *in)
{
	return in->next < in->end ? *in->next++ : 0;
}

static struct slice
pick(struct input *in, const char *const list[], size_t count)
{
	return slice_from_string(list[take(in) % count]);
}

static void
put(struct run *run, struct slice name, enum unit_kind kind, const void *record)
{
	struct text bytes;
	enum error error;

	text_init(&bytes);
	wire_record_encode(&bytes, snap_unit_type(kind), record);
	error = snap_store_put(run->store, name, text_slice(&bytes));
	must(error == ERROR_OK);
	text_fini(&bytes);
}

static struct slice
name_of(struct run *run, const char *kind, unsigned number)
{
	return arena_format(&run->arena, "%s%u", kind, number);
}

static void
put_listener(struct run *run)
{
	static struct slice certificates[] = {
	    {"certificate/c0", 14}, {"certificate/c1", 14}};
	unsigned which = take(&run->in);
	struct slice name = name_of(run, "listener/l", which % 4);
	struct unit_listener listener = {
	    .protocol = which & 4 ? UNIT_PROTOCOL_HTTPS : UNIT_PROTOCOL_HTTP,
	    .port = 80 + take(&run->in) % 2,
	    .hostname = pick(&run->in, patterns, COUNT(patterns)),
	};

	if (which & 4) {
		listener.certificates = certificates;
		listener.certificates_count = which >> 3 & 1;
		if (which & 16)
			listener.tickets = SLICE("tickets/t0");
		if (which & 32)
			listener.backend_certificate = certificates[1];
	}
	put(run, name, UNIT_LISTENER, &listener);
}

/* What listeners of TLS refer to, in whatever order they come. */
static void
put_credential(struct run *run)
{
	unsigned which = take(&run->in);
	struct unit_certificate certificate = {
	    .chain = which & 4 ? SLICE("chain") : SLICE("other"),
	    .key = SLICE("key")};
	char bytes[UNIT_TICKET_KEY_BYTES];
	struct slice key = slice_make(bytes, sizeof(bytes));
	struct unit_tickets tickets = {.keys = &key, .keys_count = 1};

	memset(bytes, (int)which, sizeof(bytes));
	if (which & 2)
		put(run, SLICE("tickets/t0"), UNIT_TICKETS, &tickets);
	else
		put(run, name_of(run, "certificate/c", which & 1),
		    UNIT_CERTIFICATE, &certificate);
}

static void
fill_match(struct run *run, struct unit_match *match)
{
	static struct unit_pair_match pairs[] = {
	    {.name = {.data = "x", .length = 1},
	        .value = {.data = "1", .length = 1}},
	    {.name = {.data = "x", .length = 1},
	        .value = {.data = "1|2", .length = 3},
	        .type = UNIT_PAIR_PATTERN}};
	unsigned flags = take(&run->in);
	struct unit_pair_match *pair = &pairs[flags >> 6 & 1];

	match->path_type = flags & 1;
	if (flags & 32) {
		match->path_type = UNIT_PATH_PATTERN;
		match->path =
		    pick(&run->in, path_patterns, COUNT(path_patterns));
	} else {
		match->path = pick(&run->in, paths, COUNT(paths));
	}
	match->method = slice_from_string(methods[flags >> 1 & 3]);
	match->headers = pair;
	match->headers_count = flags >> 3 & 1;
	match->queries = pair;
	match->queries_count = flags >> 4 & 1;
}

/* Of a GRPCRoute. */
static void
fill_call(struct run *run, struct unit_match *match)
{
	static struct unit_call calls[] = {
	    {.service = {.data = "a", .length = 1},
	        .method = {.data = "b", .length = 1}},
	    {.service = {.data = "a", .length = 1}},
	    {.method = {.data = "b", .length = 1}},
	    {.type = UNIT_CALL_PATTERN,
	        .service = {.data = "a|x", .length = 3}},
	    {.type = UNIT_CALL_PATTERN, .method = {.data = "b?", .length = 2}}};
	unsigned which = take(&run->in) % (COUNT(calls) + 1);

	if (which < COUNT(calls))
		match->call = &calls[which];
}

static void
put_route(struct run *run)
{
	struct input *in = &run->in;
	unsigned number = take(in) % 8;
	struct slice name = name_of(run,
	    number < 6        ? "route/HTTPRoute/ns/r"
	        : number == 6 ? "route/GRPCRoute/ns/r"
	                      : "route/TLSRoute/ns/r",
	    number);
	struct slice listeners[4], hostnames[4];
	struct unit_match matches[3] = {{.path_type = 0}};
	struct unit_backend backend = {.weight = 1, .port = 80};
	struct unit_rule rule = {.identity = SLICE("i"),
	    .matches = matches,
	    .backends = &backend,
	    .backends_count = 1};
	struct unit_route route = {
	    .rules = &rule, .listeners = listeners, .hostnames = hostnames};

	route.created = take(in) % 3;
	route.listeners_count = take(in) % (COUNT(listeners) + 1);
	for (unsigned i = 0; i < route.listeners_count; i++)
		listeners[i] = name_of(run, "listener/l", take(in) % 4);
	route.hostnames_count = take(in) % (COUNT(hostnames) + 1);
	for (unsigned i = 0; i < route.hostnames_count; i++)
		hostnames[i] = pick(in, patterns, COUNT(patterns));
	route.rules_count = take(in) % 2;
	rule.matches_count = take(in) % (COUNT(matches) + 1);
	if (number == 7)
		rule.matches_count = 0;
	for (unsigned i = 0; i < rule.matches_count; i++)
		if (number == 6)
			fill_call(run, &matches[i]);
		else
			fill_match(run, &matches[i]);
	backend.target = name_of(run, "service/s", take(in) % 2);
	put(run, name, UNIT_ROUTE, &route);
}

/* Any bytes: what is refused changes nothing, what is accepted stays. */
static void
put_bytes(struct run *run)
{
	static const char *const names[] = {"route/HTTPRoute/ns/raw",
	    "service/s0", "endpoints/e", "external/x", "listener/l9"};
	struct slice name = pick(&run->in, names, COUNT(names));
	size_t left = (size_t)(run->in.end - run->in.next);
	size_t length = take(&run->in);
	struct feed_generation before = snap_store_generation(run->store);
	struct feed_generation after;
	enum error error;

	left = (size_t)(run->in.end - run->in.next);
	length = length < left ? length : left;
	error = snap_store_put(
	    run->store, name, slice_make((const char *)run->in.next, length));
	run->in.next += length;
	after = snap_store_generation(run->store);
	must(error == ERROR_OK || feed_generation_equal(&before, &after));
}

static void
drop(struct run *run)
{
	static const char *const kinds[] = {"route/HTTPRoute/ns/r",
	    "listener/l", "service/s", "certificate/c", "tickets/t"};
	struct slice kind = pick(&run->in, kinds, COUNT(kinds));

	snap_store_drop(
	    run->store, name_of(run, kind.data, take(&run->in) % 8));
}

static void
ask(struct run *run, const struct snap_set *set, unsigned what,
    struct snap_decision *decision)
{
	static const struct field fields[] = {
	    {.name = "X", .name_length = 1, .value = "1", .value_length = 1},
	    {.name = "content-type",
	        .name_length = 12,
	        .value = "application/grpc",
	        .value_length = 16}};
	const struct snap_socket *sockets;
	unsigned count = snap_set_sockets(set, &sockets);
	char scratch[8];
	struct snap_request request = {
	    .host = slice_from_string(hosts[what % COUNT(hosts)]),
	    .path = slice_from_string(paths[what / 8 % COUNT(paths)]),
	    .method = slice_from_string(methods[1 + what / 64 % 2]),
	    .query = SLICE("x=1"),
	    .fields = fields,
	    .field_count = what / 128 % 3,
	    .scratch = scratch,
	    .matcher = run->matcher,
	};

	request.socket = count > 0 ? sockets[what / 256 % count].id : 7;
	if (what % 7 == 0)
		snap_decide_sni(set, request.socket, request.host, decision);
	else
		snap_decide(set, &request, decision);
}

static bool
same_unit(const struct unit *a, const struct unit *b)
{
	return a && b ? slice_equal(a->name, b->name) : a == b;
}

/* A listener's numbers lead to the units that it names, and to nothing else. */
static void
check_credentials(const struct run *run)
{
	const struct unit *unit;
	size_t at = 0;

	while (snap_store_next(run->store, &at, &unit)) {
		uint32_t id;

		if (unit->kind != UNIT_LISTENER)
			continue;
		const struct unit_listener *listener = unit->listener;

		for (uint32_t i = 0; i < listener->certificates_count; i++)
			must(snap_set_credential(
			         run->newest, unit->credential_ids[i]) ==
			    snap_store_unit(
			        run->store, listener->certificates[i]));
		if (snap_listener_tickets(unit, &id))
			must(snap_set_credential(run->newest, id) ==
			    snap_store_unit(run->store, listener->tickets));
		if (snap_listener_certificate(unit, &id))
			must(snap_set_credential(run->newest, id) ==
			    snap_store_unit(
			        run->store, listener->backend_certificate));
	}
}

static void
check_commit(struct run *run)
{
	struct snap_store *fresh = snap_store_new();
	const struct snap_set *set;
	const struct unit *unit;
	struct text bytes;
	size_t at = 0;

	text_init(&bytes);
	while (snap_store_next(run->store, &at, &unit)) {
		text_reset(&bytes);
		wire_record_encode(
		    &bytes, snap_unit_type(unit->kind), unit->record);
		must(snap_store_put(fresh, unit->name, text_slice(&bytes)) ==
		    ERROR_OK);
	}
	text_fini(&bytes);
	set = snap_store_commit(fresh);
	for (unsigned i = 0; i < 16; i++) {
		unsigned what = take(&run->in) * 5 + i * 71;
		struct snap_decision got, expected;

		ask(run, run->newest, what, &got);
		ask(run, set, what, &expected);
		must(got.reason == expected.reason);
		must(same_unit(got.listener_unit, expected.listener_unit));
		must(same_unit(got.route_unit, expected.route_unit));
		must(!got.match ||
		    got.match - got.rule->matches ==
		        expected.match - expected.rule->matches);
	}
	snap_store_free(&fresh);
	check_credentials(run);
}

static void
hold(struct run *run)
{
	unsigned place = take(&run->in) % COUNT(run->held);
	struct snap_decision decision;

	if (run->held[place]) {
		must(run->held[place]->kind == UNIT_ROUTE);
		must(run->held[place]->name.data[0] == 'r');
		snap_release(run->holds, run->held[place]);
		run->held[place] = NULL;
		return;
	}
	ask(run, run->set, take(&run->in) * 3, &decision);
	if (decision.route_unit) {
		snap_hold(run->holds, decision.route_unit);
		run->held[place] = decision.route_unit;
	}
}

static void
operate(struct run *run)
{
	unsigned what = take(&run->in);

	/* As the corpus has them, with one more beside. */
	if (what == UINT8_MAX) {
		put_credential(run);
		return;
	}
	switch (what % 8) {
	case 0:
	case 1:
		put_route(run);
		break;
	case 2:
		put_listener(run);
		break;
	case 3:
		drop(run);
		break;
	case 4:
		put_bytes(run);
		break;
	case 5:
		run->newest = snap_store_commit(run->store);
		check_commit(run);
		break;
	case 6:
		run->set = run->newest;
		snap_store_quiet(
		    run->store, snap_set_number(run->set), &run->holds, 1);
		break;
	default:
		hold(run);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.in = {.next = data, .end = data + size}};

	arena_init(&run.arena, 4096);
	run.store = snap_store_new();
	run.holds = snap_holds_new(run.store);
	run.matcher = snap_matcher_new(NULL, NULL);
	run.set = run.newest = snap_store_commit(run.store);
	for (unsigned i = 0; i < OPERATIONS_MAX && run.in.next < run.in.end;
	     i++)
		operate(&run);
	for (unsigned i = 0; i < COUNT(run.held); i++)
		if (run.held[i])
			snap_release(run.holds, run.held[i]);
	run.newest = snap_store_commit(run.store);
	snap_store_quiet(run.store, snap_set_number(run.newest), &run.holds, 1);
	must(!snap_store_has_garbage(run.store));
	snap_store_free(&run.store);
	snap_matcher_free(&run.matcher);
	arena_fini(&run.arena);
	return 0;
}
