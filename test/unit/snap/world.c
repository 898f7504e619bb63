/* The random world; see world.h. */
#include "world.h"

#include <stdio.h>

#include "core/must.h"
#include "wire/record_binary.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const hostnames[] = {"", "", "*.test", "*.a.test", "a.test",
    "b.a.test", "*.b.a.test", "c.b.a.test", "*.other", "aa.test"};
static const char *const hosts[] = {"a.test", "b.a.test", "c.b.a.test",
    "x.test", "x.y.a.test", "other", "q.other", "aa.test", "test", "", "[::1]",
    "xa.test", "x.b.a.test"};
static const char *const path_matches[] = {"/", "/", "/a", "/a/", "/a/b", "/ab",
    "/a/b/", "//", "/a//", "/abc", "/a/b/c", "/b"};
static const char *const paths[] = {"/", "/a", "/a/", "/a/b", "/ab", "/a/b/",
    "//", "/a//", "/a//b", "/abc", "/a/b/c", "/a/b/c/d/e", "/b", "/bb", "//a"};
static const char *const path_patterns[] = {"/a.*", "/[ab]", "/a(/b)?", ".*",
    "/(a|b).*", "/.*b", "/a/?", "/a/b", "", "a", "/[^/]*/.*", "/./."};
static const char *const value_patterns[] = {
    "1", "1|2", ".*", "[12],[12]", "[12],?2?", "", "2.*", "(1,)?2"};
static const char *const services[] = {"s.A", "s.B", "t.A", ""};
static const char *const calls[] = {"Get", "Put", ""};
static const char *const service_patterns[] = {
    "s[.].*", ".*A", "(s|t)[.]B", ".*", ""};
static const char *const call_patterns[] = {"G.*", "Get|Put", "[A-Z].*", ""};
static const char *const call_paths[] = {"/s.A/Get", "/s.A/Put", "/s.B/Get",
    "/t.A/Get", "/t.A/Put", "/s.A/", "/s.A", "//Get", "/x/s.A/Get", "/"};
static const char *const content_types[] = {"application/grpc",
    "Application/gRPC+proto", "application/grpc-web", "application/grpcx",
    "application/json", "application/grpc;x=y"};
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
	world->matcher = snap_matcher_new(NULL, NULL);
}

void
world_fini(struct world *world)
{
	arena_fini(&world->arena);
	snap_matcher_free(&world->matcher);
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

struct slice
world_listener_name(struct arena *arena, unsigned number)
{
	return arena_format(arena, "listener/ns/gw%u/l%u", number % 2, number);
}

struct slice
world_route_name(struct arena *arena, const struct world_route *route)
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
	/* Most of 81 in TLS, most of 80 not: few ask where nobody is. */
	listener->protocol = UNIT_PROTOCOL_HTTP;
	if ((listener->port == 81) == (world_below(world, 8) > 0))
		listener->protocol = world_below(world, 2) ? UNIT_PROTOCOL_HTTPS
		                                           : UNIT_PROTOCOL_TLS;
	if (!world_below(world, 16))
		listener->protocol = UNIT_PROTOCOL_TCP;
	if (listener->protocol == UNIT_PROTOCOL_TLS)
		listener->tls_mode = UNIT_TLS_PASSTHROUGH;
	if (listener->protocol != UNIT_PROTOCOL_TCP)
		listener->hostname = PICK(world, hostnames);
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
		if (!world_below(world, 3)) {
			pairs[i].type = UNIT_PAIR_PATTERN;
			pairs[i].value = PICK(world, value_patterns);
		}
	}
	return *count ? pairs : NULL;
}

static void
make_headers(struct world *world, struct unit_match *match)
{
	match->headers = make_pairs(
	    world, header_names, COUNT(header_names), &match->headers_count);
}

static void
make_call(struct world *world, struct unit_match *match)
{
	struct unit_call call = {.type = world_below(world, 2)};

	make_headers(world, match);
	if (call.type == UNIT_CALL_EXACT) {
		call.service = PICK(world, services);
		call.method = PICK(world, calls);
	} else {
		call.service = PICK(world, service_patterns);
		call.method = PICK(world, call_patterns);
	}
	if (call.service.length + call.method.length == 0)
		return;
	match->call = arena_zero(&world->arena, 1, sizeof(*match->call));
	*match->call = call;
}

