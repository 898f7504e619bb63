/* Listeners: which can be served by themselves, and their units. */
#include "core/memory.h"
#include "core/must.h"
#include "gw/tls_priv.h"

static const struct gw_protocol protocols[] = {
#define GW_PROTOCOL(name_, carry_, family_, kinds_) \
	{.name = #name_, \
	    .unit = UNIT_PROTOCOL_##name_, \
	    .carry = (carry_), \
	    .family = GW_FAMILY_##family_, \
	    .kinds = (kinds_)},
#include "gw/protocol.def"
#undef GW_PROTOCOL
};
enum { PROTOCOLS = sizeof(protocols) / sizeof(protocols[0]) };

static const struct gw_protocol *
find_protocol(struct slice name)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (slice_equal(name, slice_from_string(protocols[i].name)))
			return &protocols[i];
	return NULL;
}

static bool
is_carried(const struct gw_state *state, const struct gw_protocol *protocol)
{
	return protocol && (protocol->carry & ~state->carries) == 0;
}

uint32_t
gw_listener_kinds(
    const struct gw_state *state, const struct gw_protocol *protocol)
{
	uint32_t kinds = 0;

	for (unsigned i = 0; protocol && i < GW_KIND__COUNT; i++)
		if ((protocol->kinds & GW_BIT(i)) &&
		    (gw_route_row(i)->carry & ~state->carries) == 0)
			kinds |= GW_BIT(i);
	return kinds;
}

/* The bit of one of kinds, or 0. */
static uint32_t
find_kind(const struct gw_route_kind *asked, uint32_t kinds)
{
	for (unsigned i = 0; i < GW_KIND__COUNT; i++)
		if ((kinds & GW_BIT(i)) &&
		    slice_equal(
		        asked->kind, slice_from_string(gw_kinds[i].kind)) &&
		    slice_equal(
		        asked->group, slice_from_string(gw_kinds[i].group)))
			return GW_BIT(i);
	return 0;
}

static void
judge_kinds(const struct gw_state *state, struct gw_listener_state *listener)
{
	const struct gw_allowed_routes *allowed =
	    listener->spec->allowed_routes;
	uint32_t kinds = gw_listener_kinds(state, listener->protocol);

	if (!listener->carried)
		return;
	listener->takes = kinds;
	if (!allowed || allowed->kinds_count == 0)
		return;
	listener->takes = 0;
	for (uint32_t i = 0; i < allowed->kinds_count; i++) {
		uint32_t bit = find_kind(&allowed->kinds[i], kinds);

		listener->takes |= bit;
		if (!bit && !listener->kinds_invalid) {
			listener->kinds_invalid = true;
			listener->invalid_kind = i;
		}
	}
}

static struct slice
tell_protocols(
    const struct gw_state *state, struct slice asked, struct arena *arena)
{
	struct text carried;
	struct slice told;
	unsigned count = 0;

	text_init(&carried);
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (is_carried(state, &protocols[i]))
			text_printf(&carried, "%s%s", count++ ? ", " : "",
			    protocols[i].name);
	told = arena_format(arena,
	    "protocol %.*s is not served yet, only %.*s %s", SLICE_ARGS(asked),
	    SLICE_ARGS(text_slice(&carried)), count > 1 ? "are" : "is");
	text_fini(&carried);
	return told;
}

static void
judge_alone(const struct gw_state *state, struct gw_listener_state *listener,
    struct arena *arena)
{
	const struct gw_listener *spec = listener->spec;

	struct text fault;

	text_init(&fault);
	listener->protocol = find_protocol(spec->protocol);
	listener->carried = is_carried(state, listener->protocol);
	judge_kinds(state, listener);
	if (!listener->carried) {
		listener->refused = "UnsupportedProtocol";
		listener->message =
		    tell_protocols(state, spec->protocol, arena);
	} else if (spec->filters && spec->filters->requests_count > 0) {
		listener->refused = "UnsupportedValue";
		listener->message = SLICE(
		    "filters of listeners are not supported yet, and must not "
		    "be ignored");
	} else if (listener->protocol->family == GW_FAMILY_TLS &&
	    !gw_tls_options_take(
	        spec->tls, arena, &listener->settings, &fault)) {
		listener->refused = "UnsupportedValue";
		listener->message = arena_copy(arena, text_slice(&fault));
	}
	text_fini(&fault);
}

static const struct gw_listener *
list_of(const struct gw_object *object, uint32_t *count)
{
	if (object->kind == GW_LISTENERSET) {
		*count = object->listenerset->spec->listeners_count;
		return object->listenerset->spec->listeners;
	}
	*count = object->gateway->spec->listeners_count;
	return object->gateway->spec->listeners;
}

void
gw_listeners_judge(const struct gw_state *state, struct gw_owner_node *owner)
{
	uint32_t count;
	const struct gw_listener *listeners =
	    list_of(owner->node.object, &count);

	owner->listener_count = count;
	owner->listeners =
	    arena_zero(&owner->arena, count, sizeof(*owner->listeners));
	for (uint32_t i = 0; i < count; i++) {
		owner->listeners[i].spec = &listeners[i];
		judge_alone(state, &owner->listeners[i], &owner->arena);
	}
}

