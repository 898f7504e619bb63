/* What the status of an object tells is wrong, with stable codes and what to
 * do: the verdicts that `check` finds, of objects that are served. */
#include "core/must.h"
#include "ctl/check.h"
#include "ctl/pages.h"
#include "gw/verdict.h"

struct writing {
	struct text *out;
	const struct ctl_view *view;
	const struct ctl_query *query;
	unsigned objects, problems;
};

static void
on_finding(void *context, const struct gw_finding *finding)
{
	struct writing *writing = context;
	struct text *out = writing->out;

	text_push_string(out, writing->problems++ > 0 ? ",\n  {" : "\n  {");
	ctl_finding_write(out, finding);
	text_push_byte(out, '}');
}

static bool
on_object(void *context, const struct gw_object *object)
{
	struct writing *writing = context;
	const struct ctl_query *query = writing->query;
	struct text *out = writing->out;

	if (!ctl_query_asks(query, object))
		return true;
	text_printf(out, "%s\n {\"kind\": \"%s\"",
	    writing->objects++ > 0 ? "," : "", gw_kinds[object->kind].kind);
	ctl_member_write(out, "namespace", object->namespace);
	ctl_member_write(out, "name", object->name);
	ctl_member_write(out, "file", gw_file_path(object->source.file));
	text_printf(out, ", \"line\": %u, \"column\": %u, \"problems\": [",
	    object->source.line, object->source.column);
	writing->problems = 0;
	gw_verdicts(writing->view->state, object,
	    ctl_view_status(writing->view, object), on_finding, writing);
	text_push_string(out, "]}");
	return true;
}

bool
ctl_problems_write(struct text *out, const struct ctl_view *view,
    const struct ctl_query *query)
{
	must(out != NULL && view != NULL && query != NULL);
	struct writing writing = {.out = out, .view = view, .query = query};

	text_push_string(out, "{\"objects\": [");
	for (unsigned kind = 0; kind < GW_KIND__COUNT; kind++)
		if (query->kinds & (uint64_t)1 << kind)
			gw_state_each(view->state, kind, on_object, &writing);
	text_push_string(out, "]}\n");
	return true;
}
