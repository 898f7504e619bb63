/* Checks of what routes lead to: XBackend, Service, EndpointSlice. */
#include "gw/check_priv.h"
#include "gw/form.h"
#include "wire/host.h"

static void check_xbackend_tls(struct gw_check *check,
    const struct gw_place *place, const struct gw_xbackend_spec *spec);

static void
check_external_hostname(
    struct gw_check *check, const struct gw_place *place, struct slice hostname)
{
	char canonical[GW_ADDRESS_BYTES];
	unsigned family;

	gw_check_form(check, GW_FINDING_HOSTNAME_INVALID, place, hostname,
	    wire_is_hostname(hostname, false) &&
	        !gw_form_is_address(hostname, canonical, &family) &&
	        !slice_ends_with(hostname, SLICE(".cluster.local")),
	    "a hostname outside the cluster (and no IP address)");
}

void
gw_check_xbackend(struct gw_check *check, const struct gw_xbackend *object)
{
	const struct gw_xbackend_spec *spec = object->spec;
	const struct gw_place *at = GW_AT(NULL, "spec");
	bool external = slice_equal(spec->type, SLICE("ExternalHostname"));
	const char *why =
	    external ? "type is ExternalHostname" : "type is EndpointSelector";

	gw_check_exactly_when(check, GW_AT(at, "externalHostname"),
	    spec->external_hostname != NULL, external, why);
	gw_check_exactly_when(check, GW_AT(at, "endpointSelector"),
	    spec->endpoint_selector != NULL, !external, why);
	if (spec->external_hostname)
		check_external_hostname(check,
		    GW_AT(GW_AT(at, "externalHostname"), "hostname"),
		    spec->external_hostname->hostname);
	if (spec->endpoint_selector)
		gw_check_selector(check, GW_AT(at, "endpointSelector"),
		    &(const struct gw_label_selector){
		        .match_labels = spec->endpoint_selector->match_labels,
		        .match_labels_count =
		            spec->endpoint_selector->match_labels_count});
	if (spec->port->number == 0)
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT(GW_AT(at, "port"), "number"), "must be set");
	if (spec->session_persistence) {
		gw_check_session(check, GW_AT(at, "sessionPersistence"),
		    spec->session_persistence);
		if (external)
			gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
			    GW_AT(at, "sessionPersistence"),
			    "must not be set when type is ExternalHostname");
	}
	check_xbackend_tls(check, at, spec);
}

static void
check_validation(struct gw_check *check, const struct gw_place *place,
    const struct gw_server_validation *validation)
{
	if ((validation->ca_certificate_refs_count > 0) ==
	    slice_is_set(validation->well_known_ca_certificates))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, place,
		    "exactly one of caCertificateRefs and "
		    "wellKnownCACertificates must be set");
	for (uint32_t i = 0; i < validation->ca_certificate_refs_count; i++)
		gw_check_reference(check,
		    GW_AT_ITEM(place, "caCertificateRefs", i),
		    validation->ca_certificate_refs[i].group,
		    validation->ca_certificate_refs[i].kind, SLICE_NONE);
	gw_check_form(check, GW_FINDING_HOSTNAME_INVALID,
	    GW_AT(place, "hostname"), validation->hostname,
	    wire_is_hostname(validation->hostname, false), "a hostname");
	for (uint32_t i = 0; i < validation->subject_alt_names_count; i++) {
		const struct gw_subject_alt_name *name =
		    &validation->subject_alt_names[i];
		const struct gw_place *at =
		    GW_AT_ITEM(place, "subjectAltNames", i);
		bool is_host = slice_equal(name->type, SLICE("Hostname"));
		const char *why = is_host ? "type is Hostname" : "type is URI";

		gw_check_exactly_when(check, GW_AT(at, "hostname"),
		    slice_is_set(name->hostname), is_host, why);
		gw_check_exactly_when(check, GW_AT(at, "uri"),
		    slice_is_set(name->uri), !is_host, why);
	}
}

