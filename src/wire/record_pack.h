/* Records in few bytes, for memory: every field that is not at its default,
 * whatever its number, in a form that only this process reads. What several
 * records say is often the same word: the caller lists those, and they take a
 * byte. */
#ifndef YUMEN_WIRE_RECORD_PACK_H
#define YUMEN_WIRE_RECORD_PACK_H

#include "core/arena.h"
#include "core/record.h"
#include "core/text.h"

struct record_words {
	const struct slice *words;
	uint32_t count;
};

/* Appends the record to out. Returns how many bytes of an arena it takes when
 * it is unpacked. */
size_t wire_record_pack(struct text *out, const struct record_type *type,
    const struct record_words *words, const void *record);
/* The record, in arena; its texts point into bytes and into words. bytes are
 * what wire_record_pack made with the same type and words. */
void *wire_record_unpack(struct slice bytes, const struct record_type *type,
    const struct record_words *words, struct arena *arena);

#endif
