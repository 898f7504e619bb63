/* Tables for people: columns as wide as their widest cell. */
#ifndef YUMEN_CMD_TABLE_H
#define YUMEN_CMD_TABLE_H

#include "core/text.h"

#define TABLE_COLUMNS 32

struct table {
	struct text cells; /* NUL-ended strings, row after row */
	unsigned columns;
	unsigned next; /* column of the next cell */
	size_t widths[TABLE_COLUMNS];
};

void table_init(struct table *table, unsigned columns);
void table_fini(struct table *table);
/* Texts of files come here: what would break a line or drive a terminal is
 * replaced; nothing is shown as "-". */
void table_push(struct table *table, struct slice cell);
/* Rows so far are gone, their widths stay: for what comes later. */
void table_reset(struct table *table);
/* Each row begins with indent. */
void table_print(
    const struct table *table, const char *indent, struct text *out);

#endif
