/* The random world; see world.h. */
#include "world.h"

#include "core/must.h"
#include "wire/record_binary.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const patterns[] = {"", "", "*.test", "*.a.test", "a.test",
    "b.a.test", "*.b.a.test", "c.b.a.test", "*.other", "aa.test"};
static const char *const hosts[] = {"a.test", "b.a.test", "c.b.a.test",
    "x.test", "x.y.a.test", "other", "q.other", "aa.test", "test", "", "[::1]",
    "xa.test", "x.b.a.test"};
static const char *const path_matches[] = {"/", "/", "/a", "/a/", "/a/b", "/ab",
    "/a/b/", "//", "/a//", "/abc", "/a/b/c", "/b"};
static const char *const paths[] = {"/", "/a", "/a/", "/a/b", "/ab", "/a/b/",
    "//", "/a//", "/a//b", "/abc", "/a/b/c", "/a/b/c/d/e", "/b", "/bb", "*",
    "//a"};
static const char *const methods[] = {"GET", "POST", "HEAD"};
static const char *const header_names[] = {"x-one", "X-Two", "Accept"};
static const char *const request_names[] = {"X-ONE", "x-two", "accept"};
static const char *const values[] = {"1", "2", "1,2", ""};
static const char *const query_names[] = {"q", "r"};
static const char *const queries[] = {NULL, "", "q=1", "q=2&r=1", "r=2&q=1",
    "q=1&q=2", "Q=1", "q", "q=1%2C2", "r=1&r=2&q=2"};
static const char *const addresses[] = {"", "10.0.0.1", "::1"};

void
world_init(struct world *world, uint64_t seed)
{
	*world = (struct world){.seed = seed};
	arena_init(&world->arena, 65536);
	random_init_seed(&world->random, seed);
	world->routes_used = 1 + world_below(world, WORLD_ROUTES);
}

void
world_fini(struct world *world)
{
	arena_fini(&world->arena);
}

unsigned
world_below(struct world *world, unsigned bound)
{
	return random_below(&world->random, bound);
}

#define PICK(world, list) \
	slice_from_string((list)[world_below(world, COUNT(list))])

enum error
world_put(struct snap_store *store, struct slice name, const void *record)
{
	enum unit_kind kind;
	struct text bytes;
	enum error error;

	must(snap_unit_kind(name, &kind));
	text_init(&bytes);
	wire_record_encode(&bytes, snap_unit_type(kind), record);
	error = snap_store_put(store, name, text_slice(&bytes));
	text_fini(&bytes);
	return error;
}

static struct slice
listener_name(struct arena *arena, unsigned number)
{
	return arena_format(arena, "listener/ns/gw%u/l%u", number % 2, number);
}

static struct slice
route_name(struct arena *arena, const struct unit_route *route)
{
	return arena_format(arena, "route/%.*s/%.*s/%.*s",
	    SLICE_ARGS(route->kind), SLICE_ARGS(route->namespace),
	    SLICE_ARGS(route->name));
}

static struct unit_listener *
make_listener(struct world *world, unsigned number)
{
	struct unit_listener *listener =
	    arena_zero(&world->arena, 1, sizeof(*listener));
	unsigned count = world_below(world, 3);

	listener->gateway_namespace = SLICE("ns");
	listener->gateway_name = SLICE("gw");
	listener->name = arena_format(&world->arena, "l%u", number);
	listener->port = 80 + world_below(world, 2);
	listener->protocol = UNIT_PROTOCOL_HTTP;
	listener->hostname = PICK(world, patterns);
	if (count > 0)
		listener->addresses = arena_zero(
		    &world->arena, count, sizeof(*listener->addresses));
	listener->addresses_count = count;
	for (unsigned i = 0; i < count; i++)
		listener->addresses[i] = PICK(world, addresses);
	return listener;
}

static struct unit_pair_match *
make_pairs(struct world *world, const char *const names[], unsigned name_count,
    uint32_t *count)
{
	*count = world_below(world, 4) ? 0 : 1 + world_below(world, 2);

	struct unit_pair_match *pairs =
	    arena_zero(&world->arena, *count, sizeof(*pairs));

	for (uint32_t i = 0; i < *count; i++) {
		pairs[i].name =
		    slice_from_string(names[world_below(world, name_count)]);
		pairs[i].value = PICK(world, values);
	}
	return *count ? pairs : NULL;
}

static void
make_match(struct world *world, struct unit_match *match)
{
	match->path_type =
	    world_below(world, 3) ? UNIT_PATH_PREFIX : UNIT_PATH_EXACT;
	if (world_below(world, 6))
		match->path = PICK(world, path_matches);
	if (!world_below(world, 4))
		match->method = PICK(world, methods);
	match->headers = make_pairs(
	    world, header_names, COUNT(header_names), &match->headers_count);
	match->queries = make_pairs(
	    world, query_names, COUNT(query_names), &match->queries_count);
}

