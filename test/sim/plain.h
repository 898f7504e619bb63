/* A reader of HTTP/1 messages as plain as can be, for what peers have received:
 * the whole text from its start each time, no limits, no mercy. It shares no
 * line with what it judges. */
#ifndef YUMEN_SIM_PLAIN_H
#define YUMEN_SIM_PLAIN_H

#include "core/text.h"

enum plain_state {
	PLAIN_NONE, /* not a byte */
	PLAIN_PART,
	PLAIN_WHOLE,
	PLAIN_BAD, /* no message of the kind that is asked for */
};

struct plain {
	enum plain_state state;
	size_t bytes; /* of the message, when it is whole */
	bool has_head;
	struct slice head; /* start line and fields, with their line ends */
	unsigned status;
	bool has_body; /* be it empty */
	bool until_close; /* nothing but the end tells that it is whole */
	struct text body; /* decoded, as far as it came */
	struct text trailers; /* their lines */
};

enum plain_kind { PLAIN_REQUEST, PLAIN_RESPONSE, PLAIN_RESPONSE_TO_HEAD };

/* ended: no more bytes come, in good order. Fill message, which plain_free
 * frees; head lies in bytes. */
void plain_read(struct plain *message, struct slice bytes, enum plain_kind kind,
    bool ended);
/* Read the first line of head; false: it is none. */
bool plain_read_start(struct plain *message, enum plain_kind kind);
void plain_free(struct plain *message);
/* The value of the first field of that name, absent when there is none. */
struct slice plain_field(const struct plain *message, const char *name);

#endif
