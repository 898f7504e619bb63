/* A schema written out as JSON Schema. What no editor could use is left out:
 * formats that JSON Schema does not know go by their OpenAPI name. */
#include "gw/schema.h"

#include "core/limit.h"
#include "core/must.h"
#include "gw/schema_priv.h"
#include "wire/tree.h"

struct writing {
	struct text *out;
	const struct gw_schema *schema;
	unsigned depth;
	unsigned parts; /* of allOf and its like, around us: fields are some */
};

static void write_node(struct writing *writing, uint16_t index);

static void
push_text(struct text *out, const char *text)
{
	text_push_json(out, slice_from_string(text));
}

static void
write_types(struct text *out, uint8_t types)
{
	static const char *const names[] = {
	    "boolean", "integer", "number", "string", "array", "object"};
	bool several = (types & (types - 1)) != 0;
	const char *comma = "";

	if (types == 0)
		return;
	text_printf(out, ", \"type\": %s", several ? "[" : "");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(types & (1 << i)))
			continue;
		text_printf(out, "%s\"%s\"", comma, names[i]);
		comma = ", ";
	}
	text_push_string(out, several ? "]" : "");
}

static void
write_limits(struct text *out, const struct node *node)
{
	const struct limits *limits = &schema_rows.limits[node->limits];
	const char *of = node->types & TYPE_TEXT ? "Length"
	    : node->types & TYPE_LIST            ? "Items"
	    : node->types & TYPE_MAP             ? "Properties"
	                                         : "imum";

	if (node->types == 0)
		return;
	if (limits->low > (of[0] == 'i' ? INT64_MIN : 0))
		text_printf(
		    out, ", \"min%s\": %lld", of, (long long)limits->low);
	if (limits->high < INT64_MAX)
		text_printf(
		    out, ", \"max%s\": %lld", of, (long long)limits->high);
}

/* Returns the first value behind it. */
static uint16_t
write_value(struct text *out, uint16_t at)
{
	const struct value *value = &schema_rows.values[at];
	uint16_t end = (uint16_t)(at + 1 + value->below);
	bool is_map = value->kind == TREE_MAP;

	switch ((enum tree_kind)value->kind) {
	case TREE_TEXT:
		push_text(out, schema_text(value->text));
		break;
	case TREE_BOOL:
		text_push_string(out, value->integer ? "true" : "false");
		break;
	case TREE_INTEGER:
		text_printf(out, "%d", value->integer);
		break;
	case TREE_NULL:
	case TREE_REAL:
		text_push_string(out, "null");
		break;
	case TREE_LIST:
	case TREE_MAP:
		text_push_byte(out, is_map ? '{' : '[');
		for (uint16_t i = (uint16_t)(at + 1); i < end;) {
			text_push_string(out, i > at + 1 ? ", " : "");
			if (is_map) {
				push_text(out,
				    schema_text(schema_rows.values[i].key));
				text_push_string(out, ": ");
			}
			i = write_value(out, i);
		}
		text_push_byte(out, is_map ? '}' : ']');
		break;
	}
	return end;
}

/* Which object it is stands in two fields of the document itself. */
static bool
write_identity(struct writing *writing, const char *name)
{
	const struct gw_schema *schema = writing->schema;
	struct text *out = writing->out;

	if (writing->depth > 1)
		return false;
	if (strcmp(name, "kind") == 0)
		text_printf(out, "{\"const\": \"%s\"}", schema->kind);
	else if (strcmp(name, "apiVersion") == 0)
		text_printf(out, "{\"const\": \"%s%s%s\"}", schema->group,
		    schema->group[0] ? "/" : "", schema->version);
	else
		return false;
	return true;
}

static void
write_property(struct writing *writing, const struct property *property)
{
	struct text *out = writing->out;
	const char *name = schema_text(property->name);

	push_text(out, name);
	text_push_string(out, ": ");
	if (write_identity(writing, name))
		return;
	write_node(writing, property->node);
	if (property->fallback == 0)
		return;
	must(out->data[out->length - 1] == '}');
	out->length--;
	text_push_string(out,
	    out->data[out->length - 1] == '{' ? "\"default\": "
	                                      : ", \"default\": ");
	write_value(out, property->fallback);
	text_push_byte(out, '}');
}

static void
write_required(struct writing *writing, const struct node *node)
{
	struct text *out = writing->out;
	bool is_root = writing->depth == 1;
	unsigned count = 0;

	for (unsigned i = 0; i < node->property_count; i++) {
		const struct property *property =
		    &schema_rows.properties[node->properties + i];
		const char *name = schema_text(property->name);
		bool names_it = strcmp(name, "kind") == 0 ||
		    strcmp(name, "apiVersion") == 0 ||
		    strcmp(name, "metadata") == 0;

		/* What has a default need not be written. */
		if (!(property->required && property->fallback == 0) &&
		    !(is_root && names_it))
			continue;
		text_push_string(out, count++ > 0 ? ", " : ", \"required\": [");
		push_text(out, name);
	}
	text_push_string(out, count > 0 ? "]" : "");
}

static void
write_map(struct writing *writing, const struct node *node)
{
	struct text *out = writing->out;

	if (node->property_count > 0) {
		text_push_string(out, ", \"properties\": {");
		for (unsigned i = 0; i < node->property_count; i++) {
			text_push_string(out, i > 0 ? ", " : "");
			write_property(writing,
			    &schema_rows.properties[node->properties + i]);
		}
		text_push_byte(out, '}');
	}
	write_required(writing, node);
	if (node->items != NONE) {
		text_push_string(out, ", \"additionalProperties\": ");
		write_node(writing, node->items);
	} else if (!node->keep && node->property_count > 0 &&
	    writing->parts == 0) {
		text_push_string(out, ", \"additionalProperties\": false");
	}
}

