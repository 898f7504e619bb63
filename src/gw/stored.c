/* An object whose record says all of it is written from that; of the others the
 * document is kept, as JSON, which costs them alone. */
#include "gw/stored.h"

#include "core/memory.h"
#include "core/must.h"
#include "wire/record_tree.h"
#include "wire/tree_json.h"

/* ---- the document ---- */

static bool
is_version_of(const struct gw_kind_row *row, struct slice version)
{
	struct slice rest = slice_from_string(row->versions), one;

	while (slice_cut(&rest, '|', &one))
		if (slice_equal(one, version))
			return true;
	return false;
}

/* As the cluster's people get it: in the version that is preferred, unless it
 * is one that differs by more than its name. */
static void
push_version(struct text *out, const struct gw_kind_row *row,
    const struct tree_node *document)
{
	struct slice written = wire_tree_get(document, "apiVersion")->text;
	struct slice version = written;
	size_t slash = slice_find(written, '/');

	if (slash < written.length)
		version = slice_skip(written, slash + 1);
	if (is_version_of(row, version)) {
		version = slice_from_string(row->versions);
		version.length = slice_find(version, '|');
	}
	text_printf(out, "{\"apiVersion\":\"%s%s%.*s\",\"kind\":\"%s\"",
	    row->group, row->group[0] ? "/" : "", SLICE_ARGS(version),
	    row->kind);
}

/* Without the brace at its end, and with the namespace that is meant. */
static void
push_metadata(struct text *out, const struct gw_object *object,
    const struct tree_node *metadata)
{
	wire_tree_json(out, metadata);
	out->length--;
	if (gw_kinds[object->kind].namespaced &&
	    object->metadata->namespace.length == 0)
		text_printf(out, ",\"namespace\":\"%.*s\"",
		    SLICE_ARGS(object->namespace));
}

void
gw_stored_keep(struct gw_object *object, const struct tree_node *document)
{
	must(object != NULL && document != NULL);
	static const struct slice known[] = {SLICE("apiVersion"), SLICE("kind"),
	    SLICE("metadata"), SLICE("status")};
	struct text out;
	size_t metadata;

	text_init(&out);
	push_version(&out, &gw_kinds[object->kind], document);
	text_push_string(&out, ",\"metadata\":");
	push_metadata(&out, object, wire_tree_get(document, "metadata"));
	metadata = out.length;
	text_push_byte(&out, '}');
	for (const struct tree_node *at = document->child; at; at = at->next) {
		bool is_known = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known |= slice_equal(at->key, known[i]);
		if (is_known)
			continue;
		text_push_byte(&out, ',');
		text_push_json(&out, at->key);
		text_push_byte(&out, ':');
		wire_tree_json(&out, at);
	}
	text_push_byte(&out, '}');
	must(out.length <= UINT32_MAX && object->stored == NULL);
	object->stored = memory_alloc(sizeof(*object->stored) + out.length);
	object->stored->length = (uint32_t)out.length;
	object->stored->metadata = (uint32_t)metadata;
	memcpy(object->stored->text, out.data, out.length);
	text_fini(&out);
}

void
gw_stored_drop(struct gw_object *object)
{
	must(object != NULL);
	memory_free(object->stored);
	object->stored = NULL;
}

struct slice
gw_stored_rest(const struct gw_stored *stored)
{
	must(stored != NULL);
	return slice_make(
	    stored->text + stored->metadata, stored->length - stored->metadata);
}

/* ---- the record ---- */

/* "group/version", or "version" of the core group. */
static struct slice
api_version(const struct gw_kind_row *row, struct arena *arena)
{
	struct slice versions = slice_from_string(row->versions), first;
	bool some = slice_cut(&versions, '|', &first);

	must(some);
	if (row->group[0] == '\0')
		return first;
	return arena_format(arena, "%s/%.*s", row->group, SLICE_ARGS(first));
}

/* Kubernetes' own kinds of the core group count no generations. */
static bool
has_generation(const struct gw_object *object)
{
	return gw_kinds[object->kind].group[0] != '\0';
}

static struct gw_metadata *
full_metadata(const struct gw_object *object, struct arena *arena)
{
	struct gw_metadata *metadata = arena_alloc(arena, sizeof(*metadata));

	*metadata = *object->metadata;
	if (has_generation(object))
		metadata->generation = object->generation;
	if (gw_kinds[object->kind].namespaced)
		metadata->namespace = object->namespace;
	return metadata;
}

/* A shallow copy of the object's record, filled in. */
static const void *
full_record(const struct gw_object *object, struct arena *arena)
{
	const struct gw_kind_row *row = &gw_kinds[object->kind];
	char *record = arena_alloc(arena, row->type->size);

	memcpy(record, object->record, row->type->size);
	for (uint32_t i = 0; i < row->type->count; i++) {
		const struct record_field *field = &row->type->fields[i];
		void *slot = record + field->offset;

		if (strcmp(field->name, "apiVersion") == 0)
			*(struct slice *)slot = api_version(row, arena);
		else if (strcmp(field->name, "kind") == 0)
			*(struct slice *)slot = slice_from_string(row->kind);
		else if (field->sub == &gw_metadata_type)
			*(struct gw_metadata **)slot =
			    full_metadata(object, arena);
	}
	return record;
}

void
gw_stored_write(struct text *out, const struct gw_object *object)
{
	must(out != NULL && object != NULL);
	struct arena arena;

	const struct gw_stored *stored = object->stored;

	if (stored != NULL) {
		text_push(out, slice_make(stored->text, stored->metadata));
		if (has_generation(object) && !object->generation_given)
			text_printf(out, ",\"generation\":%lld",
			    (long long)object->generation);
		text_push(out, gw_stored_rest(stored));
		return;
	}
	arena_init(&arena, 512);
	wire_record_to_json(
	    out, gw_kinds[object->kind].type, full_record(object, &arena));
	arena_fini(&arena);
}
