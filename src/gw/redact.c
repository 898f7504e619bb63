/* Two Secrets with the same values show the same, and nobody learns which. */
#include "gw/redact.h"

#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "wire/base64.h"

static bool
is(const struct tree_node *document, const char *key, const char *value)
{
	const struct tree_node *node = wire_tree_get(document, key);

	return node && slice_equal(node->text, slice_from_string(value));
}

static void
hide(struct tree_node *node, struct slice bytes, struct arena *arena)
{
	uint8_t digest[CRYPT_SHA256_BYTES];
	struct text shown;

	crypt_sha256(&bytes, 1, digest);
	text_init(&shown);
	text_push_string(&shown, "sha256:");
	for (size_t i = 0; i < sizeof(digest); i++)
		text_printf(&shown, "%02x", digest[i]);
	node->text = arena_copy(arena, text_slice(&shown));
	text_fini(&shown);
}

/* kubectl apply writes the whole Secret into an annotation. */
static void
hide_annotation(const struct tree_node *document, struct arena *arena)
{
	const struct tree_node *metadata = wire_tree_get(document, "metadata");
	const struct tree_node *annotations =
	    metadata ? wire_tree_get(metadata, "annotations") : NULL;
	struct tree_node *applied = annotations
	    ? wire_tree_get(annotations,
	          "kubectl.kubernetes.io/last-applied-configuration")
	    : NULL;

	if (applied)
		hide(applied, applied->text, arena);
}

bool
gw_redact(struct tree_node *document, struct arena *arena)
{
	must(document != NULL && document->kind == TREE_MAP && arena != NULL);
	const struct tree_node *data = wire_tree_get(document, "data");
	struct text bytes;

	if (!is(document, "kind", "Secret") ||
	    !is(document, "apiVersion", "v1"))
		return false;
	hide_annotation(document, arena);
	text_init(&bytes);
	for (struct tree_node *at = data ? data->child : NULL; at;
	     at = at->next) {
		text_reset(&bytes);
		(void)wire_base64_take(&bytes, at->text);
		hide(at, text_slice(&bytes), arena);
	}
	text_wipe(&bytes);
	return true;
}
