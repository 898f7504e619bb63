/* How long what is written to the API rests before it is written once more:
 * after a failure, and where another undoes it. Two writers that do not agree
 * would write without end, as fast as they can. The clock is an argument. */
#ifndef YUMEN_CTL_REST_PRIV_H
#define YUMEN_CTL_REST_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/* Each rest is twice as long as the one before: 200 ms to 51.2 s. */
enum { CTL_RESTS = 9 };
/* at: below CTL_RESTS. */
uint32_t ctl_rest_ms(unsigned at);

/* What was written last, and how often the same had to be written again. Zeroed
 * at first. */
struct ctl_undone {
	uint64_t hash; /* of what was written; 0: nothing was */
	uint32_t written_ms; /* the lower half of the clock */
	uint8_t times; /* below CTL_RESTS */
};
/* This is to be written, for what is there is another. 0: now; else it was
 * written before, and undone: in so many milliseconds. */
uint32_t ctl_undone_wait_ms(
    const struct ctl_undone *undone, uint64_t hash, uint64_t now_ms);
/* It was written. True: it was undone so often that somebody is to be told; not
 * said again before it has stayed for a while. */
bool ctl_undone_note(struct ctl_undone *undone, uint64_t hash, uint64_t now_ms);

#endif
