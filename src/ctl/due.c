/* When ctl's next round is due where nothing wakes it before. */
#include "ctl/ctl_priv.h"

#include "core/clock.h"

enum { CLOCK_WAIT_MS_MAX = 60000 };

/* In the loop's time; a far one is come back to, lest a clock that is set in
 * between is missed. */
static uint64_t
clock_deadline_ms(const struct ctl *ctl)
{
	int64_t due = gw_state_clock_due(ctl->state);
	int64_t wait_ms = due * 1000 - clock_wall_ms();

	if (due == 0)
		return 0;
	if (wait_ms > CLOCK_WAIT_MS_MAX)
		wait_ms = CLOCK_WAIT_MS_MAX;
	return net_loop_now_ms(ctl->loop) +
	    (wait_ms > 0 ? (uint64_t)wait_ms : 1);
}

/* The earlier of two times, 0 being never. */
static uint64_t
earlier(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a | b;
	return a < b ? a : b;
}

void
ctl_set_timer(struct ctl *ctl)
{
	uint64_t now_ms = net_loop_now_ms(ctl->loop);
	uint64_t at_ms = earlier(clock_deadline_ms(ctl),
	    earlier(ctl->sources != NULL ? ctl_sources_deadline_ms(ctl->sources)
	                                 : 0,
	        ctl_statuses_deadline_ms(ctl->statuses)));

	at_ms = earlier(at_ms, ctl->tickets.due_ms);

	/* All wait for as long: the first came first. */
	if (!list_is_empty(&ctl->waiting))
		at_ms = earlier(at_ms,
		    container_of(ctl->waiting.next, struct ctl_query, link)
		        ->deadline_ms);

	if (at_ms == 0)
		net_timer_clear(&ctl->timer);
	else
		net_timer_set(ctl->loop, &ctl->timer,
		    at_ms > now_ms ? at_ms - now_ms : 1);
}
