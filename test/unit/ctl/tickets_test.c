/* The seeds of ticket keys: a new one when it is time, the older ones behind.
 */
#include "ctl/tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/limit.h"

static void
test_turn(void **state)
{
	static const struct gw_options options;
	struct gw_state *gw = gw_state_new(&options);
	struct ctl_tickets tickets = {0}, before;
	uint64_t now_ms = 1000;

	(void)state;
	for (unsigned i = 0; i < GW_TICKET_SEEDS_MAX + 2; i++) {
		before = tickets;
		assert_true(ctl_tickets_turn(&tickets, gw, now_ms));
		assert_int_equal(tickets.count,
		    i < GW_TICKET_SEEDS_MAX ? i + 1 : GW_TICKET_SEEDS_MAX);
		assert_memory_equal(&tickets.seeds[1], &before.seeds[0],
		    sizeof(tickets.seeds) - sizeof(tickets.seeds[0]));
		assert_memory_not_equal(&tickets.seeds[0], &before.seeds[0],
		    sizeof(tickets.seeds[0]));
		assert_false(ctl_tickets_turn(&tickets, gw, now_ms));
		now_ms += LIMIT_VALUE_TICKET_KEY_MS;
		assert_int_equal(tickets.due_ms, now_ms);
		assert_false(ctl_tickets_turn(&tickets, gw, now_ms - 1));
	}
	ctl_tickets_fini(&tickets);
	before = (struct ctl_tickets){0};
	assert_memory_equal(&tickets, &before, sizeof(before));
	gw_state_free(&gw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_turn)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
