/* Tables of objects: columns, what is left out, and what breaks no table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cmd/get_priv.h"

static void
expect(enum gw_kind kind, const char *items, const char *want)
{
	json_error_t error;
	json_t *list = json_loads(items, 0, &error);
	struct text out;

	if (list == NULL)
		fail_msg("%d: %s", error.column, error.text);
	text_init(&out);
	get_table(&out, kind, list);
	text_push_byte(&out, '\0');
	assert_string_equal(out.data, want);
	text_fini(&out);
	json_decref(list);
}

static void
test_gateways(void **state)
{
	(void)state;
	expect(GW_GATEWAY,
	    "[{\"metadata\":{\"namespace\":\"infra\",\"name\":\"a\"},"
	    "\"spec\":{\"gatewayClassName\":\"yumen\"},"
	    "\"status\":{\"addresses\":[{\"value\":\"10.0.0.1\"},"
	    "{\"value\":\"::1\"}],"
	    "\"conditions\":[{\"type\":\"Accepted\",\"status\":\"True\"},"
	    "{\"type\":\"Programmed\",\"status\":\"True\"}],"
	    "\"listeners\":[{\"attachedRoutes\":2,\"conditions\":"
	    "[{\"type\":\"Programmed\",\"status\":\"True\"}]},"
	    "{\"attachedRoutes\":1,\"conditions\":[{\"type\":\"Programmed\","
	    "\"status\":\"False\",\"reason\":\"Invalid\","
	    "\"message\":\"the port is taken\"}]}]}},"
	    "{\"metadata\":{\"namespace\":\"default\",\"name\":\"longer\"}}]",
	    "NAMESPACE  NAME    CLASS  ADDRESS       PROGRAMMED  LISTENERS  "
	    "ROUTES  WHY\n"
	    "infra      a       yumen  10.0.0.1,::1  True        1/2        3  "
	    "     Invalid: the port is taken\n"
	    "default    longer  -      -             -           0/0        0  "
	    "     -\n");
}

static void
test_routes(void **state)
{
	(void)state;
	expect(GW_HTTPROUTE,
	    "[{\"metadata\":{\"namespace\":\"ns\",\"name\":\"r\"},"
	    "\"spec\":{\"hostnames\":[\"a.test\",\"*.b.test\"]},"
	    "\"status\":{\"parents\":["
	    "{\"parentRef\":{\"name\":\"one\"},\"conditions\":"
	    "[{\"type\":\"Accepted\",\"status\":\"True\"},"
	    "{\"type\":\"ResolvedRefs\",\"status\":\"False\","
	    "\"reason\":\"BackendNotFound\",\"message\":\"no Service x\"}]},"
	    "{\"parentRef\":{\"name\":\"two\"},\"conditions\":"
	    "[{\"type\":\"Accepted\",\"status\":\"True\"},"
	    "{\"type\":\"ResolvedRefs\",\"status\":\"True\"}]}]}}]",
	    "NAMESPACE  NAME  HOSTNAMES        PARENTS  ACCEPTED   RESOLVED    "
	    "WHY\n"
	    "ns         r     a.test,*.b.test  one,two  True,True  False,True  "
	    "BackendNotFound: no Service x\n");
}

static void
test_others(void **state)
{
	(void)state;
	expect(GW_GATEWAYCLASS,
	    "[{\"metadata\":{\"name\":\"c\"},\"spec\":{\"controllerName\":"
	    "\"x/y\"},\"status\":{\"conditions\":[{\"type\":\"Accepted\","
	    "\"status\":\"True\"}]}}]",
	    "NAMESPACE  NAME  CONTROLLER  ACCEPTED  WHY\n"
	    "-          c     x/y         True      -\n");
	expect(GW_SERVICE,
	    "[{\"metadata\":{\"namespace\":\"n\",\"name\":\"s\"}}]",
	    "NAMESPACE  NAME\nn          s\n");
	expect(GW_SERVICE, "[]", "NAMESPACE  NAME\n");
}

/* Texts of files stand in it: none may break a line or drive a terminal. */
static void
test_hostile(void **state)
{
	(void)state;
	expect(GW_GATEWAY,
	    "[{\"metadata\":{\"namespace\":\"n\",\"name\":\"g\"},"
	    "\"spec\":{\"gatewayClassName\":\"a\\u001b[2Jb\\nc\\u007f\"}}]",
	    "NAMESPACE  NAME  CLASS      ADDRESS  PROGRAMMED  LISTENERS  "
	    "ROUTES "
	    " WHY\n"
	    "n          g     a?[2Jb?c?  -        -           0/0        0     "
	    " "
	    " -\n");
}

/* Members of other types than they should be. */
static void
test_odd(void **state)
{
	static const char *const odd[] = {"[1]", "[null]", "[\"x\"]", "[[]]",
	    "[{\"metadata\":[]}]",
	    "[{\"metadata\":{\"name\":5},\"spec\":[],\"status\":7}]",
	    "[{\"status\":{\"listeners\":{},\"conditions\":[5,{}]}}]",
	    "[{\"status\":{\"addresses\":[1,null],\"parents\":[7,{}]}}]"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (int kind = 0; kind < GW_KIND__COUNT; kind++) {
			json_t *list = json_loads(odd[i], 0, NULL);
			struct text out;

			assert_non_null(list);
			text_init(&out);
			get_table(&out, (enum gw_kind)kind, list);
			assert_true(out.length > 0);
			text_fini(&out);
			json_decref(list);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gateways),
	    cmocka_unit_test(test_routes),
	    cmocka_unit_test(test_others),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
