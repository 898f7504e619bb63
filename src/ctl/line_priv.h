/* The line of rows whose status may have to be written. A row whose write was
 * refused, or undone by another, rests, longer each time, and holds up no
 * other. The clock is an argument. */
#ifndef YUMEN_CTL_LINE_PRIV_H
#define YUMEN_CTL_LINE_PRIV_H

#include "ctl/cluster_priv.h"
#include "ctl/rest_priv.h"

struct ctl_line {
	struct list due; /* ctl_object_row.due */
	struct list again; /* those that have rested */
	/* By how long they rest: each in the order of its time. */
	struct list resting[CTL_RESTS];
	bool turn; /* of those that have rested */
};

void ctl_line_init(struct ctl_line *line);
/* Nothing happens to a row that waits or rests already. */
void ctl_line_add(struct ctl_line *line, struct ctl_object_row *row);
/* Its write was refused. */
void ctl_line_rest(
    struct ctl_line *line, struct ctl_object_row *row, uint64_t now_ms);
/* It is written once it has rested so long: ctl_rest_ms. */
void ctl_line_wait(struct ctl_line *line, struct ctl_object_row *row,
    unsigned at, uint64_t now_ms);
/* It was not refused, or there is nothing to write. */
void ctl_line_forgive(struct ctl_object_row *row);
/* Those that have rested wait again. In how many milliseconds the next one
 * will; 0: none rests. */
uint64_t ctl_line_wake(struct ctl_line *line, uint64_t now_ms);
bool ctl_line_is_empty(const struct ctl_line *line);
/* The next one, out of the line, or NULL. Those that have rested and others
 * take turns. */
struct ctl_object_row *ctl_line_take(struct ctl_line *line);

#endif
