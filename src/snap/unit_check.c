/* What a unit must be to be served. The bytes may come over a stream, from
 * another version: whatever the code behind relies on (that an enumeration is
 * known, that no value can break a line of HTTP) is held here, where a bad unit
 * is refused alone. It never judges a reference: what a unit names need not be
 * there. */
#include "snap/unit_priv.h"

#include <netinet/in.h>

#include "core/limit.h"
#include "core/must.h"
#include "snap/secret.h"
#include "wire/field.h"
#include "wire/host.h"

#define WEIGHT_MAX 1000000 /* Gateway API's own bound */
#define BACKENDS_MAX 4096 /* whose weights together fit in 32 bits */
#define CLAIM_NODES_MAX 65536
#define STATUS_REDIRECT_MIN 300
#define STATUS_REDIRECT_MAX 399

static enum error check_listener(const struct unit_listener *listener);
static enum error check_route(
    struct slice name, struct unit_route *route, struct arena *arena);
static enum error check_service_ports(
    const struct unit_service_port *ports, uint32_t count, int64_t minimum);
static enum error check_endpoints(const struct unit_endpoints *endpoints);
static enum error check_external(const struct unit_external *external);
static enum error check_tickets(const struct unit_tickets *tickets);
static enum error check_claim(
    struct slice name, const struct unit_claim *claim);

enum error
snap_unit_check(
    enum unit_kind kind, struct slice name, void *record, struct arena *arena)
{
	const struct unit_service *service;

	switch (kind) {
	case UNIT_LISTENER:
		return check_listener(record);
	case UNIT_ROUTE:
		return check_route(name, record, arena);
	case UNIT_SERVICE:
		service = record;
		return check_service_ports(
		    service->ports, service->ports_count, 1);
	case UNIT_ENDPOINTS:
		return check_endpoints(record);
	case UNIT_EXTERNAL:
		return check_external(record);
	case UNIT_CERTIFICATE:
	case UNIT_AUTHORITY:
		/* PEM: its faults are data, and told by who looks into it. */
		return ERROR_OK;
	case UNIT_TICKETS:
		return check_tickets(record);
	case UNIT_CLAIM:
		return check_claim(name, record);
	case UNIT__COUNT:
		break;
	}
	return ERROR_UNKNOWN;
}

static bool
is_within(int64_t number, int64_t minimum, int64_t maximum)
{
	return number >= minimum && number <= maximum;
}

static bool
is_name_of(struct slice name, enum unit_kind wanted)
{
	enum unit_kind kind;

	return name.length <= LIMIT_VALUE_UNIT_NAME_BYTES &&
	    slice_find(name, '\0') == name.length &&
	    snap_unit_kind(name, &kind) && kind == wanted;
}

/* Empty is every host. */
static bool
is_host_pattern(struct slice hostname)
{
	return hostname.length == 0 || wire_is_hostname(hostname, true);
}

static enum error
check_names_of(const struct slice *names, uint32_t count, enum unit_kind kind)
{
	for (uint32_t i = 0; i < count; i++)
		if (!is_name_of(names[i], kind))
			return ERROR_INVALID;
	return ERROR_OK;
}

/* Whether OpenSSL knows it is not judged here, but that it is one name: what it
 * is given is a list of them, with characters that mean something. */
static bool
are_tls_names(const struct slice *names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (names[i].length == 0)
			return false;
		for (size_t at = 0; at < names[i].length; at++) {
			char c = names[i].data[at];

			if (!(c >= '0' && c <= '9') &&
			    !(c >= 'A' && c <= 'Z') &&
			    !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
				return false;
		}
	}
	return true;
}

/* A key that is none would have tickets that anybody can seal. */
static enum error
check_tickets(const struct unit_tickets *tickets)
{
	if (tickets->keys_count > UNIT_TICKET_KEYS_MAX)
		return ERROR_LIMIT;
	for (uint32_t i = 0; i < tickets->keys_count; i++)
		if (tickets->keys[i].length != UNIT_TICKET_KEY_BYTES)
			return ERROR_INVALID;
	return tickets->keys_count > 0 ? ERROR_OK : ERROR_INVALID;
}

