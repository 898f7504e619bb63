/* Trees from JSON (RFC 8259): of one value, and of a file as kubectl takes it,
 * documents one after another, each a map. libyaml reads most JSON too, but no
 * key beyond 1,024 characters and no escaped surrogates. Bytes that are no JSON
 * are left to it: nothing has been delivered by then. Depth of the calls is
 * that of the tree. */
#include "wire/tree_priv.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/limit.h"
#include "core/must.h"
#include "wire/tree_json.h"

struct reader {
	struct slice bytes;
	size_t at;
	/* the place that was told last: all before it is counted */
	size_t told;
	uint32_t line, column;
	struct arena *arena;
	struct tree_fault *fault;
	enum error error; /* of a text that is JSON all the same */
	bool lost; /* not JSON */
	uint32_t nodes;
	struct tree_node *first, **last; /* documents, by next */
	struct text scratch;
};

static struct tree_node *read_value(struct reader *reader, unsigned depth);

static bool
at_end(const struct reader *reader)
{
	return reader->at == reader->bytes.length;
}

static char
peek(const struct reader *reader)
{
	return at_end(reader) ? '\0' : reader->bytes.data[reader->at];
}

static void
skip_blanks(struct reader *reader)
{
	while (!at_end(reader) && strchr(" \t\r\n", peek(reader)) &&
	    peek(reader) != '\0')
		reader->at++;
}

/* Takes a byte, after blanks. */
static bool
take(struct reader *reader, char byte)
{
	skip_blanks(reader);
	if (at_end(reader) || peek(reader) != byte)
		return false;
	reader->at++;
	return true;
}

static bool
take_word(struct reader *reader, const char *word)
{
	struct slice rest = slice_skip(reader->bytes, reader->at);

	if (!slice_starts_with(rest, slice_from_string(word)))
		return false;
	reader->at += strlen(word);
	return true;
}

/* Counts lines and characters up to here. */
static void
tell(struct reader *reader)
{
	for (; reader->told < reader->at; reader->told++) {
		unsigned char c =
		    (unsigned char)reader->bytes.data[reader->told];

		if (c == '\n') {
			reader->line++;
			reader->column = 1;
		} else if ((c & 0xc0) != 0x80) {
			reader->column++;
		}
	}
}

static void fail(struct reader *reader, enum error error, uint32_t line,
    uint32_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void
fail(struct reader *reader, enum error error, uint32_t line, uint32_t column,
    const char *format, ...)
{
	va_list arguments;

	if (reader->error != ERROR_OK)
		return;
	reader->error = error;
	reader->fault->line = line;
	reader->fault->column = column;
	va_start(arguments, format);
	(void)vsnprintf(reader->fault->text, sizeof(reader->fault->text),
	    format, arguments);
	va_end(arguments);
}

static struct tree_node *
new_node(struct reader *reader, enum tree_kind kind)
{
	struct tree_node *node = arena_zero(reader->arena, 1, sizeof(*node));

	tell(reader);
	node->kind = kind;
	node->line = reader->line;
	node->column = reader->column;
	if (++reader->nodes > LIMIT_VALUE_FILE_NODES)
		fail(reader, ERROR_LIMIT, node->line, node->column,
		    "more than %d nodes in one file", LIMIT_VALUE_FILE_NODES);
	return node;
}

static void *
lose(struct reader *reader)
{
	reader->lost = true;
	return NULL;
}

/* ---- texts ---- */

/* Bytes of the character at s, or 0 where it is not UTF-8. */
static size_t
character_bytes(struct slice s)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)s.data[0];
	size_t length = first < 0x80 ? 1
	    : first < 0xc0           ? 0
	    : first < 0xe0           ? 2
	    : first < 0xf0           ? 3
	    : first < 0xf8           ? 4
	                             : 0;

	if (length <= 1)
		return length;
	if (length > s.length)
		return 0;
	uint32_t code = first & (0x7fU >> length);

	for (size_t i = 1; i < length; i++) {
		unsigned char next = (unsigned char)s.data[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (next & 0x3f);
	}
	return code >= least[length] && code <= 0x10ffff &&
	        (code < 0xd800 || code > 0xdfff)
	    ? length
	    : 0;
}

