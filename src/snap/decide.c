/* decide(): three walks down trees (the socket's listeners, the listener's
 * hosts, a host's paths), each giving all that fits, and the first entry from
 * the most specific end whose conditions hold. What it costs is the length of
 * the host and path, and the conditions at the places that fit; not the number
 * of routes. */
#include "snap/decide.h"

#include "core/must.h"
#include "snap/pattern_priv.h"
#include "snap/set_priv.h"
#include "wire/path.h"

/* A value a label, one of every host, and an exact one. */
#define HOST_HITS (SNAP_HOST_BYTES / 2 + 3)

struct trace {
	snap_trace_fn fn;
	void *context;
};

/* One request being decided. */
struct run {
	const struct snap_request *request;
	const struct trace *trace; /* NULL: nobody asks */
	uint32_t tries; /* of patterns */
};

/* Is field one line of the header that is asked for? */
static bool
is_named(const struct field *field, struct slice name, enum field_id id)
{
	if (field->id != FIELD_OTHER || id != FIELD_OTHER)
		return field->id == id;
	return slice_equal_nocase(field_name(field), name);
}

/* One line with that value, or all lines joined by commas: what a list means
 * when it comes in several lines (RFC 9110 5.3). */
static bool
header_equals(const struct snap_request *request,
    const struct unit_pair_match *asked, enum field_id id)
{
	struct slice left = asked->value;
	bool joined = true, seen = false;

	for (unsigned i = 0; i < request->field_count; i++) {
		const struct field *field = &request->fields[i];
		struct slice value = field_value(field);

		if (!is_named(field, asked->name, id))
			continue;
		if (slice_equal(value, asked->value))
			return true;
		if (seen && joined) {
			joined = left.length > 0 && left.data[0] == ',';
			left = slice_skip(left, joined);
		}
		joined = joined && slice_starts_with(left, value);
		if (joined)
			left = slice_skip(left, value.length);
		seen = true;
	}
	return seen && joined && left.length == 0;
}

/* The same with a pattern. */
static bool
header_fits(struct run *run, const struct unit_pair_match *asked,
    enum field_id id, const struct snap_pattern *pattern)
{
	const struct snap_request *request = run->request;
	char *room = snap_matcher_room(request->matcher);
	size_t length = 0;
	unsigned lines = 0;

	for (unsigned i = 0; i < request->field_count; i++) {
		const struct field *field = &request->fields[i];
		struct slice value = field_value(field);

		if (!is_named(field, asked->name, id))
			continue;
		if (snap_pattern_fits(
		        pattern, value, request->matcher, &run->tries))
			return true;
		if (length + 1 + value.length > SNAP_MATCHER_BYTES)
			return false; /* heads are shorter than that */
		if (lines++ > 0)
			room[length++] = ',';
		if (value.length > 0)
			memcpy(room + length, value.data, value.length);
		length += value.length;
	}
	return lines > 1 &&
	    snap_pattern_fits(pattern, slice_make(room, length),
	        request->matcher, &run->tries);
}

static bool
query_fits(struct run *run, const struct unit_pair_match *asked,
    const struct snap_pattern *pattern)
{
	const struct snap_request *request = run->request;
	struct slice value;

	if (request->query.length == 0 ||
	    !wire_query_get(
	        request->query, asked->name, request->scratch, &value))
		return false;
	return pattern
	    ? snap_pattern_fits(pattern, value, request->matcher, &run->tries)
	    : slice_equal(value, asked->value);
}

static bool
pairs_fit(struct run *run, const struct snap_match *candidate, bool headers)
{
	const struct unit_match *match = candidate->match;
	const struct unit_pair_match *pairs =
	    headers ? match->headers : match->queries;
	uint32_t count = headers ? match->headers_count : match->queries_count;
	uint32_t place = headers ? SNAP_PATTERN_HEADERS
	                         : SNAP_PATTERN_HEADERS + match->headers_count;

	for (uint32_t i = 0; i < count; i++) {
		const struct snap_pattern *pattern =
		    candidate->patterns ? candidate->patterns[place + i] : NULL;
		enum field_id id = headers
		    ? (enum field_id)candidate->header_ids[i]
		    : FIELD_OTHER;

		if (!headers      ? !query_fits(run, &pairs[i], pattern)
		        : pattern ? !header_fits(run, &pairs[i], id, pattern)
		                  : !header_equals(run->request, &pairs[i], id))
			return false;
	}
	return true;
}

/* NULL: the conditions hold; else which one does not. */
static const char *
refusal(struct run *run, const struct snap_match *candidate)
{
	const struct unit_match *match = candidate->match;

	if (match->method.length > 0 &&
	    !slice_equal(match->method, run->request->method))
		return "the method differs";
	if (!pairs_fit(run, candidate, true))
		return "a header is missing or differs";
	if (!pairs_fit(run, candidate, false))
		return "a query parameter is missing or differs";
	return NULL;
}

static void
tell(const struct run *run, const struct snap_match *match, const char *why)
{
	if (run->trace)
		run->trace->fn(run->trace->context, match->rule->unit,
		    match->rule->rule, match->match, why);
}

