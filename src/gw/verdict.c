/* Findings out of conditions. A condition names its reason, which has a row in
 * verdict.def; its message names, where it can, the fields it speaks of, as
 * "rules[0].backendRefs[1]: why; rules[2]...: why", and each is a finding. */
#include "gw/verdict.h"

#include "core/must.h"
#include "core/text.h"
#include "gw/address_priv.h"

static const struct verdict_row {
	const char *reason;
	enum gw_finding_row finding;
	const char *field, *fix;
} rows[] = {
#define GW_VERDICT(reason, finding, field, fix) \
	{reason, GW_FINDING_##finding, field, fix},
#include "gw/verdict.def"
#undef GW_VERDICT
};
static const struct verdict_row other = {"", GW_FINDING_NOT_SERVED, "", NULL};

struct telling {
	const struct gw_object *object;
	struct slice name; /* "HTTPRoute default/web" */
	gw_finding_fn on_finding;
	void *context;
	struct text field;
};

static const struct verdict_row *
row_of(struct slice reason)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_equal(reason, slice_from_string(rows[i].reason)))
			return &rows[i];
	return &other;
}

static bool
is_path_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9') || byte == '.' || byte == '[' ||
	    byte == ']';
}

/* The field path that text begins with, or empty: a word with an index or a
 * dot in it, as nothing else is here. */
static struct slice
path_of(struct slice text)
{
	size_t length = 0;

	while (length < text.length && is_path_byte(text.data[length]))
		length++;
	struct slice path = slice_make(text.data, length);
	bool ends = length < text.length &&
	    (text.data[length] == ':' || text.data[length] == ' ');

	if (!ends ||
	    (slice_find(path, '[') == length &&
	        slice_find(path, '.') == length))
		path.length = 0;
	return path;
}

/* The next "path: why" of a message; what has no path is one alone. */
static struct slice
take_part(struct slice *message)
{
	struct slice rest = *message;
	size_t at;

	for (at = 0; at + 2 < rest.length; at++)
		if (rest.data[at] == ';' && rest.data[at + 1] == ' ' &&
		    path_of(slice_skip(rest, at + 2)).length > 0)
			break;
	if (at + 2 >= rest.length) {
		*message = SLICE_NONE;
		return rest;
	}
	*message = slice_skip(rest, at + 2);
	return slice_make(rest.data, at);
}

/* A part may have another reason than the condition: "path: Reason: why". */
static bool
take_reason(struct slice *part, const struct verdict_row **row)
{
	size_t length = slice_find(*part, ':');
	const struct verdict_row *named =
	    row_of(slice_make(part->data, length));

	if (named == &other || length + 2 > part->length)
		return false;
	*part = slice_skip(*part, length + 2);
	*row = named;
	return true;
}

static void
tell(struct telling *telling, enum gw_finding_row row, struct slice reason,
    struct slice text, const char *fix)
{
	struct gw_finding finding = {
	    .row = row,
	    .line = telling->object->source.line,
	    .column = telling->object->source.column,
	    .object = telling->name,
	    .field = text_slice(&telling->field),
	    .reason = reason,
	    .text = text,
	    .fix = slice_from_string(fix),
	};

	telling->on_finding(telling->context, &finding);
}

/* spec, then base (a listener, a parentRef or nothing), then the row's field or
 * the one that the message names. */
static void
set_field(struct telling *telling, struct slice base,
    const struct verdict_row *row, struct slice named)
{
	struct text *field = &telling->field;
	struct slice below = slice_from_string(row->field);
	bool of_spec = below.length > 0 && below.data[0] == '^';

	text_reset(field);
	if (slice_starts_with(named, SLICE("spec."))) {
		text_push(field, named);
		return;
	}
	text_push_string(field, "spec");
	if (named.length > 0) {
		of_spec = slice_starts_with(named, SLICE("rules["));
		below = named;
	} else if (of_spec) {
		below = slice_skip(below, 1);
	}
	if (!of_spec && base.length > 0) {
		text_push_byte(field, '.');
		text_push(field, base);
	}
	if (below.length > 0) {
		text_push_byte(field, '.');
		text_push(field, below);
	}
}