static void
push_character(struct text *out, uint32_t code)
{
	if (code < 0x80) {
		text_push_byte(out, (char)code);
		return;
	}
	if (code >= 0x10000) {
		text_push_byte(out, (char)(0xf0 | code >> 18));
		text_push_byte(out, (char)(0x80 | (code >> 12 & 0x3f)));
	} else if (code >= 0x800) {
		text_push_byte(out, (char)(0xe0 | code >> 12));
	}
	text_push_byte(out,
	    (char)(code < 0x800 ? 0xc0 | code >> 6
	                        : 0x80 | (code >> 6 & 0x3f)));
	text_push_byte(out, (char)(0x80 | (code & 0x3f)));
}

/* Four hexadecimal digits. */
static bool
take_unit(struct reader *reader, uint32_t *unit)
{
	*unit = 0;
	if (reader->bytes.length - reader->at < 4)
		return false;
	for (unsigned i = 0; i < 4; i++, reader->at++) {
		char c = peek(reader);
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			digit = (uint32_t)(c - 'A' + 10);
		else
			return false;
		*unit = *unit << 4 | digit;
	}
	return true;
}

/* What follows "\u". Half of a pair alone is no character: U+FFFD. */
static bool
take_escaped(struct reader *reader)
{
	uint32_t high, low;

	if (!take_unit(reader, &high))
		return false;
	if (high >= 0xd800 && high < 0xdc00) {
		size_t before = reader->at;

		if (take_word(reader, "\\u") && take_unit(reader, &low) &&
		    low >= 0xdc00 && low < 0xe000) {
			push_character(&reader->scratch,
			    0x10000 + ((high - 0xd800) << 10) + low - 0xdc00);
			return true;
		}
		reader->at = before;
	}
	if (high >= 0xd800 && high < 0xe000)
		high = 0xfffd;
	push_character(&reader->scratch, high);
	return true;
}

static bool
take_escape(struct reader *reader)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (at_end(reader) || peek(reader) == '\0')
		return false;
	if (take_word(reader, "u"))
		return take_escaped(reader);
	name = strchr(names, peek(reader));
	if (!name)
		return false;
	text_push_byte(&reader->scratch, bytes[name - names]);
	reader->at++;
	return true;
}

/* A text behind its first quote; absent: it is none. */
static struct slice
take_text(struct reader *reader)
{
	text_reset(&reader->scratch);
	while (!at_end(reader)) {
		struct slice rest = slice_skip(reader->bytes, reader->at);
		size_t length = character_bytes(rest);

		if (length == 0 || (unsigned char)rest.data[0] < ' ')
			break;
		reader->at += length;
		if (rest.data[0] == '"')
			return arena_copy(
			    reader->arena, text_slice(&reader->scratch));
		if (rest.data[0] != '\\')
			text_push(
			    &reader->scratch, slice_make(rest.data, length));
		else if (!take_escape(reader))
			break;
	}
	reader->lost = true;
	return SLICE_NONE;
}

/* ---- numbers ---- */

static size_t
take_digits(struct reader *reader)
{
	size_t first = reader->at;

	while (peek(reader) >= '0' && peek(reader) <= '9')
		reader->at++;
	return reader->at - first;
}

static struct tree_node *
read_number(struct reader *reader)
{
	struct tree_node *node = new_node(reader, TREE_REAL);
	size_t first = reader->at, digits;

	(void)take_word(reader, "-");
	bool zero = peek(reader) == '0';

	digits = take_digits(reader);
	if (digits == 0 || (zero && digits > 1))
		return lose(reader);
	if (take_word(reader, ".") && take_digits(reader) == 0)
		return lose(reader);
	if (take_word(reader, "e") || take_word(reader, "E")) {
		if (!take_word(reader, "+"))
			(void)take_word(reader, "-");
		if (take_digits(reader) == 0)
			return lose(reader);
	}
	node->text = arena_copy(reader->arena,
	    slice_make(reader->bytes.data + first, reader->at - first));
	wire_tree_number(node);
	return node;
}

/* ---- lists and maps ---- */

static bool
read_key(struct reader *reader, struct tree_node *into)
{
	skip_blanks(reader);
	tell(reader);
	into->key_line = reader->line;
	into->key_column = reader->column;
	if (!take(reader, '"'))
		return false;
	into->key = take_text(reader);
	return slice_is_set(into->key) && take(reader, ':');
}