static void
make_rule(struct world *world, struct unit_rule *rule, unsigned number)
{
	rule->identity = arena_format(&world->arena, "%u", number);
	rule->matches_count = world_below(world, 4);
	if (rule->matches_count > 0)
		rule->matches = arena_zero(
		    &world->arena, rule->matches_count, sizeof(*rule->matches));
	for (uint32_t i = 0; i < rule->matches_count; i++)
		make_match(world, &rule->matches[i]);
	rule->backends_count = world_below(world, 3);
	rule->backends = arena_zero(
	    &world->arena, rule->backends_count, sizeof(*rule->backends));
	for (uint32_t i = 0; i < rule->backends_count; i++) {
		rule->backends[i].target = arena_format(
		    &world->arena, "service/ns/s%u", world_below(world, 4));
		rule->backends[i].port = 80 + world_below(world, 2);
		rule->backends[i].weight = world_below(world, 3);
	}
}

/* Ages, namespaces and names of few values, so that each tie-break is used. */
static struct unit_route *
make_route(struct world *world, unsigned number)
{
	struct arena *arena = &world->arena;
	struct unit_route *route = arena_zero(arena, 1, sizeof(*route));
	unsigned count = 1 + world_below(world, 3);

	route->kind = number % 5 ? SLICE("HTTPRoute") : SLICE("GRPCRoute");
	route->namespace = arena_format(arena, "ns%u", number % 2);
	route->name =
	    arena_format(arena, "r%u", number % 5 ? number : number / 10);
	route->created = world_below(world, 3);
	route->listeners = arena_zero(arena, count, sizeof(struct slice));
	route->listeners_count = count;
	for (unsigned i = 0; i < count; i++)
		route->listeners[i] =
		    listener_name(arena, world_below(world, WORLD_LISTENERS));
	count = world_below(world, 4);
	route->hostnames = arena_zero(arena, count, sizeof(struct slice));
	route->hostnames_count = count;
	for (unsigned i = 0; i < count; i++)
		route->hostnames[i] = PICK(world, patterns);
	count = world_below(world, 4);
	route->rules = arena_zero(arena, count, sizeof(*route->rules));
	route->rules_count = count;
	for (unsigned i = 0; i < count; i++)
		make_rule(world, &route->rules[i], i);
	return route;
}

static void
edit_listener(struct world *world, struct snap_store *store)
{
	unsigned number = world_below(world, WORLD_LISTENERS);
	struct slice name = listener_name(&world->arena, number);
	enum error error = ERROR_OK;

	if (world->listeners[number] && !world_below(world, 3)) {
		world->listeners[number] = NULL;
		snap_store_drop(store, name);
	} else {
		world->listeners[number] = make_listener(world, number);
		error = world_put(store, name, world->listeners[number]);
	}
	must(error == ERROR_OK);
}

void
world_edit(struct world *world, struct snap_store *store)
{
	unsigned number = world_below(world, world->routes_used);
	enum error error = ERROR_OK;

	if (!world_below(world, 5)) {
		edit_listener(world, store);
	} else if (world->routes[number] && !world_below(world, 3)) {
		snap_store_drop(
		    store, route_name(&world->arena, world->routes[number]));
		world->routes[number] = NULL;
	} else {
		struct unit_route *route = make_route(world, number);

		world->routes[number] = route;
		error =
		    world_put(store, route_name(&world->arena, route), route);
	}
	must(error == ERROR_OK);
}

void
world_load(const struct world *world, struct snap_store *store)
{
	struct arena arena;
	enum error error = ERROR_OK;

	arena_init(&arena, 4096);
	for (unsigned i = 0; i < WORLD_ROUTES && error == ERROR_OK; i++)
		if (world->routes[i])
			error = world_put(store,
			    route_name(&arena, world->routes[i]),
			    world->routes[i]);
	for (unsigned i = 0; i < WORLD_LISTENERS && error == ERROR_OK; i++)
		if (world->listeners[i])
			error = world_put(store, listener_name(&arena, i),
			    world->listeners[i]);
	arena_fini(&arena);
	must(error == ERROR_OK);
}

