#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "snap/unit.h"
#include "wire/record_binary.h"
#include "wire/record_tree.h"
#include "wire/tree_json.h"

/* A unit or status as it was told last. */
struct world_thing {
	struct text text;
	char name[];
};

static void
set_thing(struct map *map, struct slice name, struct slice text)
{
	struct world_thing *thing = map_get(map, name);

	if (!thing) {
		thing = memory_zero(1, sizeof(*thing) + name.length + 1);
		memcpy(thing->name, name.data, name.length);
		text_init(&thing->text);
		map_put(map, slice_make(thing->name, name.length), thing);
	}
	must(!slice_equal(text_slice(&thing->text), text) || text.length == 0);
	text_reset(&thing->text);
	text_push(&thing->text, text);
}

static void
free_thing(struct world_thing *thing)
{
	text_fini(&thing->text);
	memory_free(thing);
}

static void
drop_thing(struct map *map, struct slice name)
{
	struct world_thing *thing = map_remove(map, name);

	must(thing != NULL); /* what is dropped was there */
	free_thing(thing);
}

/* PEM is long, and keys are not for reading: a text is enough to tell two
 * apart. */
static void
print_digest(struct text *out, const char *name, struct slice value)
{
	uint8_t digest[CRYPT_SHA256_BYTES];

	if (!slice_is_set(value))
		return;
	crypt_sha256(&value, 1, digest);
	text_printf(out, "  %s: %zu bytes, sha256:%02x%02x%02x%02x...\n", name,
	    value.length, digest[0], digest[1], digest[2], digest[3]);
}

static void
print_unit(struct text *out, const struct unit *unit)
{
	if (unit->kind == UNIT_CERTIFICATE) {
		print_digest(out, "chain", unit->certificate->chain);
		print_digest(out, "key", unit->certificate->key);
		print_digest(out, "ocsp", unit->certificate->ocsp);
	} else if (unit->kind == UNIT_TICKETS) {
		for (uint32_t i = 0; i < unit->tickets->keys_count; i++)
			print_digest(out, "key", unit->tickets->keys[i]);
	} else if (unit->kind == UNIT_AUTHORITY) {
		print_digest(out, "bundle", unit->authority->bundle);
	} else {
		wire_record_to_yaml(
		    out, snap_unit_type(unit->kind), unit->record, 2);
	}
}

/* Units are read as an agent does, so that none is made that one would refuse.
 */
static void
on_unit(
    void *context, struct slice name, struct slice bytes, struct gw_tag *tag)
{
	struct world *world = context;
	struct unit *unit;
	struct text yaml;

	(void)tag;
	world->changes++;
	if (!slice_is_set(bytes)) {
		drop_thing(&world->units, name);
		return;
	}
	enum error error = snap_unit_new(name, bytes, &unit);

	if (error != ERROR_OK) {
		fprintf(
		    stderr, "%.*s: %s\n", SLICE_ARGS(name), error_text(error));
		abort();
	}
	text_init(&yaml);
	print_unit(&yaml, unit);
	set_thing(&world->units, name, text_slice(&yaml));
	text_fini(&yaml);
	snap_unit_free(&unit);
}

static void
push_object_name(struct text *out, enum gw_kind kind, struct slice namespace,
    struct slice name)
{
	text_printf(out, "%s %.*s%s%.*s", gw_kinds[kind].kind,
	    SLICE_ARGS(namespace), namespace.length ? "/" : "",
	    SLICE_ARGS(name));
}

/* Conditions in a line each, so that people can read a whole case. */
static void
print_conditions(struct text *out, const struct gw_condition *conditions,
    uint32_t count, const char *indent)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_condition *condition = &conditions[i];

		must(i == 0 ||
		    slice_compare(conditions[i - 1].type, condition->type) < 0);
		/* Who made it says since when; we leave that to others. */
		if (slice_is_set(condition->last_transition_time))
			text_printf(out, "%ssince %.*s:\n", indent,
			    SLICE_ARGS(condition->last_transition_time));
		text_printf(out, "%s%.*s=%.*s %.*s @%lld: %.*s\n", indent,
		    SLICE_ARGS(condition->type), SLICE_ARGS(condition->status),
		    SLICE_ARGS(condition->reason),
		    (long long)condition->observed_generation,
		    SLICE_ARGS(condition->message));
	}
}

static void
print_gatewayclass(
    struct text *out, const struct gw_gatewayclass_status *status)
{
	print_conditions(
	    out, status->conditions, status->conditions_count, "  ");
	text_printf(out, "  %u features\n", status->supported_features_count);
	for (uint32_t i = 1; i < status->supported_features_count; i++)
		must(slice_compare(status->supported_features[i - 1].name,
		         status->supported_features[i].name) < 0);
}

