/* What is merged into a status: ours in its place, others' as it was. */
#include "ctl/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "gw/options.h"
#include "wire/tree_json.h"

static const struct slice names[] = {SLICE("ours"), SLICE("also")};
static const struct ctl_ours ours = {names, 2};

struct row {
	enum gw_kind kind;
	const char *object; /* as the API has it */
	const char *status; /* as we want it; NULL: none */
	enum ctl_merged merged;
	const char *want; /* with CTL_MERGE_WRITE */
	const char *changes; /* conditions that changed */
	bool takes_back;
};

#define CONDITION(type, status, reason, time) \
	"{\"type\":\"" type "\",\"status\":\"" status \
	"\",\"reason\":\"" reason \
	"\",\"observedGeneration\":1,\"lastTransitionTime\":\"" time "\"}"
#define ENTRY(who, gate, conditions) \
	"{\"controllerName\":\"" who "\",\"parentRef\":{\"name\":\"" gate \
	"\"},\"conditions\":[" conditions "]}"

static const struct row rows[] = {
    /* a class that nobody has told of */
    {GW_GATEWAYCLASS, "{\"metadata\":{\"a\":1}}",
        "{\"conditions\":[" CONDITION("Accepted", "True", "A", "t1") "]}",
        CTL_MERGE_WRITE,
        "{\"metadata\":{\"a\":1},\"status\":{\"conditions\":[" CONDITION(
            "Accepted", "True", "A", "t1") "]}}",
        "Accepted"},
    /* the same, in another order and at another time */
    {GW_GATEWAYCLASS,
        "{\"status\":{\"conditions\":[{\"lastTransitionTime\":\"t0\","
        "\"observedGeneration\":1,\"reason\":\"A\",\"status\":\"True\","
        "\"type\":\"Accepted\"}," CONDITION("Foreign", "True", "F", "t0") "]}}",
        "{\"conditions\":[" CONDITION("Accepted", "True", "A", "t1") "]}",
        CTL_MERGE_SAME, NULL, ""},
    /* times stay where statuses do; foreign conditions and fields stay */
    {GW_GATEWAY,
        "{\"status\":{\"extra\":[1],\"conditions\":[" CONDITION(
            "Foreign", "True", "F", "t0") "," CONDITION("Accepted", "True", "A",
            "t0") "," CONDITION("Programmed", "False", "P", "t0") "]}}",
        "{\"conditions\":[" CONDITION(
            "Accepted", "True", "B", "t1") "," CONDITION("Programmed", "True",
            "P", "t1") "],\"listeners\":[]}",
        CTL_MERGE_WRITE,
        "{\"status\":{\"extra\":[1],\"conditions\":[" CONDITION(
            "Foreign", "True", "F", "t0") "," CONDITION("Accepted", "True", "B",
            "t0") "," CONDITION("Programmed", "True", "P",
            "t1") "],\"listeners\":[]}}",
        "Accepted Programmed"},
    /* never back */
    {GW_GATEWAYCLASS,
        "{\"status\":{\"conditions\":[{\"type\":\"Accepted\",\"status\":"
        "\"True\",\"reason\":\"A\",\"observedGeneration\":2}]}}",
        "{\"conditions\":[" CONDITION("Accepted", "True", "A", "t1") "]}",
        CTL_MERGE_AHEAD, NULL, NULL},
    /* others' entries stay as they are, ours come after them */
    {GW_HTTPROUTE,
        "{\"status\":{\"parents\":[" ENTRY("ours", "a",
            CONDITION("Accepted", "True", "A", "t0")) "," ENTRY("other", "a",
            CONDITION("Accepted", "False", "X", "t0")) "]}}",
        "{\"parents\":[" ENTRY(
            "ours", "b", CONDITION("Accepted", "True", "A", "t1")) "]}",
        CTL_MERGE_WRITE,
        "{\"status\":{\"parents\":[" ENTRY("other", "a",
            CONDITION("Accepted", "False", "X", "t0")) "," ENTRY("ours", "b",
            CONDITION("Accepted", "True", "A", "t1")) "]}}",
        "Accepted"},
    /* an entry of each of our names goes, where we have nothing to say */
    {GW_HTTPROUTE,
        "{\"status\":{\"parents\":[" ENTRY("also", "a", "") "," ENTRY(
            "ours", "a", "") "," ENTRY("other", "a", "") "]}}",
        NULL, CTL_MERGE_WRITE,
        "{\"status\":{\"parents\":[" ENTRY("other", "a", "") "]}}", ""},
    {GW_HTTPROUTE, "{\"status\":{\"parents\":[" ENTRY("other", "a", "") "]}}",
        NULL, CTL_MERGE_SAME, NULL, ""},
    /* policies name others' entries themselves: they are not doubled */
    {GW_BACKENDTLSPOLICY,
        "{\"status\":{\"ancestors\":[{\"controllerName\":\"other\"}]}}",
        "{\"ancestors\":[{\"controllerName\":\"other\"},{\"controllerName\":"
        "\"ours\",\"conditions\":[]}]}",
        CTL_MERGE_WRITE,
        "{\"status\":{\"ancestors\":[{\"controllerName\":\"other\"},"
        "{\"controllerName\":\"ours\",\"conditions\":[]}]}}",
        ""},
    /* a listener's foreign conditions stay too */
    {GW_GATEWAY,
        "{\"status\":{\"listeners\":[{\"name\":\"a\",\"conditions\":"
        "[" CONDITION("Foreign", "True", "F", "t0") "]}]}}",
        "{\"conditions\":[],\"listeners\":[{\"name\":\"a\",\"conditions\":"
        "[" CONDITION("Accepted", "True", "A", "t1") "]}]}",
        CTL_MERGE_WRITE,
        "{\"status\":{\"conditions\":[],\"listeners\":[{\"name\":\"a\","
        "\"conditions\":[" CONDITION("Foreign", "True", "F",
            "t0") "," CONDITION("Accepted", "True", "A", "t1") "]}]}}",
        "Accepted"},
    /* listeners are known by name */
    {GW_GATEWAY,
        "{\"status\":{\"listeners\":[{\"name\":\"a\",\"conditions\":"
        "[" CONDITION(
            "Accepted", "True", "A", "t0") "]},{\"name\":\"gone\"}]}}",
        "{\"conditions\":[],\"listeners\":[{\"name\":\"b\",\"conditions\":"
        "[" CONDITION("Accepted", "True", "A",
            "t1") "]},{\"name\":\"a\","
                  "\"attachedRoutes\":0,\"conditions\":[" CONDITION(
                      "Accepted", "True", "A", "t1") "]}]}",
        CTL_MERGE_WRITE,
        "{\"status\":{\"conditions\":[],\"listeners\":[{\"name\":\"b\","
        "\"conditions\":[" CONDITION("Accepted", "True", "A",
            "t1") "]},"
                  "{\"name\":\"a\",\"attachedRoutes\":0,\"conditions\":"
                  "[" CONDITION("Accepted", "True", "A", "t0") "]}]}}",
        "Accepted"},
    /* a Service that is not ours any more: what we said goes, and what we gave
     * where nobody else may have given it */
    {GW_SERVICE,
        "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"10.0.0.1\","
        "\"ipMode\":\"VIP\"}]},\"conditions\":[" CONDITION("Accepted", "True",
            "F", "t0") "," CONDITION(GW_BALANCER_CONDITION, "True", "A",
            "t0") "," CONDITION(GW_CONFLICT_CONDITION, "True", "B", "t0") "]}}",
        NULL, CTL_MERGE_WRITE,
        "{\"status\":{\"conditions\":[" CONDITION(
            "Accepted", "True", "F", "t0") "]}}",
        "", true},
    {GW_SERVICE,
        "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"10.0.0.1\","
        "\"ipMode\":\"VIP\"}]},\"conditions\":[" CONDITION(
            GW_BALANCER_CONDITION, "False", "A", "t0") "]}}",
        NULL, CTL_MERGE_WRITE,
        "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"10.0.0.1\","
        "\"ipMode\":\"VIP\"}]},\"conditions\":[]}}",
        "", false},
    /* and of one that never was, nothing */
    {GW_SERVICE,
        "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"10.0.0.1\"}]},"
        "\"conditions\":[" CONDITION("Accepted", "True", "F", "t0") "]}}",
        NULL, CTL_MERGE_SAME, NULL, "", true},
    /* nor are others' conditions of a Service ours by their names */
    {GW_SERVICE,
        "{\"status\":{\"conditions\":[" CONDITION(
            "Programmed", "True", "F", "t0") "]}}",
        "{\"loadBalancer\":{\"ingress\":[]},\"conditions\":[" CONDITION(
            GW_BALANCER_CONDITION, "True", "A", "t1") "]}",
        CTL_MERGE_WRITE,
        "{\"status\":{\"loadBalancer\":{\"ingress\":[]},\"conditions\":"
        "[" CONDITION("Programmed", "True", "F", "t0") "," CONDITION(
            GW_BALANCER_CONDITION, "True", "A", "t1") "]}}",
        GW_BALANCER_CONDITION},
};

