/* Field names, values and lists. */
#include "wire/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/text.h"

static const struct {
	enum field_id id;
	const char *name;
	unsigned flags;
} known[] = {
#define FIELD(id, text, flags) {FIELD_##id, text, flags},
#include "wire/field.def"
#undef FIELD
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* As wire_field_id, by looking at each row. */
static enum field_id
id_by_rows(struct slice name)
{
	for (unsigned i = 0; i < KNOWN; i++)
		if (slice_equal(name, slice_from_string(known[i].name)))
			return known[i].id;
	return FIELD_OTHER;
}

/* Each row of the table is found in any case, and nothing beside it. */
static void
known_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KNOWN; i++) {
		struct slice name = slice_from_string(known[i].name);
		char other[64];
		assert_int_equal(wire_field_id(name), known[i].id);
		assert_true(slice_equal(wire_field_name(known[i].id), name));
		assert_int_equal(wire_field_flags(known[i].id), known[i].flags);
		for (size_t at = 0; at <= name.length; at++) {
			memcpy(other, name.data, name.length);
			struct slice changed = slice_make(other, name.length);
			if (at < name.length && (other[at] & 0x40) != 0) {
				other[at] ^= 0x20;
				assert_int_equal(
				    wire_field_id(changed), known[i].id);
			}
			other[at] = at < name.length ? '_' : 'x';
			changed.length += at == name.length;
			assert_int_equal(wire_field_id(changed), FIELD_OTHER);
			struct slice part = slice_make(name.data, at);
			assert_int_equal(wire_field_id(part), id_by_rows(part));
		}
	}
}

/* Bytes that differ from a name's by the bit of case alone. */
static void
names_beside_letters(void **state)
{
	(void)state;
	assert_int_equal(wire_field_id(SLICE("content\rlength")), FIELD_OTHER);
	assert_int_equal(wire_field_id(SLICE("keep\ralive")), FIELD_OTHER);
	assert_int_equal(wire_field_id(SLICE("\x08ost")), FIELD_OTHER);
	assert_int_equal(wire_field_id(SLICE("")), FIELD_OTHER);
	assert_int_equal(wire_field_id(SLICE("tE")), FIELD_TE);
	assert_int_equal(wire_field_id(SLICE("t")), FIELD_OTHER);
	assert_int_equal(wire_field_id(SLICE("tea")), FIELD_OTHER);
}

static void
forwarded_names(void **state)
{
	(void)state;
	assert_true(wire_is_forwarded(SLICE("x-forwarded-for")));
	assert_true(wire_is_forwarded(SLICE("X-Forwarded-Ssl")));
	assert_true(wire_is_forwarded(SLICE("X-FORWARDED-")));
	assert_false(wire_is_forwarded(SLICE("X-Forwarded")));
	assert_false(wire_is_forwarded(SLICE("X-Forwarder-A")));
	assert_false(wire_is_forwarded(SLICE("A-X-Forwarded-For")));
	assert_false(wire_is_forwarded(SLICE("")));
}

/* RFC 9110 5.6.2, by every byte. */
static void
tokens(void **state)
{
	(void)state;
	static const char odd[] = "!#$%&'*+-.^_`|~";
	assert_false(wire_is_token(SLICE("")));
	assert_true(wire_is_token(SLICE("chunked")));
	for (unsigned byte = 0; byte < 256; byte++) {
		bool is = (byte >= '0' && byte <= '9') ||
		    (byte >= 'A' && byte <= 'Z') ||
		    (byte >= 'a' && byte <= 'z') ||
		    (byte != 0 && strchr(odd, (int)byte) != NULL);
		char text[3] = {'a', (char)byte, 'a'};
		assert_int_equal(wire_is_token(slice_make(text, 3)), is);
		assert_int_equal(wire_is_token(slice_make(text + 1, 1)), is);
	}
}

/* RFC 9110 5.5, by every byte. */
static void
values(void **state)
{
	(void)state;
	char text[40];
	assert_true(wire_is_field_value(SLICE("")));
	assert_true(wire_is_field_value(SLICE_NONE));
	for (unsigned byte = 0; byte < 256; byte++) {
		bool is = byte == '\t' || (byte >= ' ' && byte != 0x7f);
		for (size_t length = 1; length < sizeof(text); length += 6) {
			memset(text, 'a', sizeof(text));
			text[length - 1] = (char)byte;
			assert_int_equal(
			    wire_is_field_value(slice_make(text, length)), is);
		}
	}
}

static void
lists(void **state)
{
	(void)state;
	static const struct {
		const char *list;
		bool has; /* "close" */
	} rows[] = {
	    {"close", true},
	    {"CLOSE", true},
	    {"a, close", true},
	    {"close,a", true},
	    {",,\tclose ,", true},
	    {"", false},
	    {",", false},
	    {"closed", false},
	    {"a close", false},
	    {"clos", false},
	    {"\"close\"", false},
	    {"close;a", false},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(wire_list_has(slice_from_string(rows[i].list),
		                     SLICE("close")),
		    rows[i].has);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_names),
	    cmocka_unit_test(names_beside_letters),
	    cmocka_unit_test(forwarded_names),
	    cmocka_unit_test(tokens),
	    cmocka_unit_test(values),
	    cmocka_unit_test(lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
