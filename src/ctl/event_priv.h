/* Inside ctl/cluster: Events, which people see by `kubectl describe`: one for
 * each condition that came to be another. What is as it should be from the
 * start makes none, but for Gateways. Of a Service's addresses they say what
 * MetalLB's say, in its words. */
#ifndef YUMEN_CTL_EVENT_PRIV_H
#define YUMEN_CTL_EVENT_PRIV_H

#include "ctl/cluster_priv.h"

struct ctl_event {
	struct list link;
	enum gw_kind kind;
	bool is_warning;
	char *namespace, *name, *uid, *reason, *message;
};

/* Adds the change's Event to the list, if it is worth one. uid: the object's,
 * by which `kubectl describe` finds it. */
void ctl_event_note(struct list *events, const struct ctl_row *row,
    struct slice uid, const struct ctl_merge_change *change);
/* One more; message may be cut. */
struct ctl_event *ctl_event_new(enum gw_kind kind, struct slice namespace,
    struct slice name, struct slice uid);
void ctl_event_say(struct ctl_event *event, bool is_warning,
    struct slice reason, struct slice message);
/* Adds what is new about a Service's addresses: before and now are its
 * statuses, or NULL. */
void ctl_event_note_addresses(struct list *events, const struct ctl_row *row,
    struct slice uid, const struct tree_node *before,
    const struct tree_node *now);
/* The first of a list, which is not empty. */
struct ctl_event *ctl_event_first(const struct list *events);
void ctl_event_free(struct ctl_event *event);
/* The request that makes it. */
void ctl_event_write(struct text *target, struct text *body,
    const struct ctl_event *event, struct slice identity);

#endif
