/* The table of limits, expanded from limit.def. */
#include "core/limit.h"

const struct limit_row limit_rows[LIMIT__COUNT] = {
#define LIMIT(name, value, unit, status, why) \
	[LIMIT_##name] = {#name, value, unit, status, why},
#include "core/limit.def"
#undef LIMIT
};
