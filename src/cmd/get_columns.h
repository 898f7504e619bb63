/* The columns of `get -o custom-columns=TITLE:PATH,...`. */
#ifndef YUMEN_CMD_GET_COLUMNS_H
#define YUMEN_CMD_GET_COLUMNS_H

#include "cmd/jsonpath.h"
#include "cmd/table.h"

#define GET_COLUMNS_MAX TABLE_COLUMNS
struct get_columns {
	unsigned count;
	struct slice titles[GET_COLUMNS_MAX]; /* of the list */
	struct jsonpath *paths[GET_COLUMNS_MAX];
};
/* list: "TITLE:PATH,...". False: why says which column is malformed, and how;
 * fini is due all the same. */
bool get_columns_init(
    struct get_columns *columns, struct slice list, struct text *why);
void get_columns_fini(struct get_columns *columns);
/* table: with the titles for its first row; the caller's to end. */
void get_columns_begin(const struct get_columns *columns, struct table *table);
void get_columns_push(const struct get_columns *columns, const json_t *object,
    struct table *table);
/* The table of these objects. */
void get_columns_print(
    struct text *out, const struct get_columns *columns, const json_t *items);

#endif
