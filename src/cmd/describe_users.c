/* Who refers to an object: found in all objects by the shape of a reference, so
 * that no kind and no field needs a line here. */
#include "cmd/describe_priv.h"

#include "cmd/look.h"

struct search {
	const struct describing *describing;
	struct table *table;
	const json_t *object; /* that is looked through */
	const char *namespace; /* its own */
	struct text path;
};

/* Kinds and groups were filled in at admission. */
static bool
leads_here(const struct search *search, const json_t *reference)
{
	const struct describing *describing = search->describing;
	const struct gw_kind_row *row = &gw_kinds[describing->kind];
	const json_t *group = json_object_get(reference, "group");
	const char *namespace = look_text(reference, "namespace");

	if (namespace[0] == '\0')
	namespace = search->namespace;
	return strcmp(look_text(reference, "name"), describing->name) == 0 &&
	    strcmp(look_text(reference, "kind"), row->kind) == 0 &&
	    (!json_is_string(group) ||
	        strcmp(json_string_value(group), row->group) == 0) &&
	    (!row->namespaced || strcmp(namespace, describing->namespace) == 0);
}

static void
push_number(struct table *table, const json_t *reference, const char *key)
{
	if (json_object_get(reference, key))
		describe_cell(table, "%d", (int)look_number(reference, key));
	else
		describe_cell(table, "%s", "");
}

static void
push_user(struct search *search, const json_t *reference)
{
	struct table *table = search->table;

	describe_cell(table, "%s", look_text(search->object, "kind"));
	describe_cell(table, "%s%s%s", search->namespace,
	    search->namespace[0] ? "/" : "",
	    look_text(json_object_get(search->object, "metadata"), "name"));
	describe_cell(table, "%s", search->path.data);
	push_number(table, reference, "port");
	push_number(table, reference, "weight");
}

/* Depth is that of an object's file, which its parser bounds. */
static void
search_value(struct search *search, json_t *value)
{
	size_t length = search->path.length, index;
	const char *key;
	json_t *item;

	if (json_is_array(value))
		json_array_foreach(value, index, item)
		{
			text_printf(&search->path, "[%zu]", index);
			search_value(search, item);
			search->path.length = length;
		}
	if (!json_is_object(value))
		return;
	if (leads_here(search, value))
		push_user(search, value);
	json_object_foreach(value, key, item)
	{
		text_printf(&search->path, "%s%s", length > 0 ? "." : "", key);
		search_value(search, item);
		search->path.length = length;
	}
}

void
describe_users(const struct describing *describing)
{
	static const char *const titles[] = {
	    "KIND", "OBJECT", "FIELD", "PORT", "WEIGHT"};
	enum { COLUMNS = sizeof(titles) / sizeof(titles[0]) };
	json_t *answer = describe_ask(describing, "/api/v1/objects?kind=all");
	json_t *items = json_object_get(answer, "items");
	struct table table;
	struct search search = {.describing = describing, .table = &table};

	table_init(&table, COLUMNS);
	for (unsigned i = 0; i < COLUMNS; i++)
		describe_cell(&table, "%s", titles[i]);
	text_init(&search.path);
	for (size_t i = 0; i < json_array_size(items); i++) {
		search.object = json_array_get(items, i);
		search.namespace = look_text(
		    json_object_get(search.object, "metadata"), "namespace");
		text_reset(&search.path);
		text_push_string(&search.path, "spec");
		search_value(&search, json_object_get(search.object, "spec"));
	}
	text_fini(&search.path);
	describe_table(describing->out, "Used by", &table);
	json_decref(answer);
}
