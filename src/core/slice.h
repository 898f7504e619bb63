/* A slice: bytes somewhere else, borrowed. Never owns, need not end in NUL. */
#ifndef YUMEN_CORE_SLICE_H
#define YUMEN_CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *data; /* NULL: absent, which differs from empty */
	size_t length;
};

#define SLICE(literal) \
	((struct slice){.data = (literal), .length = sizeof(literal) - 1})
#define SLICE_NONE ((struct slice){0})
/* printf("%.*s", SLICE_ARGS(s)) */
#define SLICE_ARGS(s) (int)(s).length, (s).data ? (s).data : ""

static inline struct slice
slice_make(const char *data, size_t length)
{
	return (struct slice){.data = data, .length = length};
}

static inline struct slice
slice_from_string(const char *string)
{
	return slice_make(string, string ? strlen(string) : 0);
}

static inline bool
slice_is_set(struct slice s)
{
	return s.data != NULL;
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.length == b.length &&
	    (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* ASCII case is ignored. */
bool slice_equal_nocase(struct slice a, struct slice b);
/* Byte order, then length: <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);
/* By slice_compare, each once; how many are left. */
uint32_t slice_sort_unique(struct slice *items, uint32_t count);
bool slice_starts_with(struct slice s, struct slice prefix);
bool slice_ends_with(struct slice s, struct slice suffix);
/* The index of byte, or s.length. */
size_t slice_find(struct slice s, char byte);
/* s without its first count bytes; count must be <= s.length. */
struct slice slice_skip(struct slice s, size_t count);
/* s without leading and trailing SP and HTAB (RFC 9110 5.6.3 OWS). */
struct slice slice_trim(struct slice s);
/* Cut the first part off *rest at separator. False when *rest is absent; the
 * last part leaves *rest absent. */
bool slice_cut(struct slice *rest, char separator, struct slice *part);
/* Decimal digits only, all of s, no sign; false on anything else or overflow
 * past maximum. */
bool slice_to_number(struct slice s, uint64_t maximum, uint64_t *number);

#endif
