/* yumen get: asks a running yumen over its admin socket for objects and their
 * status, and prints them. It reads nothing else and changes nothing. */
#include "cmd/get_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ask.h"
#include "cmd/command.h"
#include "cmd/look.h"

/* "httproute.gateway.networking.k8s.io/web", as kubectl has it. */
static void
push_names(struct text *out, enum gw_kind kind, const json_t *items)
{
	const struct gw_kind_row *row = &gw_kinds[kind];

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *metadata =
		    json_object_get(json_array_get(items, i), "metadata");

		text_push_lower(out, slice_from_string(row->kind));
		text_printf(out, "%s%s/%s\n", row->group[0] ? "." : "",
		    row->group, look_text(metadata, "name"));
	}
}

static bool
is_format(const char *format, const char *name)
{
	return format != NULL && strcmp(format, name) == 0;
}

static int
print_items(const struct flags *flags, enum gw_kind kind, json_t *answer)
{
	const char *format = flags_value(flags, FLAG_GET_OUTPUT);
	json_t *items = json_object_get(answer, "items");
	struct text out;
	int status = 0;

	if (!json_is_array(items)) {
		fputs("yumen get: the answer is no list of objects\n", stderr);
		return 1;
	}
	if (json_array_size(items) == 0) {
		fprintf(stderr, "No %s found.\n", gw_kinds[kind].plural);
		status = flags->argument_count > 1 ? 1 : 0;
	}
	if (is_format(format, "json")) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
		return status;
	}
	if (json_array_size(items) == 0)
		return status;
	text_init(&out);
	if (is_format(format, "yaml"))
		get_yaml(&out, items);
	else if (is_format(format, "name"))
		push_names(&out, kind, items);
	else
		get_table(&out, kind, items, is_format(format, "wide"));
	fwrite(out.data, 1, out.length, stdout);
	text_fini(&out);
	return 0;
}

/* What is no object: the workers. */
static int
get_proxies(const struct flags *flags)
{
	json_t *answer = ask_page("get", flags_value(flags, FLAG_GET_SOCKET),
	    SLICE("/api/v1/proxies"));
	struct text out;

	if (answer == NULL)
		return 1;
	text_init(&out);
	if (is_format(flags_value(flags, FLAG_GET_OUTPUT), "json")) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		get_proxies_table(&out, answer);
		fwrite(out.data, 1, out.length, stdout);
	}
	text_fini(&out);
	json_decref(answer);
	return 0;
}

static bool
check_flags(const struct flags *flags, enum gw_kind *kind)
{
	const char *format = flags_value(flags, FLAG_GET_OUTPUT);

	if (flags->argument_count < 1) {
		fputs("yumen get: name a kind: yumen get gateways\n", stderr);
		return false;
	}
	if (!ask_kind("get", flags->arguments[0], kind))
		return false;
	static const char *const formats[] = {
	    "table", "wide", "name", "yaml", "json"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!format || strcmp(format, formats[i]) == 0)
			return true;
	fprintf(stderr,
	    "yumen get: -o %s: table, wide, name, yaml or json is wanted\n",
	    format);
	return false;
}

int
command_get(const struct flags *flags)
{
	struct text target;
	enum gw_kind kind;
	json_t *answer;
	int status = 2;

	if (flags->argument_count == 1 &&
	    strcmp(flags->arguments[0], "proxies") == 0)
		return get_proxies(flags);
	if (!check_flags(flags, &kind))
		return 2;
	text_init(&target);
	text_printf(&target, "/api/v1/objects?kind=%s", gw_kinds[kind].plural);
	if (ask_push_name("get", &target, "namespace",
	        flags_value(flags, FLAG_GET_NAMESPACE)) &&
	    ask_push_name("get", &target, "name",
	        flags->argument_count > 1 ? flags->arguments[1] : NULL)) {
		answer = ask_page("get", flags_value(flags, FLAG_GET_SOCKET),
		    text_slice(&target));
		status = answer ? print_items(flags, kind, answer) : 1;
		json_decref(answer);
	}
	text_fini(&target);
	return status;
}
