/* The tables of kinds and records, and objects' lives. */
#include "gw/object.h"

#include "core/memory.h"
#include "core/must.h"
#include "wire/record_pack.h"

#define RECORD_FILE "gw/object.def"
#include "core/record_tables.h"
#undef RECORD_FILE

const struct gw_kind_row gw_kinds[GW_KIND__COUNT] = {
#define GW_KIND( \
    row, group_, versions_, kind_, plural_, short_, scoped, record) \
	[GW_##row] = {.group = (group_), \
	    .versions = (versions_), \
	    .kind = (kind_), \
	    .plural = (plural_), \
	    .short_names = (short_), \
	    .namespaced = (scoped), \
	    .type = &record##_type, \
	    .read = true},
#include "gw/kind.def"
#undef GW_KIND
#define GW_SHOWN(row, group_, versions_, kind_, plural_, short_, scoped) \
	[GW_##row] = {.group = (group_), \
	    .versions = (versions_), \
	    .kind = (kind_), \
	    .plural = (plural_), \
	    .short_names = (short_), \
	    .namespaced = (scoped), \
	    .type = &gw_shown_type},
#include "gw/shown.def"
#undef GW_SHOWN
};

static bool
is_short_name(const struct gw_kind_row *row, struct slice name)
{
	struct slice rest = slice_from_string(row->short_names), one;

	while (slice_cut(&rest, '|', &one))
		if (one.length > 0 && slice_equal_nocase(one, name))
			return true;
	return false;
}

bool
gw_kind_parse(struct slice name, enum gw_kind *kind)
{
	must(kind != NULL);
	for (unsigned i = 0; i < GW_KIND__COUNT; i++) {
		const struct gw_kind_row *row = &gw_kinds[i];

		if (slice_equal_nocase(name, slice_from_string(row->kind)) ||
		    slice_equal_nocase(name, slice_from_string(row->plural)) ||
		    is_short_name(row, name)) {
			*kind = i;
			return true;
		}
	}
	return false;
}

bool
gw_kind_is_served(enum gw_kind kind)
{
	return gw_kinds[kind].read && kind != GW_BGPADVERTISEMENT;
}

bool
gw_kind_is_route(enum gw_kind kind)
{
	switch (kind) {
	case GW_HTTPROUTE:
	case GW_GRPCROUTE:
	case GW_TLSROUTE:
	case GW_TCPROUTE:
	case GW_UDPROUTE:
		return true;
	default:
		return false;
	}
}

/* The matches apart, a GRPCRoute has an HTTPRoute's fields. */
static const struct gw_httproute_spec *
view_grpc(const struct gw_grpcroute_spec *spec, struct arena *arena)
{
	struct gw_httproute_spec *view = arena_zero(arena, 1, sizeof(*view));

	view->parent_refs = spec->parent_refs;
	view->parent_refs_count = spec->parent_refs_count;
	view->use_default_gateways = spec->use_default_gateways;
	view->hostnames = spec->hostnames;
	view->hostnames_count = spec->hostnames_count;
	view->rules =
	    arena_zero(arena, spec->rules_count + 1, sizeof(*view->rules));
	view->rules_count = spec->rules_count;
	for (uint32_t i = 0; i < spec->rules_count; i++) {
		const struct gw_grpc_rule *rule = &spec->rules[i];

		view->rules[i] = (struct gw_http_rule){
		    .name = rule->name,
		    .filters = rule->filters,
		    .filters_count = rule->filters_count,
		    .backend_refs = rule->backend_refs,
		    .backend_refs_count = rule->backend_refs_count,
		    .session_persistence = rule->session_persistence,
		};
	}
	return view;
}

/* The spec of a route, by its record. */
static void
view_route(struct gw_object *object)
{
	switch (object->kind) {
	case GW_HTTPROUTE:
	case GW_TLSROUTE:
	case GW_TCPROUTE:
	case GW_UDPROUTE:
		object->route = object->httproute->spec;
		break;
	case GW_GRPCROUTE:
		object->route =
		    view_grpc(object->grpcroute->spec, &object->arena);
		break;
	default:
		break;
	}
}

static void
wipe_secret(const struct gw_secret *secret)
{
	for (uint32_t i = 0; i < secret->data_count; i++)
		memory_wipe((char *)(uintptr_t)secret->data[i].value.data,
		    secret->data[i].value.length);
}

/* What an arena's block has besides what is cut from it. */
enum { BLOCK_HEAD_BYTES = 32 };

/* What many objects say. */
static const struct slice word_rows[] = {
    SLICE(""),
    SLICE("default"),
    SLICE("gateway.networking.k8s.io/v1"),
    SLICE("gateway.networking.k8s.io"),
    SLICE("HTTPRoute"),
    SLICE("Gateway"),
    SLICE("Service"),
    SLICE("PathPrefix"),
    SLICE("Exact"),
    SLICE("ResponseHeaderModifier"),
    SLICE("RequestHeaderModifier"),
    SLICE("RequestRedirect"),
};
static const struct record_words words = {
    word_rows, sizeof(word_rows) / sizeof(word_rows[0])};

struct gw_file *
gw_file_new(struct slice path)
{
	struct gw_file *file = memory_alloc(sizeof(*file) + path.length + 1);

	must(path.length < UINT32_MAX);
	file->references = 1;
	file->length = (uint32_t)path.length;
	if (path.length > 0)
		memcpy(file->path, path.data, path.length);
	file->path[path.length] = '\0';
	return file;
}

