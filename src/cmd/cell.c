/* Paths are walked as they are read: templates are short, and known at build
 * time, so that a malformed one is a fault of ours. */
#include "cmd/cell.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/must.h"

/* ---- paths ---- */

struct segment {
	struct slice key;
	struct slice filter; /* "type=Accepted", or absent */
};

/* Where the bracket ends that opens at the front. */
static size_t
bracket_end(struct slice path)
{
	unsigned depth = 0;

	for (size_t i = 0; i < path.length; i++) {
		depth += path.data[i] == '[';
		if (path.data[i] == ']' && --depth == 0)
			return i;
	}
	must(!"a path whose bracket does not end");
	return 0;
}

/* ["type=Accepted"] or ['a.b/c'] at the front of path. */
static void
take_bracket(struct slice *path, struct segment *segment)
{
	size_t end = bracket_end(*path);
	struct slice inner = slice_make(path->data + 1, end - 1);

	if (inner.length > 2 && inner.data[0] == '\'')
		segment->key = slice_make(inner.data + 1, inner.length - 2);
	else
		segment->filter = inner;
	*path = slice_skip(*path, end + 1);
}

static struct segment
take_segment(struct slice *path)
{
	struct segment segment = {.key = SLICE_NONE, .filter = SLICE_NONE};
	size_t length = 0;

	while (length < path->length && path->data[length] != '.' &&
	    path->data[length] != '[')
		length++;
	if (length > 0)
		segment.key = slice_make(path->data, length);
	*path = slice_skip(*path, length);
	if (path->length > 0 && path->data[0] == '[' &&
	    (length > 0 ? path->data[1] != '\'' : true))
		take_bracket(path, &segment);
	if (path->length > 0 && path->data[0] == '.')
		*path = slice_skip(*path, 1);
	return segment;
}

static bool
passes(const json_t *value, struct slice filter)
{
	size_t at = filter.length;
	struct slice path;
	bool equal;

	if (!slice_is_set(filter))
		return true;
	/* The last one: a bracket within has its own. */
	while (at > 0 && filter.data[at - 1] != '=')
		at--;
	must(at > 1);
	equal = filter.data[at - 2] != '!';
	path = slice_make(filter.data, equal ? at - 1 : at - 2);
	return cell_is(value, path, slice_skip(filter, at)) == equal;
}

/* Calls fn for each thing at path below value, through lists. Depth is the
 * path's and that of lists within lists, which jansson bounds. */
static void
walk(const json_t *value, struct slice path, struct slice filter, cell_fn fn,
    void *context)
{
	if (value == NULL || json_is_null(value))
		return;
	if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++)
			walk(json_array_get(value, i), path, filter, fn,
			    context);
		return;
	}
	if (!passes(value, filter))
		return;
	if (path.length == 0) {
		fn(context, value);
		return;
	}
	struct segment segment = take_segment(&path);

	walk(json_object_getn(value, segment.key.data, segment.key.length),
	    path, segment.filter, fn, context);
}

void
cell_each(const json_t *object, struct slice path, cell_fn fn, void *context)
{
	must(fn != NULL);
	walk(object, path, SLICE_NONE, fn, context);
}

