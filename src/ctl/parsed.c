/* From bytes to documents. */
#include "ctl/parsed.h"

#include "core/memory.h"
#include "core/must.h"
#include "gw/admit.h"

enum { TREE_BLOCK_BYTES = 65536, DOCUMENTS_MIN = 16 };

static bool
is_secret(const struct tree_node *root)
{
	const struct tree_node *kind = wire_tree_get(root, "kind");

	return kind && kind->kind == TREE_TEXT &&
	    slice_equal(kind->text, SLICE("Secret"));
}

static void
push_document(void *context, struct tree_node *root)
{
	struct ctl_parsed *parsed = context;

	if (parsed->count == parsed->room) {
		parsed->room =
		    parsed->room > 0 ? parsed->room * 2 : DOCUMENTS_MIN;
		parsed->documents = memory_resize(parsed->documents,
		    parsed->room, sizeof(*parsed->documents));
	}
	parsed->documents[parsed->count++] =
	    (struct ctl_document){root, wire_tree_hash(root)};
	if (root->kind == TREE_MAP && is_secret(root))
		parsed->is_secret = true;
}

static bool
on_document(void *context, struct tree_node *root)
{
	gw_admit_documents(root, push_document, context);
	return true;
}

void
ctl_parse(struct ctl_parsed *parsed, struct slice bytes)
{
	must(parsed != NULL);
	*parsed = (struct ctl_parsed){0};
	arena_init(&parsed->arena, TREE_BLOCK_BYTES);
	parsed->error = wire_tree_parse(
	    bytes, &parsed->arena, on_document, parsed, &parsed->fault);
}

void
ctl_parsed_fini(struct ctl_parsed *parsed)
{
	must(parsed != NULL);
	memory_free(parsed->documents);
	/* Of what is malformed, nobody knows what it was to be. */
	if (parsed->is_secret || parsed->error != ERROR_OK)
		arena_wipe(&parsed->arena);
	else
		arena_fini(&parsed->arena);
	*parsed = (struct ctl_parsed){0};
}
