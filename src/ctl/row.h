/* Rows: what is held of each object that the API has, known by kind, namespace
 * and name. A row's owner has a struct of its own that begins with this one;
 * the names stand behind it, in the same block of memory. */
#ifndef YUMEN_CTL_ROW_H
#define YUMEN_CTL_ROW_H

#include <stdint.h>
#include "core/map.h"
#include "core/slice.h"
#include "wire/tree.h"

struct ctl_row {
	uint64_t version; /* the last that a watch told; 0: none */
	uint16_t
	    key_at; /* from the row's start: its key, "kind namespace/name" */
	uint16_t key_length, name_length;
	uint8_t kind; /* the owner's enum */
	uint32_t epoch; /* of the last list that had it; the owner sets it */
};

void ctl_rows_init(struct map *rows);
/* The rows too, each as memory_free does it. */
void ctl_rows_fini(struct map *rows);
/* NULL: there is none. */
void *ctl_rows_get(const struct map *rows, uint8_t kind, struct slice namespace,
    struct slice name);
/* It, or a new one of size bytes, zero but for its names. NULL: the names are
 * longer than any API lets them be. *is_new: NULL, or which. */
void *ctl_rows_make(struct map *rows, size_t size, uint8_t kind,
    struct slice namespace, struct slice name, bool *is_new);
/* From the map; the row's memory is the caller's. */
void ctl_rows_remove(struct map *rows, const struct ctl_row *row);
/* Those of the kind that a list of this epoch has not had; *count of them. The
 * array is the caller's (NULL: there are none), so that rows may go while it is
 * walked. */
struct ctl_row **ctl_rows_missed(
    const struct map *rows, uint8_t kind, uint32_t epoch, size_t *count);

/* What an object of the API is called: false: it does not say. */
bool ctl_row_names(const struct tree_node *object, struct slice *namespace,
    struct slice *name);
/* Its metadata.resourceVersion; absent: it has none. */
struct slice ctl_row_version(const struct tree_node *object);
/* A watch tells of this version of the row's object, or that it is gone since.
 */
void ctl_row_told(struct ctl_row *row, struct slice version);
/* Is this answer to a call older than what a watch has told since the call
 * began? It says nothing of what there is then. Versions are numbers that grow
 * (KEP-5504); of one that is none the answer is no. */
bool ctl_row_is_past(const struct ctl_row *row, const struct tree_node *object);
struct slice ctl_row_key(const struct ctl_row *row);
struct slice ctl_row_namespace(const struct ctl_row *row);
struct slice ctl_row_name(const struct ctl_row *row);

#endif
