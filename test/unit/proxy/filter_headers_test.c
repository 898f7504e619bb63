/* RequestHeaderModifier and ResponseHeaderModifier on heads. */
#include "proxy/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define SET(n, v) \
	{ \
		.name = SLICE(n), .value = SLICE(v) \
	}

static void
add(struct wire_head *head, const char *name, const char *value)
{
	struct slice text = slice_from_string(name);

	assert_true(wire_head_add(
	    head, wire_field_id(text), text, slice_from_string(value)));
}

/* "name=value;..." of what is there, in order. */
static void
print(const struct wire_head *head, char *out, size_t size)
{
	size_t length = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < head->field_count; i++) {
		const struct field *field = &head->fields[i];

		if (field->id != FIELD_REMOVED)
			length += (size_t)snprintf(out + length, size - length,
			    "%.*s=%.*s;", SLICE_ARGS(field_name(field)),
			    SLICE_ARGS(field_value(field)));
	}
}

static void
test_modify(void **state)
{
	static const struct {
		const char *why;
		struct unit_field set[2], add[2];
		struct slice remove[2];
		const char *wanted;
	} cases[] = {
	    {"nothing", {{{0}}}, {{{0}}}, {{0}},
	        "host=a;x-old=1;X-Old=2;keep=k;"},
	    {"set replaces all lines, whatever their case",
	        {SET("X-OLD", "new")}, {{{0}}}, {{0}},
	        "host=a;keep=k;X-OLD=new;"},
	    {"set makes a field", {SET("fresh", "f")}, {{{0}}}, {{0}},
	        "host=a;x-old=1;X-Old=2;keep=k;fresh=f;"},
	    {"add makes a line more", {{{0}}}, {SET("keep", "l")}, {{0}},
	        "host=a;x-old=1;X-Old=2;keep=k;keep=l;"},
	    {"remove, in any case", {{{0}}}, {{{0}}}, {SLICE("X-OLD")},
	        "host=a;keep=k;"},
	    {"remove comes first", {SET("keep", "1")}, {SET("keep", "2")},
	        {SLICE("keep")}, "host=a;x-old=1;X-Old=2;keep=1;keep=2;"},
	    {"framing and hop-by-hop are the codecs'",
	        {SET("Content-Length", "0"), SET("Connection", "close")},
	        {SET("Transfer-Encoding", "chunked")}, {SLICE("upgrade")},
	        "host=a;x-old=1;X-Old=2;keep=k;"},
	    {"one Host, set or added", {{{0}}}, {SET("Host", "b")}, {{0}},
	        "x-old=1;X-Old=2;keep=k;Host=b;"},
	    {"Host stays", {{{0}}}, {{{0}}}, {SLICE("host")},
	        "host=a;x-old=1;X-Old=2;keep=k;"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_head head;
		struct unit_field set[2], more[2];
		struct slice remove[2];
		struct unit_filter filter = {
		    .set = set, .add = more, .remove = remove};
		char printed[256];

		memcpy(set, cases[i].set, sizeof(set));
		memcpy(more, cases[i].add, sizeof(more));
		memcpy(remove, cases[i].remove, sizeof(remove));
		for (unsigned n = 0; n < 2; n++) {
			filter.set_count += set[n].name.length > 0;
			filter.add_count += more[n].name.length > 0;
			filter.remove_count += remove[n].length > 0;
		}
		wire_head_reset(&head);
		add(&head, "host", "a");
		add(&head, "x-old", "1");
		add(&head, "X-Old", "2");
		add(&head, "keep", "k");
		assert_true(proxy_headers_modify(&head, &filter));
		print(&head, printed, sizeof(printed));
		if (strcmp(printed, cases[i].wanted) != 0)
			fail_msg("%s: %s", cases[i].why, printed);
	}
}

static void
test_host_is_authority(void **state)
{
	struct unit_field set = SET("HOST", "other.example");
	struct unit_filter filter = {.set = &set, .set_count = 1};
	struct wire_head head;

	(void)state;
	wire_head_reset(&head);
	head.authority = SLICE("a");
	assert_true(proxy_headers_modify(&head, &filter));
	assert_true(slice_equal(head.authority, SLICE("other.example")));
}

static void
test_full(void **state)
{
	struct unit_field more = SET("x", "y");
	struct unit_filter filter = {.add = &more, .add_count = 1};
	struct wire_head head;

	(void)state;
	wire_head_reset(&head);
	while (head.field_count < HEAD_FIELDS_MAX - 1)
		add(&head, "a", "b");
	assert_true(proxy_headers_modify(&head, &filter));
	assert_false(proxy_headers_modify(&head, &filter));
}

static void
test_phases(void **state)
{
	struct unit_filter filters[] = {
	    {.kind = UNIT_FILTER_REQUEST_HEADERS},
	    {.kind = UNIT_FILTER_RESPONSE_HEADERS},
	    {.kind = 77},
	    {.kind = -1},
	};

	(void)state;
	assert_int_equal(proxy_filters_phases(filters, 1),
	    PROXY_PHASE_ROUTE | PROXY_PHASE_BACKEND);
	assert_int_equal(proxy_filters_phases(filters, 4),
	    PROXY_PHASE_ROUTE | PROXY_PHASE_BACKEND | PROXY_PHASE_RESPONSE);
	assert_int_equal(proxy_filters_phases(filters, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_modify),
	    cmocka_unit_test(test_host_is_authority),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_phases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