static enum error
check_listener_tls(const struct unit_listener *listener)
{
	enum error error = check_names_of(listener->certificates,
	    listener->certificates_count, UNIT_CERTIFICATE);

	if (!is_within(listener->client_validation, UNIT_CLIENTS_NONE,
	        UNIT_CLIENTS_INSECURE_FALLBACK) ||
	    (listener->version_min != UNIT_TLS_VERSION_DEFAULT &&
	        !is_within(listener->version_min, UNIT_TLS_VERSION_1_2,
	            UNIT_TLS_VERSION_1_3)))
		return ERROR_UNSUPPORTED;
	if (listener->certificates_count > LIMIT_VALUE_LISTENER_CERTIFICATES ||
	    listener->authorities_count > LIMIT_VALUE_LISTENER_CERTIFICATES)
		return ERROR_LIMIT;
	if (error == ERROR_OK)
		error = check_names_of(listener->authorities,
		    listener->authorities_count, UNIT_AUTHORITY);
	if (!are_tls_names(listener->ciphers, listener->ciphers_count) ||
	    !are_tls_names(listener->curves, listener->curves_count) ||
	    (slice_is_set(listener->tickets) &&
	        !is_name_of(listener->tickets, UNIT_TICKETS)) ||
	    (slice_is_set(listener->backend_certificate) &&
	        !is_name_of(listener->backend_certificate, UNIT_CERTIFICATE)))
		return ERROR_INVALID;
	/* What is meant to be checked must not come in plain text. */
	if (listener->protocol != UNIT_PROTOCOL_HTTPS &&
	    listener->protocol != UNIT_PROTOCOL_TLS &&
	    listener->client_validation != UNIT_CLIENTS_NONE)
		return ERROR_INVALID;
	return error;
}

static enum error
check_listener(const struct unit_listener *listener)
{
	bool named = listener->protocol <= UNIT_PROTOCOL_TLS;
	/* A bit for each mode that goes with it. */
	static const unsigned modes[] = {
	    [UNIT_PROTOCOL_HTTP] = 1 << UNIT_TLS_NONE,
	    [UNIT_PROTOCOL_HTTPS] =
	        1 << UNIT_TLS_NONE | 1 << UNIT_TLS_TERMINATE,
	    [UNIT_PROTOCOL_TLS] =
	        1 << UNIT_TLS_PASSTHROUGH | 1 << UNIT_TLS_TERMINATE,
	    [UNIT_PROTOCOL_TCP] = 1 << UNIT_TLS_NONE,
	    [UNIT_PROTOCOL_UDP] = 1 << UNIT_TLS_NONE,
	};

	if (!is_within(
	        listener->protocol, UNIT_PROTOCOL_HTTP, UNIT_PROTOCOL_UDP) ||
	    !is_within(listener->tls_mode, UNIT_TLS_NONE, UNIT_TLS_TERMINATE) ||
	    !(modes[listener->protocol] >> listener->tls_mode & 1))
		return ERROR_UNSUPPORTED;
	if (listener->addresses_count > LIMIT_VALUE_LISTENER_ADDRESSES)
		return ERROR_LIMIT;
	if (!is_within(listener->port, 1, UINT16_MAX) ||
	    !is_host_pattern(listener->hostname) ||
	    (!named && listener->hostname.length > 0))
		return ERROR_INVALID;
	return check_listener_tls(listener);
}

/* Without a name and an authority nobody would be believed, and with the
 * system's none of ours is meant: that is no way to
 * be refused, which says why. */
