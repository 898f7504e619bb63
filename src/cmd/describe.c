/* yumen describe: asks a running yumen for an object, what is wrong with it and
 * what it hangs together with. It reads nothing else and changes nothing. */
#include "cmd/describe_priv.h"

#include <stdarg.h>
#include <stdio.h>

#include "cmd/ask.h"
#include "cmd/command.h"
#include "cmd/look.h"

json_t *
describe_ask(const struct describing *describing, const char *format, ...)
{
	struct text target;
	va_list arguments;

	text_init(&target);
	va_start(arguments, format);
	text_vprintf(&target, format, arguments);
	va_end(arguments);
	json_t *answer =
	    ask_page("describe", describing->socket, text_slice(&target));

	text_fini(&target);
	return answer ? answer : json_object();
}

static void
push_map(struct text *out, const char *label, json_t *map)
{
	struct text pairs;
	json_t *value;
	const char *key;

	text_init(&pairs);
	json_object_foreach(map, key, value)
	    text_printf(&pairs, "%s%s=%s", pairs.length > 0 ? "," : "", key,
	        json_is_string(value) ? json_string_value(value) : "");
	if (pairs.length > 0)
		describe_line(out, label, pairs.data);
	text_fini(&pairs);
}

static void
describe_head(const struct describing *describing, const json_t *place)
{
	json_t *metadata = json_object_get(describing->object, "metadata");
	struct text *out = describing->out;
	struct text text;

	text_init(&text);
	describe_line(out, "Name", describing->name);
	describe_line(out, "Namespace", describing->namespace);
	text_printf(&text, "%s (%s)", look_text(describing->object, "kind"),
	    look_text(describing->object, "apiVersion"));
	describe_line(out, "Kind", text.data);
	text_reset(&text);
	text_printf(&text, "%s:%d", look_text(place, "file"),
	    (int)look_number(place, "line"));
	describe_line(out, "Written", text.data);
	text_reset(&text);
	text_push_number(&text, (uint64_t)look_number(metadata, "generation"));
	describe_line(out, "Generation", text.data);
	describe_line(out, "Created", look_text(metadata, "creationTimestamp"));
	push_map(out, "Labels", json_object_get(metadata, "labels"));
	push_map(out, "Annotations", json_object_get(metadata, "annotations"));
	text_fini(&text);
}

static void
describe_object(struct describing *describing)
{
	const json_t *metadata =
	    json_object_get(describing->object, "metadata");

	describing->namespace = look_text(metadata, "namespace");
	describing->name = look_text(metadata, "name");

	json_t *problems = describe_ask(describing,
	    "/api/v1/problems?kind=%s&namespace=%s&name=%s",
	    gw_kinds[describing->kind].plural, describing->namespace,
	    describing->name);

	describe_head(describing,
	    json_array_get(json_object_get(problems, "objects"), 0));
	describe_kind(describing);
	describe_conditions(describing);
	describe_problems(describing->out, problems);
	json_decref(problems);
}

static int
describe_all(struct describing *describing, const char *name, json_t *answer)
{
	json_t *items = json_object_get(answer, "items");
	struct text out;

	if (json_array_size(items) == 0) {
		fprintf(stderr, "yumen describe: there is no %s %s\n",
		    gw_kinds[describing->kind].kind, name);
		return 1;
	}
	text_init(&out);
	describing->out = &out;
	for (size_t i = 0; i < json_array_size(items); i++) {
		text_push_string(&out, i > 0 ? "\n" : "");
		describing->object = json_array_get(items, i);
		describe_object(describing);
	}
	fwrite(out.data, 1, out.length, stdout);
	text_fini(&out);
	return 0;
}

int
command_describe(const struct flags *flags)
{
	struct describing describing = {
	    .socket = flags_value(flags, FLAG_DESCRIBE_SOCKET)};
	struct text target;
	int status = 2;

	if (flags->argument_count < 2) {
		fputs("yumen describe: name a kind and an object: yumen "
		      "describe gateway eg\n",
		    stderr);
		return 2;
	}
	if (!ask_kind("describe", flags->arguments[0], &describing.kind))
		return 2;
	text_init(&target);
	text_printf(&target, "/api/v1/objects?kind=%s",
	    gw_kinds[describing.kind].plural);
	if (ask_push_name("describe", &target, "namespace",
	        flags_value(flags, FLAG_DESCRIBE_NAMESPACE)) &&
	    ask_push_name("describe", &target, "name", flags->arguments[1])) {
		json_t *answer = ask_page(
		    "describe", describing.socket, text_slice(&target));

		status = answer
		    ? describe_all(&describing, flags->arguments[1], answer)
		    : 1;
		json_decref(answer);
	}
	text_fini(&target);
	return status;
}
