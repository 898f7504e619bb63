/* The rows of what a proxy holds, and their sum. */
#include "stream/table.h"

#include "core/memory.h"
#include "core/must.h"

static struct slice
name_of(const struct stream_row *row)
{
	return slice_make(row->name, row->name_length);
}

void
stream_table_init(struct stream_table *table)
{
	*table = (struct stream_table){0};
	map_init(&table->rows);
}

void
stream_table_fini(struct stream_table *table)
{
	struct stream_row *row;

	for (size_t at = 0; (row = stream_table_next(table, &at)) != NULL;)
		memory_free(row);
	map_fini(&table->rows);
	*table = (struct stream_table){0};
}

struct stream_row *
stream_table_get(const struct stream_table *table, struct slice name)
{
	return map_get(&table->rows, name);
}

struct stream_row *
stream_table_put(
    struct stream_table *table, struct slice name, struct slice bytes)
{
	struct unit_digest now = snap_unit_digest(name, bytes);
	struct stream_row *row = map_get(&table->rows, name);

	if (row != NULL) {
		feed_generation_remove(&table->generation, &row->digest);
	} else {
		must(name.length <= UINT32_MAX);
		row = memory_zero(1, sizeof(*row) + name.length);
		row->name_length = (uint32_t)name.length;
		memcpy(row->name, name.data, name.length);
		map_put(&table->rows, name_of(row), row);
	}
	row->digest = now;
	stream_table_place(table, row, 0, 0);
	feed_generation_add(&table->generation, &now);
	return row;
}

void
stream_table_place(struct stream_table *table, struct stream_row *row,
    uint64_t offset, uint64_t frame_bytes)
{
	must(frame_bytes <= UINT32_MAX);
	table->frame_bytes -= row->frame_bytes;
	table->frame_bytes += frame_bytes;
	row->offset = offset;
	row->frame_bytes = (uint32_t)frame_bytes;
}

void
stream_table_drop(struct stream_table *table, struct slice name)
{
	struct stream_row *row = map_remove(&table->rows, name);

	if (row == NULL)
		return;
	feed_generation_remove(&table->generation, &row->digest);
	stream_table_place(table, row, 0, 0);
	memory_free(row);
}

struct stream_row *
stream_table_next(const struct stream_table *table, size_t *at)
{
	struct slice name;
	void *value;

	return map_next(&table->rows, at, &name, &value) ? value : NULL;
}
