/* Any frame: what is understood can be said again, and is understood alike. */
#include "wire/neighbour.h"

#include "core/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_neighbour first, again;
	char frame[WIRE_NEIGHBOUR_FRAME_BYTES];

	if (wire_neighbour_decode(slice_make((const char *)data, size), &first))
		return 0;
	must(!wire_ip_is_zero(first.subject));
	must(!(wire_neighbour_claims(&first, first.subject) &&
	    wire_neighbour_probes(&first, first.subject)));
	unsigned length = wire_neighbour_encode(&first, frame);
	must(length <= sizeof(frame) && length >= 42);
	must(!wire_neighbour_decode(slice_make(frame, length), &again));
	must(again.is_tell == first.is_tell && again.is_ipv6 == first.is_ipv6);
	must(memcmp(again.subject, first.subject, WIRE_IP_BYTES) == 0);
	must(memcmp(again.hardware, first.hardware, WIRE_HARDWARE_BYTES) == 0);
	must(memcmp(again.other, first.other, WIRE_IP_BYTES) == 0);
	must(again.is_solicited == first.is_solicited);
	must(again.overrides == first.overrides);
	return 0;
}
