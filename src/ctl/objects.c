/* Objects as JSON, in the shape in which a cluster gives them: what admission
 * filled in is there, and the status. */
#include "ctl/pages.h"

#include "core/must.h"
#include "gw/redact.h"
#include "wire/record_tree.h"

struct writing {
	struct text *out;
	const struct ctl_statuses *statuses;
	const struct ctl_query *query;
	struct arena arena; /* of one object */
	unsigned count;
};

/* "group/version", or "version" of the core group. */
static struct slice
api_version(const struct gw_kind_row *row, struct arena *arena)
{
	struct slice versions = slice_from_string(row->versions), first;
	bool some = slice_cut(&versions, '|', &first);

	must(some);
	if (row->group[0] == '\0')
		return first;
	return arena_format(arena, "%s/%.*s", row->group, SLICE_ARGS(first));
}

static struct gw_metadata *
full_metadata(const struct gw_object *object, struct arena *arena)
{
	struct gw_metadata *metadata = arena_alloc(arena, sizeof(*metadata));

	*metadata = *object->metadata;
	metadata->generation = object->generation;
	if (gw_kinds[object->kind].namespaced)
		metadata->namespace = object->namespace;
	return metadata;
}

/* A shallow copy of the object's record, filled in. */
static const void *
full_record(const struct gw_object *object, struct arena *arena)
{
	const struct gw_kind_row *row = &gw_kinds[object->kind];
	char *record = arena_alloc(arena, row->type->size);

	memcpy(record, gw_redact_record(object, arena), row->type->size);
	for (uint32_t i = 0; i < row->type->count; i++) {
		const struct record_field *field = &row->type->fields[i];
		void *slot = record + field->offset;

		if (strcmp(field->name, "apiVersion") == 0)
			*(struct slice *)slot = api_version(row, arena);
		else if (strcmp(field->name, "kind") == 0)
			*(struct slice *)slot = slice_from_string(row->kind);
		else if (field->sub == &gw_metadata_type)
			*(struct gw_metadata **)slot =
			    full_metadata(object, arena);
	}
	return record;
}

static void
write_object(struct writing *writing, const struct gw_object *object)
{
	struct text *out = writing->out;
	const void *status = ctl_statuses_get(
	    writing->statuses, object->kind, object->namespace, object->name);

	if (writing->count++ > 0)
		text_push_byte(out, ',');
	text_push_byte(out, '\n');
	arena_init(&writing->arena, 512);
	wire_record_to_json(out, gw_kinds[object->kind].type,
	    full_record(object, &writing->arena));
	arena_fini(&writing->arena);
	if (status == NULL)
		return;
	must(out->data[out->length - 1] == '}');
	out->length--;
	text_push_string(out, ",\"status\":");
	wire_record_to_json(out, gw_status_type(object->kind), status);
	text_push_byte(out, '}');
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
on_object(void *context, const struct gw_object *object)
{
	struct writing *writing = context;
	const struct ctl_query *query = writing->query;

	if (ctl_query_asks(query, object))
		write_object(writing, object);
	return true;
}

void
ctl_objects_write(struct text *out, struct gw_state *state,
    const struct ctl_statuses *statuses, const struct ctl_query *query)
{
	must(out != NULL && state != NULL && statuses != NULL && query != NULL);
	struct writing writing = {
	    .out = out, .statuses = statuses, .query = query};

	text_push_string(out, "{\"items\":[");
	gw_state_each(state, query->kind, on_object, &writing);
	text_push_string(out, "]}\n");
}