struct gw_file *
gw_file_ref(struct gw_file *file)
{
	must(file != NULL && file->references < UINT32_MAX);
	file->references++;
	return file;
}

void
gw_file_unref(struct gw_file **file)
{
	must(file != NULL);
	struct gw_file *old = *file;

	*file = NULL;
	if (old != NULL && --old->references == 0)
		memory_free(old);
}

struct slice
gw_file_path(const struct gw_file *file)
{
	must(file != NULL);
	return slice_make(file->path, file->length);
}

static struct slice
store(char **at, struct slice name)
{
	struct slice stored = slice_make(*at, name.length);

	if (name.length > 0)
		memcpy(*at, name.data, name.length);
	*at += name.length + 1; /* and a NUL */
	return stored;
}

struct gw_object *
gw_object_new(enum gw_kind kind, struct slice namespace, struct slice name)
{
	size_t bytes = namespace.length + name.length + 2;
	struct gw_object *object = memory_zero(1, sizeof(*object) + bytes);
	char *at = object->storage;

	object->kind = kind;
	object->namespace = store(&at, namespace);
	object->name = store(&at, name);
	arena_init(&object->arena, BLOCK_HEAD_BYTES);
	return object;
}

const struct gw_metadata *
gw_metadata_of(enum gw_kind kind, const void *record)
{
	const struct record_type *type = gw_kinds[kind].type;

	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];

		if (field->sub == &gw_metadata_type)
			return *(const struct gw_metadata *const *)(const void
			        *)((const char *)record + field->offset);
	}
	must(!"a kind without metadata");
	return NULL;
}

void
gw_object_set_record(struct gw_object *object, const void *record)
{
	must(object != NULL && record != NULL);
	object->record = record;
	object->metadata = gw_metadata_of(object->kind, record);
	view_route(object);
}

static struct gw_asleep *
pack(const struct gw_object *object)
{
	struct text record;

	text_init(&record);
	size_t arena_bytes = wire_record_pack(
	    &record, gw_kinds[object->kind].type, &words, object->record);

	must(record.length <= UINT32_MAX && arena_bytes <= UINT32_MAX);
	struct gw_asleep *asleep =
	    memory_alloc(sizeof(*asleep) + record.length);

	*asleep = (struct gw_asleep){
	    .length = (uint32_t)record.length,
	    .arena_bytes = (uint32_t)arena_bytes,
	    .kind = (uint8_t)object->kind,
	    .source = object->source,
	    .created = object->created,
	    .digest = object->digest,
	    .spec_digest = object->spec_digest,
	    .stored = object->stored,
	};
	memcpy(asleep->record, record.data, record.length);
	text_fini(&record);
	return asleep;
}

struct gw_asleep *
gw_object_sleep(struct gw_object **object)
{
	must(object != NULL && *object != NULL);
	struct gw_object *awake = *object;

	/* What a Secret holds is in one place only, which is wiped; what others
	 * told stands in the arena too. */
	if (awake->kind == GW_SECRET || awake->told != NULL)
		return NULL;
	struct gw_asleep *asleep =
	    awake->asleep != NULL ? awake->asleep : pack(awake);

	asleep->since = awake->since;
	asleep->change = awake->change;
	asleep->generation = awake->generation;
	asleep->generation_given = awake->generation_given;
	arena_fini(&awake->arena);
	memory_free(awake);
	*object = NULL;
	return asleep;
}

struct gw_object *
gw_object_wake(
    struct gw_asleep **asleep, struct slice namespace, struct slice name)
{
	must(asleep != NULL && *asleep != NULL);
	struct gw_asleep *from = *asleep;
	struct gw_object *object =
	    gw_object_new((enum gw_kind)from->kind, namespace, name);

	*asleep = NULL;
	object->asleep = from;
	object->generation_given = from->generation_given;
	object->since = from->since;
	object->created = from->created;
	object->generation = from->generation;
	object->change = from->change;
	object->source = from->source;
	object->digest = from->digest;
	object->spec_digest = from->spec_digest;
	object->stored = from->stored;
	arena_init(&object->arena, BLOCK_HEAD_BYTES + from->arena_bytes);
	gw_object_set_record(object,
	    wire_record_unpack(slice_make(from->record, from->length),
	        gw_kinds[object->kind].type, &words, &object->arena));
	return object;
}

void
gw_object_free(struct gw_object **object)
{
	must(object != NULL);
	struct gw_object *old = *object;

	*object = NULL;
	if (old == NULL)
		return;
	if (old->kind == GW_SECRET && old->record)
		wipe_secret(old->secret);
	arena_fini(&old->arena);
	memory_free(old->asleep);
	memory_free(old->stored);
	gw_file_unref(&old->source.file);
	memory_free(old);
}

void
gw_asleep_free(struct gw_asleep **asleep)
{
	must(asleep != NULL);
	struct gw_asleep *old = *asleep;

	*asleep = NULL;
	if (old == NULL)
		return;
	memory_free(old->stored);
	gw_file_unref(&old->source.file);
	memory_free(old);
}

void
gw_object_succeed(struct gw_object *object, const struct gw_object *previous)
{
	must(object != NULL);
	if (!previous)
		return;
	must(previous->kind == object->kind);
	object->since = previous->since;
	if (object->generation_given)
		return;
	object->generation = previous->generation;
	if (object->spec_digest != previous->spec_digest)
		object->generation++;
}
