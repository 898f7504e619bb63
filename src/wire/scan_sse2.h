/* Finding the next byte of a kind, 16 at a time, with what every x86-64 has.
 * What each function finds is said in wire/scan.h.
 *
 * The last few bytes are looked at by a load that ends where they end and
 * begins before them: nothing outside [begin, end) is read. */
#ifndef YUMEN_WIRE_SCAN_SSE2_H
#define YUMEN_WIRE_SCAN_SSE2_H

#include <emmintrin.h>
#include <stdbool.h>
#include "wire/scan_generic.h"

#define SCAN_SSE2_BYTES 16

/* A bit for each byte that is of the kind. */
typedef unsigned (*scan_sse2_kind_fn)(__m128i bytes, char byte);

static inline __m128i
scan_sse2_load(const char *at)
{
	return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* first <= byte <= last, unsigned. */
static inline __m128i
scan_sse2_in_range(__m128i bytes, char first, char last)
{
	__m128i from_zero = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
	__m128i span = _mm_set1_epi8((char)(last - first));
	return _mm_cmpeq_epi8(_mm_min_epu8(from_zero, span), from_zero);
}

static inline unsigned
scan_sse2_ends_line(__m128i bytes, char unused)
{
	(void)unused;
	__m128i low = scan_sse2_in_range(bytes, 0, 0x1f);
	__m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
	return (unsigned)_mm_movemask_epi8(
	    _mm_or_si128(_mm_andnot_si128(tab, low), del));
}

static inline unsigned
scan_sse2_ends_target(__m128i bytes, char unused)
{
	(void)unused;
	/* Signed: bytes over 0x7f are less than 0x21 too. */
	__m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));
	__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
	__m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
	__m128i query = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('?'));
	return (unsigned)_mm_movemask_epi8(
	    _mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(hash, query)));
}

static inline unsigned
scan_sse2_ends_name(__m128i bytes, char unused)
{
	(void)unused;
	__m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
	__m128i letter = scan_sse2_in_range(lower, 'a', 'z');
	__m128i digit = scan_sse2_in_range(bytes, '0', '9');
	__m128i dash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
	__m128i name = _mm_or_si128(_mm_or_si128(letter, digit), dash);
	return (unsigned)_mm_movemask_epi8(name) ^ 0xffff;
}

static inline unsigned
scan_sse2_ends_label(__m128i bytes, char unused)
{
	(void)unused;
	__m128i letter = scan_sse2_in_range(bytes, 'a', 'z');
	__m128i digit = scan_sse2_in_range(bytes, '0', '9');
	__m128i dash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
	__m128i low_dash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_'));
	__m128i label = _mm_or_si128(
	    _mm_or_si128(letter, digit), _mm_or_si128(dash, low_dash));
	return (unsigned)_mm_movemask_epi8(label) ^ 0xffff;
}

static inline unsigned
scan_sse2_is_byte(__m128i bytes, char byte)
{
	return (unsigned)_mm_movemask_epi8(
	    _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte)));
}

/* Whole vectors first. *found: was it there? If not, less than a vector is left
 * from what is returned. */
static inline __attribute__((always_inline)) const char *
scan_sse2_vectors(const char *at, const char *end, scan_sse2_kind_fn kind,
    char byte, bool *found)
{
	*found = true;
	for (; end - at >= SCAN_SSE2_BYTES; at += SCAN_SSE2_BYTES) {
		unsigned bits = kind(scan_sse2_load(at), byte);
		if (bits != 0)
			return at + __builtin_ctz(bits);
	}
	*found = false;
	return at;
}

/* Then what is left, at <= end, with end - begin at least a vector. */
static inline __attribute__((always_inline)) const char *
scan_sse2_rest(
    const char *at, const char *end, scan_sse2_kind_fn kind, char byte)
{
	const char *last = end - SCAN_SSE2_BYTES;
	unsigned bits = kind(scan_sse2_load(last), byte) >> (at - last);
	return bits != 0 ? at + __builtin_ctz(bits) : end;
}

#define SCAN_SSE2(noun) \
	static inline const char *scan_sse2_##noun( \
	    const char *at, const char *end, const char *begin) \
	{ \
		bool found; \
		at = scan_sse2_vectors( \
		    at, end, scan_sse2_ends_##noun, 0, &found); \
		if (found) \
			return at; \
		if (end - begin < SCAN_SSE2_BYTES) \
			return scan_generic_##noun(at, end, begin); \
		return scan_sse2_rest(at, end, scan_sse2_ends_##noun, 0); \
	}
SCAN_SSE2(line)
SCAN_SSE2(target)
SCAN_SSE2(name)
SCAN_SSE2(label)
#undef SCAN_SSE2

static inline const char *
scan_sse2_byte(const char *at, const char *end, const char *begin, char byte)
{
	bool found;
	at = scan_sse2_vectors(at, end, scan_sse2_is_byte, byte, &found);
	if (found)
		return at;
	if (end - begin < SCAN_SSE2_BYTES)
		return scan_generic_byte(at, end, begin, byte);
	return scan_sse2_rest(at, end, scan_sse2_is_byte, byte);
}

#endif
