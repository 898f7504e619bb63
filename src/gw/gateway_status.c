/* The statuses of Gateways, ListenerSets and their listeners. Programmed is
 * what will be true once the generation is served, unless an agent has reported
 * otherwise. */
#include "core/must.h"
#include "gw/fleet_priv.h"
#include "gw/tls_priv.h"

/* Why a listener that is served is not bound, or NULL. */
static const char *
report_reason(const struct gw_report *report)
{
	if (!report)
		return NULL;
	switch (report->error) {
	case ERROR_OK:
		return report->refused.length > 0 ? "Invalid" : NULL;
	case ERROR_AGAIN:
		return "Pending";
	case ERROR_IN_USE:
		return "PortUnavailable";
	case ERROR_NOT_FOUND:
	case ERROR_UNREACHABLE:
		return "AddressNotUsable";
	default:
		return "Invalid";
	}
}

static struct slice
report_message(struct arena *arena, const struct gw_report *report)
{
	struct slice why = report->error == ERROR_OK
	    ? text_slice(&report->refused)
	    : text_slice(&report->why);

	return why.length > 0 ? arena_copy(arena, why)
	                      : slice_from_string(error_text(report->error));
}

static const struct gw_report *
report_of(const struct gw_state *state, struct arena *arena,
    const struct gw_owner_node *owner, uint32_t listener)
{
	if (state->reports.count == 0)
		return NULL;
	return gw_report_get(state,
	    gw_listener_unit_name(
	        arena, owner, owner->listeners[listener].spec->name));
}

static void
add_programmed(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_owner_node *owner, const struct gw_listener_state *listener,
    const struct gw_report *report)
{
	const char *reason = report_reason(report);

	if (listener->refused)
		gw_conditions_add(conditions, "Programmed", "False",
		    listener->conflict ? listener->conflict : "Invalid",
		    listener->message);
	else if (owner->refused)
		gw_conditions_add(conditions, "Programmed", "False", "Invalid",
		    arena_format(arena, "the %s is not accepted",
		        gw_kinds[owner->node.kind].kind));
	else if (!gw_tls_is_shown(listener))
		gw_conditions_add(conditions, "Programmed", "False", "Invalid",
		    listener->tls.resolved.message);
	else if (owner->gateway->placed.missing)
		gw_conditions_add(conditions, "Programmed", "False",
		    owner->gateway->placed.reason,
		    SLICE("the Gateway has no address"));
	else if (reason)
		gw_conditions_add(conditions, "Programmed", "False", reason,
		    report_message(arena, report));
	else
		gw_conditions_add(conditions, "Programmed", "True",
		    "Programmed", SLICE("programmed"));
}

/* ResolvedRefs of references alone. */
static void
add_references(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_resolved *resolved)
{
	if (resolved->reason)
		gw_conditions_add(conditions, "ResolvedRefs", "False",
		    resolved->reason, resolved->message);
	else
		gw_conditions_add(conditions, "ResolvedRefs", "True",
		    "ResolvedRefs",
		    resolved->note.length > 0
		        ? arena_format(arena,
		              "all references are resolved; %.*s",
		              SLICE_ARGS(resolved->note))
		        : SLICE("all references are resolved"));
}

static struct slice
tell_kinds(const struct gw_state *state, struct arena *arena,
    const struct gw_listener_state *listener)
{
	const struct gw_route_kind *kind =
	    &listener->spec->allowed_routes->kinds[listener->invalid_kind];
	uint32_t kinds = gw_listener_kinds(state, listener->protocol);
	struct text names;
	struct slice told;

	text_init(&names);
	for (unsigned i = 0; i < GW_KIND__COUNT; i++)
		if (kinds & GW_BIT(i))
			text_printf(&names, "%s%s",
			    names.length > 0 ? " and " : "", gw_kinds[i].kind);
	told = arena_format(arena,
	    "allowedRoutes.kinds[%u]: %.*s of group \"%.*s\" cannot be "
	    "attached "
	    "to protocol %.*s, only %.*s can",
	    listener->invalid_kind, SLICE_ARGS(kind->kind),
	    SLICE_ARGS(kind->group), SLICE_ARGS(listener->spec->protocol),
	    SLICE_ARGS(text_slice(&names)));
	text_fini(&names);
	return told;
}

