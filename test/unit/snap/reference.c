/* What decide() should say, the slow way: every listener, every hostname of
 * every route, every match is looked at and ranked by the words of Gateway API
 * v1.7, and the best is kept. It shares no code with snap but the records, and
 * patterns are POSIX's. */
#include <regex.h>
#include <stdio.h>

#include "core/must.h"
#include "world.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A match that fits. One is better when the first number that differs is
 * greater or, all being equal, its names come first, then its places. */
struct candidate {
	int64_t hostname[2]; /* characters if not a wildcard; characters */
	int64_t kind; /* a gRPC request looks among GRPCRoutes first */
	int64_t path[2]; /* kind of match, characters; of a call: the service */
	int64_t method[2]; /* the same of a call's; of a request: is it asked */
	int64_t headers, queries;
	int64_t age;
	struct slice names[3]; /* namespace, name, kind */
	struct slice identity; /* of the rule: it decides nothing */
	unsigned rule, match;
	bool is_set;
};

/* The whole of it, not a part. */
static bool
pattern_fits(struct slice pattern, struct slice text)
{
	static struct {
		const char *pattern;
		regex_t compiled;
	} known[64];
	char anchored[128], subject[128];
	unsigned i = 0;

	while (known[i].pattern && known[i].pattern != pattern.data)
		i++;
	must(i + 1 < COUNT(known));
	if (!known[i].pattern) {
		snprintf(anchored, sizeof(anchored), "^(%.*s)$",
		    SLICE_ARGS(pattern));
		must(regcomp(&known[i].compiled, anchored,
		         REG_EXTENDED | REG_NOSUB) == 0);
		known[i].pattern = pattern.data;
	}
	must(text.length < sizeof(subject));
	snprintf(subject, sizeof(subject), "%.*s", SLICE_ARGS(text));
	return regexec(&known[i].compiled, subject, 0, NULL, 0) == 0;
}

static bool
text_fits(bool is_pattern, struct slice asked, struct slice text)
{
	return is_pattern ? pattern_fits(asked, text)
	                  : slice_equal(asked, text);
}

/* "*.a" covers "b.a" and "c.b.a", not "a"; none covers every host. */
static bool
hostname_covers(struct slice hostname, struct slice host)
{
	if (hostname.length == 0)
		return true;
	if (hostname.data[0] != '*')
		return slice_equal(hostname, host);
	return host.length >= hostname.length &&
	    slice_ends_with(host, slice_skip(hostname, 1));
}

static void
rank_hostname(struct slice hostname, int64_t rank[2])
{
	bool wildcard = hostname.length > 0 && hostname.data[0] == '*';

	rank[0] = wildcard ? 0 : (int64_t)hostname.length;
	rank[1] = (int64_t)hostname.length;
}

/* By elements; a slash at its end says nothing. */
static bool
prefix_fits(struct slice prefix, struct slice path)
{
	if (!slice_starts_with(path, prefix))
		return false;
	return path.length == prefix.length || path.data[prefix.length] == '/';
}

static bool
path_fits(const struct unit_match *match, struct slice path, int64_t rank[2])
{
	struct slice asked = match->path;

	if (match->path_type != UNIT_PATH_PATTERN && asked.length == 0)
		asked = SLICE("/");
	rank[0] = match->path_type == UNIT_PATH_EXACT ? 3
	    : match->path_type == UNIT_PATH_PATTERN   ? 2
	                                              : 1;
	if (match->path_type == UNIT_PATH_PREFIX &&
	    slice_ends_with(asked, SLICE("/")))
		asked.length--;
	rank[1] = (int64_t)asked.length;
	if (match->path_type == UNIT_PATH_PREFIX)
		return prefix_fits(asked, path);
	return text_fits(match->path_type == UNIT_PATH_PATTERN, asked, path);
}

/* Any of its lines, or all of them as one list. */
static bool
has_header(
    const struct snap_request *request, const struct unit_pair_match *asked)
{
	bool pattern = asked->type == UNIT_PAIR_PATTERN;
	bool fits = false, seen = false;
	struct text joined;

	text_init(&joined);
	for (unsigned i = 0; i < request->field_count; i++) {
		const struct field *field = &request->fields[i];

		if (!slice_equal_nocase(field_name(field), asked->name))
			continue;
		fits = fits ||
		    text_fits(pattern, asked->value, field_value(field));
		if (seen)
			text_push_byte(&joined, ',');
		text_push(&joined, field_value(field));
		seen = true;
	}
	fits = fits ||
	    (seen && text_fits(pattern, asked->value, text_slice(&joined)));
	text_fini(&joined);
	return fits;
}

