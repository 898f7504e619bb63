/* A row an object, wanted or there. Whether it is as wanted hashes say: of what
 * was applied last, and of what the API had of it then. */
#include "ctl/fleets_priv.h"

#include <stdio.h>

#include "core/hash.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"

enum { ARENA_BYTES = 16384 };

/* ---- rows and Gateways ---- */

struct slice
ctl_fleet_gateway_key(const void *value)
{
	const struct ctl_fleet_gateway *gateway = value;

	return slice_make(gateway->key, gateway->length);
}

struct ctl_fleet_row *
ctl_fleet_row(struct ctl_fleets *fleets, enum gw_made kind,
    struct slice namespace, struct slice name)
{
	bool is_new;
	struct ctl_fleet_row *row = ctl_rows_make(
	    &fleets->rows, sizeof(*row), kind, namespace, name, &is_new);

	if (is_new) {
		list_init(&row->due);
		list_init(&row->wanted_by);
		list_init(&row->late);
	}
	return row;
}

static struct ctl_fleet_gateway *
get_gateway(struct ctl_fleets *fleets, struct slice key, bool make)
{
	struct ctl_fleet_gateway *gateway = map_get(&fleets->gateways, key);

	if (gateway != NULL || !make || key.length > UINT16_MAX)
		return gateway;
	gateway = memory_zero(1, sizeof(*gateway) + key.length);
	memcpy(gateway->key, key.data, key.length);
	gateway->length = (uint16_t)key.length;
	list_init(&gateway->rows);
	(void)map_add(&fleets->gateways, gateway);
	return gateway;
}

void
ctl_fleet_text(char **place, struct slice text)
{
	memory_free(*place);
	*place = NULL;
	if (!slice_is_set(text))
		return;
	*place = memory_zero(1, text.length + 1);
	memcpy(*place, text.data, text.length);
}

static void
free_row(struct ctl_fleet_row *row)
{
	list_remove(&row->due);
	list_remove(&row->wanted_by);
	list_remove(&row->late);
	memory_free(row->trouble);
	memory_free(row->wanted);
	memory_free(row->given);
	memory_free(row->live_given);
	memory_free(row->own_replicas);
	memory_free(row->owner);
	memory_free(row->uid);
	memory_free(row->fault);
	memory_free(row);
}

void
ctl_fleet_drop(struct ctl_fleets *fleets, struct ctl_fleet_row *row)
{
	if (row->busy || row->wanted != NULL || row->live_hash != 0)
		return;
	ctl_rows_remove(&fleets->rows, &row->row);
	free_row(row);
}

void
ctl_fleet_due(struct ctl_fleets *fleets, struct ctl_fleet_row *row)
{
	list_remove(&row->due);
	list_insert(&fleets->due, &row->due);
	ctl_fleet_go(fleets);
}

static void
free_gateway(struct ctl_fleet_gateway *gateway)
{
	memory_free(gateway->name);
	memory_free(gateway->late);
	memory_free(gateway);
}

/* ---- faults ---- */

static const char *
first_fault(const struct ctl_fleet_gateway *gateway)
{
	LIST_FOR_EACH(at, &gateway->rows)
	{
		const struct ctl_fleet_row *row =
		    container_of(at, struct ctl_fleet_row, wanted_by);

		if (row->fault != NULL)
			return row->fault;
	}
	return NULL;
}

static void
tell_fault(struct ctl_fleets *fleets, struct ctl_fleet_gateway *gateway)
{
	const char *fault = first_fault(gateway);
	struct slice name = ctl_fleet_gateway_key(gateway), namespace;

	if (fault == NULL && !gateway->faulty)
		return;
	gateway->faulty = fault != NULL;
	(void)slice_cut(&name, '/', &namespace);
	fleets->options.on_word(fleets->options.context, namespace, name,
	    GW_FLEET_FAULT, slice_from_string(fault));
}