static void
write_list(struct writing *writing, const struct node *node)
{
	struct text *out = writing->out;

	if (node->items != NONE) {
		text_push_string(out, ", \"items\": ");
		write_node(writing, node->items);
	}
	if (node->unique == UNIQUE_SET)
		text_push_string(out, ", \"uniqueItems\": true");
	if (node->unique != UNIQUE_MAP)
		return;
	text_push_string(out, ", \"x-kubernetes-list-map-keys\": [");
	for (unsigned i = 0; i < node->key_count; i++) {
		text_push_string(out, i > 0 ? ", " : "");
		push_text(out, schema_text(schema_rows.words[node->keys + i]));
	}
	text_push_byte(out, ']');
}

static void
write_scalar(struct text *out, const struct node *node)
{
	static const char *const formats[] = {
	    [FORMAT_BYTE] = "byte",
	    [FORMAT_BASE64] = "byte",
	    [FORMAT_IPV4] = "ipv4",
	    [FORMAT_IPV6] = "ipv6",
	    [FORMAT_DATE_TIME] = "date-time",
	};
	static const char *const patterns[] = {
#define GW_PATTERN(name, pattern, ...) pattern,
#include "gw/pattern.def"
#undef GW_PATTERN
	};

	if (node->format != 0)
		text_printf(out, ", \"format\": \"%s\"", formats[node->format]);
	if (node->pattern != 0) {
		text_push_string(out, ", \"pattern\": ");
		push_text(out, patterns[node->pattern - 1]);
	}
	for (unsigned i = 0; i < node->choice_count; i++) {
		text_push_string(out, i > 0 ? ", " : ", \"enum\": [");
		text_push_json(out, schema_choice(node, i));
	}
	text_push_string(out, node->choice_count > 0 ? "]" : "");
}

static void
write_rules(struct text *out, const struct node *node)
{
	static const char *const texts[] = {
#define GW_CEL(name, text, ...) text,
#include "gw/cel.def"
#undef GW_CEL
	};

	for (unsigned i = 0; i < node->rule_count; i++) {
		const struct rule_use *use =
		    &schema_rows.rules[node->rules + i];

		text_push_string(out,
		    i > 0 ? ", {\"rule\": "
		          : ", \"x-kubernetes-validations\": [{\"rule\": ");
		push_text(out, texts[use->rule]);
		text_push_string(out, ", \"message\": ");
		push_text(out, schema_text(use->message));
		text_push_byte(out, '}');
	}
	text_push_string(out, node->rule_count > 0 ? "]" : "");
}

static const uint16_t *
write_members(struct writing *writing, const char *name, const uint16_t *at,
    unsigned count)
{
	struct text *out = writing->out;

	if (count > 0)
		text_printf(out, ", \"%s\": [", name);
	for (unsigned i = 0; i < count; i++) {
		text_push_string(out, i > 0 ? ", " : "");
		write_node(writing, *at++);
	}
	text_push_string(out, count > 0 ? "]" : "");
	return at;
}

static void
write_parts(struct writing *writing, const struct parts *of)
{
	const uint16_t *at = &schema_rows.members[of->first];

	writing->parts++;
	at = write_members(writing, "allOf", at, of->all);
	at = write_members(writing, "anyOf", at, of->any);
	at = write_members(writing, "oneOf", at, of->one);
	/* JSON Schema has one "not". */
	must(of->not <= 1);
	if (of->not == 1) {
		text_push_string(writing->out, ", \"not\": ");
		write_node(writing, *at);
	}
	writing->parts--;
}

/* Schemas are trees as deep as the objects that they describe. */
static void
write_node(struct writing *writing, uint16_t index)
{
	const struct node *node = &schema_rows.nodes[index];
	struct text members, *out = writing->out;

	must(++writing->depth <= LIMIT_VALUE_FILE_DEPTH);
	text_init(&members);
	writing->out = &members;
	write_types(&members, node->types);
	write_limits(&members, node);
	write_scalar(&members, node);
	if (node->types != TYPE_LIST)
		write_map(writing, node);
	if (node->types & TYPE_LIST)
		write_list(writing, node);
	if (node->parts != 0)
		write_parts(writing, &schema_rows.parts[node->parts]);
	write_rules(&members, node);
	writing->out = out;
	writing->depth--;
	/* Each member begins with a comma. */
	text_push_byte(out, '{');
	if (members.length > 2)
		text_push(out, slice_skip(text_slice(&members), 2));
	text_push_byte(out, '}');
	text_fini(&members);
}

void
gw_schema_write(struct text *out, const struct gw_schema *schema)
{
	must(out != NULL && schema != NULL && schema->kind != NULL);
	struct text root;
	struct writing writing = {.out = &root, .schema = schema};

	text_init(&root);
	write_node(&writing, schema->root);
	text_printf(out,
	    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", "
	    "\"title\": \"%s %s%s%s\", ",
	    schema->kind, schema->group, schema->group[0] ? "/" : "",
	    schema->version);
	text_push(out, slice_skip(text_slice(&root), 1));
	text_push_byte(out, '\n');
	text_fini(&root);
}
