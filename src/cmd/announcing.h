/* Why nothing can be announced, for people: of `yumen announcer` and of `yumen
 * run --announce`. */
#ifndef YUMEN_CMD_ANNOUNCING_H
#define YUMEN_CMD_ANNOUNCING_H

#include <stdbool.h>

#include "core/error.h"

/* What announcing lacks: of_link: announcer_add_link was denied, else
 * announcer_new; takes: addresses are to be taken. */
const char *announcing_lacks(bool of_link, bool takes);
/* Any other error of these two. */
const char *announcing_why_not(enum error error);

#endif