static void
tell_condition(struct telling *telling, struct slice base,
    const struct gw_condition *condition)
{
	const struct verdict_row *row = row_of(condition->reason);
	struct slice message = condition->message;
	static const struct slice openings[] = {
	    {"Dropped Rule: ", 14}, {"no rule can be served: ", 23}};

	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
		if (slice_starts_with(message, openings[i]))
			message = slice_skip(message, openings[i].length);
	while (slice_is_set(message)) {
		struct slice part = take_part(&message);
		struct slice path = path_of(part);

		const struct verdict_row *own = row;

		if (path.length > 0)
			part = slice_trim(slice_skip(part, path.length + 1));
		struct slice reason = take_reason(&part, &own)
		    ? slice_from_string(own->reason)
		    : condition->reason;

		set_field(telling, base, own, path);
		tell(telling, own->finding, reason, part, own->fix);
	}
}

static bool
has(const struct gw_condition *condition, struct slice type,
    struct slice status)
{
	return slice_equal(condition->type, type) &&
	    slice_equal(condition->status, status);
}

/* Programmed follows from the others; what conflicts is not accepted either,
 * for the same reason. */
static bool
is_bad(const struct gw_condition *condition)
{
	return has(condition, SLICE("Accepted"), SLICE("False")) ||
	    has(condition, SLICE("Accepted"), SLICE("Unknown")) ||
	    has(condition, SLICE("ResolvedRefs"), SLICE("False")) ||
	    has(condition, SLICE("PartiallyInvalid"), SLICE("True"));
}

static void
tell_conditions(struct telling *telling, struct slice base,
    const struct gw_condition *conditions, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (is_bad(&conditions[i]))
			tell_condition(telling, base, &conditions[i]);
}

static struct slice
base_of(char (*out)[32], const char *list, uint32_t index)
{
	struct text text;

	text_init(&text);
	text_printf(&text, "%s[%u]", list, index);
	must(text.length < sizeof(*out));
	memcpy(*out, text.data, text.length);
	struct slice base = slice_make(*out, text.length);

	text_fini(&text);
	return base;
}

static void
tell_listeners(struct telling *telling,
    const struct gw_listener_status *listeners, uint32_t count,
    const struct gw_listener *spec, uint32_t spec_count)
{
	char storage[32];

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = 0;

		while (at < spec_count &&
		    !slice_equal(spec[at].name, listeners[i].name))
			at++;
		tell_conditions(telling, base_of(&storage, "listeners", at),
		    listeners[i].conditions, listeners[i].conditions_count);
	}
}

/* Of the plan alone: an agent's reports are not the object's fault, and say
 * which listener they are about. */
static bool
is_without_address(const struct gw_condition *condition)
{
	return has(condition, SLICE("Programmed"), SLICE("False")) &&
	    (slice_equal(condition->reason, SLICE("AddressNotAssigned")) ||
	        (slice_equal(condition->reason, SLICE("AddressNotUsable")) &&
	            slice_starts_with(condition->message, SLICE("spec."))));
}

/* The listeners say themselves what is wrong with them. */
static void
tell_owner(struct telling *telling, const struct gw_condition *conditions,
    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if ((is_bad(&conditions[i]) ||
		        is_without_address(&conditions[i])) &&
		    !slice_equal(
		        conditions[i].reason, SLICE("ListenersNotValid")))
			tell_condition(telling, SLICE(""), &conditions[i]);
}

static void
tell_gateway(struct telling *telling, const struct gw_gateway_status *status)
{
	const struct gw_gateway_spec *spec = telling->object->gateway->spec;

	tell_owner(telling, status->conditions, status->conditions_count);
	tell_listeners(telling, status->listeners, status->listeners_count,
	    spec->listeners, spec->listeners_count);
}