void
ctl_fleet_fault(
    struct ctl_fleets *fleets, struct ctl_fleet_row *row, struct slice why)
{
	const struct gw_made_row *kind = &gw_made_rows[row->row.kind];
	struct text text;

	if (!slice_is_set(why) && row->fault == NULL)
		return;
	text_init(&text);
	if (slice_is_set(why))
		text_printf(&text, "%s %.*s/%.*s: %.*s", kind->kind,
		    SLICE_ARGS(ctl_row_namespace(&row->row)),
		    SLICE_ARGS(ctl_row_name(&row->row)),
		    why.length < 512 ? (int)why.length : 512, why.data);
	if (row->fault == NULL ||
	    !slice_equal(slice_from_string(row->fault), text_slice(&text))) {
		if (slice_is_set(why))
			log_event(LOG_KUBE_FLEET_FAILED,
			    LOG_TEXT("why", text_slice(&text)));
		ctl_fleet_text(&row->fault,
		    slice_is_set(why) ? text_slice(&text) : SLICE_NONE);
		if (row->gateway != NULL)
			tell_fault(fleets, row->gateway);
	}
	text_fini(&text);
}

/* ---- what is wanted ---- */

static void
unwant(struct ctl_fleets *fleets, struct ctl_fleet_row *row, uint64_t keep_ms)
{
	row->keep_ms = keep_ms;
	if (row->row.kind == GW_MADE_SERVICE && row->live_hash != 0)
		row->gateway->hold_ms = net_loop_now_ms(fleets->options.loop) +
		    LIMIT_VALUE_KUBE_RENAME_MS;
	list_remove(&row->wanted_by);
	row->gateway = NULL;
	row->wanted_hash = 0;
	ctl_fleet_text(&row->wanted, SLICE_NONE);
	ctl_fleet_text(&row->given, SLICE_NONE);
	ctl_fleet_text(&row->fault, SLICE_NONE);
	ctl_fleet_due(fleets, row);
}

static void
want(struct ctl_fleets *fleets, struct ctl_fleet_gateway *gateway,
    struct ctl_fleet_row *row, const struct gw_fleet_object *object)
{
	struct slice json = object->json;
	uint64_t hash = hash_bytes(json);

	list_remove(&row->wanted_by);
	list_insert(&gateway->rows, &row->wanted_by);
	row->gateway = gateway;
	row->scaled = object->scaled;
	ctl_fleet_text(&row->given, object->given);
	if (!ctl_fleet_is_given(row))
		ctl_fleet_due(fleets, row);
	if (row->wanted != NULL && row->wanted_hash == hash)
		return;
	ctl_fleet_text(&row->wanted, json);
	row->wanted_length = json.length;
	row->wanted_hash = hash;
	row->failures = 0;
	row->ready_ms = 0;
	ctl_fleet_due(fleets, row);
}

void
ctl_fleets_look(struct ctl_fleets *fleets)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&fleets->rows, &at, &key, &value);)
		ctl_fleet_due(fleets, value);
}

