/* The table of `yumen get proxies`: how far each worker is. */
#include "cmd/get_priv.h"

#include "cmd/look.h"
#include "cmd/table.h"

static void
push_number(struct table *table, json_int_t number)
{
	struct text text;

	text_init(&text);
	text_printf(&text, "%lld", (long long)number);
	table_push(table, text_slice(&text));
	text_fini(&text);
}

void
get_proxies_table(struct text *out, const json_t *answer)
{
	const json_t *workers = json_object_get(answer, "workers");
	json_int_t wanted = look_number(answer, "published");
	json_int_t behind_ms = look_number(answer, "behindMs");
	struct table table;
	struct text lag;

	table_init(&table, 4);
	table_push(&table, SLICE("WORKER"));
	table_push(&table, SLICE("WANTED"));
	table_push(&table, SLICE("SERVED"));
	table_push(&table, SLICE("LAG"));
	for (size_t i = 0; i < json_array_size(workers); i++) {
		const json_t *one = json_array_get(workers, i);
		json_int_t served = look_number(one, "served");

		push_number(&table, look_number(one, "worker"));
		push_number(&table, wanted);
		push_number(&table, served);
		text_init(&lag);
		if (served < wanted)
			text_printf(&lag, "%lld generations, %lld ms",
			    (long long)(wanted - served), (long long)behind_ms);
		table_push(&table, text_slice(&lag));
		text_fini(&lag);
	}
	table_print(&table, "", out);
	table_fini(&table);
	text_printf(out, "generation %s\n", look_text(answer, "generation"));
}
