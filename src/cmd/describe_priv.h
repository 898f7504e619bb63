/* Inside `yumen describe`: the sections of what is printed. */
#ifndef YUMEN_CMD_DESCRIBE_PRIV_H
#define YUMEN_CMD_DESCRIBE_PRIV_H

#include "cmd/ask.h"
#include "cmd/table.h"
#include "gw/object.h"

#include <jansson.h>

struct describing {
	enum gw_kind kind;
	json_t *object;
	const char *namespace, *name;
	const struct ask *ask; /* for more */
	struct text *out;
};

/* A JSON page of the running yumen; an empty object when there is none. */
json_t *describe_ask(const struct describing *describing, const char *format,
    ...) __attribute__((format(printf, 2, 3)));

/* "Label:      value", unless there is none. */
void describe_line(struct text *out, const char *label, const char *value);
/* A table under its label, titles first; freed. Without rows nothing. */
void describe_table(struct text *out, const char *label, struct table *table);
void describe_cell(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void describe_conditions(const struct describing *describing);
/* answer: of /api/v1/problems. */
void describe_problems(struct text *out, const json_t *answer);

/* Who refers to it. */
void describe_users(const struct describing *describing);
/* A Gateway's addresses, each with its pool. */
void describe_addresses(const struct describing *describing);
/* Who has addresses of a pool. */
void describe_pool(const struct describing *describing);
/* What is to say of this kind besides. */
void describe_kind(const struct describing *describing);

#endif