static void
make_match(struct world *world, struct unit_match *match)
{
	static const enum unit_path_type types[] = {UNIT_PATH_PREFIX,
	    UNIT_PATH_PREFIX, UNIT_PATH_EXACT, UNIT_PATH_PATTERN};

	match->path_type = types[world_below(world, COUNT(types))];
	if (match->path_type == UNIT_PATH_PATTERN)
		match->path = PICK(world, path_patterns);
	else if (world_below(world, 6))
		match->path = PICK(world, path_matches);
	if (!world_below(world, 4))
		match->method = PICK(world, methods);
	make_headers(world, match);
	match->queries = make_pairs(
	    world, query_names, COUNT(query_names), &match->queries_count);
}

static const char *
world_name(struct world *world)
{
	static const char *const names[] = {"a", "canary", "z"};

	return names[world_below(world, COUNT(names))];
}

static void
make_rule(struct world *world, enum unit_route_kind kind,
    struct unit_rule *rule, unsigned number)
{
	/* By its matches, or named: a name says nothing of its place. */
	rule->identity = world_below(world, 2)
	    ? arena_format(&world->arena, "%u", number)
	    : arena_format(&world->arena, "%s-%u", world_name(world), number);
	if (kind != UNIT_ROUTE_TLS)
		rule->matches_count = world_below(world, 4);
	if (rule->matches_count > 0)
		rule->matches = arena_zero(
		    &world->arena, rule->matches_count, sizeof(*rule->matches));
	for (uint32_t i = 0; i < rule->matches_count; i++)
		if (kind == UNIT_ROUTE_GRPC)
			make_call(world, &rule->matches[i]);
		else
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
static struct world_route *
make_route(struct world *world, unsigned number)
{
	static const char *const kinds[] = {
	    "HTTPRoute", "HTTPRoute", "GRPCRoute", "TLSRoute"};
	static const enum unit_route_kind known[] = {
	    UNIT_ROUTE_HTTP, UNIT_ROUTE_HTTP, UNIT_ROUTE_GRPC, UNIT_ROUTE_TLS};
	struct arena *arena = &world->arena;
	struct world_route *made = arena_zero(arena, 1, sizeof(*made));
	struct unit_route *route = &made->unit;
	unsigned count = 1 + world_below(world, 3);

	made->kind = slice_from_string(kinds[number % COUNT(kinds)]);
	made->namespace = arena_format(arena, "ns%u", number / 4 % 2);
	made->name = number % 4 == 1 ? arena_format(arena, "s%u", number)
	                             : arena_format(arena, "r%u", number / 8);
	route->created = world_below(world, 3);
	route->listeners = arena_zero(arena, count, sizeof(struct slice));
	route->listeners_count = count;
	for (unsigned i = 0; i < count; i++)
		route->listeners[i] = world_listener_name(
		    arena, world_below(world, WORLD_LISTENERS));
	count = world_below(world, 4);
	route->hostnames = arena_zero(arena, count, sizeof(struct slice));
	route->hostnames_count = count;
	for (unsigned i = 0; i < count; i++)
		route->hostnames[i] = PICK(world, hostnames);
	count = world_below(world, 4);
	route->rules = arena_zero(arena, count, sizeof(*route->rules));
	route->rules_count = count;
	for (unsigned i = 0; i < count; i++)
		make_rule(
		    world, known[number % COUNT(known)], &route->rules[i], i);
	return made;
}

struct world_edit
world_choose(struct world *world)
{
	struct world_edit edit = {.of_listener = !world_below(world, 5)};
	bool there;

	edit.number = world_below(
	    world, edit.of_listener ? WORLD_LISTENERS : world->routes_used);
	there = edit.of_listener ? world->listeners[edit.number] != NULL
	                         : world->routes[edit.number] != NULL;
	if (there && !world_below(world, 3))
		return edit;
	if (edit.of_listener)
		edit.listener = make_listener(world, edit.number);
	else
		edit.route = make_route(world, edit.number);
	return edit;
}

void
world_apply(struct world *world, const struct world_edit *edit,
    struct snap_store *store)
{
	struct world_route *old = world->routes[edit->number % WORLD_ROUTES];
	const void *record = edit->route ? &edit->route->unit : NULL;
	struct slice name;
	enum error error = ERROR_OK;

