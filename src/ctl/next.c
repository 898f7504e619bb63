/* Blocks of those that wait; all go when none is in use. */
#include "ctl/next_priv.h"

#include "core/memory.h"
#include "core/must.h"

enum { BLOCK_COUNT = 512 };
struct ctl_next_block {
	struct ctl_next_block *next;
	struct ctl_next items[BLOCK_COUNT];
};

void
ctl_nexts_init(struct ctl_nexts *nexts)
{
	*nexts = (struct ctl_nexts){.count = 0};
	list_init(&nexts->free);
}

static void
free_blocks(struct ctl_nexts *nexts)
{
	while (nexts->blocks != NULL) {
		struct ctl_next_block *block = nexts->blocks;

		nexts->blocks = block->next;
		memory_free(block);
	}
	list_init(&nexts->free);
}

void
ctl_nexts_fini(struct ctl_nexts *nexts)
{
	must(nexts->count == 0);
	free_blocks(nexts);
}

static void
add_block(struct ctl_nexts *nexts)
{
	struct ctl_next_block *block = memory_zero(1, sizeof(*block));

	block->next = nexts->blocks;
	nexts->blocks = block;
	for (unsigned i = 0; i < BLOCK_COUNT; i++)
		list_insert(&nexts->free, &block->items[i].waiting);
}

struct ctl_next *
ctl_nexts_take(struct ctl_nexts *nexts)
{
	if (list_is_empty(&nexts->free))
		add_block(nexts);
	struct ctl_next *next =
	    container_of(nexts->free.next, struct ctl_next, waiting);

	list_remove(&next->waiting);
	*next = (struct ctl_next){.offer = 0};
	list_init(&next->waiting);
	nexts->count++;
	return next;
}

void
ctl_nexts_give(struct ctl_nexts *nexts, struct ctl_next *next)
{
	must(next->status == NULL);
	list_remove(&next->waiting);
	memory_free(next->gateway);
	memory_free(next->object);
	list_insert(&nexts->free, &next->waiting);
	if (--nexts->count == 0)
		free_blocks(nexts);
}