static void
add_resolved(const struct gw_state *state, struct gw_conditions *conditions,
    struct arena *arena, const struct gw_listener_state *listener)
{
	if (listener->kinds_invalid)
		gw_conditions_add(conditions, "ResolvedRefs", "False",
		    "InvalidRouteKinds", tell_kinds(state, arena, listener));
	else
		add_references(conditions, arena, &listener->tls.resolved);
}

static void
add_kinds(
    struct gw_listener_status *status, struct arena *arena, uint32_t kinds)
{
	status->supported_kinds =
	    arena_zero(arena, GW_KIND__COUNT, sizeof(*status->supported_kinds));
	for (unsigned i = 0; i < GW_KIND__COUNT; i++)
		if (kinds & GW_BIT(i))
			status
			    ->supported_kinds[status->supported_kinds_count++] =
			    (struct gw_status_kind){.group = SLICE(GW_GROUP),
			        .kind = slice_from_string(gw_kinds[i].kind)};
}

static void
add_accepted(
    struct gw_conditions *conditions, const struct gw_listener_state *listener)
{
	if (listener->refused)
		gw_conditions_add(conditions, "Accepted", "False",
		    listener->refused, listener->message);
	else if (listener->tls.distrusted)
		gw_conditions_add(conditions, "Accepted", "False",
		    "NoValidCACertificate",
		    SLICE("clients must show a certificate, and there is no "
		          "authority to hold it against"));
	else
		gw_conditions_add(conditions, "Accepted", "True", "Accepted",
		    SLICE("accepted"));
}

static void
make_listener(const struct gw_state *state, struct arena *arena,
    const struct gw_owner_node *owner, uint32_t index,
    struct gw_listener_status *status)
{
	const struct gw_listener_state *listener = &owner->listeners[index];
	struct gw_conditions conditions;

	gw_conditions_init(&conditions, arena, owner->node.object);
	add_accepted(&conditions, listener);
	if (listener->overlap)
		gw_conditions_add(&conditions, "OverlappingTLSConfig", "True",
		    listener->overlap, listener->overlap_message);
	if (listener->conflict)
		gw_conditions_add(&conditions, "Conflicted", "True",
		    listener->conflict, listener->message);
	add_programmed(&conditions, arena, owner, listener,
	    report_of(state, arena, owner, index));
	add_resolved(state, &conditions, arena, listener);

	status->name = listener->spec->name;
	status->attached_routes = owner->attached[index];
	status->conditions = conditions.items;
	status->conditions_count = conditions.count;
	add_kinds(status, arena, listener->takes);
}

/* Why a listener is not served, or absent. */
static struct slice
listener_fault(const struct gw_listener_state *listener)
{
	if (listener->refused)
		return listener->message;
	return gw_tls_is_shown(listener) ? SLICE_NONE
	                                 : listener->tls.resolved.message;
}

/* A Gateway keeps a listener without a certificate, which has its hostname all
 * the same; a ListenerSet is accepted for what can be served alone. */
static bool
is_accepted(
    const struct gw_owner_node *owner, const struct gw_listener_state *listener)
{
	if (owner->node.kind == GW_LISTENERSET)
		return !slice_is_set(listener_fault(listener));
	return !listener->refused && !listener->tls.distrusted;
}

bool
gw_owner_is_accepted(const struct gw_owner_node *owner)
{
	for (uint32_t i = 0; i < owner->listener_count; i++)
		if (is_accepted(owner, &owner->listeners[i]))
			return owner->ours && !owner->refused;
	return false;
}

static struct slice
tell_accepted(struct arena *arena, const struct gw_owner_node *owner,
    uint32_t refused, uint32_t first)
{
	struct text text;
	struct slice told;

	text_init(&text);
	if (refused > 0)
		text_printf(&text,
		    "%u of %u listeners cannot be served; \"%.*s\": %.*s",
		    refused, owner->listener_count,
		    SLICE_ARGS(owner->listeners[first].spec->name),
		    SLICE_ARGS(listener_fault(&owner->listeners[first])));
	else
		text_push_string(&text, "accepted");
	if (owner->ignored.length > 0)
		text_printf(&text,
		    "; not supported yet and without effect: "
		    "%.*s",
		    SLICE_ARGS(owner->ignored));
	told = arena_copy(arena, text_slice(&text));
	text_fini(&text);
	return told;
}

