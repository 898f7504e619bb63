/* Two units while the second one says something, then one. */
#include "cmd/age.h"

enum {
	MINUTE = 60,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
	YEAR = 365 * DAY,
};

static void
push_two(struct text *out, int64_t seconds, int64_t unit, char name,
    int64_t small, char small_name)
{
	text_printf(out, "%lld%c", (long long)(seconds / unit), name);
	if (seconds % unit / small > 0)
		text_printf(out, "%lld%c", (long long)(seconds % unit / small),
		    small_name);
}

void
age_push(struct text *out, int64_t seconds)
{
	if (seconds < 0)
		seconds = 0; /* a clock that was set back */
	if (seconds < 2 * MINUTE)
		text_printf(out, "%llds", (long long)seconds);
	else if (seconds < 10 * MINUTE)
		push_two(out, seconds, MINUTE, 'm', 1, 's');
	else if (seconds < 3 * HOUR)
		text_printf(out, "%lldm", (long long)(seconds / MINUTE));
	else if (seconds < 8 * HOUR)
		push_two(out, seconds, HOUR, 'h', MINUTE, 'm');
	else if (seconds < 2 * DAY)
		text_printf(out, "%lldh", (long long)(seconds / HOUR));
	else if (seconds < 8 * DAY)
		push_two(out, seconds, DAY, 'd', HOUR, 'h');
	else if (seconds < 2 * (int64_t)YEAR)
		text_printf(out, "%lldd", (long long)(seconds / DAY));
	else if (seconds < 8 * (int64_t)YEAR)
		push_two(out, seconds, YEAR, 'y', DAY, 'd');
	else
		text_printf(out, "%lldy", (long long)(seconds / YEAR));
}