static void
print_listeners(struct text *out, const struct gw_listener_status *listeners,
    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_listener_status *listener = &listeners[i];

		must(listener->supported_kinds != NULL); /* [] is told */
		text_printf(out, "  listener %.*s attached=%lld kinds=",
		    SLICE_ARGS(listener->name),
		    (long long)listener->attached_routes);
		for (uint32_t j = 0; j < listener->supported_kinds_count; j++)
			text_printf(out, "%s%.*s/%.*s", j ? "," : "",
			    SLICE_ARGS(listener->supported_kinds[j].group),
			    SLICE_ARGS(listener->supported_kinds[j].kind));
		text_push_byte(out, '\n');
		print_conditions(out, listener->conditions,
		    listener->conditions_count, "    ");
	}
}

static void
print_gateway(struct text *out, const struct gw_gateway_status *status)
{
	for (uint32_t i = 0; i < status->addresses_count; i++)
		text_printf(out, "  address %.*s %.*s\n",
		    SLICE_ARGS(status->addresses[i].type),
		    SLICE_ARGS(status->addresses[i].value));
	if (status->attached_listener_sets > 0)
		text_printf(out, "  listener sets attached=%lld\n",
		    (long long)status->attached_listener_sets);
	print_conditions(
	    out, status->conditions, status->conditions_count, "  ");
	print_listeners(out, status->listeners, status->listeners_count);
}

static void
print_listenerset(struct text *out, const struct gw_listenerset_status *status)
{
	print_conditions(
	    out, status->conditions, status->conditions_count, "  ");
	print_listeners(out, status->listeners, status->listeners_count);
}

static void
print_route(struct text *out, const struct gw_route_status *status)
{
	for (uint32_t i = 0; i < status->parents_count; i++) {
		const struct gw_route_parent_status *parent =
		    &status->parents[i];
		const struct gw_status_parent *ref = parent->parent_ref;

		text_printf(out, "  parent %.*s/%.*s %.*s/%.*s",
		    SLICE_ARGS(ref->group), SLICE_ARGS(ref->kind),
		    SLICE_ARGS(ref->namespace), SLICE_ARGS(ref->name));
		if (slice_is_set(ref->section_name))
			text_printf(out, " sectionName=%.*s",
			    SLICE_ARGS(ref->section_name));
		if (ref->port)
			text_printf(out, " port=%lld", (long long)ref->port);
		text_printf(
		    out, " of %.*s\n", SLICE_ARGS(parent->controller_name));
		print_conditions(
		    out, parent->conditions, parent->conditions_count, "    ");
	}
}

static void
print_policy(struct text *out, const struct gw_policy_status *status)
{
	for (uint32_t i = 0; i < status->ancestors_count; i++) {
		const struct gw_policy_ancestor_status *entry =
		    &status->ancestors[i];
		const struct gw_status_parent *ref = entry->ancestor_ref;

		text_printf(out, "  ancestor %.*s/%.*s %.*s/%.*s",
		    SLICE_ARGS(ref->group), SLICE_ARGS(ref->kind),
		    SLICE_ARGS(ref->namespace), SLICE_ARGS(ref->name));
		if (ref->section_name.length > 0)
			text_printf(out, " sectionName=%.*s",
			    SLICE_ARGS(ref->section_name));
		text_printf(
		    out, " of %.*s\n", SLICE_ARGS(entry->controller_name));
		print_conditions(
		    out, entry->conditions, entry->conditions_count, "    ");
	}
}

static void
print_balancer(struct text *out, const struct gw_balancer_status *status)
{
	for (uint32_t i = 0; i < status->load_balancer->ingress_count; i++)
		text_printf(out, "  ingress %.*s\n",
		    SLICE_ARGS(status->load_balancer->ingress[i].ip));
	print_conditions(
	    out, status->conditions, status->conditions_count, "  ");
}

static void
print_pool(struct text *out, const struct gw_pool_status *status)
{
	text_printf(out, "  IPv4 assigned=%lld available=%lld\n",
	    (long long)status->assigned_ipv4,
	    (long long)status->available_ipv4);
	text_printf(out, "  IPv6 assigned=%lld available=%lld\n",
	    (long long)status->assigned_ipv6,
	    (long long)status->available_ipv6);
}

