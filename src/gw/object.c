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

static char *
store(char *at, struct slice s)
{
	if (s.length > 0)
		memcpy(at, s.data, s.length);
	at[s.length] = '\0';
	return at + s.length + 1;
}

/* Returns where they end. */
static char *
store_names(char *at, const struct gw_object *object)
{
	at = store(at, object->namespace);
	at = store(at, object->name);
	return store(at, object->source.file);
}

static struct slice
stored_name(const char **at, size_t length)
{
	struct slice name = slice_make(*at, length);

	*at += length + 1;
	return name;
}

struct gw_object *
gw_object_new(enum gw_kind kind, struct slice namespace, struct slice name,
    struct slice file)
{
	size_t bytes = namespace.length + name.length + file.length + 3;
	struct gw_object *object = memory_zero(1, sizeof(*object) + bytes);
	const char *at = object->storage;

	object->kind = kind;
	object->namespace = namespace;
	object->name = name;
	object->source.file = file;
	(void)store_names(object->storage, object);
	object->namespace = stored_name(&at, namespace.length);
	object->name = stored_name(&at, name.length);
	object->source.file = stored_name(&at, file.length);
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
	struct gw_asleep head = {
	    .length = (uint32_t)record.length,
	    .arena_bytes = (uint32_t)arena_bytes,
	    .line = object->source.line,
	    .column = object->source.column,
	    .namespace_length = (uint16_t)object->namespace.length,
	    .name_length = (uint16_t)object->name.length,
	    .file_length = (uint16_t)object->source.file.length,
	    .kind = (uint8_t)object->kind,
	    .created = object->created,
	    .digest = object->digest,
	    .spec_digest = object->spec_digest,
	    .stored = object->stored,
	};
	size_t names = object->namespace.length + object->name.length +
	    object->source.file.length + 3;

	must(record.length <= UINT32_MAX && arena_bytes <= UINT32_MAX &&
	    names <= UINT16_MAX);
	struct gw_asleep *asleep =
	    memory_alloc(sizeof(head) + names + record.length);

	*asleep = head;
	memcpy(store_names(asleep->data, object), record.data, record.length);
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
gw_object_wake(struct gw_asleep **asleep)
{
	must(asleep != NULL && *asleep != NULL);
	struct gw_asleep *from = *asleep;
	struct gw_object *object = memory_zero(1, sizeof(*object));
	const char *at = from->data;

	*asleep = NULL;
	object->asleep = from;
	object->kind = (enum gw_kind)from->kind;
	object->generation_given = from->generation_given;
	object->since = from->since;
	object->created = from->created;
	object->generation = from->generation;
	object->change = from->change;
	object->digest = from->digest;
	object->spec_digest = from->spec_digest;
	object->stored = from->stored;
	object->source.line = from->line;
	object->source.column = from->column;
	object->namespace = stored_name(&at, from->namespace_length);
	object->name = stored_name(&at, from->name_length);
	object->source.file = stored_name(&at, from->file_length);
	arena_init(&object->arena, BLOCK_HEAD_BYTES + from->arena_bytes);
	gw_object_set_record(object,
	    wire_record_unpack(slice_make(at, from->length),
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
	memory_free(old);
}

void
gw_asleep_free(struct gw_asleep **asleep)
{
	must(asleep != NULL);
	if (*asleep != NULL)
		memory_free((*asleep)->stored);
	memory_free(*asleep);
	*asleep = NULL;
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
