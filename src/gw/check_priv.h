/* Inside gw: checks of one object at admission, and how they report. A check
 * walks the record; where it is in the object is a chain of places on the
 * stack, which is written out only for a finding. */
#ifndef YUMEN_GW_CHECK_PRIV_H
#define YUMEN_GW_CHECK_PRIV_H

#include "gw/admit.h"

struct gw_place {
	const struct gw_place *up; /* NULL: the object itself */
	const char *name;
	int64_t index; /* in the list called name, or -1 */
};
#define GW_AT(above, field) \
	(&(const struct gw_place){.up = (above), .name = (field), .index = -1})
#define GW_AT_ITEM(above, field, at) \
	(&(const struct gw_place){ \
	    .up = (above), .name = (field), .index = (at)})

struct gw_check {
	const struct tree_node *document;
	struct arena arena; /* of texts in findings */
	enum gw_kind kind; /* GW_KIND__COUNT: none */
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
/* References: group, kind, name and namespace where they are set. */
void gw_check_reference(struct gw_check *check, const struct gw_place *place,
    struct slice group, struct slice kind, struct slice namespace);
/* A name that a Service, Gateway or other object could have. */
void gw_check_name(
    struct gw_check *check, const struct gw_place *place, struct slice name);
/* port is there exactly where the kind of backend wants one. */
void gw_check_backend(struct gw_check *check, const struct gw_place *place,
    const struct gw_backend_reference *backend);
void gw_check_secret(struct gw_check *check, const struct gw_place *place,
    const struct gw_secret_reference *secret);
void gw_check_external_auth(struct gw_check *check,
    const struct gw_place *place, const struct gw_external_auth *auth);
void gw_check_selector(struct gw_check *check, const struct gw_place *place,
    const struct gw_label_selector *selector);
/* Absent: no finding. *ms is 0 when absent or wrong. */
void gw_check_duration(struct gw_check *check, const struct gw_place *place,
    struct slice duration, uint64_t *ms);
void gw_check_session(struct gw_check *check, const struct gw_place *place,
    const struct gw_session_persistence *session);
/* wanted says whether set must be true: "field must be set exactly when why".
 */
void gw_check_exactly_when(struct gw_check *check, const struct gw_place *place,
    bool set, bool wanted, const char *why);

/* The whole object of a kind; metadata is checked by gw_admit. */
void gw_check_gatewayclass(
    struct gw_check *check, const struct gw_gatewayclass *object);
void gw_check_gateway(struct gw_check *check, const struct gw_gateway *object);
void gw_check_httproute(
    struct gw_check *check, const struct gw_httproute *object);
void gw_check_referencegrant(
    struct gw_check *check, const struct gw_referencegrant *object);
void gw_check_xbackend(
    struct gw_check *check, const struct gw_xbackend *object);
void gw_check_service(struct gw_check *check, const struct gw_service *object);
void gw_check_endpointslice(
    struct gw_check *check, const struct gw_endpointslice *object);
/* Filters of a rule or a backendRef. */
void gw_check_filters(struct gw_check *check, const struct gw_place *up,
    const struct gw_http_filter *filters, uint32_t count);

#endif
