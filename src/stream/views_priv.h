/* Inside stream: what views are made of. */
#ifndef YUMEN_STREAM_VIEWS_PRIV_H
#define YUMEN_STREAM_VIEWS_PRIV_H

#include "core/map.h"
#include "stream/views.h"

/* A growing array of pointers, which may hold one several times. */
struct stream_links {
	void **items;
	uint32_t count, capacity;
};
void stream_links_push(struct stream_links *links, void *item);
/* Takes one out, the order is not kept. */
void stream_links_remove(struct stream_links *links, const void *item);
void stream_links_fini(struct stream_links *links);

/* A unit by name, there or only named by others. */
struct stream_entry {
	struct stream_links held; /* entries that it leads to */
	struct stream_links roots; /* views that it names itself */
	struct stream_links riders; /* entries that go where this goes */
	struct stream_links members; /* its places in views */
	struct stream_entry *rides; /* whose rider it is, or NULL */
	char *bytes; /* NULL: not there */
	uint32_t bytes_length, name_length;
	uint32_t holders; /* entries that have it in held */
	enum unit_kind kind;
	struct unit_digest digest;
	char name[];
};

/* The place of a unit in a view. */
struct stream_member {
	struct list link; /* in the view's line; empty: nobody was told of it */
	struct list gone; /* in the view's list, when those who were told must
	                   * hear that it is gone */
	struct stream_entry *entry;
	struct stream_view *view;
	uint32_t count; /* what leads to it */
	uint64_t serial;
};

struct stream_view {
	struct stream_views *views;
	struct list line; /* members, the one that changed last at the end */
	struct list gone;
	struct list cursors;
	struct list changed; /* in the views' list */
	struct list all;
	struct feed_generation generations[UNIT__COUNT];
	void *mark;
	uint32_t references; /* entries' roots, and counted ones */
	uint32_t listeners; /* roots that are listeners in force */
	uint32_t name_length;
	char name[]; /* "namespace/name" */
};

struct stream_views {
	struct map entries, views; /* by name */
	struct list changed, all; /* views */
	uint64_t serial;
};

/* What a unit's record leads to, for the entry that has it; names are the
 * record's. fn gets them one by one, some perhaps several times. */
struct stream_reach {
	void *context;
	void (*held)(void *context, struct slice name);
	void (*root)(
	    void *context, struct slice gateway); /* "namespace/name" */
	void (*rides)(void *context, struct slice name);
};
void stream_reach(const struct unit *unit, const struct stream_reach *reach);

/* views.c: a place is told of again; its unit counts in the view's generation
 * or no more. */
void stream_member_touch(struct stream_member *member);
void stream_member_count(struct stream_member *member, bool in);
void stream_entry_forget_if_idle(
    struct stream_views *views, struct stream_entry *entry);
/* One thing that leads to the entry in that view more, or less. */
void stream_member_ref(struct stream_entry *entry, struct stream_view *view);
void stream_member_unref(struct stream_entry *entry, struct stream_view *view);

#endif
