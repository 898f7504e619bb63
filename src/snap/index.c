/* The index: a route's matches among those of its listeners, by hostname and
 * path. A change touches the entries of that one route and the nodes above
 * them; how many other routes there are only makes paths longer. */
#include "core/memory.h"
#include "core/must.h"
#include "snap/store_priv.h"

static void change_listener(struct snap_store *store, const struct unit *unit,
    uint32_t listener, bool add);
static struct snap_radix *change_path(struct snap_limbo *limbo,
    struct snap_radix *paths, const struct snap_entry *entry, bool add);
static struct snap_radix *change_more(struct snap_limbo *limbo,
    struct snap_radix *paths, const struct snap_entry *entry, bool add);
static struct snap_entries *entries_change(struct snap_limbo *limbo,
    struct snap_entries *old, const struct snap_entry *entry, bool add);
static int compare_matches(
    const struct snap_match *a, const struct snap_match *b);

void
snap_index_add(struct snap_store *store, const struct unit *unit)
{
	for (uint32_t i = 0; i < unit->route->listeners_count; i++)
		change_listener(store, unit, i, true);
}

void
snap_index_remove(struct snap_store *store, const struct unit *unit)
{
	for (uint32_t i = 0; i < unit->route->listeners_count; i++)
		change_listener(store, unit, i, false);
}

static void
free_entries(void *value)
{
	memory_free(value);
}

static void
free_paths(void *value)
{
	struct snap_radix *paths = value;
	const struct snap_more *more = snap_more_of(paths);

	if (more) {
		snap_radix_free(more->calls, free_entries);
		for (unsigned i = 0; i < SNAP_LIST__COUNT; i++)
			memory_free(more->lists[i]);
	}
	snap_radix_free(paths, free_entries);
}

void
snap_index_free(struct snap_radix *hosts)
{
	snap_radix_free(hosts, free_paths);
}

/* Does the match ask for more than where its entry stands? */
static bool
has_conditions(const struct unit_match *match)
{
	return match->path_type == UNIT_PATH_PATTERN ||
	    match->method.length > 0 || match->headers_count > 0 ||
	    match->queries_count > 0 ||
	    (match->call && match->call->type == UNIT_CALL_PATTERN);
}

/* Does it stand in the tree of paths? */
static bool
is_plain(const struct snap_match *match)
{
	return match->rule->unit->plan->kind == UNIT_ROUTE_HTTP &&
	    match->match->path_type != UNIT_PATH_PATTERN;
}

/* Where it has none, every host. */
static struct slice
hostname_at(const struct unit_route *route, uint32_t index)
{
	return route->hostnames_count > 0 ? route->hostnames[index] : SLICE("");
}

static void
change_listener(struct snap_store *store, const struct unit *unit,
    uint32_t listener, bool add)
{
	const struct snap_plan *plan = unit->plan;
	const uint32_t *rule_ids =
	    &plan->rule_ids[(size_t)listener * unit->route->rules_count];
	struct snap_listener *shown =
	    snap_listener_writable(store, plan->listeners[listener]);
	char reversed[SNAP_HOST_BYTES];

	uint32_t i = 0;

	do {
		enum snap_radix_place place;
		struct slice key = snap_hostname_key(
		    hostname_at(unit->route, i), reversed, &place);
		struct snap_radix *paths =
		    snap_radix_get(shown->hosts, key, place);

		for (uint32_t j = 0; j < plan->match_count; j++) {
			const struct snap_match *match = &plan->matches[j];
			struct snap_entry entry = {
			    .match = match,
			    .rule_id = rule_ids[match->rule_index],
			    .conditional = has_conditions(match->match),
			};

			paths = is_plain(match)
			    ? change_path(&store->limbo, paths, &entry, add)
			    : change_more(&store->limbo, paths, &entry, add);
		}
		shown->hosts = snap_radix_put(
		    &store->limbo, shown->hosts, key, place, paths);
	} while (++i < unit->route->hostnames_count);
}

static struct snap_radix *
change_path(struct snap_limbo *limbo, struct snap_radix *paths,
    const struct snap_entry *entry, bool add)
{
	enum snap_radix_place place;
	struct slice key = snap_path_key(entry->match->match, &place);
	struct snap_entries *entries = snap_radix_get(paths, key, place);

	entries = entries_change(limbo, entries, entry, add);
	return snap_radix_put(limbo, paths, key, place, entries);
}

static struct snap_radix *
change_call(struct snap_limbo *limbo, struct snap_radix *calls,
    const struct snap_entry *entry, bool add)
{
	static const struct unit_call any;
	const struct unit_call *call = entry->match->match->call;
	char out[SNAP_RADIX_KEY_BYTES];
	enum snap_radix_place place;

	if (!call)
		call = &any;

	struct slice key =
	    snap_call_key(call->service, call->method, out, &place);
	struct snap_entries *entries = snap_radix_get(calls, key, place);

	entries = entries_change(limbo, entries, entry, add);
	return snap_radix_put(limbo, calls, key, place, entries);
}

/* The list that a match stands in which is not plain; COUNT: a call by name. */
static enum snap_list
list_of(const struct snap_match *match)
{
	const struct unit_call *call = match->match->call;

	switch (match->rule->unit->plan->kind) {
	case UNIT_ROUTE_TLS:
	case UNIT_ROUTE_TCP:
	case UNIT_ROUTE_UDP:
		return SNAP_LIST_NAMES;
	case UNIT_ROUTE_GRPC:
		if (!call || call->type == UNIT_CALL_EXACT)
			return SNAP_LIST__COUNT;
		return call->service.length > 0 ? SNAP_LIST_SERVICES
		                                : SNAP_LIST_METHODS;
	case UNIT_ROUTE_HTTP:
	default:
		return SNAP_LIST_PATHS;
	}
}

