/* Finding the next byte of a kind, a byte at a time: for processors without a
 * vector unit that yumen knows, and for inputs shorter than a vector. What each
 * function finds is said in wire/scan.h. */
#ifndef YUMEN_WIRE_SCAN_GENERIC_H
#define YUMEN_WIRE_SCAN_GENERIC_H

static inline const char *
scan_generic_line(const char *at, const char *end, const char *begin)
{
	(void)begin;
	for (; at < end; at++) {
		unsigned char byte = (unsigned char)*at;
		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			break;
	}
	return at;
}

static inline const char *
scan_generic_target(const char *at, const char *end, const char *begin)
{
	(void)begin;
	for (; at < end; at++) {
		unsigned char byte = (unsigned char)*at;
		if (byte <= 0x20 || byte >= 0x7f || byte == '#' || byte == '?')
			break;
	}
	return at;
}

static inline const char *
scan_generic_name(const char *at, const char *end, const char *begin)
{
	(void)begin;
	for (; at < end; at++) {
		unsigned char byte = (unsigned char)*at;
		unsigned char letter = byte | 0x20;
		if ((letter < 'a' || letter > 'z') &&
		    (byte < '0' || byte > '9') && byte != '-')
			break;
	}
	return at;
}

static inline const char *
scan_generic_label(const char *at, const char *end, const char *begin)
{
	(void)begin;
	for (; at < end; at++) {
		char byte = *at;
		if ((byte < 'a' || byte > 'z') && (byte < '0' || byte > '9') &&
		    byte != '-' && byte != '_')
			break;
	}
	return at;
}

static inline const char *
scan_generic_byte(const char *at, const char *end, const char *begin, char byte)
{
	(void)begin;
	while (at < end && *at != byte)
		at++;
	return at;
}

static inline const char *
scan_generic_field(
    const char *at, const char *end, const char *begin, const char **colon)
{
	const char *stop = scan_generic_line(at, end, begin);
	*colon = scan_generic_byte(at, stop, begin, ':');
	return stop;
}

#endif
