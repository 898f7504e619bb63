/* Bodies of the Kubernetes API, taken apart as they come: a list's items, a
 * watch's events, one after the other, so that what is held in memory is one
 * object and not a page of them. Pure; the same whatever the bytes are cut
 * into.
 *
 * It looks for where values end and no more: what is in one is for a parser of
 * JSON (wire/tree_json.h), which may find that it is none. */
#ifndef YUMEN_KUBE_DECODE_H
#define YUMEN_KUBE_DECODE_H

#include <stdbool.h>
#include "core/error.h"
#include "core/text.h"

enum kube_body {
	KUBE_WHOLE, /* one value, all of it in ->rest */
	KUBE_LIST, /* an object whose items are told; ->rest is without them */
	KUBE_EVENTS, /* objects, each told */
};

struct kube_decoder {
	enum kube_body body;
	size_t value_bytes_max, rest_bytes_max;
	/* The value lasts until it returns. */
	void (*on_value)(void *context, struct slice json);
	void *context;
	struct text value; /* the one in hand */
	struct text rest;
	size_t text_at; /* in rest: where the last text of the list began */
	unsigned depth;
	bool in_text, escaped;
	bool names_items; /* the last key of the list is "items" */
	bool in_items;
	bool ended; /* the one value that it was to be */
	enum error error;
};

/* on_value: NULL with KUBE_WHOLE. */
void kube_decoder_init(struct kube_decoder *decoder, enum kube_body body,
    void (*on_value)(void *context, struct slice json), void *context);
void kube_decoder_fini(struct kube_decoder *decoder);
/* From the start, as another body; memory is kept, if it is not much. */
void kube_decoder_reset(struct kube_decoder *decoder, enum kube_body body);
/* OK; INVALID: this is not what it should be; LIMIT: a value, or the rest, is
 * larger than KUBE_OBJECT_BYTES or KUBE_REST_BYTES. It stays so. */
enum error kube_decoder_feed(
    struct kube_decoder *decoder, struct slice bytes) must_check;
/* The body has ended. TRUNCATED: within a value. */
enum error kube_decoder_end(const struct kube_decoder *decoder) must_check;

#endif
