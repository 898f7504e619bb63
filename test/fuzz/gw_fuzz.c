/* Any bytes as a file of objects: read, admitted, reconciled. Whatever is
 * admitted must reconcile, each unit must be one that an agent takes, and when
 * all objects are gone no unit may be left. */
#include <stdint.h>

#include "core/map.h"
#include "core/must.h"
#include "gw/admit.h"
#include "gw/state.h"
#include "snap/unit.h"
#include "wire/record_tree.h"
#include "wire/tree_json.h"

enum { OBJECTS_MAX = 256 };

struct run {
	struct gw_state *state;
	struct map units; /* names in force */
	struct arena names_arena;
	struct gw_object *names[OBJECTS_MAX]; /* admitted again, to remove */
	unsigned count;
	bool keep;
	struct arena *arena; /* of the tree being read */
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
on_unit(
    void *context, struct slice name, struct slice bytes, struct gw_tag *tag)
{
	struct run *run = context;
	struct unit *unit;
	enum error error;

	(void)tag;
	if (!slice_is_set(bytes)) {
		must(map_remove(&run->units, name) != NULL);
		return;
	}
	if (!map_get(&run->units, name))
		map_put(&run->units, arena_copy(&run->names_arena, name), run);
	error = snap_unit_new(name, bytes, &unit);
	/* Only its size may be more than an agent takes. */
	must(error == ERROR_OK || error == ERROR_LIMIT);
	if (error == ERROR_OK)
		snap_unit_free(&unit);
}

static void
on_status(void *context, const struct gw_object *object, const void *status,
    struct gw_status_tag *tag)
{
	struct text yaml;

	(void)tag;
	(void)context;
	text_init(&yaml);
	if (status)
		wire_record_to_yaml(
		    &yaml, gw_status_type(object->kind), status, 0);
	text_fini(&yaml);
}

static void
on_finding(void *context, const struct gw_finding *finding)
{
	(void)context;
	must(finding->row < GW_FINDING__COUNT && slice_is_set(finding->text));
}

static void
on_item(void *context, struct tree_node *item)
{
	struct run *run = context;
	struct gw_file *file = gw_file_new(SLICE("fuzz"));
	struct gw_object *object =
	    gw_admit(item, run->arena, file, on_finding, NULL);

	gw_file_unref(&file);
	if (!object)
		return;
	if (!run->keep)
		gw_state_put(run->state, &object);
	else if (run->count < OBJECTS_MAX)
		run->names[run->count++] = object;
	else
		gw_object_free(&object);
}

static bool
on_document(void *context, struct tree_node *root)
{
	gw_admit_documents(root, on_item, context);
	return true;
}

/* What is made is JSON. */
static void
on_fleet(void *context, const struct gw_fleet *fleet)
{
	struct arena arena;

	(void)context;
	arena_init(&arena, 4096);
	for (uint32_t i = 0; i < fleet->count; i++)
		must(wire_tree_from_json(fleet->objects[i].json, &arena));
	arena_fini(&arena);
}

static void
read_objects(struct run *run, struct slice yaml, bool keep)
{
	struct tree_fault fault;
	struct arena arena;

	arena_init(&arena, 4096);
	run->arena = &arena;
	run->keep = keep;
	/* What is no YAML at all gives no objects. */
	if (wire_tree_parse(yaml, &arena, on_document, run, &fault) != ERROR_OK)
		must(fault.text[0] != '\0');
	arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct gw_fleet_options fleet = {
	    .namespace = SLICE("default"),
	    .service = SLICE("x"),
	    .port = 1,
	    .image = SLICE("x"),
	    .balancer_class = SLICE("yumen.dev/lb"),
	    .image_from_parameters = true,
	    .envoy_namespace = SLICE("default"),
	};
	/* Where addresses come from, and whether proxies are made, the first
	 * byte says. */
	bool cluster = length > 0 && bytes[0] == '#';
	const struct gw_options options = {
	    .namespaces_implied = true,
	    .takes_unclassed = true,
	    .addressing = cluster ? GW_ADDRESSING_CLUSTER : GW_ADDRESSING_HOST,
	    .fleet = cluster ? &fleet : NULL,
	};
	const struct slice yaml = slice_make((const char *)bytes, length);
	struct run run = {.state = gw_state_new(&options)};
	const struct gw_output output = {.context = &run,
	    .on_unit = on_unit,
	    .on_status = on_status,
	    .on_fleet = on_fleet};

	gw_state_fleet_bundle(run.state, SLICE("bundle"));
	map_init(&run.units);
	arena_init(&run.names_arena, 4096);
	read_objects(&run, yaml, false);
	gw_state_reconcile(run.state, &output);
	read_objects(&run, yaml, true);
	for (unsigned i = 0; i < run.count; i++) {
		struct gw_object *object = run.names[i];

		gw_state_remove(
		    run.state, object->kind, object->namespace, object->name);
		/* Some go together, some each alone. */
		if (i % 2)
			gw_state_reconcile(run.state, &output);
		gw_object_free(&run.names[i]);
	}
	gw_state_reconcile(run.state, &output);
	must(run.units.count == 0 || run.count == OBJECTS_MAX);
	gw_state_free(&run.state);
	map_fini(&run.units);
	arena_fini(&run.names_arena);
	return 0;
}
