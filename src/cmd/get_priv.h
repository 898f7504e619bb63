/* Inside `yumen get`: how a list of objects is shown. */
#ifndef YUMEN_CMD_GET_PRIV_H
#define YUMEN_CMD_GET_PRIV_H

#include <jansson.h>

#include "core/text.h"
#include "gw/object.h"

/* Rows and columns as kubectl's, and what it leaves out. items: a JSON array.
 */
void get_table(struct text *out, enum gw_kind kind, json_t *items);
/* JSON as YAML, block style, documents separated by "---". */
void get_yaml(struct text *out, json_t *items);

#endif
