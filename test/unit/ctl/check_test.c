/* What check says of files: the place, code and field of each problem. */
#include "ctl/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/text.h"
#include "folder.h"

#define GATEWAY \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: Gateway\n" \
	"metadata: {name: eg}\n" \
	"spec:\n" \
	"  gatewayClassName: yumen\n" \
	"  listeners:\n" \
	"  - {name: http, protocol: HTTP, port: 80, hostname: '*.a.test'}\n"
#define SERVICE \
	"---\n" \
	"{apiVersion: v1, kind: Service, metadata: {name: web}, " \
	"spec: {ports: [{port: 80}]}}\n"
/* Its first line is line 1 of the text that follows. */
#define ROUTE \
	"---\n" \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: HTTPRoute\n" \
	"metadata: {name: r}\n" \
	"spec:\n"
#define ADVERTISEMENT(kind, spec) \
	"---\n" \
	"apiVersion: metallb.io/v1beta1\n" \
	"kind: " kind "\n" \
	"metadata: {name: a, namespace: metallb-system}\n" \
	"spec: " spec "\n"

static const struct {
	const char *name, *text;
	/* "LINE:COLUMN CODE FIELD", a line each */
	const char *wanted;
	unsigned routes, served;
} cases[] = {
    {"nothing wrong",
        GATEWAY SERVICE ROUTE
        "  parentRefs: [{name: eg}]\n"
        "  rules: [{backendRefs: [{name: web, port: 80}]}]\n",
        "", 1, 1},
    {"not YAML", "a: [\n", "2:1 YM0002 \n", 0, 0},
    {"an unknown field",
        GATEWAY SERVICE ROUTE "  parentRefs: [{name: eg}]\n"
                              "  hostname: x.a.test\n",
        "16:3 YM0107 spec.hostname\n", 1, 1},
    {"no such Gateway, no such Service",
        GATEWAY ROUTE "  parentRefs:\n"
                      "  - {name: eg}\n"
                      "  - {name: other}\n"
                      "  rules:\n"
                      "  - {}\n"
                      "  - backendRefs:\n"
                      "    - name: web\n"
                      "      port: 80\n",
        "15:5 YM0502 spec.parentRefs[1]\n"
        "19:7 YM0505 spec.rules[1].backendRefs[0]\n",
        1, 1},
    {"a listener that is not there",
        GATEWAY SERVICE ROUTE
        "  parentRefs: [{name: eg, sectionName: nope}]\n"
        "  rules: [{backendRefs: [{name: web, port: 80}]}]\n",
        "15:16 YM0502 spec.parentRefs[0]\n", 1, 0},
    {"no hostname in common",
        GATEWAY SERVICE ROUTE "  parentRefs: [{name: eg}]\n"
                              "  hostnames:\n"
                              "  - b.test\n",
        "17:3 YM0504 spec.hostnames\n", 1, 0},
    {"one share is missing, the other not permitted",
        GATEWAY ROUTE "  parentRefs: [{name: eg}]\n"
                      "  rules:\n"
                      "  - backendRefs:\n"
                      "    - {name: web, port: 80}\n"
                      "    - {name: web, port: 80, namespace: other}\n",
        "16:7 YM0505 spec.rules[0].backendRefs[0]\n"
        "17:7 YM0506 spec.rules[0].backendRefs[1]\n",
        1, 1},
    {"a filter that is not served, told once",
        GATEWAY ROUTE
        "  parentRefs: [{name: eg}]\n"
        "  rules:\n"
        "  - filters:\n"
        "    - {type: URLRewrite, urlRewrite: {hostname: a.test}}\n",
        "15:5 YM0513 spec.rules[0]\n", 1, 0},
    {"a listener's protocol",
        GATEWAY "  - {name: tcp, protocol: TCP, port: 81}\n",
        "8:27 YM0508 spec.listeners[1].protocol\n", 0, 0},
    {"listeners that cannot be told apart",
        GATEWAY "  - {name: b, protocol: HTTPS, port: 80, "
                "tls: {certificateRefs: [{name: x}]}}\n",
        "7:28 YM0509 spec.listeners[0].protocol\n"
        "8:25 YM0509 spec.listeners[1].protocol\n",
        0, 0},
    {"twice", SERVICE SERVICE, "4:1 YM0003 \n", 0, 0},
    {"no class",
        "apiVersion: gateway.networking.k8s.io/v1\n"
        "kind: Gateway\n"
        "metadata: {name: eg}\n"
        "spec:\n"
        "  gatewayClassName: other\n"
        "  listeners: [{name: http, protocol: HTTP, port: 80}]\n",
        "5:21 YM0501 spec.gatewayClassName\n", 0, 0},
    {"pools that are not there",
        ADVERTISEMENT("L2Advertisement", "{ipAddressPools: [zz]}")
            ADVERTISEMENT("BGPAdvertisement", "{ipAddressPools: [zz]}"),
        "5:25 YM0535 spec.ipAddressPools[0]\n"
        "8:7 YM0103 kind\n"
        "10:25 YM0535 spec.ipAddressPools[0]\n",
        0, 0},
    {"a selector that selects nothing",
        ADVERTISEMENT("L2Advertisement",
            "{nodeSelectors: [{matchLabels: {'bad key!': v}}]}"),
        "5:24 YM0304 spec.nodeSelectors[0]\n", 0, 0},
    {"items of a List have places too",
        "apiVersion: v1\n"
        "kind: List\n"
        "items:\n"
        "- apiVersion: gateway.networking.k8s.io/v1\n"
        "  kind: HTTPRoute\n"
        "  metadata: {name: r}\n"
        "  spec:\n"
        "    parentRefs:\n"
        "    - group: gateway.networking.k8s.io\n"
        "      name: eg\n",
        "9:7 YM0502 spec.parentRefs[0]\n", 1, 0},
};