static inline __attribute__((always_inline)) const struct snap_entry *
first_fit(struct run *run, const struct snap_entries *entries)
{
	for (uint32_t i = 0; i < entries->count; i++) {
		const struct snap_entry *entry = &entries->entries[i];
		const char *why;

		if (!entry->conditional)
			return entry;
		why = refusal(run, entry->match);
		if (!why)
			return entry;
		tell(run, entry->match, why);
	}
	return NULL;
}

static const struct snap_entry *
first_fit_or_none(struct run *run, const struct snap_entries *entries)
{
	return entries ? first_fit(run, entries) : NULL;
}

/* ---- hostnames with more than plain paths ---- */

static bool
pattern_fits(struct run *run, const struct snap_match *match,
    enum snap_pattern_place place, struct slice text)
{
	const struct snap_pattern *pattern = match->patterns[place];

	return !pattern ||
	    snap_pattern_fits(
	        pattern, text, run->request->matcher, &run->tries);
}

/* The first in a list of patterns that fits the two texts (a path; or a
 * service and a method) and whose conditions hold. */
static const struct snap_entry *
first_pattern_fit(struct run *run, const struct snap_entries *entries,
    struct slice first, struct slice second)
{
	for (uint32_t i = 0; entries && i < entries->count; i++) {
		const struct snap_match *match = entries->entries[i].match;
		const char *why = NULL;

		if (!pattern_fits(run, match, SNAP_PATTERN_PATH, first) ||
		    !pattern_fits(run, match, SNAP_PATTERN_METHOD, second))
			why = "its pattern does not fit";
		else
			why = refusal(run, match);
		if (!why)
			return &entries->entries[i];
		tell(run, match, why);
	}
	return NULL;
}

/* Names and values mostly come in lower case. */
static bool
equals_lower(struct slice s, struct slice lower)
{
	return s.length == lower.length &&
	    (slice_equal(s, lower) || slice_equal_nocase(s, lower));
}

/* "application/grpc", also with a format ("+proto"), a parameter, or "-web". */
static bool
is_grpc(const struct snap_request *request)
{
	struct slice type = SLICE("application/grpc");

	for (unsigned i = 0; i < request->field_count; i++) {
		struct slice value = field_value(&request->fields[i]);

		if (!equals_lower(
		        field_name(&request->fields[i]), SLICE("content-type")))
			continue;
		return value.length >= type.length &&
		    equals_lower(slice_make(value.data, type.length), type) &&
		    (value.length == type.length ||
		        memchr("+;- \t", value.data[type.length], 5));
	}
	return false;
}

static const struct snap_entry *
find_call(struct run *run, const struct snap_more *more, struct slice key,
    enum snap_radix_place place)
{
	return first_fit_or_none(run, snap_radix_get(more->calls, key, place));
}

/* In order of precedence: by the service, by the method alone, any. The keys
 * (snap_call_key) are pieces of the path "/service/method". */
static const struct snap_entry *
decide_call(struct run *run, const struct snap_more *more)
{
	struct slice path = run->request->path;
	const struct snap_entry *entry = NULL;
	size_t slash = path.length;

	while (slash > 0 && path.data[slash - 1] != '/')
		slash--;
	if (slash > 1) {
		struct slice service = slice_make(path.data + 1, slash - 2);
		struct slice method = slice_skip(path, slash);

		if (service.length > 0 && method.length > 0)
			entry = find_call(run, more, path, SNAP_RADIX_EXACT);
		if (!entry && service.length > 0)
			entry = find_call(run, more,
			    slice_make(path.data, slash - 1),
			    SNAP_RADIX_PREFIX);
		if (!entry)
			entry = first_pattern_fit(run,
			    more->lists[SNAP_LIST_SERVICES], service, method);
		if (!entry && method.length > 0)
			entry = find_call(run, more, method, SNAP_RADIX_EXACT);
		if (!entry)
			entry = first_pattern_fit(run,
			    more->lists[SNAP_LIST_METHODS], service, method);
	}
	return entry ? entry
	             : find_call(run, more, SLICE(""), SNAP_RADIX_PREFIX);
}

/* Exact paths, patterns, prefixes. */
static const struct snap_entry *
decide_pattern(struct run *run, const struct snap_more *more,
    const struct snap_radix *paths)
{
	const void *hits[SNAP_RADIX_HITS];
	struct slice path = run->request->path;
	unsigned count = snap_radix_walk(paths, path, '/', true, hits);
	const struct snap_entries *exact =
	    snap_radix_get(paths, path, SNAP_RADIX_EXACT);
	const struct snap_entry *entry = first_fit_or_none(run, exact);

	if (exact) {
		must(count > 0 && hits[count - 1] == exact);
		count--;
	}
	if (!entry)
		entry = first_pattern_fit(
		    run, more->lists[SNAP_LIST_PATHS], path, SLICE_NONE);
	while (!entry && count > 0)
		entry = first_fit(run, hits[--count]);
	return entry;
}

