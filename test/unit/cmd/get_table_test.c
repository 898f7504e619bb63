/* Tables of objects: columns, what is left out, and what breaks no table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cmd/get_priv.h"

/* Objects are there for so many seconds, unless they say when they came. */
#define NOW 1795493106
#define AGE_S 90

static void
push_table(struct text *out, enum gw_kind kind, json_t *list, bool wide)
{
	struct get_table table;
	json_t *item;
	size_t at;

	get_table_init(&table, kind);
	table.wide = wide;
	table.now = NOW;
	get_table_begin(&table);
	json_array_foreach(list, at, item)
	    get_table_push(&table, item, NOW - AGE_S, "");
	table_print(&table.table, "", out);
	table_fini(&table.table);
}

static void
expect_table(enum gw_kind kind, const char *items, bool wide, const char *want)
{
	json_error_t error;
	json_t *list = json_loads(items, 0, &error);
	struct text out;

	if (list == NULL)
		fail_msg("%d: %s", error.column, error.text);
	text_init(&out);
	push_table(&out, kind, list, wide);
	text_push_byte(&out, '\0');
	assert_string_equal(out.data, want);
	text_fini(&out);
	json_decref(list);
}

static void
expect(enum gw_kind kind, const char *items, const char *want)
{
	expect_table(kind, items, false, want);
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
	    "ROUTES  AGE  WHY\n"
	    "infra      a       yumen  10.0.0.1,::1  True        1/2        3  "
	    "     90s  Invalid: the port is taken\n"
	    "default    longer  -      -             -           0/0        0  "
	    "     90s  -\n");
}

static void
test_routes(void **state)
{
	(void)state;
	expect(GW_HTTPROUTE,
	    "[{\"metadata\":{\"namespace\":\"ns\",\"name\":\"r\"},"
	    "\"spec\":{\"hostnames\":[\"a.test\",\"*.b.test\"],"
	    "\"parentRefs\":[{\"name\":\"one\",\"sectionName\":\"web\"},"
	    "{\"namespace\":\"m\",\"name\":\"two\",\"port\":80}]},"
	    "\"status\":{\"parents\":["
	    "{\"parentRef\":{\"name\":\"one\"},\"conditions\":"
	    "[{\"type\":\"Accepted\",\"status\":\"True\"},"
	    "{\"type\":\"ResolvedRefs\",\"status\":\"False\","
	    "\"reason\":\"BackendNotFound\",\"message\":\"no Service x\"}]},"
	    "{\"parentRef\":{\"name\":\"two\"},\"conditions\":"
	    "[{\"type\":\"Accepted\",\"status\":\"True\"},"
	    "{\"type\":\"ResolvedRefs\",\"status\":\"True\"}]}]}}]",
	    "NAMESPACE  NAME  HOSTNAMES        PARENTS           ACCEPTED   "
	    "RESOLVED    AGE  WHY\n"
	    "ns         r     a.test,*.b.test  one/web,m/two:80  True,True  "
	    "False,True  90s  BackendNotFound: no Service x\n");
}

static void
test_others(void **state)
{
	(void)state;
	expect(GW_GATEWAYCLASS,
	    "[{\"metadata\":{\"name\":\"c\",\"creationTimestamp\":"
	    "\"2026-11-20T04:05:06Z\"},\"spec\":{\"controllerName\":"
	    "\"x/y\"},\"status\":{\"conditions\":[{\"type\":\"Accepted\","
	    "\"status\":\"True\"}]}}]",
	    "NAME  CONTROLLER  ACCEPTED  AGE  WHY\n"
	    "c     x/y         True      4d   -\n");
	expect(GW_SERVICE,
	    "[{\"metadata\":{\"namespace\":\"n\",\"name\":\"s\"},\"spec\":"
	    "{\"clusterIP\":\"None\","
	    "\"ports\":[{\"port\":80},{\"port\":53,\"protocol\":\"UDP\"}]}}]",
	    "NAMESPACE  NAME  TYPE       CLUSTER-IP  EXTERNAL-IP  PORTS        "
	    "  "
	    "AGE\n"
	    "n          s     ClusterIP  None        -            "
	    "80/TCP,53/UDP  "
	    "90s\n");
	expect(GW_NAMESPACE, "[]", "NAME  STATUS  LABELS  AGE\n");
	expect(GW_ENDPOINTSLICE,
	    "[{\"metadata\":{\"namespace\":\"n\",\"name\":\"e\",\"labels\":"
	    "{\"kubernetes.io/service-name\":\"s\"}},\"addressType\":\"IPv4\","
	    "\"ports\":[{\"port\":81}],\"endpoints\":[{\"addresses\":"
	    "[\"10.0.0.1\"]},{\"addresses\":[\"10.0.0.2\"],\"conditions\":"
	    "{\"ready\":false}}]}]",
	    "NAMESPACE  NAME  SERVICE  ADDRESSTYPE  PORTS   READY  ENDPOINTS   "
	    " "
	    "      AGE\n"
	    "n          e     s        IPv4         81/TCP  1/2    "
	    "10.0.0.1,10.0.0.2  90s\n");
	expect(GW_REFERENCEGRANT,
	    "[{\"metadata\":{\"namespace\":\"n\",\"name\":\"g\"},\"spec\":"
	    "{\"from\":[{\"kind\":\"HTTPRoute\",\"namespace\":\"m\"}],\"to\":"
	    "[{\"kind\":\"Service\"},{\"kind\":\"Service\",\"name\":\"s\"}]}}]",
	    "NAMESPACE  NAME  FROM         TO                 AGE\n"
	    "n          g     m/HTTPRoute  Service,Service/s  90s\n");
	expect(GW_XBACKEND,
	    "[{\"metadata\":{\"namespace\":\"n\",\"name\":\"x\"},\"spec\":"
	    "{\"type\":\"ExternalHostname\",\"port\":{\"number\":443},"
	    "\"externalHostname\":{\"hostname\":\"a.test\"}}}]",
	    "NAMESPACE  NAME  TYPE              HOSTNAME  PORT  AGE\n"
	    "n          x     ExternalHostname  a.test    443   90s\n");
	expect(GW_NAMESPACE,
	    "[{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"b\",\"c\":"
	    "\"d\"}}}]",
	    "NAME  STATUS  LABELS   AGE\nn     Active  a=b,c=d  90s\n");
}

