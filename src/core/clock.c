/* The clocks of the kernel, and times as people and Kubernetes write them. The
 * calendar is computed here: gmtime_r reads the time zone's file and locks. */
#include "core/clock.h"

#include <time.h>

#include "core/must.h"

static int64_t
clock_now_ns(clockid_t id)
{
	struct timespec now;
	int failed = clock_gettime(id, &now);

	must(failed == 0);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t
clock_monotonic_ns(void)
{
	return (uint64_t)clock_now_ns(CLOCK_MONOTONIC);
}

uint64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

int64_t
clock_wall_ms(void)
{
	return clock_now_ns(CLOCK_REALTIME) / 1000000;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar. Years begin in
 * March here, so that the leap day is their last; 400 of them are an era. */
static int64_t
days_from_date(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = year / 400, of_era = year % 400;
	int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static void
date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	days += 719468;
	int64_t era = days / 146097, of_era = days % 146097;
	int64_t years =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
	int64_t from_march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = years + era * 400 + (*month <= 2);
}

static char *
put_digits(char *to, int64_t number, unsigned count)
{
	for (unsigned i = count; i-- > 0; number /= 10)
		to[i] = (char)('0' + number % 10);
	return to + count;
}

static char *
put_after(char *to, char separator, int64_t number, unsigned count)
{
	*to++ = separator;
	return put_digits(to, number, count);
}

void
clock_format(int64_t wall_ms, char out[CLOCK_RFC3339_BYTES + 1])
{
	static const int64_t day_ms = 86400000, last_ms = 253402300799999;
	int64_t year, month, day;

	/* What four digits of a year can say: 1970 to 9999. */
	wall_ms = wall_ms < 0 ? 0 : wall_ms > last_ms ? last_ms : wall_ms;
	date_from_days(wall_ms / day_ms, &year, &month, &day);
	int64_t ms = wall_ms % day_ms;

	out = put_digits(out, year, 4);
	out = put_after(out, '-', month, 2);
	out = put_after(out, '-', day, 2);
	out = put_after(out, 'T', ms / 3600000, 2);
	out = put_after(out, ':', ms / 60000 % 60, 2);
	out = put_after(out, ':', ms / 1000 % 60, 2);
	out = put_after(out, '.', ms % 1000, 3);
	*out++ = 'Z';
	*out = '\0';
}

/* Take count digits, then the byte after them (0: none); between low and high.
 */
static bool
take_digits(struct slice *rest, unsigned count, char after, int64_t low,
    int64_t high, int64_t *number)
{
	unsigned length = count + (after ? 1 : 0);
	uint64_t value;

	if (rest->length < length ||
	    !slice_to_number(
	        slice_make(rest->data, count), (uint64_t)high, &value) ||
	    (int64_t)value < low || (after && rest->data[count] != after))
		return false;
	*number = (int64_t)value;
	*rest = slice_skip(*rest, length);
	return true;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* "Z", or "+hh:mm" as seconds east. */
static bool
take_offset(struct slice *rest, int64_t *seconds)
{
	int64_t hours, minutes;

	if (rest->length == 0)
		return false;
	char sign = rest->data[0];

	*rest = slice_skip(*rest, 1);
	*seconds = 0;
	if (sign == 'Z')
		return true;
	if ((sign != '+' && sign != '-') ||
	    !take_digits(rest, 2, ':', 0, 23, &hours) ||
	    !take_digits(rest, 2, 0, 0, 59, &minutes))
		return false;
	*seconds = (hours * 60 + minutes) * (sign == '+' ? 60 : -60);
	return true;
}

static bool
take_fraction(struct slice *rest)
{
	if (rest->length == 0 || rest->data[0] != '.')
		return true;
	*rest = slice_skip(*rest, 1);

	size_t digits = 0;

	while (digits < rest->length && rest->data[digits] >= '0' &&
	    rest->data[digits] <= '9')
		digits++;
	*rest = slice_skip(*rest, digits);
	return digits > 0;
}

bool
clock_parse(struct slice text, int64_t *seconds)
{
	int64_t year, month, day, hour, minute, second, offset;

	if (!take_digits(&text, 4, '-', 1, 9999, &year) ||
	    !take_digits(&text, 2, '-', 1, 12, &month) ||
	    !take_digits(&text, 2, 'T', 1, days_in_month(year, month), &day) ||
	    !take_digits(&text, 2, ':', 0, 23, &hour) ||
	    !take_digits(&text, 2, ':', 0, 59, &minute) ||
	    !take_digits(&text, 2, 0, 0, 59, &second) ||
	    !take_fraction(&text) || !take_offset(&text, &offset) ||
	    text.length > 0)
		return false;
	*seconds =
	    ((days_from_date(year, month, day) * 24 + hour) * 60 + minute) *
	        60 +
	    second - offset;
	return true;
}
