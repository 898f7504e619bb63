/* yumen get: asks a running yumen, or files, for objects and their status, and
 * prints them. It reads nothing else and changes nothing. */
#include "cmd/get_priv.h"

#include <stdio.h>
#include <string.h>

#include "cmd/ask.h"
#include "cmd/command.h"
#include "cmd/look.h"
#include "cmd/planned.h"
#include "cmd/select.h"
#include "core/clock.h"

void
get_push_name(struct text *out, const json_t *object)
{
	enum gw_kind kind = select_kind_of(object);
	const struct gw_kind_row *row;

	if (kind == GW_KIND__COUNT)
		return;
	row = &gw_kinds[kind];
	text_push_lower(out, slice_from_string(row->kind));
	text_printf(out, "%s%s/%s\n", row->group[0] ? "." : "", row->group,
	    look_text(json_object_get(object, "metadata"), "name"));
}

void
get_take_items(const struct selection *selection, const json_t *answer,
    json_t *items, json_t *since)
{
	const json_t *all = json_object_get(answer, "items");
	const json_t *all_since = json_object_get(answer, "since");

	for (unsigned k = 0; k < selection->kind_count; k++)
		for (size_t i = 0; i < json_array_size(all); i++) {
			json_t *one = json_array_get(all, i);

			if (select_kind_of(one) != selection->kinds[k] ||
			    !select_takes(selection, one))
				continue;
			json_array_append(items, one);
			json_array_append_new(since,
			    json_integer(json_integer_value(
			        json_array_get(all_since, i))));
		}
}

/* ---- printing ---- */

/* The one that is named, or a list. */
static json_t *
as_one(const struct selection *selection, json_t *items)
{
	return selection->name_count == 1 && json_array_size(items) == 1
	    ? json_incref(json_array_get(items, 0))
	    : json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind", "List",
	          "items", items);
}

static void
print_json(const struct selection *selection, json_t *items)
{
	json_t *shown = as_one(selection, items);

	json_dumpf(shown, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(shown);
}

static void
push_table(struct text *out, const struct selection *selection,
    enum gw_kind kind, const json_t *items, const json_t *since, bool wide)
{
	struct get_table table;
	unsigned rows = 0;

	get_table_init(&table, kind);
	table.wide = wide;
	table.prefix = selection->kind_count > 1;
	table.now = clock_wall_ms() / 1000;
	get_table_begin(&table);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *one = json_array_get(items, i);

		if (select_kind_of(one) != kind)
			continue;
		rows++;
		get_table_push(&table, one,
		    json_integer_value(json_array_get(since, i)), "");
	}
	if (rows > 0) {
		text_push_string(out, out->length > 0 ? "\n" : "");
		table_print(&table.table, "", out);
	}
	table_fini(&table.table);
}

static void
print_items(const struct selection *selection, const struct get_view *view,
    json_t *items, const json_t *since)
{
	struct text out;

	if (view->format == GET_JSON) {
		print_json(selection, items);
		return;
	}
	if (json_array_size(items) == 0)
		return;
	text_init(&out);
	if (view->format == GET_JSONPATH) {
		json_t *shown = as_one(selection, items);

		jsonpath_push(&out, view->path, shown);
		json_decref(shown);
	} else if (view->format == GET_COLUMNS) {
		get_columns_print(&out, &view->columns, items);
	} else if (view->format == GET_YAML) {
		get_yaml(&out, items);
	} else if (view->format == GET_NAME) {
		for (size_t i = 0; i < json_array_size(items); i++)
			get_push_name(&out, json_array_get(items, i));
	} else {
		for (unsigned i = 0; i < selection->kind_count; i++)
			push_table(&out, selection, selection->kinds[i], items,
			    since, view->format == GET_WIDE);
	}
	fwrite(out.data, 1, out.length, stdout);
	text_fini(&out);
}

/* The exit status: 1 where a name that was asked for is missing. */
static int
tell_missing(const struct selection *selection, const json_t *items)
{
	int status = 0;

	for (unsigned i = 0; i < selection->name_count; i++) {
		if (select_is_among(selection, i, items))
			continue;
		fprintf(stderr, "yumen get: there is no %s %s%s%s\n",
		    gw_kinds[selection->names[i].kind].kind,
		    selection->names[i].name,
		    selection->namespace ? " in namespace " : "",
		    selection->namespace ? selection->namespace : "");
		status = 1;
	}
	if (selection->name_count > 0 || json_array_size(items) > 0)
		return status;
	fprintf(stderr, "No %s found%s%s.\n",
	    selection->kind_count == 1 ? gw_kinds[selection->kinds[0]].plural
	                               : "objects",
	    selection->namespace ? " in namespace " : "",
	    selection->namespace ? selection->namespace : "");
	return 0;
}

static int
get_once(const struct selection *selection, const struct ask *ask,
    const struct get_view *view)
{
	struct text target;

	text_init(&target);
	select_push_target(selection, &target);
	json_t *answer = ask_page(ask, text_slice(&target));

	text_fini(&target);
	if (answer == NULL)
		return 1;
	json_t *items = json_array(), *since = json_array();

	get_take_items(selection, answer, items, since);
	print_items(selection, view, items, since);
	int status = tell_missing(selection, items);

	json_decref(items);
	json_decref(since);
	json_decref(answer);
	return status;
}

/* What is no object. */
static const struct page {
	const char *name, *path;
	void (*push)(struct text *out, const json_t *answer);
} pages[] = {
    {"proxies", "/api/v1/proxies", get_proxies_table},
    {"certificates", "/api/v1/certificates", get_certificates_table},
};

