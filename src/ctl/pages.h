/* The pages /api/v1/objects and /api/v1/problems: asked in the admin server's
 * thread, answered in ctl's. A query goes over by pointer and comes back; the
 * exchange that asked is touched in the admin server's thread alone, and may
 * end before the answer.
 */
#ifndef YUMEN_CTL_PAGES_H
#define YUMEN_CTL_PAGES_H

#include "admin/admin.h"
#include "core/list.h"
#include "core/text.h"
#include "ctl/statuses.h"
#include "gw/state.h"

struct ctl_query;
/* What answers are made of. */
struct ctl_view {
	struct gw_state *state;
	const struct ctl_statuses *statuses;
	const struct ctl_changes *changes;
};
/* Writes the answer, in ctl's thread. False: nothing came that was waited for.
 */
/* The status of an object as it is shown, or NULL; until the next call. */
const void *ctl_view_status(
    const struct ctl_view *view, const struct gw_object *object);
typedef bool (*ctl_write_fn)(struct text *out, const struct ctl_view *view,
    const struct ctl_query *query);

struct ctl_query {
	struct list link;
	/* the admin server's side */
	struct list open; /* in the pages' list, until it is answered or gone */
	struct http_exchange *exchange; /* NULL: gone */
	const struct http_handler *handler; /* whose the exchange is */
	/* ctl's side */
	ctl_write_fn write;
	uint64_t deadline_ms; /* when to answer though nothing came */
	uint64_t kinds; /* bit i: kind i */
	uint64_t after; /* wait for changes after this number; 0: all, now */
	struct slice namespace, name; /* absent: all; behind this struct */
	struct text body; /* the answer, JSON */
	char storage[];
};

/* Of the query part of a page: kind=K,...|all[&namespace=N][&name=X][&after=C].
 * NULL: it is none. */
struct ctl_query *ctl_query_new(struct slice text, ctl_write_fn write);
void ctl_query_free(struct ctl_query **query);

struct ctl_pages;
struct ctl_pages *ctl_pages_new(
    struct net_loop *ctl_loop, struct net_loop *admin_loop);
/* In the admin server's thread, when ctl's is no more. */
void ctl_pages_free(struct ctl_pages **pages);

/* In the admin server's thread. */
void ctl_pages_register(struct ctl_pages *pages, struct admin *admin);
/* Give the answers that have come. */
void ctl_pages_deliver(struct ctl_pages *pages);

/* In ctl's thread: the next query, or NULL; and back with its answer. */
struct ctl_query *ctl_pages_take(struct ctl_pages *pages);
void ctl_pages_answer(struct ctl_pages *pages, struct ctl_query **query);

/* Is object one of those that query asks for? */
bool ctl_query_asks(
    const struct ctl_query *query, const struct gw_object *object);
bool ctl_query_asks_name(
    const struct ctl_query *query, struct slice namespace, struct slice name);
/* {"change": N, "whole": true, "items": [...], "since": [...], "gone": []}: the
 * objects that query asks for, as a cluster would show them, since when there
 * is each (seconds since 1970), and the number to ask on from. With
 * query->after: only what changed after it, and what is gone (kind, namespace,
 * name); all of it where that is too long ago. */
bool ctl_objects_write(struct text *out, const struct ctl_view *view,
    const struct ctl_query *query);
/* {"objects": [...]}: of each such object its name, the place where it was
 * written, and the problems that its status tells of. */
bool ctl_problems_write(struct text *out, const struct ctl_view *view,
    const struct ctl_query *query);

#endif
