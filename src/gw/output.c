/* What a run of reconcile says. */
#include "gw/output_priv.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/must.h"
#include "wire/record_binary.h"

enum { OUTBOX_BYTES = 4096, FRAMING_BYTES = 512 };

void
gw_outbox_init(struct gw_outbox *outbox)
{
	*outbox = (struct gw_outbox){0};
	arena_init(&outbox->arena, OUTBOX_BYTES);
	text_init(&outbox->bytes);
}

void
gw_outbox_fini(struct gw_outbox *outbox)
{
	text_fini(&outbox->bytes);
	arena_fini(&outbox->arena);
}

void
gw_outbox_reset(struct gw_outbox *outbox)
{
	arena_reset(&outbox->arena);
}

bool
gw_is_out(const struct gw_sent *sent)
{
	return sent->hash != 0;
}

/* Remember bytes as said; true when they differ from what was. */
static bool
is_news(uint64_t *sent, struct slice bytes)
{
	uint64_t hash = hash_bytes(bytes);

	hash += hash == 0;
	if (*sent == hash)
		return false;
	*sent = hash;
	return true;
}

bool
gw_outbox_unit(struct gw_outbox *outbox, struct gw_sent *sent,
    struct slice name, const struct record_type *type, const void *record)
{
	text_reset(&outbox->bytes);
	wire_record_encode(&outbox->bytes, type, record);

	struct slice bytes = text_slice(&outbox->bytes);

	if (!slice_is_set(bytes))
		bytes = SLICE("");
	if (!is_news(&sent->hash, bytes))
		return false;
	outbox->output->on_unit(
	    outbox->output->context, name, bytes, &sent->tag);
	return true;
}

bool
gw_outbox_secret(struct gw_outbox *outbox, struct gw_sent *sent,
    struct slice name, const struct record_type *type, const void *record,
    size_t bytes)
{
	struct text usual = outbox->bytes;

	/* Never moved, so that no copy is left behind. */
	text_init(&outbox->bytes);
	(void)text_reserve(&outbox->bytes, bytes + FRAMING_BYTES);

	bool told = gw_outbox_unit(outbox, sent, name, type, record);

	text_wipe(&outbox->bytes);
	outbox->bytes = usual;
	return told;
}

void
gw_outbox_drop(
    struct gw_outbox *outbox, struct gw_sent *sent, struct slice name)
{
	if (gw_is_out(sent))
		outbox->output->on_unit(
		    outbox->output->context, name, SLICE_NONE, &sent->tag);
	*sent = (struct gw_sent){0};
}

void
gw_outbox_status(struct gw_outbox *outbox, struct gw_sent_status *sent,
    const struct gw_object *object, const void *status)
{
	if (status) {
		text_reset(&outbox->bytes);
		wire_record_encode(
		    &outbox->bytes, gw_status_type(object->kind), status);
		if (!is_news(&sent->hash, text_slice(&outbox->bytes)))
			return;
	} else {
		if (sent->hash == 0)
			return;
		sent->hash = 0;
	}
	outbox->output->on_status(
	    outbox->output->context, object, status, &sent->tag);
}

void
gw_outbox_certificate(
    struct gw_outbox *outbox, const struct gw_certificate *certificate)
{
	if (outbox->output->on_certificate)
		outbox->output->on_certificate(
		    outbox->output->context, certificate);
}
