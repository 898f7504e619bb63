/* Admission: find the schema, judge by it, check what it cannot say, decode,
 * and take digests. */
#include "gw/admit.h"

#include <stdalign.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/must.h"
#include "gw/check_priv.h"
#include "gw/redact.h"
#include "gw/stored.h"
#include "gw/state.h"
#include "wire/record_binary.h"
#include "wire/record_tree.h"

/* A record with a few fields fits the arena's first block. */
enum { OBJECT_BYTES = 1024 };

static bool find_schema(struct gw_check *check);
static struct gw_object *read_object(
    struct gw_check *check, enum gw_kind kind, struct gw_file *file);
static void take_digests(struct gw_object *object);

static struct gw_object *
new_object(enum gw_kind kind, const struct gw_metadata *metadata,
    const struct tree_node *document, struct gw_file *file)
{
	struct slice namespace = SLICE("");

	if (gw_kinds[kind].namespaced)
	namespace = metadata->namespace.length > 0 ? metadata->namespace
	                                           : SLICE("default");
	struct gw_object *object =
	    gw_object_new(kind, namespace, metadata->name);

	object->generation_given = metadata->generation != 0;
	object->generation = metadata->generation ? metadata->generation : 1;
	if (!slice_is_set(metadata->creation_timestamp) ||
	    !clock_parse(metadata->creation_timestamp, &object->created))
		object->created = 0;
	object->source.file = gw_file_ref(file);
	object->source.line = document->line;
	object->source.column = document->column;
	return object;
}

static void
on_fault(void *context, const struct gw_schema_fault *fault)
{
	gw_check_report_path(context, fault->row, fault->path, fault->line,
	    fault->column, fault->text, fault->hint);
}

static enum gw_kind
kind_of(const struct gw_schema *schema)
{
	unsigned kind = 0;

	while (strcmp(gw_kinds[kind].kind, schema->kind) != 0 ||
	    strcmp(gw_kinds[kind].group, schema->group) != 0) {
		kind++;
		must(kind < GW_KIND__COUNT);
	}
	return kind;
}

struct gw_object *
gw_admit(struct tree_node *document, struct arena *arena, struct gw_file *file,
    gw_finding_fn on_finding, void *context)
{
	must(document != NULL && arena != NULL);
	struct gw_check check = {
	    .document = document,
	    .arena = arena,
	    .on_finding = on_finding,
	    .context = context,
	};

	if (!find_schema(&check))
		return NULL;
	bool typed;

	(void)gw_schema_judge(
	    &check.schema, document, arena, on_fault, &check, &typed);
	/* As an API server, which decodes and then tells all that is wrong. */
	if (typed) {
		gw_fill_built_in(&check);
		gw_check_built_in(&check);
	}
	gw_check_metadata(&check);
	if (check.failed)
		return NULL;
	enum gw_kind kind = kind_of(&check.schema);

	if (!gw_kind_is_served(kind))
		gw_check_report(&check, GW_FINDING_KIND_NOT_READ,
		    GW_AT(NULL, "kind"),
		    "%s is judged, but yumen does not act on it yet",
		    check.schema.kind);
	return read_object(&check, kind, file);
}

/* Nobody has judged it: what is not a status is none. */
static const void *
read_status(const struct tree_node *document, const struct record_type *type,
    struct arena *arena)
{
	const struct tree_node *status = wire_tree_get(document, "status");

	if (!status || status->kind != TREE_MAP)
		return NULL;
	return wire_record_from_tree(status, type, arena, NULL);
}

static const struct gw_policy_status *
read_told(const struct tree_node *document, struct arena *arena)
{
	const struct gw_policy_status *told =
	    read_status(document, &gw_policy_status_type, arena);

	for (uint32_t i = 0; told && i < told->ancestors_count; i++)
		if (!told->ancestors[i].ancestor_ref)
			return NULL;
	return told;
}

/* The tree has been judged: a record that does not take it would be a table
 * that differs from the schema. */
static struct gw_object *
read_object(struct gw_check *check, enum gw_kind kind, struct gw_file *file)
{
	struct arena arena;

	arena_init(&arena, OBJECT_BYTES);
	bool whole;
	const void *record = wire_record_from_tree(
	    check->document, gw_kinds[kind].type, &arena, &whole);

	must(record != NULL);
	struct gw_object *object = new_object(
	    kind, gw_metadata_of(kind, record), check->document, file);

	object->arena = arena;
	gw_object_set_record(object, record);
	if (gw_status_type(kind) == &gw_policy_status_type)
		object->told = read_told(check->document, &object->arena);
	if (kind == GW_GATEWAY)
		object->told_addresses = read_status(
		    check->document, &gw_told_addresses_type, &object->arena);
	if (kind == GW_SERVICE)
		object->told_service = read_status(
		    check->document, &gw_service_status_type, &object->arena);
	if (kind == GW_NODE)
		object->told_node = read_status(
		    check->document, &gw_node_status_type, &object->arena);
	gw_check_honour(check, object);
	/* From here on nobody sees more of a Secret than the record has; the
	 * record of a kind that is only shown has nothing but its metadata. */
	if (gw_redact(check->document, check->arena) || !whole ||
	    gw_kinds[kind].type == &gw_shown_type)
		gw_stored_keep(object, check->document);
	take_digests(object);
	return object;
}

