/* The wheel that holds a loop's timers. */
#ifndef YUMEN_NET_TIMER_PRIV_H
#define YUMEN_NET_TIMER_PRIV_H

#include "net/loop.h"

enum {
	NET_WHEEL_LEVELS = 6,
	NET_WHEEL_SLOT_BITS = 6,
	NET_WHEEL_SLOTS = 1 << NET_WHEEL_SLOT_BITS,
};

struct net_wheel {
	uint64_t next_ms; /* no slot is due before; UINT64_MAX: none is */
	uint64_t tick; /* every slot up to here was looked at */
	uint64_t occupied[NET_WHEEL_LEVELS]; /* a bit a slot; may be stale */
	struct list slots[NET_WHEEL_LEVELS][NET_WHEEL_SLOTS];
};

void net_wheel_init(struct net_wheel *wheel, uint64_t now_ms);
/* Fire what is due; when loop->now_ms >= next_ms. */
void net_wheel_advance(struct net_loop *loop);

#endif
