/* Cells are kept until all widths are known. */
#include "cmd/table.h"

#include <string.h>

#include "core/must.h"

void
table_init(struct table *table, unsigned columns)
{
	must(columns > 0 && columns <= TABLE_COLUMNS);
	memset(table, 0, sizeof(*table));
	table->columns = columns;
	text_init(&table->cells);
}

void
table_fini(struct table *table)
{
	text_fini(&table->cells);
}

void
table_reset(struct table *table)
{
	must(table->next == 0);
	text_reset(&table->cells);
}

void
table_push(struct table *table, struct slice cell)
{
	size_t *width = &table->widths[table->next];

	table->next = (table->next + 1) % table->columns;
	if (cell.length == 0)
		cell = SLICE("-");
	if (cell.length > *width)
		*width = cell.length;
	for (size_t i = 0; i < cell.length; i++) {
		unsigned char byte = (unsigned char)cell.data[i];

		text_push_byte(&table->cells,
		    byte < 0x20 || byte == 0x7f ? '?' : (char)byte);
	}
	text_push_byte(&table->cells, '\0');
}

void
table_print(const struct table *table, const char *indent, struct text *out)
{
	struct slice rest = text_slice(&table->cells), cell;
	unsigned column = 0;

	must(table->next == 0);
	while (rest.length > 0 && slice_cut(&rest, '\0', &cell)) {
		if (column == 0)
			text_push_string(out, indent);
		text_push(out, cell);
		if (++column < table->columns) {
			for (size_t i = cell.length;
			     i < table->widths[column - 1] + 2; i++)
				text_push_byte(out, ' ');
			continue;
		}
		column = 0;
		text_push_byte(out, '\n');
	}
}
