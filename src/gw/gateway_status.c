/* The status of a Gateway and its listeners. Programmed is what will be true
 * once the generation is served, unless an agent has reported otherwise. */
#include "core/must.h"
#include "gw/state_priv.h"

/* Why a listener that is served is not bound, or NULL. */
static const char *
report_reason(const struct gw_report *report)
{
	if (!report)
		return NULL;
	switch (report->error) {
	case ERROR_OK:
		return report->refused.length > 0 ? "Invalid" : NULL;
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
    const struct gw_gateway_node *gateway, uint32_t listener)
{
	if (state->reports.count == 0)
		return NULL;
	return gw_report_get(state,
	    gw_listener_unit_name(
	        arena, gateway, gateway->listeners[listener].spec->name));
}

static void
add_programmed(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_gateway_node *gateway,
    const struct gw_listener_state *listener, const struct gw_report *report)
{
	const char *reason = report_reason(report);

	if (listener->refused)
		gw_conditions_add(conditions, "Programmed", "False",
		    listener->conflict ? listener->conflict : "Invalid",
		    listener->message);
	else if (gateway->refused)
		gw_conditions_add(conditions, "Programmed", "False", "Invalid",
		    SLICE("the Gateway is not accepted"));
	else if (!gw_tls_is_shown(listener))
		gw_conditions_add(conditions, "Programmed", "False", "Invalid",
		    listener->tls.resolved.message);
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

static void
add_resolved(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_listener_state *listener)
{
	const struct gw_allowed_routes *allowed =
	    listener->spec->allowed_routes;

	if (!listener->kinds_invalid) {
		add_references(conditions, arena, &listener->tls.resolved);
		return;
	}
	for (uint32_t i = 0; i < allowed->kinds_count; i++) {
		const struct gw_route_kind *kind = &allowed->kinds[i];

		if (slice_equal(kind->group, SLICE(GW_GROUP)) &&
		    slice_equal(kind->kind, SLICE("HTTPRoute")))
			continue;
		gw_conditions_add(conditions, "ResolvedRefs", "False",
		    "InvalidRouteKinds",
		    arena_format(arena,
		        "allowedRoutes.kinds[%u]: %.*s of group \"%.*s\" "
		        "cannot be attached to protocol %.*s, only HTTPRoute "
		        "can",
		        i, SLICE_ARGS(kind->kind), SLICE_ARGS(kind->group),
		        SLICE_ARGS(listener->spec->protocol)));
		return;
	}
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
    const struct gw_gateway_node *gateway, uint32_t index,
    struct gw_listener_status *status)
{
	const struct gw_listener_state *listener = &gateway->listeners[index];
	struct gw_conditions conditions;

	gw_conditions_init(&conditions, arena, gateway->node.object);
	add_accepted(&conditions, listener);
	if (listener->tls.overlap)
		gw_conditions_add(&conditions, "OverlappingTLSConfig", "True",
		    listener->tls.overlap, listener->tls.overlap_message);
	if (listener->conflict)
		gw_conditions_add(&conditions, "Conflicted", "True",
		    listener->conflict, listener->message);
	add_programmed(&conditions, arena, gateway, listener,
	    report_of(state, arena, gateway, index));
	add_resolved(&conditions, arena, listener);

	status->name = listener->spec->name;
	status->attached_routes = gateway->attached[index];
	status->conditions = conditions.items;
	status->conditions_count = conditions.count;
	status->supported_kinds =
	    arena_zero(arena, 1, sizeof(*status->supported_kinds));
	if (listener->takes_routes) {
		status->supported_kinds[0] = (struct gw_status_kind){
		    .group = SLICE(GW_GROUP), .kind = SLICE("HTTPRoute")};
		status->supported_kinds_count = 1;
	}
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

static bool
is_accepted(const struct gw_listener_state *listener)
{
	return !listener->refused && !listener->tls.distrusted;
}

static struct slice
tell_accepted(struct arena *arena, const struct gw_gateway_node *gateway,
    uint32_t refused, uint32_t first)
{
	struct text text;
	struct slice told;

	text_init(&text);
	if (refused > 0)
		text_printf(&text,
		    "%u of %u listeners cannot be served; \"%.*s\": %.*s",
		    refused, gateway->listener_count,
		    SLICE_ARGS(gateway->listeners[first].spec->name),
		    SLICE_ARGS(listener_fault(&gateway->listeners[first])));
	else
		text_push_string(&text, "accepted");
	if (gateway->ignored.length > 0)
		text_printf(&text,
		    "; not supported yet and without effect: "
		    "%.*s",
		    SLICE_ARGS(gateway->ignored));
	told = arena_copy(arena, text_slice(&text));
	text_fini(&text);
	return told;
}

static void
add_gateway_accepted(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_gateway_node *gateway)
{
	uint32_t refused = 0, first = 0;
	bool any = false;

	if (gateway->refused) {
		gw_conditions_add(conditions, "Accepted", "False",
		    gateway->refused, gateway->message);
		return;
	}
	for (uint32_t i = gateway->listener_count; i-- > 0;) {
		any = any || is_accepted(&gateway->listeners[i]);
		if (!slice_is_set(listener_fault(&gateway->listeners[i])))
			continue;
		first = i;
		refused++;
	}
	gw_conditions_add(conditions, "Accepted", any ? "True" : "False",
	    refused > 0 ? "ListenersNotValid" : "Accepted",
	    tell_accepted(arena, gateway, refused, first));
}

/* What clients, and backends, are shown and asked for. */
static void
add_gateway_tls(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_state *state, const struct gw_gateway_node *gateway)
{
	const struct gw_gateway_spec *spec =
	    gateway->node.object->gateway->spec;

	if (!spec->tls)
		return;
	if (spec->tls->backend && spec->tls->backend->client_certificate_ref &&
	    (state->carries & GW_CARRY_BACKEND_TLS))
		add_references(conditions, arena, &gateway->client_resolved);
	if (gw_tls_is_insecure(spec) && (state->carries & GW_CARRY_HTTPS))
		gw_conditions_add(conditions, "InsecureFrontendValidationMode",
		    "True", "ConfigurationChanged",
		    SLICE("clients are let in whatever certificate they show: "
		          "it is for backends to judge them"));
}

/* Adds Programmed; true when at least one listener is bound as far as known. */
static bool
add_gateway_programmed(const struct gw_state *state,
    struct gw_conditions *conditions, struct arena *arena,
    const struct gw_gateway_node *gateway)
{
	const char *worst = NULL;
	struct slice message = SLICE_NONE, fault = SLICE_NONE;
	bool bound = false;

	if (gateway->refused) {
		gw_conditions_add(conditions, "Programmed", "False", "Invalid",
		    SLICE("the Gateway is not accepted"));
		return false;
	}
	for (uint32_t i = 0; i < gateway->listener_count; i++) {
		const struct gw_report *report;
		const char *reason;

		if (slice_is_set(listener_fault(&gateway->listeners[i]))) {
			if (!slice_is_set(fault))
				fault = listener_fault(&gateway->listeners[i]);
			continue;
		}
		report = report_of(state, arena, gateway, i);
		reason = report_reason(report);
		bound = bound || !reason;
		/* An address that is not there is what most helps to know. */
		if (!reason ||
		    (worst && strcmp(reason, "AddressNotUsable") != 0) ||
		    (worst && strcmp(worst, "AddressNotUsable") == 0))
			continue;
		worst = reason;
		message = arena_format(arena, "listener \"%.*s\": %.*s",
		    SLICE_ARGS(gateway->listeners[i].spec->name),
		    SLICE_ARGS(report_message(arena, report)));
	}
	if (!bound && !worst) {
		worst = "Invalid";
		message = arena_format(arena, "no listener can be served; %.*s",
		    SLICE_ARGS(fault));
	}
	gw_conditions_add(conditions, "Programmed", worst ? "False" : "True",
	    worst ? worst : "Programmed",
	    worst ? message : SLICE("programmed"));
	return bound;
}

static void
add_addresses(struct gw_gateway_status *status, struct arena *arena,
    const struct gw_gateway_node *gateway)
{
	static const struct slice all = {.data = "0.0.0.0", .length = 7};
	uint32_t count = gateway->address_count ? gateway->address_count : 1;
	const struct slice *addresses =
	    gateway->address_count ? gateway->addresses : &all;

	status->addresses =
	    arena_zero(arena, count, sizeof(*status->addresses));
	status->addresses_count = count;
	for (uint32_t i = 0; i < count; i++)
		status->addresses[i] = (struct gw_status_address){
		    .type = SLICE("IPAddress"), .value = addresses[i]};
}

/* Its class does not exist: nobody will ever serve it. */
static void
add_orphan(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_state *state, const struct gw_gateway_node *gateway)
{
	const struct gw_object *object = gateway->node.object;
	struct slice name = object->gateway->spec->gateway_class_name;
	bool none = state->nodes[GW_GATEWAYCLASS].count == 0;
	struct slice message = arena_format(arena,
	    "spec.gatewayClassName: there is no GatewayClass \"%.*s\"%s",
	    SLICE_ARGS(name),
	    none ? "; without any, there is only the built-in \"yumen\"" : "");

	gw_conditions_add(
	    conditions, "Accepted", "Unknown", "Pending", message);
	gw_conditions_add(
	    conditions, "Programmed", "Unknown", "Pending", message);
}

static struct gw_gateway_status *
make_status(struct gw_state *state, const struct gw_gateway_node *gateway)
{
	struct arena *arena = &state->outbox.arena;
	struct gw_gateway_status *status =
	    arena_zero(arena, 1, sizeof(*status));
	struct gw_conditions conditions;

	status->attached_listener_sets = 0;
	gw_conditions_init(&conditions, arena, gateway->node.object);
	if (gateway->orphan) {
		add_orphan(&conditions, arena, state, gateway);
	} else {
		add_gateway_accepted(&conditions, arena, gateway);
		add_gateway_tls(&conditions, arena, state, gateway);
		if (add_gateway_programmed(state, &conditions, arena, gateway))
			add_addresses(status, arena, gateway);
		status->listeners = arena_zero(
		    arena, gateway->listener_count, sizeof(*status->listeners));
		status->listeners_count = gateway->listener_count;
		for (uint32_t i = 0; i < gateway->listener_count; i++)
			make_listener(
			    state, arena, gateway, i, &status->listeners[i]);
	}
	status->conditions = conditions.items;
	status->conditions_count = conditions.count;
	return status;
}

void
gw_gateway_emit_status(struct gw_state *state, struct gw_gateway_node *gateway)
{
	if (!gateway->node.object)
		return;
	gw_outbox_status(&state->outbox, &gateway->status, gateway->node.object,
	    gateway->ours || gateway->orphan ? make_status(state, gateway)
	                                     : NULL);
}
