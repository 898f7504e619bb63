/* yumen explain: what becomes of a request and why. With -f it reads the files
 * as run does and builds the set that workers would serve; without, it asks the
 * yumen that runs. Either way proxy/explain.h tells, by the workers' own code.
 */
#include "cmd/explain_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ask.h"
#include "cmd/command.h"
#include "core/must.h"
#include "ctl/once.h"
#include "ctl/pages.h"
#include "proxy/explain.h"

struct planning {
	struct snap_store *store;
	struct ctl_statuses *statuses;
	struct ctl_once once;
	unsigned problems; /* of severity ERROR */
};

static int
usage(struct slice message)
{
	fprintf(stderr, "yumen explain: %.*s\nTry: yumen help explain\n",
	    SLICE_ARGS(message));
	return 2;
}

/* ---- on files alone ---- */

static void
on_unit(
    void *context, struct slice name, struct slice bytes, struct gw_tag *tag)
{
	struct planning *planning = context;

	(void)tag;
	if (!slice_is_set(bytes)) {
		snap_store_drop(planning->store, name);
		return;
	}
	enum error error = snap_store_put(planning->store, name, bytes);

	if (error != ERROR_OK)
		fprintf(stderr, "yumen explain: %.*s is not served: %s\n",
		    SLICE_ARGS(name), error_text(error));
}

static void
on_status(void *context, const struct gw_object *object, const void *status)
{
	struct planning *planning = context;

	ctl_statuses_put(planning->statuses, object, status);
}

static void
on_problem(void *context, const struct ctl_problem *problem)
{
	struct planning *planning = context;

	if (gw_findings[problem->finding.row].severity == GW_ERROR)
		planning->problems++;
}

static json_t *
explain_units(struct snap_store *store, const struct explain_request *request)
{
	struct proxy_explain explain = {
	    .store = store,
	    .set = snap_store_commit(store),
	    .head = text_slice(&request->head),
	    .address = text_slice(&request->address),
	    .port = request->port,
	    .unresolved = true,
	};
	struct text out;

	text_init(&out);
	proxy_explain(&out, &explain);
	json_t *told = json_loadb(out.data, out.length, 0, NULL);

	must(told != NULL);
	text_fini(&out);
	return told;
}

/* As they are once the workers serve it, for the pages of ctl's. */
static json_t *
problems_of(struct planning *planning, enum gw_kind kind)
{
	struct feed_generation generation =
	    snap_store_generation(planning->store);
	const struct ctl_query query = {.kind = kind};
	struct text out;

	ctl_statuses_offer(planning->statuses, &generation, 0, 0);
	ctl_statuses_confirm(planning->statuses, &generation, 0);
	text_init(&out);
	ctl_problems_write(
	    &out, planning->once.state, planning->statuses, &query);
	json_t *answer = json_loadb(out.data, out.length, 0, NULL);

	must(answer != NULL);
	text_fini(&out);
	return answer;
}

static void
tell_problems(const struct planning *planning)
{
	if (planning->problems > 0)
		fprintf(stderr,
		    "yumen explain: %u problem%s in the files; `yumen check` "
		    "tells %s\n",
		    planning->problems, planning->problems == 1 ? "" : "s",
		    planning->problems == 1 ? "it" : "them");
}

