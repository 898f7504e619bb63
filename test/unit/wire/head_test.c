/* Heads as lists of entries. */
#include "wire/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/text.h"
#include "head_dump.h"

static struct wire_head head;

static int
begin(void **state)
{
	(void)state;
	wire_head_reset(&head);
	assert_true(
	    wire_head_add(&head, FIELD_HOST, SLICE("Host"), SLICE("a")));
	assert_true(
	    wire_head_add(&head, FIELD_OTHER, SLICE("X-One"), SLICE("1")));
	assert_true(
	    wire_head_add(&head, FIELD_OTHER, SLICE("x-two"), SLICE("")));
	assert_true(
	    wire_head_add(&head, FIELD_OTHER, SLICE("X-ONE"), SLICE("3")));
	return 0;
}

static void
assert_fields(const char *expected)
{
	struct text text;
	text_init(&text);
	text_push_byte(&text, '[');
	dump_fields(&text, head.fields, head.field_count);
	text_push_byte(&text, ']');
	text_push_byte(&text, '\0');
	assert_string_equal(text.data, expected);
	text_fini(&text);
}

static void
reset(void **state)
{
	(void)state;
	head.status = 200;
	head.authority = SLICE("a");
	wire_head_reset(&head);
	assert_fields("[]");
	assert_int_equal(head.status, 0);
	assert_false(slice_is_set(head.authority));
}

static void
find(void **state)
{
	(void)state;
	assert_ptr_equal(wire_head_find(&head, FIELD_HOST), &head.fields[0]);
	assert_null(wire_head_find(&head, FIELD_DATE));
	assert_ptr_equal(
	    wire_head_find_name(&head, SLICE("hOST")), &head.fields[0]);
	assert_ptr_equal(
	    wire_head_find_name(&head, SLICE("x-one")), &head.fields[1]);
	assert_null(wire_head_find_name(&head, SLICE("x-on")));
	assert_null(wire_head_find_name(&head, SLICE("date")));
	assert_null(wire_head_find_name(&head, SLICE("")));
}

static void
remove_by_id(void **state)
{
	(void)state;
	wire_head_remove(&head, FIELD_DATE);
	assert_fields("[ | Host=a | X-One=1 | x-two= | X-ONE=3]");
	wire_head_remove(&head, FIELD_HOST);
	assert_fields("[ | X-One=1 | x-two= | X-ONE=3]");
	assert_null(wire_head_find(&head, FIELD_HOST));
	assert_null(wire_head_find_name(&head, SLICE("host")));
}

static void
remove_by_name(void **state)
{
	(void)state;
	wire_head_remove_name(&head, SLICE("x-one"));
	assert_fields("[ | Host=a | x-two=]");
	wire_head_remove_name(&head, SLICE("HOST"));
	assert_fields("[ | x-two=]");
	/* What was removed is found no more. */
	wire_head_remove_name(&head, SLICE("x-one"));
	assert_null(wire_head_find_name(&head, SLICE("x-one")));
}

static void
full(void **state)
{
	(void)state;
	while (head.field_count < HEAD_FIELDS_MAX)
		assert_true(
		    wire_head_add(&head, FIELD_OTHER, SLICE("a"), SLICE("b")));
	assert_false(wire_head_add(&head, FIELD_OTHER, SLICE("a"), SLICE("b")));
	assert_int_equal(head.field_count, HEAD_FIELDS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(reset, begin),
	    cmocka_unit_test_setup(find, begin),
	    cmocka_unit_test_setup(remove_by_id, begin),
	    cmocka_unit_test_setup(remove_by_name, begin),
	    cmocka_unit_test_setup(full, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
