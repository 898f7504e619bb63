/* The nearest of some names to one that was mistyped, for hints. Pure. */
#ifndef YUMEN_WIRE_NEAREST_H
#define YUMEN_WIRE_NEAREST_H

#include "core/slice.h"

struct wire_nearest {
	struct slice name; /* as it was typed */
	struct slice best; /* absent while none is near enough */
	unsigned distance;
};

void wire_nearest_init(struct wire_nearest *nearest, struct slice name);
/* Look at one more candidate; the first of equally near ones stays. */
void wire_nearest_feed(struct wire_nearest *nearest, struct slice candidate);

#endif
