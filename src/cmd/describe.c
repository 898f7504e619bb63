/* yumen describe: asks a running yumen, or files, for objects, what is wrong
 * with each and what it hangs together with. It reads nothing else and changes
 * nothing. */
#include "cmd/describe_priv.h"

#include <stdarg.h>
#include <stdio.h>

#include "cmd/cell.h"
#include "cmd/command.h"
#include "cmd/look.h"
#include "cmd/planned.h"
#include "cmd/select.h"

json_t *
describe_ask(const struct describing *describing, const char *format, ...)
{
	struct text target;
	va_list arguments;

	text_init(&target);
	va_start(arguments, format);
	text_vprintf(&target, format, arguments);
	va_end(arguments);
	json_t *answer = ask_page(describing->ask, text_slice(&target));

	text_fini(&target);
	return answer ? answer : json_object();
}

static void
push_map(struct text *out, const char *label, const json_t *metadata,
    const char *cell)
{
	struct text pairs;

	text_init(&pairs);
	cell_push(&pairs, metadata, cell);
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
	if (json_object_get(metadata, "generation"))
		text_push_number(
		    &text, (uint64_t)look_number(metadata, "generation"));
	describe_line(out, "Generation", text.length ? text.data : "");
	describe_line(out, "Created", look_text(metadata, "creationTimestamp"));
	push_map(out, "Labels", metadata, "{@labels}");
	push_map(out, "Annotations", metadata, "{@annotations}");
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

static void
describe_items(const struct selection *selection, const struct ask *ask,
    const json_t *items)
{
	struct text out;
	unsigned count = 0;

	text_init(&out);
	for (unsigned k = 0; k < selection->kind_count; k++)
		for (size_t i = 0; i < json_array_size(items); i++) {
			struct describing describing = {
			    .kind = selection->kinds[k],
			    .object = json_array_get(items, i),
			    .ask = ask,
			    .out = &out,
			};

			if (select_kind_of(describing.object) !=
			        describing.kind ||
			    !select_takes(selection, describing.object))
				continue;
			text_push_string(&out, count++ > 0 ? "\n" : "");
			describe_object(&describing);
		}
	if (count == 0 && selection->name_count == 0)
		fprintf(stderr, "yumen describe: there is none\n");
	fwrite(out.data ? out.data : "", 1, out.length, stdout);
	text_fini(&out);
}

static int
describe(const struct selection *selection, const struct ask *ask)
{
	struct text target;
	int status = 0;

	text_init(&target);
	select_push_target(selection, &target);
	json_t *answer = ask_page(ask, text_slice(&target));

	text_fini(&target);
	if (answer == NULL)
		return 1;
	const json_t *items = json_object_get(answer, "items");

	describe_items(selection, ask, items);
	for (unsigned i = 0; i < selection->name_count; i++)
		if (!select_is_among(selection, i, items)) {
			fprintf(stderr, "yumen describe: there is no %s %s\n",
			    gw_kinds[selection->names[i].kind].kind,
			    selection->names[i].name);
			status = 1;
		}
	json_decref(answer);
	return status;
}

int
command_describe(const struct flags *flags)
{
	static struct selection selection;
	struct ask ask = {.command = "describe",
	    .socket = flags_value(flags, FLAG_DESCRIBE_SOCKET)};
	struct planned planned;

	selection.namespace = flags_value(flags, FLAG_DESCRIBE_NAMESPACE);
	selection.selector = flags_value(flags, FLAG_DESCRIBE_SELECTOR);
	if (!select_parse(&selection, "describe", flags->arguments,
	        flags->argument_count))
		return 2;
	if (flags->counts[FLAG_DESCRIBE_FILE] == 0)
		return describe(&selection, &ask);
	if (!planned_make(&planned, "describe",
	        flags->values[FLAG_DESCRIBE_FILE],
	        flags->counts[FLAG_DESCRIBE_FILE],
	        flags->values[FLAG_DESCRIBE_CONTROLLER_NAME],
	        flags->counts[FLAG_DESCRIBE_CONTROLLER_NAME]))
		return 1;
	ask.planned = &planned;
	int status = describe(&selection, &ask);

	planned_tell_problems(&planned);
	planned_fini(&planned);
	return status;
}