static void
on_change(void *context, const struct ctl_merge_change *change)
{
	struct text *changes = context;

	if (changes->length > 0)
		text_push_byte(changes, ' ');
	text_push(changes, change->type);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct text out, changes;
		struct arena arena;

		arena_init(&arena, 4096);
		text_init(&out);
		text_init(&changes);
		struct ctl_merge merge = {
		    .kind = row->kind,
		    .ours = &ours,
		    .object = wire_tree_from_json(
		        slice_from_string(row->object), &arena),
		    .takes_back = row->takes_back,
		    .on_change = on_change,
		    .context = &changes,
		};

		assert_non_null(merge.object);
		if (row->status != NULL) {
			merge.status = wire_tree_from_json(
			    slice_from_string(row->status), &arena);
			assert_non_null(merge.status);
		}
		if (ctl_merge(&out, &merge) != row->merged)
			fail_msg("row %zu", i);
		if (row->want != NULL)
			assert_string_equal(out.data, row->want);
		if (row->changes != NULL)
			assert_true(slice_equal(text_slice(&changes),
			    slice_from_string(row->changes)));
		text_fini(&out);
		text_fini(&changes);
		arena_fini(&arena);
	}
}

/* 40 entries of ours are as many as there is room for. */
static void
test_room(void **state)
{
	struct text status, out;
	struct arena arena;
	unsigned count = 0;

	(void)state;
	arena_init(&arena, 4096);
	text_init(&status);
	text_init(&out);
	text_push_string(&status, "{\"parents\":[");
	for (unsigned i = 0; i < 40; i++)
		text_printf(&status,
		    "%s{\"controllerName\":\"ours\",\"parentRef\":{\"name\":"
		    "\"%u\"},\"conditions\":[]}",
		    i > 0 ? "," : "", i);
	text_push_string(&status, "]}");
	struct ctl_merge merge = {
	    .kind = GW_HTTPROUTE,
	    .ours = &ours,
	    .object = wire_tree_from_json(
	        SLICE("{\"status\":{\"parents\":[{\"controllerName\":"
	              "\"other\"}]}}"),
	        &arena),
	    .status = wire_tree_from_json(text_slice(&status), &arena),
	};

	assert_int_equal(ctl_merge(&out, &merge), CTL_MERGE_WRITE);
	for (const char *at = out.data;
	     (at = strstr(at, "controllerName")) != NULL; at++)
		count++;
	assert_int_equal(count, 32);
	text_fini(&status);
	text_fini(&out);
	arena_fini(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
