/* What `get` and `describe` are asked for: kinds, names, a namespace, labels,
 * as kubectl takes them. */
#ifndef YUMEN_CMD_SELECT_H
#define YUMEN_CMD_SELECT_H

#include <jansson.h>

#include "cmd/flags.h"
#include "core/text.h"
#include "gw/object.h"

struct selection {
	const char *command;
	bool is_asked[GW_KIND__COUNT];
	/* in the order in which they were named */
	enum gw_kind kinds[GW_KIND__COUNT];
	unsigned kind_count;
	struct {
		enum gw_kind kind;
		const char *name;
	} names[FLAG_ARGUMENTS]; /* none: all */
	unsigned name_count;
	const char *namespace; /* NULL: all */
	const char *selector; /* NULL: all */
	bool all_kinds; /* `all` was said: kinds without objects are no news */
};

/* "KIND[,KIND...]|all [NAME...]" or "KIND/NAME ...". False: told on stderr. */
bool select_parse(struct selection *selection, const char *command,
    const char *const *arguments, unsigned count);
/* The target of /api/v1/objects. */
void select_push_target(const struct selection *selection, struct text *out);
/* The kind of an object; GW_KIND__COUNT: none that is known. */
enum gw_kind select_kind_of(const json_t *object);
bool select_takes(const struct selection *selection, const json_t *object);
/* Is this name, as one that was asked for, among the objects? */
bool select_is_among(
    const struct selection *selection, unsigned name, const json_t *items);

/* By kind, plural or short name, with or without its group; false: there is
 * none, told. */
bool select_kind(const char *command, struct slice name, enum gw_kind *kind);

#endif
