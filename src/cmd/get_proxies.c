/* The table of `yumen get proxies`: how far each worker is, or, of a
 * controller, each proxy. */
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

static const char *
state_of(const json_t *proxy)
{
	if (json_is_true(json_object_get(proxy, "current")))
		return "current";
	return json_is_true(json_object_get(proxy, "ready")) ? "behind"
	                                                     : "starting";
}

/* Those of a controller. */
static void
push_proxies(struct text *out, const json_t *proxies)
{
	static const struct slice heads[] = {SLICE("GATEWAY"), SLICE("PROXY"),
	    SLICE("STATE"), SLICE("VERSION"), SLICE("ADDRESS")};
	static const char *const members[] = {
	    "gateway", "name", NULL, "version", "address"};
	enum { COLUMNS = 5 };
	struct table table;

	table_init(&table, COLUMNS);
	for (unsigned i = 0; i < COLUMNS; i++)
		table_push(&table, heads[i]);
	for (size_t i = 0; i < json_array_size(proxies); i++) {
		const json_t *one = json_array_get(proxies, i);

		for (unsigned j = 0; j < COLUMNS; j++)
			table_push(&table,
			    slice_from_string(members[j] != NULL
			            ? look_text(one, members[j])
			            : state_of(one)));
	}
	table_print(&table, "", out);
	table_fini(&table);
}

void
get_proxies_table(struct text *out, const json_t *answer)
{
	const json_t *workers = json_object_get(answer, "workers");
	json_int_t wanted = look_number(answer, "published");
	json_int_t behind_ms = look_number(answer, "behindMs");
	struct table table;
	struct text lag;

	if (json_object_get(answer, "proxies") != NULL) {
		push_proxies(out, json_object_get(answer, "proxies"));
		return;
	}
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
