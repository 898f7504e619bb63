/* Inside `yumen get`: how a list of objects is shown. */
#ifndef YUMEN_CMD_GET_PRIV_H
#define YUMEN_CMD_GET_PRIV_H

#include <jansson.h>

#include "core/text.h"
#include "gw/object.h"

/* Rows and columns as kubectl's, and what it leaves out; wide: more of them.
 * items: a JSON array. */
void get_table(struct text *out, enum gw_kind kind, json_t *items, bool wide);
/* What each worker serves. answer: of /api/v1/proxies. */
void get_proxies_table(struct text *out, const json_t *answer);
/* JSON as YAML, block style, documents separated by "---". */
void get_yaml(struct text *out, json_t *items);

#endif