static void
check_xbackend_tls(struct gw_check *check, const struct gw_place *place,
    const struct gw_xbackend_spec *spec)
{
	const struct gw_xbackend_tls *tls = spec->tls;
	const struct gw_place *at = GW_AT(place, "tls");
	bool on = tls && !slice_equal(tls->mode, SLICE("None"));

	if (slice_equal(spec->protocol, SLICE("H2C")) && on)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, at,
		    "must be off when protocol is H2C; HTTP2 is HTTP/2 over "
		    "TLS");
	if ((slice_equal(spec->protocol, SLICE("HTTP2")) ||
	        slice_equal(spec->protocol, SLICE("WSS"))) &&
	    !on)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, at,
		    "must be on when protocol is %.*s",
		    SLICE_ARGS(spec->protocol));
	if (!tls)
		return;
	gw_check_exactly_when(check, GW_AT(at, "clientCertificateRef"),
	    tls->client_certificate_ref != NULL,
	    slice_equal(tls->mode, SLICE("ClientAndServer")),
	    slice_equal(tls->mode, SLICE("ClientAndServer"))
	        ? "mode is ClientAndServer"
	        : "mode is not ClientAndServer");
	gw_check_exactly_when(check, GW_AT(at, "validation"),
	    tls->validation != NULL, on,
	    on ? "mode is not None" : "mode is None");
	if (tls->client_certificate_ref)
		gw_check_secret(check, GW_AT(at, "clientCertificateRef"),
		    tls->client_certificate_ref);
	if (tls->validation)
		check_validation(
		    check, GW_AT(at, "validation"), tls->validation);
}

void
gw_check_service(struct gw_check *check, const struct gw_service *object)
{
	const struct gw_service_spec *spec = object->spec;
	const struct gw_place *at = GW_AT(NULL, "spec");

	for (uint32_t i = 0; i < spec->ports_count; i++) {
		const struct gw_service_port *b = &spec->ports[i];
		const struct gw_place *place = GW_AT_ITEM(at, "ports", i);

		if (b->name.length > 0)
			gw_check_form(check, GW_FINDING_NAME_INVALID,
			    GW_AT(place, "name"), b->name,
			    gw_form_is_label(b->name), "a port's name");
		else if (spec->ports_count > 1)
			gw_check_report(check, GW_FINDING_FIELD_MISSING,
			    GW_AT(place, "name"),
			    "must be set when there are several ports");
		for (uint32_t j = 0; j < i; j++) {
			const struct gw_service_port *a = &spec->ports[j];

			if (a->port == b->port &&
			    slice_equal(a->protocol, b->protocol))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    place,
				    "ports[%u] has the same port and protocol",
				    j);
			else if (slice_equal(a->name, b->name))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    place, "ports[%u] has the same name", j);
		}
	}
}

void
gw_check_endpointslice(
    struct gw_check *check, const struct gw_endpointslice *object)
{
	bool is_name = slice_equal(object->address_type, SLICE("FQDN"));
	unsigned wanted =
	    slice_equal(object->address_type, SLICE("IPv6")) ? 6 : 4;

	for (uint32_t i = 0; i < object->endpoints_count; i++) {
		const struct gw_endpoint *endpoint = &object->endpoints[i];
		const struct gw_place *place = GW_AT_ITEM(NULL, "endpoints", i);

		for (uint32_t j = 0; j < endpoint->addresses_count; j++) {
			struct slice address = endpoint->addresses[j];
			char canonical[GW_ADDRESS_BYTES];
			unsigned family = 0;
			bool is_ip =
			    gw_form_is_address(address, canonical, &family);

			gw_check_form(check, GW_FINDING_ADDRESS_INVALID,
			    GW_AT_ITEM(place, "addresses", j), address,
			    is_name ? wire_is_hostname(address, false)
			            : is_ip && family == wanted,
			    is_name           ? "a hostname"
			        : wanted == 6 ? "an IPv6 address"
			                      : "an IPv4 address");
		}
	}
	if (is_name)
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(NULL, "addressType"),
		    "endpoints by name are not supported: the slice is not "
		    "used");
}
