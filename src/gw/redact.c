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

/* base64 to "sha256:..." in arena; bytes is scratch, and keeps nothing. */
static struct slice
shown(struct slice value, struct text *bytes, struct arena *arena)
{
	uint8_t digest[CRYPT_SHA256_BYTES];
	struct text text;

	text_reset(bytes);
	(void)wire_base64_take(bytes, value);
	crypt_sha256(&(struct slice){bytes->data, bytes->length}, 1, digest);
	if (bytes->data)
		memory_wipe(bytes->data, bytes->length);
	text_init(&text);
	text_push_string(&text, "sha256:");
	for (size_t i = 0; i < sizeof(digest); i++)
		text_printf(&text, "%02x", digest[i]);
	struct slice copy = arena_copy(arena, text_slice(&text));

	text_fini(&text);
	return copy;
}

void
gw_redact(struct tree_node *document, struct arena *arena)
{
	must(document != NULL && document->kind == TREE_MAP && arena != NULL);
	const struct tree_node *data = wire_tree_get(document, "data");
	struct text bytes;

	if (!is(document, "kind", "Secret") ||
	    !is(document, "apiVersion", "v1") || !data)
		return;
	text_init(&bytes);
	for (struct tree_node *at = data->child; at; at = at->next)
		at->text = shown(at->text, &bytes, arena);
	text_fini(&bytes);
}

const void *
gw_redact_record(const struct gw_object *object, struct arena *arena)
{
	must(object != NULL && arena != NULL);
	if (object->kind != GW_SECRET)
		return object->record;
	struct gw_secret *copy = arena_alloc(arena, sizeof(*copy));
	struct text bytes;

	*copy = *object->secret;
	copy->data =
	    arena_zero(arena, copy->data_count + 1, sizeof(*copy->data));
	text_init(&bytes);
	for (uint32_t i = 0; i < copy->data_count; i++)
		copy->data[i] =
		    (struct record_pair){.key = object->secret->data[i].key,
		        .value = shown(
		            object->secret->data[i].value, &bytes, arena)};
	text_fini(&bytes);
	return copy;
}