static enum error
check_backend_tls(const struct unit_backend_tls *tls)
{
	if (!tls)
		return ERROR_OK;
	for (uint32_t i = 0; i < tls->names_count; i++) {
		if (!is_within(tls->names[i].type, UNIT_TLS_NAME_DNS,
		        UNIT_TLS_NAME_URI))
			return ERROR_UNSUPPORTED;
		if (tls->names[i].value.length == 0 ||
		    (tls->names[i].type == UNIT_TLS_NAME_DNS &&
		        !wire_is_hostname(tls->names[i].value, true)))
			return ERROR_INVALID;
	}
	if (tls->authorities_count > LIMIT_VALUE_LISTENER_CERTIFICATES ||
	    tls->names_count > LIMIT_VALUE_BACKEND_TLS_NAMES)
		return ERROR_LIMIT;
	if (slice_is_set(tls->refused))
		return ERROR_OK;
	if (!wire_is_hostname(tls->hostname, false) ||
	    (tls->authorities_count == 0) == !tls->system ||
	    (slice_is_set(tls->certificate) &&
	        !is_name_of(tls->certificate, UNIT_CERTIFICATE)))
		return ERROR_INVALID;
	return check_names_of(
	    tls->authorities, tls->authorities_count, UNIT_AUTHORITY);
}

static enum error
check_fields(const struct unit_field *fields, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!wire_is_token(fields[i].name) ||
		    !wire_is_field_value(fields[i].value))
			return ERROR_INVALID;
	return ERROR_OK;
}

static enum error
check_header_filter(const struct unit_filter *filter)
{
	enum error error = check_fields(filter->set, filter->set_count);

	if (error == ERROR_OK)
		error = check_fields(filter->add, filter->add_count);
	for (uint32_t i = 0; i < filter->remove_count; i++)
		if (!wire_is_token(filter->remove[i]))
			error = ERROR_INVALID;
	return error;
}

/* These become parts of a Location field. */
static enum error
check_redirect(const struct unit_filter *filter)
{
	if (!is_within(
	        filter->path_change, UNIT_PATH_KEEP, UNIT_PATH_REPLACE_PREFIX))
		return ERROR_UNSUPPORTED;
	if (!wire_is_field_value(filter->scheme) ||
	    !wire_is_field_value(filter->path) ||
	    (filter->hostname.length > 0 &&
	        !wire_is_hostname(filter->hostname, false)) ||
	    !is_within(filter->port, 0, UINT16_MAX) ||
	    (filter->status != 0 &&
	        !is_within(
	            filter->status, STATUS_REDIRECT_MIN, STATUS_REDIRECT_MAX)))
		return ERROR_INVALID;
	return ERROR_OK;
}

static enum error
check_filters(const struct unit_filter *filters, uint32_t count)
{
	enum error error = ERROR_OK;

	for (uint32_t i = 0; i < count && error == ERROR_OK; i++) {
		switch (filters[i].kind) {
		case UNIT_FILTER_REQUEST_HEADERS:
		case UNIT_FILTER_RESPONSE_HEADERS:
			error = check_header_filter(&filters[i]);
			break;
		case UNIT_FILTER_REDIRECT:
			error = check_redirect(&filters[i]);
			break;
		default:
			error = ERROR_UNSUPPORTED;
		}
	}
	return error;
}

static enum error
check_backends(const struct unit_backend *backends, uint32_t count)
{
	enum error error = ERROR_OK;

	if (count > BACKENDS_MAX)
		return ERROR_LIMIT;
	for (uint32_t i = 0; i < count && error == ERROR_OK; i++) {
		const struct unit_backend *backend = &backends[i];
		bool refused = slice_is_set(backend->refused);
		bool named = is_name_of(backend->target, UNIT_SERVICE) ||
		    is_name_of(backend->target, UNIT_EXTERNAL);

		if (!is_within(backend->weight, 0, WEIGHT_MAX) ||
		    !is_within(backend->port, 0, UINT16_MAX) ||
		    (!named && !refused))
			return ERROR_INVALID;
		error = check_filters(backend->filters, backend->filters_count);
	}
	return error;
}

static enum error
check_pairs(const struct unit_pair_match *pairs, uint32_t count, bool headers)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!is_within(
		        pairs[i].type, UNIT_PAIR_EXACT, UNIT_PAIR_PATTERN))
			return ERROR_UNSUPPORTED;
		if (headers && !wire_is_token(pairs[i].name))
			return ERROR_INVALID;
	}
	return ERROR_OK;
}

/* One that no request can have would do no harm, but for the length of its key
 * in the index. */
