/* Checks of GatewayClass, Gateway and ReferenceGrant: what the CRDs' patterns
 * and rules say beyond the tables. */
#include "gw/check_priv.h"
#include "gw/form.h"
#include "gw/honour.h"
#include "wire/host.h"

static void check_addresses(
    struct gw_check *check, const struct gw_gateway_spec *spec);
static void check_infrastructure(struct gw_check *check,
    const struct gw_place *place, const struct gw_infrastructure *infra);
static void check_gateway_tls(struct gw_check *check,
    const struct gw_place *place, const struct gw_gateway_tls *tls);
static void check_listener(struct gw_check *check, const struct gw_place *place,
    const struct gw_listener *listener);
static void check_listener_pairs(
    struct gw_check *check, const struct gw_gateway_spec *spec);
static void warn_not_honoured(
    struct gw_check *check, const struct gw_gateway_spec *spec);

void
gw_check_gatewayclass(
    struct gw_check *check, const struct gw_gatewayclass *object)
{
	const struct gw_gatewayclass_spec *spec = object->spec;
	const struct gw_place *at = GW_AT(NULL, "spec");

	gw_check_form(check, GW_FINDING_VALUE_INVALID,
	    GW_AT(at, "controllerName"), spec->controller_name,
	    gw_form_is_domain_path(spec->controller_name),
	    "a domain, a '/' and a path, as in example.com/gateway-controller");
	if (spec->parameters_ref)
		gw_check_reference(check, GW_AT(at, "parametersRef"),
		    spec->parameters_ref->group, spec->parameters_ref->kind,
		    spec->parameters_ref->namespace);
}

void
gw_check_gateway(struct gw_check *check, const struct gw_gateway *object)
{
	const struct gw_gateway_spec *spec = object->spec;
	const struct gw_place *at = GW_AT(NULL, "spec");

	check_addresses(check, spec);
	if (spec->allowed_listeners && spec->allowed_listeners->namespaces &&
	    spec->allowed_listeners->namespaces->selector)
		gw_check_selector(check,
		    GW_AT(GW_AT(GW_AT(at, "allowedListeners"), "namespaces"),
		        "selector"),
		    spec->allowed_listeners->namespaces->selector);
	if (spec->infrastructure)
		check_infrastructure(
		    check, GW_AT(at, "infrastructure"), spec->infrastructure);
	for (uint32_t i = 0; i < spec->listeners_count; i++)
		check_listener(
		    check, GW_AT_ITEM(at, "listeners", i), &spec->listeners[i]);
	check_listener_pairs(check, spec);
	if (spec->tls)
		check_gateway_tls(check, GW_AT(at, "tls"), spec->tls);
	warn_not_honoured(check, spec);
}

void
gw_check_referencegrant(
    struct gw_check *check, const struct gw_referencegrant *object)
{
	const struct gw_place *at = GW_AT(NULL, "spec");

	for (uint32_t i = 0; i < object->spec->from_count; i++) {
		const struct gw_grant_from *from = &object->spec->from[i];

		gw_check_reference(check, GW_AT_ITEM(at, "from", i),
		    from->group, from->kind, from->namespace);
	}
	for (uint32_t i = 0; i < object->spec->to_count; i++) {
		const struct gw_grant_to *to = &object->spec->to[i];

		gw_check_reference(check, GW_AT_ITEM(at, "to", i), to->group,
		    to->kind, SLICE_NONE);
	}
}

/* ---- addresses ---- */

static bool
is_address_type(struct slice type)
{
	return slice_equal(type, SLICE("IPAddress")) ||
	    slice_equal(type, SLICE("Hostname")) ||
	    slice_equal(type, SLICE("NamedAddress")) ||
	    gw_form_is_domain_path(type);
}

