/* Hosts and authorities: RFC 3986 section 3.2 without what HTTP has no use for
 * (userinfo, escapes in names, IPvFuture, zones), and the hostname patterns of
 * Gateway API. */
#include "wire/host.h"

#include <arpa/inet.h>
#include "core/must.h"
#include "wire/scan.h"

#define LABEL_BYTES 63

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* What a byte of a name is in lower case; 0: it cannot be in one. Underscores
 * are no part of a hostname, yet names with them are in use. */
static const unsigned char name_bytes[256] = {
    ['-'] = '-',
    ['.'] = '.',
    ['_'] = '_',
    ['0'] = '0',
    ['1'] = '1',
    ['2'] = '2',
    ['3'] = '3',
    ['4'] = '4',
    ['5'] = '5',
    ['6'] = '6',
    ['7'] = '7',
    ['8'] = '8',
    ['9'] = '9',
#define LETTER(upper, lower) [upper] = lower, [lower] = lower
    LETTER('A', 'a'),
    LETTER('B', 'b'),
    LETTER('C', 'c'),
    LETTER('D', 'd'),
    LETTER('E', 'e'),
    LETTER('F', 'f'),
    LETTER('G', 'g'),
    LETTER('H', 'h'),
    LETTER('I', 'i'),
    LETTER('J', 'j'),
    LETTER('K', 'k'),
    LETTER('L', 'l'),
    LETTER('M', 'm'),
    LETTER('N', 'n'),
    LETTER('O', 'o'),
    LETTER('P', 'p'),
    LETTER('Q', 'q'),
    LETTER('R', 'r'),
    LETTER('S', 's'),
    LETTER('T', 't'),
    LETTER('U', 'u'),
    LETTER('V', 'v'),
    LETTER('W', 'w'),
    LETTER('X', 'x'),
    LETTER('Y', 'y'),
    LETTER('Z', 'z'),
#undef LETTER
};

/* What follows the colon; empty is as good as absent (RFC 3986 6.2.3). */
static enum error
parse_port(struct slice text, uint16_t *port)
{
	unsigned number = 0;
	if (text.length > 5)
		return ERROR_HTTP_BAD_HOST;
	for (size_t i = 0; i < text.length; i++) {
		if (!is_digit(text.data[i]))
			return ERROR_HTTP_BAD_HOST;
		number = number * 10 + (unsigned)(text.data[i] - '0');
	}
	if (number > UINT16_MAX || (number == 0 && text.length > 0))
		return ERROR_HTTP_BAD_HOST;
	*port = (uint16_t)number;
	return ERROR_OK;
}

/* A name or IPv4 address, in lower case to out: its length, up to a byte that
 * cannot be in one; 0 if a label is empty or too long. */
static size_t
parse_name(struct slice authority, char *out)
{
	size_t label = 0, i = 0, end = authority.length;
	if (end > WIRE_HOST_BYTES + 1)
		end = WIRE_HOST_BYTES + 1;
	for (; i < end; i++) {
		unsigned char byte =
		    name_bytes[(unsigned char)authority.data[i]];
		out[i] = (char)byte;
		/* All others are greater. */
		if (likely(byte > '.') || byte == '-')
			continue;
		if (byte != '.')
			break;
		if (i == label || i - label > LABEL_BYTES)
			return 0;
		label = i + 1;
	}
	return i - label > LABEL_BYTES ? 0 : i;
}

/* "[" IPv6 "]", in lower case to out: its length; 0 if it is none. */
static size_t
parse_ipv6(struct slice authority, char *out)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t close = slice_find(authority, ']');
	if (close == authority.length || close - 1 >= sizeof(text))
		return 0;
	for (size_t i = 1; i < close; i++) {
		char byte = authority.data[i];
		if (byte >= 'A' && byte <= 'F')
			byte |= 0x20;
		out[i] = text[i - 1] = byte;
	}
	text[close - 1] = '\0';
	if (memchr(text, '\0', close - 1) != NULL ||
	    inet_pton(AF_INET6, text, &address) != 1)
		return 0;
	out[0] = '[';
	out[close] = ']';
	return close + 1;
}

enum error
wire_authority_parse(
    struct slice authority, char *out, struct slice *host, uint16_t *port)
{
	must(out != NULL && host != NULL && port != NULL);
	bool ipv6 = authority.length > 0 && authority.data[0] == '[';
	size_t length =
	    ipv6 ? parse_ipv6(authority, out) : parse_name(authority, out);
	if (length == 0)
		return ERROR_HTTP_BAD_HOST;
	size_t next = length;
	if (!ipv6 && out[length - 1] == '.')
		length--;
	if (length > WIRE_HOST_BYTES)
		return ERROR_HTTP_BAD_HOST;
	*host = slice_make(out, length);
	*port = 0;
	if (next == authority.length)
		return ERROR_OK;
	if (authority.data[next] != ':')
		return ERROR_HTTP_BAD_HOST;
	return parse_port(
	    slice_make(authority.data + next + 1, authority.length - next - 1),
	    port);
}

bool
wire_is_plain_host(struct slice authority, const char *begin)
{
	const char *label = authority.data;
	const char *end = label + authority.length;
	if (authority.length == 0 || authority.length > WIRE_HOST_BYTES)
		return false;
	for (;;) {
		const char *stop = wire_scan_label(label, end, begin);
		if (stop == label || stop - label > LABEL_BYTES)
			return false;
		if (stop == end)
			return true;
		if (*stop != '.')
			return false;
		label = stop + 1;
	}
}

static bool
is_label(struct slice label)
{
	if (label.length == 0 || label.length > LABEL_BYTES)
		return false;
	for (size_t i = 0; i < label.length; i++) {
		char byte = label.data[i];
		if (!(byte >= 'a' && byte <= 'z') && !is_digit(byte) &&
		    byte != '-')
			return false;
	}
	return label.data[0] != '-' && label.data[label.length - 1] != '-';
}

bool
wire_is_hostname(struct slice s, bool wildcard_allowed)
{
	struct slice label;
	if (s.length == 0 || s.length > WIRE_HOST_BYTES)
		return false;
	if (wildcard_allowed && slice_starts_with(s, SLICE("*.")))
		s = slice_skip(s, 2);
	while (slice_cut(&s, '.', &label))
		if (!is_label(label))
			return false;
	return true;
}

static bool
is_wildcard(struct slice pattern)
{
	return slice_starts_with(pattern, SLICE("*."));
}

bool
wire_hostnames_intersect(struct slice a, struct slice b)
{
	if (a.length == 0 || b.length == 0)
		return true;
	if (!is_wildcard(a))
		return wire_hostname_covers(b, a);
	if (!is_wildcard(b))
		return wire_hostname_covers(a, b);
	/* Two suffixes share a name when one is the other's end: both begin
	 * with a dot, so ends are whole labels. */
	struct slice a_suffix = slice_skip(a, 1), b_suffix = slice_skip(b, 1);
	return slice_ends_with(a_suffix, b_suffix) ||
	    slice_ends_with(b_suffix, a_suffix);
}

bool
wire_hostname_covers(struct slice pattern, struct slice name)
{
	if (pattern.length == 0)
		return true;
	if (!is_wildcard(pattern))
		return slice_equal(pattern, name);
	/* At least one label before the suffix (Gateway API: any number). */
	struct slice suffix = slice_skip(pattern, 1);
	return name.length > suffix.length && slice_ends_with(name, suffix);
}
