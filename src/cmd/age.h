/* Ages, as kubectl writes them: 45s, 5m30s, 7h, 3d4h. */
#ifndef YUMEN_CMD_AGE_H
#define YUMEN_CMD_AGE_H

#include "core/text.h"

void age_push(struct text *out, int64_t seconds);

#endif
