/* The candidates that lost. decide() tells of those whose host and path fit and
 * whose conditions do not. The others it never looks at: they are found among
 * the units, and told with the first thing by which they are not it. */
#include "proxy/explain_priv.h"

#include "core/must.h"
#include "wire/path.h"

/* How near a candidate is: by what it lost, then by how much of the path it
 * shares. */
enum nearness {
	NEAR_HOST = 0, /* its hostnames differ */
	NEAR_PATH = 1 << 16,
	NEAR_LISTENER = 2 << 16, /* it is attached elsewhere */
	NEAR_LATER = 3 << 16, /* it would fit, or was not looked at */
	NEAR_CONDITION = 4 << 16,
};

static void
push_pairs(struct text *out, const struct unit_pair_match *pairs,
    uint32_t count, const char *noun)
{
	for (uint32_t i = 0; i < count; i++)
		text_printf(out, ", %s %.*s%s%.*s", noun,
		    SLICE_ARGS(pairs[i].name),
		    pairs[i].type == UNIT_PAIR_PATTERN ? " ~ " : ": ",
		    SLICE_ARGS(pairs[i].value));
}

static void
push_call(struct text *out, const struct unit_call *call)
{
	text_printf(out, "call %s%.*s/%.*s",
	    call->type == UNIT_CALL_PATTERN ? "~ " : "",
	    SLICE_ARGS(call->service.length ? call->service : SLICE("*")),
	    SLICE_ARGS(call->method.length ? call->method : SLICE("*")));
}

struct slice
explain_match(struct explaining *explaining, const struct unit_match *match)
{
	static const char *const types[] = {
	    [UNIT_PATH_PREFIX] = "PathPrefix",
	    [UNIT_PATH_EXACT] = "Exact",
	    [UNIT_PATH_PATTERN] = "RegularExpression",
	};
	struct text text;

	text_init(&text);
	if (match->call)
		push_call(&text, match->call);
	else
		text_printf(&text, "%s %.*s", types[match->path_type],
		    SLICE_ARGS(match->path));
	if (match->method.length > 0)
		text_printf(&text, ", method %.*s", SLICE_ARGS(match->method));
	push_pairs(&text, match->headers, match->headers_count, "header");
	push_pairs(&text, match->queries, match->queries_count, "query");
	struct slice kept = arena_copy(&explaining->arena, text_slice(&text));

	text_fini(&text);
	return kept;
}

/* The nearest are kept, and of equals those that came first. */
static void
keep(struct explaining *explaining, const struct explain_candidate *candidate)
{
	struct explain_candidate *all = explaining->candidates;
	uint32_t at = explaining->candidate_count;

	if (at == EXPLAIN_CANDIDATES) {
		explaining->candidates_left++;
		if (all[--at].nearness >= candidate->nearness)
			return;
	} else {
		explaining->candidate_count++;
	}
	for (; at > 0 && all[at - 1].nearness < candidate->nearness; at--)
		all[at] = all[at - 1];
	all[at] = *candidate;
}

/* ---- what decide() tells ---- */

/* What the request has of a header that is asked for. */
static struct slice
header_why(struct explaining *explaining, const struct unit_pair_match *asked)
{
	struct arena *arena = &explaining->arena;
	const struct field *first = NULL;

	for (unsigned i = 0; i < explaining->head->field_count; i++) {
		const struct field *field = &explaining->head->fields[i];

		if (!slice_equal_nocase(field_name(field), asked->name))
			continue;
		if (slice_equal(field_value(field), asked->value))
			return SLICE_NONE;
		first = first ? first : field;
	}
	if (!first)
		return arena_format(
		    arena, "header %.*s is missing", SLICE_ARGS(asked->name));
	return arena_format(arena, "header %.*s is \"%.*s\"",
	    SLICE_ARGS(asked->name), SLICE_ARGS(field_value(first)));
}

static struct slice
query_why(struct explaining *explaining, const struct unit_pair_match *asked)
{
	struct arena *arena = &explaining->arena;
	struct slice value;

	if (!wire_query_get(explaining->request.query, asked->name,
	        explaining->scratch, &value))
		return arena_format(arena, "query parameter %.*s is missing",
		    SLICE_ARGS(asked->name));
	if (slice_equal(value, asked->value))
		return SLICE_NONE;
	return arena_format(arena, "query parameter %.*s is \"%.*s\"",
	    SLICE_ARGS(asked->name), SLICE_ARGS(value));
}

/* decide() says what kind of condition does not hold; which one is it? */
static struct slice
why_in_full(struct explaining *explaining, const struct unit_match *match,
    const char *why)
{
	struct slice full = SLICE_NONE;

	if (strstr(why, "method") && match->method.length > 0)
		return arena_format(&explaining->arena, "the method is %.*s",
		    SLICE_ARGS(explaining->request.method));
	if (strstr(why, "header"))
		for (uint32_t i = 0; i < match->headers_count && !full.data;
		     i++)
			full = header_why(explaining, &match->headers[i]);
	if (strstr(why, "query") && explaining->request.query.length > 0)
		for (uint32_t i = 0; i < match->queries_count && !full.data;
		     i++)
			full = query_why(explaining, &match->queries[i]);
	return full.data ? full : slice_from_string(why);
}

static void
on_lost(void *context, const struct unit *route, const struct unit_rule *rule,
    const struct unit_match *match, const char *why)
{
	struct explaining *explaining = context;
	struct explain_candidate candidate = {
	    .route = route,
	    .rule = rule,
	    .match = match,
	    .why = slice_from_string(why),
	    .nearness = NEAR_CONDITION,
	};

	keep(explaining, &candidate);
}

/* ---- what it never looked at ---- */

