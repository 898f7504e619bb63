/* Asking a running yumen over its admin socket. */
#ifndef YUMEN_CMD_ASK_H
#define YUMEN_CMD_ASK_H

#include <jansson.h>

#include "core/text.h"

/* GET target ("/api/v1/objects?kind=gateways") from the socket at path, NULL:
 * where run has it by default. NULL: it failed, which is told on stderr with
 * the command's name. */
json_t *ask_page(const char *command, const char *path, struct slice target);
/* "%XX" for whatever cannot stand in a parameter of a query. */
void ask_push_escaped(struct text *out, struct slice value);

#endif
