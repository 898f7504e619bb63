/* The reasons of reason.def. */
#ifndef YUMEN_SNAP_REASON_H
#define YUMEN_SNAP_REASON_H

#include <stdint.h>
#include "core/slice.h"

enum reason {
#define REASON(name, word, status, meaning) REASON_##name,
#include "snap/reason.def"
#undef REASON
	REASON__COUNT
};

struct reason_row {
	struct slice word;
	uint16_t status;
	const char *meaning;
};
extern const struct reason_row reason_rows[REASON__COUNT];

#endif
