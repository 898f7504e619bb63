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
#include "cmd/planned.h"
#include "core/must.h"
#include "proxy/explain.h"

static int
usage(struct slice message)
{
	fprintf(stderr, "yumen explain: %.*s\nTry: yumen help explain\n",
	    SLICE_ARGS(message));
	return 2;
}

/* Of all that serves requests: Gateways, their listeners, routes. */
static json_t *
ask_problems(const struct ask *ask)
{
	return ask_page(ask,
	    SLICE("/api/v1/problems?kind=gateways,listenersets,httproutes,"
	          "grpcroutes"));
}

/* ---- on files alone ---- */

static json_t *
explain_units(
    const struct planned *planned, const struct explain_request *request)
{
	struct proxy_explain explain = {
	    .store = planned->store,
	    .set = planned->set,
	    .head = text_slice(&request->head),
	    .address = text_slice(&request->address),
	    .port = request->port,
	    .tls = request->tls,
	    .server_name = text_slice(&request->server_name),
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

static json_t *
explain_files(const struct flags *flags, const struct explain_request *request)
{
	struct planned planned;

	if (!planned_make(&planned, "explain", flags->values[FLAG_EXPLAIN_FILE],
	        flags->counts[FLAG_EXPLAIN_FILE],
	        flags->values[FLAG_EXPLAIN_CONTROLLER_NAME],
	        flags->counts[FLAG_EXPLAIN_CONTROLLER_NAME]))
		return NULL;
	const struct ask ask = {.command = "explain", .planned = &planned};
	json_t *told = explain_units(&planned, request);

	explain_add_problems(told, ask_problems(&ask));
	planned_tell_problems(&planned);
	planned_fini(&planned);
	return told;
}

/* ---- over the socket ---- */

static json_t *
explain_running(
    const struct flags *flags, const struct explain_request *request)
{
	const struct ask ask = {.command = "explain",
	    .socket = flags_value(flags, FLAG_EXPLAIN_SOCKET)};
	struct text target;

	text_init(&target);
	text_printf(&target,
	    "/api/v1/explain?port=%u&address=%.*s&head=", request->port,
	    SLICE_ARGS(text_slice(&request->address)));
	ask_push_escaped(&target, text_slice(&request->head));
	if (request->tls) {
		text_push_string(&target, "&server_name=");
		ask_push_escaped(&target, text_slice(&request->server_name));
	}
	json_t *told = ask_page(&ask, text_slice(&target));

	text_fini(&target);
	if (told)
		explain_add_problems(told, ask_problems(&ask));
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
