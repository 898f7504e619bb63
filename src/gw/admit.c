/* Admission: find the kind, decode by its table, check what the table cannot
 * say, and take digests. */
#include "gw/admit.h"

#include <stdalign.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "gw/check_priv.h"
#include "gw/form.h"
#include "wire/record_binary.h"
#include "wire/record_tree.h"

/* An object with a few fields fits the arena's first block. */
enum { OBJECT_BYTES = 1024, FINDING_BYTES = 512 };

static bool find_kind(struct gw_check *check);
static void on_fault(void *context, const struct record_fault *fault);
static void check_metadata(
    struct gw_check *check, const struct gw_metadata *metadata);
static void check_object(struct gw_check *check, const void *record);
static void take_digests(struct gw_object *object);

static const struct gw_metadata *
metadata_of(enum gw_kind kind, const void *record)
{
	const struct record_type *type = gw_kinds[kind].type;

	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];

		if (field->sub == &gw_metadata_type)
			return *(const struct gw_metadata *const *)(const void
			        *)((const char *)record + field->offset);
	}
	must(!"a kind without metadata");
	return NULL;
}

static void
fill_object(struct gw_object *object, const struct gw_check *check,
    const void *record, struct slice file)
{
	const struct gw_metadata *metadata = metadata_of(check->kind, record);
	bool namespaced = gw_kinds[check->kind].namespaced;

	object->kind = check->kind;
	object->record = record;
	object->metadata = metadata;
	object->name = metadata->name;
	object->namespace = SLICE("");
	if (namespaced)
		object->namespace = metadata->namespace.length > 0
		    ? metadata->namespace
		    : SLICE("default");
	object->generation = metadata->generation ? metadata->generation : 1;
	if (!slice_is_set(metadata->creation_timestamp) ||
	    !clock_parse(metadata->creation_timestamp, &object->created))
		object->created = 0;
	object->source.file = arena_copy(&object->arena, file);
	object->source.line = check->document->line;
	object->source.column = check->document->column;
}

struct gw_object *
gw_admit(const struct tree_node *document, struct slice file,
    gw_finding_fn on_finding, void *context)
{
	must(document != NULL);
	struct gw_check check = {
	    .document = document,
	    .kind = GW_KIND__COUNT,
	    .on_finding = on_finding,
	    .context = context,
	};
	struct gw_object *object = NULL;

	arena_init(&check.arena, FINDING_BYTES);
	if (find_kind(&check)) {
		object = memory_zero(1, sizeof(*object));
		arena_init(&object->arena, OBJECT_BYTES);
		void *record = wire_record_from_tree(document, SLICE_NONE,
		    gw_kinds[check.kind].type, &object->arena, on_fault,
		    &check);

		if (record) {
			check_metadata(&check, metadata_of(check.kind, record));
			check_object(&check, record);
			fill_object(object, &check, record, file);
		}
		if (!record || check.failed)
			gw_object_free(&object);
		else
			take_digests(object);
	}
	arena_fini(&check.arena);
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
gw_admit_documents(const struct tree_node *document,
    void (*fn)(void *context, const struct tree_node *item), void *context)
{
	must(document != NULL && fn != NULL);
	if (!is_list(document)) {
		fn(context, document);
		return;
	}
	for (const struct tree_node *item =
	         wire_tree_get(document, "items")->child;
	     item; item = item->next)
		fn(context, item);
}

/* ---- the kind ---- */

static bool
is_version(const char *versions, struct slice version)
{
	struct slice rest = slice_from_string(versions), one;

	while (slice_cut(&rest, '|', &one))
		if (slice_equal(one, version))
			return true;
	return false;
}

static void
report_kind(struct gw_check *check, struct slice api_version, struct slice kind,
    const struct gw_kind_row *other)
{
	if (!other) {
		gw_check_report(check, GW_FINDING_KIND_NOT_READ,
		    GW_AT(NULL, "kind"), "%.*s of %.*s is not read yet",
		    SLICE_ARGS(kind), SLICE_ARGS(api_version));
		return;
	}
	size_t first = slice_find(slice_from_string(other->versions), '|');

	gw_check_report(check, GW_FINDING_VERSION_UNKNOWN,
	    GW_AT(NULL, "apiVersion"), "%s is read as %s%s%.*s, not as %.*s",
	    other->kind, other->group, other->group[0] ? "/" : "", (int)first,
	    other->versions, SLICE_ARGS(api_version));
}

static bool
find_kind(struct gw_check *check)
{
	const struct tree_node *document = check->document;
	const struct gw_kind_row *other = NULL;

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
	for (unsigned i = 0; i < GW_KIND__COUNT; i++) {
		const struct gw_kind_row *row = &gw_kinds[i];
		bool same = slice_equal(group, slice_from_string(row->group));

		if (!slice_equal(kind->text, slice_from_string(row->kind)))
			continue;
		if (same && is_version(row->versions, version)) {
			check->kind = i;
			return true;
		}
		if (same)
			other = row;
	}
	report_kind(check, api_version->text, kind->text, other);
	return false;
}

/* ---- faults against the table ---- */

/* Is path the pattern's field, or one within it? "[]" stands for any index. */
static bool
is_within(struct slice path, const char *pattern)
{
	size_t at = 0;

	for (; *pattern; pattern++) {
		if (at == path.length || path.data[at] != *pattern)
			return false;
		at++;
		if (*pattern == '[')
			while (at < path.length && path.data[at] != ']')
				at++;
	}
	return at == path.length || path.data[at] == '.' ||
	    path.data[at] == '[';
}

static bool
is_unread(enum gw_kind kind, struct slice path)
{
	enum { GW_ANY = GW_KIND__COUNT };
	static const struct {
		unsigned kind;
		const char *path;
	} unread[] = {
#define GW_UNREAD(name, path) {GW_##name, path},
#include "gw/unread.def"
#undef GW_UNREAD
	};

	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++)
		if ((unread[i].kind == GW_ANY || unread[i].kind == kind) &&
		    is_within(path, unread[i].path))
			return true;
	return false;
}

