/* Patterns: automata over bytes, in tables. */
#include "gw/pattern.h"

#include "core/must.h"

/* State 0 is dead: no text comes back from it. */
struct automaton {
	uint16_t moves; /* the first of them, [state][class of the byte] */
	uint8_t classes; /* row that sorts bytes into classes */
	uint8_t columns; /* classes that there are */
	uint16_t start;
	uint16_t accepting; /* states from this one on accept */
};

#include "gw/pattern_tables.inc"

const struct gw_pattern_type gw_patterns[GW_PATTERN__COUNT] = {
#define GW_PATTERN(name, text, row, words) \
	[GW_PATTERN_##name] = {.must_be = (words), .finding = GW_FINDING_##row},
#include "gw/pattern.def"
#undef GW_PATTERN
};

bool
gw_pattern_matches(enum gw_pattern pattern, struct slice s)
{
	must((unsigned)pattern < GW_PATTERN__COUNT);
	const struct automaton *automaton = &automata[pattern];
	const uint16_t *next = &moves[automaton->moves];
	const uint8_t *class_of = classes[automaton->classes];
	unsigned state = automaton->start;

	for (size_t i = 0; i < s.length && state != 0; i++)
		state = next[state * automaton->columns +
		    class_of[(unsigned char)s.data[i]]];
	return state >= automaton->accepting;
}
