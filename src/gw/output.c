/* What a run of reconcile says. */
#include "gw/output_priv.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/must.h"
#include "wire/record_binary.h"

enum { OUTBOX_BYTES = 4096, ROOM_MIN = 16 };

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
	memory_free(outbox->units);
	memory_free(outbox->statuses);
	memory_free(outbox->certificates);
	text_fini(&outbox->bytes);
	arena_fini(&outbox->arena);
}

void
gw_outbox_reset(struct gw_outbox *outbox)
{
	outbox->unit_count = outbox->status_count = 0;
	outbox->certificate_count = 0;
	arena_reset(&outbox->arena);
}

/* Remember bytes as said; true when they differ from what was. */
static bool
is_news(struct gw_sent *sent, struct slice bytes)
{
	uint64_t hash = hash_bytes(bytes);

	if (sent->is_out && sent->hash == hash && sent->length == bytes.length)
		return false;
	*sent = (struct gw_sent){
	    .is_out = true, .hash = hash, .length = bytes.length};
	return true;
}

static void
push_unit(struct gw_outbox *outbox, struct slice name, struct slice bytes)
{
	if (outbox->unit_count == outbox->unit_room) {
		outbox->unit_room =
		    outbox->unit_room ? outbox->unit_room * 2 : ROOM_MIN;
		outbox->units = memory_resize(
		    outbox->units, outbox->unit_room, sizeof(*outbox->units));
	}
	outbox->units[outbox->unit_count++] =
	    (struct gw_unit_change){.name = name, .bytes = bytes};
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
	if (!is_news(sent, bytes))
		return false;
	push_unit(outbox, name, arena_copy(&outbox->arena, bytes));
	return true;
}

void
gw_outbox_drop(
    struct gw_outbox *outbox, struct gw_sent *sent, struct slice name)
{
	if (sent->is_out)
		push_unit(outbox, name, SLICE_NONE);
	*sent = (struct gw_sent){0};
}

void
gw_outbox_status(struct gw_outbox *outbox, struct gw_sent *sent,
    const struct gw_object *object, const void *status)
{
	if (status) {
		text_reset(&outbox->bytes);
		wire_record_encode(
		    &outbox->bytes, gw_status_type(object->kind), status);
		if (!is_news(sent, text_slice(&outbox->bytes)))
			return;
	} else {
		if (!sent->is_out)
			return;
		*sent = (struct gw_sent){0};
	}
	if (outbox->status_count == outbox->status_room) {
		outbox->status_room =
		    outbox->status_room ? outbox->status_room * 2 : ROOM_MIN;
		outbox->statuses = memory_resize(outbox->statuses,
		    outbox->status_room, sizeof(*outbox->statuses));
	}
	outbox->statuses[outbox->status_count++] =
	    (struct gw_status_change){.object = object, .status = status};
}

void
gw_outbox_certificate(
    struct gw_outbox *outbox, const struct gw_certificate *certificate)
{
	if (outbox->certificate_count == outbox->certificate_room) {
		outbox->certificate_room = outbox->certificate_room
		    ? outbox->certificate_room * 2
		    : ROOM_MIN;
		outbox->certificates = memory_resize(outbox->certificates,
		    outbox->certificate_room, sizeof(*outbox->certificates));
	}
	outbox->certificates[outbox->certificate_count++] = certificate;
}

static int
compare_certificates(const void *a, const void *b)
{
	const struct gw_certificate *left =
	    *(const struct gw_certificate *const *)a;
	const struct gw_certificate *right =
	    *(const struct gw_certificate *const *)b;
	int order = slice_compare(left->namespace, right->namespace);

	return order ? order : slice_compare(left->name, right->name);
}

static int
compare_units(const void *a, const void *b)
{
	const struct gw_unit_change *left = a, *right = b;

	return slice_compare(left->name, right->name);
}

static int
compare_statuses(const void *a, const void *b)
{
	const struct gw_object *left =
	    ((const struct gw_status_change *)a)->object;
	const struct gw_object *right =
	    ((const struct gw_status_change *)b)->object;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;

	int order = slice_compare(left->namespace, right->namespace);

	return order ? order : slice_compare(left->name, right->name);
}

void
gw_outbox_tell(struct gw_outbox *outbox, const struct gw_output *output)
{
	if (outbox->unit_count > 1)
		qsort(outbox->units, outbox->unit_count, sizeof(*outbox->units),
		    compare_units);
	if (outbox->status_count > 1)
		qsort(outbox->statuses, outbox->status_count,
		    sizeof(*outbox->statuses), compare_statuses);
	if (outbox->certificate_count > 1)
		qsort(outbox->certificates, outbox->certificate_count,
		    sizeof(*outbox->certificates), compare_certificates);
	for (size_t i = 0; i < outbox->unit_count; i++)
		output->on_unit(output->context, outbox->units[i].name,
		    outbox->units[i].bytes);
	for (size_t i = 0; i < outbox->status_count; i++)
		output->on_status(output->context, outbox->statuses[i].object,
		    outbox->statuses[i].status);
	for (size_t i = 0;
	     output->on_certificate && i < outbox->certificate_count; i++)
		output->on_certificate(
		    output->context, outbox->certificates[i]);
}
