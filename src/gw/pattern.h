/* The patterns of the CRDs, by row of gw/pattern.def, each as an automaton that
 * tools/crds made: it says what an API server's regular expression says, in one
 * look at each byte, without anything to compile or to keep. */
#ifndef YUMEN_GW_PATTERN_H
#define YUMEN_GW_PATTERN_H

#include "core/slice.h"
#include "gw/finding.h"

enum gw_pattern {
#define GW_PATTERN(name, ...) GW_PATTERN_##name,
#include "gw/pattern.def"
#undef GW_PATTERN
	GW_PATTERN__COUNT
};

struct gw_pattern_type {
	const char *must_be; /* ends the sentence `"value" is not ...` */
	enum gw_finding_row finding;
};
extern const struct gw_pattern_type gw_patterns[GW_PATTERN__COUNT];

/* s is UTF-8, as all that a tree holds. */
bool gw_pattern_matches(enum gw_pattern pattern, struct slice s);

#endif