static void
print_status(struct text *out, enum gw_kind kind, const void *status)
{
	if (kind == GW_GATEWAYCLASS)
		print_gatewayclass(out, status);
	else if (kind == GW_GATEWAY)
		print_gateway(out, status);
	else if (kind == GW_BACKENDTLSPOLICY)
		print_policy(out, status);
	else if (kind == GW_SERVICE)
		print_balancer(out, status);
	else if (kind == GW_IPADDRESSPOOL)
		print_pool(out, status);
	else if (kind == GW_LISTENERSET)
		print_listenerset(out, status);
	else
		print_route(out, status);
}

static void
on_status(void *context, const struct gw_object *object, const void *status,
    struct gw_status_tag *tag)
{
	struct world *world = context;
	struct text name, text;

	(void)tag;
	world->changes++;
	text_init(&name);
	text_init(&text);
	push_object_name(&name, object->kind, object->namespace, object->name);
	if (status) {
		print_status(&text, object->kind, status);
		set_thing(
		    &world->statuses, text_slice(&name), text_slice(&text));
	} else {
		drop_thing(&world->statuses, text_slice(&name));
	}
	text_fini(&text);
	text_fini(&name);
}

void
world_init(struct world *world, const struct gw_options *options)
{
	static const struct gw_options files = {.namespaces_implied = true};

	*world = (struct world){0};
	world->state = gw_state_new(options ? options : &files);
	map_init(&world->units);
	map_init(&world->statuses);
	map_init(&world->fleets);
	text_init(&world->findings);
}

static void
fini_things(struct map *map)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(map, &at, &key, &value);)
		free_thing(value);
	map_fini(map);
}

void
world_fini(struct world *world)
{
	gw_state_free(&world->state);
	fini_things(&world->units);
	fini_things(&world->statuses);
	fini_things(&world->fleets);
	text_fini(&world->findings);
}

/* ---- fleets ---- */

/* A line a member, but for what is short. */
static void
print_json(struct text *out, const struct tree_node *node, unsigned depth)
{
	struct text line;
	bool map = node->kind == TREE_MAP;

	text_init(&line);
	wire_tree_json(&line, node);
	if (line.length <= 60 || (!map && node->kind != TREE_LIST)) {
		text_push(out, text_slice(&line));
		text_push_byte(out, '\n');
		text_fini(&line);
		return;
	}
	text_fini(&line);
	text_push_string(out, map ? "{\n" : "[\n");
	for (const struct tree_node *at = node->child; at; at = at->next) {
		text_printf(out, "%*s", (int)depth * 2 + 2, "");
		if (map)
			text_printf(out, "%.*s: ", SLICE_ARGS(at->key));
		print_json(out, at, depth + 1);
	}
	text_printf(out, "%*s%c\n", (int)depth * 2, "", map ? '}' : ']');
}

static void
on_fleet(void *context, const struct gw_fleet *fleet)
{
	struct world *world = context;
	struct arena arena;
	struct text text;

	text_init(&text);
	arena_init(&arena, 16384);
	for (uint32_t i = 0; i < fleet->count; i++) {
		const struct gw_fleet_object *object = &fleet->objects[i];

		text_printf(&text, "  %s %.*s/%.*s ",
		    gw_made_rows[object->kind].kind,
		    SLICE_ARGS(fleet->namespace),
		    SLICE_ARGS(slice_is_set(object->name) ? object->name
		                                          : fleet->name));
		print_json(&text, wire_tree_from_json(object->json, &arena), 1);
		if (slice_is_set(object->given))
			text_printf(&text, "  %s: %.*s\n",
			    object->kind == GW_MADE_SERVICE ? "addresses"
			                                    : "status",
			    SLICE_ARGS(object->given));
	}
	if (fleet->state == GW_FLEET_NONE)
		drop_thing(&world->fleets, fleet->gateway);
	else
		set_thing(&world->fleets, fleet->gateway, text_slice(&text));
	arena_fini(&arena);
	text_fini(&text);
}

/* ---- admission ---- */

struct admission {
	struct text *findings; /* or NULL */
	struct world_objects *objects;
	struct arena *arena; /* of the documents' trees */
};

static void
on_finding(void *context, const struct gw_finding *finding)
{
	struct admission *admission = context;
	struct text *out = admission->findings;

	if (!out)
		return;
	text_printf(out, "%s %s %u:%u %.*s: ", gw_findings[finding->row].code,
	    gw_severity_texts[gw_findings[finding->row].severity],
	    finding->line, finding->column, SLICE_ARGS(finding->object));
	if (finding->field.length > 0)
		text_printf(out, "%.*s: ", SLICE_ARGS(finding->field));
	text_printf(out, "%.*s", SLICE_ARGS(finding->text));
	if (slice_is_set(finding->fix))
		text_printf(out, " (%.*s?)", SLICE_ARGS(finding->fix));
	text_push_byte(out, '\n');
}

