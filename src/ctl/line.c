/* A list for each length of rest, so that the first of each is the next. */
#include "ctl/line_priv.h"

static struct ctl_object_row *
first_of(const struct list *list)
{
	return container_of(list->next, struct ctl_object_row, due);
}

void
ctl_line_init(struct ctl_line *line)
{
	*line = (struct ctl_line){.turn = false};
	list_init(&line->due);
	list_init(&line->again);
	for (unsigned i = 0; i < CTL_RESTS; i++)
		list_init(&line->resting[i]);
}

void
ctl_line_add(struct ctl_line *line, struct ctl_object_row *row)
{
	if (list_is_empty(&row->due))
		list_insert(
		    row->refusals > 0 ? &line->again : &line->due, &row->due);
}

void
ctl_line_rest(
    struct ctl_line *line, struct ctl_object_row *row, uint64_t now_ms)
{
	if (row->refusals < CTL_RESTS)
		row->refusals++;
	ctl_line_wait(line, row, row->refusals - 1, now_ms);
}

void
ctl_line_wait(struct ctl_line *line, struct ctl_object_row *row, unsigned at,
    uint64_t now_ms)
{
	row->ready_ms = (uint32_t)now_ms + ctl_rest_ms(at);
	list_remove(&row->due);
	list_insert(&line->resting[at], &row->due);
}

void
ctl_line_forgive(struct ctl_object_row *row)
{
	row->refusals = 0;
	row->told = false;
}

/* Times are the clock's lower half: one that is further away than its rest is
 * long has passed long ago. */
static uint32_t
left_ms(unsigned at, const struct ctl_object_row *row, uint64_t now_ms)
{
	uint32_t left = row->ready_ms - (uint32_t)now_ms;

	return left <= ctl_rest_ms(at) ? left : 0;
}

uint64_t
ctl_line_wake(struct ctl_line *line, uint64_t now_ms)
{
	uint64_t next_ms = 0;

	for (unsigned i = 0; i < CTL_RESTS; i++) {
		struct list *resting = &line->resting[i];
		uint32_t left = 0;

		while (!list_is_empty(resting) && left == 0) {
			struct ctl_object_row *row = first_of(resting);

			left = left_ms(i, row, now_ms);
			if (left > 0)
				break;
			list_remove(&row->due);
			list_insert(&line->again, &row->due);
		}
		if (left > 0 && (next_ms == 0 || left < next_ms))
			next_ms = left;
	}
	return next_ms;
}

bool
ctl_line_is_empty(const struct ctl_line *line)
{
	return list_is_empty(&line->due) && list_is_empty(&line->again);
}

struct ctl_object_row *
ctl_line_take(struct ctl_line *line)
{
	if (ctl_line_is_empty(line))
		return NULL;
	bool again = list_is_empty(&line->due) ||
	    (line->turn && !list_is_empty(&line->again));
	struct ctl_object_row *row =
	    first_of(again ? &line->again : &line->due);

	line->turn = !again;
	list_remove(&row->due);
	return row;
}
