/* Who has which address: runs to find what is free, a map to find users. It
 * holds pointers to the plan's requests and never looks at pools. */
#include "addr/used_priv.h"

#include "core/memory.h"
#include "core/must.h"

enum { RUNS_FIRST = 16 };

/* All of it counts, and it has no bytes that nothing is in. */
struct key {
	uint8_t bytes[sizeof(unsigned __int128) + 1];
};

static struct key
key_of(const struct addr_ip *ip)
{
	struct key key;

	memcpy(key.bytes, &ip->number, sizeof(ip->number));
	key.bytes[sizeof(ip->number)] = (uint8_t)ip->family;
	return key;
}

static struct slice
key_slice(const struct key *key)
{
	return slice_make((const char *)key->bytes, sizeof(key->bytes));
}

void
addr_used_init(struct addr_used *used, struct arena *arena)
{
	*used = (struct addr_used){.arena = arena};
	map_init(&used->holders);
	map_init(&used->shares);
}

void
addr_used_fini(struct addr_used *used)
{
	map_fini(&used->holders);
	map_fini(&used->shares);
	memory_free(used->runs);
}

/* ---- users ---- */

int
addr_port_compare(const void *a, const void *b)
{
	const struct addr_port *left = a, *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return slice_compare(left->protocol, right->protocol);
}

/* Both are in order. */
static bool
ports_meet(const struct addr_request *a, const struct addr_request *b)
{
	uint32_t i = 0, j = 0;

	while (i < a->port_count && j < b->port_count) {
		int order = addr_port_compare(&a->ports[i], &b->ports[j]);

		if (order == 0)
			return true;
		if (order < 0)
			i++;
		else
			j++;
	}
	return false;
}

static bool
may_share(const struct addr_request *a, const struct addr_request *b)
{
	return a->share.length > 0 && slice_equal(a->share, b->share) &&
	    slice_equal(a->backend, b->backend) && !ports_meet(a, b);
}

const struct addr_request *
addr_used_rival(const struct addr_used *used, const struct addr_ip *ip,
    const struct addr_request *request)
{
	struct key key = key_of(ip);
	const struct addr_holder *holder =
	    map_get(&used->holders, key_slice(&key));

	for (const struct addr_user *user = holder ? holder->users : NULL; user;
	     user = user->next)
		if (user->request != request &&
		    !may_share(user->request, request))
			return user->request;
	return NULL;
}

const struct addr_holder *
addr_used_shared(const struct addr_used *used, struct slice key)
{
	return key.length > 0 ? map_get(&used->shares, key) : NULL;
}

/* ---- runs ---- */