void
world_ask(struct world *world, struct world_request *asked)
{
	struct snap_request *request = &asked->request;

	*asked = (struct world_request){
	    .address = PICK(world, addresses),
	    .port = (uint16_t)(80 + world_below(world, 2)),
	};
	request->host = PICK(world, hosts);
	request->path = PICK(world, paths);
	request->query = PICK(world, queries);
	request->method = PICK(world, methods);
	request->fields = asked->fields;
	request->field_count = world_below(world, COUNT(asked->fields) + 1);
	for (unsigned i = 0; i < request->field_count; i++) {
		struct slice name = PICK(world, request_names);
		struct slice value = PICK(world, values);

		asked->fields[i] = (struct field){
		    .name = name.data,
		    .value = value.data,
		    .name_length = (uint16_t)name.length,
		    .value_length = (uint32_t)value.length,
		    .id = (uint16_t)wire_field_id(name),
		};
	}
	request->scratch = asked->scratch;
}

/* The slow way. A candidate is better when the first number that differs is
 * greater, or, all being equal, its names come first. */

struct candidate {
	int64_t rank[7];
	struct slice names[3];
	unsigned rule, match;
};

/* 0: does not cover; otherwise the greater the more specific. */
static int
specificity(struct slice pattern, struct slice host)
{
	if (pattern.length == 0)
		return 1;
	if (pattern.data[0] != '*')
		return slice_equal(pattern, host) ? 1000 : 0;
	pattern = slice_skip(pattern, 1);
	return slice_ends_with(host, pattern) && host.length > pattern.length
	    ? (int)pattern.length + 1
	    : 0;
}

/* -1: does not fit; otherwise the length that does. */
static int
prefix_length(struct slice prefix, struct slice path)
{
	char with_slash[64];

	if (prefix.data[prefix.length - 1] == '/')
		prefix.length--;
	if (prefix.length == 0 || slice_equal(prefix, path))
		return (int)prefix.length;
	memcpy(with_slash, prefix.data, prefix.length);
	with_slash[prefix.length] = '/';
	return slice_starts_with(
	           path, slice_make(with_slash, prefix.length + 1))
	    ? (int)prefix.length
	    : -1;
}

static bool
has_header(
    const struct snap_request *request, const struct unit_pair_match *asked)
{
	struct text joined;
	bool fits = false, seen = false;

	text_init(&joined);
	for (unsigned i = 0; i < request->field_count; i++) {
		const struct field *field = &request->fields[i];

		if (!slice_equal_nocase(field_name(field), asked->name))
			continue;
		if (slice_equal(field_value(field), asked->value))
			fits = true;
		if (seen)
			text_push_byte(&joined, ',');
		text_push(&joined, field_value(field));
		seen = true;
	}
	if (seen && slice_equal(text_slice(&joined), asked->value))
		fits = true;
	text_fini(&joined);
	return fits;
}

/* The queries above have one escape, %2C. */
static bool
has_query(
    const struct snap_request *request, const struct unit_pair_match *asked)
{
	struct slice rest = request->query, part;

	while (slice_cut(&rest, '&', &part)) {
		struct slice value = part, name;

		slice_cut(&value, '=', &name);
		if (!slice_equal(name, asked->name))
			continue;
		if (slice_equal(value, SLICE("1%2C2")))
			value = SLICE("1,2");
		return slice_equal(value, asked->value);
	}
	return false;
}

static bool
fits(const struct unit_match *match, const struct snap_request *request)
{
	if (match->method.length > 0 &&
	    !slice_equal(match->method, request->method))
		return false;
	for (uint32_t i = 0; i < match->headers_count; i++)
		if (!has_header(request, &match->headers[i]))
			return false;
	for (uint32_t i = 0; i < match->queries_count; i++)
		if (!has_query(request, &match->queries[i]))
			return false;
	return true;
}

static bool
judge(const struct unit_match *match, const struct snap_request *request,
    struct candidate *candidate)
{
	struct slice path = match->path.length > 0 ? match->path : SLICE("/");
	bool exact = match->path_type == UNIT_PATH_EXACT;
	int length = prefix_length(path, request->path);

	if (exact ? !slice_equal(path, request->path) : length < 0)
		return false;
	if (!fits(match, request))
		return false;
	candidate->rank[1] = exact;
	candidate->rank[2] = exact ? 0 : length;
	candidate->rank[3] = match->method.length > 0;
	candidate->rank[4] = match->headers_count;
	candidate->rank[5] = match->queries_count;
	return true;
}

static bool
is_better(const struct candidate *a, const struct candidate *b)
{
	for (unsigned i = 0; i < COUNT(a->rank); i++)
		if (a->rank[i] != b->rank[i])
			return a->rank[i] > b->rank[i];
	for (unsigned i = 0; i < COUNT(a->names); i++) {
		int order = slice_compare(a->names[i], b->names[i]);

		if (order != 0)
			return order < 0;
	}
	if (a->rule != b->rule)
		return a->rule < b->rule;
	return a->match < b->match;
}

