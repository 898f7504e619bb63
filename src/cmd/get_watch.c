/* yumen get --watch: what is there, then each change as it comes. The answer to
 * a question that names the last change is given when there is a newer one, or
 * after a while. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/ask.h"
#include "cmd/get_priv.h"
#include "cmd/look.h"
#include "cmd/select.h"
#include "core/clock.h"
#include "core/must.h"

/* Between two questions: a burst of changes is told together, and a yumen that
 * has too many watchers is not asked in a loop. */
#define PAUSE_US 100000

struct watching {
	const struct selection *selection;
	const struct get_view *view;
	json_t *known; /* by key: {"object": ..., "since": ...} */
	struct table columns; /* with GET_COLUMNS */
	struct get_table tables[GW_KIND__COUNT];
	bool begun[GW_KIND__COUNT]; /* its titles were printed */
	struct text out;
};

static void
push_key(
    struct text *key, const char *kind, const char *namespace, const char *name)
{
	text_reset(key);
	text_printf(key, "%s/%s/%s", kind, namespace, name);
}

static void
show_row(struct watching *watching, const char *event, const json_t *object,
    int64_t since)
{
	enum gw_kind kind = select_kind_of(object);
	struct get_table *table = &watching->tables[kind];

	if (!watching->begun[kind]) {
		watching->begun[kind] = true;
		get_table_init(table, kind);
		table->wide = watching->view->format == GET_WIDE;
		table->watch = true;
		table->prefix = watching->selection->kind_count > 1;
		get_table_begin(table);
	}
	table->now = clock_wall_ms() / 1000;
	get_table_push(table, object, since, event);
}

static void
show(
    struct watching *watching, const char *event, json_t *object, int64_t since)
{
	json_t *shown;

	switch (watching->view->format) {
	case GET_NAME:
		get_push_name(&watching->out, object);
		return;
	case GET_JSON:
	case GET_YAML:
		break;
	case GET_JSONPATH:
		jsonpath_push(&watching->out, watching->view->path, object);
		return;
	case GET_COLUMNS:
		get_columns_push(
		    &watching->view->columns, object, &watching->columns);
		return;
	case GET_TABLE:
	case GET_WIDE:
		show_row(watching, event, object, since);
		return;
	}
	shown = json_pack("[{s:s, s:O}]", "type", event, "object", object);
	if (watching->view->format == GET_YAML) {
		text_push_string(&watching->out, "---\n");
		get_yaml(&watching->out, shown);
	} else {
		char *line = json_dumps(json_array_get(shown, 0), JSON_COMPACT);

		text_printf(&watching->out, "%s\n", line ? line : "");
		free(line);
	}
	json_decref(shown);
}

static void
on_item(
    struct watching *watching, const char *key, json_t *object, int64_t since)
{
	json_t *before =
	    json_object_get(json_object_get(watching->known, key), "object");

	if (before != NULL && json_equal(before, object))
		return;
	show(watching, before == NULL ? "ADDED" : "MODIFIED", object, since);
	json_object_set_new(watching->known, key,
	    json_pack("{s:O, s:I}", "object", object, "since", since));
}

static void
on_gone(struct watching *watching, const char *key)
{
	json_t *before = json_incref(json_object_get(watching->known, key));

	if (before == NULL)
		return;
	show(watching, "DELETED", json_object_get(before, "object"),
	    look_number(before, "since"));
	json_object_del(watching->known, key);
	json_decref(before);
}

static void
take_items(struct watching *watching, const json_t *answer, json_t *found)
{
	json_t *items = json_array(), *since = json_array();
	struct text key;

	text_init(&key);
	get_take_items(watching->selection, answer, items, since);
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *one = json_array_get(items, i);
		const json_t *metadata = json_object_get(one, "metadata");

		push_key(&key, look_text(one, "kind"),
		    look_text(metadata, "namespace"),
		    look_text(metadata, "name"));
		on_item(watching, key.data, one,
		    json_integer_value(json_array_get(since, i)));
		json_object_set_new(found, key.data, json_true());
	}
	text_fini(&key);
	json_decref(items);
	json_decref(since);
}

/* An object that changed and is not asked for any more is gone too. */
static void
take_gone(struct watching *watching, const json_t *answer, const json_t *found)
{
	const json_t *gone = json_object_get(answer, "gone");
	const json_t *items = json_object_get(answer, "items");
	struct text key;
	const char *known;
	json_t *value;
	void *next;

	text_init(&key);
	for (size_t i = 0; i < json_array_size(gone); i++) {
		const json_t *one = json_array_get(gone, i);

		push_key(&key, look_text(one, "kind"),
		    look_text(one, "namespace"), look_text(one, "name"));
		on_gone(watching, key.data);
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *one = json_array_get(items, i);
		const json_t *metadata = json_object_get(one, "metadata");

		push_key(&key, look_text(one, "kind"),
		    look_text(metadata, "namespace"),
		    look_text(metadata, "name"));
		if (json_object_get(found, key.data) == NULL)
			on_gone(watching, key.data);
	}
	if (json_is_true(json_object_get(answer, "whole")))
		json_object_foreach_safe(watching->known, next, known,
		    value) if (json_object_get(found, known) == NULL)
		    on_gone(watching, known);
	text_fini(&key);
}

static bool
print(struct watching *watching)
{
	for (unsigned i = 0; i < watching->selection->kind_count; i++) {
		enum gw_kind kind = watching->selection->kinds[i];

		if (!watching->begun[kind])
			continue;
		table_print(&watching->tables[kind].table, "", &watching->out);
		table_reset(&watching->tables[kind].table);
	}
	if (watching->view->format == GET_COLUMNS) {
		table_print(&watching->columns, "", &watching->out);
		table_reset(&watching->columns);
	}
	fwrite(watching->out.data ? watching->out.data : "", 1,
	    watching->out.length, stdout);
	text_reset(&watching->out);
	return fflush(stdout) == 0;
}

static json_t *
ask_after(
    const struct selection *selection, const struct ask *ask, json_int_t after)
{
	struct text target;

	text_init(&target);
	select_push_target(selection, &target);
	if (after > 0)
		text_printf(&target, "&after=%lld", (long long)after);
	json_t *answer = ask_page(ask, text_slice(&target));

	text_fini(&target);
	return answer;
}

int
get_watch(const struct selection *selection, const struct ask *ask,
    const struct get_view *view)
{
	static struct watching watching;
	json_int_t after = 0;
	bool printed = true;
	json_t *answer;

	watching = (struct watching){
	    .selection = selection, .view = view, .known = json_object()};
	text_init(&watching.out);
	if (view->format == GET_COLUMNS)
		get_columns_begin(&view->columns, &watching.columns);
	while (printed && (answer = ask_after(selection, ask, after)) != NULL) {
		json_t *found = json_object();

		take_items(&watching, answer, found);
		take_gone(&watching, answer, found);
		after = look_number(answer, "change");
		json_decref(found);
		json_decref(answer);
		printed = print(&watching);
		usleep(PAUSE_US);
	}
	for (int i = 0; i < GW_KIND__COUNT; i++)
		if (watching.begun[i])
			table_fini(&watching.tables[i].table);
	if (view->format == GET_COLUMNS)
		table_fini(&watching.columns);
	text_fini(&watching.out);
	json_decref(watching.known);
	return 1;
}