static void
on_item(void *context, struct tree_node *item)
{
	struct admission *admission = context;
	struct world_objects *objects = admission->objects;
	struct gw_file *file = gw_file_new(SLICE("test.yaml"));
	struct gw_object *object =
	    gw_admit(item, admission->arena, file, on_finding, admission);

	gw_file_unref(&file);
	if (!object)
		return;
	objects->items = memory_resize(
	    objects->items, objects->count + 1, sizeof(struct gw_object *));
	objects->items[objects->count++] = object;
}

static bool
on_document(void *context, struct tree_node *root)
{
	gw_admit_documents(root, on_item, context);
	return true;
}

static struct world_objects
admit(struct slice yaml, struct text *findings)
{
	struct world_objects objects = {0};
	struct tree_fault fault;
	struct arena arena;
	struct admission admission = {
	    .findings = findings, .objects = &objects, .arena = &arena};

	arena_init(&arena, 65536);
	if (wire_tree_parse(yaml, &arena, on_document, &admission, &fault) !=
	        ERROR_OK &&
	    findings)
		text_printf(findings, "%u:%u: %s\n", fault.line, fault.column,
		    fault.text);
	arena_fini(&arena);
	return objects;
}

struct world_objects
world_admit(struct world *world, struct slice yaml)
{
	return admit(yaml, &world->findings);
}

void
world_objects_fini(struct world_objects *objects)
{
	for (size_t i = 0; i < objects->count; i++)
		gw_object_free(&objects->items[i]);
	memory_free(objects->items);
	*objects = (struct world_objects){0};
}

struct gw_object *
world_object(struct slice yaml)
{
	struct text findings;

	text_init(&findings);
	struct world_objects objects = admit(yaml, &findings);

	if (objects.count != 1) {
		fprintf(stderr, "%.*s\n%s\n", SLICE_ARGS(yaml),
		    findings.data ? findings.data : "");
		abort();
	}
	struct gw_object *object = objects.items[0];

	objects.items[0] = NULL;
	world_objects_fini(&objects);
	text_fini(&findings);
	return object;
}

/* ---- changes ---- */

void
world_put(struct world *world, struct gw_object **object)
{
	gw_state_put(world->state, object);
}

void
world_remove(struct world *world, const struct gw_object *object)
{
	struct world_thing *thing;
	struct text name;

	text_init(&name);
	push_object_name(&name, object->kind, object->namespace, object->name);
	thing = map_remove(&world->statuses, text_slice(&name));
	if (thing)
		free_thing(thing);
	text_fini(&name);
	gw_state_remove(
	    world->state, object->kind, object->namespace, object->name);
}

void
world_reconcile(struct world *world)
{
	const struct gw_output output = {.context = world,
	    .on_unit = on_unit,
	    .on_status = on_status,
	    .on_fleet = on_fleet};

	world->changes = 0;
	gw_state_reconcile(world->state, &output);
}

void
world_apply(struct world *world, const char *yaml)
{
	struct world_objects objects =
	    world_admit(world, slice_from_string(yaml));

	for (size_t i = 0; i < objects.count; i++)
		world_put(world, &objects.items[i]);
	world_objects_fini(&objects);
	world_reconcile(world);
}

/* ---- reading ---- */

static int
compare_keys(const void *a, const void *b)
{
	return slice_compare(
	    *(const struct slice *)a, *(const struct slice *)b);
}

static void
print_map(const struct map *map, const char *what, struct text *out)
{
	struct slice *keys = memory_zero(map->count + 1, sizeof(*keys));
	size_t count = 0;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(map, &at, &key, &value);)
		keys[count++] = key;
	if (count > 1)
		qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < count; i++) {
		const struct world_thing *thing = map_get(map, keys[i]);

		text_printf(out, "%s %.*s\n", what, SLICE_ARGS(keys[i]));
		text_push(out, text_slice(&thing->text));
	}
	memory_free(keys);
}

void
world_print(const struct world *world, struct text *out)
{
	print_map(&world->units, "unit", out);
	print_map(&world->statuses, "status", out);
	print_map(&world->fleets, "fleet", out);
}

static struct slice
find(const struct map *map, const char *name)
{
	const struct world_thing *thing = map_get(map, slice_from_string(name));

	return thing ? text_slice(&thing->text) : SLICE_NONE;
}

struct slice
world_unit(const struct world *world, const char *name)
{
	return find(&world->units, name);
}

struct slice
world_status(const struct world *world, const char *name)
{
	return find(&world->statuses, name);
}

bool
world_has(struct slice text, const char *part)
{
	return slice_is_set(text) &&
	    memmem(text.data, text.length, part, strlen(part)) != NULL;
}
