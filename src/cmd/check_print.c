/* What `check` prints. */
#include "cmd/check_priv.h"

static const char *
severity_text(const struct ctl_problem *problem)
{
	return gw_severity_texts[ctl_check_severity(problem->finding.row)];
}

static const char *
code_of(const struct ctl_problem *problem)
{
	return gw_findings[problem->finding.row].code;
}

static void
push_count(struct text *out, unsigned count, const char *noun)
{
	text_printf(out, "%u %s%s", count, noun, count == 1 ? "" : "s");
}

void
check_print_text(struct text *out, const struct ctl_checked *checked)
{
	for (unsigned i = 0; i < checked->problem_count; i++) {
		const struct ctl_problem *problem = &checked->problems[i];
		const struct gw_finding *finding = &problem->finding;

		text_push(out, problem->file);
		if (finding->line > 0)
			text_printf(
			    out, ":%u:%u", finding->line, finding->column);
		text_printf(
		    out, ": %s %s", severity_text(problem), code_of(problem));
		if (finding->object.length > 0)
			text_printf(out, " %.*s", SLICE_ARGS(finding->object));
		text_push_byte(out, ':');
		if (finding->field.length > 0)
			text_printf(out, " %.*s:", SLICE_ARGS(finding->field));
		text_printf(out, " %.*s\n", SLICE_ARGS(finding->text));
		if (finding->fix.length > 0)
			text_printf(
			    out, "    fix: %.*s\n", SLICE_ARGS(finding->fix));
	}
	push_count(out, checked->objects, "object");
	text_push_string(out, " in ");
	push_count(out, checked->files, "file");
	text_push_string(out, ", ");
	push_count(out, checked->errors, "error");
	text_push_string(out, ", ");
	push_count(out, checked->warnings, "warning");
	if (checked->routes > 0)
		text_printf(out, "; would serve %u of %u route%s",
		    checked->routes_served, checked->routes,
		    checked->routes == 1 ? "" : "s");
	text_push_byte(out, '\n');
}

void
check_print_json(struct text *out, const struct ctl_checked *checked)
{
	text_push_string(out, "{\"findings\": [");
	for (unsigned i = 0; i < checked->problem_count; i++) {
		const struct ctl_problem *problem = &checked->problems[i];
		const struct gw_finding *finding = &problem->finding;

		text_push_string(
		    out, i ? ",\n  {\"file\": " : "\n  {\"file\": ");
		text_push_json(out, problem->file);
		text_printf(out, ", \"line\": %u, \"column\": %u, ",
		    finding->line, finding->column);
		ctl_finding_write(out, finding);
		text_push_byte(out, '}');
	}
	text_printf(out,
	    "%s],\n \"summary\": {\"files\": %u, \"objects\": %u, "
	    "\"errors\": %u, \"warnings\": %u, \"routes\": %u, "
	    "\"routesServed\": %u}}\n",
	    checked->problem_count ? "\n " : "", checked->files,
	    checked->objects, checked->errors, checked->warnings,
	    checked->routes, checked->routes_served);
}

/* The rules that the results name, each once. */
static void
push_rules(struct text *out, const struct ctl_checked *checked)
{
	bool used[GW_FINDING__COUNT] = {false};
	const char *comma = "";

	for (unsigned i = 0; i < checked->problem_count; i++)
		used[checked->problems[i].finding.row] = true;
	for (unsigned row = 0; row < GW_FINDING__COUNT; row++) {
		if (!used[row])
			continue;
		text_printf(out,
		    "%s\n    {\"id\": \"%s\", \"shortDescription\": "
		    "{\"text\": ",
		    comma, gw_findings[row].code);
		text_push_json(out, slice_from_string(gw_findings[row].help));
		text_push_string(out, "}}");
		comma = ",";
	}
}

static void
push_result(struct text *out, const struct ctl_problem *problem)
{
	const struct gw_finding *finding = &problem->finding;
	enum gw_severity severity = ctl_check_severity(finding->row);
	struct text message;

	text_init(&message);
	text_printf(&message, "%.*s%s%.*s%s%.*s", SLICE_ARGS(finding->object),
	    finding->object.length ? ": " : "", SLICE_ARGS(finding->field),
	    finding->field.length ? ": " : "", SLICE_ARGS(finding->text));
	text_printf(out, "{\"ruleId\": \"%s\", \"level\": \"%s\", ",
	    code_of(problem),
	    severity == GW_INFO ? "note" : severity_text(problem));
	text_push_string(out, "\"message\": {\"text\": ");
	text_push_json(out, text_slice(&message));
	text_push_string(out,
	    "}, \"locations\": [{\"physicalLocation\": "
	    "{\"artifactLocation\": {\"uri\": ");
	text_push_json(out, problem->file);
	text_push_byte(out, '}');
	if (finding->line > 0)
		text_printf(out,
		    ", \"region\": {\"startLine\": %u, \"startColumn\": %u}",
		    finding->line, finding->column);
	text_push_string(out, "}}], \"properties\": {");
	ctl_finding_write(out, finding);
	text_push_string(out, "}}");
	text_fini(&message);
}

void
check_print_sarif(struct text *out, const struct ctl_checked *checked)
{
	text_push_string(out,
	    "{\"version\": \"2.1.0\",\n"
	    " \"$schema\": \"https://json.schemastore.org/"
	    "sarif-2.1.0.json\",\n"
	    " \"runs\": [{\"tool\": {\"driver\": {\"name\": \"yumen\", "
	    "\"version\": \"" YUMEN_VERSION "\", \"rules\": [");
	push_rules(out, checked);
	text_push_string(out, "]}},\n  \"results\": [");
	for (unsigned i = 0; i < checked->problem_count; i++) {
		text_push_string(out, i ? ",\n    " : "\n    ");
		push_result(out, &checked->problems[i]);
	}
	text_push_string(out, "]}]}\n");
}

/* Values of workflow commands: what would end them is escaped. */
static void
push_escaped(struct text *out, struct slice value, bool is_property)
{
	for (size_t i = 0; i < value.length; i++) {
		char byte = value.data[i];
		bool escape = byte == '%' || byte == '\r' || byte == '\n' ||
		    (is_property && (byte == ':' || byte == ','));

		if (escape)
			text_printf(out, "%%%02X", (unsigned char)byte);
		else
			text_push_byte(out, byte);
	}
}

void
check_print_github(struct text *out, const struct ctl_checked *checked)
{
	static const char *const commands[] = {"notice", "warning", "error"};

	for (unsigned i = 0; i < checked->problem_count; i++) {
		const struct ctl_problem *problem = &checked->problems[i];
		const struct gw_finding *finding = &problem->finding;

		text_printf(out,
		    "::%s file=", commands[ctl_check_severity(finding->row)]);
		push_escaped(out, problem->file, true);
		if (finding->line > 0)
			text_printf(out, ",line=%u,col=%u", finding->line,
			    finding->column);
		text_printf(out, ",title=%s::", code_of(problem));
		push_escaped(out, finding->object, false);
		text_push_string(out, finding->object.length ? ": " : "");
		push_escaped(out, finding->field, false);
		text_push_string(out, finding->field.length ? ": " : "");
		push_escaped(out, finding->text, false);
		if (finding->fix.length > 0) {
			text_push_string(out, "%0Afix: ");
			push_escaped(out, finding->fix, false);
		}
		text_push_byte(out, '\n');
	}
}
