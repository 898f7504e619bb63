/* The pages of docs/ that say what a table of the code says, made from the same
 * rows: limits, metrics, logs, reasons, findings, parameters. `docs DIR` writes
 * them into DIR, `docs
 * --check DIR` says which of them in DIR differ. It owns the sentences around
 * the tables, never a fact in them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/limit.h"
#include "core/text.h"
#include "gw/finding.h"
#include "gw/schema.h"
#include "wire/tree_json.h"

/* A cell: what Markdown would take for its own is escaped. */
static void
push_cell(struct text *page, struct slice cell)
{
	for (size_t i = 0; i < cell.length; i++) {
		if (cell.data[i] == '|')
			text_push_byte(page, '\\');
		if (cell.data[i] == '<')
			text_push_string(page, "&lt;");
		else
			text_push_byte(page, cell.data[i]);
	}
}

static void
push_text(struct text *page, const char *cell)
{
	text_push_string(page, " ");
	push_cell(page, slice_from_string(cell));
	text_push_string(page, " |");
}

static void
push_code(struct text *page, const char *cell)
{
	text_push_string(page, cell[0] ? " `" : "");
	push_cell(page, slice_from_string(cell));
	text_push_string(page, cell[0] ? "` |" : " |");
}

/* The default of a limit as people say it: 64 KiB, 10 s. */
static void
push_amount(struct text *page, uint64_t value, const char *unit)
{
	static const struct {
		const char *unit;
		uint64_t factor;
		const char *larger;
	} rows[] = {
	    {"bytes", 1024, "KiB"},
	    {"KiB", 1024, "MiB"},
	    {"ms", 1000, "s"},
	    {"s", 60, "min"},
	    {"min", 60, "h"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(unit, rows[i].unit) == 0 && value > 0 &&
		    value % rows[i].factor == 0) {
			value /= rows[i].factor;
			unit = rows[i].larger;
		}
	text_printf(page, " %llu %s |", (unsigned long long)value, unit);
}

static void
push_status(struct text *page, int status)
{
	if (status)
		text_printf(page, " %d |", status);
	else
		text_push_string(page, " |");
}

static void
make_limits(struct text *page)
{
	text_push_string(page,
	    "# Limits\n\n"
	    "Everything that a client, a backend or a file can make grow or "
	    "last has a bound. A request beyond one gets\nthe status, where "
	    "there is one; each time that a bound is reached counts in "
	    "`yumen_limit_hits_total{limit=\"...\"}`,\nand what of an object "
	    "is "
	    "beyond one its findings or conditions say.\n\n"
	    "| limit | default | status | why |\n| --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < LIMIT__COUNT; i++) {
		const struct limit_row *row = &limit_rows[i];

		text_push_string(page, "| `");
		text_push_lower(page, slice_from_string(row->name));
		text_push_string(page, "` |");
		push_amount(page, row->value, row->unit);
		push_status(page, row->status);
		push_text(page, row->why);
		text_push_byte(page, '\n');
	}
}

static void
make_metrics(struct text *page)
{
	static const struct {
		const char *name, *kind, *labels, *help;
	} rows[] = {
#define METRIC(name, kind, prometheus, labels, help) \
	{prometheus, #kind, labels, help},
#include "core/metric.def"
#undef METRIC
	    {"yumen_limit_hits_total", "counter", "limit",
	        "times a limit was reached, see [limits](limits.md); "
	        "only limits that were"},
	    {"yumen_certificate_expiry_timestamp_seconds", "gauge",
	        "namespace,secret",
	        "when a certificate that is in use expires"},
	    {"yumen_pool_addresses", "gauge", "namespace,pool,family,state",
	        "addresses of an IPAddressPool that are given (assigned) and "
	        "that nobody has (available), of IPv4 and IPv6; of pools that "
	        "a MetalLB gives of as well nothing is told"},
	    {"yumen_build_info", "gauge", "version", "the version, as a label"},
	    {"process_resident_memory_bytes", "gauge", "", "resident memory"},
	    {"process_open_fds", "gauge", "", "open file descriptors"},
	    {"process_cpu_seconds_total", "counter", "",
	        "user and system time of all threads"},
	    {"process_start_time_seconds", "gauge", "",
	        "when the process started, since 1970 UTC"},
	};

	text_push_string(page,
	    "# Metrics\n\n"
	    "What `/metrics` of the admin server says of the process, in "
	    "Prometheus text 0.0.4.\n\n"
	    "| metric | kind | labels | meaning |\n"
	    "| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_push_byte(page, '|');
		push_code(page, rows[i].name);
		push_text(page, rows[i].kind);
		push_code(page, rows[i].labels);
		push_text(page, rows[i].help);
		text_push_byte(page, '\n');
	}
}

static void
make_logs(struct text *page)
{
	static const struct {
		const char *name, *level, *meaning;
	} rows[] = {
#define LOG_EVENT(name, level, meaning) {#name, #level, meaning},
#include "core/log.def"
#undef LOG_EVENT
	};

	text_push_string(page,
	    "# Logs\n\n"
	    "The events that yumen writes to standard error, one a line, as "
	    "`key=value` or JSON.\n\n"
	    "| event | level | what it means and what to do |\n"
	    "| --- | --- | --- |\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice name = slice_from_string(rows[i].name), area;

		slice_cut(&name, '_', &area);
		text_push_string(page, "| `");
		text_push_lower(page, area);
		text_push_string(page, slice_is_set(name) ? "." : "");
		text_push_lower(page, name);
		text_push_string(page, "` | ");
		text_push_lower(page, slice_from_string(rows[i].level));
		text_push_string(page, " |");
		push_text(page, rows[i].meaning);
		text_push_byte(page, '\n');
	}
}

static void
make_reasons(struct text *page)
{
	static const struct {
		const char *word;
		int status;
		const char *meaning;
	} rows[] = {
#define REASON(name, word, status, meaning) {word, status, meaning},
#include "snap/reason.def"
#undef REASON
	};

	text_push_string(page,
	    "# Reasons\n\n"
	    "Why a request got what yumen itself answered, or broke: the "
	    "word in the access log and in `Proxy-Status`.\n\n"
	    "| reason | status | what it means |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].word[0])
			continue;
		text_push_byte(page, '|');
		push_code(page, rows[i].word);
		push_status(page, rows[i].status);
		push_text(page, rows[i].meaning);
		text_push_byte(page, '\n');
	}
	text_push_string(page,
	    "\n## Errors\n\n"
	    "What exactly was wrong, where a reason alone does not say it.\n\n"
	    "| error | what it means |\n| --- | --- |\n");
	for (enum error i = ERROR_OK + 1; i < ERROR__COUNT; i++) {
		text_push_byte(page, '|');
		push_code(page, error_label(i));
		push_text(page, error_text(i));
		text_push_byte(page, '\n');
	}
}

static void
make_findings(struct text *page)
{
	text_push_string(page,
	    "# Findings\n\n"
	    "What `yumen check` says of files, and `yumen run` of the same in "
	    "its log. Codes are stable: a row may go, its code never comes "
	    "back. `yumen help CODE` prints a row. What `check` calls an error "
	    "and `run` only a warning is a field that the kind does not have "
	    "(YM0107).\n\n"
	    "| code | severity | what it means and what to do |\n"
	    "| --- | --- | --- |\n");
	for (unsigned i = 0; i < GW_FINDING__COUNT; i++) {
		text_push_byte(page, '|');
		push_code(page, gw_findings[i].code);
		push_text(page, gw_severity_texts[gw_findings[i].severity]);
		push_text(page, gw_findings[i].help);
		text_push_byte(page, '\n');
	}
}

/* ---- EnvoyProxies ---- */

struct parameter {
	const char *path, *text;
};

static void
push_parameters(struct text *page, const struct parameter *rows, size_t count)
{
	text_push_string(page, "| `spec.` | |\n| --- | --- |\n");
	for (size_t i = 0; i < count; i++) {
		text_push_byte(page, '|');
		push_code(page, rows[i].path);
		text_printf(page, " %s |\n", rows[i].text);
	}
}

static const struct parameter honoured[] = {
#define GW_PARAMETER(path, what) {path, what},
#define GW_PARAMETER_IGNORED(path, why)
#include "gw/parameter.def"
#undef GW_PARAMETER
#undef GW_PARAMETER_IGNORED
};
static const struct parameter ignored[] = {
#define GW_PARAMETER(path, what)
#define GW_PARAMETER_IGNORED(path, why) {path, why},
#include "gw/parameter.def"
#undef GW_PARAMETER
#undef GW_PARAMETER_IGNORED
};
enum {
	HONOURED = sizeof(honoured) / sizeof(honoured[0]),
	IGNORED = sizeof(ignored) / sizeof(ignored[0])
};

/* Is something at this path of the spec honoured? */
static bool
is_honoured(struct slice path)
{
	for (size_t i = 0; i < HONOURED; i++) {
		struct slice row = slice_from_string(honoured[i].path);

		if (slice_equal(row, path) || path.length == 0 ||
		    (slice_starts_with(row, path) &&
		        row.data[path.length] == '.'))
			return true;
	}
	return false;
}

/* What the schema's own rules refuse at a path and below it. */
static void
push_rules(struct text *page, struct arena *arena, struct slice path,
    struct tree_node *schema)
{
	const struct tree_node *rules =
	    wire_tree_member(schema, "x-kubernetes-validations", TREE_LIST);
	const struct tree_node *fields =
	    wire_tree_member(schema, "properties", TREE_MAP);

	if (!is_honoured(path))
		return;
	for (const struct tree_node *at = rules ? rules->child : NULL; at;
	     at = at->next) {
		text_printf(page, "| `spec%s%.*s` | ",
		    path.length > 0 ? "." : "", SLICE_ARGS(path));
		push_cell(page, wire_tree_text(at, "message"));
		text_push_string(page, " |\n");
	}
	for (struct tree_node *at = fields ? fields->child : NULL; at;
	     at = at->next)
		push_rules(page, arena,
		    arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(path),
		        path.length > 0 ? "." : "", SLICE_ARGS(at->key)),
		    at);
}

static void
push_refused(struct text *page)
{
	struct gw_schema schema;
	struct arena arena;
	struct text json;

	arena_init(&arena, 65536);
	text_init(&json);
	if (gw_schema_find(SLICE("gateway.envoyproxy.io"), SLICE("v1alpha1"),
	        SLICE("EnvoyProxy"), &schema)) {
		gw_schema_write(&json, &schema);
		push_rules(page, &arena, SLICE(""),
		    wire_tree_member(
		        wire_tree_member(
		            wire_tree_from_json(text_slice(&json), &arena),
		            "properties", TREE_MAP),
		        "spec", TREE_MAP));
	}
	text_fini(&json);
	arena_fini(&arena);
}

static void
make_envoyproxy(struct text *page)
{
	text_push_string(page,
	    "# EnvoyProxy\n\n"
	    "What becomes of an EnvoyProxy that a GatewayClass "
	    "(`spec.parametersRef`) or a Gateway "
	    "(`spec.infrastructure.parametersRef`)\nnames. Proxies are yumen's "
	    "and not Envoy, so what is about these alone has no effect; what "
	    "is about the\nobjects that are made in a cluster has the same as "
	    "with Envoy Gateway. On one host nothing is made.\n\n"
	    "## Honoured\n\n"
	    "A path stands for all that is below it.\n\n");
	push_parameters(page, honoured, HONOURED);
	text_push_string(page,
	    "\n## Accepted, and named\n\n"
	    "Without effect: the Gateway is served without it, and its "
	    "condition `Accepted` names what of these its\nEnvoyProxy "
	    "says.\n\n");
	push_parameters(page, ignored, IGNORED);
	text_push_string(page,
	    "\n## While pods are not ready\n\n"
	    "A Deployment or DaemonSet of another kind or name takes the "
	    "place of the one before once its pods are ready:\nuntil then "
	    "both are there, and the old one serves. Which waits for which "
	    "the Gateway's condition `Programmed`\nsays after a while "
	    "([limits](limits.md): `kube_ready_ms`), as it does of pods that "
	    "are not ready for another\nreason; at once what the "
	    "Deployment's own conditions say is wrong (a quota, pod security, "
	    "its progress\ndeadline). Pods themselves, so an image that is "
	    "not there or a node that is missing, yumen does not look at:\n"
	    "the condition says how to.\n"
	    "\n## Refused\n\n"
	    "A Gateway whose EnvoyProxy is not there is not accepted "
	    "(`InvalidParameters`), nor a class; what runs stays as\nit is. "
	    "As an API server does, yumen refuses an EnvoyProxy that the "
	    "kind's schema refuses, with the last good one\nkept, for "
	    "types and limits (`yumen schema EnvoyProxy` prints them), and "
	    "for the rules of what is honoured:\n\n"
	    "| at | refused, as |\n| --- | --- |\n");
	push_refused(page);
}

static int
write_page(const char *path, struct slice page)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(page.data, 1, page.length, file) != page.length ||
	    fclose(file) != 0) {
		fprintf(stderr, "docs: %s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

static int
check_page(const char *path, struct slice page)
{
	FILE *file = fopen(path, "r");
	bool same = file != NULL;

	for (size_t i = 0; same && i < page.length; i++)
		same = fgetc(file) == (unsigned char)page.data[i];
	same = same && fgetc(file) == EOF;
	if (file)
		fclose(file);
	if (!same)
		fprintf(stderr,
		    "docs: %s is not what the tables say; "
		    "`make docs` writes it\n",
		    path);
	return same ? 0 : 1;
}

int
main(int count, char **arguments)
{
	static const struct {
		const char *name;
		void (*make)(struct text *page);
	} pages[] = {
	    {"limits.md", make_limits},
	    {"metrics.md", make_metrics},
	    {"logs.md", make_logs},
	    {"reasons.md", make_reasons},
	    {"findings.md", make_findings},
	    {"envoyproxy.md", make_envoyproxy},
	};
	bool check = count == 3 && strcmp(arguments[1], "--check") == 0;
	struct text page, path;
	int status = 0;

	if (count != 2 && !check) {
		fputs("usage: docs [--check] DIR\n", stderr);
		return 2;
	}
	text_init(&page);
	text_init(&path);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		text_reset(&page);
		text_reset(&path);
		text_printf(
		    &path, "%s/%s", arguments[count - 1], pages[i].name);
		pages[i].make(&page);
		status |= (check ? check_page : write_page)(
		    text_slice(&path).data, text_slice(&page));
	}
	text_fini(&path);
	text_fini(&page);
	return status;
}
