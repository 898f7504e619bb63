/* Clocks. Pure code takes times as arguments; only shells read these. */
#ifndef YUMEN_CORE_CLOCK_H
#define YUMEN_CORE_CLOCK_H

#include <stdint.h>
#include "core/slice.h"

/* Monotonic, from an arbitrary start. */
uint64_t clock_monotonic_ns(void);
uint64_t clock_monotonic_ms(void);
/* Since 1970 UTC. */
int64_t clock_wall_ms(void);
/* RFC 3339 with milliseconds, "2026-11-24T04:05:06.789Z" (24 bytes). */
#define CLOCK_RFC3339_BYTES 24
void clock_format(int64_t wall_ms, char out[CLOCK_RFC3339_BYTES + 1]);
/* Seconds since 1970 of an RFC 3339 time as Kubernetes writes it
 * ("2026-11-24T04:05:06Z", fraction and offset allowed); else false. */
bool clock_parse(struct slice text, int64_t *seconds);

#endif
