/* The pieces that every kind's description is made of. */
#include <stdarg.h>

#include "cmd/describe_priv.h"
#include "cmd/look.h"

#define CONDITION_COLUMNS 7

/* Texts of files come here: none may break a line or drive a terminal. */
static void
push_clean(struct text *out, const char *s)
{
	for (; *s; s++)
		text_push_byte(
		    out, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
}

void
describe_line(struct text *out, const char *label, const char *value)
{
	if (value[0] == '\0')
		return;
	text_printf(out, "%s:", label);
	for (size_t i = strlen(label); i < 12; i++)
		text_push_byte(out, ' ');
	push_clean(out, value);
	text_push_byte(out, '\n');
}

void
describe_cell(struct table *table, const char *format, ...)
{
	struct text text;
	va_list arguments;

	text_init(&text);
	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	table_push(table, text_slice(&text));
	text_fini(&text);
}

void
describe_table(struct text *out, const char *label, struct table *table)
{
	size_t rows = 0;

	for (size_t i = 0; i < table->cells.length; i++)
		rows += table->cells.data[i] == '\0';
	if (rows > table->columns) {
		text_printf(out, "%s:\n", label);
		table_print(table, "  ", out);
	}
	table_fini(table);
}

static void
push_conditions(struct table *table, const char *of, const char *which,
    const json_t *conditions)
{
	for (size_t i = 0; i < json_array_size(conditions); i++) {
		const json_t *one = json_array_get(conditions, i);

		describe_cell(table, "%s%s%s", of, which[0] ? " " : "", which);
		describe_cell(table, "%s", look_text(one, "type"));
		describe_cell(table, "%s", look_text(one, "status"));
		describe_cell(table, "%s", look_text(one, "reason"));
		describe_cell(
		    table, "%d", (int)look_number(one, "observedGeneration"));
		describe_cell(
		    table, "%s", look_text(one, "lastTransitionTime"));
		describe_cell(table, "%s", look_text(one, "message"));
	}
}

void
describe_conditions(const struct describing *describing)
{
	static const char *const titles[CONDITION_COLUMNS] = {
	    "OF", "TYPE", "STATUS", "REASON", "GENERATION", "SINCE", "MESSAGE"};
	const json_t *status = json_object_get(describing->object, "status");
	const json_t *listeners = json_object_get(status, "listeners");
	const json_t *parents = json_object_get(status, "parents");
	struct table table;

	table_init(&table, CONDITION_COLUMNS);
	for (unsigned i = 0; i < CONDITION_COLUMNS; i++)
		describe_cell(&table, "%s", titles[i]);
	push_conditions(&table, gw_kinds[describing->kind].kind, "",
	    json_object_get(status, "conditions"));
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *one = json_array_get(listeners, i);

		push_conditions(&table, "listener", look_text(one, "name"),
		    json_object_get(one, "conditions"));
	}
	for (size_t i = 0; i < json_array_size(parents); i++) {
		const json_t *one = json_array_get(parents, i);

		push_conditions(&table, "parent",
		    look_text(json_object_get(one, "parentRef"), "name"),
		    json_object_get(one, "conditions"));
	}
	describe_table(describing->out, "Conditions", &table);
}

void
describe_problems(struct text *out, const json_t *answer)
{
	const json_t *object =
	    json_array_get(json_object_get(answer, "objects"), 0);
	const json_t *problems = json_object_get(object, "problems");

	text_push_string(out, "Problems:");
	if (json_array_size(problems) == 0)
		text_push_string(out, "     none");
	text_push_byte(out, '\n');
	for (size_t i = 0; i < json_array_size(problems); i++) {
		const json_t *one = json_array_get(problems, i);
		const char *fix = look_text(one, "fix");

		text_printf(out, "  %s %s ", look_text(one, "severity"),
		    look_text(one, "code"));
		push_clean(out, look_text(one, "field"));
		text_push_string(out, ": ");
		push_clean(out, look_text(one, "message"));
		text_push_byte(out, '\n');
		if (fix[0])
			text_printf(out, "      fix: %s\n", fix);
	}
}