static void
add_owner_accepted(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_owner_node *owner)
{
	uint32_t refused = 0, first = 0;

	if (owner->refused) {
		gw_conditions_add(conditions, "Accepted", "False",
		    owner->refused, owner->message);
		return;
	}
	for (uint32_t i = owner->listener_count; i-- > 0;) {
		if (!slice_is_set(listener_fault(&owner->listeners[i])))
			continue;
		first = i;
		refused++;
	}
	gw_conditions_add(conditions, "Accepted",
	    gw_owner_is_accepted(owner) ? "True" : "False",
	    refused > 0 ? "ListenersNotValid" : "Accepted",
	    tell_accepted(arena, owner, refused, first));
}

/* What clients, and backends, are shown and asked for. */
static void
add_gateway_tls(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_state *state, const struct gw_owner_node *gateway)
{
	const struct gw_gateway_spec *spec =
	    gateway->node.object->gateway->spec;

	if (!spec->tls)
		return;
	if (spec->tls->backend && spec->tls->backend->client_certificate_ref &&
	    (state->carries & GW_CARRY_BACKEND_TLS))
		add_references(
		    conditions, arena, &gateway->tls.client_resolved);
	if (gw_tls_is_insecure(spec) && (state->carries & GW_CARRY_HTTPS))
		gw_conditions_add(conditions, "InsecureFrontendValidationMode",
		    "True", "ConfigurationChanged",
		    SLICE("clients are let in whatever certificate they show: "
		          "it is for backends to judge them"));
}

/* What agents reported of an owner's listeners. */
struct reports {
	bool bound; /* at least one listener is, as far as known */
	const char *worst; /* why another is not, or NULL */
	struct slice message;
};

static struct reports
sum_reports(const struct gw_state *state, struct arena *arena,
    const struct gw_owner_node *owner)
{
	struct reports sum = {0};
	struct slice fault = SLICE_NONE;

	for (uint32_t i = 0; i < owner->listener_count; i++) {
		const struct gw_listener_state *listener = &owner->listeners[i];
		const struct gw_report *report;
		const char *reason;

		if (slice_is_set(listener_fault(listener))) {
			if (!slice_is_set(fault))
				fault = listener_fault(listener);
			continue;
		}
		report = report_of(state, arena, owner, i);
		reason = report_reason(report);
		sum.bound = sum.bound || !reason;
		/* An address that is not there is what most helps to know. */
		if (!reason ||
		    (sum.worst && strcmp(reason, "AddressNotUsable") != 0) ||
		    (sum.worst && strcmp(sum.worst, "AddressNotUsable") == 0))
			continue;
		sum.worst = reason;
		sum.message = arena_format(arena, "listener \"%.*s\": %.*s",
		    SLICE_ARGS(listener->spec->name),
		    SLICE_ARGS(report_message(arena, report)));
	}
	if (!sum.bound && !sum.worst) {
		sum.worst = owner->node.kind == GW_LISTENERSET
		    ? "ListenersNotValid"
		    : "Invalid";
		sum.message = arena_format(arena,
		    "no listener can be served; %.*s", SLICE_ARGS(fault));
	}
	return sum;
}

/* Which addresses it has of pools. */
static struct slice
tell_programmed(const struct gw_state *state, struct arena *arena,
    const struct gw_owner_node *owner)
{
	struct text text;
	struct slice told;

	text_init(&text);
	text_push_string(&text, "programmed");
	if (owner->node.kind == GW_GATEWAY)
		gw_placed_tell(state, &owner->placed, owner->fleet_edge.node,
		    arena, &text);
	if (owner->node.kind == GW_GATEWAY && state->has_fleets)
		gw_fleet_tell_ports(owner, &text);
	told = arena_copy(arena, text_slice(&text));
	text_fini(&text);
	return gw_fleet_add_late(owner, arena, told);
}

/* An address that another machine has, and nobody announces for us. One that a
 * pool gave is kept all the same: that machine may go. */
