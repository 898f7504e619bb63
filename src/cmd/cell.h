/* Cells of tables, written as templates over JSON, so that a kind's columns are
 * rows and no code.
 *
 * What stands in braces is a path into the object: members joined by '.', lists
 * on the way stand for each of their items; several paths are joined by ','.
 *
 *	{spec.hostnames}        the values, joined by commas
 *	{spec.type|ClusterIP}   what stands there when there is none
 *	{:port} {namespace/}    ':' or '/' with it, if there is one
 *	{#spec.rules}           how many things
 *	{+a.attachedRoutes}     the sum of numbers
 *	{%data}                 how many members the maps have
 *	{@metadata.labels}      a map as k=v,k=v
 *	x[type=Accepted].y      of the items of x only those whose type is that;
 *	x[ready!=false]         or is not
 *	labels['a.b/c']         a member whose name is no word
 *
 * Values of other types than the path expects are not there. */
#ifndef YUMEN_CMD_CELL_H
#define YUMEN_CMD_CELL_H

#include <jansson.h>

#include "core/text.h"

void cell_push(struct text *out, const json_t *object, const char *format);
/* The cell of each thing at a path, joined by commas. */
void cell_push_each(struct text *out, const json_t *object, const char *path,
    const char *format);
/* Is there such a value at this path? */
bool cell_is(const json_t *object, struct slice path, struct slice value);

typedef void (*cell_fn)(void *context, const json_t *value);
/* Calls fn for each thing at a path. */
void cell_each(
    const json_t *object, struct slice path, cell_fn fn, void *context);

#endif
