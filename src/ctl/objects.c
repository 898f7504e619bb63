/* Objects as JSON, in the shape in which a cluster gives them: what admission
 * filled in is there, and the status. */
#include "core/must.h"
#include "ctl/pages.h"
#include "gw/stored.h"
#include "wire/record_tree.h"

struct writing {
	struct text *out;
	struct text since; /* of each item */
	const struct ctl_view *view;
	const struct ctl_query *query;
	uint64_t after; /* items that changed no later are left out */
	unsigned count;
};

static const struct gw_status_tag *
tag_of(const struct ctl_view *view, const struct gw_object *object)
{
	return gw_state_status_tag(
	    view->state, object->kind, object->namespace, object->name);
}

const void *
ctl_view_status(const struct ctl_view *view, const struct gw_object *object)
{
	must(view != NULL && object != NULL);
	return ctl_statuses_get(
	    view->statuses, object->kind, tag_of(view, object));
}

static void
write_status(
    struct text *out, const struct record_type *type, const void *status)
{
	must(out->data[out->length - 1] == '}');
	out->length--;
	text_push_string(out, ",\"status\":");
	wire_record_to_json(out, type, status);
	text_push_byte(out, '}');
}

/* What others gave a Service stands in the status that it came with. */
static void
write_object(struct writing *writing, const struct gw_object *object)
{
	struct text *out = writing->out;
	const void *status = ctl_view_status(writing->view, object);

	text_printf(&writing->since, "%s%u", writing->count > 0 ? "," : "",
	    object->since);
	if (writing->count++ > 0)
		text_push_byte(out, ',');
	text_push_byte(out, '\n');
	gw_stored_write(out, object);
	if (status != NULL)
		write_status(out, gw_status_type(object->kind), status);
	else if (object->kind == GW_SERVICE && object->told_service != NULL)
		write_status(
		    out, &gw_service_status_type, object->told_service);
	else if (object->kind == GW_NODE && object->told_node != NULL)
		write_status(out, &gw_node_status_type, object->told_node);
}

static bool
is_asked(struct slice asked, struct slice name)
{
	return !slice_is_set(asked) || slice_equal(asked, name);
}

bool
ctl_query_asks(const struct ctl_query *query, const struct gw_object *object)
{
	return ctl_query_asks_name(query, object->namespace, object->name);
}

bool
ctl_query_asks_name(
    const struct ctl_query *query, struct slice namespace, struct slice name)
{
	return is_asked(query->namespace, namespace) &&
	    is_asked(query->name, name);
}

static bool
has_changed(const struct writing *writing, const struct gw_object *object)
{
	return object->change > writing->after ||
	    ctl_statuses_change(tag_of(writing->view, object)) > writing->after;
}

static bool
on_object(void *context, const struct gw_object *object)
{
	struct writing *writing = context;

	if (ctl_query_asks(writing->query, object) &&
	    (writing->after == 0 || has_changed(writing, object)))
		write_object(writing, object);
	return true;
}

/* What is there again is among the items. */
static bool
is_back(const struct ctl_view *view, const struct ctl_gone *gone,
    struct slice namespace, struct slice name)
{
	return gw_state_has(view->state, gone->kind, namespace, name);
}

static unsigned
write_gone(const struct writing *writing)
{
	const struct ctl_query *query = writing->query;
	const struct ctl_view *view = writing->view;
	const struct ctl_gone *gone;
	unsigned count = 0;

	for (unsigned i = 0;
	     (gone = ctl_changes_gone(view->changes, i)) != NULL; i++) {
		struct slice names = text_slice(&gone->names);
		struct slice namespace =
		    slice_make(names.data, gone->namespace_length);
		struct slice name = slice_skip(names, namespace.length + 1);

		if (gone->change <= writing->after ||
		    (query->kinds & (uint64_t)1 << gone->kind) == 0 ||
		    !ctl_query_asks_name(query, namespace, name) ||
		    is_back(view, gone, namespace, name))
			continue;
		text_printf(writing->out,
		    "%s\n{\"kind\":\"%s\",\"namespace\":\"%.*s\","
		    "\"name\":\"%.*s\"}",
		    count++ > 0 ? "," : "", gw_kinds[gone->kind].kind,
		    SLICE_ARGS(namespace), SLICE_ARGS(name));
	}
	return count;
}

bool
ctl_objects_write(struct text *out, const struct ctl_view *view,
    const struct ctl_query *query)
{
	must(out != NULL && view != NULL && query != NULL);
	struct writing writing = {.out = out, .view = view, .query = query};
	bool whole =
	    query->after == 0 || !ctl_changes_know(view->changes, query->after);
	unsigned gone = 0;

	writing.after = whole ? 0 : query->after;
	text_init(&writing.since);
	text_printf(out, "{\"change\":%llu,\"whole\":%s,\"items\":[",
	    (unsigned long long)view->changes->last, whole ? "true" : "false");
	for (unsigned kind = 0; kind < GW_KIND__COUNT; kind++)
		if (query->kinds & (uint64_t)1 << kind)
			gw_state_each(view->state, kind, on_object, &writing);
	text_printf(out, "],\"since\":[%.*s],\"gone\":[",
	    SLICE_ARGS(text_slice(&writing.since)));
	if (!whole)
		gone = write_gone(&writing);
	text_push_string(out, "]}\n");
	text_fini(&writing.since);
	return whole || writing.count > 0 || gone > 0;
}