static void
add_rivals(const struct gw_state *state, struct arena *arena,
    const struct gw_owner_node *gateway, struct reports *sum)
{
	struct text text;

	text_init(&text);
	if (gw_told_rivals(state, &gateway->placed, arena, &text)) {
		if (gateway->ask.named_count == 0)
			text_push_string(&text,
			    "; to have another, take it out of its pool, or "
			    "name one in spec.addresses");
		sum->worst = "AddressNotUsable";
		sum->message = arena_copy(arena, text_slice(&text));
	}
	text_fini(&text);
}

/* What keeps a Gateway from being reached: its addresses, or its fleet. Those
 * that another load balancer gave are as good as a pool's. */
static void
add_reach(const struct gw_state *state, struct arena *arena,
    const struct gw_owner_node *owner, struct reports *sum)
{
	const struct gw_placed *placed = &owner->gateway->placed;
	const struct slice fault =
	    text_slice(&owner->fleet_words[GW_FLEET_FAULT]);
	bool set = owner->node.kind == GW_LISTENERSET;
	struct gw_fleet_reach reach = {.given = false};

	if (state->has_fleets && !set)
		reach = gw_fleet_reach(state, owner, arena);
	bool given = reach.given && reach.as_asked;

	if (!set && !sum->worst && fault.length > 0) {
		sum->worst = "NoResources";
		sum->message = arena_copy(arena, fault);
	} else if (placed->missing ||
	    (placed->reason && !set && sum->bound && !given)) {
		sum->worst = placed->reason;
		sum->message =
		    set ? SLICE("the Gateway has no address") : placed->message;
	}
	if (!set && !sum->worst)
		add_rivals(state, arena, owner, sum);
	if (!state->has_fleets || set || sum->worst || reach.count > 0)
		return;
	sum->worst = reach.given ? "Pending" : "AddressNotAssigned";
	sum->message = arena_format(arena,
	    reach.given ? "no pod of Service %.*s/%.*s is ready yet"
	                : "Service %.*s/%.*s has not been given an address yet",
	    SLICE_ARGS(owner->fleet_namespace),
	    SLICE_ARGS(gw_fleet_name(owner, GW_MADE_SERVICE)));
}

/* Adds Programmed; true when at least one listener is bound as far as known. */
static bool
add_owner_programmed(const struct gw_state *state,
    struct gw_conditions *conditions, struct arena *arena,
    const struct gw_owner_node *owner)
{
	bool set = owner->node.kind == GW_LISTENERSET;

	if (owner->refused) {
		const char *reason = set ? owner->refused : "Invalid";

		if (strcmp(reason, "ParentNotAccepted") == 0)
			reason = "ParentNotProgrammed";
		gw_conditions_add(conditions, "Programmed", "False", reason,
		    set ? owner->message
		        : SLICE("the Gateway is not accepted"));
		return false;
	}
	struct reports sum = sum_reports(state, arena, owner);

	add_reach(state, arena, owner, &sum);
	/* An address is the Gateway's to mend. */
	if (set && sum.worst &&
	    slice_starts_with(
	        slice_from_string(sum.worst), SLICE("AddressNot")))
		sum.worst = "ParentNotProgrammed";
	if (sum.worst)
		gw_conditions_add(conditions, "Programmed", "False", sum.worst,
		    gw_fleet_add_late(owner, arena, sum.message));
	else
		gw_conditions_add(conditions, "Programmed", "True",
		    "Programmed", tell_programmed(state, arena, owner));
	return sum.bound && !owner->gateway->placed.missing;
}

static void
add_addresses(struct gw_gateway_status *status, struct arena *arena,
    const struct gw_state *state, const struct gw_owner_node *gateway)
{
	static const struct gw_address all = {.text = {"0.0.0.0", 7}};
	const struct gw_placed *placed = &gateway->placed;
	uint32_t count = placed->every ? 1 : placed->count;
	const struct gw_address *addresses =
	    placed->every ? &all : placed->items;

	if (state->has_fleets) {
		struct gw_fleet_reach reach =
		    gw_fleet_reach(state, gateway, arena);

		status->addresses = reach.addresses;
		status->addresses_count = reach.count;
		return;
	}
	status->addresses =
	    arena_zero(arena, count + 1, sizeof(*status->addresses));
	status->addresses_count = count;
	for (uint32_t i = 0; i < count; i++)
		status->addresses[i] = (struct gw_status_address){
		    .type = SLICE("IPAddress"), .value = addresses[i].text};
}

