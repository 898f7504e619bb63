/* How checks report, and the checks of metadata. */
#include "gw/check_priv.h"

#include <stdarg.h>

#include "core/must.h"
#include "core/text.h"
#include "gw/form.h"

static void
push_place(struct text *out, const struct gw_place *place)
{
	/* As deep as the tables. */
	if (place->up) {
		push_place(out, place->up);
		text_push_byte(out, '.');
	}
	text_push_string(out, place->name);
	if (place->index >= 0)
		text_printf(out, "[%lld]", (long long)place->index);
	if (slice_is_set(place->key))
		text_printf(out, "[%.*s]", SLICE_ARGS(place->key));
}

/* The node at a place, or the nearest above it that the document has (what is
 * missing has no place of its own). */
static const struct tree_node *
node_at(const struct tree_node *document, const struct gw_place *place)
{
	if (!place)
		return document;

	const struct tree_node *above = node_at(document, place->up);

	if (above->kind != TREE_MAP)
		return above;

	const struct tree_node *node = wire_tree_get(above, place->name);

	if (!node)
		return above;
	const struct tree_node *item = node->child;

	if (slice_is_set(place->key) && node->kind == TREE_MAP)
		while (item && !slice_equal(item->key, place->key))
			item = item->next;
	else if (place->index >= 0 && node->kind == TREE_LIST)
		for (int64_t i = 0; item && i < place->index; i++)
			item = item->next;
	else
		return node;
	return item ? item : node;
}

static struct slice
text_under(const struct tree_node *map, const char *key)
{
	const struct tree_node *node =
	    map && map->kind == TREE_MAP ? wire_tree_get(map, key) : NULL;

	return node && node->kind == TREE_TEXT ? node->text : SLICE_NONE;
}

/* "HTTPRoute default/web", as far as the document says. */
static struct slice
object_text(struct gw_check *check)
{
	const struct tree_node *document = check->document;
	bool is_map = document->kind == TREE_MAP;
	const struct tree_node *metadata =
	    is_map ? wire_tree_get(document, "metadata") : NULL;
	struct slice kind = text_under(document, "kind");
	struct slice name = text_under(metadata, "name");
	struct slice namespace = text_under(metadata, "namespace");
	bool namespaced = check->schema.kind ? check->schema.namespaced
	                                     : slice_is_set(namespace);

	if (!slice_is_set(name))
		return slice_is_set(kind) ? kind : SLICE("");
	if (!slice_is_set(kind))
		kind = SLICE("object");
	if (!namespaced)
		return arena_format(check->arena, "%.*s %.*s", SLICE_ARGS(kind),
		    SLICE_ARGS(name));
	if (!slice_is_set(namespace))
	namespace = SLICE("default");
	return arena_format(check->arena, "%.*s %.*s/%.*s", SLICE_ARGS(kind),
	    SLICE_ARGS(namespace), SLICE_ARGS(name));
}

void
gw_check_report_path(struct gw_check *check, enum gw_finding_row row,
    struct slice path, uint32_t line, uint32_t column, struct slice text,
    struct slice fix)
{
	must((unsigned)row < GW_FINDING__COUNT);
	struct gw_finding finding = {
	    .row = row,
	    .line = line,
	    .column = column,
	    .object = object_text(check),
	    .field = path,
	    .text = text,
	    .fix = fix,
	};

	if (gw_findings[row].severity == GW_ERROR)
		check->failed = true;
	if (check->on_finding)
		check->on_finding(check->context, &finding);
}

void
gw_check_report(struct gw_check *check, enum gw_finding_row row,
    const struct gw_place *place, const char *format, ...)
{
	const struct tree_node *node = node_at(check->document, place);
	struct text path, text;
	va_list arguments;

	text_init(&path);
	text_init(&text);
	if (place)
		push_place(&path, place);
	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	gw_check_report_path(check, row, text_slice(&path), node->line,
	    node->column, text_slice(&text), SLICE_NONE);
	text_fini(&text);
	text_fini(&path);
}

void
gw_check_form(struct gw_check *check, enum gw_finding_row row,
    const struct gw_place *place, struct slice value, bool ok,
    const char *must_be)
{
	if (!ok)
		gw_check_report(check, row, place, "\"%.*s\" is not %s",
		    SLICE_ARGS(value), must_be);
}

void
gw_check_qualified(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *value)
{
	if (value)
		gw_check_form(check, GW_FINDING_VALUE_INVALID, place,
		    value->text, gw_form_is_label_key(value->text),
		    "a name, where wanted with a domain and '/' before it");
}

/* ---- metadata ---- */

void
gw_check_labels(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *map)
{
	if (!map || map->kind != TREE_MAP)
		return;
	for (const struct tree_node *at = map->child; at; at = at->next) {
		gw_check_form(check, GW_FINDING_LABEL_INVALID, place, at->key,
		    gw_form_is_label_key(at->key), "a label's key");
		gw_check_form(check, GW_FINDING_LABEL_INVALID, place, at->text,
		    gw_form_is_label_value(at->text), "a label's value");
	}
}