static enum error
check_call(const struct unit_call *call)
{
	if (!call)
		return ERROR_OK;
	if (!is_within(call->type, UNIT_CALL_EXACT, UNIT_CALL_PATTERN))
		return ERROR_UNSUPPORTED;
	if (call->service.length + call->method.length + 2 >
	    LIMIT_VALUE_MATCH_PATH_BYTES)
		return ERROR_LIMIT;
	if (call->service.length + call->method.length == 0 ||
	    (call->type == UNIT_CALL_EXACT &&
	        (slice_find(call->service, '/') < call->service.length ||
	            slice_find(call->method, '/') < call->method.length)))
		return ERROR_INVALID;
	return ERROR_OK;
}

static enum error
check_path(struct unit_match *match)
{
	if (!is_within(match->path_type, UNIT_PATH_PREFIX, UNIT_PATH_PATTERN))
		return ERROR_UNSUPPORTED;
	if (match->path.length > LIMIT_VALUE_MATCH_PATH_BYTES)
		return ERROR_LIMIT;
	if (match->path_type == UNIT_PATH_PATTERN)
		return ERROR_OK;
	if (!slice_is_set(match->path))
		match->path = SLICE("/");
	if (match->path.length == 0 || match->path.data[0] != '/')
		return ERROR_INVALID;
	return ERROR_OK;
}

/* Each kind has its own; every one has what is filled in below. */
static bool
has_fields_of(const struct unit_match *match, enum unit_route_kind kind)
{
	bool any_path = match->path_type == UNIT_PATH_PREFIX &&
	    (!slice_is_set(match->path) ||
	        slice_equal(match->path, SLICE("/")));

	if (kind == UNIT_ROUTE_HTTP)
		return match->call == NULL;
	if (!any_path || match->method.length > 0 || match->queries_count > 0)
		return false;
	return kind == UNIT_ROUTE_GRPC ||
	    (match->call == NULL && match->headers_count == 0);
}

static enum error
check_match(struct unit_match *match, enum unit_route_kind kind)
{
	enum error error =
	    check_pairs(match->headers, match->headers_count, true);

	if (error == ERROR_OK)
		error =
		    check_pairs(match->queries, match->queries_count, false);
	if (error == ERROR_OK)
		error = check_call(match->call);
	if (error != ERROR_OK)
		return error;
	if (!has_fields_of(match, kind))
		return ERROR_INVALID;
	return check_path(match);
}

static enum error
check_rule(
    struct unit_rule *rule, enum unit_route_kind kind, struct arena *arena)
{
	enum error error;

	if (rule->matches_count == 0) {
		rule->matches = arena_zero(arena, 1, sizeof(*rule->matches));
		rule->matches_count = 1;
	}
	for (uint32_t i = 0; i < rule->matches_count; i++) {
		error = check_match(&rule->matches[i], kind);
		if (error != ERROR_OK)
			return error;
	}
	error = check_filters(rule->filters, rule->filters_count);
	if (error == ERROR_OK)
		error = check_backends(rule->backends, rule->backends_count);
	return error;
}

/* The entries that the index will have of it; counts are below UNIT_BYTES. */
static enum error
check_route_size(const struct unit_route *route)
{
	uint64_t pairs = (uint64_t)route->listeners_count *
	    (route->hostnames_count > 0 ? route->hostnames_count : 1);
	uint64_t matches = 0;

	for (uint32_t i = 0; i < route->rules_count; i++)
		matches += route->rules[i].matches_count;
	return pairs > LIMIT_VALUE_ROUTE_ENTRIES ||
	        pairs * matches > LIMIT_VALUE_ROUTE_ENTRIES
	    ? ERROR_LIMIT
	    : ERROR_OK;
}

bool
snap_route_kind(struct slice name, enum unit_route_kind *kind)
{
	static const struct slice kinds[] = {
	    [UNIT_ROUTE_HTTP] = {"HTTPRoute", 9},
	    [UNIT_ROUTE_GRPC] = {"GRPCRoute", 9},
	    [UNIT_ROUTE_TLS] = {"TLSRoute", 8},
	    [UNIT_ROUTE_TCP] = {"TCPRoute", 8},
	    [UNIT_ROUTE_UDP] = {"UDPRoute", 8},
	};
	struct slice rest = name, word;

	if (!slice_cut(&rest, '/', &word) || !slice_cut(&rest, '/', &word))
		return false;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (slice_equal(word, kinds[i])) {
			*kind = (enum unit_route_kind)i;
			return true;
		}
	}
	return false;
}

