/* The table of `yumen get certificates`: which are in use, when they expire,
 * and what is wrong with them. */
#include "cmd/get_priv.h"

#include "cmd/look.h"
#include "cmd/table.h"
#include "core/clock.h"

enum { DAY_SECONDS = 86400, HOUR_SECONDS = 3600 };

static void
push(struct table *table, const char *text)
{
	table_push(table, slice_from_string(text));
}

/* "12d", "5h", "expired"; nothing where nobody knows. */
static void
push_left(struct table *table, const char *not_after, int64_t now_seconds)
{
	struct text text;
	int64_t at, left;

	text_init(&text);
	if (clock_parse(slice_from_string(not_after), &at)) {
		left = at - now_seconds;
		if (left < 0)
			text_push_string(&text, "expired");
		else if (left >= DAY_SECONDS)
			text_printf(
			    &text, "%lldd", (long long)(left / DAY_SECONDS));
		else
			text_printf(
			    &text, "%lldh", (long long)(left / HOUR_SECONDS));
	}
	table_push(table, text_slice(&text));
	text_fini(&text);
}

void
get_certificates_table(struct text *out, const json_t *answer)
{
	static const char *const titles[] = {"NAMESPACE", "NAME", "HEALTH",
	    "USED", "EXPIRES", "LEFT", "NAMES", "WHY"};
	const json_t *items = json_object_get(answer, "items");
	int64_t now_seconds = clock_wall_ms() / 1000;
	struct table table;
	struct text names;

	table_init(&table, sizeof(titles) / sizeof(titles[0]));
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		push(&table, titles[i]);
	text_init(&names);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *one = json_array_get(items, i);
		const char *not_after = look_text(one, "notAfter");

		text_reset(&names);
		look_push_list(&names, json_object_get(one, "names"));
		push(&table, look_text(one, "namespace"));
		push(&table, look_text(one, "name"));
		push(&table, look_text(one, "health"));
		push(&table,
		    json_is_true(json_object_get(one, "used")) ? "yes" : "no");
		push(&table, not_after);
		push_left(&table, not_after, now_seconds);
		table_push(&table, text_slice(&names));
		push(&table, look_text(one, "message"));
	}
	text_fini(&names);
	table_print(&table, "", out);
	table_fini(&table);
}
