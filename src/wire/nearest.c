/* Nearest names, by edit distance: insertions, deletions, replacements and
 * swaps of neighbours each cost one, a letter in the other case nothing. Near
 * is what differs in at most a third of its letters. */
#include "wire/nearest.h"

#include <stdint.h>

#include "core/must.h"

/* Longer names get no hint; the tables have none. */
#define NAME_BYTES_MAX 48

void
wire_nearest_init(struct wire_nearest *nearest, struct slice name)
{
	must(nearest != NULL);
	*nearest = (struct wire_nearest){
	    .name = name,
	    .distance = (unsigned)(name.length / 3 + 1),
	};
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance, three rows of its table at a time. */
static unsigned
edit_distance(struct slice a, struct slice b)
{
	uint8_t rows[3][NAME_BYTES_MAX + 1];
	for (size_t j = 0; j <= b.length; j++)
		rows[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= a.length; i++) {
		uint8_t *now = rows[i % 3];
		const uint8_t *above = rows[(i + 2) % 3];
		const uint8_t *second = rows[(i + 1) % 3];
		now[0] = (uint8_t)i;
		for (size_t j = 1; j <= b.length; j++) {
			char x = fold(a.data[i - 1]), y = fold(b.data[j - 1]);
			unsigned cost = least(above[j], now[j - 1]) + 1u;
			cost = least(cost, above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b.data[j - 2]) &&
			    y == fold(a.data[i - 2]))
				cost = least(cost, second[j - 2] + 1u);
			now[j] = (uint8_t)cost;
		}
	}
	return rows[a.length % 3][b.length];
}

void
wire_nearest_feed(struct wire_nearest *nearest, struct slice candidate)
{
	must(nearest != NULL);
	if (nearest->name.length > NAME_BYTES_MAX ||
	    candidate.length > NAME_BYTES_MAX)
		return;
	unsigned distance = edit_distance(nearest->name, candidate);
	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	nearest->best = candidate;
}