static struct tree_node *
read_many(struct reader *reader, enum tree_kind kind, unsigned depth)
{
	struct tree_node *node = new_node(reader, kind), *child;
	struct tree_node **tail = &node->child;
	char end = kind == TREE_MAP ? '}' : ']';

	if (depth >= LIMIT_VALUE_FILE_DEPTH)
		fail(reader, ERROR_LIMIT, node->line, node->column,
		    "nested deeper than %d levels", LIMIT_VALUE_FILE_DEPTH);
	reader->at++;
	if (take(reader, end))
		return node;
	do {
		struct tree_node key = {0};

		if (reader->error != ERROR_OK ||
		    (kind == TREE_MAP && !read_key(reader, &key)))
			return lose(reader);
		child = read_value(reader, depth + 1);
		if (!child)
			return NULL;
		child->key = key.key;
		child->key_line = key.key_line;
		child->key_column = key.key_column;
		*tail = child;
		tail = &child->next;
		node->count++;
	} while (take(reader, ','));
	if (!take(reader, end))
		return lose(reader);
	const struct tree_node *before,
	    *again =
	        kind == TREE_MAP ? wire_tree_repeated(node, &before) : NULL;

	if (again)
		fail(reader, ERROR_INVALID, again->key_line, again->key_column,
		    WIRE_TREE_TWICE, WIRE_TREE_TWICE_ARGS(again, before));
	return node;
}

static struct tree_node *
read_word(struct reader *reader)
{
	struct tree_node *node = new_node(reader, TREE_BOOL);
	size_t first = reader->at;

	if (take_word(reader, "true"))
		node->integer = 1;
	else if (take_word(reader, "null"))
		node->kind = TREE_NULL;
	else if (!take_word(reader, "false"))
		return lose(reader);
	node->text = arena_copy(reader->arena,
	    slice_make(reader->bytes.data + first, reader->at - first));
	return node;
}

static struct tree_node *
read_value(struct reader *reader, unsigned depth)
{
	struct tree_node *node;

	skip_blanks(reader);
	switch (peek(reader)) {
	case '{':
		return read_many(reader, TREE_MAP, depth);
	case '[':
		return read_many(reader, TREE_LIST, depth);
	case '"':
		node = new_node(reader, TREE_TEXT);
		reader->at++;
		node->text = take_text(reader);
		return slice_is_set(node->text) ? node : NULL;
	case 't':
	case 'f':
	case 'n':
		return read_word(reader);
	default:
		return read_number(reader);
	}
}

/* All documents, or what is wrong. */
static void
read_all(struct reader *reader)
{
	skip_blanks(reader);
	do {
		struct tree_node *node =
		    peek(reader) == '{' ? read_value(reader, 0) : lose(reader);

		if (!node || reader->error != ERROR_OK)
			return;
		*reader->last = node;
		reader->last = &node->next;
		skip_blanks(reader);
	} while (!at_end(reader));
}

static void
reader_init(struct reader *reader, struct slice bytes, struct arena *arena,
    struct tree_fault *fault)
{
	*reader = (struct reader){
	    .bytes = bytes,
	    .line = 1,
	    .column = 1,
	    .arena = arena,
	    .fault = fault,
	    .last = &reader->first,
	};
	text_init(&reader->scratch);
}

bool
wire_tree_parse_json(struct slice bytes, struct arena *arena,
    tree_document_fn on_document, void *context, struct tree_fault *fault,
    enum error *error)
{
	must(arena != NULL && on_document != NULL && error != NULL);
	struct reader reader;

	reader_init(&reader, bytes, arena, fault);
	skip_blanks(&reader);
	if (peek(&reader) != '{')
		return false;
	read_all(&reader);
	text_fini(&reader.scratch);
	*error = reader.error;
	if (reader.error != ERROR_OK || reader.lost)
		return reader.error != ERROR_OK;
	struct tree_node *next;

	for (struct tree_node *node = reader.first; node; node = next) {
		next = node->next;
		node->next = NULL;
		if (!on_document(context, node))
			break;
	}
	return true;
}

struct tree_node *
wire_tree_from_json(struct slice json, struct arena *arena)
{
	must(arena != NULL);
	struct tree_fault fault;
	struct reader reader;

	reader_init(&reader, json, arena, &fault);
	struct tree_node *node = read_value(&reader, 0);

	skip_blanks(&reader);
	text_fini(&reader.scratch);
	return at_end(&reader) && !reader.lost && reader.error == ERROR_OK
	    ? node
	    : NULL;
}
