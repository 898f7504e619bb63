/* Dense numbers. One that fell free is given out again only after every worker
 * has passed a quiet point since. Control thread only. */
#ifndef YUMEN_SNAP_NUMBERS_H
#define YUMEN_SNAP_NUMBERS_H

#include <stdint.h>

struct snap_number_freed {
	uint64_t epoch;
	uint32_t number;
};

struct snap_numbers {
	/* [waiting_first, waiting_end): those that workers may still know,
	 * oldest first */
	struct snap_number_freed *waiting;
	uint32_t waiting_first, waiting_end, waiting_room;
	uint32_t *free; /* the last is given out next */
	uint32_t free_count, free_room;
	uint32_t limit; /* all numbers are below */
	uint64_t epoch; /* of what falls free next */
};

/* Of one that is all zeros. */
void snap_numbers_fini(struct snap_numbers *numbers);
uint32_t snap_numbers_take(struct snap_numbers *numbers);
void snap_numbers_give(struct snap_numbers *numbers, uint32_t number);
/* epoch never goes back. */
void snap_numbers_epoch(struct snap_numbers *numbers, uint64_t epoch);
/* All workers have passed a quiet point: what fell free before epoch is free.
 */
void snap_numbers_reclaim(struct snap_numbers *numbers, uint64_t epoch);

#endif
