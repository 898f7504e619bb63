/* Any bytes as an RFC 3339 time: none, or a second that, written out, reads the
 * same. */
#include "core/clock.h"

#include "core/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[CLOCK_RFC3339_BYTES + 1];
	int64_t seconds, again;

	if (!clock_parse(slice_make((const char *)data, size), &seconds))
		return 0;
	/* From year 1 to 9999, an offset of up to a day either way. */
	must(seconds >= -62135596800 - 86400);
	must(seconds <= 253402300799 + 86400);
	clock_format(seconds * 1000, out);
	must(clock_parse(slice_from_string(out), &again));
	if (seconds >= 0 && seconds <= 253402300799)
		must(again == seconds);
	return 0;
}
