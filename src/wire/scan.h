/* Finding the next byte of a kind in text that is read in place; what the HTTP
 * parsers spend their time on. Which code does it is chosen here, by file.
 *
 * All look at [at, end) and return the place of the first byte of the kind, or
 * end. begin is the start of the memory that may be read: at or before it. */
#ifndef YUMEN_WIRE_SCAN_H
#define YUMEN_WIRE_SCAN_H

/* wire_scan_line(at, end, begin): a control byte but HTAB, or DEL.
 * wire_scan_target(at, end, begin): what cannot be in a request target: SP,
 *	control bytes, bytes over 0x7e; also '?' and '#', which divide it.
 * wire_scan_name(at, end, begin): not a letter, digit or '-', which is all that
 *	most field names are made of.
 * wire_scan_label(at, end, begin): not a lower-case letter, digit, '-' or '_',
 *	which is what the parts of a host are made of.
 * wire_scan_byte(at, end, begin, byte): this byte.
 *
 * wire_scan_field(at, end, begin, &colon) is wire_scan_line, and looks for the
 * first ':' on its way: *colon is its place, or one that is not before what is
 * returned. */

#if defined(__SSE2__)
#include "wire/scan_sse2.h"
#include "wire/scan_sse2_field.h"
#define wire_scan_line scan_sse2_line
#define wire_scan_target scan_sse2_target
#define wire_scan_name scan_sse2_name
#define wire_scan_label scan_sse2_label
#define wire_scan_byte scan_sse2_byte
#define wire_scan_field scan_sse2_field
#else
#include "wire/scan_generic.h"
#define wire_scan_line scan_generic_line
#define wire_scan_target scan_generic_target
#define wire_scan_name scan_generic_name
#define wire_scan_label scan_generic_label
#define wire_scan_byte scan_generic_byte
#define wire_scan_field scan_generic_field
#endif

#endif
