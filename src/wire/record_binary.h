/* Records in binary: what units are on the stream and what digests are taken
 * of. Field number and kind as one varint, then the value; absent and default
 * values are left out, so equal records have equal bytes. The rows of a table
 * rise by number (rows numbered 0 stay out). */
#ifndef YUMEN_WIRE_RECORD_BINARY_H
#define YUMEN_WIRE_RECORD_BINARY_H

#include "core/arena.h"
#include "core/error.h"
#include "core/record.h"
#include "core/text.h"

void wire_record_encode(
    struct text *out, const struct record_type *type, const void *record);
/* A new record in arena; its texts are copies in it. An unknown field is
 * skipped, an unknown critical one is ERROR_UNSUPPORTED; otherwise INVALID or
 * TRUNCATED. Nesting is bounded by the tables, counts by the bytes left. */
enum error wire_record_decode(struct slice bytes,
    const struct record_type *type, struct arena *arena,
    void **record) must_check;
/* The same, but its texts are those in bytes. */
enum error wire_record_borrow(struct slice bytes,
    const struct record_type *type, struct arena *arena,
    void **record) must_check;
/* From now on the record's texts that are in bytes are copies in arena. */
void wire_record_own(struct slice bytes, const struct record_type *type,
    struct arena *arena, void *record);

#endif