/* Their keys are labels' in any case of letters. */
static void
check_annotations(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *map)
{
	enum { ANNOTATION_BYTES_MAX = 256 * 1024 };
	size_t bytes = 0;
	struct text lower;

	if (!map || map->kind != TREE_MAP)
		return;
	text_init(&lower);
	for (const struct tree_node *at = map->child; at; at = at->next) {
		text_reset(&lower);
		text_push_lower(&lower, at->key);
		gw_check_form(check, GW_FINDING_LABEL_INVALID, place, at->key,
		    gw_form_is_label_key(text_slice(&lower)),
		    "an annotation's key");
		bytes += at->key.length + at->text.length;
	}
	text_fini(&lower);
	if (bytes > ANNOTATION_BYTES_MAX)
		gw_check_report(check, GW_FINDING_TOO_MANY, place,
		    "%zu bytes in all, at most %d are allowed", bytes,
		    ANNOTATION_BYTES_MAX);
}

/* Kubernetes' own kinds have no domain's finalizer but these. */
static bool
is_own_finalizer(struct slice name)
{
	return slice_find(name, '/') < name.length ||
	    slice_equal(name, SLICE("kubernetes")) ||
	    slice_equal(name, SLICE("orphan")) ||
	    slice_equal(name, SLICE("foregroundDeletion"));
}

void
gw_check_finalizers(struct gw_check *check, const struct gw_place *up,
    const struct tree_node *map, bool each)
{
	const struct tree_node *list = wire_tree_get(map, "finalizers");
	const struct tree_node *at = list ? list->child : NULL;
	bool native = check->schema.group[0] == '\0' ||
	    strcmp(check->schema.group, "discovery.k8s.io") == 0;

	for (unsigned i = 0; at; at = at->next, i++) {
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(up, "finalizers"), at->text,
		    gw_form_is_label_key(at->text), "a finalizer's name");
		if (native)
			gw_check_form(check, GW_FINDING_NAME_INVALID,
			    each ? GW_AT_ITEM(up, "finalizers", i)
			         : GW_AT(up, "finalizers"),
			    at->text, is_own_finalizer(at->text),
			    "kubernetes, orphan or foregroundDeletion, nor "
			    "has it a domain before it");
	}
}

/* "example.com:roots:first" of signer example.com/roots. */
static bool
is_bundle_name(const struct gw_check *check, struct slice name)
{
	struct slice signer =
	    text_under(wire_tree_get(check->document, "spec"), "signerName");

	for (size_t i = 0; i < signer.length; i++) {
		char wanted = signer.data[i] == '/' ? ':' : signer.data[i];

		if (i >= name.length || name.data[i] != wanted)
			return false;
	}
	if (signer.length > 0) {
		if (name.length <= signer.length ||
		    name.data[signer.length] != ':')
			return false;
		name = slice_skip(name, signer.length + 1);
	}
	return gw_form_is_name(name);
}

static void
check_name(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *metadata)
{
	const struct tree_node *node =
	    metadata ? wire_tree_get(metadata, "name") : NULL;
	struct slice name = text_under(metadata, "name");

	if (node && node->kind != TREE_TEXT)
		return; /* has been told */
	if (name.length == 0)
		gw_check_report(check, GW_FINDING_FIELD_MISSING, place, "%s",
		    text_under(metadata, "generateName").length > 0
		        ? "must be set; names are not generated here"
		        : "must be set");
	else if (strcmp(check->schema.kind, "Service") == 0)
		gw_check_form(check, GW_FINDING_NAME_INVALID, place, name,
		    gw_form_is_service(name),
		    "a Service's name: at most 63 lower-case letters, digits "
		    "and '-', beginning with a letter");
	else if (strcmp(check->schema.kind, "Namespace") == 0)
		gw_check_form(check, GW_FINDING_NAME_INVALID, place, name,
		    gw_form_is_label(name),
		    "a name: at most 63 lower-case letters, digits and '-'");
	else if (strcmp(check->schema.kind, "ClusterTrustBundle") == 0)
		gw_check_form(check, GW_FINDING_NAME_INVALID, place, name,
		    is_bundle_name(check, name),
		    "the name of a ClusterTrustBundle: its signerName with "
		    "':' for '/', then ':' and a name; without a signerName a "
		    "name alone");
	else
		gw_check_form(check, GW_FINDING_NAME_INVALID, place, name,
		    gw_form_is_name(name),
		    "a name: lower-case letters, digits, '-' and '.', "
		    "beginning and ending with a letter or digit");
}

void
gw_check_metadata(struct gw_check *check)
{
	const struct gw_place *at = GW_AT(NULL, "metadata");
	const struct tree_node *metadata =
	    wire_tree_get(check->document, "metadata");
	struct slice namespace = text_under(metadata, "namespace");

	if (metadata && metadata->kind != TREE_MAP)
		return; /* has been told */
	check_name(check, GW_AT(at, "name"), metadata);
	if (!metadata)
		return;
	if (namespace.length > 0 && !check->schema.namespaced)
		gw_check_report(check, GW_FINDING_NAMESPACE_UNUSED,
		    GW_AT(at, "namespace"), "%s is cluster-scoped",
		    check->schema.kind);
	else if (namespace.length > 0)
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(at, "namespace"), namespace,
		    gw_form_is_label(namespace),
		    "a namespace's name: at most 63 lower-case letters, digits "
		    "and '-'");
	gw_check_labels(
	    check, GW_AT(at, "labels"), wire_tree_get(metadata, "labels"));
	check_annotations(check, GW_AT(at, "annotations"),
	    wire_tree_get(metadata, "annotations"));
	gw_check_finalizers(check, at, metadata, true);
}
