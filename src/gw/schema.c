/* The walk over a document by its schema: takes nulls and unknown fields out,
 * puts defaults in, and has each value judged. Rules are gathered on the way
 * and run at its end. */
#include "gw/schema.h"

#include "core/must.h"
#include "gw/schema_priv.h"
#include "wire/nearest.h"

#include "gw/schema_tables.inc"

const struct schema_rows schema_rows = {
    .nodes = nodes,
    .properties = properties,
    .limits = limits,
    .rules = rules,
    .parts = parts,
    .values = values,
    .members = members,
    .words = words,
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void judge_node(struct schema_judge *judge, struct tree_node *tree,
    uint16_t index, const struct schema_place *place);
static void judge_fields(struct schema_judge *judge, struct tree_node *tree,
    const struct node *node, const struct schema_place *place);
static void judge_items(struct schema_judge *judge,
    const struct tree_node *tree, const struct node *node,
    const struct schema_place *place);
static void judge_parts(struct schema_judge *judge, struct tree_node *tree,
    const struct parts *of, const struct schema_place *place);
static void run_rules(
    struct schema_judge *judge, const struct tree_node *document);

const char *
schema_text(uint16_t offset)
{
	return texts + offset;
}

struct slice
schema_choice(const struct node *node, unsigned index)
{
	return slice_from_string(texts + words[node->choices + index]);
}

bool
gw_schema_at(unsigned index, struct gw_schema *schema)
{
	must(schema != NULL);
	*schema = (struct gw_schema){0};
	if (index >= KINDS)
		return false;
	const struct kind_row *row = &kinds[index];

	*schema = (struct gw_schema){
	    .group = texts + row->group,
	    .version = texts + row->version,
	    .kind = texts + row->kind,
	    .plural = texts + row->plural,
	    .short_names = texts + row->short_names,
	    .namespaced = row->namespaced,
	    .root = row->root,
	};
	return true;
}

bool
gw_schema_find(struct slice group, struct slice version, struct slice kind,
    struct gw_schema *schema)
{
	must(schema != NULL);
	struct gw_schema other = {0};

	for (unsigned i = 0; gw_schema_at(i, schema); i++) {
		if (!slice_equal(kind, slice_from_string(schema->kind)) ||
		    !slice_equal(group, slice_from_string(schema->group)))
			continue;
		if (slice_equal(version, slice_from_string(schema->version)))
			return true;
		if (!other.kind)
			other = *schema;
	}
	*schema = other;
	return false;
}

/* One without is refused before its rules are asked. */
static bool
has_name(const struct tree_node *document)
{
	const struct tree_node *metadata = wire_tree_get(document, "metadata");
	const struct tree_node *name =
	    metadata ? wire_tree_get(metadata, "name") : NULL;

	return name && name->text.length > 0;
}

bool
gw_schema_judge(const struct gw_schema *schema, struct tree_node *document,
    struct arena *arena, gw_schema_fault_fn on_fault, void *context,
    bool *typed)
{
	must(schema != NULL && document != NULL && on_fault != NULL);
	must(document->kind == TREE_MAP);
	struct schema_judge judge = {
	    .arena = arena, .on_fault = on_fault, .context = context};

	judge.last_duty = &judge.duties;
	judge_node(&judge, document, schema->root, NULL);
	if (!judge.blocked && has_name(document))
		run_rules(&judge, document);
	if (typed)
		*typed = !judge.mistyped;
	return !judge.failed;
}

static bool
has_type(const struct node *node, const struct tree_node *tree)
{
	switch (tree->kind) {
	case TREE_NULL:
		break;
	case TREE_BOOL:
		return node->types & TYPE_BOOL;
	case TREE_INTEGER:
		return node->types & (TYPE_INTEGER | TYPE_NUMBER);
	case TREE_REAL:
		return node->types & TYPE_NUMBER;
	case TREE_TEXT:
		return node->types & TYPE_TEXT;
	case TREE_LIST:
		return node->types & TYPE_LIST;
	case TREE_MAP:
		return node->types & TYPE_MAP;
	}
	return false;
}

static void
add_duty(struct schema_judge *judge, const struct tree_node *tree,
    const struct node *node)
{
	struct schema_duty *duty = arena_alloc(judge->arena, sizeof(*duty));

	*duty = (struct schema_duty){.self = tree, .node = node};
	*judge->last_duty = duty;
	judge->last_duty = &duty->next;
}

static void
judge_node(struct schema_judge *judge, struct tree_node *tree, uint16_t index,
    const struct schema_place *place)
{
	const struct node *node = &nodes[index];

	if (node->types != 0 && !has_type(node, tree)) {
		schema_fault_type(judge, tree, node, place);
		return;
	}
	if (node->rule_count > 0 && !judge->part)
		add_duty(judge, tree, node);
	if (tree->kind == TREE_MAP)
		judge_fields(judge, tree, node, place);
	else if (tree->kind == TREE_LIST)
		judge_items(judge, tree, node, place);
	schema_judge_value(judge, tree, node, &limits[node->limits], place);
	if (node->parts != 0)
		judge_parts(judge, tree, &parts[node->parts], place);
}

/* ---- maps ---- */

/* The index of a property, or -1. They are sorted by name. */
static int
find_property(const struct node *node, struct slice name)
{
	const struct property *all = &properties[node->properties];
	int low = 0, high = node->property_count;

	while (low < high) {
		int middle = (low + high) / 2;
		int order = slice_compare(name,
		    slice_make(texts + all[middle].name, all[middle].length));

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

static void
report_unknown(struct schema_judge *judge, const struct tree_node *tree,
    const struct node *node, const struct schema_place *place)
{
	struct wire_nearest nearest;

	wire_nearest_init(&nearest, tree->key);
	for (unsigned i = 0; i < node->property_count; i++)
		wire_nearest_feed(&nearest,
		    slice_from_string(
		        texts + properties[node->properties + i].name));
	schema_fault(judge, GW_FINDING_FIELD_UNKNOWN, tree, place,
	    SLICE("there is no such field"), nearest.best);
}

/* A default as a tree; it stands where the map stands that lacks it. */
static struct tree_node *
make_value(
    struct schema_judge *judge, uint16_t at, const struct tree_node *where)
{
	const struct value *value = &values[at];
	struct tree_node *tree = arena_zero(judge->arena, 1, sizeof(*tree));
	struct tree_node **link = &tree->child;

	tree->kind = value->kind;
	tree->line = tree->key_line = where->line;
	tree->column = tree->key_column = where->column;
	tree->key = slice_from_string(texts + value->key);
	tree->text = slice_from_string(texts + value->text);
	tree->integer = value->integer;
	for (uint16_t i = at + 1; i <= at + value->below;
	     i += 1 + values[i].below) {
		*link = make_value(judge, i, where);
		link = &(*link)->next;
		tree->count++;
	}
	return tree;
}

/* The properties that are not there and must be, or have a default. */
static void
judge_missing(struct schema_judge *judge, struct tree_node *tree,
    struct tree_node **end, const struct node *node, uint64_t missing,
    const struct schema_place *place)
{
	for (; missing != 0; missing &= missing - 1) {
		const struct property *property =
		    &properties[node->properties + __builtin_ctzll(missing)];
		struct slice name =
		    slice_make(texts + property->name, property->length);
		struct schema_place inner = {.up = place, .name = name};

		if (property->fallback == 0) {
			schema_fault(judge, GW_FINDING_FIELD_MISSING, tree,
			    &inner, SLICE("is required"), SLICE_NONE);
			continue;
		}
		*end = make_value(judge, property->fallback, tree);
		(*end)->key = name;
		tree->count++;
		judge_node(judge, *end, property->node, &inner);
		end = &(*end)->next;
	}
}

/* In a list or a map of Go's types a null is an empty value. */
static void
fill_null(struct tree_node *tree, const struct node *node)
{
	if (tree->kind != TREE_NULL)
		return;
	if (node->types == TYPE_TEXT)
		tree->kind = TREE_TEXT;
	else if (node->types == TYPE_LIST)
		tree->kind = TREE_LIST;
	else if (node->types == TYPE_MAP)
		tree->kind = TREE_MAP;
	tree->text = SLICE("");
}

/* Does a property say nothing? */
static bool
is_absent(const struct tree_node *tree, const struct node *node)
{
	bool empty = tree->kind == TREE_TEXT
	    ? tree->text.length == 0
	    : tree->kind <= TREE_INTEGER && tree->integer == 0;

	return tree->kind == TREE_NULL ||
	    (node->zero && empty && has_type(node, tree));
}

static void
judge_fields(struct schema_judge *judge, struct tree_node *tree,
    const struct node *node, const struct schema_place *place)
{
	struct tree_node **link = &tree->child;
	uint64_t seen = 0;

	while (*link) {
		struct tree_node *child = *link;
		struct schema_place inner = {.up = place, .name = child->key};
		int at = find_property(node, child->key);
		uint16_t sub = at < 0 ? node->items
		                      : properties[node->properties + at].node;
		bool unknown = sub == NONE && !node->keep;

		if (node->native && at < 0 && sub != NONE)
			fill_null(child, &nodes[sub]);
		/* A null is an absent field; an unknown one is left out. */
		if (!judge->part &&
		    (unknown ||
		        (sub != NONE && is_absent(child, &nodes[sub])))) {
			if (unknown)
				report_unknown(judge, child, node, &inner);
			*link = child->next;
			tree->count--;
			continue;
		}
		if (at >= 0)
			seen |= (uint64_t)1 << at;
		if (sub != NONE)
			judge_node(judge, child, sub, &inner);
		link = &child->next;
	}
	judge_missing(judge, tree, link, node, node->wanted & ~seen, place);
}

/* ---- lists ---- */

static void
judge_items(struct schema_judge *judge, const struct tree_node *tree,
    const struct node *node, const struct schema_place *place)
{
	struct schema_place inner = {.up = place, .is_item = true};

	if (node->items == NONE)
		return;
	for (struct tree_node *item = tree->child; item; item = item->next) {
		if (node->native)
			fill_null(item, &nodes[node->items]);
		judge_node(judge, item, node->items, &inner);
		inner.index++;
	}
	if (node->unique == UNIQUE_SET)
		schema_judge_unique(judge, tree, NULL, 0, place);
	if (node->unique == UNIQUE_MAP) {
		struct slice keys[KEYS_MAX];

		for (unsigned i = 0; i < node->key_count; i++)
			keys[i] =
			    slice_from_string(texts + words[node->keys + i]);
		schema_judge_unique(judge, tree, keys, node->key_count, place);
	}
}

/* ---- allOf, anyOf, oneOf, not ---- */

/* Tells, and changes nothing. */
static void
judge_part(struct schema_judge *judge, struct tree_node *tree, uint16_t index,
    const struct schema_place *place)
{
	bool part = judge->part;

	judge->part = true;
	judge_node(judge, tree, index, place);
	judge->part = part;
}

static bool
fits(const struct schema_judge *judge, struct tree_node *tree, uint16_t index,
    const struct schema_place *place)
{
	struct schema_judge trial = *judge;

	trial.trying = true;
	trial.failed = false;
	judge_part(&trial, tree, index, place);
	return !trial.failed;
}

/* An API server tells both that no alternative fits and what is wrong by the
 * one that comes nearest. Here the first one's faults are told, being what
 * people mean; where it has none, that too many fit. */
static void
judge_alternatives(struct schema_judge *judge, struct tree_node *tree,
    const uint16_t *alternatives, unsigned count, bool exactly_one,
    const struct schema_place *place)
{
	unsigned fitting = 0;

	for (unsigned i = 0; i < count; i++)
		fitting += fits(judge, tree, alternatives[i], place);
	if (fitting == 1 || (fitting > 1 && !exactly_one))
		return;
	if (fitting == 0)
		judge_part(judge, tree, alternatives[0], place);
	else
		schema_fault(judge, GW_FINDING_VALUE_INVALID, tree, place,
		    SLICE("has more than one of the forms it may have"),
		    SLICE_NONE);
}

static void
judge_parts(struct schema_judge *judge, struct tree_node *tree,
    const struct parts *of, const struct schema_place *place)
{
	const uint16_t *at = &members[of->first];

	for (unsigned i = 0; i < of->all; i++)
		judge_part(judge, tree, *at++, place);
	if (of->any > 0)
		judge_alternatives(judge, tree, at, of->any, false, place);
	at += of->any;
	if (of->one > 0)
		judge_alternatives(judge, tree, at, of->one, true, place);
	at += of->one;
	for (unsigned i = 0; i < of->not ; i++, at++)
		if (fits(judge, tree, *at, place))
			schema_fault(judge, GW_FINDING_VALUE_INVALID, tree,
			    place, SLICE("is what it must not be"), SLICE_NONE);
}

/* ---- rules ---- */

static void
run_duty(struct schema_judge *judge, const struct tree_node *document,
    const struct schema_duty *duty)
{
	for (unsigned i = 0; i < duty->node->rule_count; i++) {
		const struct rule_use *use = &rules[duty->node->rules + i];
		const struct tree_node *broken =
		    gw_cel_broken(use->rule, duty->self);

		if (broken)
			schema_fault_rule(judge, document, duty->self, broken,
			    gw_cel_finding(use->rule), texts + use->message);
	}
}

static void
run_rules(struct schema_judge *judge, const struct tree_node *document)
{
	for (struct schema_duty *duty = judge->duties; duty; duty = duty->next)
		run_duty(judge, document, duty);
}
