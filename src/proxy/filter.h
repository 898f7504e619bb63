/* Filters: what a rule or a backendRef does to a request beside routing it.
 * Rows of filter.def, run in the order of the configuration. Everything they
 * need was judged and built when the unit was made: nothing is compiled here.
 */
#ifndef YUMEN_PROXY_FILTER_H
#define YUMEN_PROXY_FILTER_H

#include "core/arena.h"
#include "snap/unit.h"
#include "wire/head.h"

struct proxy_request;

enum proxy_phase {
	PROXY_PHASE_LISTENER = 1, /* before a route is known */
	PROXY_PHASE_ROUTE = 2, /* once, the rule's filters */
	PROXY_PHASE_BACKEND = 4, /* the chosen backendRef's filters */
	PROXY_PHASE_RESPONSE = 8, /* a final response head */
	PROXY_PHASE_LOG = 16, /* at the end */
};

enum proxy_verdict {
	PROXY_GO_ON,
	PROXY_ANSWERED, /* the filter has answered; no other runs */
	PROXY_WAITS, /* it will call proxy_request_resume */
};

/* Run the filters of this phase from *next on; *next is then where to go on
 * after a wait. */
enum proxy_verdict proxy_filters_run(struct proxy_request *request,
    const struct unit_filter *filters, uint32_t count, enum proxy_phase phase,
    uint32_t *next);
/* The union of the phases that these filters take part in. */
unsigned proxy_filters_phases(
    const struct unit_filter *filters, uint32_t count);

/* remove, then set, then add, as values. False when the head has no room. */
bool proxy_headers_modify(
    struct wire_head *head, const struct unit_filter *filter);

/* What a redirect looks at. */
struct proxy_redirect {
	bool secure; /* the request came over TLS */
	struct slice host; /* of the request, no port; absent: none */
	uint16_t port; /* of the listener */
	struct slice path, query;
	struct slice prefix; /* that the match asked for */
};
/* The Location, in arena. */
struct slice proxy_redirect_location(struct arena *arena,
    const struct proxy_redirect *redirect, const struct unit_filter *filter);
/* ReplacePrefixMatch: by whole segments; in arena. */
struct slice proxy_path_replace_prefix(struct arena *arena, struct slice path,
    struct slice prefix, struct slice replacement);

#endif
