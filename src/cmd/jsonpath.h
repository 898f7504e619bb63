/* Templates of `get -o jsonpath=...` as kubectl's users write them: text, and
 * in braces what is to be looked up.
 *
 *	{.metadata.name}                 members, from the object on
 *	{.labels.a\.b/c} {['a.b/c']}     a member whose name is no word
 *	{.items[*].spec} {.a.*}          all items of a list, or members of a
 *map
 *	{.a[0]} {.a[-1]} {.a[1:3]}       of a list one, from its end, or some
 *	{.a[?(@.type=="Accepted")].b}    items of which that is so: == != < <= >
 *>= with a "text", 'text', number, true, false; or {.a[?(@.b)]}, that have it
 *	{range .items[*]}...{end}        for each; within it '.' and '@' are
 *that one, and '$' is the whole
 *	{"\n"} {'\t'}                    text
 *
 * What is not there says nothing; of several values a space stands between;
 *maps and lists are JSON. Recursive descent (..), unions and scripts are not
 *known.
 */
#ifndef YUMEN_CMD_JSONPATH_H
#define YUMEN_CMD_JSONPATH_H

#include <jansson.h>

#include "core/text.h"

/* A longer template is refused; with it all else is bounded. */
#define JSONPATH_BYTES_MAX 4096

struct jsonpath;

/* A template. NULL: it is malformed, and why says where and how. */
struct jsonpath *jsonpath_new(struct slice template, struct text *why);
/* One path alone, with or without braces and the first '.'. */
struct jsonpath *jsonpath_new_path(struct slice path, struct text *why);
void jsonpath_free(struct jsonpath **path);

void jsonpath_push(
    struct text *out, const struct jsonpath *path, const json_t *whole);
/* The values of a path, with this between them; false: there is none. */
bool jsonpath_push_values(struct text *out, const struct jsonpath *path,
    const json_t *whole, const char *between);

#endif
