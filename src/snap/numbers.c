/* The numbers: a queue of those that wait, and a stack of those that are free.
 * Neither takes room where nothing falls free. */
#include "snap/numbers.h"

#include <string.h>

#include "core/memory.h"
#include "core/must.h"

enum { ROOM_MIN = 16 };

void
snap_numbers_fini(struct snap_numbers *numbers)
{
	memory_free(numbers->waiting);
	memory_free(numbers->free);
	*numbers = (struct snap_numbers){0};
}

uint32_t
snap_numbers_take(struct snap_numbers *numbers)
{
	if (numbers->free_count > 0)
		return numbers->free[--numbers->free_count];
	must(numbers->limit < UINT32_MAX / 4);
	return numbers->limit++;
}

/* At the end, after those that are gone from the front. */
static void
make_room(struct snap_numbers *numbers)
{
	uint32_t count = numbers->waiting_end - numbers->waiting_first;

	if (count > 0 && numbers->waiting_first > 0)
		memmove(numbers->waiting,
		    numbers->waiting + numbers->waiting_first,
		    count * sizeof(*numbers->waiting));
	numbers->waiting_first = 0;
	numbers->waiting_end = count;
	if (count < numbers->waiting_room / 2)
		return;
	numbers->waiting_room =
	    numbers->waiting_room ? numbers->waiting_room * 2 : ROOM_MIN;
	numbers->waiting = memory_resize(
	    numbers->waiting, numbers->waiting_room, sizeof(*numbers->waiting));
}

void
snap_numbers_give(struct snap_numbers *numbers, uint32_t number)
{
	must(number < numbers->limit);
	if (numbers->waiting_end == numbers->waiting_room)
		make_room(numbers);
	numbers->waiting[numbers->waiting_end++] = (struct snap_number_freed){
	    .epoch = numbers->epoch, .number = number};
}

void
snap_numbers_epoch(struct snap_numbers *numbers, uint64_t epoch)
{
	must(epoch >= numbers->epoch);
	numbers->epoch = epoch;
}

static void
push_free(struct snap_numbers *numbers, uint32_t number)
{
	if (numbers->free_count == numbers->free_room) {
		numbers->free_room =
		    numbers->free_room ? numbers->free_room * 2 : ROOM_MIN;
		numbers->free = memory_resize(
		    numbers->free, numbers->free_room, sizeof(*numbers->free));
	}
	numbers->free[numbers->free_count++] = number;
}

void
snap_numbers_reclaim(struct snap_numbers *numbers, uint64_t epoch)
{
	while (numbers->waiting_first < numbers->waiting_end &&
	    numbers->waiting[numbers->waiting_first].epoch < epoch)
		push_free(
		    numbers, numbers->waiting[numbers->waiting_first++].number);
	if (numbers->waiting_first == numbers->waiting_end)
		numbers->waiting_first = numbers->waiting_end = 0;
}