static enum error
check_route(struct slice name, struct unit_route *route, struct arena *arena)
{
	enum unit_route_kind kind;

	if (!snap_route_kind(name, &kind))
		return ERROR_UNSUPPORTED;
	for (uint32_t i = 0; i < route->listeners_count; i++)
		if (!is_name_of(route->listeners[i], UNIT_LISTENER))
			return ERROR_INVALID;
	/* Nothing in a connection or a datagram names a host. */
	if (kind >= UNIT_ROUTE_TCP && route->hostnames_count > 0)
		return ERROR_INVALID;
	for (uint32_t i = 0; i < route->hostnames_count; i++)
		if (!is_host_pattern(route->hostnames[i]))
			return ERROR_INVALID;
	route->listeners_count =
	    slice_sort_unique(route->listeners, route->listeners_count);
	route->hostnames_count =
	    slice_sort_unique(route->hostnames, route->hostnames_count);
	for (uint32_t i = 0; i < route->rules_count; i++) {
		enum error error = check_rule(&route->rules[i], kind, arena);

		if (error != ERROR_OK)
			return error;
	}
	return check_route_size(route);
}

static enum error
check_service_ports(
    const struct unit_service_port *ports, uint32_t count, int64_t minimum)
{
	enum error error = ERROR_OK;

	for (uint32_t i = 0; i < count && error == ERROR_OK; i++) {
		if (!is_within(ports[i].number, minimum, UINT16_MAX))
			return ERROR_INVALID;
		error = check_backend_tls(ports[i].tls);
	}
	return error;
}

static enum error
check_endpoints(const struct unit_endpoints *endpoints)
{
	int64_t all = UNIT_ENDPOINT_READY | UNIT_ENDPOINT_SERVING |
	    UNIT_ENDPOINT_TERMINATING;

	if (!is_name_of(endpoints->service, UNIT_SERVICE))
		return ERROR_INVALID;
	for (uint32_t i = 0; i < endpoints->endpoints_count; i++)
		if (!is_within(endpoints->endpoints[i].conditions, 0, all))
			return ERROR_INVALID;
	return check_service_ports(endpoints->ports, endpoints->ports_count, 0);
}

static enum error
check_external(const struct unit_external *external)
{
	if (!wire_is_hostname(external->hostname, false) ||
	    !is_within(external->port, 1, UINT16_MAX))
		return ERROR_INVALID;
	return check_backend_tls(external->tls);
}

static bool
is_claim_port(const struct unit_claim_port *port)
{
	for (uint32_t i = 0; i < port->targets_count; i++)
		if (port->targets[i].node.length == 0 ||
		    !is_within(port->targets[i].port, 1, UINT16_MAX))
			return false;
	return port->targets_count <= CLAIM_NODES_MAX &&
	    is_within(port->port, 1, UINT16_MAX) &&
	    (port->transport == IPPROTO_TCP || port->transport == IPPROTO_UDP ||
	        port->transport == IPPROTO_SCTP);
}

/* Whether it is an address, and where it could be, is the announcer's to say.
 */
static enum error
check_claim(struct slice name, const struct unit_claim *claim)
{
	struct slice kind;

	if (!slice_cut(&name, '/', &kind) ||
	    !slice_equal(name, claim->address) ||
	    claim->nodes_count > CLAIM_NODES_MAX)
		return ERROR_INVALID;
	for (uint32_t i = 0; i < claim->nodes_count; i++)
		if (claim->nodes[i].name.length == 0)
			return ERROR_INVALID;
	if (claim->ports_count > LIMIT_VALUE_FORWARD_PORTS)
		return ERROR_LIMIT;
	for (uint32_t i = 0; i < claim->ports_count; i++)
		if (!is_claim_port(&claim->ports[i]))
			return ERROR_INVALID;
	return ERROR_OK;
}
