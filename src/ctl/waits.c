/* One wait a Gateway; it owns their names and texts. */
#include "ctl/waits.h"

#include "core/memory.h"
#include "core/must.h"

#define NAME_BYTES 512 /* of a namespace and a name, and a slash */

void
ctl_waits_init(struct ctl_waits *waits)
{
	map_init(&waits->by_gateway);
}

static void
free_wait(struct ctl_wait *wait)
{
	must(list_is_empty(&wait->waiting) && list_is_empty(&wait->late));
	memory_free((char *)(uintptr_t)wait->why.data);
	memory_free(wait);
}

void
ctl_waits_fini(struct ctl_waits *waits)
{
	struct ctl_wait *wait;

	for (size_t at = 0; (wait = ctl_waits_next(waits, &at)) != NULL;)
		free_wait(wait);
	map_fini(&waits->by_gateway);
}

static void
set_why(struct ctl_wait *wait, struct slice why)
{
	char *copy = memory_alloc(why.length + 1);

	memory_free((char *)(uintptr_t)wait->why.data);
	if (why.length > 0)
		memcpy(copy, why.data, why.length);
	wait->why = slice_make(copy, why.length);
}

struct ctl_wait *
ctl_waits_begin(struct ctl_waits *waits, struct slice gateway, uint64_t offer,
    struct slice why)
{
	struct ctl_wait *wait = ctl_waits_get(waits, gateway);

	if (wait == NULL) {
		must(gateway.length > 0 && gateway.length <= UINT32_MAX);
		wait = memory_zero(1, sizeof(*wait) + gateway.length);
		list_init(&wait->waiting);
		list_init(&wait->late);
		wait->served = offer > 0 ? offer - 1 : 0;
		wait->name_length = (uint32_t)gateway.length;
		memcpy(wait->name, gateway.data, gateway.length);
		map_put(&waits->by_gateway,
		    slice_make(wait->name, wait->name_length), wait);
	}
	if (offer > wait->wanted)
		wait->wanted = offer;
	set_why(wait, why);
	return wait;
}

struct ctl_wait *
ctl_waits_get(const struct ctl_waits *waits, struct slice gateway)
{
	return map_get(&waits->by_gateway, gateway);
}

void
ctl_waits_end(struct ctl_waits *waits, struct ctl_wait *wait)
{
	map_remove(
	    &waits->by_gateway, slice_make(wait->name, wait->name_length));
	free_wait(wait);
}

/* What a hold goes by, which is no Gateway's name. */
static struct slice
held_name(struct slice gateway, char bytes[NAME_BYTES])
{
	must(gateway.length > 0 && gateway.length < NAME_BYTES);
	memcpy(bytes, gateway.data, gateway.length);
	bytes[gateway.length] = '/';
	return slice_make(bytes, gateway.length + 1);
}

void
ctl_waits_hold(struct ctl_waits *waits, struct slice gateway, struct slice why)
{
	char bytes[NAME_BYTES];
	struct slice name = held_name(gateway, bytes);

	if (ctl_waits_get(waits, name) == NULL)
		ctl_waits_begin(waits, name, 0, why);
}

struct ctl_wait *
ctl_waits_held(const struct ctl_waits *waits, struct slice gateway)
{
	char bytes[NAME_BYTES];

	return ctl_waits_get(waits, held_name(gateway, bytes));
}

struct ctl_wait *
ctl_waits_next(const struct ctl_waits *waits, size_t *at)
{
	struct slice name;
	void *value;

	return map_next(&waits->by_gateway, at, &name, &value) ? value : NULL;
}

static struct ctl_wait *
blocks(const struct ctl_waits *waits, struct slice gateway, uint64_t offer)
{
	struct ctl_wait *wait = ctl_waits_get(waits, gateway);

	return wait != NULL && offer > wait->served ? wait : NULL;
}

static struct ctl_wait *
gateway_blocks(
    const struct ctl_waits *waits, struct slice gateway, uint64_t offer)
{
	char bytes[NAME_BYTES];
	struct ctl_wait *wait = blocks(waits, gateway, offer);

	return wait != NULL ? wait
	                    : blocks(waits, held_name(gateway, bytes), offer);
}

/* A parent that is a ListenerSet is told of by its own status. */
static struct ctl_wait *
parent_blocks(const struct ctl_waits *waits,
    const struct gw_status_parent *parent, uint64_t offer)
{
	char bytes[NAME_BYTES];
	size_t length = parent->namespace.length;

	if (parent->kind.length > 0 &&
	    !slice_equal(parent->kind, SLICE("Gateway")))
		return NULL;
	if (length + 1 + parent->name.length > sizeof(bytes))
		return NULL;
	if (length > 0)
		memcpy(bytes, parent->namespace.data, length);
	bytes[length++] = '/';
	if (parent->name.length > 0)
		memcpy(bytes + length, parent->name.data, parent->name.length);
	return blocks(
	    waits, slice_make(bytes, length + parent->name.length), offer);
}

struct ctl_wait *
ctl_waits_for(const struct ctl_waits *waits, enum gw_kind kind,
    struct slice gateway, const void *status, uint64_t offer)
{
	if (waits->by_gateway.count == 0 || status == NULL)
		return NULL;
	if (kind == GW_GATEWAY)
		return gateway_blocks(waits, gateway, offer);
	if (kind == GW_LISTENERSET)
		return blocks(waits, gateway, offer);
	if (gw_status_type(kind) != &gw_route_status_type)
		return NULL;
	const struct gw_route_status *route = status;

	for (uint32_t i = 0; i < route->parents_count; i++) {
		const struct gw_status_parent *parent =
		    route->parents[i].parent_ref;
		struct ctl_wait *wait =
		    parent != NULL ? parent_blocks(waits, parent, offer) : NULL;

		if (wait != NULL)
			return wait;
	}
	return NULL;
}