/* The Gateway's class does not exist: nobody will ever serve it. */
static void
add_orphan(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_state *state, const struct gw_owner_node *owner)
{
	const struct gw_object *object = owner->node.object;
	struct slice message;

	if (object->kind == GW_LISTENERSET)
		message =
		    SLICE("spec.parentRef: the Gateway has no GatewayClass");
	else
		message = arena_format(arena,
		    "spec.gatewayClassName: there is no GatewayClass "
		    "\"%.*s\"%s",
		    SLICE_ARGS(object->gateway->spec->gateway_class_name),
		    state->nodes[GW_GATEWAYCLASS].count == 0
		        ? "; without any, there is only the built-in \"yumen\""
		        : "");
	gw_conditions_add(
	    conditions, "Accepted", "Unknown", "Pending", message);
	gw_conditions_add(
	    conditions, "Programmed", "Unknown", "Pending", message);
}

static struct gw_listener_status *
make_listeners(const struct gw_state *state, struct arena *arena,
    const struct gw_owner_node *owner)
{
	struct gw_listener_status *listeners =
	    arena_zero(arena, owner->listener_count, sizeof(*listeners));

	for (uint32_t i = 0; i < owner->listener_count; i++)
		make_listener(state, arena, owner, i, &listeners[i]);
	return listeners;
}

static struct gw_gateway_status *
make_gateway(struct gw_state *state, const struct gw_owner_node *gateway)
{
	struct arena *arena = &state->outbox.arena;
	struct gw_gateway_status *status =
	    arena_zero(arena, 1, sizeof(*status));
	struct gw_conditions conditions;

	status->attached_listener_sets = 0;
	for (uint32_t i = 0; i < gateway->set_count; i++)
		if (gw_owner_is_accepted(gateway->sets[i]))
			status->attached_listener_sets++;
	gw_conditions_init(&conditions, arena, gateway->node.object);
	if (gateway->orphan) {
		add_orphan(&conditions, arena, state, gateway);
	} else {
		add_owner_accepted(&conditions, arena, gateway);
		add_gateway_tls(&conditions, arena, state, gateway);
		if (add_owner_programmed(state, &conditions, arena, gateway))
			add_addresses(status, arena, state, gateway);
		gw_told_conflict(state, &gateway->placed, &conditions, arena);
		status->listeners = make_listeners(state, arena, gateway);
		status->listeners_count = gateway->listener_count;
	}
	status->conditions = conditions.items;
	status->conditions_count = conditions.count;
	return status;
}

/* Of listeners that no Gateway takes there is nothing to tell. */
static struct gw_listenerset_status *
make_set(struct gw_state *state, const struct gw_owner_node *set)
{
	struct arena *arena = &state->outbox.arena;
	struct gw_listenerset_status *status =
	    arena_zero(arena, 1, sizeof(*status));
	struct gw_conditions conditions;

	gw_conditions_init(&conditions, arena, set->node.object);
	if (set->orphan) {
		add_orphan(&conditions, arena, state, set);
	} else {
		add_owner_accepted(&conditions, arena, set);
		(void)add_owner_programmed(state, &conditions, arena, set);
		if (set->gateway) {
			status->listeners = make_listeners(state, arena, set);
			status->listeners_count = set->listener_count;
		}
	}
	status->conditions = conditions.items;
	status->conditions_count = conditions.count;
	return status;
}

void
gw_owner_emit_status(struct gw_state *state, struct gw_owner_node *owner)
{
	const void *status = NULL;

	if (!owner->node.object)
		return;
	if (owner->ours || owner->orphan)
		status = owner->node.kind == GW_LISTENERSET
		    ? (const void *)make_set(state, owner)
		    : make_gateway(state, owner);
	gw_outbox_status(
	    &state->outbox, &owner->status, owner->node.object, status);
}
