/* Inside addr: the addresses that are given, as runs without a gap between
 * them, and who has each. Finding the lowest that is free is a search among the
 * runs, however large a pool is. */
#ifndef YUMEN_ADDR_USED_PRIV_H
#define YUMEN_ADDR_USED_PRIV_H

#include "addr/plan.h"
#include "core/map.h"

struct addr_user {
	const struct addr_request *request;
	struct addr_user *next;
};

/* Who has one address; in order of coming. */
struct addr_holder {
	struct addr_ip ip;
	struct addr_user *users;
	struct addr_holder *next; /* of the same sharing key */
};

struct addr_used {
	struct addr_range *runs; /* sorted, apart from each other */
	uint32_t count, room;
	struct map holders; /* by the bytes of the address */
	struct map shares; /* the first holder of a sharing key */
	struct arena *arena;
};

void addr_used_init(struct addr_used *used, struct arena *arena);
void addr_used_fini(struct addr_used *used);
/* NULL: request may have it; else a user that is in its way. */
const struct addr_request *addr_used_rival(const struct addr_used *used,
    const struct addr_ip *ip, const struct addr_request *request);
/* One that request has already: nothing more. */
void addr_used_add(struct addr_used *used, const struct addr_ip *ip,
    const struct addr_request *request);
/* One that request has. */
void addr_used_remove(struct addr_used *used, const struct addr_ip *ip,
    const struct addr_request *request);
/* The lowest of the range that nobody has. */
bool addr_used_find_free(const struct addr_used *used,
    const struct addr_range *range, bool avoid_buggy, struct addr_ip *ip);
/* The first address that has users of this key, to be walked by next; NULL: no
 * one has. */
const struct addr_holder *addr_used_shared(
    const struct addr_used *used, struct slice key);

#endif