static void
on_fault(void *context, const struct record_fault *fault)
{
	static const enum gw_finding_row codes[] = {
	    [RECORD_UNKNOWN_FIELD] = GW_FINDING_FIELD_UNKNOWN,
	    [RECORD_WRONG_TYPE] = GW_FINDING_TYPE_WRONG,
	    [RECORD_MISSING] = GW_FINDING_FIELD_MISSING,
	    [RECORD_NOT_A_CHOICE] = GW_FINDING_CHOICE_UNKNOWN,
	    [RECORD_OUT_OF_RANGE] = GW_FINDING_OUT_OF_RANGE,
	};
	struct gw_check *check = context;

	if (fault->kind == RECORD_UNKNOWN_FIELD &&
	    is_unread(check->kind, fault->path))
		return;
	gw_check_report_path(check, codes[fault->kind], fault->path,
	    fault->line, fault->column, fault->text, fault->hint);
}

/* ---- checks ---- */

static void
check_metadata(struct gw_check *check, const struct gw_metadata *metadata)
{
	const struct gw_place *at = GW_AT(NULL, "metadata");
	const struct gw_kind_row *row = &gw_kinds[check->kind];

	if (metadata->name.length == 0)
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT(at, "name"), "%s",
		    metadata->generate_name.length > 0
		        ? "must be set; names are not generated here"
		        : "must be set");
	else if (check->kind == GW_NAMESPACE || check->kind == GW_SERVICE)
		gw_check_form(check, GW_FINDING_NAME_INVALID, GW_AT(at, "name"),
		    metadata->name, gw_form_is_label(metadata->name),
		    "a name: at most 63 lower-case letters, digits and '-'");
	else
		gw_check_name(check, GW_AT(at, "name"), metadata->name);

	if (metadata->namespace.length == 0)
		;
	else if (!row->namespaced)
		gw_check_report(check, GW_FINDING_NAMESPACE_UNUSED,
		    GW_AT(at, "namespace"), "%s is cluster-scoped", row->kind);
	else
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(at, "namespace"), metadata->namespace,
		    gw_form_is_label(metadata->namespace),
		    "a namespace's name: at most 63 lower-case letters, digits "
		    "and '-'");
	for (uint32_t i = 0; i < metadata->labels_count; i++) {
		const struct record_pair *label = &metadata->labels[i];

		gw_check_form(check, GW_FINDING_LABEL_INVALID,
		    GW_AT(at, "labels"), label->key,
		    gw_form_is_label_key(label->key), "a label's key");
		gw_check_form(check, GW_FINDING_LABEL_INVALID,
		    GW_AT(at, "labels"), label->value,
		    gw_form_is_label_value(label->value), "a label's value");
	}
}

static void
check_object(struct gw_check *check, const void *record)
{
	switch (check->kind) {
	case GW_GATEWAYCLASS:
		gw_check_gatewayclass(check, record);
		break;
	case GW_GATEWAY:
		gw_check_gateway(check, record);
		break;
	case GW_HTTPROUTE:
		gw_check_httproute(check, record);
		break;
	case GW_REFERENCEGRANT:
		gw_check_referencegrant(check, record);
		break;
	case GW_XBACKEND:
		gw_check_xbackend(check, record);
		break;
	case GW_SERVICE:
		gw_check_service(check, record);
		break;
	case GW_ENDPOINTSLICE:
		gw_check_endpointslice(check, record);
		break;
	case GW_NAMESPACE:
	case GW_KIND__COUNT:
		break;
	}
}

/* ---- digests ---- */

/* The spec is everything but the metadata: an EndpointSlice has no field of
 * that name. */
static void
take_digests(struct gw_object *object)
{
	const struct record_type *type = gw_kinds[object->kind].type;
	struct text bytes;
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
	wire_record_encode(&bytes, type, copy.bytes);
	crypt_sha256(
	    &(struct slice){bytes.data, bytes.length}, 1, object->spec_digest);
	text_reset(&bytes);
	wire_record_encode(&bytes, &gw_metadata_type, object->metadata);
	struct slice parts[] = {
	    slice_make(
	        (const char *)object->spec_digest, sizeof(object->spec_digest)),
	    text_slice(&bytes),
	};

	crypt_sha256(parts, 2, object->digest);
	text_fini(&bytes);
}