/* The first of its name; the queries of world.c have one escape, %2C. */
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
		return text_fits(
		    asked->type == UNIT_PAIR_PATTERN, asked->value, value);
	}
	return false;
}

static bool
request_fits(const struct unit_match *match, const struct snap_request *request,
    struct candidate *candidate)
{
	for (uint32_t i = 0; i < match->headers_count; i++)
		if (!has_header(request, &match->headers[i]))
			return false;
	for (uint32_t i = 0; i < match->queries_count; i++)
		if (!has_query(request, &match->queries[i]))
			return false;
	candidate->method[0] = match->method.length > 0;
	candidate->method[1] = 0;
	candidate->headers = match->headers_count;
	candidate->queries = match->queries_count;
	return (match->method.length == 0 ||
	           slice_equal(match->method, request->method)) &&
	    path_fits(match, request->path, candidate->path);
}

static bool
is_grpc_request(const struct snap_request *request)
{
	static const char *const types[] = {"application/grpc",
	    "application/grpc+proto", "application/grpc-web",
	    "application/grpc;x=y"};
	bool is = false;

	for (unsigned i = 0; i < request->field_count; i++)
		for (unsigned j = 0; j < COUNT(types); j++)
			is = is ||
			    (slice_equal_nocase(field_name(&request->fields[i]),
			         SLICE("content-type")) &&
			        slice_equal_nocase(
			            field_value(&request->fields[i]),
			            slice_from_string(types[j])));
	return is;
}

/* One part of a call, in its place in the rank. */
static bool
part_fits(const struct unit_call *call, struct slice asked, bool is_call,
    struct slice part, int64_t rank[2])
{
	bool pattern = call->type == UNIT_CALL_PATTERN;

	rank[0] = asked.length == 0 ? 0 : pattern ? 1 : 2;
	rank[1] = (int64_t)asked.length;
	return asked.length == 0 ||
	    (is_call && text_fits(pattern, asked, part));
}

static bool
call_fits(const struct unit_match *match, const struct snap_request *request,
    struct candidate *candidate)
{
	static const struct unit_call any = {.type = UNIT_CALL_EXACT};
	const struct unit_call *call = match->call ? match->call : &any;
	struct slice service = slice_skip(request->path, 1);
	struct slice method = SLICE_NONE;

	for (size_t i = service.length; i > 0 && !method.data; i--) {
		if (service.data[i - 1] != '/')
			continue;
		method = slice_skip(service, i);
		service.length = i - 1;
	}
	for (uint32_t i = 0; i < match->headers_count; i++)
		if (!has_header(request, &match->headers[i]))
			return false;
	candidate->headers = match->headers_count;
	candidate->queries = 0;
	return is_grpc_request(request) &&
	    part_fits(call, call->service, method.data != NULL, service,
	        candidate->path) &&
	    part_fits(call, call->method, method.data != NULL, method,
	        candidate->method);
}

static int
compare(const int64_t *a, const int64_t *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (a[i] != b[i])
			return a[i] > b[i] ? 1 : -1;
	return 0;
}

static bool
is_better(const struct candidate *a, const struct candidate *b)
{
	int order = compare(a->hostname, b->hostname, 2);

	if (order == 0)
		order = compare(&a->kind, &b->kind, 1);
	if (order == 0)
		order = compare(a->path, b->path, 2);
	if (order == 0)
		order = compare(a->method, b->method, 2);
	if (order == 0)
		order = compare(&a->headers, &b->headers, 1);
	if (order == 0)
		order = compare(&a->queries, &b->queries, 1);
	if (order == 0)
		order = compare(&a->age, &b->age, 1);
	for (unsigned i = 0; i < COUNT(a->names) && order == 0; i++)
		order = slice_compare(b->names[i], a->names[i]);
	if (order != 0)
		return order > 0;
	return a->rule != b->rule ? a->rule < b->rule : a->match < b->match;
}

