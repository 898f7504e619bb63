/* What flows do not need the kernel to have: a look that it refuses. */
#include "net/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#define NOBODY 65534
enum { TURNS = 100 };

static unsigned looks;
static enum error last;

static bool
is_stale(struct net_flows *flows, const struct net_flow *flow)
{
	(void)flows;
	(void)flow;
	fail_msg("a flow was told");
	return false;
}

static void
on_looked(struct net_flows *flows, enum error error)
{
	(void)flows;
	looks++;
	last = error;
}

static void
await(struct net_loop *loop, unsigned count)
{
	for (unsigned i = 0; looks < count && i < TURNS; i++)
		assert_int_equal(net_loop_turn(loop, 50), ERROR_OK);
	assert_int_equal(looks, count);
}

/* Whoever may not administer the network is told no flow. */
static void
a_refused_look_ends_and_says_so(void **state)
{
	struct net_loop *loop = net_loop_new();
	struct net_flows flows = {.is_stale = is_stale, .on_looked = on_looked};

	(void)state;
	assert_non_null(loop);
	if (geteuid() == 0)
		assert_int_equal(setuid(NOBODY), 0);
	net_flows_init(&flows, loop);
	net_flows_look(&flows);
	net_flows_look(&flows); /* the same one */
	await(loop, 1);
	assert_int_equal(last, ERROR_DENIED);
	last = ERROR_OK;
	net_flows_look(&flows);
	await(loop, 2);
	assert_int_equal(last, ERROR_DENIED);
	net_flows_look(&flows);
	net_flows_fini(&flows);
	assert_int_equal(net_loop_turn(loop, 0), ERROR_OK);
	assert_int_equal(looks, 2);
	net_loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_refused_look_ends_and_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
