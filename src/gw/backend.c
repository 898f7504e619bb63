/* Backends: what routes lead to, judged as references and emitted as units. A
 * unit is made only of what the unit of some route leads to. */
#include "core/must.h"
#include "gw/policy_priv.h"

/* Protocols that a backend may ask for which takes requests: what a data plane
 * must carry for them, and whether they are spoken in TLS, which takes a
 * BackendTLSPolicy (GEP-1911). Others are names of protocols over HTTP, or of
 * no concern to it. */
static const struct app_protocol {
	const char *name;
	uint32_t carry;
	bool tls;
} app_protocols[] = {
    {"kubernetes.io/h2c", GW_CARRY_HTTP2, false},
    {"kubernetes.io/wss", 0, true},
    {"h2c", GW_CARRY_HTTP2, false},
    {"http2", GW_CARRY_HTTP2, false},
    {"https", 0, true},
    {"wss", 0, true},
    {"grpc", GW_CARRY_HTTP2, false},
    {"grpcs", GW_CARRY_HTTP2, true},
    {"tls", 0, true},
};

/* The same of an XBackend. */
static const struct {
	const char *name;
	uint32_t carry;
} external_protocols[] = {
    {"HTTP", 0},
    {"HTTP11", 0},
    {"WSS", 0}, /* admitted with TLS alone */
    {"H2C", GW_CARRY_HTTP2},
    {"GRPC", GW_CARRY_HTTP2},
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct app_protocol *
find_app_protocol(struct slice name)
{
	for (size_t i = 0; i < COUNT(app_protocols); i++)
		if (slice_equal_nocase(
		        name, slice_from_string(app_protocols[i].name)))
			return &app_protocols[i];
	return NULL;
}

static bool
is_external_spoken(const struct gw_state *state, struct slice protocol)
{
	for (size_t i = 0; i < COUNT(external_protocols); i++)
		if (slice_equal(protocol,
		        slice_from_string(external_protocols[i].name)))
			return (external_protocols[i].carry &
			           ~state->carries) == 0;
	return !slice_is_set(protocol);
}

static void
refuse(struct gw_backend_verdict *verdict, const char *reason,
    struct slice message)
{
	*verdict =
	    (struct gw_backend_verdict){.refused = reason, .message = message};
}

static void
refuse_port(const struct gw_node *node, int64_t wanted, const char *transport,
    struct arena *arena, struct gw_backend_verdict *verdict)
{
	const struct gw_service_spec *spec = node->object->service->spec;
	struct text ports;

	text_init(&ports);
	for (uint32_t i = 0; i < spec->ports_count; i++)
		if (slice_equal(
		        spec->ports[i].protocol, slice_from_string(transport)))
			text_printf(&ports, "%s %lld",
			    ports.length > 0 ? "," : "",
			    (long long)spec->ports[i].port);
	refuse(verdict, "BackendNotFound",
	    arena_format(arena, "Service %.*s has no %s port %lld; it has%.*s",
	        SLICE_ARGS(gw_node_key(node)), transport, (long long)wanted,
	        ports.length > 0 ? (int)ports.length : 5,
	        ports.length > 0 ? ports.data : " none"));
	text_fini(&ports);
}

/* A policy that cannot be met makes the backend invalid, as if it were not
 * there. */
static bool
judge_policy(const struct gw_node *node, struct slice section,
    struct arena *arena, struct gw_backend_verdict *verdict)
{
	const struct gw_policy_node *policy =
	    gw_policy_in_force(node, GW_BACKENDTLSPOLICY, section);

	if (policy && policy->verdict.refused)
		refuse(verdict, "InvalidBackendTLSPolicy",
		    gw_policy_tls_refusal(arena, policy));
	return policy != NULL;
}

static void
judge_service_port(const struct gw_state *state, const struct gw_node *node,
    const struct gw_service_port *port, struct arena *arena,
    struct gw_backend_verdict *verdict)
{
	const struct app_protocol *protocol =
	    find_app_protocol(port->app_protocol);
	bool has_policy = judge_policy(node, port->name, arena, verdict);

	if (protocol && (protocol->carry & ~state->carries) != 0)
		refuse(verdict, "UnsupportedProtocol",
		    arena_format(arena,
		        "port %lld of Service %.*s has appProtocol %.*s, which "
		        "is not supported yet",
		        (long long)port->port, SLICE_ARGS(gw_node_key(node)),
		        SLICE_ARGS(port->app_protocol)));
	else if (!has_policy && protocol && protocol->tls)
		refuse(verdict, "UnsupportedProtocol",
		    arena_format(arena,
		        "port %lld of Service %.*s has appProtocol %.*s, and "
		        "no BackendTLSPolicy says whom to believe there",
		        (long long)port->port, SLICE_ARGS(gw_node_key(node)),
		        SLICE_ARGS(port->app_protocol)));
}

static void
judge_service(const struct gw_state *state, const struct gw_route_row *row,
    bool opens, const struct gw_node *node, int64_t wanted, struct arena *arena,
    struct gw_backend_verdict *verdict)
{
	const struct gw_service_spec *spec = node->object->service->spec;
	struct slice transport = slice_from_string(row->transport);

	if (slice_equal(spec->type, SLICE("ExternalName"))) {
		refuse(verdict, "UnsupportedValue",
		    arena_format(arena,
		        "Service %.*s is of type ExternalName, which is not "
		        "followed; an XBackend of type ExternalHostname is",
		        SLICE_ARGS(gw_node_key(node))));
		return;
	}
	for (uint32_t i = 0; i < spec->ports_count; i++) {
		const struct gw_service_port *port = &spec->ports[i];

		if (port->port != wanted ||
		    !slice_equal(port->protocol, transport))
			continue;
		if (row->requests)
			judge_service_port(state, node, port, arena, verdict);
		else if (opens)
			(void)judge_policy(node, port->name, arena, verdict);
		return;
	}
	refuse_port(node, wanted, row->transport, arena, verdict);
}

static void
judge_xbackend(const struct gw_state *state, const struct gw_route_row *row,
    bool opens, const struct gw_node *node, struct arena *arena,
    struct gw_backend_verdict *verdict)
{
	const struct gw_xbackend_spec *spec = node->object->xbackend->spec;
	const struct gw_policy_verdict *tls;

	if (!spec->external_hostname)
		refuse(verdict, "UnsupportedValue",
		    arena_format(arena,
		        "XBackend %.*s is of type %.*s, which is not supported "
		        "yet",
		        SLICE_ARGS(gw_node_key(node)), SLICE_ARGS(spec->type)));
	else if (strcmp(row->transport, "UDP") == 0)
		refuse(verdict, "UnsupportedProtocol",
		    arena_format(arena,
		        "XBackend %.*s cannot be reached by UDP",
		        SLICE_ARGS(gw_node_key(node))));
	else if (row->requests && !is_external_spoken(state, spec->protocol))
		refuse(verdict, "UnsupportedProtocol",
		    arena_format(arena,
		        "XBackend %.*s has protocol %.*s, which is not "
		        "supported yet",
		        SLICE_ARGS(gw_node_key(node)),
		        SLICE_ARGS(spec->protocol)));
	else if (!opens)
		return;
	else if (!gw_xbackend_is_tls(node, &tls))
		judge_policy(node, SLICE(""), arena, verdict);
	else if (tls->refused)
		refuse(verdict, tls->refused,
		    arena_format(arena, "XBackend %.*s: %.*s",
		        SLICE_ARGS(gw_node_key(node)),
		        SLICE_ARGS(tls->message)));
}

void
gw_backend_judge(const struct gw_state *state,
    const struct gw_route_node *route, bool opens,
    const struct gw_http_backend *reference, const struct gw_node *node,
    struct arena *arena, struct gw_backend_verdict *verdict)
{
	*verdict = (struct gw_backend_verdict){0};
	if (!node) {
		refuse(verdict, "InvalidKind",
		    arena_format(arena,
		        "%.*s of group \"%.*s\" cannot be a backend, only "
		        "Service and XBackend can",
		        SLICE_ARGS(reference->kind),
		        SLICE_ARGS(reference->group)));
		return;
	}
	const struct gw_route_row *row = gw_route_row(route->node.kind);
	const char *from = gw_kinds[route->node.kind].kind;
	const char *kind = gw_kinds[node->kind].kind;

	/* Permission first: whether it exists is not for everyone to know. */
	if (!slice_equal(
	        gw_node_namespace(node), gw_node_namespace(&route->node)) &&
	    !gw_grant_permits(state, SLICE(GW_GROUP), slice_from_string(from),
	        gw_node_namespace(&route->node), node)) {
		refuse(verdict, "RefNotPermitted",
		    arena_format(arena,
		        "no ReferenceGrant in namespace %.*s permits %ss of "
		        "namespace %.*s to refer to %s %.*s",
		        SLICE_ARGS(gw_node_namespace(node)), from,
		        SLICE_ARGS(gw_node_namespace(&route->node)), kind,
		        SLICE_ARGS(gw_node_name(node))));
		return;
	}
	if (!node->object)
		refuse(verdict, "BackendNotFound",
		    arena_format(arena, "%s %.*s does not exist", kind,
		        SLICE_ARGS(gw_node_key(node))));
	else if (node->kind == GW_SERVICE)
		judge_service(
		    state, row, opens, node, reference->port, arena, verdict);
	else
		judge_xbackend(state, row, opens, node, arena, verdict);
}

/* ---- units ---- */

struct slice
gw_backend_unit_name(struct arena *arena, const struct gw_node *node)
{
	return arena_format(arena, "%s/%.*s",
	    node->kind == GW_SERVICE ? "service" : "external",
	    SLICE_ARGS(gw_node_key(node)));
}

static bool
is_udp(struct slice protocol)
{
	return slice_equal(protocol, SLICE("UDP"));
}

/* There is SCTP as well. */
static bool
is_transport(struct slice protocol)
{
	return is_udp(protocol) || slice_equal(protocol, SLICE("TCP"));
}

static void
emit_service(
    struct gw_state *state, struct gw_backend_node *backend, struct slice name)
{
	const struct gw_service_spec *spec =
	    backend->node.object->service->spec;
	struct unit_service record = {
	    .ports = arena_zero(
	        &state->work, spec->ports_count + 1, sizeof(*record.ports)),
	};

	for (uint32_t i = 0; i < spec->ports_count; i++)
		if (is_transport(spec->ports[i].protocol))
			record.ports[record.ports_count++] =
			    (struct unit_service_port){
			        .number = spec->ports[i].port,
			        .name = spec->ports[i].name,
			        .app_protocol = spec->ports[i].app_protocol,
			        .tls = gw_policy_tls_make(&state->work,
			            &backend->node, spec->ports[i].name),
			        .datagrams = is_udp(spec->ports[i].protocol)};
	gw_outbox_unit(
	    &state->outbox, &backend->unit, name, &unit_service_type, &record);
}

static void
emit_external(
    struct gw_state *state, struct gw_backend_node *backend, struct slice name)
{
	const struct gw_xbackend_spec *spec =
	    backend->node.object->xbackend->spec;
	struct unit_external record = {
	    .hostname = spec->external_hostname->hostname,
	    .port = spec->port->number,
	};

	if (!gw_xbackend_tls_make(&state->work, &backend->node, &record.tls))
		record.tls =
		    gw_policy_tls_make(&state->work, &backend->node, SLICE(""));
	gw_outbox_unit(
	    &state->outbox, &backend->unit, name, &unit_external_type, &record);
}

void
gw_backend_emit(struct gw_state *state, struct gw_backend_node *backend)
{
	const struct gw_node *node = &backend->node;
	struct slice name = gw_backend_unit_name(&state->outbox.arena, node);
	bool before = gw_is_out(&backend->unit);
	bool wanted = node->active > 0 && node->object;

	if (!wanted)
		gw_outbox_drop(&state->outbox, &backend->unit, name);
	else if (node->kind == GW_SERVICE)
		emit_service(state, backend, name);
	else if (node->object->xbackend->spec->external_hostname)
		emit_external(state, backend, name);
	else
		gw_outbox_drop(&state->outbox, &backend->unit, name);
	gw_policies_settle(state, &backend->node);
	if (node->kind == GW_XBACKEND)
		gw_xbackend_settle(state, (void *)backend);
	if (gw_is_out(&backend->unit) == before)
		return;
	LIST_FOR_EACH(at, &backend->slices)
	gw_node_mark(
	    state, &container_of(at, struct gw_slice_node, link)->node);
}

/* ---- EndpointSlices ---- */

static struct slice
service_name(const struct gw_metadata *metadata)
{
	for (uint32_t i = 0; i < metadata->labels_count; i++)
		if (slice_equal(metadata->labels[i].key,
		        SLICE("kubernetes.io/service-name")))
			return metadata->labels[i].value;
	return SLICE_NONE;
}

/* To the Service that its label names. */
static void
relink(struct gw_state *state, struct gw_slice_node *slice)
{
	struct gw_backend_node *before = slice->service;
	struct slice name = SLICE_NONE;

	if (slice->node.object)
		name = service_name(slice->node.object->metadata);
	if (before && slice_equal(gw_node_name(&before->node), name))
		return;
	list_remove(&slice->link);
	slice->service = NULL;
	if (name.length > 0) {
		slice->service = (void *)gw_node_touch(
		    state, GW_SERVICE, gw_node_namespace(&slice->node), name);
		list_insert(&slice->service->slices, &slice->link);
	}
	if (before)
		gw_node_drop(state, &before->node);
}

/* Where it has endpoints says which nodes may announce its Service; whether it
 * has any, whether a Gateway answers whose fleet it leads to. */
static void
on_endpoints(struct gw_state *state, struct gw_backend_node *service)
{
	if (service && gw_is_local(state, &service->node))
		state->claims_stale = true;
	gw_fleet_on_slice(state, service);
}

void
gw_slice_replace(struct gw_state *state, struct gw_slice_node *slice)
{
	on_endpoints(state, slice->service);
	relink(state, slice);
	on_endpoints(state, slice->service);
	gw_node_mark(state, &slice->node);
}

static int64_t
conditions_of(const struct gw_endpoint *endpoint)
{
	const struct gw_endpoint_conditions *given = endpoint->conditions;
	/* Unknown is ready, and serving is as ready (discovery.k8s.io/v1). */
	bool ready = !given || given->ready != 0;
	bool serving = !given || given->serving == RECORD_ABSENT
	    ? ready
	    : given->serving != 0;
	bool terminating = given && given->terminating == 1;

	return (ready ? UNIT_ENDPOINT_READY : 0) |
	    (serving ? UNIT_ENDPOINT_SERVING : 0) |
	    (terminating ? UNIT_ENDPOINT_TERMINATING : 0);
}

static bool
has_ready(const struct gw_endpointslice *slice)
{
	for (uint32_t i = 0; i < slice->endpoints_count; i++)
		if (conditions_of(&slice->endpoints[i]) & UNIT_ENDPOINT_READY)
			return true;
	return false;
}

bool
gw_backend_is_ready(const struct gw_backend_node *backend)
{
	LIST_FOR_EACH(at, &backend->slices)
	{
		const struct gw_object *object =
		    container_of(at, struct gw_slice_node, link)->node.object;

		if (object && has_ready(object->endpointslice))
			return true;
	}
	return false;
}

static void
make_endpoints(struct arena *arena, const struct gw_endpointslice *slice,
    struct unit_endpoints *record)
{
	record->ports =
	    arena_zero(arena, slice->ports_count + 1, sizeof(*record->ports));
	for (uint32_t i = 0; i < slice->ports_count; i++)
		if (slice->ports[i].port != 0 &&
		    is_transport(slice->ports[i].protocol))
			record->ports[record->ports_count++] =
			    (struct unit_service_port){
			        .number = slice->ports[i].port,
			        .name = slice->ports[i].name,
			        .app_protocol = slice->ports[i].app_protocol,
			        .datagrams = is_udp(slice->ports[i].protocol)};
	record->endpoints = arena_zero(
	    arena, slice->endpoints_count + 1, sizeof(*record->endpoints));
	record->endpoints_count = slice->endpoints_count;
	for (uint32_t i = 0; i < slice->endpoints_count; i++)
		record->endpoints[i] = (struct unit_endpoint){
		    .addresses = slice->endpoints[i].addresses,
		    .addresses_count = slice->endpoints[i].addresses_count,
		    .conditions = conditions_of(&slice->endpoints[i])};
}

void
gw_slice_emit(struct gw_state *state, struct gw_slice_node *slice)
{
	const struct gw_object *object = slice->node.object;
	struct slice name = arena_format(&state->outbox.arena, "endpoints/%.*s",
	    SLICE_ARGS(gw_node_key(&slice->node)));
	struct unit_endpoints record = {0};

	if (!object || !slice->service || !gw_is_out(&slice->service->unit) ||
	    slice_equal(object->endpointslice->address_type, SLICE("FQDN"))) {
		gw_outbox_drop(&state->outbox, &slice->unit, name);
		return;
	}
	record.service =
	    gw_backend_unit_name(&state->work, &slice->service->node);
	make_endpoints(&state->work, object->endpointslice, &record);
	gw_outbox_unit(
	    &state->outbox, &slice->unit, name, &unit_endpoints_type, &record);
}
