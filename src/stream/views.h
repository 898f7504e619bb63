/* Views: of all units in force, those that each Gateway's proxies are to have.
 * Which they are the units say themselves: a listener names its Gateway, a
 * route its listeners, both what they lead to. A unit that two Gateways use is
 * in both views. A change costs its own size, whatever else there is.
 *
 * A view is read by cursors, as a line of units in the order in which they
 * changed last: a cursor at its end has read all, and one that is slow misses
 * states in between, never the last one, so that it needs no queue. Pure. */
#ifndef YUMEN_STREAM_VIEWS_H
#define YUMEN_STREAM_VIEWS_H

#include "core/error.h"
#include "core/list.h"
#include "snap/feed.h"

/* The view of those who announce addresses: no Gateway has such a name. */
#define STREAM_ANNOUNCERS SLICE("_/announcers")

struct stream_views;
struct stream_views *stream_views_new(void);
void stream_views_free(struct stream_views **views);

/* As snap_store_put and _drop; both are copied. Errors are those of
 * snap_unit_new: the unit that was there stays. */
enum error stream_views_put(struct stream_views *views, struct slice name,
    struct slice bytes) must_check;
void stream_views_drop(struct stream_views *views, struct slice name);
/* Rises with each change. */
uint64_t stream_views_serial(const struct stream_views *views);
/* Each name in force, in no useful order; nothing may change meanwhile. */
bool stream_views_next(
    const struct stream_views *views, size_t *at, struct slice *name);

/* A view by "namespace/name" of its Gateway, there or not; counted. */
struct stream_view;
struct stream_view *stream_view_ref(
    struct stream_views *views, struct slice gateway);
void stream_view_unref(struct stream_view **view);
struct slice stream_view_name(const struct stream_view *view);
/* Of its units of these kinds (a bit each). */
struct feed_generation stream_view_generation(
    const struct stream_view *view, unsigned kinds);
/* Is this unit, which is there, in it? */
bool stream_view_has(const struct stream_view *view, struct slice name);
/* Has it a listener, so that somebody ought to serve it? */
bool stream_view_is_served(const struct stream_view *view);
/* The owner's, for what it knows of a view. */
void **stream_view_mark(struct stream_view *view);
/* A view that has changed since it was taken last, or NULL. */
struct stream_view *stream_views_take_changed(struct stream_views *views);
/* All views, one after the other: NULL begins and ends. */
struct stream_view *stream_views_each(
    struct stream_views *views, struct stream_view *after);

/* Calls fn for each unit that is in the view. */
void stream_view_each(const struct stream_view *view,
    void (*fn)(void *context, const struct unit_digest *digest), void *context);

struct stream_member;
struct stream_cursor {
	struct list link; /* of the view's */
	struct stream_view *view; /* NULL: closed */
	struct stream_member *next; /* NULL: all was read */
};
struct stream_change {
	struct slice name; /* until the next change of the views */
	struct slice bytes; /* absent: it is gone */
	enum unit_kind kind;
	struct unit_digest digest; /* of a unit that is there */
	uint64_t serial; /* of the change, as stream_views_serial */
};
/* Before all units of the view, which lasts as long. */
void stream_cursor_open(struct stream_cursor *cursor, struct stream_view *view);
/* After all of them. */
void stream_cursor_skip_all(struct stream_cursor *cursor);
void stream_cursor_close(struct stream_cursor *cursor);
/* False: all was read. */
bool stream_cursor_next(
    struct stream_cursor *cursor, struct stream_change *change);

#endif
