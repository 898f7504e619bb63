/* The forms of values, each as small loops over bytes: what the CRDs give as
 * regular expressions, without an engine for them. */
#include "gw/form.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "core/clock.h"

enum { LABEL_BYTES = 63, NAME_BYTES = 253 };

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Letters and digits at both ends, and bytes of inner between. */
static bool
is_word(struct slice s, bool upper, const char *inner)
{
	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];
		bool end = i == 0 || i + 1 == s.length;

		if (!is_lower(c) && !is_digit(c) && !(upper && is_letter(c)) &&
		    (end || !is_one_of(c, inner)))
			return false;
	}
	return s.length > 0;
}

bool
gw_form_is_label(struct slice s)
{
	return s.length <= LABEL_BYTES && is_word(s, false, "-");
}

bool
gw_form_is_service(struct slice s)
{
	return gw_form_is_label(s) && is_lower(s.data[0]);
}

bool
gw_form_is_name(struct slice s)
{
	struct slice rest = s, label;

	if (s.length == 0 || s.length > NAME_BYTES)
		return false;
	while (slice_cut(&rest, '.', &label))
		if (!is_word(label, false, "-"))
			return false;
	return true;
}

bool
gw_form_is_group(struct slice s)
{
	return s.length == 0 || gw_form_is_name(s);
}

bool
gw_form_is_kind(struct slice s)
{
	return is_word(s, true, "-") && is_letter(s.data[0]);
}

bool
gw_form_is_domain_path(struct slice s)
{
	size_t slash = slice_find(s, '/');

	if (slash + 1 >= s.length ||
	    !gw_form_is_name(slice_make(s.data, slash)))
		return false;
	for (size_t i = slash + 1; i < s.length; i++)
		if (!is_letter(s.data[i]) && !is_digit(s.data[i]) &&
		    !is_one_of(s.data[i], "/-._~%!$&'()*+,;=:"))
			return false;
	return true;
}

bool
gw_form_is_label_key(struct slice s)
{
	size_t slash = slice_find(s, '/');

	if (slash < s.length) {
		if (!gw_form_is_name(slice_make(s.data, slash)))
			return false;
		s = slice_skip(s, slash + 1);
	}
	return s.length <= LABEL_BYTES && is_word(s, true, "-_.");
}

bool
gw_form_is_label_value(struct slice s)
{
	return s.length == 0 ||
	    (s.length <= LABEL_BYTES && is_word(s, true, "-_."));
}

bool
gw_form_is_protocol(struct slice s)
{
	size_t slash = slice_find(s, '/');

	if (slash == s.length)
		return is_word(s, true, "-");
	if (!gw_form_is_name(slice_make(s.data, slash)))
		return false;
	return is_word(slice_skip(s, slash + 1), true, "");
}

bool
gw_form_is_header_value(struct slice s)
{
	bool blank = true; /* a blank may not come next */

	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];

		if (c == ' ' || c == '\t') {
			if (blank)
				return false;
			blank = true;
		} else if (c >= '!' && c <= '~') {
			blank = false;
		} else {
			return false;
		}
	}
	return !blank;
}

bool
gw_form_is_file_name(struct slice s)
{
	for (size_t i = 0; i < s.length; i++)
		if (!is_letter(s.data[i]) && !is_digit(s.data[i]) &&
		    !is_one_of(s.data[i], "-_."))
			return false;
	return s.length > 0 && s.length <= NAME_BYTES &&
	    !slice_equal(s, SLICE(".")) && !slice_starts_with(s, SLICE(".."));
}

bool
gw_form_is_base64(struct slice s, bool loosely)
{
	size_t letters = 0, padding = 0;

	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];

		if (c == '=')
			padding++;
		else if (padding == 0 &&
		    (is_letter(c) || is_digit(c) || c == '+' || c == '/'))
			letters++;
		else if (!loosely || (c != '\n' && c != '\r'))
			return false;
	}
	return padding <= 2 && (letters + padding) % 4 == 0;
}

bool
gw_form_is_time(struct slice s)
{
	int64_t seconds;

	return clock_parse(s, &seconds);
}

bool
gw_form_is_address(struct slice s, char *out, unsigned *family)
{
	char text[GW_ADDRESS_BYTES];
	struct in6_addr address;

	if (s.length == 0 || s.length >= sizeof(text))
		return false;
	memcpy(text, s.data, s.length);
	text[s.length] = '\0';
	int kind = slice_find(s, ':') < s.length ? AF_INET6 : AF_INET;

	if (strlen(text) != s.length || inet_pton(kind, text, &address) != 1)
		return false;
	*family = kind == AF_INET6 ? 6 : 4;
	return inet_ntop(kind, &address, out, GW_ADDRESS_BYTES) != NULL;
}