/* The number of runs that begin at or before ip. */
static uint32_t
runs_before(const struct addr_used *used, const struct addr_ip *ip)
{
	uint32_t low = 0, high = used->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (addr_ip_compare(&used->runs[middle].first, ip) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ip is the one after the other. */
static bool
follows(const struct addr_ip *ip, const struct addr_ip *other)
{
	return ip->family == other->family && ip->number != 0 &&
	    ip->number - 1 == other->number;
}

static void
remove_run(struct addr_used *used, uint32_t at)
{
	used->count--;
	memmove(&used->runs[at], &used->runs[at + 1],
	    (used->count - at) * sizeof(*used->runs));
}

static void
insert_run(struct addr_used *used, uint32_t at, const struct addr_ip *ip)
{
	if (used->count == used->room) {
		used->room = used->room ? used->room * 2 : RUNS_FIRST;
		used->runs =
		    memory_resize(used->runs, used->room, sizeof(*used->runs));
	}
	memmove(&used->runs[at + 1], &used->runs[at],
	    (used->count - at) * sizeof(*used->runs));
	used->runs[at] = (struct addr_range){.first = *ip, .last = *ip};
	used->count++;
}

static void
mark(struct addr_used *used, const struct addr_ip *ip)
{
	uint32_t at = runs_before(used, ip);
	struct addr_range *before = at > 0 ? &used->runs[at - 1] : NULL;
	struct addr_range *after = at < used->count ? &used->runs[at] : NULL;

	must(!before || !addr_range_has(before, ip));
	if (before && follows(ip, &before->last)) {
		before->last = *ip;
		if (after && follows(&after->first, ip)) {
			before->last = after->last;
			remove_run(used, at);
		}
	} else if (after && follows(&after->first, ip)) {
		after->first = *ip;
	} else {
		insert_run(used, at, ip);
	}
}

/* In the midst of a run it leaves two. */
static void
unmark(struct addr_used *used, const struct addr_ip *ip)
{
	uint32_t before = runs_before(used, ip);

	must(before > 0 && addr_range_has(&used->runs[before - 1], ip));
	struct addr_range *run = &used->runs[before - 1];
	struct addr_ip last = run->last;

	if (addr_ip_compare(&run->first, &last) == 0) {
		remove_run(used, before - 1);
	} else if (addr_ip_compare(&run->first, ip) == 0) {
		run->first.number++;
	} else if (addr_ip_compare(&last, ip) == 0) {
		run->last.number--;
	} else {
		struct addr_ip next = *ip;

		next.number++;
		run->last.number = ip->number - 1;
		insert_run(used, before, &next);
		used->runs[before].last = last;
	}
}

static bool
is_user(const struct addr_holder *holder, const struct addr_request *request)
{
	for (const struct addr_user *user = holder->users; user;
	     user = user->next)
		if (user->request == request)
			return true;
	return false;
}

void
addr_used_add(struct addr_used *used, const struct addr_ip *ip,
    const struct addr_request *request)
{
	struct key key = key_of(ip);
	struct addr_holder *holder = map_get(&used->holders, key_slice(&key));

	must(addr_used_rival(used, ip, request) == NULL);
	if (holder && is_user(holder, request))
		return;
	struct addr_user *user = arena_zero(used->arena, 1, sizeof(*user));
	user->request = request;
	if (holder) {
		user->next = holder->users;
		holder->users = user;
		return;
	}
	holder = arena_zero(used->arena, 1, sizeof(*holder));
	holder->ip = *ip;
	holder->users = user;
	map_put(
	    &used->holders, arena_copy(used->arena, key_slice(&key)), holder);
	mark(used, ip);
	if (request->share.length == 0)
		return;
	holder->next = map_get(&used->shares, request->share);
	map_put(&used->shares, request->share, holder);
}

static void
forget_share(struct addr_used *used, struct slice share,
    const struct addr_holder *holder)
{
	struct addr_holder *first = map_remove(&used->shares, share);
	struct addr_holder **place = &first;

	while (*place != holder)
		place = &(*place)->next;
	*place = holder->next;
	if (first)
		map_put(&used->shares, share, first);
}

void
addr_used_remove(struct addr_used *used, const struct addr_ip *ip,
    const struct addr_request *request)
{
	struct key key = key_of(ip);
	struct addr_holder *holder = map_get(&used->holders, key_slice(&key));

	must(holder != NULL);
	struct addr_user **place = &holder->users;

	while (*place && (*place)->request != request)
		place = &(*place)->next;
	must(*place != NULL);
	*place = (*place)->next;
	if (holder->users)
		return;
	(void)map_remove(&used->holders, key_slice(&key));
	unmark(used, ip);
	if (request->share.length > 0)
		forget_share(used, request->share, holder);
}

bool
addr_used_find_free(const struct addr_used *used,
    const struct addr_range *range, bool avoid_buggy, struct addr_ip *ip)
{
	*ip = range->first;
	for (;;) {
		uint32_t before = runs_before(used, ip);
		bool is_used =
		    before > 0 && addr_range_has(&used->runs[before - 1], ip);

		if (is_used)
			*ip = used->runs[before - 1].last;
		else if (!avoid_buggy || !addr_ip_is_buggy(ip))
			return true;
		/* The last of a range may be the last that there is. */
		if (addr_ip_compare(ip, &range->last) >= 0)
			return false;
		ip->number++;
	}
}