static void
tell_set(struct telling *telling, const struct gw_listenerset_status *status)
{
	const struct gw_listenerset_spec *spec =
	    telling->object->listenerset->spec;

	tell_owner(telling, status->conditions, status->conditions_count);
	tell_listeners(telling, status->listeners, status->listeners_count,
	    spec->listeners, spec->listeners_count);
}

static bool
is_same_parent(const struct gw_parent_reference *spec,
    const struct gw_status_parent *status)
{
	return slice_equal(spec->group, status->group) &&
	    slice_equal(spec->kind, status->kind) &&
	    slice_equal(spec->namespace, status->namespace) &&
	    slice_equal(spec->name, status->name) &&
	    slice_equal(spec->section_name, status->section_name) &&
	    spec->port == status->port;
}

/* What is wrong with the rules is so for each parent: told once. */
static bool
is_of_rules(const struct gw_condition *condition)
{
	return !has(condition, SLICE("Accepted"), SLICE("False")) ||
	    slice_equal(condition->reason, SLICE("UnsupportedValue"));
}

static void
tell_route(struct telling *telling, const struct gw_route_status *status)
{
	const struct gw_httproute_spec *spec = telling->object->route;
	char storage[32];

	for (uint32_t i = 0; i < status->parents_count; i++) {
		const struct gw_route_parent_status *parent =
		    &status->parents[i];
		uint32_t at = 0;

		while (at < spec->parent_refs_count &&
		    !is_same_parent(&spec->parent_refs[at], parent->parent_ref))
			at++;
		for (uint32_t j = 0; j < parent->conditions_count; j++) {
			const struct gw_condition *condition =
			    &parent->conditions[j];

			/* Of a Gateway without a class that says so itself. */
			if (!is_bad(condition) ||
			    slice_equal(condition->reason, SLICE("Pending")) ||
			    (i > 0 && is_of_rules(condition)))
				continue;
			tell_condition(telling,
			    base_of(&storage, "parentRefs", at), condition);
		}
	}
}

static bool
has_condition(const struct gw_policy_ancestor_status *entry,
    const struct gw_condition *condition)
{
	for (uint32_t i = 0; i < entry->conditions_count; i++)
		if (slice_equal(entry->conditions[i].type, condition->type) &&
		    slice_equal(
		        entry->conditions[i].message, condition->message))
			return true;
	return false;
}

/* What is wrong with a policy by itself is so for each ancestor: told once.
 * That no certificate is valid follows from what is wrong with each. */
static void
tell_policy(struct telling *telling, const struct gw_policy_status *status)
{
	for (uint32_t i = 0; i < status->ancestors_count; i++) {
		const struct gw_policy_ancestor_status *entry =
		    &status->ancestors[i];

		for (uint32_t j = 0; j < entry->conditions_count; j++) {
			const struct gw_condition *condition =
			    &entry->conditions[j];
			bool seen = i > 0 &&
			    has_condition(&status->ancestors[0], condition);

			if (is_bad(condition) && !seen &&
			    !slice_equal(condition->reason,
			        SLICE("NoValidCACertificate")))
				tell_condition(telling, SLICE(""), condition);
		}
	}
}

static bool
has_entry(const struct gw_route_status *status,
    const struct gw_parent_reference *parent)
{
	for (uint32_t i = 0; status && i < status->parents_count; i++)
		if (is_same_parent(parent, status->parents[i].parent_ref))
			return true;
	return false;
}

static void
tell_missing(struct telling *telling, const char *kind, struct slice namespace,
    struct slice name, const char *reason)
{
	struct text why;

	text_init(&why);
	text_printf(&why, "there is no %s %.*s/%.*s", kind,
	    SLICE_ARGS(namespace), SLICE_ARGS(name));
	tell(telling, GW_FINDING_PARENT_NOT_FOUND, slice_from_string(reason),
	    text_slice(&why), "name one that is there, or add it");
	text_fini(&why);
}

