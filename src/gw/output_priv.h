/* Inside gw: what a run of reconcile says, gathered and told in order, and only
 * where it differs from what was said before. */
#ifndef YUMEN_GW_OUTPUT_PRIV_H
#define YUMEN_GW_OUTPUT_PRIV_H

#include "core/arena.h"
#include "core/text.h"
#include "gw/state.h"

/* What was said last of a thing: a keyed hash of its bytes, which only has to
 * tell two versions of one thing apart. */
struct gw_sent {
	bool is_out;
	uint64_t hash;
	size_t length;
};

struct gw_unit_change {
	struct slice name, bytes;
};
struct gw_status_change {
	const struct gw_object *object;
	const void *status;
};

struct gw_outbox {
	struct arena arena; /* of all that is told */
	struct text bytes; /* for encoding */
	struct gw_unit_change *units;
	size_t unit_count, unit_room;
	struct gw_status_change *statuses;
	size_t status_count, status_room;
	const struct gw_certificate **certificates;
	size_t certificate_count, certificate_room;
};

void gw_outbox_init(struct gw_outbox *outbox);
void gw_outbox_fini(struct gw_outbox *outbox);
/* What was told is forgotten. */
void gw_outbox_reset(struct gw_outbox *outbox);
/* True when it differs from what was said, and is to be told. record may live
 * in any arena; name must live in the outbox's. */
bool gw_outbox_unit(struct gw_outbox *outbox, struct gw_sent *sent,
    struct slice name, const struct record_type *type, const void *record);
void gw_outbox_drop(
    struct gw_outbox *outbox, struct gw_sent *sent, struct slice name);
/* status must live in the outbox's arena; NULL: the object has none any more.
 */
void gw_outbox_status(struct gw_outbox *outbox, struct gw_sent *sent,
    const struct gw_object *object, const void *status);
/* It lives in the outbox's arena. */
void gw_outbox_certificate(
    struct gw_outbox *outbox, const struct gw_certificate *certificate);
void gw_outbox_tell(struct gw_outbox *outbox, const struct gw_output *output);

/* ---- condition.c: statuses ---- */
enum { GW_CONDITIONS_MAX = 8 };
/* Conditions being made: sorted by type, in an arena. */
struct gw_conditions {
	struct gw_condition *items;
	uint32_t count;
	int64_t generation;
};
void gw_conditions_init(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_object *object);
/* status: "True", "False" or "Unknown". message must outlive the status. */
void gw_conditions_add(struct gw_conditions *conditions, const char *type,
    const char *status, const char *reason, struct slice message);

#endif
