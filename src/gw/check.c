/* How checks report, and the checks that several kinds share. */
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
	if (place->index < 0 || node->kind != TREE_LIST)
		return node;

	const struct tree_node *item = node->child;

	for (int64_t i = 0; item && i < place->index; i++)
		item = item->next;
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
	bool namespaced = check->kind == GW_KIND__COUNT
	    ? slice_is_set(namespace)
	    : gw_kinds[check->kind].namespaced;

	if (!slice_is_set(kind))
		kind = SLICE("object");
	if (!slice_is_set(name))
		return kind;
	if (!namespaced)
		return arena_format(&check->arena, "%.*s %.*s",
		    SLICE_ARGS(kind), SLICE_ARGS(name));
	if (!slice_is_set(namespace))
	namespace = SLICE("default");
	return arena_format(&check->arena, "%.*s %.*s/%.*s", SLICE_ARGS(kind),
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
gw_check_name(
    struct gw_check *check, const struct gw_place *place, struct slice name)
{
	gw_check_form(check, GW_FINDING_NAME_INVALID, place, name,
	    gw_form_is_name(name),
	    "a name: lower-case letters, digits, '-' and '.', beginning and "
	    "ending with a letter or digit");
}

void
gw_check_reference(struct gw_check *check, const struct gw_place *place,
    struct slice group, struct slice kind, struct slice namespace)
{
	gw_check_form(check, GW_FINDING_REFERENCE_INVALID,
	    GW_AT(place, "group"), group, gw_form_is_group(group),
	    "an API group");
	gw_check_form(check, GW_FINDING_REFERENCE_INVALID, GW_AT(place, "kind"),
	    kind, gw_form_is_kind(kind), "a kind");
	if (slice_is_set(namespace))
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(place, "namespace"), namespace,
		    gw_form_is_label(namespace), "a namespace's name");
}

void
gw_check_backend(struct gw_check *check, const struct gw_place *place,
    const struct gw_backend_reference *backend)
{
	gw_check_reference(
	    check, place, backend->group, backend->kind, backend->namespace);
	if (backend->group.length == 0 &&
	    slice_equal(backend->kind, SLICE("Service")) && backend->port == 0)
		gw_check_report(check, GW_FINDING_REFERENCE_INVALID,
		    GW_AT(place, "port"),
		    "a reference to a Service needs a port");
	if (slice_equal(backend->group, SLICE("gateway.networking.x-k8s.io")) &&
	    slice_equal(backend->kind, SLICE("XBackend")) && backend->port != 0)
		gw_check_report(check, GW_FINDING_REFERENCE_INVALID,
		    GW_AT(place, "port"),
		    "a reference to an XBackend must not have a port");
}

void
gw_check_secret(struct gw_check *check, const struct gw_place *place,
    const struct gw_secret_reference *secret)
{
	gw_check_reference(
	    check, place, secret->group, secret->kind, secret->namespace);
}

void
gw_check_exactly_when(struct gw_check *check, const struct gw_place *place,
    bool set, bool wanted, const char *why)
{
	if (set != wanted)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, place,
		    "must %sbe set when %s", wanted ? "" : "not ", why);
}

void
gw_check_external_auth(struct gw_check *check, const struct gw_place *place,
    const struct gw_external_auth *auth)
{
	bool grpc = slice_equal(auth->protocol, SLICE("GRPC"));
	const char *why = grpc ? "protocol is GRPC" : "protocol is HTTP";

	gw_check_backend(check, GW_AT(place, "backendRef"), auth->backend_ref);
	gw_check_exactly_when(
	    check, GW_AT(place, "grpc"), auth->grpc != NULL, grpc, why);
	gw_check_exactly_when(
	    check, GW_AT(place, "http"), auth->http != NULL, !grpc, why);
}

void
gw_check_selector(struct gw_check *check, const struct gw_place *place,
    const struct gw_label_selector *selector)
{
	for (uint32_t i = 0; i < selector->match_labels_count; i++) {
		struct slice key = selector->match_labels[i].key;
		struct slice value = selector->match_labels[i].value;
		const struct gw_place *at = GW_AT(place, "matchLabels");

		gw_check_form(check, GW_FINDING_LABEL_INVALID, at, key,
		    gw_form_is_label_key(key), "a label's key");
		gw_check_form(check, GW_FINDING_LABEL_INVALID, at, value,
		    gw_form_is_label_value(value), "a label's value");
	}
	for (uint32_t i = 0; i < selector->match_expressions_count; i++) {
		const struct gw_label_expression *expression =
		    &selector->match_expressions[i];
		const struct gw_place *at =
		    GW_AT_ITEM(place, "matchExpressions", i);
		bool lists = slice_equal(expression->operator, SLICE("In")) ||
		    slice_equal(expression->operator, SLICE("NotIn"));

		gw_check_form(check, GW_FINDING_LABEL_INVALID, GW_AT(at, "key"),
		    expression->key, gw_form_is_label_key(expression->key),
		    "a label's key");
		gw_check_exactly_when(check, GW_AT(at, "values"),
		    expression->values_count > 0, lists,
		    lists ? "operator is In or NotIn"
		          : "operator is Exists or DoesNotExist");
	}
}

void
gw_check_duration(struct gw_check *check, const struct gw_place *place,
    struct slice duration, uint64_t *ms)
{
	*ms = 0;
	if (slice_is_set(duration))
		gw_check_form(check, GW_FINDING_DURATION_INVALID, place,
		    duration, gw_form_is_duration(duration, ms),
		    "a duration, as in 500ms, 10s, 1h30m");
}

void
gw_check_session(struct gw_check *check, const struct gw_place *place,
    const struct gw_session_persistence *session)
{
	bool cookie = slice_equal(session->type, SLICE("Cookie"));
	const char *why = cookie ? "type is Cookie" : "type is Header";
	uint64_t ms;

	gw_check_exactly_when(check, GW_AT(place, "cookie"),
	    session->cookie != NULL, cookie, why);
	gw_check_exactly_when(check, GW_AT(place, "header"),
	    session->header != NULL, !cookie, why);
	gw_check_duration(check, GW_AT(place, "absoluteTimeout"),
	    session->absolute_timeout, &ms);
	if (session->cookie &&
	    slice_equal(session->cookie->lifetime_type, SLICE("Permanent")) &&
	    !slice_is_set(session->absolute_timeout))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(place, "absoluteTimeout"),
		    "must be set when cookie.lifetimeType is Permanent");
}
