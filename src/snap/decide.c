/* decide(): three walks down trees (the socket's listeners, the listener's
 * hosts, a host's paths), each giving all that fits, and the first entry from
 * the most specific end whose conditions hold. What it costs is the length of
 * the host and path, and the conditions at the places that fit; not the number
 * of routes. */
#include "snap/decide.h"

#include "core/must.h"
#include "snap/set_priv.h"
#include "wire/path.h"

/* A value a label, one of every host, and an exact one. */
#define HOST_HITS (SNAP_HOST_BYTES / 2 + 3)

struct trace {
	snap_trace_fn fn;
	void *context;
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
header_fits(const struct snap_request *request,
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

static bool
query_fits(
    const struct snap_request *request, const struct unit_pair_match *asked)
{
	struct slice value;

	return request->query.length > 0 &&
	    wire_query_get(
	        request->query, asked->name, request->scratch, &value) &&
	    slice_equal(value, asked->value);
}

/* NULL: the conditions hold; else which one does not. */
static const char *
refusal(const struct snap_match *candidate, const struct snap_request *request)
{
	const struct unit_match *match = candidate->match;

	if (match->method.length > 0 &&
	    !slice_equal(match->method, request->method))
		return "the method differs";
	for (uint32_t i = 0; i < match->headers_count; i++)
		if (!header_fits(request, &match->headers[i],
		        (enum field_id)candidate->header_ids[i]))
			return "a header is missing or differs";
	for (uint32_t i = 0; i < match->queries_count; i++)
		if (!query_fits(request, &match->queries[i]))
			return "a query parameter is missing or differs";
	return NULL;
}

static inline __attribute__((always_inline)) const struct snap_entry *
first_fit(const struct snap_entries *entries,
    const struct snap_request *request, const struct trace *trace)
{
	for (uint32_t i = 0; i < entries->count; i++) {
		const struct snap_entry *entry = &entries->entries[i];
		const struct snap_match *match = entry->match;
		const char *why;

		if (!entry->conditional)
			return entry;
		why = refusal(match, request);
		if (!why)
			return entry;
		if (trace)
			trace->fn(trace->context, match->rule->unit,
			    match->rule->rule, match->match, why);
	}
	return NULL;
}

static inline __attribute__((always_inline)) const struct snap_entry *
decide_path(const struct snap_radix *paths, const struct snap_request *request,
    const struct trace *trace)
{
	const void *hits[SNAP_RADIX_HITS];
	unsigned count = snap_radix_walk(paths, request->path, '/', true, hits);

	while (count > 0) {
		const struct snap_entry *entry =
		    first_fit(hits[--count], request, trace);

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
decide(const struct snap_set *set, const struct snap_request *request,
    struct snap_decision *decision, const struct trace *trace)
{
	char reversed[SNAP_HOST_BYTES];
	const void *hits[HOST_HITS];

	must(request->host.length <= SNAP_HOST_BYTES);
	*decision = (struct snap_decision){
	    .reason = REASON_NO_LISTENER,
	    .listener_id = SNAP_ID_NONE,
	    .rule_id = SNAP_ID_NONE,
	};

	struct slice host = snap_host_reverse(request->host, reversed);
	const struct snap_listener *listener =
	    find_listener(set, request->socket, host);

	if (!listener)
		return;
	decision->reason = REASON_NO_ROUTE;
	decision->listener_unit = listener->unit;
	decision->listener_id = listener->id;

	unsigned count =
	    snap_radix_walk(listener->hosts, host, '.', false, hits);

	while (count > 0) {
		const struct snap_entry *entry =
		    decide_path(hits[--count], request, trace);

		if (!entry)
			continue;

		const struct snap_rule *rule = entry->match->rule;

		decision->reason = REASON_NONE;
		decision->route_unit = rule->unit;
		decision->rule = rule->rule;
		decision->match = entry->match->match;
		decision->backend_ids = rule->backend_ids;
		decision->weight_sum = rule->weight_sum;
		decision->rule_id = entry->rule_id;
		return;
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

unsigned
snap_set_sockets(const struct snap_set *set, const struct snap_socket **sockets)
{
	*sockets = set->socket_list->sockets;
	return set->socket_list->count;
}