static void
check_case(unsigned at)
{
	const struct gw_options options = {.namespaces_implied = true};
	const char *path = folder_path("objects.yaml");
	struct ctl_checked checked;
	struct text said;
	unsigned failed, errors = 0;

	folder_write("objects.yaml", cases[at].text);
	assert_int_equal(
	    ctl_check(&path, 1, &options, &checked, NULL, &failed), ERROR_OK);
	text_init(&said);
	for (unsigned i = 0; i < checked.problem_count; i++) {
		const struct gw_finding *finding = &checked.problems[i].finding;

		assert_true(slice_ends_with(
		    checked.problems[i].file, SLICE("/objects.yaml")));
		assert_true(finding->text.length > 0);
		errors += ctl_check_severity(finding->row) == GW_ERROR;
		text_printf(&said, "%u:%u %s %.*s\n", finding->line,
		    finding->column, gw_findings[finding->row].code,
		    SLICE_ARGS(finding->field));
	}
	if (!slice_equal(
	        text_slice(&said), slice_from_string(cases[at].wanted)))
		fail_msg(
		    "%s: %.*s", cases[at].name, SLICE_ARGS(text_slice(&said)));
	assert_int_equal(checked.errors, errors);
	assert_int_equal(checked.routes, cases[at].routes);
	assert_int_equal(checked.routes_served, cases[at].served);
	text_fini(&said);
	ctl_checked_free(&checked);
}

static void
test_cases(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(i);
}

static void
test_paths(void **state)
{
	const struct gw_options options = {.namespaces_implied = true};
	const char *paths[] = {folder_path(""), folder_path("nowhere")};
	struct ctl_checked checked;
	unsigned failed;

	(void)state;
	folder_write("b.yaml", "a: [\n");
	folder_write("a.yaml", "a: [\n");
	assert_int_equal(ctl_check(paths, 2, &options, &checked, NULL, &failed),
	    ERROR_NOT_FOUND);
	assert_int_equal(failed, 1);
	assert_int_equal(
	    ctl_check(paths, 1, &options, &checked, NULL, &failed), ERROR_OK);
	assert_int_equal(checked.problem_count, 2);
	assert_true(slice_ends_with(checked.problems[0].file, SLICE("a.yaml")));
	assert_true(slice_ends_with(checked.problems[1].file, SLICE("b.yaml")));
	ctl_checked_free(&checked);
}

static int
set_up(void **state)
{
	(void)state;
	folder_make();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	folder_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_cases, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_paths, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