bool
gw_form_is_prefix(struct slice s)
{
	char canonical[GW_ADDRESS_BYTES];
	size_t slash = slice_find(s, '/');
	unsigned family;
	uint64_t bits;

	return slash < s.length &&
	    gw_form_is_address(slice_make(s.data, slash), canonical, &family) &&
	    slice_to_number(
	        slice_skip(s, slash + 1), family == 4 ? 32 : 128, &bits);
}

/* An IPv4 address within IPv6 reaches as far as by itself. */
enum gw_scope
gw_form_scope(struct slice s)
{
	char canonical[GW_ADDRESS_BYTES];
	unsigned char bytes[16] = {0};
	const unsigned char *v4 = bytes;
	unsigned family;

	if (!gw_form_is_address(s, canonical, &family) ||
	    inet_pton(family == 4 ? AF_INET : AF_INET6, canonical, bytes) != 1)
		return GW_SCOPE_WIDE;
	struct in6_addr address;

	memcpy(&address, bytes, sizeof(address));
	if (family == 6 && IN6_IS_ADDR_V4MAPPED(&address))
		v4 = bytes + 12;
	else if (family == 6) {
		if (IN6_IS_ADDR_UNSPECIFIED(&address))
			return GW_SCOPE_UNSPECIFIED;
		if (IN6_IS_ADDR_LOOPBACK(&address))
			return GW_SCOPE_LOOPBACK;
		if (IN6_IS_ADDR_LINKLOCAL(&address))
			return GW_SCOPE_LINK;
		return IN6_IS_ADDR_MC_LINKLOCAL(&address)
		    ? GW_SCOPE_LINK_MULTICAST
		    : GW_SCOPE_WIDE;
	}
	if ((v4[0] | v4[1] | v4[2] | v4[3]) == 0)
		return GW_SCOPE_UNSPECIFIED;
	if (v4[0] == 127)
		return GW_SCOPE_LOOPBACK;
	if (v4[0] == 169 && v4[1] == 254)
		return GW_SCOPE_LINK;
	return v4[0] == 224 && (v4[1] | v4[2]) == 0 ? GW_SCOPE_LINK_MULTICAST
	                                            : GW_SCOPE_WIDE;
}

/* Milliseconds of the unit at the front of *rest, which moves behind it. */
static uint64_t
take_unit(struct slice *rest)
{
	static const struct {
		struct slice name;
		uint64_t ms;
	} units[] = {
	    {SLICE("ms"), 1},
	    {SLICE("s"), 1000},
	    {SLICE("m"), 60000},
	    {SLICE("h"), 3600000},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (slice_starts_with(*rest, units[i].name)) {
			*rest = slice_skip(*rest, units[i].name.length);
			return units[i].ms;
		}
	return 0;
}

bool
gw_form_is_duration(struct slice s, uint64_t *ms)
{
	unsigned parts = 0;

	*ms = 0;
	for (; s.length > 0; parts++) {
		size_t digits = 0;
		uint64_t number, unit;

		while (digits < s.length && is_digit(s.data[digits]))
			digits++;
		if (!slice_to_number(
		        slice_make(s.data, digits), 99999, &number))
			return false;
		s = slice_skip(s, digits);
		unit = take_unit(&s);
		if (unit == 0 || digits > 5)
			return false;
		*ms += number * unit;
	}
	return parts >= 1 && parts <= 4;
}

static bool
has_part(struct slice s, struct slice part)
{
	for (size_t i = 0; i + part.length <= s.length; i++)
		if (memcmp(s.data + i, part.data, part.length) == 0)
			return true;
	return false;
}

static bool
is_path_text(struct slice path)
{
	for (size_t i = 0; i < path.length; i++) {
		char c = path.data[i];

		if (c == '%') {
			if (i + 2 >= path.length || !is_hex(path.data[i + 1]) ||
			    !is_hex(path.data[i + 2]))
				return false;
			i += 2;
		} else if (!is_letter(c) && !is_digit(c) &&
		    !is_one_of(c, "-/._~!$&'()*+,;=:@")) {
			return false;
		}
	}
	return true;
}

const char *
gw_form_path_fault(struct slice path)
{
	static const struct {
		struct slice part;
		const char *fault;
	} parts[] = {
	    {SLICE("//"), "has an empty segment (\"//\")"},
	    {SLICE("/./"), "has a segment \".\""},
	    {SLICE("/../"), "has a segment \"..\""},
	    {SLICE("%2f"), "has an escaped slash (%2f)"},
	    {SLICE("%2F"), "has an escaped slash (%2F)"},
	    {SLICE("#"), "has a '#'"},
	};

	if (path.length == 0 || path.data[0] != '/')
		return "does not begin with '/'";
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (has_part(path, parts[i].part))
			return parts[i].fault;
	if (slice_ends_with(path, SLICE("/..")))
		return "ends in a segment \"..\"";
	if (slice_ends_with(path, SLICE("/.")))
		return "ends in a segment \".\"";
	if (!is_path_text(path))
		return "has a byte that must be escaped (%XX)";
	return NULL;
}
