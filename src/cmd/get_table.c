/* The tables of `yumen get`: what is asked first about each kind, by the rows
 * of column.def, and why it is not as it should be. */
#include "cmd/get_priv.h"

#include "cmd/age.h"
#include "cmd/cell.h"
#include "cmd/look.h"
#include "core/clock.h"
#include "core/must.h"
#include "gw/state.h"

static const struct column {
	enum gw_kind kind;
	const char *title; /* "+TITLE": with -o wide only */
	const char *each, *cell;
} columns[] = {
#define COLUMN(kind, title, each, cell) {GW_##kind, title, each, cell},
#include "cmd/column.def"
#undef COLUMN
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* The message of the first condition of these types that is not True. */
static void
find_why(void *context, const json_t *owner)
{
	static const char *const types[] = {
	    "Accepted", "ResolvedRefs", "Programmed"};
	const json_t *conditions = json_object_get(owner, "conditions");
	struct text *out = context;

	for (size_t i = 0; i < 3 && out->length == 0; i++) {
		const json_t *condition = look_condition(conditions, types[i]);

		if (condition == NULL ||
		    strcmp(look_text(condition, "status"), "True") == 0)
			continue;
		text_printf(out, "%s: %s", look_text(condition, "reason"),
		    look_text(condition, "message"));
	}
}

static void
push_why(struct text *out, const json_t *object)
{
	static const char *const owners[] = {
	    "status", "status.listeners", "status.parents", "status.ancestors"};

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		cell_each(object, slice_from_string(owners[i]), find_why, out);
}

/* Kinds with a status of ours say why, but for Services, of which few have one,
 * and pools, which have nothing to explain; those that nothing acts on, that.
 */
static bool
has_why(enum gw_kind kind)
{
	return kind != GW_SERVICE && kind != GW_IPADDRESSPOOL &&
	    (gw_status_type(kind) != NULL || !gw_kind_is_served(kind));
}

static bool
is_shown(const struct get_table *table, const struct column *column)
{
	return column->kind == table->kind &&
	    (table->wide || column->title[0] != '+');
}

void
get_table_init(struct get_table *table, enum gw_kind kind)
{
	*table = (struct get_table){.kind = kind};
	text_init(&table->table.cells);
}

void
get_table_begin(struct get_table *table)
{
	unsigned count = 2 + gw_kinds[table->kind].namespaced + table->watch +
	    has_why(table->kind);

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		count += is_shown(table, &columns[i]);
	table_init(&table->table, count);
	if (table->watch)
		table_push(&table->table, SLICE("EVENT"));
	if (gw_kinds[table->kind].namespaced)
		table_push(&table->table, SLICE("NAMESPACE"));
	table_push(&table->table, SLICE("NAME"));
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		if (is_shown(table, &columns[i]))
			table_push(&table->table,
			    slice_from_string(columns[i].title +
			        (columns[i].title[0] == '+')));
	table_push(&table->table, SLICE("AGE"));
	if (has_why(table->kind))
		table_push(&table->table, SLICE("WHY"));
}

static void
push_age(struct text *out, const json_t *metadata, int64_t since, int64_t now)
{
	const char *created = look_text(metadata, "creationTimestamp");

	if (created[0] != '\0' &&
	    !clock_parse(slice_from_string(created), &since))
		since = 0;
	if (since != 0)
		age_push(out, now - since);
}

/* The cell's text is taken. */
static void
push_cell(struct get_table *table, struct text *cell)
{
	table_push(&table->table, text_slice(cell));
	text_reset(cell);
}

static void
push_heads(struct get_table *table, const json_t *metadata, const char *event,
    struct text *cell)
{
	if (table->watch)
		table_push(&table->table, slice_from_string(event));
	if (gw_kinds[table->kind].namespaced)
		table_push(&table->table,
		    slice_from_string(look_text(metadata, "namespace")));
	if (table->prefix) {
		text_push_lower(
		    cell, slice_from_string(gw_kinds[table->kind].kind));
		text_push_byte(cell, '/');
	}
	text_push_string(cell, look_text(metadata, "name"));
	push_cell(table, cell);
}

void
get_table_push(struct get_table *table, const json_t *object, int64_t since,
    const char *event)
{
	const json_t *metadata = json_object_get(object, "metadata");
	struct text cell;

	text_init(&cell);
	push_heads(table, metadata, event, &cell);
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (!is_shown(table, &columns[i]))
			continue;
		cell_push_each(&cell, object, columns[i].each, columns[i].cell);
		push_cell(table, &cell);
	}
	push_age(&cell, metadata, since, table->now);
	push_cell(table, &cell);
	if (has_why(table->kind)) {
		if (gw_kind_is_served(table->kind))
			push_why(&cell, object);
		else
			text_push_string(
			    &cell, "yumen does not act on this kind yet");
		push_cell(table, &cell);
	}
	text_fini(&cell);
}
