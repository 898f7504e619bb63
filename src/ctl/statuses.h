/* Statuses as people see them. What reconcile says is true once its generation
 * is served; so a status waits for the confirmation of that or a later one, and
 * after LIMIT_CONFIRM_MS is shown with Programmed=False/Pending. Keeps
 * lastTransitionTime where a condition's status is what it was. Reads no clock.
 */
#ifndef YUMEN_CTL_STATUSES_H
#define YUMEN_CTL_STATUSES_H

#include "ctl/changes.h"
#include "gw/state.h"
#include "snap/feed.h"

struct ctl_statuses;
/* Each status that is shown anew is a change. */
struct ctl_statuses *ctl_statuses_new(struct ctl_changes *changes);
void ctl_statuses_free(struct ctl_statuses **statuses);
/* Tell of each status that is shown anew, or of an object that is there and has
 * none any more. Before the first is put. */
void ctl_statuses_on_shown(struct ctl_statuses *statuses,
    void (*on_shown)(void *context, enum gw_kind kind, struct slice namespace,
        struct slice name),
    void *context);

/* What reconcile says of an object (copied), or NULL: it has no status of ours.
 * All that is kept of it hangs on its tag. */
void ctl_statuses_put(struct ctl_statuses *statuses,
    const struct gw_object *object, const void *status,
    struct gw_status_tag *tag);
/* The object is about to go, and the tag with it (NULL: it has none). */
void ctl_statuses_remove(
    struct ctl_statuses *statuses, struct gw_status_tag *tag);
/* What was put since the last time waits for this generation. wall_ms is for
 * conditions that change. */
void ctl_statuses_offer(struct ctl_statuses *statuses,
    const struct feed_generation *generation, uint64_t now_ms, int64_t wall_ms);
/* Every worker serves this generation, but for those of the Gateways that are
 * waited for. */
void ctl_statuses_confirm(struct ctl_statuses *statuses,
    const struct feed_generation *generation, int64_t wall_ms);
/* A Gateway ("namespace/name") is waited for, from this generation on; why is
 * for people, and may become known or change later. It is told before the
 * generation is confirmed. */
void ctl_statuses_wait(struct ctl_statuses *statuses, struct slice gateway,
    const struct feed_generation *generation, struct slice why,
    int64_t wall_ms);
/* The Gateway serves everything up to this generation. */
void ctl_statuses_served(struct ctl_statuses *statuses, struct slice gateway,
    const struct feed_generation *generation, int64_t wall_ms);
/* The Gateway's own status is not true before it is released, whoever serves
 * it: it waits, as for a confirmation. */
void ctl_statuses_hold(
    struct ctl_statuses *statuses, struct slice gateway, struct slice why);
void ctl_statuses_release(
    struct ctl_statuses *statuses, struct slice gateway, int64_t wall_ms);
/* Show what has waited too long. */
void ctl_statuses_expire(
    struct ctl_statuses *statuses, uint64_t now_ms, int64_t wall_ms);
/* When to call expire; 0: never. */
uint64_t ctl_statuses_deadline_ms(const struct ctl_statuses *statuses);

/* The status to show, a record of gw_status_type(kind), or NULL. Valid until
 * the next call. */
const void *ctl_statuses_get(const struct ctl_statuses *statuses,
    enum gw_kind kind, const struct gw_status_tag *tag);
/* There will be a status to show, and none is shown yet. */
bool ctl_statuses_is_waiting(const struct gw_status_tag *tag);
/* What is shown is pending. */
bool ctl_statuses_is_late(const struct gw_status_tag *tag);
/* The number of the change by which it is what it is; 0: it never was. */
uint64_t ctl_statuses_change(const struct gw_status_tag *tag);

#endif