	if (edit->of_listener) {
		name = world_listener_name(&world->arena, edit->number);
		world->listeners[edit->number] = edit->listener;
		record = edit->listener;
	} else {
		if (!old && !edit->route)
			return;
		name = world_route_name(&world->arena, old ? old : edit->route);
		world->routes[edit->number] = edit->route;
	}
	if (record)
		error = world_put(store, name, record);
	else
		snap_store_drop(store, name);
	must(error == ERROR_OK);
}

void
world_edit(struct world *world, struct snap_store *store)
{
	struct world_edit edit = world_choose(world);

	world_apply(world, &edit, store);
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
			    world_route_name(&arena, world->routes[i]),
			    &world->routes[i]->unit);
	for (unsigned i = 0; i < WORLD_LISTENERS && error == ERROR_OK; i++)
		if (world->listeners[i])
			error = world_put(store, world_listener_name(&arena, i),
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
	bool call = !world_below(world, 3);

	asked->tls = (asked->port == 81) == (world_below(world, 8) > 0);
	asked->is_hello = asked->tls && !world_below(world, 3);
	request->host = PICK(world, hosts);
	request->path = call ? PICK(world, call_paths) : PICK(world, paths);
	request->query = PICK(world, queries);
	request->method = PICK(world, methods);
	request->fields = asked->fields;
	request->field_count = world_below(world, COUNT(asked->fields));
	for (unsigned i = 0; i < request->field_count + call; i++) {
		bool last = i == request->field_count;
		struct slice name =
		    last ? SLICE("Content-Type") : PICK(world, request_names);
		struct slice value =
		    last ? PICK(world, content_types) : PICK(world, values);

		asked->fields[i] = (struct field){
		    .name = name.data,
		    .value = value.data,
		    .name_length = (uint16_t)name.length,
		    .value_length = (uint32_t)value.length,
		    .id = (uint16_t)wire_field_id(name),
		};
	}
	request->field_count += call;
	request->scratch = asked->scratch;
	request->matcher = world->matcher;
}

const char *
world_rule_name(const struct snap_store *store, uint32_t id)
{
	static char name[512];
	struct text text;

	text_init(&text);
	text_push_string(&text, "");
	(void)snap_rule_ids_name(snap_store_rule_ids(store), id, &text);
	snprintf(name, sizeof(name), "%s", text.data ? text.data : "");
	text_fini(&text);
	return name;
}

uint32_t
world_socket(
    const struct snap_set *set, struct slice address, uint16_t port, bool tls)
{
	const struct snap_socket *sockets;
	unsigned count = snap_set_sockets(set, &sockets);

	for (unsigned i = 0; i < count; i++)
		if (slice_equal(sockets[i].address, address) &&
		    sockets[i].port == port && sockets[i].tls == tls &&
		    !sockets[i].flow)
			return sockets[i].id;
	return SNAP_ID_NONE;
}

void
world_decide(const struct snap_set *set, struct world_request *asked,
    struct text *answer)
{
	struct snap_decision decision;

	asked->request.socket =
	    world_socket(set, asked->address, asked->port, asked->tls);
	if (asked->is_hello)
		snap_decide_sni(
		    set, asked->request.socket, asked->request.host, &decision);
	else
		snap_decide(set, &asked->request, &decision);
	if (decision.reason == REASON_NO_LISTENER)
		return;
	text_push(answer, decision.listener_unit->name);
	if (decision.reason == REASON_NO_ROUTE)
		return;
	must(decision.reason == REASON_NONE);
	text_printf(answer, " %.*s %.*s %u %u",
	    SLICE_ARGS(decision.route_unit->name),
	    SLICE_ARGS(decision.rule->identity),
	    (unsigned)(decision.rule - decision.route_unit->route->rules),
	    (unsigned)(decision.match - decision.rule->matches));
}