static bool
is_list(const struct tree_node *document)
{
	if (document->kind != TREE_MAP)
		return false;

	const struct tree_node *kind = wire_tree_get(document, "kind");
	const struct tree_node *items = wire_tree_get(document, "items");

	return kind && kind->kind == TREE_TEXT &&
	    slice_ends_with(kind->text, SLICE("List")) && items &&
	    (items->kind == TREE_LIST || items->kind == TREE_NULL);
}

void
gw_admit_documents(struct tree_node *document,
    void (*fn)(void *context, struct tree_node *item), void *context)
{
	must(document != NULL && fn != NULL);
	if (!is_list(document)) {
		fn(context, document);
		return;
	}
	struct tree_node *item = wire_tree_get(document, "items")->child;

	while (item) {
		struct tree_node *next = item->next;

		fn(context, item);
		item = next;
	}
}

/* ---- the schema ---- */

static void
report_kind(struct gw_check *check, struct slice api_version, struct slice kind)
{
	const struct gw_schema *other = &check->schema;

	if (!other->kind)
		gw_check_report(check, GW_FINDING_KIND_NOT_READ,
		    GW_AT(NULL, "kind"), "%.*s of %.*s is not read yet",
		    SLICE_ARGS(kind), SLICE_ARGS(api_version));
	else
		gw_check_report(check, GW_FINDING_VERSION_UNKNOWN,
		    GW_AT(NULL, "apiVersion"),
		    "%s is read as %s%s%s, not as %.*s", other->kind,
		    other->group, other->group[0] ? "/" : "", other->version,
		    SLICE_ARGS(api_version));
}

static bool
find_schema(struct gw_check *check)
{
	const struct tree_node *document = check->document;

	if (document->kind != TREE_MAP) {
		gw_check_report(check, GW_FINDING_NOT_AN_OBJECT, NULL,
		    "not a Kubernetes object: a map was expected");
		return false;
	}
	const struct tree_node *api_version =
	    wire_tree_get(document, "apiVersion");
	const struct tree_node *kind = wire_tree_get(document, "kind");

	if (!api_version || api_version->kind != TREE_TEXT || !kind ||
	    kind->kind != TREE_TEXT) {
		gw_check_report(check, GW_FINDING_KIND_MISSING, NULL,
		    "not a Kubernetes object: %s is missing or not a text",
		    kind && kind->kind == TREE_TEXT ? "apiVersion" : "kind");
		return false;
	}
	if (is_list(document)) {
		gw_check_report(check, GW_FINDING_LIST_NESTED, NULL,
		    "a List within a List is not taken apart");
		return false;
	}
	struct slice version = api_version->text, group = SLICE("");
	size_t slash = slice_find(version, '/');

	if (slash < version.length) {
		group = slice_make(version.data, slash);
		version = slice_skip(version, slash + 1);
	}
	if (gw_schema_find(group, version, kind->text, &check->schema))
		return true;
	report_kind(check, api_version->text, kind->text);
	return false;
}

/* ---- digests ---- */

/* The spec is everything but the metadata: an EndpointSlice has no field of
 * that name. */
static void
take_digests(struct gw_object *object)
{
	const struct record_type *type = gw_kinds[object->kind].type;
	struct text bytes;
	struct hash hash;
	struct {
		alignas(max_align_t) char bytes[256];
	} copy;

	must(type->size <= sizeof(copy.bytes));
	memcpy(copy.bytes, object->record, type->size);
	for (uint32_t i = 0; i < type->count; i++)
		if (type->fields[i].sub == &gw_metadata_type)
			memset(copy.bytes + type->fields[i].offset, 0,
			    sizeof(void *));
	text_init(&bytes);
	if (type != &gw_shown_type)
		wire_record_encode(&bytes, type, copy.bytes);
	else
		text_push(&bytes, gw_stored_rest(object->stored));
	object->spec_digest = hash_bytes(text_slice(&bytes));
	text_reset(&bytes);
	wire_record_encode(&bytes, &gw_metadata_type, object->metadata);
	hash_init(&hash);
	hash_push_number(&hash, object->spec_digest);
	hash_push(&hash, text_slice(&bytes));
	object->digest = hash_take(&hash);
	text_wipe(&bytes); /* a Secret was in it */
}
