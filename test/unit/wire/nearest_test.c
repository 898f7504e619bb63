/* The nearest name, or none. */
#include "wire/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void
nearest_of_fields(void **state)
{
	(void)state;
	static const char *const fields[] = {"parentRefs", "hostnames", "rules",
	    "backendRefs", "name", "namespace", "port"};
	static const struct {
		const char *name, *best; /* NULL: none */
	} rows[] = {
	    {"hostname", "hostnames"},
	    {"Hostnames", "hostnames"},
	    {"hostanmes", "hostnames"},
	    {"backendrefs", "backendRefs"},
	    {"backendRef", "backendRefs"},
	    {"parentsRef", "parentRefs"},
	    {"nmae", "name"},
	    {"ports", "port"},
	    {"filters", NULL},
	    {"x", NULL},
	    {"", NULL},
	    {"aVeryLongNameThatNoTableHasAndNobodyWouldTypeByMistake", NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire_nearest nearest;
		wire_nearest_init(&nearest, slice_from_string(rows[i].name));
		for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++)
			wire_nearest_feed(
			    &nearest, slice_from_string(fields[j]));
		if (rows[i].best == NULL)
			assert_false(slice_is_set(nearest.best));
		else
			assert_true(slice_equal(
			    nearest.best, slice_from_string(rows[i].best)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nearest_of_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
