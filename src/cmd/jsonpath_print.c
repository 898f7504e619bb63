/* What a template prints of an object. How deep it goes is bounded by the
 * template: a path's steps, and ranges within ranges. */
#include "cmd/jsonpath_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/must.h"

typedef void (*found_fn)(void *context, const json_t *value);

struct walk {
	const struct jsonpath *path;
	found_fn found;
	void *context;
};

static void
note_found(void *context, const json_t *value)
{
	const json_t **first = context;

	if (!*first)
		*first = value;
}

/* Texts by their bytes, numbers by their value; of others nothing is less. */
static bool
compares(const json_t *left, enum filter_relation relation, const json_t *right)
{
	int order;

	if (json_is_number(left) && json_is_number(right)) {
		double a = json_number_value(left),
		       b = json_number_value(right);

		order = (a > b) - (a < b);
	} else if (json_is_string(left) && json_is_string(right)) {
		order =
		    strcmp(json_string_value(left), json_string_value(right));
	} else {
		bool equal = json_equal(left, right);

		return relation == FILTER_UNEQUAL
		    ? !equal
		    : relation == FILTER_EQUAL && equal;
	}
	switch (relation) {
	case FILTER_EQUAL:
		return order == 0;
	case FILTER_UNEQUAL:
		return order != 0;
	case FILTER_LESS:
		return order < 0;
	case FILTER_LESS_EQUAL:
		return order <= 0;
	case FILTER_MORE:
		return order > 0;
	case FILTER_MORE_EQUAL:
		return order >= 0;
	case FILTER_EXISTS:
		break;
	}
	return true;
}

static void walk_steps(const struct walk *walk, const json_t *value,
    unsigned first, unsigned count);

static bool
fits(
    const struct jsonpath *path, const struct step *filter, const json_t *value)
{
	const json_t *first = NULL;
	struct walk walk = {path, note_found, &first};

	walk_steps(&walk, value, filter->first, filter->count);
	return first &&
	    (filter->relation == FILTER_EXISTS ||
	        compares(first, filter->relation, filter->literal));
}

/* Which step comes after this one: a filter's own lie behind it. */
static unsigned
length_of(const struct step *step)
{
	return 1 + (step->kind == STEP_FILTER ? step->count : 0);
}

static void
walk_items(const struct walk *walk, const json_t *value,
    const struct step *step, unsigned first, unsigned count)
{
	json_int_t size = (json_int_t)json_array_size(value);
	json_int_t from = step->from, to = step->to;

	from += from < 0 ? size : 0;
	to += to < 0 ? size : 0;
	if (step->one)
		to = from < 0 ? 0 : from + 1;
	for (json_int_t i = from < 0 ? 0 : from; i < to && i < size; i++)
		walk_steps(
		    walk, json_array_get(value, (size_t)i), first, count);
}

static void
walk_all(const struct walk *walk, const json_t *value, unsigned first,
    unsigned count)
{
	const char *key;
	json_t *member;

	for (size_t i = 0; i < json_array_size(value); i++)
		walk_steps(walk, json_array_get(value, i), first, count);
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	    walk_steps(walk, member, first, count);
}

/* The first of count steps is first. */
static void
walk_steps(const struct walk *walk, const json_t *value, unsigned first,
    unsigned count)
{
	const struct step *step = &walk->path->steps[first];

	if (!value || json_is_null(value))
		return;
	if (count == 0) {
		walk->found(walk->context, value);
		return;
	}
	first += length_of(step);
	count -= length_of(step);
	switch (step->kind) {
	case STEP_NAME:
		walk_steps(walk,
		    json_object_getn(value, step->name.data, step->name.length),
		    first, count);
		break;
	case STEP_ALL:
		walk_all(walk, value, first, count);
		break;
	case STEP_SLICE:
		walk_items(walk, value, step, first, count);
		break;
	case STEP_FILTER:
		for (size_t i = 0; i < json_array_size(value); i++)
			if (fits(walk->path, step, json_array_get(value, i)))
				walk_steps(walk, json_array_get(value, i),
				    first, count);
		break;
	}
}

struct printing {
	struct text *out;
	const char *between;
	unsigned count; /* of values so far */
};

static void
push_value(void *context, const json_t *value)
{
	struct printing *printing = context;
	char *dumped;

	if (printing->count++ > 0)
		text_push_string(printing->out, printing->between);
	if (json_is_string(value)) {
		text_push(printing->out,
		    slice_make(
		        json_string_value(value), json_string_length(value)));
		return;
	}
	dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	text_push_string(printing->out, dumped ? dumped : "");
	free(dumped);
}

struct running {
	struct text *out;
	const struct jsonpath *path;
	const json_t *whole;
	unsigned first, end; /* the nodes of a range's body */
};

static void run(const struct running *running, const json_t *value);

static void
run_body(void *context, const json_t *value)
{
	run(context, value);
}

static void
run(const struct running *running, const json_t *value)
{
	const struct jsonpath *path = running->path;
	struct printing printing = {running->out, " ", 0};

	for (unsigned i = running->first; i < running->end; i++) {
		const struct node *node = &path->nodes[i];
		const json_t *from = node->whole ? running->whole : value;
		struct running body = {
		    running->out, path, running->whole, i + 1, node->end};
		struct walk walk = {path, push_value, &printing};

		switch (node->kind) {
		case NODE_TEXT:
			text_push(running->out, node->text);
			break;
		case NODE_PATH:
			printing.count = 0;
			walk_steps(&walk, from, node->first, node->count);
			break;
		case NODE_RANGE:
			walk.found = run_body;
			walk.context = &body;
			walk_steps(&walk, from, node->first, node->count);
			i = node->end;
			break;
		case NODE_END:
			break;
		}
	}
}

void
jsonpath_push(
    struct text *out, const struct jsonpath *path, const json_t *whole)
{
	struct running running = {out, path, whole, 0, path->node_count};

	run(&running, whole);
}

bool
jsonpath_push_values(struct text *out, const struct jsonpath *path,
    const json_t *whole, const char *between)
{
	struct printing printing = {out, between, 0};
	struct walk walk = {path, push_value, &printing};

	must(path->node_count == 1 && path->nodes[0].kind == NODE_PATH);
	walk_steps(&walk, whole, path->nodes[0].first, path->nodes[0].count);
	return printing.count > 0;
}
