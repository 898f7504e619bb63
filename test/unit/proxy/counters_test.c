/* Counters by rule: sums over workers, labels, numbers that are used again,
 * bounds. */
#include "proxy/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/limit.h"
#include "core/memory.h"

/* Names by number, instead of the snap room. */
static struct slice names[1024];

bool
snap_rule_ids_name(
    const struct snap_rule_ids *ids, uint32_t id, struct text *out)
{
	(void)ids;
	if (id >= 1024 || !slice_is_set(names[id]))
		return false;
	text_push(out, names[id]);
	return true;
}

uint32_t
snap_rule_ids_limit(const struct snap_rule_ids *ids)
{
	(void)ids;
	return 1024;
}

struct setting {
	struct proxy_counters *counters[2];
	struct text text;
};

static int
set_up(void **state)
{
	struct setting *setting = memory_zero(1, sizeof(*setting));

	memset(names, 0, sizeof(names));
	for (unsigned i = 0; i < 2; i++) {
		setting->counters[i] =
		    memory_alloc(sizeof(struct proxy_counters));
		proxy_counters_init(setting->counters[i]);
	}
	text_init(&setting->text);
	*state = setting;
	return 0;
}

static int
tear_down(void **state)
{
	struct setting *setting = *state;

	for (unsigned i = 0; i < 2; i++) {
		proxy_counters_fini(setting->counters[i]);
		memory_free(setting->counters[i]);
	}
	text_fini(&setting->text);
	memory_free(setting);
	return 0;
}

static const char *
print(struct setting *setting)
{
	text_reset(&setting->text);
	proxy_counters_write(setting->counters, 2, NULL, &setting->text);
	return setting->text.data;
}

static const struct proxy_counted rule_7 = {.id = 7,
    .owner = "rule",
    .listener = SLICE("listener/ns/gate/http"),
    .route = SLICE("route/HTTPRoute/apps/r"),
    .rule = SLICE("first")};

static void
test_sums(void **state)
{
	struct setting *setting = *state;
	struct proxy_counted nobody = {.id = SNAP_ID_NONE};

	names[7] = SLICE("ns/gate/http HTTPRoute/apps/r first");
	names[600] = SLICE("ns/gate/http");
	for (unsigned i = 0; i < 5; i++)
		proxy_counters_add(
		    setting->counters[i % 2], &rule_7, 200, REASON_NONE);
	proxy_counters_add(
	    setting->counters[0], &rule_7, 503, REASON_NO_ENDPOINT);
	struct proxy_counted listener = {.id = 600, .owner = "l"};
	proxy_counters_add(
	    setting->counters[1], &listener, 404, REASON_NO_ROUTE);
	proxy_counters_add(
	    setting->counters[1], &nobody, 404, REASON_NO_LISTENER);
	assert_string_equal(print(setting),
	    "# HELP yumen_http_requests_total HTTP requests answered, by "
	    "route, status and reason\n"
	    "# TYPE yumen_http_requests_total counter\n"
	    "yumen_http_requests_total{gateway=\"\",listener=\"\","
	    "route_kind=\"\",route_namespace=\"\",route=\"\",rule=\"\","
	    "code=\"404\",reason=\"no_listener\"} 1\n"
	    "yumen_http_requests_total{gateway=\"ns/gate\",listener=\"http\","
	    "route_kind=\"HTTPRoute\",route_namespace=\"apps\",route=\"r\","
	    "rule=\"first\",code=\"200\",reason=\"\"} 5\n"
	    "yumen_http_requests_total{gateway=\"ns/gate\",listener=\"http\","
	    "route_kind=\"HTTPRoute\",route_namespace=\"apps\",route=\"r\","
	    "rule=\"first\",code=\"503\",reason=\"destination_unavailable\"} "
	    "1\n"
	    "yumen_http_requests_total{gateway=\"ns/gate\",listener=\"http\","
	    "route_kind=\"\",route_namespace=\"\",route=\"\",rule=\"\","
	    "code=\"404\",reason=\"no_route\"} 1\n");
}

/* A rule's name may hold anything. */
static void
test_labels(void **state)
{
	struct setting *setting = *state;

	names[7] = SLICE("ns/gate/http HTTPRoute/apps/r a \"b\"\n");
	proxy_counters_add(setting->counters[0], &rule_7, 200, REASON_NONE);
	assert_non_null(
	    strstr(print(setting), "rule=\"a \\\"b\\\"\\n\",code=\"200\""));
}

/* A number that nobody has is not printed. */
static void
test_no_name(void **state)
{
	struct setting *setting = *state;

	proxy_counters_add(setting->counters[0], &rule_7, 200, REASON_NONE);
	assert_null(strstr(print(setting), "code="));
}

/* The same number and another rule: counts begin anew; the same rule in
 * another unit: they go on. */
static void
test_reuse(void **state)
{
	struct setting *setting = *state;
	struct proxy_counted counted = rule_7;

	names[7] = SLICE("ns/gate/http HTTPRoute/apps/r first");
	for (unsigned i = 0; i < 3; i++)
		proxy_counters_add(
		    setting->counters[0], &counted, 200, REASON_NONE);
	counted.owner = "edited";
	proxy_counters_add(setting->counters[0], &counted, 200, REASON_NONE);
	assert_non_null(strstr(print(setting), "reason=\"\"} 4\n"));
	counted.owner = "other";
	counted.rule = SLICE("second");
	proxy_counters_add(setting->counters[0], &counted, 200, REASON_NONE);
	assert_non_null(strstr(print(setting), "reason=\"\"} 1\n"));
}

/* A backend that makes statuses up: bounded, and nothing is lost. */
static void
test_bound(void **state)
{
	struct setting *setting = *state;
	unsigned lines = 0;

	names[7] = SLICE("ns/gate/http HTTPRoute/apps/r first");
	for (unsigned round = 0; round < 2; round++)
		for (uint16_t status = 200; status < 600; status++)
			proxy_counters_add(
			    setting->counters[0], &rule_7, status, REASON_NONE);
	const char *at = print(setting);
	uint64_t sum = 0;
	while ((at = strstr(at, "reason=\"\"} "))) {
		at += strlen("reason=\"\"} ");
		uint64_t value;
		const char *end = strchr(at, '\n');
		assert_true(slice_to_number(
		    slice_make(at, (size_t)(end - at)), UINT64_MAX, &value));
		sum += value;
		lines++;
	}
	assert_int_equal(sum, 800);
	assert_in_range(lines, 2, LIMIT_VALUE_ROUTE_SERIES + 4);
	assert_non_null(strstr(print(setting), "code=\"other\""));
}

/* Past the last page: counted as nobody's, not lost. */
static void
test_beyond(void **state)
{
	struct setting *setting = *state;
	struct proxy_counted counted = rule_7;

	counted.id = PROXY_COUNTERS_PAGE * PROXY_COUNTERS_PAGES;
	proxy_counters_add(setting->counters[0], &counted, 200, REASON_NONE);
	assert_non_null(strstr(print(setting), "gateway=\"\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_sums, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_labels, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_reuse, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_bound, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_beyond, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