bool
gw_listener_is_served(
    const struct gw_owner_node *owner, const struct gw_listener_state *listener)
{
	return owner->ours && !owner->refused && !listener->refused &&
	    !owner->gateway->placed.missing;
}

struct slice
gw_listener_unit_name(struct arena *arena, const struct gw_owner_node *owner,
    struct slice listener)
{
	must(owner->gateway != NULL);
	if (owner->gateway == owner)
		return arena_format(arena, "listener/%.*s/%.*s",
		    SLICE_ARGS(gw_node_key(&owner->node)),
		    SLICE_ARGS(listener));
	return arena_format(arena, "listener/%.*s/%.*s/%.*s",
	    SLICE_ARGS(gw_node_key(&owner->gateway->node)),
	    SLICE_ARGS(gw_node_key(&owner->node)), SLICE_ARGS(listener));
}

static enum unit_tls_mode
tls_mode(const struct gw_listener_state *listener)
{
	const struct gw_listener_tls *tls = listener->spec->tls;

	if (listener->protocol->unit != UNIT_PROTOCOL_TLS)
		return UNIT_TLS_NONE;
	return tls && slice_equal(tls->mode, SLICE("Passthrough"))
	    ? UNIT_TLS_PASSTHROUGH
	    : UNIT_TLS_TERMINATE;
}

static void
name_units(struct gw_node *const *nodes, uint32_t count,
    struct slice (*name)(struct arena *, const struct gw_node *),
    struct arena *work, struct slice **names)
{
	*names = count > 0 ? arena_zero(work, count, sizeof(**names)) : NULL;
	for (uint32_t i = 0; i < count; i++)
		(*names)[i] = name(work, nodes[i]);
}

/* One that cannot be shown has no certificate: it keeps its hostname, and no
 * handshake succeeds. */
static void
fill_tls(struct gw_state *state, const struct gw_owner_node *gateway,
    const struct gw_listener_state *judged, struct unit_listener *record)
{
	const struct gw_tls_state *tls = &judged->tls;
	struct arena *work = &state->work;

	record->tls_mode = tls_mode(judged);
	if (gateway->tls.client_certificate &&
	    judged->protocol->unit <= UNIT_PROTOCOL_TLS)
		record->backend_certificate =
		    gw_secret_unit_name(work, gateway->tls.client_certificate);
	if (!tls->terminates)
		return;
	record->version_min = judged->settings.version_min;
	record->ciphers = judged->settings.ciphers;
	record->ciphers_count = judged->settings.cipher_count;
	record->curves = judged->settings.curves;
	record->curves_count = judged->settings.curve_count;
	record->client_validation = tls->clients;
	if (gw_listener_has_tickets(judged) && gw_tickets_are_given(state))
		record->tickets = gw_tickets_unit_name(work, &gateway->node);
	if (!gw_tls_is_shown(judged))
		return;
	name_units(tls->certificates, tls->certificate_count,
	    gw_secret_unit_name, work, &record->certificates);
	record->certificates_count = tls->certificate_count;
	name_units(tls->authorities, tls->authority_count,
	    gw_authority_unit_name, work, &record->authorities);
	record->authorities_count = tls->authority_count;
}

static struct gw_named *
emit_unit(struct gw_state *state, const struct gw_owner_node *owner,
    const struct gw_listener_state *judged)
{
	const struct gw_owner_node *gateway = owner->gateway;
	const struct gw_listener *listener = judged->spec;
	struct slice name =
	    gw_listener_unit_name(&state->outbox.arena, owner, listener->name);
	struct gw_named *unit = gw_named_touch(&state->listener_units, name);
	struct unit_listener record = {
	    .gateway_namespace = gw_node_namespace(&gateway->node),
	    .gateway_name = gw_node_name(&gateway->node),
	    .name = listener->name,
	    .addresses =
	        gateway->placed.bound_count ? gateway->placed.bound : NULL,
	    .addresses_count = gateway->placed.bound_count,
	    .port = listener->port,
	    .protocol = judged->protocol->unit,
	    .hostname = listener->hostname,
	};

	if (owner != gateway) {
		record.set_namespace = gw_node_namespace(&owner->node);
		record.set_name = gw_node_name(&owner->node);
	}
	fill_tls(state, gateway, judged, &record);
	/* What was said of the old one says nothing of the new one. */
	if (gw_outbox_unit(&state->outbox, &unit->sent, name,
	        &unit_listener_type, &record))
		gw_report_forget(state, name);
	return unit;
}

void
gw_listener_emit(struct gw_state *state, const struct gw_owner_node *owner,
    const struct gw_listener_state *listener)
{
	if (gw_listener_is_served(owner, listener))
		(void)emit_unit(state, owner, listener);
}

static void
emit_all(struct gw_state *state, enum gw_kind kind)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&state->nodes[kind], &at, &key, &value);) {
		const struct gw_owner_node *owner = value;

		for (uint32_t i = 0; i < owner->listener_count; i++)
			if (gw_listener_is_served(owner, &owner->listeners[i]))
				emit_unit(state, owner, &owner->listeners[i])
				    ->wanted = true;
	}
}

void
gw_listeners_emit(struct gw_state *state)
{
	emit_all(state, GW_GATEWAY);
	emit_all(state, GW_LISTENERSET);
	gw_named_sweep(state, &state->listener_units);
}
