/* Two Secrets with the same values show the same, and nobody learns which. */
#include "gw/redact.h"

#include "core/must.h"
#include "crypt/digest.h"
#include "wire/base64.h"

static bool
is(const struct tree_node *document, const char *key, const char *value)
{
	const struct tree_node *node = wire_tree_get(document, key);

	return node && slice_equal(node->text, slice_from_string(value));
}

void
gw_redact(struct tree_node *document, struct arena *arena)
{
	must(document != NULL && document->kind == TREE_MAP && arena != NULL);
	const struct tree_node *data = wire_tree_get(document, "data");
	struct text bytes, shown;

	if (!is(document, "kind", "Secret") ||
	    !is(document, "apiVersion", "v1") || !data)
		return;
	text_init(&bytes);
	text_init(&shown);
	for (struct tree_node *at = data->child; at; at = at->next) {
		uint8_t digest[CRYPT_SHA256_BYTES];

		text_reset(&bytes);
		text_reset(&shown);
		(void)wire_base64_take(&bytes, at->text);
		crypt_sha256(
		    &(struct slice){bytes.data, bytes.length}, 1, digest);
		text_push_string(&shown, "sha256:");
		for (size_t i = 0; i < sizeof(digest); i++)
			text_printf(&shown, "%02x", digest[i]);
		at->text = arena_copy(arena, text_slice(&shown));
	}
	text_fini(&shown);
	text_fini(&bytes);
}
