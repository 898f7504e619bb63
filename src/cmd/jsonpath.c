/* Templates are read into nodes (text, paths, ranges) whose paths are runs of
 * steps. How deep that goes is bounded, and so is how many there are. */
#include "cmd/jsonpath_priv.h"

#include <string.h>

#include "core/memory.h"

#define RANGES_MAX 8
#define FILTERS_MAX 4 /* within each other */

struct reader {
	struct jsonpath *path;
	struct slice rest, template;
	struct text *why;
	bool failed;
	unsigned open[RANGES_MAX], depth; /* ranges that are open */
};

static void
fail(struct reader *reader, const char *what)
{
	if (!reader->failed)
		text_printf(reader->why, "%s, at character %zu", what,
		    reader->template.length - reader->rest.length + 1);
	reader->failed = true;
}

static bool
accept(struct reader *reader, const char *word)
{
	struct slice wanted = slice_from_string(word);

	if (reader->failed || !slice_starts_with(reader->rest, wanted))
		return false;
	reader->rest = slice_skip(reader->rest, wanted.length);
	return true;
}

static void
expect(struct reader *reader, const char *word, const char *what)
{
	if (!accept(reader, word))
		fail(reader, what);
}

static char
peek(const struct reader *reader)
{
	return reader->rest.length > 0 ? reader->rest.data[0] : '\0';
}

static void
skip_spaces(struct reader *reader)
{
	while (
	    peek(reader) == ' ' || peek(reader) == '\t' || peek(reader) == '\n')
		reader->rest = slice_skip(reader->rest, 1);
}

/* Behind the quote that opens, up to the one that closes. */
static struct slice
take_quoted(struct reader *reader, char quote)
{
	char *copy = arena_alloc(&reader->path->arena, reader->rest.length + 1);
	size_t length = 0;

	while (reader->rest.length > 0 && peek(reader) != quote) {
		char c = peek(reader);

		reader->rest = slice_skip(reader->rest, 1);
		if (c == '\\' && reader->rest.length > 0) {
			c = peek(reader);
			c = c == 'n'   ? '\n'
			    : c == 't' ? '\t'
			    : c == 'r' ? '\r'
			               : c;
			reader->rest = slice_skip(reader->rest, 1);
		}
		copy[length++] = c;
	}
	if (reader->rest.length == 0)
		fail(reader, "a quote is not closed");
	else
		reader->rest = slice_skip(reader->rest, 1);
	return slice_make(copy, length);
}

/* A member's name; '\' takes what follows for a part of it. */
static struct slice
take_name(struct reader *reader)
{
	char *copy = arena_alloc(&reader->path->arena, reader->rest.length + 1);
	size_t length = 0;

	while (reader->rest.length > 0 &&
	    !memchr(".[]{}()=!<>,'\" \t\n", peek(reader), 17)) {
		if (peek(reader) == '\\' && reader->rest.length > 1)
			reader->rest = slice_skip(reader->rest, 1);
		copy[length++] = peek(reader);
		reader->rest = slice_skip(reader->rest, 1);
	}
	if (length == 0)
		fail(reader, "a member's name is wanted");
	return slice_make(copy, length);
}

static struct step *
push_step(struct reader *reader, enum step_kind kind)
{
	struct jsonpath *path = reader->path;

	if (path->step_count == STEPS_MAX) {
		fail(reader, "it has too many steps");
		return &path->steps[0];
	}
	path->steps[path->step_count] = (struct step){.kind = kind};
	return &path->steps[path->step_count++];
}

static bool
take_index(struct reader *reader, json_int_t *index)
{
	uint64_t number;
	bool negative = accept(reader, "-");
	size_t length = 0;

	while (length < reader->rest.length &&
	    reader->rest.data[length] >= '0' &&
	    reader->rest.data[length] <= '9')
		length++;
	if (!slice_to_number(slice_make(reader->rest.data, length),
	        INT32_MAX - 1, &number)) {
		if (negative || length > 0)
			fail(reader, "a number is wanted");
		return false;
	}
	reader->rest = slice_skip(reader->rest, length);
	*index = negative ? -(json_int_t)number : (json_int_t)number;
	return true;
}