static const struct page *
page_of(const struct flags *flags)
{
	if (flags->argument_count != 1)
		return NULL;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcmp(flags->arguments[0], pages[i].name) == 0)
			return &pages[i];
	return NULL;
}

static void
print_page(const struct page *page, json_t *answer, const struct get_view *view)
{
	struct text out;

	if (view->format == GET_JSON) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	text_init(&out);
	if (view->format == GET_JSONPATH) {
		jsonpath_push(&out, view->path, answer);
	} else if (view->format == GET_YAML) {
		json_t *documents = json_pack("[O]", answer);

		get_yaml(&out, documents);
		json_decref(documents);
	} else {
		page->push(&out, answer);
	}
	fwrite(out.data, 1, out.length, stdout);
	text_fini(&out);
}

static int
get_page(const struct page *page, const struct flags *flags,
    const struct ask *ask, const struct get_view *view)
{
	const char *why = NULL;

	if (flags->counts[FLAG_GET_FILE] > 0)
		why = "a running yumen's, not of files";
	else if (view->watch)
		why = "not watched";
	else if (view->format == GET_NAME || view->format == GET_COLUMNS)
		why = "shown as table, yaml, json or jsonpath=TEMPLATE";
	if (why) {
		fprintf(stderr, "yumen get: %s are %s\n", page->name, why);
		return 2;
	}
	json_t *answer = ask_page(ask, slice_from_string(page->path));

	if (answer == NULL)
		return 1;
	print_page(page, answer, view);
	json_decref(answer);
	return 0;
}

/* ---- the command line ---- */

/* "jsonpath=..." or "custom-columns=...". False: it is malformed, told. */
static bool
read_template(const char *format, struct get_view *view)
{
	struct slice rest = slice_from_string(format), name;
	struct text why;
	bool ok;

	text_init(&why);
	(void)slice_cut(&rest, '=', &name);
	if (view->format == GET_JSONPATH) {
		view->path = jsonpath_new(rest, &why);
		ok = view->path != NULL;
	} else {
		ok = get_columns_init(&view->columns, rest, &why);
	}
	if (!ok)
		fprintf(stderr, "yumen get: -o %.*s: %.*s\n", SLICE_ARGS(name),
		    SLICE_ARGS(text_slice(&why)));
	text_fini(&why);
	return ok;
}

static bool
read_view(const struct flags *flags, struct get_view *view)
{
	static const char *const formats[] = {[GET_TABLE] = "table",
	    [GET_WIDE] = "wide",
	    [GET_NAME] = "name",
	    [GET_YAML] = "yaml",
	    [GET_JSON] = "json",
	    [GET_JSONPATH] = "jsonpath=",
	    [GET_COLUMNS] = "custom-columns="};
	const char *format = flags_value(flags, FLAG_GET_OUTPUT);

	view->watch = flags_value(flags, FLAG_GET_WATCH) != NULL;
	for (size_t i = 0; format && i < sizeof(formats) / sizeof(formats[0]);
	     i++) {
		view->format = i;
		if (i < GET_JSONPATH && strcmp(format, formats[i]) == 0)
			return true;
		if (i >= GET_JSONPATH &&
		    slice_starts_with(slice_from_string(format),
		        slice_from_string(formats[i])))
			return read_template(format, view);
	}
	view->format = GET_TABLE;
	if (!format)
		return true;
	fprintf(stderr,
	    "yumen get: -o %s: table, wide, name, yaml, json, "
	    "jsonpath=TEMPLATE "
	    "or custom-columns=TITLE:PATH,... is wanted\n",
	    format);
	return false;
}

static int
get(const struct flags *flags, const struct selection *selection,
    struct ask *ask, const struct get_view *view)
{
	struct planned planned;
	int status;

	if (flags->counts[FLAG_GET_FILE] == 0)
		return view->watch ? get_watch(selection, ask, view)
		                   : get_once(selection, ask, view);
	if (view->watch) {
		fputs("yumen get: --watch is for a running yumen, not for "
		      "files\n",
		    stderr);
		return 2;
	}
	if (!planned_make(&planned, "get", flags->values[FLAG_GET_FILE],
	        flags->counts[FLAG_GET_FILE],
	        flags->values[FLAG_GET_CONTROLLER_NAME],
	        flags->counts[FLAG_GET_CONTROLLER_NAME]))
		return 1;
	ask->planned = &planned;
	status = get_once(selection, ask, view);
	planned_tell_problems(&planned);
	planned_fini(&planned);
	return status;
}

static int
get_as(const struct flags *flags, const struct get_view *view)
{
	/* -A is the default; with it, -n means nothing, as with kubectl. */
	static struct selection selection;
	struct ask ask = {
	    .command = "get", .socket = flags_value(flags, FLAG_GET_SOCKET)};
	const struct page *page = page_of(flags);

	if (page)
		return get_page(page, flags, &ask, view);
	selection.selector = flags_value(flags, FLAG_GET_SELECTOR);
	if (flags_value(flags, FLAG_GET_ALL) == NULL)
		selection.namespace = flags_value(flags, FLAG_GET_NAMESPACE);
	if (!select_parse(
	        &selection, "get", flags->arguments, flags->argument_count))
		return 2;
	return get(flags, &selection, &ask, view);
}

int
command_get(const struct flags *flags)
{
	struct get_view view = {.format = GET_TABLE};
	int status = read_view(flags, &view) ? get_as(flags, &view) : 2;

	jsonpath_free(&view.path);
	get_columns_fini(&view.columns);
	return status;
}