void
ctl_fleets_put(struct ctl_fleets *fleets, const struct gw_fleet *fleet)
{
	must(fleets != NULL && fleet != NULL);
	struct ctl_fleet_gateway *gateway =
	    get_gateway(fleets, fleet->gateway, true);
	bool waits = fleet->state == GW_FLEET_WANTED && fleet->count == 0;
	uint64_t keep_ms = waits
	    ? net_loop_now_ms(fleets->options.loop) + LIMIT_VALUE_KUBE_CALM_MS
	    : 0;
	struct list before;

	if (gateway == NULL)
		return;
	/* What was kept until now may be let go. */
	if (gateway->state == GW_FLEET_KEPT && fleet->state != GW_FLEET_KEPT)
		ctl_fleets_look(fleets);
	gateway->state = fleet->state;
	ctl_fleet_text(&gateway->name, fleet->name);
	ctl_fleet_wake(fleets);
	if (fleet->state == GW_FLEET_KEPT)
		return;
	list_init(&before);
	list_insert(&gateway->rows, &before);
	for (uint32_t i = 0; i < fleet->count; i++) {
		const struct gw_fleet_object *object = &fleet->objects[i];
		struct ctl_fleet_row *row = ctl_fleet_row(fleets, object->kind,
		    fleet->namespace,
		    slice_is_set(object->name) ? object->name : fleet->name);

		if (row != NULL)
			want(fleets, gateway, row, object);
	}
	/* Those that were not named again still stand before the mark. */
	while (gateway->rows.next != &before)
		unwant(fleets,
		    container_of(
		        gateway->rows.next, struct ctl_fleet_row, wanted_by),
		    keep_ms);
	list_remove(&before);
	tell_fault(fleets, gateway);
	ctl_fleet_tell_late(fleets, gateway);
	if (fleet->state == GW_FLEET_NONE) {
		ctl_fleets_look(fleets);
		(void)map_remove(
		    &fleets->gateways, ctl_fleet_gateway_key(gateway));
		free_gateway(gateway);
	}
}

void
ctl_fleets_told(struct ctl_fleets *fleets, bool gateways, bool services)
{
	must(fleets != NULL);
	if (fleets->begun && fleets->knows_gateways == gateways &&
	    fleets->knows_services == services)
		return;
	fleets->begun = true;
	fleets->knows_gateways = gateways;
	fleets->knows_services = services;
	ctl_fleets_look(fleets);
}

void
ctl_fleets_lead(struct ctl_fleets *fleets, bool leads)
{
	must(fleets != NULL);
	fleets->leads = leads;
	if (!leads)
		return;
	fleets->calm_ms =
	    net_loop_now_ms(fleets->options.loop) + LIMIT_VALUE_KUBE_CALM_MS;
	ctl_fleets_look(fleets);
}

/* ---- its life ---- */

struct ctl_fleets *
ctl_fleets_new(const struct ctl_fleets_options *options)
{
	must(options != NULL && options->controller_name_count > 0);
	struct ctl_fleets *fleets = memory_zero(1, sizeof(*fleets));

	fleets->options = *options;
	ctl_rows_init(&fleets->rows);
	map_init_keyed(&fleets->gateways, ctl_fleet_gateway_key);
	list_init(&fleets->due);
	list_init(&fleets->resting);
	list_init(&fleets->staying);
	arena_init(&fleets->arena, ARENA_BYTES);
	text_init(&fleets->selector);
	text_push_string(&fleets->selector, GW_FLEET_MARK " in (");
	for (uint32_t i = 0; i < options->controller_name_count; i++) {
		char mark[GW_FLEET_NAME_BYTES + 1];

		gw_fleet_mark(options->controller_names[i], mark);
		text_printf(&fleets->selector, "%s%s", i > 0 ? "," : "", mark);
	}
	text_push_byte(&fleets->selector, ')');
	ctl_fleet_calls_init(fleets);
	ctl_fleet_ready_init(fleets);
	for (unsigned i = 0; i < GW_MADE__COUNT; i++)
		ctl_fleet_follow(fleets, i);
	return fleets;
}

void
ctl_fleets_free(struct ctl_fleets **fleets)
{
	struct ctl_fleets *old = *fleets;
	struct slice key;
	void *value;

	*fleets = NULL;
	if (old == NULL)
		return;
	for (unsigned i = 0; i < GW_MADE__COUNT; i++)
		kube_follow_fini(&old->follows[i].follow);
	ctl_fleet_calls_fini(old);
	net_timer_clear(&old->patience);
	for (size_t at = 0; map_next(&old->rows, &at, &key, &value);)
		free_row(value);
	map_fini(&old->rows);
	for (size_t at = 0; map_next(&old->gateways, &at, &key, &value);)
		free_gateway(value);
	map_fini(&old->gateways);
	text_fini(&old->selector);
	arena_fini(&old->arena);
	memory_free(old);
}
