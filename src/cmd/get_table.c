/* The tables of `yumen get`: what is asked first about each kind, and why it is
 * not as it should be. */
#include <string.h>

#include "cmd/get_priv.h"

#define COLUMNS 9

struct table {
	struct text cells; /* NUL-ended strings, row after row */
	unsigned columns;
	size_t widths[COLUMNS];
};

/* Texts of files come here: none may break a line or drive a terminal. */
static void
table_push(struct table *table, unsigned column, struct slice cell)
{
	if (cell.length == 0)
		cell = SLICE("-");
	if (cell.length > table->widths[column])
		table->widths[column] = cell.length;
	for (size_t i = 0; i < cell.length; i++) {
		unsigned char byte = (unsigned char)cell.data[i];

		text_push_byte(&table->cells,
		    byte < 0x20 || byte == 0x7f ? '?' : (char)byte);
	}
	text_push_byte(&table->cells, '\0');
}

static void
table_row(struct table *table, const struct text *cells)
{
	for (unsigned i = 0; i < table->columns; i++)
		table_push(table, i, text_slice(&cells[i]));
}

static void
table_print(const struct table *table, struct text *out)
{
	struct slice rest = text_slice(&table->cells), cell;
	unsigned column = 0;

	while (rest.length > 0 && slice_cut(&rest, '\0', &cell)) {
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

static const char *
string_at(const json_t *object, const char *key)
{
	const char *string = json_string_value(json_object_get(object, key));

	return string ? string : "";
}

static json_t *
get_path(const json_t *object, const char *first, const char *second)
{
	return json_object_get(json_object_get(object, first), second);
}

/* A list of texts as "a,b". */
static void
push_list(struct text *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		text_push_string(out, i > 0 ? "," : "");
		text_push_string(out, s ? s : "");
	}
}

static const json_t *
find_condition(const json_t *conditions, const char *type)
{
	for (size_t i = 0; i < json_array_size(conditions); i++) {
		const json_t *condition = json_array_get(conditions, i);

		if (strcmp(string_at(condition, "type"), type) == 0)
			return condition;
	}
	return NULL;
}

/* The message of the first condition of these types that is not True. */
static void
push_why(struct text *out, const json_t *conditions)
{
	static const char *const types[] = {
	    "Accepted", "ResolvedRefs", "Programmed"};

	for (size_t i = 0; i < 3 && out->length == 0; i++) {
		const json_t *condition = find_condition(conditions, types[i]);

		if (condition == NULL ||
		    strcmp(string_at(condition, "status"), "True") == 0)
			continue;
		text_printf(out, "%s: %s", string_at(condition, "reason"),
		    string_at(condition, "message"));
	}
}

static void
push_status(struct text *out, const json_t *conditions, const char *type)
{
	text_push_string(
	    out, string_at(find_condition(conditions, type), "status"));
}

static void
fill_gateway(const json_t *object, struct text *cells)
{
	const json_t *conditions = get_path(object, "status", "conditions");
	const json_t *listeners = get_path(object, "status", "listeners");
	const json_t *addresses = get_path(object, "status", "addresses");
	size_t programmed = 0;
	json_int_t routes = 0;

	text_push_string(&cells[2],
	    string_at(json_object_get(object, "spec"), "gatewayClassName"));
	for (size_t i = 0; i < json_array_size(addresses); i++)
		text_printf(&cells[3], "%s%s", i > 0 ? "," : "",
		    string_at(json_array_get(addresses, i), "value"));
	push_status(&cells[4], conditions, "Programmed");
	push_why(&cells[7], conditions);
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *one = json_array_get(listeners, i);
		const json_t *its = json_object_get(one, "conditions");

		programmed +=
		    strcmp(
		        string_at(find_condition(its, "Programmed"), "status"),
		        "True") == 0;
		routes +=
		    json_integer_value(json_object_get(one, "attachedRoutes"));
		push_why(&cells[7], its);
	}
	text_printf(
	    &cells[5], "%zu/%zu", programmed, json_array_size(listeners));
	text_push_number(&cells[6], (uint64_t)routes);
}

static void
fill_route(const json_t *object, struct text *cells)
{
	const json_t *parents = get_path(object, "status", "parents");

	push_list(&cells[2], get_path(object, "spec", "hostnames"));
	for (size_t i = 0; i < json_array_size(parents); i++) {
		const json_t *parent = json_array_get(parents, i);
		const json_t *its = json_object_get(parent, "conditions");
		const char *comma = i > 0 ? "," : "";

		text_printf(&cells[3], "%s%s", comma,
		    string_at(json_object_get(parent, "parentRef"), "name"));
		text_push_string(&cells[4], comma);
		push_status(&cells[4], its, "Accepted");
		text_push_string(&cells[5], comma);
		push_status(&cells[5], its, "ResolvedRefs");
		push_why(&cells[6], its);
	}
}

static void
fill_class(const json_t *object, struct text *cells)
{
	const json_t *conditions = get_path(object, "status", "conditions");

	text_push_string(&cells[2],
	    string_at(json_object_get(object, "spec"), "controllerName"));
	push_status(&cells[3], conditions, "Accepted");
	push_why(&cells[4], conditions);
}

static void
fill_nothing(const json_t *object, struct text *cells)
{
	(void)object;
	(void)cells;
}

struct layout {
	void (*fill)(const json_t *object, struct text *cells);
	const char *titles[COLUMNS];
	unsigned columns;
};

static const struct layout *
layout_of(enum gw_kind kind)
{
	static const struct layout gateway = {fill_gateway,
	    {"NAMESPACE", "NAME", "CLASS", "ADDRESS", "PROGRAMMED", "LISTENERS",
	        "ROUTES", "WHY"},
	    8};
	static const struct layout route = {fill_route,
	    {"NAMESPACE", "NAME", "HOSTNAMES", "PARENTS", "ACCEPTED",
	        "RESOLVED", "WHY"},
	    7};
	static const struct layout class = {fill_class,
	    {"NAMESPACE", "NAME", "CONTROLLER", "ACCEPTED", "WHY"}, 5};
	static const struct layout other = {
	    fill_nothing, {"NAMESPACE", "NAME"}, 2};

	switch (kind) {
	case GW_GATEWAY:
		return &gateway;
	case GW_HTTPROUTE:
		return &route;
	case GW_GATEWAYCLASS:
		return &class;
	default:
		return &other;
	}
}

void
get_table(struct text *out, enum gw_kind kind, json_t *items)
{
	const struct layout *layout = layout_of(kind);
	struct table table = {.columns = layout->columns};
	struct text cells[COLUMNS];

	for (unsigned i = 0; i < layout->columns; i++) {
		text_init(&cells[i]);
		table_push(&table, i, slice_from_string(layout->titles[i]));
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *object = json_array_get(items, i);
		const json_t *metadata = json_object_get(object, "metadata");

		for (unsigned k = 0; k < layout->columns; k++)
			text_reset(&cells[k]);
		text_push_string(&cells[0], string_at(metadata, "namespace"));
		text_push_string(&cells[1], string_at(metadata, "name"));
		layout->fill(object, cells);
		table_row(&table, cells);
	}
	table_print(&table, out);
	text_fini(&table.cells);
	for (unsigned i = 0; i < layout->columns; i++)
		text_fini(&cells[i]);
}