static void
judge_match(const struct world_route *route, const struct unit_match *match,
    const struct world_request *asked, struct candidate *candidate,
    struct candidate *best)
{
	bool grpc = slice_equal(route->kind, SLICE("GRPCRoute"));
	bool tls = slice_equal(route->kind, SLICE("TLSRoute"));
	bool fits = asked->is_hello ? tls
	    : tls                   ? false
	    : grpc ? call_fits(match, &asked->request, candidate)
	           : request_fits(match, &asked->request, candidate);

	candidate->kind = grpc;
	candidate->is_set = true;
	if (fits && (!best->is_set || is_better(candidate, best)))
		*best = *candidate;
}

static void
judge_hostname(const struct world_route *route, struct slice hostname,
    const struct world_request *asked, struct candidate *best)
{
	static const struct unit_match every = {.path = {.data = NULL}};
	struct candidate candidate = {
	    .age = -route->unit.created,
	    .names = {route->namespace, route->name, route->kind},
	};

	if (!hostname_covers(hostname, asked->request.host))
		return;
	rank_hostname(hostname, candidate.hostname);
	for (uint32_t i = 0; i < route->unit.rules_count; i++) {
		const struct unit_rule *rule = &route->unit.rules[i];

		candidate.rule = i;
		candidate.identity = rule->identity;
		candidate.match = 0;
		if (rule->matches_count == 0)
			judge_match(route, &every, asked, &candidate, best);
		for (uint32_t j = 0; j < rule->matches_count; j++) {
			candidate.match = j;
			judge_match(
			    route, &rule->matches[j], asked, &candidate, best);
		}
	}
}

static bool
is_attached(const struct world_route *route, struct slice listener)
{
	for (uint32_t i = 0; i < route->unit.listeners_count; i++)
		if (slice_equal(route->unit.listeners[i], listener))
			return true;
	return false;
}

static bool
listens(const struct unit_listener *listener, const struct world_request *asked)
{
	bool tls = listener->protocol == UNIT_PROTOCOL_HTTPS ||
	    listener->protocol == UNIT_PROTOCOL_TLS;

	if (listener->port != asked->port || tls != asked->tls ||
	    listener->protocol == UNIT_PROTOCOL_TCP)
		return false;
	if (listener->addresses_count == 0)
		return asked->address.length == 0;
	for (uint32_t i = 0; i < listener->addresses_count; i++)
		if (slice_equal(listener->addresses[i], asked->address))
			return true;
	return false;
}

/* The most specific that takes the host; of equal ones the first by name. */
static struct slice
choose_listener(const struct world *world, struct arena *arena,
    const struct world_request *asked)
{
	struct slice chosen = SLICE_NONE;
	int64_t best[2] = {0};

	for (unsigned i = 0; i < WORLD_LISTENERS; i++) {
		const struct unit_listener *listener = world->listeners[i];
		struct slice name = world_listener_name(arena, i);
		int64_t rank[2];
		int order;

		if (!listener || !listens(listener, asked) ||
		    !hostname_covers(listener->hostname, asked->request.host))
			continue;
		rank_hostname(listener->hostname, rank);
		order = compare(rank, best, 2);
		if (chosen.data && order == 0)
			order = slice_compare(chosen, name);
		if (!chosen.data || order > 0) {
			chosen = name;
			memcpy(best, rank, sizeof(best));
		}
	}
	return chosen;
}

void
world_expect(const struct world *world, const struct world_request *asked,
    struct text *answer)
{
	struct candidate best = {.is_set = false};
	struct slice listener;
	struct arena arena;

	arena_init(&arena, 4096);
	listener = choose_listener(world, &arena, asked);
	text_push(answer, listener);
	for (unsigned i = 0; listener.data && i < WORLD_ROUTES; i++) {
		const struct world_route *route = world->routes[i];

		if (!route || !is_attached(route, listener))
			continue;
		if (route->unit.hostnames_count == 0)
			judge_hostname(route, SLICE(""), asked, &best);
		for (uint32_t j = 0; j < route->unit.hostnames_count; j++)
			judge_hostname(
			    route, route->unit.hostnames[j], asked, &best);
	}
	if (best.is_set)
		text_printf(answer, " route/%.*s/%.*s/%.*s %.*s %u %u",
		    SLICE_ARGS(best.names[2]), SLICE_ARGS(best.names[0]),
		    SLICE_ARGS(best.names[1]), SLICE_ARGS(best.identity),
		    best.rule, best.match);
	arena_fini(&arena);
}
