/* A persistent array of pointers by number: a tree 32 wide. A set holds it by
 * value; a change makes a new path (in a new set) and leaves the old one whole.
 */
#ifndef YUMEN_SNAP_ARRAY_PRIV_H
#define YUMEN_SNAP_ARRAY_PRIV_H

#include "snap/limbo_priv.h"

#define SNAP_ARRAY_BITS 5
#define SNAP_ARRAY_WIDTH (1u << SNAP_ARRAY_BITS)

struct snap_array_node {
	struct snap_limbo_block block;
	void *slots[SNAP_ARRAY_WIDTH]; /* nodes, or values at the bottom */
};

struct snap_array {
	struct snap_array_node *root; /* NULL: empty */
	uint32_t shift; /* of the root's part of a number */
};

/* value may be NULL; it stays the caller's. */
void snap_array_put(struct snap_limbo *limbo, struct snap_array *array,
    uint32_t index, void *value);
/* Frees the nodes, and each value by free_value when that is given. */
void snap_array_free(struct snap_array *array, void (*free_value)(void *value));

/* NULL when there is none. */
static inline void *
snap_array_get(const struct snap_array *array, uint32_t index)
{
	const struct snap_array_node *node = array->root;
	uint32_t shift = array->shift;

	if ((uint64_t)index >> shift >> SNAP_ARRAY_BITS)
		return NULL;
	for (; node && shift > 0; shift -= SNAP_ARRAY_BITS)
		node = node->slots[index >> shift & (SNAP_ARRAY_WIDTH - 1)];
	return node ? node->slots[index & (SNAP_ARRAY_WIDTH - 1)] : NULL;
}

#endif
