/* Inside gw: what a run of reconcile says, told where it differs from what was
 * said before. */
#ifndef YUMEN_GW_OUTPUT_PRIV_H
#define YUMEN_GW_OUTPUT_PRIV_H

#include "core/arena.h"
#include "core/text.h"
#include "gw/state.h"

/* What was said last of a unit or an object: a keyed hash of its bytes, which
 * only has to tell two versions of one thing apart; 0: nothing. */
struct gw_sent {
	uint64_t hash;
	struct gw_tag tag;
};
struct gw_sent_status {
	uint64_t hash;
	struct gw_status_tag tag;
};

struct gw_outbox {
	const struct gw_output *output; /* of the run */
	struct arena arena; /* of what is being told */
	struct text bytes; /* for encoding */
};

void gw_outbox_init(struct gw_outbox *outbox);
void gw_outbox_fini(struct gw_outbox *outbox);
/* What its arena has is needed no more. */
void gw_outbox_reset(struct gw_outbox *outbox);
bool gw_is_out(const struct gw_sent *sent);
/* True when it differs from what was said: then it is told. */
bool gw_outbox_unit(struct gw_outbox *outbox, struct gw_sent *sent,
    struct slice name, const struct record_type *type, const void *record);
/* The same of one whose texts, of so many bytes in all, are nobody's to see. */
bool gw_outbox_secret(struct gw_outbox *outbox, struct gw_sent *sent,
    struct slice name, const struct record_type *type, const void *record,
    size_t bytes);
void gw_outbox_drop(
    struct gw_outbox *outbox, struct gw_sent *sent, struct slice name);
/* NULL: the object has none any more. */
void gw_outbox_status(struct gw_outbox *outbox, struct gw_sent_status *sent,
    const struct gw_object *object, const void *status);
void gw_outbox_certificate(
    struct gw_outbox *outbox, const struct gw_certificate *certificate);

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