static void
push_scalar(struct text *out, const json_t *value)
{
	if (json_is_string(value))
		text_push(out,
		    slice_make(
		        json_string_value(value), json_string_length(value)));
	else if (json_is_integer(value))
		text_printf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		text_printf(out, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		text_push_string(out, json_is_true(value) ? "true" : "false");
}

struct finding {
	struct slice value;
	bool found;
};

static void
find(void *context, const json_t *value)
{
	struct finding *finding = context;
	struct text text;

	text_init(&text);
	push_scalar(&text, value);
	finding->found |= slice_equal(text_slice(&text), finding->value);
	text_fini(&text);
}

bool
cell_is(const json_t *object, struct slice path, struct slice value)
{
	struct finding finding = {.value = value};

	cell_each(object, path, find, &finding);
	return finding.found;
}

/* ---- what is done with what is there ---- */

struct cell {
	struct text *out;
	size_t start; /* of this expression in out */
	long long number;
};

static void
join(void *context, const json_t *value)
{
	struct cell *cell = context;
	size_t before = cell->out->length;

	if (before > cell->start)
		text_push_byte(cell->out, ',');
	size_t start = cell->out->length;

	push_scalar(cell->out, value);
	if (cell->out->length == start)
		cell->out->length = before;
}

static void
count(void *context, const json_t *value)
{
	(void)value;
	((struct cell *)context)->number++;
}

static void
sum(void *context, const json_t *value)
{
	((struct cell *)context)->number += json_integer_value(value);
}

static void
count_members(void *context, const json_t *value)
{
	((struct cell *)context)->number += (long long)json_object_size(value);
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In order of their keys. */
static void
push_pairs(void *context, const json_t *map)
{
	struct cell *cell = context;
	size_t length = json_object_size(map), at = 0;
	const char **keys = memory_zero(length + 1, sizeof(*keys));
	/* jansson iterates over what may be changed only. */
	json_t *value, *changeable = (json_t *)(uintptr_t)map;
	const char *key;

	json_object_foreach(changeable, key, value) keys[at++] = key;
	qsort(keys, at, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < at; i++) {
		if (cell->out->length > cell->start)
			text_push_byte(cell->out, ',');
		text_printf(cell->out, "%s=", keys[i]);
		push_scalar(cell->out, json_object_get(map, keys[i]));
	}
	memory_free(keys);
}

static const struct {
	char mark;
	cell_fn fn;
	bool numeric;
} marks[] = {
    {'#', count, true},
    {'+', sum, true},
    {'%', count_members, true},
    {'@', push_pairs, false},
};

static void
each_path(
    const json_t *object, struct slice paths, cell_fn fn, struct cell *cell)
{
	struct slice path;

	while (paths.length > 0 && slice_cut(&paths, ',', &path))
		cell_each(object, path, fn, cell);
}

static bool
is_punctuation(char byte)
{
	return byte == ':' || byte == '/';
}

static void
push_values(struct text *out, const json_t *object, struct slice paths,
    cell_fn fn, struct slice fallback)
{
	struct cell cell = {.out = out};
	char before = '\0', after = '\0';

	if (is_punctuation(paths.data[0])) {
		before = paths.data[0];
		paths = slice_skip(paths, 1);
	} else if (is_punctuation(paths.data[paths.length - 1])) {
		after = paths.data[--paths.length];
	}
	if (before)
		text_push_byte(out, before);
	cell.start = out->length;
	each_path(object, paths, fn, &cell);
	if (out->length == cell.start)
		text_push(out, fallback);
	if (out->length == cell.start)
		out->length -= before != '\0';
	else if (after)
		text_push_byte(out, after);
}

/* What stands between braces. */
static void
push_expression(struct text *out, const json_t *object, struct slice expression)
{
	struct slice fallback = SLICE(""), paths;
	struct cell cell = {.out = out};
	bool some = slice_cut(&expression, '|', &paths);

	must(some && paths.length > 0);
	if (slice_is_set(expression))
		fallback = expression;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (paths.data[0] != marks[i].mark)
			continue;
		paths = slice_skip(paths, 1);
		if (!marks[i].numeric) {
			push_values(out, object, paths, marks[i].fn, fallback);
			return;
		}
		each_path(object, paths, marks[i].fn, &cell);
		text_printf(out, "%lld", cell.number);
		return;
	}
	push_values(out, object, paths, join, fallback);
}

void
cell_push(struct text *out, const json_t *object, const char *format)
{
	must(out != NULL && format != NULL);
	struct slice rest = slice_from_string(format);

	while (rest.length > 0) {
		size_t open = slice_find(rest, '{'), close;

		text_push(out, slice_make(rest.data, open));
		if (open == rest.length)
			return;
		rest = slice_skip(rest, open + 1);
		close = slice_find(rest, '}');
		must(close < rest.length);
		push_expression(out, object, slice_make(rest.data, close));
		rest = slice_skip(rest, close + 1);
	}
}

struct each {
	struct text *out;
	const char *format;
	size_t start;
};

static void
push_one(void *context, const json_t *value)
{
	struct each *each = context;

	if (each->out->length > each->start)
		text_push_byte(each->out, ',');
	cell_push(each->out, value, each->format);
}

void
cell_push_each(struct text *out, const json_t *object, const char *path,
    const char *format)
{
	must(path != NULL);
	struct each each = {out, format, out->length};

	if (path[0] == '\0')
		cell_push(out, object, format);
	else
		cell_each(object, slice_from_string(path), push_one, &each);
}