/* How well the route's hostnames cover host, on this listener; 0: not. */
static int
reach(struct arena *arena, const struct unit_route *route, unsigned listener,
    struct slice host)
{
	int best = route->hostnames_count == 0;
	bool attached = false;

	for (uint32_t i = 0; i < route->listeners_count; i++)
		attached = attached ||
		    slice_equal(
		        route->listeners[i], listener_name(arena, listener));
	for (uint32_t i = 0; i < route->hostnames_count; i++) {
		int one = specificity(route->hostnames[i], host);

		best = one > best ? one : best;
	}
	return attached ? best : 0;
}

static void
judge_match(const struct unit_match *match, const struct world_request *asked,
    struct candidate *candidate, struct candidate *best)
{
	if (judge(match, &asked->request, candidate) &&
	    (best->rank[0] == 0 || is_better(candidate, best)))
		*best = *candidate;
}

static void
judge_route(struct arena *arena, const struct unit_route *route,
    unsigned listener, const struct world_request *asked,
    struct candidate *best)
{
	static const struct unit_match every = {.path = {.data = NULL}};
	struct slice host = asked->request.host;
	struct candidate candidate = {0};

	/* Each hostname that covers is a place to match; only the most
	 * specific can decide, as the rules are the same at each. */
	candidate.rank[0] = reach(arena, route, listener, host);
	candidate.rank[6] = -route->created;
	candidate.names[0] = route->namespace;
	candidate.names[1] = route->name;
	candidate.names[2] = route->kind;
	for (uint32_t i = 0; candidate.rank[0] && i < route->rules_count; i++) {
		const struct unit_rule *rule = &route->rules[i];

		candidate.rule = i;
		candidate.match = 0;
		if (rule->matches_count == 0)
			judge_match(&every, asked, &candidate, best);
		for (uint32_t j = 0; j < rule->matches_count; j++) {
			candidate.match = j;
			judge_match(&rule->matches[j], asked, &candidate, best);
		}
	}
}

static bool
listens(const struct unit_listener *listener, const struct world_request *asked)
{
	if (listener->port != asked->port)
		return false;
	if (listener->addresses_count == 0)
		return asked->address.length == 0;
	for (uint32_t i = 0; i < listener->addresses_count; i++)
		if (slice_equal(listener->addresses[i], asked->address))
			return true;
	return false;
}

void
world_expect(const struct world *world, const struct world_request *asked,
    struct text *answer)
{
	struct candidate best = {0};
	struct arena arena;
	struct slice chosen = SLICE_NONE;
	unsigned listener = 0;
	int most = 0;

	arena_init(&arena, 4096);
	for (unsigned i = 0; i < WORLD_LISTENERS; i++) {
		const struct unit_listener *one = world->listeners[i];
		struct slice name = listener_name(&arena, i);
		int how = one && listens(one, asked)
		    ? specificity(one->hostname, asked->request.host)
		    : 0;

		if (how > most ||
		    (how > 0 && how == most &&
		        slice_compare(name, chosen) < 0)) {
			most = how;
			listener = i;
			chosen = name;
		}
	}
	if (most > 0)
		text_push(answer, chosen);
	for (unsigned i = 0; most > 0 && i < WORLD_ROUTES; i++)
		if (world->routes[i])
			judge_route(
			    &arena, world->routes[i], listener, asked, &best);
	if (best.rank[0])
		text_printf(answer, " route/%.*s/%.*s/%.*s %u %u",
		    SLICE_ARGS(best.names[2]), SLICE_ARGS(best.names[0]),
		    SLICE_ARGS(best.names[1]), best.rule, best.match);
	arena_fini(&arena);
}

uint32_t
world_socket(const struct snap_set *set, struct slice address, uint16_t port)
{
	const struct snap_socket *sockets;
	unsigned count = snap_set_sockets(set, &sockets);

	for (unsigned i = 0; i < count; i++)
		if (slice_equal(sockets[i].address, address) &&
		    sockets[i].port == port)
			return sockets[i].id;
	return SNAP_ID_NONE;
}

void
world_decide(const struct snap_set *set, struct world_request *asked,
    struct text *answer)
{
	struct snap_decision decision;

	asked->request.socket = world_socket(set, asked->address, asked->port);
	snap_decide(set, &asked->request, &decision);
	if (decision.reason == REASON_NO_LISTENER)
		return;
	text_push(answer, decision.listener_unit->name);
	if (decision.reason == REASON_NO_ROUTE)
		return;
	must(decision.reason == REASON_NONE);
	text_printf(answer, " %.*s %u %u",
	    SLICE_ARGS(decision.route_unit->name),
	    (unsigned)(decision.rule - decision.route_unit->route->rules),
	    (unsigned)(decision.match - decision.rule->matches));
}
