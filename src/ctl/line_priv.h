/* The line of rows whose status may have to be written. A row whose write was
 * refused rests, longer each time, and holds up no other. The clock is an
 * argument. */
#ifndef YUMEN_CTL_LINE_PRIV_H
#define YUMEN_CTL_LINE_PRIV_H

#include "ctl/cluster_priv.h"

/* Each twice as long as the one before: 200 ms to 51.2 s. */
enum { CTL_LINE_RESTS = 9 };

struct ctl_line {
	struct list due; /* ctl_object_row.due */
	struct list again; /* those whose write was refused, and that rested */
	/* By how often they were refused: each in the order of its time. */
	struct list resting[CTL_LINE_RESTS];
	bool turn; /* of those that were refused */
};

void ctl_line_init(struct ctl_line *line);
/* Nothing happens to a row that waits or rests already. */
void ctl_line_add(struct ctl_line *line, struct ctl_object_row *row);
/* Its write was refused. */
void ctl_line_rest(
    struct ctl_line *line, struct ctl_object_row *row, uint64_t now_ms);
/* It was not, or there is nothing to write. */
void ctl_line_forgive(struct ctl_object_row *row);
/* Those that have rested wait again. In how many milliseconds the next one
 * will; 0: none rests. */
uint64_t ctl_line_wake(struct ctl_line *line, uint64_t now_ms);
bool ctl_line_is_empty(const struct ctl_line *line);
/* The next one, out of the line, or NULL. Those that were refused and others
 * take turns. */
struct ctl_object_row *ctl_line_take(struct ctl_line *line);

#endif
