/* Hashes of trees. */
#include "core/hash.h"
#include "wire/tree.h"

/* As deep as the tree, which its parser bounds. */
static void
push_tree(struct hash *hash, const struct tree_node *node)
{
	hash_push_number(hash, (uint64_t)node->count << 8 | node->kind);
	hash_push(hash, node->key);
	hash_push(hash, node->text);
	for (const struct tree_node *at = node->child; at; at = at->next)
		push_tree(hash, at);
}

uint64_t
wire_tree_hash(const struct tree_node *node)
{
	struct hash hash;

	hash_init(&hash);
	push_tree(&hash, node);
	uint64_t taken = hash_take(&hash);

	return taken == 0 ? 1 : taken;
}
