/* Asking for pages: a running yumen over its admin socket, or files. */
#ifndef YUMEN_CMD_ASK_H
#define YUMEN_CMD_ASK_H

#include <jansson.h>

#include "core/text.h"

struct planned;
/* Who is asked, by which command. */
struct ask {
	const char *command; /* for what is told on stderr */
	/* the admin socket's path; NULL: where run has it by default */
	const char *socket;
	struct planned *planned; /* not NULL: files instead, cmd/planned.h */
};

/* The page of target ("/api/v1/objects?kind=gateways"). NULL: it failed, which
 * is told. */
json_t *ask_page(const struct ask *ask, struct slice target);
/* "%XX" for whatever cannot stand in a parameter of a query. */
void ask_push_escaped(struct text *out, struct slice value);

/* Is it a name of an object, as far as letters go? False: told. */
bool ask_check_name(const char *command, const char *name);

#endif
