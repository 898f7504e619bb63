/* yumen get: asks a running yumen over its admin socket for objects and their
 * status, and prints them. It reads nothing else and changes nothing. */
#include "cmd/get_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ask.h"
#include "cmd/command.h"
#include "wire/nearest.h"

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
	if (format != NULL && strcmp(format, "json") == 0) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
		return status;
	}
	if (json_array_size(items) == 0)
		return status;
	text_init(&out);
	if (format != NULL && strcmp(format, "yaml") == 0)
		get_yaml(&out, items);
	else
		get_table(&out, kind, items);
	fwrite(out.data, 1, out.length, stdout);
	text_fini(&out);
	return 0;
}

/* A name in a query: letters, digits, '-' and '.' are all that names have. */
static bool
push_parameter(struct text *out, const char *key, const char *value)
{
	if (value == NULL)
		return true;
	if (value[0] == '\0' ||
	    value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-.")] !=
	        '\0') {
		fprintf(stderr,
		    "yumen get: '%s' is no name: lower case letters, digits, "
		    "'-' and '.'\n",
		    value);
		return false;
	}
	text_printf(out, "&%s=%s", key, value);
	return true;
}

static void
no_kind(const char *name)
{
	struct wire_nearest nearest;

	wire_nearest_init(&nearest, slice_from_string(name));
	for (int i = 0; i < GW_KIND__COUNT; i++)
		wire_nearest_feed(
		    &nearest, slice_from_string(gw_kinds[i].plural));
	fprintf(stderr, "yumen get: no kind '%s'", name);
	if (slice_is_set(nearest.best))
		fprintf(
		    stderr, "; did you mean %.*s?\n", SLICE_ARGS(nearest.best));
	else
		fputs("; yumen help get lists them\n", stderr);
}

static bool
check_flags(const struct flags *flags, enum gw_kind *kind)
{
	const char *format = flags_value(flags, FLAG_GET_OUTPUT);

	if (flags->argument_count < 1) {
		fputs("yumen get: name a kind: yumen get gateways\n", stderr);
		return false;
	}
	if (!gw_kind_parse(slice_from_string(flags->arguments[0]), kind)) {
		no_kind(flags->arguments[0]);
		return false;
	}
	if (format != NULL && strcmp(format, "table") != 0 &&
	    strcmp(format, "yaml") != 0 && strcmp(format, "json") != 0) {
		fprintf(stderr,
		    "yumen get: -o %s: table, yaml or json is wanted\n",
		    format);
		return false;
	}
	return true;
}

int
command_get(const struct flags *flags)
{
	struct text target;
	enum gw_kind kind;
	json_t *answer;
	int status = 2;

	if (!check_flags(flags, &kind))
		return 2;
	text_init(&target);
	text_printf(&target, "/api/v1/objects?kind=%s", gw_kinds[kind].plural);
	if (push_parameter(
	        &target, "namespace", flags_value(flags, FLAG_GET_NAMESPACE)) &&
	    push_parameter(&target, "name",
	        flags->argument_count > 1 ? flags->arguments[1] : NULL)) {
		answer = ask_page("get", flags_value(flags, FLAG_GET_SOCKET),
		    text_slice(&target));
		status = answer ? print_items(flags, kind, answer) : 1;
		json_decref(answer);
	}
	text_fini(&target);
	return status;
}
