/* The list is cut at commas that are in no bracket and no quote. */
#include "cmd/get_columns.h"

#include "core/must.h"

/* Up to the next comma that is in no bracket and no quote. */
static struct slice
take_column(struct slice *rest)
{
	size_t at = 0;
	unsigned depth = 0;
	char quote = '\0';

	for (; at < rest->length; at++) {
		char c = rest->data[at];

		if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '\'' || c == '"')
			quote = c;
		else if (c == '[')
			depth++;
		else if (c == ']' && depth > 0)
			depth--;
		else if (c == ',' && depth == 0)
			break;
	}
	struct slice column = slice_make(rest->data, at);

	*rest = slice_skip(*rest, at < rest->length ? at + 1 : at);
	return column;
}

static bool
add_column(struct get_columns *columns, struct slice column, struct text *why)
{
	size_t colon = slice_find(column, ':');
	struct slice title = slice_make(column.data, colon);
	struct text wrong;

	if (columns->count == GET_COLUMNS_MAX) {
		text_printf(
		    why, "there are more than %d columns", GET_COLUMNS_MAX);
		return false;
	}
	if (colon == 0 || colon + 1 >= column.length) {
		text_printf(why,
		    "column %u: TITLE:PATH is wanted, not \"%.*s\"",
		    columns->count + 1, SLICE_ARGS(column));
		return false;
	}
	text_init(&wrong);
	columns->titles[columns->count] = title;
	columns->paths[columns->count] =
	    jsonpath_new_path(slice_skip(column, colon + 1), &wrong);
	bool ok = columns->paths[columns->count] != NULL;

	if (ok)
		columns->count++;
	else
		text_printf(why, "column %.*s: %.*s", SLICE_ARGS(title),
		    SLICE_ARGS(text_slice(&wrong)));
	text_fini(&wrong);
	return ok;
}

bool
get_columns_init(
    struct get_columns *columns, struct slice list, struct text *why)
{
	bool ok = true;

	columns->count = 0;
	if (list.length == 0) {
		text_push_string(why, "TITLE:PATH,... is wanted");
		return false;
	}
	while (ok && list.length > 0)
		ok = add_column(columns, take_column(&list), why);
	return ok;
}

void
get_columns_fini(struct get_columns *columns)
{
	for (unsigned i = 0; i < columns->count; i++)
		jsonpath_free(&columns->paths[i]);
	columns->count = 0;
}

void
get_columns_begin(const struct get_columns *columns, struct table *table)
{
	must(columns->count > 0);
	table_init(table, columns->count);
	for (unsigned i = 0; i < columns->count; i++)
		table_push(table, columns->titles[i]);
}

void
get_columns_push(const struct get_columns *columns, const json_t *object,
    struct table *table)
{
	struct text cell;

	text_init(&cell);
	for (unsigned i = 0; i < columns->count; i++) {
		text_reset(&cell);
		if (!jsonpath_push_values(
		        &cell, columns->paths[i], object, ","))
			text_push_string(&cell, "<none>");
		table_push(table, text_slice(&cell));
	}
	text_fini(&cell);
}

void
get_columns_print(
    struct text *out, const struct get_columns *columns, const json_t *items)
{
	struct table table;

	get_columns_begin(columns, &table);
	for (size_t i = 0; i < json_array_size(items); i++)
		get_columns_push(columns, json_array_get(items, i), &table);
	table_print(&table, "", out);
	table_fini(&table);
}
