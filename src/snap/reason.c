/* The rows of reason.def. */
#include "snap/reason.h"

const struct reason_row reason_rows[REASON__COUNT] = {
#define REASON(name, text, code, why) \
	[REASON_##name] = { \
	    .word = {.data = (text), .length = sizeof(text) - 1}, \
	    .status = (code), \
	    .meaning = (why), \
	},
#include "snap/reason.def"
#undef REASON
};
