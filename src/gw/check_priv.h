/* Inside gw: checks of one object at admission, and how they report. Where a
 * check is in the object is a chain of places on the stack, which is written
 * out only for a finding. */
#ifndef YUMEN_GW_CHECK_PRIV_H
#define YUMEN_GW_CHECK_PRIV_H

#include "gw/admit.h"
#include "gw/schema.h"

struct gw_place {
	const struct gw_place *up; /* NULL: the object itself */
	const char *name;
	int64_t index; /* in the list called name, or -1 */
	struct slice key; /* in the map called name; absent: none */
};
#define GW_AT(above, field) \
	(&(const struct gw_place){.up = (above), .name = (field), .index = -1})
#define GW_AT_ITEM(above, field, at) \
	(&(const struct gw_place){ \
	    .up = (above), .name = (field), .index = (at)})
#define GW_AT_KEY(above, field, entry) \
	(&(const struct gw_place){ \
	    .up = (above), .name = (field), .index = -1, .key = (entry)})

struct gw_check {
	struct tree_node *document;
	struct arena *arena; /* of the tree, and of texts in findings */
	struct gw_schema schema; /* its kind is NULL while none is found */
	gw_finding_fn on_finding;
	void *context;
	bool failed; /* an ERROR was reported */
};

/* Report at a place, or (NULL) at the document. */
void gw_check_report(struct gw_check *check, enum gw_finding_row row,
    const struct gw_place *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, with a path and a hint as texts and a position that is known. */
void gw_check_report_path(struct gw_check *check, enum gw_finding_row row,
    struct slice path, uint32_t line, uint32_t column, struct slice text,
    struct slice fix);
/* Reports unless ok; must_be ends the sentence `"value" is not ...`. */
void gw_check_form(struct gw_check *check, enum gw_finding_row row,
    const struct gw_place *place, struct slice value, bool ok,
    const char *must_be);
/* Keys of labels and annotations, and values of labels, in the map at place. */
void gw_check_labels(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *map);

/* The finalizers of the map at up; of Kubernetes' own kinds, which are told
 * each at its item, or all at the list. */
void gw_check_finalizers(struct gw_check *check, const struct gw_place *up,
    const struct tree_node *map, bool each);

/* A name, perhaps with a domain and '/' before it; NULL: not there. */
void gw_check_qualified(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *value);

/* The field of a map (NULL: of none) as a text, or empty. */
static inline struct slice
gw_check_text(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map ? wire_tree_get(map, key) : NULL;

	return node ? node->text : SLICE("");
}

static inline bool
gw_check_is(const struct tree_node *map, const char *key, const char *value)
{
	return slice_equal(gw_check_text(map, key), slice_from_string(value));
}

/* The texts of two maps' fields are the same. */
static inline bool
gw_check_same(
    const struct tree_node *a, const struct tree_node *b, const char *key)
{
	return slice_equal(gw_check_text(a, key), gw_check_text(b, key));
}

/* The number of a field, or 0. */
static inline int64_t
gw_check_number(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map ? wire_tree_get(map, key) : NULL;

	return node ? node->integer : 0;
}

/* What a list or map of a map has: how many, and the first of them. */
static inline uint32_t
gw_check_count(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map ? wire_tree_get(map, key) : NULL;

	return node ? node->count : 0;
}

static inline const struct tree_node *
gw_check_first(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map ? wire_tree_get(map, key) : NULL;

	return node ? node->child : NULL;
}

/* What an API server checks in code. Metadata of any object, also of one that
 * its schema refuses: */
void gw_check_metadata(struct gw_check *check);
/* Service, EndpointSlice, Secret and ConfigMap, once judged by their schemas:
 */
void gw_check_built_in(struct gw_check *check);
void gw_check_service(struct gw_check *check);
/* Before that: the defaults that an API server makes in code. */
void gw_fill_built_in(struct gw_check *check);

/* What yumen does not honour of an object that is admitted. */
void gw_check_honour(struct gw_check *check, const struct gw_object *object);

#endif
