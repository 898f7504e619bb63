/* Do all ways of scanning find the same? Shared by the unit test and the fuzz
 * targets. */
#ifndef YUMEN_TEST_SCAN_AGREE_H
#define YUMEN_TEST_SCAN_AGREE_H

#include <stdbool.h>
#include "wire/scan.h"
#include "wire/scan_generic.h"

/* A colon that is not before the line's end is none. */
static inline bool
scan_fields_agree(const char *at, const char *end, const char *begin)
{
	const char *colon, *generic_colon;
	const char *stop = wire_scan_field(at, end, begin, &colon);
	const char *generic_stop =
	    scan_generic_field(at, end, begin, &generic_colon);
	return stop == generic_stop &&
	    (colon == generic_colon ||
	        (colon >= stop && generic_colon >= stop));
}

static inline bool
scan_agrees(const char *at, const char *end, const char *begin, char byte)
{
	return wire_scan_line(at, end, begin) ==
	    scan_generic_line(at, end, begin) &&
	    wire_scan_target(at, end, begin) ==
	    scan_generic_target(at, end, begin) &&
	    wire_scan_name(at, end, begin) ==
	    scan_generic_name(at, end, begin) &&
	    wire_scan_label(at, end, begin) ==
	    scan_generic_label(at, end, begin) &&
	    wire_scan_byte(at, end, begin, byte) ==
	    scan_generic_byte(at, end, begin, byte) &&
	    scan_fields_agree(at, end, begin);
}

#endif
