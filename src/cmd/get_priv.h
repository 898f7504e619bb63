/* Inside `yumen get`: how objects are shown. */
#ifndef YUMEN_CMD_GET_PRIV_H
#define YUMEN_CMD_GET_PRIV_H

#include <jansson.h>

#include "cmd/get_columns.h"
#include "cmd/table.h"
#include "gw/object.h"

/* Rows and columns as kubectl's, and what it leaves out. */
struct get_table {
	struct table table;
	enum gw_kind kind;
	bool wide; /* more columns */
	bool watch; /* what happened, before them */
	bool prefix; /* KIND/NAME, where several kinds are shown */
	int64_t now; /* seconds since 1970 */
};
/* The titles are its first row. */
void get_table_init(struct get_table *table, enum gw_kind kind);
void get_table_begin(struct get_table *table);
/* since: when there came to be such an object, in seconds since 1970, unless it
 * says so itself; 0: it is not known. event: with watch. */
void get_table_push(struct get_table *table, const json_t *object,
    int64_t since, const char *event);

/* What each worker serves. answer: of /api/v1/proxies. */
void get_proxies_table(struct text *out, const json_t *answer);
/* Certificates of Secrets. answer: of /api/v1/certificates. */
void get_certificates_table(struct text *out, const json_t *answer);
/* JSON as YAML, block style, documents separated by "---". */
void get_yaml(struct text *out, json_t *items);

struct get_view {
	enum {
		GET_TABLE,
		GET_WIDE,
		GET_NAME,
		GET_YAML,
		GET_JSON,
		GET_JSONPATH,
		GET_COLUMNS,
	} format;
	bool watch;
	struct jsonpath *path; /* with GET_JSONPATH */
	struct get_columns columns; /* with GET_COLUMNS */
};
struct selection;
struct ask;
/* Prints what is there and then what changes, until it cannot ask any more: the
 * exit status. */
int get_watch(const struct selection *selection, const struct ask *ask,
    const struct get_view *view);
/* "httproute.gateway.networking.k8s.io/web" on a line, as kubectl has it. */
void get_push_name(struct text *out, const json_t *object);
/* The objects of an answer that are asked for, and since when there are those:
 * arrays of the same length. */
void get_take_items(const struct selection *selection, const json_t *answer,
    json_t *items, json_t *since);

#endif
