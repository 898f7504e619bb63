/* Slices: comparing, cutting and reading numbers; nothing here allocates. */
#include "core/slice.h"

#include <stdlib.h>

#include "core/must.h"

static inline unsigned char
lower(char byte)
{
	unsigned char c = (unsigned char)byte;

	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool
slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

int
slice_compare(struct slice a, struct slice b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

	if (order != 0)
		return order;
	return a.length < b.length ? -1 : a.length > b.length;
}

static int
compare_items(const void *a, const void *b)
{
	return slice_compare(
	    *(const struct slice *)a, *(const struct slice *)b);
}

uint32_t
slice_sort_unique(struct slice *items, uint32_t count)
{
	uint32_t kept = 0;

	if (count > 1)
		qsort(items, count, sizeof(*items), compare_items);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || !slice_equal(items[i], items[kept - 1]))
			items[kept++] = items[i];
	return kept;
}

bool
slice_starts_with(struct slice s, struct slice prefix)
{
	return s.length >= prefix.length &&
	    slice_equal(slice_make(s.data, prefix.length), prefix);
}

bool
slice_ends_with(struct slice s, struct slice suffix)
{
	return s.length >= suffix.length &&
	    slice_equal(slice_skip(s, s.length - suffix.length), suffix);
}

size_t
slice_find(struct slice s, char byte)
{
	const char *found =
	    s.length > 0 ? memchr(s.data, byte, s.length) : NULL;

	return found ? (size_t)(found - s.data) : s.length;
}

struct slice
slice_skip(struct slice s, size_t count)
{
	must(count <= s.length);
	if (count == 0)
		return s;
	return slice_make(s.data + count, s.length - count);
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

struct slice
slice_trim(struct slice s)
{
	while (s.length > 0 && is_blank(s.data[0]))
		s = slice_make(s.data + 1, s.length - 1);
	while (s.length > 0 && is_blank(s.data[s.length - 1]))
		s.length--;
	return s;
}

bool
slice_cut(struct slice *rest, char separator, struct slice *part)
{
	if (!slice_is_set(*rest))
		return false;

	size_t at = slice_find(*rest, separator);

	*part = slice_make(rest->data, at);
	*rest = at < rest->length ? slice_skip(*rest, at + 1) : SLICE_NONE;
	return true;
}

bool
slice_to_number(struct slice s, uint64_t maximum, uint64_t *number)
{
	uint64_t sum = 0;

	if (s.length == 0)
		return false;
	for (size_t i = 0; i < s.length; i++) {
		unsigned digit = (unsigned)(unsigned char)s.data[i] - '0';

		if (digit > 9)
			return false;
		if (sum > maximum / 10 || sum * 10 > maximum - digit ||
		    digit > maximum)
			return false;
		sum = sum * 10 + digit;
	}
	*number = sum;
	return true;
}
