/* Matches: what a rule's matches mean, in the words of units. One that no unit
 * can say is left out alone. */
#include "core/must.h"
#include "gw/honour.h"
#include "gw/state_priv.h"
#include "wire/path.h"

static struct slice
canonical_path(struct arena *arena, struct slice path)
{
	char *out = arena_alloc(arena, path.length);
	struct slice canonical;
	enum error error = wire_path_canonical(path, out, &canonical);

	must(error == ERROR_OK); /* gw_honour_match looked */
	return canonical;
}

static struct slice
lower(struct arena *arena, struct slice s)
{
	struct slice copy = arena_copy(arena, s);
	char *bytes = (char *)(uintptr_t)copy.data;

	for (size_t i = 0; i < copy.length; i++)
		if (bytes[i] >= 'A' && bytes[i] <= 'Z')
			bytes[i] |= 0x20;
	return copy;
}

static bool
is_pattern(struct slice type)
{
	return slice_equal(type, SLICE("RegularExpression"));
}

static enum unit_pair_type
pair_type(struct slice type)
{
	return is_pattern(type) ? UNIT_PAIR_PATTERN : UNIT_PAIR_EXACT;
}

/* Of names that are equal but for case the first one counts. */
static void
make_headers(struct arena *arena, const struct gw_http_header_match *headers,
    uint32_t count, struct unit_match *unit)
{
	if (count == 0)
		return;
	unit->headers = arena_zero(arena, count, sizeof(*unit->headers));
	for (uint32_t i = 0; i < count; i++) {
		struct slice name = lower(arena, headers[i].name);
		bool seen = false;

		for (uint32_t j = 0; j < unit->headers_count; j++)
			seen = seen || slice_equal(unit->headers[j].name, name);
		if (!seen)
			unit->headers[unit->headers_count++] =
			    (struct unit_pair_match){.name = name,
			        .value = headers[i].value,
			        .type = pair_type(headers[i].type)};
	}
}

static void
make_request(struct arena *arena, const struct gw_http_match *match,
    struct unit_match *unit)
{
	unit->path = SLICE("/");
	if (match->path) {
		if (slice_equal(match->path->type, SLICE("Exact")))
			unit->path_type = UNIT_PATH_EXACT;
		else if (is_pattern(match->path->type))
			unit->path_type = UNIT_PATH_PATTERN;
		unit->path = is_pattern(match->path->type)
		    ? match->path->value
		    : canonical_path(arena, match->path->value);
	}
	unit->method = match->method;
	make_headers(arena, match->headers, match->headers_count, unit);
	if (match->query_params_count == 0)
		return;
	unit->queries = arena_zero(
	    arena, match->query_params_count, sizeof(*unit->queries));
	unit->queries_count = match->query_params_count;
	for (uint32_t i = 0; i < match->query_params_count; i++)
		unit->queries[i] = (struct unit_pair_match){
		    .name = match->query_params[i].name,
		    .value = match->query_params[i].value,
		    .type = pair_type(match->query_params[i].type)};
}

/* The first one that is left out, and why. */
static void
tell_fault(struct text *fault, uint32_t index, const struct text *why)
{
	if (fault->length == 0)
		text_printf(fault, "matches[%u].%.*s", index,
		    SLICE_ARGS(text_slice(why)));
}

void
gw_match_http(const struct gw_object *route, uint32_t rule, struct arena *arena,
    struct unit_rule *unit, struct text *fault)
{
	static const struct gw_http_match all;
	const struct gw_httproute_spec *spec = route->route;
	const struct gw_http_match *matches = &all;
	uint32_t count = 1;
	struct text why;

	if (rule < spec->rules_count && spec->rules[rule].matches_count > 0) {
		matches = spec->rules[rule].matches;
		count = spec->rules[rule].matches_count;
	}
	text_init(&why);
	unit->matches = arena_zero(arena, count, sizeof(*unit->matches));
	for (uint32_t i = 0; i < count; i++) {
		text_reset(&why);
		if (gw_honour_match(&matches[i], &why))
			make_request(arena, &matches[i],
			    &unit->matches[unit->matches_count++]);
		else
			tell_fault(fault, i, &why);
	}
	text_fini(&why);
}

/* A call of neither service nor method is every call. */
static void
make_call(struct arena *arena, const struct gw_grpc_match *match,
    struct unit_match *unit)
{
	const struct gw_grpc_call *call = match->call;

	unit->path = SLICE("/");
	make_headers(arena, match->headers, match->headers_count, unit);
	if (!call || call->service.length + call->method.length == 0)
		return;
	unit->call = arena_zero(arena, 1, sizeof(*unit->call));
	*unit->call = (struct unit_call){
	    .type =
	        is_pattern(call->type) ? UNIT_CALL_PATTERN : UNIT_CALL_EXACT,
	    .service = call->service,
	    .method = call->method,
	};
}

void
gw_match_grpc(const struct gw_object *route, uint32_t rule, struct arena *arena,
    struct unit_rule *unit, struct text *fault)
{
	static const struct gw_grpc_match all;
	const struct gw_grpc_rule *asked = &route->grpcroute->spec->rules[rule];
	bool any = asked->matches_count == 0;
	const struct gw_grpc_match *matches = any ? &all : asked->matches;
	uint32_t count = any ? 1 : asked->matches_count;
	struct text why;

	text_init(&why);
	unit->matches = arena_zero(arena, count, sizeof(*unit->matches));
	for (uint32_t i = 0; i < count; i++) {
		text_reset(&why);
		if (gw_honour_call(&matches[i], &why))
			make_call(arena, &matches[i],
			    &unit->matches[unit->matches_count++]);
		else
			tell_fault(fault, i, &why);
	}
	text_fini(&why);
}

void
gw_match_all(const struct gw_object *route, uint32_t rule, struct arena *arena,
    struct unit_rule *unit, struct text *fault)
{
	(void)route;
	(void)rule;
	(void)fault;
	unit->matches = arena_zero(arena, 1, sizeof(*unit->matches));
	unit->matches[0].path = SLICE("/");
	unit->matches_count = 1;
}