/* Every kind has columns of its own beside those that all have. */
static void
test_all_kinds(void **state)
{
	(void)state;
	for (int kind = 0; kind < GW_KIND__COUNT; kind++) {
		struct get_table table;

		get_table_init(&table, (enum gw_kind)kind);
		get_table_begin(&table);
		if (table.table.columns <= 2 +
		        (unsigned)gw_kinds[kind].namespaced +
		        !gw_kinds[kind].read)
			fail_msg("%s has no columns", gw_kinds[kind].kind);
		table_fini(&table.table);
	}
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
	    "ROUTES  AGE  WHY\n"
	    "n          g     a?[2Jb?c?  -        -           0/0        0     "
	    "  90s  -\n");
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
			push_table(&out, (enum gw_kind)kind, list, true);
			assert_true(out.length > 0);
			text_fini(&out);
			json_decref(list);
		}
}

static void
test_wide(void **state)
{
	(void)state;
	expect_table(GW_HTTPROUTE,
	    "[{\"metadata\":{\"namespace\":\"n\",\"name\":\"r\","
	    "\"generation\":3},\"spec\":{\"rules\":[{\"backendRefs\":"
	    "[{\"name\":\"a\",\"port\":80},{\"namespace\":\"m\",\"name\":"
	    "\"b\"}]}]}}]",
	    true,
	    "NAMESPACE  NAME  HOSTNAMES  PARENTS  ACCEPTED  RESOLVED  RULES  "
	    "BACKENDS  GENERATION  AGE  WHY\n"
	    "n          r     -          -        -         -         1      "
	    "a:80,m/b  3           90s  -\n");
	expect_table(GW_GATEWAY,
	    "[{\"metadata\":{\"namespace\":\"n\",\"name\":\"g\"},\"spec\":"
	    "{\"gatewayClassName\":\"c\",\"listeners\":[{\"protocol\":"
	    "\"HTTP\",\"port\":80,\"hostname\":\"a.test\"}]}}]",
	    true,
	    "NAMESPACE  NAME  CLASS  ADDRESS  PROGRAMMED  LISTENERS  ROUTES  "
	    "PORTS           GENERATION  AGE  WHY\n"
	    "n          g     c      -        -           0/0        0       "
	    "HTTP:80:a.test  -           90s  -\n");
}

static void
test_proxies(void **state)
{
	json_t *answer = json_loads(
	    "{\"generation\":\"ab\",\"published\":7,\"served\":5,"
	    "\"behindMs\":12,\"workers\":[{\"worker\":0,\"served\":7},"
	    "{\"worker\":1,\"served\":5}]}",
	    0, NULL);
	struct text out;

	(void)state;
	text_init(&out);
	get_proxies_table(&out, answer);
	text_push_byte(&out, '\0');
	assert_string_equal(out.data,
	    "WORKER  WANTED  SERVED  LAG\n"
	    "0       7       7       -\n"
	    "1       7       5       2 generations, 12 ms\n"
	    "generation ab\n");
	text_fini(&out);
	json_decref(answer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gateways),
	    cmocka_unit_test(test_routes),
	    cmocka_unit_test(test_others),
	    cmocka_unit_test(test_all_kinds),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_odd),
	    cmocka_unit_test(test_wide),
	    cmocka_unit_test(test_proxies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