static bool
is_routability(struct slice routability)
{
	size_t slash = slice_find(routability, '/');
	struct slice domain = slice_make(routability.data, slash);

	if (routability.length == 0 ||
	    slice_equal(routability, SLICE("Cluster")))
		return true;
	return slash + 1 < routability.length && gw_form_is_name(domain) &&
	    !slice_equal(domain, SLICE("k8s.io")) &&
	    !slice_ends_with(domain, SLICE(".k8s.io"));
}

static void
check_address(struct gw_check *check, const struct gw_place *place,
    const struct gw_gateway_address *address)
{
	char canonical[GW_ADDRESS_BYTES];
	unsigned family;

	gw_check_form(check, GW_FINDING_VALUE_INVALID, GW_AT(place, "type"),
	    address->type, is_address_type(address->type),
	    "IPAddress, Hostname, NamedAddress or a domain with a path");
	gw_check_form(check, GW_FINDING_VALUE_INVALID,
	    GW_AT(place, "routability"), address->routability,
	    is_routability(address->routability),
	    "empty, Cluster, or a domain with a path outside k8s.io");
	if (address->value.length == 0)
		return; /* one is to be assigned */
	if (slice_equal(address->type, SLICE("IPAddress")))
		gw_check_form(check, GW_FINDING_ADDRESS_INVALID,
		    GW_AT(place, "value"), address->value,
		    gw_form_is_address(address->value, canonical, &family),
		    "an IP address");
	else if (slice_equal(address->type, SLICE("Hostname")))
		gw_check_form(check, GW_FINDING_HOSTNAME_INVALID,
		    GW_AT(place, "value"), address->value,
		    wire_is_hostname(address->value, true), "a hostname");
}

static void
check_addresses(struct gw_check *check, const struct gw_gateway_spec *spec)
{
	const struct gw_gateway_address *addresses = spec->addresses;
	const struct gw_place *at = GW_AT(NULL, "spec");

	for (uint32_t i = 0; i < spec->addresses_count; i++) {
		check_address(
		    check, GW_AT_ITEM(at, "addresses", i), &addresses[i]);
		for (uint32_t j = 0; j < i; j++)
			if (addresses[i].value.length > 0 &&
			    slice_equal(addresses[i].type, addresses[j].type) &&
			    slice_equal(addresses[i].value, addresses[j].value))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT_ITEM(at, "addresses", i),
				    "the same address as addresses[%u]", j);
	}
}

/* ---- infrastructure, TLS ---- */

static void
check_infrastructure(struct gw_check *check, const struct gw_place *place,
    const struct gw_infrastructure *infra)
{
	for (uint32_t i = 0; i < infra->annotations_count; i++)
		gw_check_form(check, GW_FINDING_LABEL_INVALID,
		    GW_AT(place, "annotations"), infra->annotations[i].key,
		    gw_form_is_label_key(infra->annotations[i].key),
		    "an annotation's key");
	for (uint32_t i = 0; i < infra->labels_count; i++) {
		gw_check_form(check, GW_FINDING_LABEL_INVALID,
		    GW_AT(place, "labels"), infra->labels[i].key,
		    gw_form_is_label_key(infra->labels[i].key),
		    "a label's key");
		gw_check_form(check, GW_FINDING_LABEL_INVALID,
		    GW_AT(place, "labels"), infra->labels[i].value,
		    gw_form_is_label_value(infra->labels[i].value),
		    "a label's value");
	}
	if (infra->parameters_ref)
		gw_check_reference(check, GW_AT(place, "parametersRef"),
		    infra->parameters_ref->group, infra->parameters_ref->kind,
		    SLICE_NONE);
}

static void
check_frontend(struct gw_check *check, const struct gw_place *place,
    const struct gw_frontend_config *config)
{
	if (!config->validation)
		return;
	const struct gw_place *at = GW_AT(place, "validation");

	for (uint32_t i = 0; i < config->validation->ca_certificate_refs_count;
	     i++) {
		const struct gw_object_reference *reference =
		    &config->validation->ca_certificate_refs[i];
		const struct gw_place *here =
		    GW_AT_ITEM(at, "caCertificateRefs", i);

		gw_check_reference(check, here, reference->group,
		    reference->kind, reference->namespace);
		if (slice_equal(reference->kind, SLICE("ClusterTrustBundle")) &&
		    slice_is_set(reference->namespace))
			gw_check_report(check, GW_FINDING_REFERENCE_INVALID,
			    GW_AT(here, "namespace"),
			    "a ClusterTrustBundle has no namespace");
	}
}

