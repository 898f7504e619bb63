/* The limits: names, values and hit counters of limit.def's rows. */
#ifndef YUMEN_CORE_LIMIT_H
#define YUMEN_CORE_LIMIT_H

#include <stdint.h>

enum limit {
#define LIMIT(name, value, unit, status, why) LIMIT_##name,
#include "core/limit.def"
#undef LIMIT
	LIMIT__COUNT
};

/* The values as constants, for sizes: LIMIT_VALUE_REQUEST_FIELDS. */
enum limit_value {
#define LIMIT(name, value, unit, status, why) LIMIT_VALUE_##name = (value),
#include "core/limit.def"
#undef LIMIT
};

struct limit_row {
	const char *name; /* as in limit.def; metrics print it in lower case */
	uint64_t value;
	const char *unit;
	int status;
	const char *why;
};
extern const struct limit_row limit_rows[LIMIT__COUNT];

#endif