static bool
was_told(const struct explaining *explaining, const struct unit_match *match)
{
	if (match == explaining->decision.match)
		return true;
	for (uint32_t i = 0; i < explaining->candidate_count; i++)
		if (explaining->candidates[i].match == match)
			return true;
	return false;
}

static bool
covers_host(const struct explaining *explaining, const struct unit_route *route)
{
	for (uint32_t i = 0; i < route->hostnames_count; i++)
		if (wire_hostname_covers(route->hostnames[i], explaining->host))
			return true;
	return route->hostnames_count == 0;
}

static bool
names(const struct unit_route *route, struct slice listener)
{
	for (uint32_t i = 0; i < route->listeners_count; i++)
		if (slice_equal(route->listeners[i], listener))
			return true;
	return false;
}

static uint32_t
common(struct slice a, struct slice b)
{
	uint32_t length = 0;

	while (length < a.length && length < b.length &&
	    a.data[length] == b.data[length])
		length++;
	return length;
}

/* Whether the path fits; not known of a pattern, nor of a call. */
static bool
path_fits(const struct explaining *explaining, const struct unit_match *match)
{
	if (match->call || match->path_type == UNIT_PATH_PATTERN)
		return false;
	return match->path_type == UNIT_PATH_EXACT
	    ? slice_equal(match->path, explaining->path)
	    : wire_path_has_prefix(explaining->path, match->path);
}

static size_t
longest_hostname(
    const struct explaining *explaining, const struct unit_route *route)
{
	size_t longest = 0;

	for (uint32_t i = 0; i < route->hostnames_count; i++)
		if (wire_hostname_covers(
		        route->hostnames[i], explaining->host) &&
		    route->hostnames[i].length > longest)
			longest = route->hostnames[i].length;
	return longest;
}

/* By which rule of precedence the chosen one comes first: the first in which
 * the two differ. */
static const char *
why_later(
    const struct explaining *explaining, const struct explain_candidate *lost)
{
	const struct snap_decision *won = &explaining->decision;
	const struct unit_route *route = lost->route->route;
	const struct unit_match *match = lost->match;

	if (longest_hostname(explaining, route) <
	    longest_hostname(explaining, won->route_unit->route))
		return "its path fits too, its hostname is less specific";
	if (match->path_type != won->match->path_type ||
	    match->path.length < won->match->path.length)
		return "its path fits too, but is less specific";
	if (won->match->method.length > 0 && match->method.length == 0)
		return "its path fits too, it asks for no method";
	if (match->headers_count < won->match->headers_count)
		return "its path fits too, it asks for fewer headers";
	if (match->queries_count < won->match->queries_count)
		return "its path fits too, it asks for fewer query parameters";
	if (route->created != won->route_unit->route->created)
		return "its path fits too, the route is younger";
	if (lost->route != won->route_unit)
		return "its path fits too, the route's name comes later";
	return lost->rule != won->rule
	    ? "its path fits too, the rule comes later"
	    : "its path fits too, the match comes later";
}

static void
look_at_match(struct explaining *explaining, struct explain_candidate *one)
{
	const struct unit_match *match = one->match;

	if (was_told(explaining, match))
		return;
	if (!path_fits(explaining, match)) {
		one->why = match->call ? SLICE("the call differs")
		    : match->path_type == UNIT_PATH_PATTERN
		    ? SLICE("its pattern does not fit, or it comes later")
		    : SLICE("the path differs");
		one->nearness =
		    NEAR_PATH + common(match->path, explaining->path);
	} else if (explaining->decision.reason == REASON_NONE) {
		one->why = slice_from_string(why_later(explaining, one));
		one->nearness = NEAR_LATER + (uint32_t)match->path.length;
	} else {
		return; /* decide() has told more than could be kept */
	}
	keep(explaining, one);
}

/* A route that the listener has, or (no route was found) another of the same
 * port, whose listener is not the one that takes the host. */
static void
look_at_route(struct explaining *explaining, const struct unit *unit)
{
	const struct unit_route *route = unit->route;
	const struct snap_decision *decision = &explaining->decision;
	struct explain_candidate one = {.route = unit};
	bool missed = decision->reason == REASON_NO_ROUTE;

	if (!names(route, decision->listener_unit->name)) {
		if (!missed || !covers_host(explaining, route))
			return;
		one.why = SLICE("it is attached to other listeners only; a "
		                "request is the most specific listener's");
		one.nearness = NEAR_LISTENER;
		keep(explaining, &one);
		return;
	}
	if (!covers_host(explaining, route)) {
		one.why = SLICE("its hostnames differ");
		if (missed)
			keep(explaining, &one);
		return;
	}
	for (uint32_t i = 0; i < route->rules_count; i++)
		for (uint32_t j = 0; j < route->rules[i].matches_count; j++) {
			one.rule = &route->rules[i];
			one.match = &route->rules[i].matches[j];
			look_at_match(explaining, &one);
		}
}

void
explain_decide(struct explaining *explaining)
{
	const struct proxy_explain *explain = explaining->explain;
	const struct unit *unit;
	uint32_t looked_at = 0;
	size_t at = 0;

	snap_decide_traced(explain->set, &explaining->request,
	    &explaining->decision, on_lost, explaining);
	for (uint32_t i = 0; i < explaining->candidate_count; i++) {
		struct explain_candidate *one = &explaining->candidates[i];

		one->why = why_in_full(explaining, one->match, one->why.data);
	}
	if (!explaining->decision.listener_unit)
		return;
	while (snap_store_next(explain->store, &at, &unit)) {
		if (unit->kind == UNIT_ROUTE)
			look_at_route(explaining, unit);
		if (++looked_at == explain->units_max)
			break;
	}
}
