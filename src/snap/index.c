/* The index: a route's matches among those of its listeners, by hostname and
 * path. A change touches the entries of that one route and the nodes above
 * them; how many other routes there are only makes paths longer. */
#include "core/memory.h"
#include "core/must.h"
#include "snap/store_priv.h"

static void change_listener(struct snap_store *store, const struct unit *unit,
    uint32_t listener, bool add);
static struct snap_radix *change_path(struct snap_limbo *limbo,
    struct snap_radix *paths, const struct snap_match *match, uint32_t rule_id,
    bool add);
static struct snap_entries *entries_add(struct snap_limbo *limbo,
    struct snap_entries *old, const struct snap_entry *entry);
static struct snap_entries *entries_remove(struct snap_limbo *limbo,
    struct snap_entries *old, const struct snap_match *match);
static int compare_matches(
    const struct snap_match *a, const struct snap_match *b);

void
snap_index_add(struct snap_store *store, const struct unit *unit)
{
	for (uint32_t i = 0; i < unit->plan->listener_count; i++)
		change_listener(store, unit, i, true);
}

void
snap_index_remove(struct snap_store *store, const struct unit *unit)
{
	for (uint32_t i = 0; i < unit->plan->listener_count; i++)
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
	snap_radix_free(value, free_entries);
}

void
snap_index_free(struct snap_radix *hosts)
{
	snap_radix_free(hosts, free_paths);
}

static void
change_listener(struct snap_store *store, const struct unit *unit,
    uint32_t listener, bool add)
{
	const struct snap_plan *plan = unit->plan;
	const uint32_t *rule_ids =
	    &plan->rule_ids[(size_t)listener * plan->rule_count];
	struct snap_listener *shown =
	    snap_listener_writable(store, plan->listeners[listener]);
	char reversed[SNAP_HOST_BYTES];

	for (uint32_t i = 0; i < plan->hostname_count; i++) {
		enum snap_radix_place place;
		struct slice key =
		    snap_hostname_key(plan->hostnames[i], reversed, &place);
		struct snap_radix *paths =
		    snap_radix_get(shown->hosts, key, place);

		for (uint32_t j = 0; j < plan->match_count; j++) {
			const struct snap_match *match = &plan->matches[j];

			paths = change_path(&store->limbo, paths, match,
			    rule_ids[match->rule_index], add);
		}
		shown->hosts = snap_radix_put(
		    &store->limbo, shown->hosts, key, place, paths);
	}
}

static struct snap_radix *
change_path(struct snap_limbo *limbo, struct snap_radix *paths,
    const struct snap_match *match, uint32_t rule_id, bool add)
{
	const struct unit_match *asked = match->match;
	enum snap_radix_place place;
	struct slice key = snap_path_key(asked, &place);
	struct snap_entries *entries = snap_radix_get(paths, key, place);
	struct snap_entry entry = {
	    .match = match,
	    .rule_id = rule_id,
	    .conditional = asked->method.length > 0 ||
	        asked->headers_count > 0 || asked->queries_count > 0,
	};

	entries = add ? entries_add(limbo, entries, &entry)
	              : entries_remove(limbo, entries, match);
	return snap_radix_put(limbo, paths, key, place, entries);
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

static struct snap_entries *
entries_new(struct snap_limbo *limbo, uint32_t count)
{
	struct snap_entries *entries = snap_limbo_new(
	    limbo, sizeof(*entries) + count * sizeof(entries->entries[0]));

	entries->count = count;
	return entries;
}

static struct snap_entries *
entries_add(struct snap_limbo *limbo, struct snap_entries *old,
    const struct snap_entry *entry)
{
	uint32_t count = old ? old->count : 0;
	uint32_t at = find(old, entry->match);
	struct snap_entries *entries = entries_new(limbo, count + 1);

	if (old) {
		memcpy(entries->entries, old->entries, at * sizeof(*entry));
		memcpy(&entries->entries[at + 1], &old->entries[at],
		    (count - at) * sizeof(*entry));
	}
	entries->entries[at] = *entry;
	snap_limbo_push(limbo, old);
	return entries;
}

static struct snap_entries *
entries_remove(struct snap_limbo *limbo, struct snap_entries *old,
    const struct snap_match *match)
{
	uint32_t at = find(old, match);

	must(old != NULL && at < old->count && old->entries[at].match == match);

	struct snap_entries *entries = NULL;

	if (old->count > 1) {
		entries = entries_new(limbo, old->count - 1);
		memcpy(entries->entries, old->entries,
		    at * sizeof(old->entries[0]));
		memcpy(&entries->entries[at], &old->entries[at + 1],
		    (old->count - at - 1) * sizeof(old->entries[0]));
	}
	snap_limbo_push(limbo, old);
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

/* Precedence among matches of one host and path (HTTPRouteRule.matches): only
 * one match of one unit is equal to it. */
static int
compare_matches(const struct snap_match *a, const struct snap_match *b)
{
	const struct unit_route *left = a->rule->unit->route;
	const struct unit_route *right = b->rule->unit->route;
	int order = compare_most(
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
		order = slice_compare(left->namespace, right->namespace);
	if (order == 0)
		order = slice_compare(left->name, right->name);
	if (order == 0)
		order = slice_compare(a->rule->unit->name, b->rule->unit->name);
	if (order == 0)
		order = compare_least(a->rule_index, b->rule_index);
	if (order == 0)
		order = compare_least(a->match_index, b->match_index);
	return order;
}