static json_t *
explain_files(const struct flags *flags, const struct explain_request *request)
{
	struct slice names[FLAG_REPEATS];
	struct planning planning = {
	    .store = snap_store_new(), .statuses = ctl_statuses_new()};
	struct ctl_once *once = &planning.once;
	json_t *told = NULL;

	*once = (struct ctl_once){
	    .paths = flags->values[FLAG_EXPLAIN_FILE],
	    .path_count = flags->counts[FLAG_EXPLAIN_FILE],
	    .options =
	        {
	            .controller_names = names,
	            .controller_name_count =
	                flags->counts[FLAG_EXPLAIN_CONTROLLER_NAME],
	            .namespaces_implied = true,
	            .carries = CTL_CARRIES,
	        },
	    .output = {.context = &planning,
	        .on_unit = on_unit,
	        .on_status = on_status},
	    .on_problem = on_problem,
	    .context = &planning,
	};
	for (unsigned i = 0; i < once->options.controller_name_count; i++)
		names[i] = slice_from_string(
		    flags->values[FLAG_EXPLAIN_CONTROLLER_NAME][i]);
	enum error error = ctl_once_run(once);

	if (error == ERROR_OK) {
		told = explain_units(planning.store, request);
		explain_add_problems(told, problems_of(&planning, GW_GATEWAY),
		    problems_of(&planning, GW_HTTPROUTE));
	} else {
		fprintf(stderr, "yumen explain: %s: %s\n",
		    once->failed < once->path_count ? once->paths[once->failed]
		                                    : "cannot read",
		    error_text(error));
	}
	tell_problems(&planning);
	ctl_once_fini(once);
	ctl_statuses_free(&planning.statuses);
	snap_store_free(&planning.store);
	return told;
}

/* ---- over the socket ---- */

static json_t *
ask_problems(const struct flags *flags, const char *kind)
{
	struct text target;

	text_init(&target);
	text_printf(&target, "/api/v1/problems?kind=%s", kind);
	json_t *answer = ask_page("explain",
	    flags_value(flags, FLAG_EXPLAIN_SOCKET), text_slice(&target));

	text_fini(&target);
	return answer;
}

static json_t *
explain_running(
    const struct flags *flags, const struct explain_request *request)
{
	struct text target;

	text_init(&target);
	text_printf(&target,
	    "/api/v1/explain?port=%u&address=%.*s&head=", request->port,
	    SLICE_ARGS(text_slice(&request->address)));
	ask_push_escaped(&target, text_slice(&request->head));
	json_t *told = ask_page("explain",
	    flags_value(flags, FLAG_EXPLAIN_SOCKET), text_slice(&target));

	text_fini(&target);
	if (told)
		explain_add_problems(told, ask_problems(flags, "gateways"),
		    ask_problems(flags, "httproutes"));
	return told;
}

static int
exit_status(const json_t *told)
{
	static const char *const answered[] = {
	    "backend", "redirect", "answer", "depends"};
	const char *verdict =
	    json_string_value(json_object_get(told, "verdict"));

	for (size_t i = 0;
	     verdict && i < sizeof(answered) / sizeof(answered[0]); i++)
		if (strcmp(verdict, answered[i]) == 0)
			return 0;
	return verdict && strcmp(verdict, "ambiguous") != 0 ? 1 : 2;
}

static int
explain_and_print(
    const struct flags *flags, const struct explain_request *request, bool json)
{
	json_t *told = flags->counts[FLAG_EXPLAIN_FILE] > 0
	    ? explain_files(flags, request)
	    : explain_running(flags, request);
	struct text out;

	if (!told)
		return 2;
	if (json) {
		json_dumpf(told, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		text_init(&out);
		explain_print(&out, told);
		fwrite(out.data, 1, out.length, stdout);
		text_fini(&out);
	}
	int status = exit_status(told);

	json_decref(told);
	return status;
}

int
command_explain(const struct flags *flags)
{
	const char *format = flags_value(flags, FLAG_EXPLAIN_OUTPUT);
	const char *method = flags_value(flags, FLAG_EXPLAIN_METHOD);
	struct explain_request request;
	struct text why;
	int status;

	if (flags->argument_count == 0)
		return usage(SLICE("which request? `yumen explain URL`"));
	if (format && strcmp(format, "text") != 0 &&
	    strcmp(format, "json") != 0)
		return usage(SLICE("--output is text or json"));
	text_init(&why);
	if (explain_request_make(&request, flags->arguments[0],
	        method ? method : "GET", flags->values[FLAG_EXPLAIN_HEADER],
	        flags->counts[FLAG_EXPLAIN_HEADER],
	        flags_value(flags, FLAG_EXPLAIN_ADDRESS), &why))
		status = explain_and_print(
		    flags, &request, format && strcmp(format, "json") == 0);
	else
		status = usage(text_slice(&why));
	explain_request_fini(&request);
	text_fini(&why);
	return status;
}