/* A parent that is not there has no controller, so that a status need not have
 * an entry for it. */
static void
tell_missing_parents(struct telling *telling, const struct gw_state *state,
    const struct gw_route_status *status)
{
	const struct gw_httproute_spec *spec = telling->object->route;

	for (uint32_t i = 0; i < spec->parent_refs_count; i++) {
		const struct gw_parent_reference *parent =
		    &spec->parent_refs[i];
		struct slice namespace = parent->namespace.length > 0
		    ? parent->namespace
		    : telling->object->namespace;
		enum gw_kind kind = slice_equal(parent->kind, SLICE("Gateway"))
		    ? GW_GATEWAY
		    : GW_LISTENERSET;

		if (!slice_equal(
		        parent->kind, slice_from_string(gw_kinds[kind].kind)) ||
		    has_entry(status, parent) ||
		    gw_state_get(state, kind, namespace, parent->name))
			continue;
		text_reset(&telling->field);
		text_printf(&telling->field, "spec.parentRefs[%u].name", i);
		tell_missing(telling, gw_kinds[kind].kind, namespace,
		    parent->name, "NoMatchingParent");
	}
}

/* The same of a ListenerSet, which has no status then. */
static void
tell_missing_gateway(struct telling *telling, const struct gw_state *state)
{
	const struct gw_object_reference *parent =
	    telling->object->listenerset->spec->parent_ref;
	struct slice namespace = parent->namespace.length > 0
	    ? parent->namespace
	    : telling->object->namespace;

	if (!slice_equal(parent->kind, SLICE("Gateway")) ||
	    gw_state_get(state, GW_GATEWAY, namespace, parent->name))
		return;
	text_reset(&telling->field);
	text_push_string(&telling->field, "spec.parentRef.name");
	tell_missing(
	    telling, "Gateway", namespace, parent->name, "ParentNotAccepted");
}

static void
on_pool(void *context, enum gw_finding_row row, struct slice field,
    struct slice text, const char *fix)
{
	struct telling *telling = context;

	text_reset(&telling->field);
	text_push(&telling->field, field);
	tell(telling, row, SLICE(""), text, fix);
}

void
gw_verdicts(const struct gw_state *state, const struct gw_object *object,
    const void *status, gw_finding_fn on_finding, void *context)
{
	must(state != NULL && object != NULL && on_finding != NULL);
	struct telling telling = {
	    .object = object, .on_finding = on_finding, .context = context};
	struct text name;

	text_init(&telling.field);
	text_init(&name);
	text_printf(&name, "%s %.*s%s%.*s", gw_kinds[object->kind].kind,
	    SLICE_ARGS(object->namespace), object->namespace.length ? "/" : "",
	    SLICE_ARGS(object->name));
	telling.name = text_slice(&name);
	if (!gw_kind_is_served(object->kind))
		tell(&telling, GW_FINDING_KIND_NOT_READ, SLICE(""),
		    SLICE("yumen judges it, and does not act on it yet"), NULL);
	gw_pool_verdicts(state, object, on_pool, &telling);
	if (object->route)
		tell_missing_parents(&telling, state, status);
	if (status && object->route) {
		tell_route(&telling, status);
	} else if (status && object->kind == GW_GATEWAY) {
		tell_gateway(&telling, status);
	} else if (status && object->kind == GW_BACKENDTLSPOLICY) {
		tell_policy(&telling, status);
	} else if (object->kind == GW_LISTENERSET) {
		if (status)
			tell_set(&telling, status);
		else
			tell_missing_gateway(&telling, state);
	} else if (status && object->kind == GW_GATEWAYCLASS) {
		const struct gw_gatewayclass_status *class = status;

		tell_conditions(&telling, SLICE(""), class->conditions,
		    class->conditions_count);
	}
	text_fini(&name);
	text_fini(&telling.field);
}
