/* An address on a link and what it says to what it hears, for tests of it. */
#ifndef YUMEN_TEST_ANNOUNCE_HOLD_SETUP_H
#define YUMEN_TEST_ANNOUNCE_HOLD_SETUP_H

#include "announce/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/limit.h"

extern const uint8_t ip4[WIRE_IP_BYTES], ip6[WIRE_IP_BYTES];
extern const uint8_t other4[WIRE_IP_BYTES], nobody[WIRE_IP_BYTES];
extern const uint8_t us[WIRE_HARDWARE_BYTES];
extern const uint8_t them[WIRE_HARDWARE_BYTES];

/* The longest that an address which nobody has takes to be held. */
#define HELD_MS \
	((uint64_t)LIMIT_VALUE_ANNOUNCE_PROBE_FIRST_MS + \
	    LIMIT_VALUE_ANNOUNCE_PROBE_MS * LIMIT_VALUE_ANNOUNCE_PROBES)

/* And until it has been announced so often as it is at first. */
#define ANNOUNCED_MS 2400

struct setup {
	struct announce_hold hold;
	struct random random;
	struct announce_budget budget;
	struct announce_output out;
	uint64_t now_ms;
	unsigned probes, asks, tells; /* that went out since the last look */
};

/* Counts what it has just said. */
void count(struct setup *s);
void forget(struct setup *s);
/* probe: nothing of ours is known to have had it. */
void start(struct setup *s, const uint8_t *ip, bool probe);
void run_until(struct setup *s, uint64_t until_ms);
/* From them; a peer or another machine. */
void hear_from(struct setup *s, bool is_peer, struct wire_neighbour message);
void hear(struct setup *s, struct wire_neighbour message);
/* subject and other: as in struct wire_neighbour. */
struct wire_neighbour message(
    bool is_tell, const uint8_t *subject, const uint8_t *other);

#endif
