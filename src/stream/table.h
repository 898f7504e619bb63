/* What a proxy holds: each unit's name and digest, and where its bytes are in
 * the copy; the bytes themselves are the agent's. Pure. */
#ifndef YUMEN_STREAM_TABLE_H
#define YUMEN_STREAM_TABLE_H

#include "core/map.h"
#include "snap/feed.h"
#include "stream/message.h"

struct stream_row {
	uint64_t offset; /* of its frame in the copy */
	uint32_t frame_bytes; /* 0: it is not there */
	uint32_t name_length;
	struct unit_digest digest;
	char name[];
};
struct stream_table {
	struct map rows; /* by name */
	struct feed_generation generation; /* of all of them */
	uint64_t frame_bytes; /* of all of them */
};

void stream_table_init(struct stream_table *table);
void stream_table_fini(struct stream_table *table);
/* The row, new or with its new digest. */
struct stream_row *stream_table_put(
    struct stream_table *table, struct slice name, struct slice bytes);
/* Where its frame is. */
void stream_table_place(struct stream_table *table, struct stream_row *row,
    uint64_t offset, uint64_t frame_bytes);
void stream_table_drop(struct stream_table *table, struct slice name);
/* NULL: it is not held. */
struct stream_row *stream_table_get(
    const struct stream_table *table, struct slice name);
/* All rows, in no useful order: *at begins with 0; NULL ends. */
struct stream_row *stream_table_next(
    const struct stream_table *table, size_t *at);

#endif
