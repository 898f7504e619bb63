/* Timers: a hierarchical wheel of 6 levels of 64 slots; a slot of the lowest
 * level is one tick of 8 ms, one of the next level 64 of them, and so on.
 *
 * A timer stands in the level of the highest digit (base 64) in which its tick
 * differs from the wheel's, in the slot of that digit. So every timer of a
 * level is due before any of the level above, the next slot is the lowest bit
 * of the lowest occupied level, and a slot is looked at when its first tick
 * comes. What is then not due is placed anew, nearer. This is also how a
 * deadline that was moved later is found: moving it only stores it. */
#include "net/timer_priv.h"

#include <assert.h>

#include "core/must.h"
#include "net/loop_priv.h"

enum { TICK_BITS = 3 };
static_assert(1 << TICK_BITS == NET_TIMER_TICK_MS, "a tick is a power of 2");
static_assert(sizeof(struct net_timer) <= 40, "it is in every connection");

static void place(struct net_loop *, struct net_timer *);
static bool visit(struct net_loop *);
static void expire(struct net_loop *, struct list *);

void
net_timer_init(struct net_timer *timer, void (*on_expire)(struct net_timer *))
{
	must(on_expire);
	list_init(&timer->link);
	timer->deadline_ms = 0;
	timer->wheel_ms = UINT64_MAX;
	timer->on_expire = on_expire;
}

void
net_timer_set(struct net_loop *loop, struct net_timer *timer, uint64_t after_ms)
{
	must(after_ms <= NET_TIMER_MS_MAX);

	uint64_t deadline_ms = loop->now_ms + after_ms;
	timer->deadline_ms = deadline_ms;
	if (deadline_ms < timer->wheel_ms)
		place(loop, timer);
}

void
net_timer_clear(struct net_timer *timer)
{
	timer->deadline_ms = 0;
	timer->wheel_ms = UINT64_MAX;
	list_remove(&timer->link);
}

void
net_wheel_init(struct net_wheel *wheel, uint64_t now_ms)
{
	wheel->next_ms = UINT64_MAX;
	wheel->tick = now_ms >> TICK_BITS;
	for (unsigned level = 0; level < NET_WHEEL_LEVELS; level++) {
		wheel->occupied[level] = 0;
		for (unsigned slot = 0; slot < NET_WHEEL_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
	}
}

void
net_wheel_advance(struct net_loop *loop)
{
	while (visit(loop))
		;
	uint64_t now_tick = loop->now_ms >> TICK_BITS;
	if (now_tick > loop->wheel.tick)
		loop->wheel.tick = now_tick;
}

/* The tick is later than now, so that a timer which is set by an expiring one
 * never fires in the same turn, and none fires early. */
static void
place(struct net_loop *loop, struct net_timer *timer)
{
	struct net_wheel *wheel = &loop->wheel;
	if (loop->now_ms < wheel->next_ms)
		wheel->tick = loop->now_ms >> TICK_BITS;

	uint64_t tick = (timer->deadline_ms >> TICK_BITS) + 1;
	unsigned level = (63u - (unsigned)__builtin_clzll(tick ^ wheel->tick)) /
	    NET_WHEEL_SLOT_BITS;
	must(level < NET_WHEEL_LEVELS);
	unsigned shift = level * NET_WHEEL_SLOT_BITS;
	unsigned slot = (tick >> shift) & (NET_WHEEL_SLOTS - 1);
	timer->wheel_ms = tick >> shift << shift << TICK_BITS;

	list_remove(&timer->link);
	list_insert(&wheel->slots[level][slot], &timer->link);
	wheel->occupied[level] |= (uint64_t)1 << slot;
	if (timer->wheel_ms < wheel->next_ms)
		wheel->next_ms = timer->wheel_ms;
}

/* Look at the next slot if it is due. */
static bool
visit(struct net_loop *loop)
{
	struct net_wheel *wheel = &loop->wheel;
	unsigned level = 0;
	while (level < NET_WHEEL_LEVELS && !wheel->occupied[level])
		level++;
	if (level == NET_WHEEL_LEVELS) {
		wheel->next_ms = UINT64_MAX;
		return false;
	}

	unsigned slot = (unsigned)__builtin_ctzll(wheel->occupied[level]);
	unsigned shift = level * NET_WHEEL_SLOT_BITS;
	uint64_t turn = (uint64_t)1 << shift << NET_WHEEL_SLOT_BITS;
	uint64_t tick = (wheel->tick & ~(turn - 1)) | (uint64_t)slot << shift;
	must(tick > wheel->tick);
	wheel->next_ms = tick << TICK_BITS;
	if (wheel->next_ms > loop->now_ms)
		return false;

	wheel->tick = tick;
	wheel->occupied[level] &= ~((uint64_t)1 << slot);
	expire(loop, &wheel->slots[level][slot]);
	return true;
}

/* Nothing is placed into this slot meanwhile: its tick has come. A callback may
 * clear or set any timer, so take the first until none is left. */
static void
expire(struct net_loop *loop, struct list *slot)
{
	while (!list_is_empty(slot)) {
		struct net_timer *timer =
		    container_of(slot->next, struct net_timer, link);
		list_remove(&timer->link);
		timer->wheel_ms = UINT64_MAX;
		if (timer->deadline_ms > loop->now_ms) {
			place(loop, timer);
		} else if (timer->deadline_ms) {
			timer->deadline_ms = 0;
			timer->on_expire(timer);
		}
	}
}
