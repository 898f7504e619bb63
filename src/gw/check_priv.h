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

/* What an API server checks in code. Metadata of any object, also of one that
 * its schema refuses: */
void gw_check_metadata(struct gw_check *check);
/* Service, EndpointSlice, Secret and ConfigMap, once judged by their schemas:
 */
void gw_check_built_in(struct gw_check *check);
/* Before that: the defaults that an API server makes in code. */
void gw_fill_built_in(struct gw_check *check);

/* What yumen does not honour of an object that is admitted. */
void gw_check_honour(struct gw_check *check, const struct gw_object *object);

#endif
