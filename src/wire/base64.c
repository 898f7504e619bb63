/* Both ways in steps of three bytes, which are four characters. */
#include "wire/base64.h"

#include "core/must.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
wire_base64_push(struct text *out, struct slice bytes)
{
	must(out != NULL);
	while (bytes.length > 0) {
		size_t count = bytes.length < 3 ? bytes.length : 3;
		uint32_t bits = 0;

		for (size_t i = 0; i < 3; i++) {
			bits <<= 8;
			if (i < count)
				bits |= (unsigned char)bytes.data[i];
		}
		for (size_t i = 0; i < 4; i++)
			text_push_byte(out,
			    i <= count ? alphabet[bits >> (18 - 6 * i) & 63]
			               : '=');
		bytes = slice_skip(bytes, count);
	}
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

bool
wire_base64_take(struct text *out, struct slice text)
{
	must(out != NULL);
	unsigned have = 0, padding = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		int value = value_of(c);

		if (c == '\n' || c == '\r')
			continue;
		if (c == '=' && have + padding > 1 && have + padding < 4)
			padding++;
		else if (value < 0 || padding > 0)
			return false;
		bits = bits << 6 | (value < 0 ? 0 : (uint32_t)value);
		have += value >= 0;
		if (have + padding < 4)
			continue;
		for (unsigned j = 0; j < 3 - padding; j++)
			text_push_byte(out, (char)(bits >> (16 - 8 * j)));
		bits = have = 0;
		if (padding > 0)
			padding = 4; /* nothing may follow */
	}
	return have == 0 && (padding == 0 || padding == 4);
}