static void
check_gateway_tls(struct gw_check *check, const struct gw_place *place,
    const struct gw_gateway_tls *tls)
{
	const struct gw_place *frontend = GW_AT(place, "frontend");

	if (tls->backend && tls->backend->client_certificate_ref)
		gw_check_secret(check,
		    GW_AT(GW_AT(place, "backend"), "clientCertificateRef"),
		    tls->backend->client_certificate_ref);
	if (!tls->frontend)
		return;
	check_frontend(
	    check, GW_AT(frontend, "default"), tls->frontend->fallback);
	for (uint32_t i = 0; i < tls->frontend->per_port_count; i++) {
		const struct gw_frontend_port *port =
		    &tls->frontend->per_port[i];
		const struct gw_place *here =
		    GW_AT_ITEM(frontend, "perPort", i);

		check_frontend(check, GW_AT(here, "tls"), port->tls);
		for (uint32_t j = 0; j < i; j++)
			if (tls->frontend->per_port[j].port == port->port)
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    here, "the same port as perPort[%u]", j);
	}
}

/* ---- listeners ---- */

static void
check_listener_tls(struct gw_check *check, const struct gw_place *place,
    const struct gw_listener *listener)
{
	const struct gw_listener_tls *tls = listener->tls;
	const struct gw_place *at = GW_AT(place, "tls");
	bool plain = slice_equal(listener->protocol, SLICE("HTTP")) ||
	    slice_equal(listener->protocol, SLICE("TCP")) ||
	    slice_equal(listener->protocol, SLICE("UDP"));
	bool terminate = tls && slice_equal(tls->mode, SLICE("Terminate"));

	if (plain)
		gw_check_exactly_when(check, at, tls != NULL, false,
		    "protocol is HTTP, TCP or UDP");
	if (slice_equal(listener->protocol, SLICE("TLS")))
		gw_check_exactly_when(
		    check, at, tls != NULL, true, "protocol is TLS");
	if (!tls)
		return;
	if (slice_equal(listener->protocol, SLICE("HTTPS")) && !terminate)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(at, "mode"),
		    "must be Terminate when protocol is HTTPS");
	if (terminate && tls->certificate_refs_count == 0 &&
	    tls->options_count == 0)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(at, "certificateRefs"),
		    "certificateRefs or options must be set when mode is "
		    "Terminate");
	for (uint32_t i = 0; i < tls->certificate_refs_count; i++)
		gw_check_secret(check, GW_AT_ITEM(at, "certificateRefs", i),
		    &tls->certificate_refs[i]);
}

static void
check_listener_filters(struct gw_check *check, const struct gw_place *place,
    const struct gw_listener *listener)
{
	const struct gw_place *at = GW_AT(place, "filters");

	if (!slice_equal(listener->protocol, SLICE("HTTP")) &&
	    !slice_equal(listener->protocol, SLICE("HTTPS")))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, at,
		    "must not be set when protocol is not HTTP or HTTPS");
	for (uint32_t i = 0; i < listener->filters->requests_count; i++) {
		const struct gw_listener_filter *filter =
		    &listener->filters->requests[i];
		const struct gw_place *here = GW_AT_ITEM(at, "requests", i);
		bool auth = slice_equal(filter->type, SLICE("ExternalAuth"));
		const char *why =
		    auth ? "type is ExternalAuth" : "type is ExtensionRef";

		gw_check_exactly_when(check, GW_AT(here, "externalAuth"),
		    filter->external_auth != NULL, auth, why);
		gw_check_exactly_when(check, GW_AT(here, "extensionRef"),
		    filter->extension_ref != NULL, !auth, why);
		if (filter->external_auth)
			gw_check_external_auth(check,
			    GW_AT(here, "externalAuth"), filter->external_auth);
		if (filter->extension_ref)
			gw_check_reference(check, GW_AT(here, "extensionRef"),
			    filter->extension_ref->group,
			    filter->extension_ref->kind, SLICE_NONE);
	}
	if (listener->filters->requests_count > 0)
		gw_check_report(check, GW_FINDING_REFUSED, at,
		    "filters of listeners are not supported yet: the listener "
		    "is not served");
}

