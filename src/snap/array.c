/* The persistent array: paths are copied unless they are fresh. Empty nodes
 * stay: numbers are dense and come again. */
#include "snap/array_priv.h"

#include <string.h>

#include "core/memory.h"

/* The node that *at points to, made so that it may be written. */
static struct snap_array_node *
writable(struct snap_limbo *limbo, void **at)
{
	struct snap_array_node *old = *at;

	if (old && snap_limbo_is_fresh(limbo, &old->block))
		return old;

	struct snap_array_node *node = snap_limbo_new(limbo, sizeof(*node));

	if (old)
		memcpy(node->slots, old->slots, sizeof(node->slots));
	snap_limbo_push(limbo, old);
	*at = node;
	return node;
}

void
snap_array_put(struct snap_limbo *limbo, struct snap_array *array,
    uint32_t index, void *value)
{
	while ((uint64_t)index >> array->shift >> SNAP_ARRAY_BITS) {
		if (array->root) {
			struct snap_array_node *top =
			    snap_limbo_new(limbo, sizeof(*top));

			top->slots[0] = array->root;
			array->root = top;
		}
		array->shift += SNAP_ARRAY_BITS;
	}

	void *root = array->root;
	void **at = &root;

	for (uint32_t shift = array->shift;; shift -= SNAP_ARRAY_BITS) {
		struct snap_array_node *node = writable(limbo, at);

		at = &node->slots[index >> shift & (SNAP_ARRAY_WIDTH - 1)];
		if (shift == 0)
			break;
	}
	*at = value;
	array->root = root;
}

/* As deep as a number has parts: seven at most. */
static void
free_node(struct snap_array_node *node, uint32_t shift,
    void (*free_value)(void *value))
{
	if (!node)
		return;
	for (unsigned i = 0; i < SNAP_ARRAY_WIDTH; i++) {
		if (shift > 0)
			free_node(node->slots[i], shift - SNAP_ARRAY_BITS,
			    free_value);
		else if (free_value && node->slots[i])
			free_value(node->slots[i]);
	}
	memory_free(node);
}

void
snap_array_free(struct snap_array *array, void (*free_value)(void *value))
{
	free_node(array->root, array->shift, free_value);
	*array = (struct snap_array){0};
}