/* GRPCRoutes, then HTTPRoutes. */
static __attribute__((noinline)) const struct snap_entry *
decide_more(struct run *run, const struct snap_more *more,
    const struct snap_radix *paths)
{
	const struct snap_entry *entry = NULL;

	if (more->calls || more->lists[SNAP_LIST_SERVICES] ||
	    more->lists[SNAP_LIST_METHODS])
		entry = is_grpc(run->request) ? decide_call(run, more) : NULL;
	return entry ? entry : decide_pattern(run, more, paths);
}

/* ---- every request ---- */

static inline __attribute__((always_inline)) const struct snap_entry *
decide_path(struct run *run, const struct snap_radix *paths)
{
	const struct snap_more *more = snap_more_of(paths);
	const void *hits[SNAP_RADIX_HITS];
	unsigned count;

	if (unlikely(more != NULL))
		return decide_more(run, more, paths);
	count = snap_radix_walk(paths, run->request->path, '/', true, hits);
	while (count > 0) {
		const struct snap_entry *entry = first_fit(run, hits[--count]);

		if (entry)
			return entry;
	}
	return NULL;
}

static inline __attribute__((always_inline)) const struct snap_listener *
find_listener(const struct snap_set *set, uint32_t socket, struct slice host)
{
	const void *hits[HOST_HITS];
	unsigned count = snap_radix_walk(
	    snap_array_get(&set->sockets, socket), host, '.', false, hits);

	if (count == 0)
		return NULL;

	const struct snap_claims *claims = hits[count - 1];

	return snap_array_get(&set->listeners, claims->ids[0]);
}

static inline __attribute__((always_inline)) void
take(struct snap_decision *decision, const struct snap_entry *entry)
{
	const struct snap_rule *rule = entry->match->rule;

	decision->reason = REASON_NONE;
	decision->route_unit = rule->unit;
	decision->rule = rule->rule;
	decision->match = entry->match->match;
	decision->backend_ids = rule->backend_ids;
	decision->weight_sum = rule->weight_sum;
	decision->rule_id = entry->rule_id;
}

/* The listener of a socket that takes host; reversed gets the host's key. */
static inline __attribute__((always_inline)) const struct snap_listener *
decide_listener(const struct snap_set *set, uint32_t socket, struct slice host,
    struct slice *reversed, char *out, struct snap_decision *decision)
{
	must(host.length <= SNAP_HOST_BYTES);
	*decision = (struct snap_decision){
	    .reason = REASON_NO_LISTENER,
	    .listener_id = SNAP_ID_NONE,
	    .rule_id = SNAP_ID_NONE,
	};
	*reversed = snap_host_reverse(host, out);

	const struct snap_listener *listener =
	    find_listener(set, socket, *reversed);

	if (listener) {
		decision->reason = REASON_NO_ROUTE;
		decision->listener_unit = listener->unit;
		decision->listener_id = listener->id;
	}
	return listener;
}

static inline __attribute__((always_inline)) void
decide(const struct snap_set *set, const struct snap_request *request,
    struct snap_decision *decision, const struct trace *trace)
{
	struct run run = {.request = request, .trace = trace};
	char out[SNAP_HOST_BYTES];
	const void *hits[HOST_HITS];
	struct slice host;
	const struct snap_listener *listener = decide_listener(
	    set, request->socket, request->host, &host, out, decision);

	if (!listener)
		return;

	unsigned count =
	    snap_radix_walk(listener->hosts, host, '.', false, hits);

	while (count > 0) {
		const struct snap_entry *entry =
		    decide_path(&run, hits[--count]);

		if (entry) {
			take(decision, entry);
			return;
		}
	}
}

void
snap_decide(const struct snap_set *set, const struct snap_request *request,
    struct snap_decision *decision)
{
	decide(set, request, decision, NULL);
}

void
snap_decide_traced(const struct snap_set *set,
    const struct snap_request *request, struct snap_decision *decision,
    snap_trace_fn fn, void *context)
{
	struct trace trace = {.fn = fn, .context = context};

	decide(set, request, decision, &trace);
}

void
snap_decide_sni(const struct snap_set *set, uint32_t socket,
    struct slice server_name, struct snap_decision *decision)
{
	char out[SNAP_HOST_BYTES];
	const void *hits[HOST_HITS];
	struct slice name;
	const struct snap_listener *listener =
	    decide_listener(set, socket, server_name, &name, out, decision);

	if (!listener)
		return;

	unsigned count =
	    snap_radix_walk(listener->hosts, name, '.', false, hits);

	while (count > 0) {
		const struct snap_more *more = snap_more_of(hits[--count]);

		if (more && more->lists[SNAP_LIST_NAMES]) {
			take(decision,
			    &more->lists[SNAP_LIST_NAMES]->entries[0]);
			return;
		}
	}
}

/* They stand where a TLSRoute without hostnames does. */
void
snap_decide_flow(
    const struct snap_set *set, uint32_t socket, struct snap_decision *decision)
{
	snap_decide_sni(set, socket, SLICE_NONE, decision);
}

unsigned
snap_set_sockets(const struct snap_set *set, const struct snap_socket **sockets)
{
	*sockets = set->socket_list->sockets;
	return set->socket_list->count;
}
