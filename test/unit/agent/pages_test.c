/* What the agent shows, in each of its states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include "rig.h"

static void
test_ready(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();

	assert_int_equal(rig_show("/livez"), 200);
	assert_int_equal(rig_show("/readyz"), 503);
	assert_non_null(strstr(rig_asked.body, "no whole configuration"));
	rig_offer(rig, &batch, true, 1);
	assert_int_equal(rig_show("/readyz"), 503);
	rig_serve(rig);
	assert_int_equal(rig_show("/readyz"), 200);
	assert_string_equal(rig_asked.body, "ok\n");
	agent_drain(rig->agent);
	assert_int_equal(rig_show("/readyz"), 503);
	assert_string_equal(rig_asked.body, "draining\n");
	assert_int_equal(rig_show("/livez"), 200);
}

static json_int_t
number_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void
test_proxies(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	json_t *root, *workers;

	rig_offer(rig, &batch, true, 1);
	rig_asked.workers[1]->served =
	    snap_set_number(rig_asked.workers[1]->wanted);
	assert_int_equal(rig_show("/api/v1/proxies"), 200);
	root = json_loads(rig_asked.body, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	workers = json_object_get(root, "workers");
	assert_int_equal(json_array_size(workers), RIG_WORKERS);
	assert_int_equal(number_at(root, "published"), 1);
	assert_int_equal(number_at(root, "served"), 0);
	assert_int_equal(number_at(json_array_get(workers, 0), "served"), 0);
	assert_int_equal(number_at(json_array_get(workers, 1), "served"), 1);
	assert_int_equal(
	    json_string_length(json_object_get(root, "generation")), 32);
	json_decref(root);
}

/* A JSON object a line, whatever stands in the texts. */
static void
test_units(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	struct unit_service_port port = {
	    .number = 80, .name = SLICE("we\"b\n\\")};
	struct unit_service service = {.ports = &port, .ports_count = 1};
	unsigned lines = 0;

	rig_put(batch, "service/ns/a", &service);
	rig_put(batch, "service/ns/b", &service);
	rig_offer(rig, &batch, true, 1);
	assert_int_equal(rig_show("/api/v1/units"), 200);
	for (char *at = rig_asked.body; *at != '\0'; lines++) {
		char *end = strchr(at, '\n');
		json_t *unit;

		assert_non_null(end);
		*end = '\0';
		unit = json_loads(at, JSON_REJECT_DUPLICATES, NULL);
		if (unit == NULL)
			fail_msg("no JSON: %s", at);
		json_decref(unit);
		at = end + 1;
	}
	assert_int_equal(lines, 2);
}

static void
test_metrics(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	struct text out;

	rig_offer(rig, &batch, true, 1);
	text_init(&out);
	rig_asked.metrics(rig_asked.metrics_context, &out);
	text_push_byte(&out, '\0');
	assert_non_null(
	    strstr(out.data, "\nyumen_generation{which=\"wanted\"} 1\n"));
	assert_non_null(
	    strstr(out.data, "\nyumen_generation{which=\"served\"} 0\n"));
	assert_non_null(strstr(out.data, "workers 2\n"));
	text_fini(&out);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_ready),
	    TEST(test_proxies),
	    TEST(test_units),
	    TEST(test_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
