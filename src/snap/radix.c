/* The radix tree's changes. Every function here takes a node and gives the one
 * that stands in its place: itself when nothing changed or when it was fresh,
 * else a copy, the old one then being in limbo. Depth is bounded by the key's
 * length, SNAP_RADIX_KEY_BYTES. */
#include "snap/radix_priv.h"

#include "core/memory.h"

#define NO_CHILD UINT32_MAX

static struct snap_radix *put_value(struct snap_limbo *limbo,
    struct snap_radix *node, struct slice key, enum snap_radix_place place,
    void *value);
static struct snap_radix *remove_value(struct snap_limbo *limbo,
    struct snap_radix *node, struct slice key, enum snap_radix_place place);

struct snap_radix *
snap_radix_put(struct snap_limbo *limbo, struct snap_radix *root,
    struct slice key, enum snap_radix_place place, void *value)
{
	must(key.length <= SNAP_RADIX_KEY_BYTES);
	return value ? put_value(limbo, root, key, place, value)
	             : remove_value(limbo, root, key, place);
}

void *
snap_radix_get(const struct snap_radix *root, struct slice key,
    enum snap_radix_place place)
{
	while (root) {
		struct slice label = snap_radix_label(root);

		if (!slice_starts_with(key, label))
			return NULL;
		key = slice_skip(key, label.length);
		if (key.length == 0)
			return root->values[place];
		root = snap_radix_child(root, (uint8_t)key.data[0]);
	}
	return NULL;
}

void
snap_radix_free(struct snap_radix *root, void (*free_value)(void *value))
{
	if (!root)
		return;
	for (unsigned i = 0; i < root->child_count; i++)
		snap_radix_free(root->children[i], free_value);
	for (unsigned i = 0; i < 2; i++)
		if (free_value && root->values[i])
			free_value(root->values[i]);
	memory_free(root);
}

/* A node with the label head + tail and the values and children of like, but
 * for the child number without, and with one child more, when that is given. */
static struct snap_radix *
build(struct snap_limbo *limbo, struct slice head, struct slice tail,
    const struct snap_radix *like, uint32_t without, struct snap_radix *more)
{
	unsigned old_count = like ? like->child_count : 0;
	unsigned count = old_count - (without != NO_CHILD) + (more != NULL);
	size_t length = head.length + tail.length;
	struct snap_radix *node = snap_limbo_new(limbo,
	    sizeof(*node) + count * (sizeof(node->children[0]) + 1) + length);
	unsigned to = 0;

	node->label_length = (uint16_t)length;
	node->child_count = (uint16_t)count;
	if (like)
		memcpy(node->values, like->values, sizeof(node->values));

	unsigned place = like && more
	    ? snap_radix_search(like, (uint8_t)snap_radix_label(more).data[0])
	    : 0;

	for (unsigned i = 0; i <= old_count; i++) {
		if (more && i == place)
			node->children[to++] = more;
		if (i < old_count && i != without)
			node->children[to++] = like->children[i];
	}

	char *bytes = (char *)&node->children[count];

	for (unsigned i = 0; i < count; i++)
		*bytes++ = snap_radix_label(node->children[i]).data[0];
	if (head.length > 0)
		memcpy(bytes, head.data, head.length);
	if (tail.length > 0)
		memcpy(bytes + head.length, tail.data, tail.length);
	return node;
}

static struct snap_radix *
writable(struct snap_limbo *limbo, struct snap_radix *node)
{
	if (snap_limbo_is_fresh(limbo, &node->block))
		return node;

	struct snap_radix *copy = build(
	    limbo, snap_radix_label(node), SLICE_NONE, node, NO_CHILD, NULL);

	snap_limbo_push(limbo, node);
	return copy;
}

static struct snap_radix *
with_value(struct snap_limbo *limbo, struct snap_radix *node,
    enum snap_radix_place place, void *value)
{
	if (node->values[place] != value) {
		node = writable(limbo, node);
		node->values[place] = value;
	}
	return node;
}

static struct snap_radix *
with_child(struct snap_limbo *limbo, struct snap_radix *node, unsigned at,
    struct snap_radix *child)
{
	if (node->children[at] != child) {
		node = writable(limbo, node);
		node->children[at] = child;
	}
	return node;
}

/* Two nodes for one: the first has length bytes of the label and one child. */
static struct snap_radix *
split(struct snap_limbo *limbo, struct snap_radix *node, size_t length)
{
	struct slice label = snap_radix_label(node);
	struct snap_radix *lower = build(
	    limbo, slice_skip(label, length), SLICE_NONE, node, NO_CHILD, NULL);
	struct snap_radix *upper = build(limbo, slice_make(label.data, length),
	    SLICE_NONE, NULL, NO_CHILD, lower);

	snap_limbo_push(limbo, node);
	return upper;
}

static size_t
common_length(struct slice a, struct slice b)
{
	size_t i = 0;

	while (i < a.length && i < b.length && a.data[i] == b.data[i])
		i++;
	return i;
}

static struct snap_radix *
put_value(struct snap_limbo *limbo, struct snap_radix *node, struct slice key,
    enum snap_radix_place place, void *value)
{
	if (!node) {
		node = build(limbo, key, SLICE_NONE, NULL, NO_CHILD, NULL);
		node->values[place] = value;
		return node;
	}

	size_t common = common_length(snap_radix_label(node), key);

	if (common < node->label_length)
		node = split(limbo, node, common);
	key = slice_skip(key, common);
	if (key.length == 0)
		return with_value(limbo, node, place, value);

	unsigned at = snap_radix_search(node, (uint8_t)key.data[0]);
	struct snap_radix *child = snap_radix_child(node, (uint8_t)key.data[0]);
	struct snap_radix *below = put_value(limbo, child, key, place, value);

	if (child)
		return with_child(limbo, node, at, below);

	struct snap_radix *wider = build(
	    limbo, snap_radix_label(node), SLICE_NONE, node, NO_CHILD, below);

	snap_limbo_push(limbo, node);
	return wider;
}

/* A node that says nothing goes; one that only leads to another becomes it. */
static struct snap_radix *
tidy(struct snap_limbo *limbo, struct snap_radix *node)
{
	struct snap_radix *merged = NULL;

	if (node->values[0] || node->values[1] || node->child_count > 1)
		return node;
	if (node->child_count == 1) {
		struct snap_radix *only = node->children[0];

		merged = build(limbo, snap_radix_label(node),
		    snap_radix_label(only), only, NO_CHILD, NULL);
		snap_limbo_push(limbo, only);
	}
	snap_limbo_push(limbo, node);
	return merged;
}

static struct snap_radix *
remove_value(struct snap_limbo *limbo, struct snap_radix *node,
    struct slice key, enum snap_radix_place place)
{
	if (!node || !slice_starts_with(key, snap_radix_label(node)))
		return node;
	key = slice_skip(key, node->label_length);
	if (key.length == 0)
		return tidy(limbo, with_value(limbo, node, place, NULL));

	unsigned at = snap_radix_search(node, (uint8_t)key.data[0]);
	struct snap_radix *child = snap_radix_child(node, (uint8_t)key.data[0]);

	if (!child)
		return node;

	struct snap_radix *below = remove_value(limbo, child, key, place);

	if (below)
		return with_child(limbo, node, at, below);

	struct snap_radix *narrower =
	    build(limbo, snap_radix_label(node), SLICE_NONE, node, at, NULL);

	snap_limbo_push(limbo, node);
	return tidy(limbo, narrower);
}
