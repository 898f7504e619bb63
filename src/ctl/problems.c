/* What the status of an object tells is wrong, with stable codes and what to
 * do: the verdicts that `check` finds, of objects that are served. */
#include "core/must.h"
#include "ctl/check.h"
#include "ctl/pages.h"
#include "gw/verdict.h"

struct writing {
	struct text *out;
	const struct gw_state *state;
	const struct ctl_statuses *statuses;
	const struct ctl_query *query;
	unsigned objects, problems;
};

static void
push_member(struct text *out, const char *name, struct slice value)
{
	text_printf(out, ", \"%s\": ", name);
	text_push_json(out, slice_is_set(value) ? value : SLICE(""));
}

static void
on_finding(void *context, const struct gw_finding *finding)
{
	static const char *const severities[] = {"info", "warning", "error"};
	struct writing *writing = context;
	struct text *out = writing->out;

	text_printf(out, "%s\n  {\"code\": \"%s\", \"severity\": \"%s\"",
	    writing->problems++ > 0 ? "," : "", gw_findings[finding->row].code,
	    severities[ctl_check_severity(finding->row)]);
	push_member(out, "field", finding->field);
	push_member(out, "reason", finding->reason);
	push_member(out, "message", finding->text);
	push_member(out, "fix", finding->fix);
	text_push_byte(out, '}');
}

static bool
is_asked(struct slice asked, struct slice name)
{
	return !slice_is_set(asked) || slice_equal(asked, name);
}

static bool
on_object(void *context, const struct gw_object *object)
{
	struct writing *writing = context;
	const struct ctl_query *query = writing->query;
	struct text *out = writing->out;

	if (!is_asked(query->namespace, object->namespace) ||
	    !is_asked(query->name, object->name))
		return true;
	text_printf(out, "%s\n {\"kind\": \"%s\"",
	    writing->objects++ > 0 ? "," : "", gw_kinds[object->kind].kind);
	push_member(out, "namespace", object->namespace);
	push_member(out, "name", object->name);
	push_member(out, "file", object->source.file);
	text_printf(out, ", \"line\": %u, \"column\": %u, \"problems\": [",
	    object->source.line, object->source.column);
	writing->problems = 0;
	gw_verdicts(writing->state, object,
	    ctl_statuses_get(writing->statuses, object->kind, object->namespace,
	        object->name),
	    on_finding, writing);
	text_push_string(out, "]}");
	return true;
}

void
ctl_problems_write(struct text *out, const struct gw_state *state,
    const struct ctl_statuses *statuses, const struct ctl_query *query)
{
	must(out != NULL && state != NULL && statuses != NULL && query != NULL);
	struct writing writing = {
	    .out = out, .state = state, .statuses = statuses, .query = query};

	text_push_string(out, "{\"objects\": [");
	gw_state_each(state, query->kind, on_object, &writing);
	text_push_string(out, "]}\n");
}