static bool
is_empty(const struct snap_more *more)
{
	for (unsigned i = 0; i < SNAP_LIST__COUNT; i++)
		if (more->lists[i])
			return false;
	return more->calls == NULL;
}

static struct snap_radix *
change_more(struct snap_limbo *limbo, struct snap_radix *paths,
    const struct snap_entry *entry, bool add)
{
	struct snap_more *more =
	    snap_radix_get(paths, SNAP_MORE_KEY, SNAP_MORE_PLACE);
	enum snap_list list = list_of(entry->match);

	if (!more || !snap_limbo_is_fresh(limbo, &more->block)) {
		struct snap_more *fresh = snap_limbo_new(limbo, sizeof(*fresh));

		if (more) {
			fresh->calls = more->calls;
			memcpy(fresh->lists, more->lists, sizeof(more->lists));
			snap_limbo_push(limbo, more);
		}
		more = fresh;
	}
	if (list == SNAP_LIST__COUNT)
		more->calls = change_call(limbo, more->calls, entry, add);
	else
		more->lists[list] =
		    entries_change(limbo, more->lists[list], entry, add);
	if (is_empty(more)) {
		snap_limbo_push(limbo, more);
		more = NULL;
	}
	return snap_radix_put(
	    limbo, paths, SNAP_MORE_KEY, SNAP_MORE_PLACE, more);
}

/* The first entry that does not come before match. */
static uint32_t
find(const struct snap_entries *entries, const struct snap_match *match)
{
	uint32_t low = 0, high = entries ? entries->count : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_matches(entries->entries[middle].match, match) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* There is room for so many at least: a power of two. */
static uint32_t
room_of(uint32_t count)
{
	return count > 1 ? UINT32_C(1) << (32 - __builtin_clz(count - 1)) : 1;
}

/* The same, with room for more, to be written in place. */
static struct snap_entries *
entries_writable(
    struct snap_limbo *limbo, struct snap_entries *old, uint32_t more)
{
	uint32_t count = old ? old->count : 0;

	must(count < UINT32_MAX / 2);
	if (old && snap_limbo_is_fresh(limbo, &old->block) &&
	    count + more <= room_of(count))
		return old;

	struct snap_entries *entries = snap_limbo_new(limbo,
	    sizeof(*entries) +
	        room_of(count + more) * sizeof(entries->entries[0]));

	entries->count = count;
	if (old)
		memcpy(entries->entries, old->entries,
		    count * sizeof(entries->entries[0]));
	snap_limbo_push(limbo, old);
	return entries;
}

static struct snap_entries *
entries_change(struct snap_limbo *limbo, struct snap_entries *old,
    const struct snap_entry *entry, bool add)
{
	uint32_t at = find(old, entry->match);
	struct snap_entry *place;

	must(add ||
	    (old && at < old->count && old->entries[at].match == entry->match));
	if (!add && old->count == 1) {
		snap_limbo_push(limbo, old);
		return NULL;
	}

	struct snap_entries *entries = entries_writable(limbo, old, add);

	place = &entries->entries[at];
	if (add) {
		memmove(
		    place + 1, place, (entries->count++ - at) * sizeof(*place));
		*place = *entry;
	} else {
		memmove(
		    place, place + 1, (--entries->count - at) * sizeof(*place));
	}
	return entries;
}

/* More of something comes first. */
static int
compare_most(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int
compare_least(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* Patterns of one list: the longest comes first. */
static int
compare_patterns(const struct unit_match *a, const struct unit_match *b)
{
	int order = 0;

	if (a->path_type == UNIT_PATH_PATTERN)
		order = compare_most(a->path.length, b->path.length);
	else if (a->call && a->call->type == UNIT_CALL_PATTERN)
		order = compare_most(
		    a->call->service.length, b->call->service.length);
	if (order == 0 && a->call && a->call->type == UNIT_CALL_PATTERN)
		order = compare_most(
		    a->call->method.length, b->call->method.length);
	return order;
}

/* By namespace, then by name, then by kind: "route/kind/namespace/name". */
static int
compare_names(struct slice a, struct slice b)
{
	struct slice left = a, right = b, word, other;
	int order = 0;

	for (unsigned i = 0; i < 3 && slice_cut(&left, '/', &word) &&
	     slice_cut(&right, '/', &other);
	     i++)
		order = i == 2 ? slice_compare(word, other) : 0;
	if (order == 0)
		order = slice_compare(left, right);
	return order ? order : slice_compare(a, b);
}

/* Precedence among matches that stand at one place or in one list: only one
 * match of one unit is equal to it. */
static int
compare_matches(const struct snap_match *a, const struct snap_match *b)
{
	const struct unit_route *left = a->rule->unit->route;
	const struct unit_route *right = b->rule->unit->route;
	int order = compare_patterns(a->match, b->match);

	if (order == 0)
		order = compare_most(
		    a->match->method.length > 0, b->match->method.length > 0);
	if (order == 0)
		order = compare_most(
		    a->match->headers_count, b->match->headers_count);
	if (order == 0)
		order = compare_most(
		    a->match->queries_count, b->match->queries_count);
	if (order == 0)
		order = compare_least(left->created, right->created);
	if (order == 0)
		order = compare_names(a->rule->unit->name, b->rule->unit->name);
	if (order == 0)
		order = compare_least(a->rule_index, b->rule_index);
	if (order == 0)
		order = compare_least(a->match_index, b->match_index);
	return order;
}
