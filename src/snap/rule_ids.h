/* Dense numbers (snap/numbers.h) for rules as listeners have them, and for the
 * listeners themselves, so that a worker counts by an array index. A rule's
 * name is its listener's, its route's and its identity, so that its number
 * stays while the route changes around it. There are as many as routes, so
 * names are not kept here: they are told by who uses them. Control thread only.
 */
#ifndef YUMEN_SNAP_RULE_IDS_H
#define YUMEN_SNAP_RULE_IDS_H

#include "core/text.h"
#include "snap/unit.h"

struct snap_rule_ids;
struct snap_rule_ids *snap_rule_ids_new(void);
void snap_rule_ids_free(struct snap_rule_ids *ids);

/* Of a listener, a number by its name ("ns/gateway/listener"), which stays as
 * long as that is referred to. */
uint32_t snap_rule_ids_listener(struct snap_rule_ids *ids, struct slice name);
void snap_rule_ids_unref_listener(struct snap_rule_ids *ids, uint32_t id);
struct slice snap_rule_ids_listener_name(
    const struct snap_rule_ids *ids, uint32_t id);

/* Of rule number rule of a route unit on that listener; one reference more. The
 * unit is who tells the name from now on, until it drops its reference. */
uint32_t snap_rule_ids_ref(struct snap_rule_ids *ids, uint32_t listener,
    const struct unit *unit, uint32_t rule);
void snap_rule_ids_unref(
    struct snap_rule_ids *ids, uint32_t id, const struct unit *unit);

/* Adds "ns/gateway/listener", and for a rule " HTTPRoute/ns/route identity".
 * False: the number is not in use, or only by units that were replaced by one
 * without this rule. */
bool snap_rule_ids_name(
    const struct snap_rule_ids *ids, uint32_t id, struct text *out);

void snap_rule_ids_epoch(struct snap_rule_ids *ids, uint64_t epoch);
void snap_rule_ids_reclaim(struct snap_rule_ids *ids, uint64_t epoch);
uint32_t snap_rule_ids_limit(const struct snap_rule_ids *ids);

#endif
