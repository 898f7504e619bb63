/* Asking a running yumen over its admin socket. */
#ifndef YUMEN_CMD_ASK_H
#define YUMEN_CMD_ASK_H

#include <jansson.h>

#include "core/text.h"
#include "gw/object.h"

/* GET target ("/api/v1/objects?kind=gateways") from the socket at path, NULL:
 * where run has it by default. NULL: it failed, which is told on stderr with
 * the command's name. */
json_t *ask_page(const char *command, const char *path, struct slice target);
/* "%XX" for whatever cannot stand in a parameter of a query. */
void ask_push_escaped(struct text *out, struct slice value);

/* "&key=value" unless value is NULL; false: it is no name of an object, told.
 */
bool ask_push_name(
    const char *command, struct text *out, const char *key, const char *value);
/* By kind, plural or short name; false: there is none, told. */
bool ask_kind(const char *command, const char *name, enum gw_kind *kind);

#endif
