/* Records: C structs that a table describes, so that one piece of code each
 * decodes, encodes, compares and prints them all: Gateway API objects (by JSON
 * name) and units (by number).
 *
 * A .def file lists them, inner ones first:
 *
 *	RECORD(gw_http_path_match)
 *	TEXT(gw_http_path_match, type, "type", 1)
 *	TEXT(gw_http_path_match, value, "value", 2, .fallback_text = "/")
 *	END(gw_http_path_match)
 *
 * Row: KIND(record, member, "jsonName", number, [sub-record,] options...), the
 * options being designated initialisers of struct record_field. The header of
 * the room expands it with core/record_structs.h into structs, one .c file with
 * core/record_tables.h into `const struct record_type <record>_type`.
 *
 * Absent: TEXT has data NULL, NUMBER and BOOL have .fallback, STRUCT is NULL,
 * lists are NULL with count 0 (an empty list is not NULL). */
#ifndef YUMEN_CORE_RECORD_H
#define YUMEN_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/slice.h"

enum record_kind {
	RECORD_TEXT, /* struct slice */
	RECORD_NUMBER, /* int64_t */
	RECORD_BOOL, /* int64_t 0 or 1; RECORD_ABSENT when it may be absent */
	RECORD_STRUCT, /* struct sub * */
	RECORD_TEXTS, /* struct slice *, uint32_t <member>_count */
	RECORD_STRUCTS, /* struct sub *, uint32_t <member>_count */
	RECORD_PAIRS, /* maps of text: struct record_pair *, and its count */
};

#define RECORD_ABSENT INT64_MIN

struct record_pair {
	struct slice key, value;
};

struct record_type;
struct record_field {
	const char *name; /* in JSON */
	uint32_t name_length;
	const struct record_type *sub; /* STRUCT, STRUCTS */
	const char *fallback_text; /* TEXT: the default */
	int64_t fallback; /* NUMBER, BOOL: the default, or RECORD_ABSENT */
	uint32_t number; /* in the binary form; 0: not there */
	uint32_t offset, count_offset;
	enum record_kind kind;
	/* A reader that does not know it must refuse the whole. */
	bool critical;
};

struct record_type {
	const char *name;
	const struct record_field *fields;
	uint32_t count;
	uint32_t size;
};

#endif
