/* Any bytes as an address and as an entry of a pool: what is taken is printed
 * as what reads as the same, a range has its ends and nothing beside them. */
#include <stdint.h>

#include "addr/ip.h"
#include "core/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
try_address(struct slice text)
{
	struct addr_ip ip, again;
	char out[ADDR_IP_BYTES];

	if (!addr_ip_parse(text, &ip))
		return;
	must(addr_ip_parse(addr_ip_print(&ip, out), &again));
	must(addr_ip_compare(&ip, &again) == 0);
}

static void
try_range(struct slice text)
{
	struct addr_range range;
	struct addr_ip beside;

	if (addr_range_parse(text, &range) != NULL)
		return;
	must(range.first.family == range.last.family);
	must(addr_ip_compare(&range.first, &range.last) <= 0);
	must(addr_range_has(&range, &range.first) &&
	    addr_range_has(&range, &range.last));
	beside = range.first;
	beside.number--;
	must(!addr_range_has(&range, &beside) || range.first.number == 0);
	beside = range.last;
	beside.number++;
	must(!addr_range_has(&range, &beside) || beside.number == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct slice text = slice_make((const char *)bytes, length);

	try_address(text);
	try_range(text);
	return 0;
}
