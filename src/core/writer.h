/* A writer: binary output into a text, the counterpart of core/reader.h. */
#ifndef YUMEN_CORE_WRITER_H
#define YUMEN_CORE_WRITER_H

#include <stdint.h>
#include "core/text.h"

void writer_u8(struct text *out, uint8_t value);
void writer_u16(struct text *out, uint16_t value);
void writer_u32(struct text *out, uint32_t value);
void writer_u64(struct text *out, uint64_t value);
void writer_varint(struct text *out, uint64_t value);
/* A varint length, then the bytes. */
void writer_block(struct text *out, struct slice bytes);
/* Open a block whose length is not known yet; returns a mark for _close, which
 * moves the bytes to make room for the length. */
size_t writer_block_open(struct text *out);
void writer_block_close(struct text *out, size_t mark);

#endif