static void
check_listener(struct gw_check *check, const struct gw_place *place,
    const struct gw_listener *listener)
{
	const struct gw_allowed_routes *allowed = listener->allowed_routes;
	const struct gw_place *at = GW_AT(place, "allowedRoutes");

	gw_check_name(check, GW_AT(place, "name"), listener->name);
	gw_check_form(check, GW_FINDING_VALUE_INVALID, GW_AT(place, "protocol"),
	    listener->protocol, gw_form_is_protocol(listener->protocol),
	    "a protocol: HTTP, HTTPS, TLS, TCP, UDP, or a domain with a name");
	if (slice_is_set(listener->hostname)) {
		gw_check_form(check, GW_FINDING_HOSTNAME_INVALID,
		    GW_AT(place, "hostname"), listener->hostname,
		    wire_is_hostname(listener->hostname, true),
		    "a hostname in lower case, where wanted with one leading "
		    "\"*.\"");
		if (slice_equal(listener->protocol, SLICE("TCP")) ||
		    slice_equal(listener->protocol, SLICE("UDP")))
			gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
			    GW_AT(place, "hostname"),
			    "must not be set when protocol is TCP or UDP");
	}
	check_listener_tls(check, place, listener);
	if (listener->filters)
		check_listener_filters(check, place, listener);
	if (!allowed)
		return;
	for (uint32_t i = 0; i < allowed->kinds_count; i++)
		gw_check_reference(check, GW_AT_ITEM(at, "kinds", i),
		    allowed->kinds[i].group, allowed->kinds[i].kind,
		    SLICE_NONE);
	if (allowed->namespaces && allowed->namespaces->selector)
		gw_check_selector(check,
		    GW_AT(GW_AT(at, "namespaces"), "selector"),
		    allowed->namespaces->selector);
}

static void
check_listener_pairs(struct gw_check *check, const struct gw_gateway_spec *spec)
{
	for (uint32_t i = 0; i < spec->listeners_count; i++) {
		const struct gw_listener *b = &spec->listeners[i];
		const struct gw_place *place =
		    GW_AT_ITEM(GW_AT(NULL, "spec"), "listeners", i);

		for (uint32_t j = 0; j < i; j++) {
			const struct gw_listener *a = &spec->listeners[j];

			if (slice_equal(a->name, b->name))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT(place, "name"),
				    "listeners[%u] has the name \"%.*s\" too",
				    j, SLICE_ARGS(b->name));
			if (a->port == b->port &&
			    slice_equal(a->protocol, b->protocol) &&
			    slice_equal(a->hostname, b->hostname))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    place,
				    "listeners[%u] has the same port, protocol "
				    "and hostname",
				    j);
		}
	}
}

static void
warn_not_honoured(struct gw_check *check, const struct gw_gateway_spec *spec)
{
	const struct gw_place *at = GW_AT(NULL, "spec");

	if (slice_equal(spec->default_scope, SLICE("All")))
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(at, "defaultScope"),
		    "default Gateways are not supported yet");
	if (gw_honour_ignores_listener_sets(spec))
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(at, "allowedListeners"),
		    "ListenerSets are not supported yet");
	if (spec->tls && spec->tls->backend)
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(GW_AT(at, "tls"), "backend"),
		    "TLS towards backends is not supported yet");
	if (spec->tls && spec->tls->frontend)
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(GW_AT(at, "tls"), "frontend"),
		    "TLS is not supported yet");
}
