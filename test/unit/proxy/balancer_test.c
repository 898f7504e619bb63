/* Choices by weight and by least requests, with seeded random numbers. */
#include "proxy/balancer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define DRAWS 100000
#define MAX 8

static void
test_weights(void **state)
{
	static const struct {
		uint32_t count;
		int64_t weights[4];
	} cases[] = {
	    {1, {1}},
	    {2, {1, 1}},
	    {3, {70, 30, 0}},
	    {4, {0, 1, 0, 999999}},
	    {4, {1000000, 1000000, 1000000, 1000000}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct unit_backend backends[4] = {{{0}}};
		unsigned chosen[5] = {0};
		uint32_t sum = 0;
		struct random random;

		random_init_seed(&random, 5);
		for (uint32_t b = 0; b < cases[i].count; b++) {
			backends[b].weight = cases[i].weights[b];
			sum += (uint32_t)cases[i].weights[b];
		}
		for (unsigned draw = 0; draw < DRAWS; draw++)
			chosen[proxy_balancer_weigh(
			    backends, cases[i].count, sum, &random)]++;
		for (uint32_t b = 0; b < cases[i].count; b++) {
			double wanted = (double)DRAWS *
			    (double)cases[i].weights[b] / (double)sum;

			if (cases[i].weights[b] == 0)
				assert_int_equal(chosen[b], 0);
			assert_true(chosen[b] > wanted - DRAWS / 100.0);
			assert_true(chosen[b] < wanted + DRAWS / 100.0);
		}
		assert_int_equal(chosen[cases[i].count], 0);
	}
}

static void
test_no_weight(void **state)
{
	struct unit_backend backends[2] = {{{0}}};
	struct random random;

	(void)state;
	random_init_seed(&random, 5);
	assert_int_equal(proxy_balancer_weigh(backends, 2, 0, &random), 2);
	assert_int_equal(proxy_balancer_weigh(NULL, 0, 0, &random), 0);
}

struct crowd {
	struct proxy_endpoint endpoints[MAX];
	struct proxy_endpoint *candidates[MAX];
	struct proxy_backend backend;
	struct random random;
	unsigned chosen[MAX];
};

static void
set_up(struct crowd *crowd, uint32_t count)
{
	memset(crowd, 0, sizeof(*crowd));
	random_init_seed(&crowd->random, 11);
	for (uint32_t i = 0; i < count; i++)
		crowd->candidates[i] = &crowd->endpoints[i];
	crowd->backend.candidates = crowd->candidates;
	crowd->backend.candidate_count = count;
}

static struct proxy_endpoint *
pick(struct crowd *crowd, struct proxy_endpoint *const *tried, unsigned count)
{
	struct proxy_endpoint *picked = proxy_balancer_pick(
	    &crowd->backend, &crowd->random, 1000, tried, count);

	if (picked)
		crowd->chosen[picked - crowd->endpoints]++;
	return picked;
}

static void
test_none(void **state)
{
	struct crowd crowd;

	(void)state;
	set_up(&crowd, 0);
	assert_null(pick(&crowd, NULL, 0));
}

/* Equal loads: each gets its share. */
static void
test_even(void **state)
{
	struct crowd crowd;

	(void)state;
	for (uint32_t count = 1; count <= MAX; count++) {
		set_up(&crowd, count);
		for (unsigned i = 0; i < DRAWS; i++)
			(void)pick(&crowd, NULL, 0);
		for (uint32_t i = 0; i < count; i++)
			assert_in_range(crowd.chosen[i],
			    DRAWS / count - DRAWS / 100,
			    DRAWS / count + DRAWS / 100);
	}
}

/* Of two different ones the less loaded: the most loaded never gets any, and
 * loads that are kept stay within one of each other. */
static void
test_least_requests(void **state)
{
	struct crowd crowd;
	uint32_t low = UINT32_MAX, high = 0;

	(void)state;
	set_up(&crowd, 4);
	crowd.endpoints[2].in_flight = 5;
	for (unsigned i = 0; i < DRAWS; i++)
		(void)pick(&crowd, NULL, 0);
	assert_int_equal(crowd.chosen[2], 0);

	set_up(&crowd, MAX);
	for (unsigned i = 0; i < DRAWS; i++)
		pick(&crowd, NULL, 0)->in_flight++;
	for (unsigned i = 0; i < MAX; i++) {
		if (crowd.endpoints[i].in_flight < low)
			low = crowd.endpoints[i].in_flight;
		if (crowd.endpoints[i].in_flight > high)
			high = crowd.endpoints[i].in_flight;
	}
	assert_true(high - low < 20);
}

static void
test_ejected(void **state)
{
	struct crowd crowd;

	(void)state;
	set_up(&crowd, 3);
	crowd.endpoints[0].ejected_until_ms = 1001;
	crowd.endpoints[1].ejected_until_ms = 1000; /* over */
	crowd.endpoints[2].ejected_until_ms = 2000;
	for (unsigned i = 0; i < 1000; i++)
		assert_ptr_equal(pick(&crowd, NULL, 0), &crowd.endpoints[1]);
	/* All of them: one is taken nevertheless. */
	crowd.endpoints[1].ejected_until_ms = 3000;
	assert_non_null(pick(&crowd, NULL, 0));
}

static void
test_tried(void **state)
{
	struct crowd crowd;
	struct proxy_endpoint *tried[3];

	(void)state;
	set_up(&crowd, 3);
	tried[0] = &crowd.endpoints[1];
	tried[1] = &crowd.endpoints[2];
	tried[2] = &crowd.endpoints[0];
	for (unsigned i = 0; i < 1000; i++)
		assert_ptr_equal(pick(&crowd, tried, 2), &crowd.endpoints[0]);
	/* Not tried and ejected goes before tried. */
	crowd.endpoints[0].ejected_until_ms = 2000;
	for (unsigned i = 0; i < 1000; i++)
		assert_ptr_equal(pick(&crowd, tried, 2), &crowd.endpoints[0]);
	/* All tried: the one that is not ejected and has least to do. */
	crowd.endpoints[1].in_flight = 2;
	for (unsigned i = 0; i < 1000; i++)
		assert_ptr_equal(pick(&crowd, tried, 3), &crowd.endpoints[2]);
	set_up(&crowd, 1);
	tried[0] = &crowd.endpoints[0];
	assert_ptr_equal(pick(&crowd, tried, 1), &crowd.endpoints[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_weights),
	    cmocka_unit_test(test_no_weight),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_even),
	    cmocka_unit_test(test_least_requests),
	    cmocka_unit_test(test_ejected),
	    cmocka_unit_test(test_tried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
