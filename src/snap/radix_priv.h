/* A persistent radix tree from bytes to pointers: the one index of hosts (key
 * reversed) and of paths. A key has two places for a value: EXACT, found by
 * that key alone, and PREFIX, found by every key that goes on behind it at a
 * boundary
 * ('.' or '/'). One walk down a request's key yields them all, so what a
 * request costs is its own length, whatever the number of keys.
 *
 * Nodes are immutable to workers; a change copies the nodes of one path. A
 * value is its owner's: the tree never frees one. */
#ifndef YUMEN_SNAP_RADIX_PRIV_H
#define YUMEN_SNAP_RADIX_PRIV_H

#include "core/error.h"
#include "core/limit.h"
#include "core/must.h"
#include "core/slice.h"
#include "snap/limbo_priv.h"

#define SNAP_RADIX_KEY_BYTES LIMIT_VALUE_MATCH_PATH_BYTES
/* A value for each byte of the longest key, one before it, and an exact one. */
#define SNAP_RADIX_HITS (SNAP_RADIX_KEY_BYTES + 2)

enum snap_radix_place { SNAP_RADIX_EXACT, SNAP_RADIX_PREFIX };

/* Behind the children come the first bytes of their labels, in order, then this
 * node's own label. */
struct snap_radix {
	struct snap_limbo_block block;
	uint16_t label_length;
	uint16_t child_count;
	void *values[2]; /* by enum snap_radix_place */
	struct snap_radix *children[];
};

/* Set or, with a NULL value, remove. Returns the new root; NULL is the empty
 * tree. */
struct snap_radix *snap_radix_put(struct snap_limbo *limbo,
    struct snap_radix *root, struct slice key, enum snap_radix_place place,
    void *value) must_check;
void *snap_radix_get(const struct snap_radix *root, struct slice key,
    enum snap_radix_place place);
/* Frees all nodes, and each value by free_value when that is given. */
void snap_radix_free(struct snap_radix *root, void (*free_value)(void *value));

static inline const uint8_t *
snap_radix_firsts(const struct snap_radix *node)
{
	return (const uint8_t *)&node->children[node->child_count];
}

static inline struct slice
snap_radix_label(const struct snap_radix *node)
{
	return slice_make(
	    (const char *)snap_radix_firsts(node) + node->child_count,
	    node->label_length);
}

/* Where in the children the one that begins with byte is, or would go. */
static inline unsigned
snap_radix_search(const struct snap_radix *node, uint8_t byte)
{
	const uint8_t *firsts = snap_radix_firsts(node);
	unsigned low = 0, count = node->child_count;

	while (count > 0) {
		unsigned half = count / 2;
		bool right = firsts[low + half] < byte;

		low += right ? half + 1 : 0;
		count = right ? count - half - 1 : half;
	}
	return low;
}

static inline struct snap_radix *
snap_radix_child(const struct snap_radix *node, uint8_t byte)
{
	unsigned at = snap_radix_search(node, byte);

	return at < node->child_count && snap_radix_firsts(node)[at] == byte
	    ? node->children[at]
	    : NULL;
}

static inline bool
snap_radix_words_equal(const char *a, const char *b)
{
	uint64_t left, right;

	memcpy(&left, a, 8);
	memcpy(&right, b, 8);
	return left == right;
}

/* Labels are short: a call of memcmp would cost more than they do. The last
 * eight bytes overlap those before. */
static inline bool
snap_radix_bytes_equal(const char *a, const char *b, size_t length)
{
	if (length >= 8) {
		for (size_t at = 8; at < length; at += 8)
			if (!snap_radix_words_equal(a + at - 8, b + at - 8))
				return false;
		return snap_radix_words_equal(a + length - 8, b + length - 8);
	}
	for (size_t i = 0; i < length; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* The child that goes on as key does at *at, or NULL; *at is then behind it. */
static inline const struct snap_radix *
snap_radix_step(const struct snap_radix *node, struct slice key, size_t *at)
{
	const struct snap_radix *child =
	    snap_radix_child(node, (uint8_t)key.data[*at]);
	struct slice label;

	if (!child)
		return NULL;
	/* The first byte is what it was found by. */
	label = snap_radix_label(child);
	if (label.length > 1 &&
	    (label.length > key.length - *at ||
	        !snap_radix_bytes_equal(
	            label.data + 1, key.data + *at + 1, label.length - 1)))
		return NULL;
	*at += label.length;
	return child;
}

/* The values that key finds, the most specific last: PREFIX of the empty key,
 * then each PREFIX behind which key goes on with boundary (or ends, if
 * ends_count), then EXACT. hits has room for SNAP_RADIX_HITS, or for one more
 * than the longest key in the tree has boundaries, and an exact one. */
static inline __attribute__((always_inline)) unsigned
snap_radix_walk(const struct snap_radix *node, struct slice key, char boundary,
    bool ends_count, const void **hits)
{
	unsigned count = 0;
	size_t at;

	if (!node || node->label_length > key.length ||
	    !snap_radix_bytes_equal(
	        snap_radix_label(node).data, key.data, node->label_length))
		return 0;
	at = node->label_length;
	if (at == 0) {
		hits[0] = node->values[SNAP_RADIX_PREFIX];
		count = hits[0] != NULL;
		if (key.length > 0)
			node = snap_radix_step(node, key, &at);
	}
	while (at < key.length && node) {
		if (node->values[SNAP_RADIX_PREFIX] && key.data[at] == boundary)
			hits[count++] = node->values[SNAP_RADIX_PREFIX];
		node = snap_radix_step(node, key, &at);
	}
	if (node && node->values[SNAP_RADIX_PREFIX] && ends_count && at > 0)
		hits[count++] = node->values[SNAP_RADIX_PREFIX];
	if (node && node->values[SNAP_RADIX_EXACT])
		hits[count++] = node->values[SNAP_RADIX_EXACT];
	return count;
}

#endif