/* [0] [-1] [1:] [:2] [1:3] */
static void
read_slice(struct reader *reader)
{
	struct step *step = push_step(reader, STEP_SLICE);
	bool is = take_index(reader, &step->from);

	step->to = INT32_MAX;
	if (accept(reader, ":"))
		(void)take_index(reader, &step->to);
	else if (is)
		step->one = true;
	else
		fail(reader,
		    "in brackets there is *, a number, numbers with ':' "
		    "between, a 'name' or ?(...)");
	expect(reader, "]", "']' is wanted");
}

static void read_steps(struct reader *reader, unsigned depth);

static json_t *
read_literal(struct reader *reader)
{
	char quote = peek(reader);
	size_t length = 0;
	json_t *value;

	if (accept(reader, "\"") || accept(reader, "'")) {
		struct slice text = take_quoted(reader, quote);

		value = json_stringn_nocheck(text.data, text.length);
	} else {
		while (length < reader->rest.length &&
		    reader->rest.data[length] != ')' &&
		    reader->rest.data[length] != ' ')
			length++;
		value = json_loadb(reader->rest.data, length,
		    JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
		if (json_is_object(value) || json_is_array(value)) {
			json_decref(value);
			value = NULL;
		}
		if (value)
			reader->rest = slice_skip(reader->rest, length);
	}
	if (!value)
		fail(reader, "a \"text\", a number, true or false is wanted");
	return value;
}

static enum filter_relation
read_relation(struct reader *reader)
{
	static const struct {
		const char *word;
		enum filter_relation relation;
	} rows[] = {{"==", FILTER_EQUAL}, {"!=", FILTER_UNEQUAL},
	    {"<=", FILTER_LESS_EQUAL}, {">=", FILTER_MORE_EQUAL},
	    {"<", FILTER_LESS}, {">", FILTER_MORE}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (accept(reader, rows[i].word))
			return rows[i].relation;
	return FILTER_EXISTS;
}

/* Behind "[?(". */
static void
read_filter(struct reader *reader, unsigned depth)
{
	struct jsonpath *path = reader->path;
	unsigned at = path->step_count;
	struct step *step = push_step(reader, STEP_FILTER);

	if (depth == FILTERS_MAX) {
		fail(reader, "there are too many filters within each other");
		return;
	}
	skip_spaces(reader);
	expect(reader, "@", "a filter begins with '@'");
	step->first = at + 1;
	read_steps(reader, depth + 1);
	step->count = path->step_count - step->first;
	skip_spaces(reader);
	step->relation = read_relation(reader);
	skip_spaces(reader);
	if (step->relation != FILTER_EXISTS && !reader->failed)
		step->literal = read_literal(reader);
	skip_spaces(reader);
	expect(reader, ")]",
	    "one of == != < <= > >= and a value, or ')]', is wanted");
}

static void
read_bracket(struct reader *reader, unsigned depth)
{
	char quote = peek(reader);

	if (accept(reader, "*]")) {
		push_step(reader, STEP_ALL);
	} else if (accept(reader, "?(")) {
		read_filter(reader, depth);
	} else if (accept(reader, "'") || accept(reader, "\"")) {
		push_step(reader, STEP_NAME)->name = take_quoted(reader, quote);
		expect(reader, "]", "']' is wanted");
	} else {
		read_slice(reader);
	}
}

static void
read_steps(struct reader *reader, unsigned depth)
{
	while (!reader->failed) {
		if (accept(reader, "[")) {
			read_bracket(reader, depth);
		} else if (accept(reader, ".")) {
			if (peek(reader) == '.')
				fail(reader, "'..' is not known here");
			else if (accept(reader, "*"))
				push_step(reader, STEP_ALL);
			else if (reader->rest.length > 0 &&
			    !memchr("[} \t\n", peek(reader), 5))
				push_step(reader, STEP_NAME)->name =
				    take_name(reader);
		} else {
			break;
		}
	}
}

static struct node *
push_node(struct reader *reader, enum node_kind kind)
{
	struct jsonpath *path = reader->path;

	if (path->node_count == NODES_MAX) {
		fail(reader, "it has too many parts");
		return &path->nodes[0];
	}
	path->nodes[path->node_count] = (struct node){.kind = kind};
	return &path->nodes[path->node_count++];
}

/* "$.a", "@.a", ".a", "['a']", "a" */
static struct node *
read_path(struct reader *reader, enum node_kind kind)
{
	struct node *node = push_node(reader, kind);

	node->first = reader->path->step_count;
	node->whole = accept(reader, "$");
	if (!node->whole && !accept(reader, "@") && peek(reader) != '.' &&
	    peek(reader) != '[')
		push_step(reader, STEP_NAME)->name = take_name(reader);
	read_steps(reader, 0);
	node->count = reader->path->step_count - node->first;
	return node;
}

/* A word with a space or '}' behind it. */
static bool
accept_word(struct reader *reader, const char *word)
{
	size_t length = strlen(word);

	return reader->rest.length > length &&
	    memchr(" \t\n}", reader->rest.data[length], 4) &&
	    accept(reader, word);
}

static void
read_range(struct reader *reader)
{
	skip_spaces(reader);
	if (reader->depth == RANGES_MAX) {
		fail(reader, "there are too many ranges within each other");
		return;
	}
	reader->open[reader->depth++] = reader->path->node_count;
	(void)read_path(reader, NODE_RANGE);
}

static void
read_end(struct reader *reader)
{
	if (reader->depth == 0) {
		fail(reader, "{end} ends no {range}");
		return;
	}
	reader->path->nodes[reader->open[--reader->depth]].end =
	    reader->path->node_count;
	(void)push_node(reader, NODE_END);
}

/* Behind '{'. */
static void
read_braces(struct reader *reader)
{
	skip_spaces(reader);
	char quote = peek(reader);

	if (accept_word(reader, "range")) {
		read_range(reader);
	} else if (accept_word(reader, "end")) {
		read_end(reader);
	} else if (accept(reader, "\"") || accept(reader, "'")) {
		struct slice text = take_quoted(reader, quote);

		push_node(reader, NODE_TEXT)->text = text;
	} else {
		(void)read_path(reader, NODE_PATH);
	}
	skip_spaces(reader);
	expect(reader, "}", "'.', '[' or '}' is wanted");
}

static struct jsonpath *
begin(struct reader *reader, struct slice template, struct text *why)
{
	*reader =
	    (struct reader){.rest = template, .template = template, .why = why};
	reader->path = memory_zero(1, sizeof(*reader->path));
	arena_init(&reader->path->arena, 1024);
	if (template.length > JSONPATH_BYTES_MAX)
		fail(reader, "it is too long");
	return reader->path;
}

static struct jsonpath *
finish(struct reader *reader)
{
	if (reader->failed)
		jsonpath_free(&reader->path);
	return reader->path;
}

struct jsonpath *
jsonpath_new(struct slice template, struct text *why)
{
	struct reader reader;

	begin(&reader, template, why);
	while (!reader.failed && reader.rest.length > 0) {
		size_t length = slice_find(reader.rest, '{');

		if (length > 0)
			push_node(&reader, NODE_TEXT)->text =
			    arena_copy(&reader.path->arena,
			        slice_make(reader.rest.data, length));
		reader.rest = slice_skip(reader.rest, length);
		if (accept(&reader, "{"))
			read_braces(&reader);
	}
	if (reader.depth > 0)
		fail(&reader, "a {range} has no {end}");
	return finish(&reader);
}

struct jsonpath *
jsonpath_new_path(struct slice path, struct text *why)
{
	struct reader reader;

	begin(&reader, path, why);
	bool braces = accept(&reader, "{");

	(void)read_path(&reader, NODE_PATH);
	if (braces)
		expect(&reader, "}", "'}' is wanted");
	if (reader.rest.length > 0)
		fail(&reader, "'.', '[' or the end is wanted");
	return finish(&reader);
}

void
jsonpath_free(struct jsonpath **path)
{
	struct jsonpath *old = *path;

	*path = NULL;
	if (!old)
		return;
	for (unsigned i = 0; i < old->step_count; i++)
		json_decref(old->steps[i].literal);
	arena_fini(&old->arena);
	memory_free(old);
}
