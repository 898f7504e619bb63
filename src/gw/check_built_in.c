/* Checks of Kubernetes' own kinds: what its API server says of them in code, as
 * far as their schemas cannot. Each gets a tree that has been judged. Addresses
 * of endpoints may be loopback or link-local here, where yumen runs beside
 * them. */
#include "core/must.h"
#include "gw/check_priv.h"
#include "gw/form.h"
#include "wire/host.h"

static void check_service(struct gw_check *check);
static void check_namespace(struct gw_check *check);
static void check_endpointslice(struct gw_check *check);
static void check_secret(struct gw_check *check);
static void check_configmap(struct gw_check *check);

void
gw_check_built_in(struct gw_check *check)
{
	static const struct {
		const char *group, *kind;
		void (*check)(struct gw_check *check);
	} kinds[] = {
	    {"", "Service", check_service},
	    {"", "Namespace", check_namespace},
	    {"discovery.k8s.io", "EndpointSlice", check_endpointslice},
	    {"", "Secret", check_secret},
	    {"", "ConfigMap", check_configmap},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(check->schema.kind, kinds[i].kind) == 0 &&
		    strcmp(check->schema.group, kinds[i].group) == 0)
			kinds[i].check(check);
}

static struct slice
text_of(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map ? wire_tree_get(map, key) : NULL;

	return node ? node->text : SLICE("");
}

static bool
is(const struct tree_node *map, const char *key, const char *value)
{
	return slice_equal(text_of(map, key), slice_from_string(value));
}

static uint32_t
count_of(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map ? wire_tree_get(map, key) : NULL;

	return node ? node->count : 0;
}

static const struct tree_node *
first_of(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map ? wire_tree_get(map, key) : NULL;

	return node ? node->child : NULL;
}

static bool
is_same(const struct tree_node *a, const struct tree_node *b, const char *key)
{
	return slice_equal(text_of(a, key), text_of(b, key));
}

static void
forbid(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *map, const char *key, const char *why)
{
	if (wire_tree_get(map, key))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(place, key), "must not be set when %s", why);
}

/* ---- Service ---- */

/* IANA's service name: at most 15 letters, digits and '-', with a letter. */
static bool
is_port_name(struct slice name)
{
	enum { PORT_NAME_BYTES = 15 };
	bool letter = false, twice = false;

	for (size_t i = 0; i < name.length; i++) {
		letter = letter || (name.data[i] >= 'a' && name.data[i] <= 'z');
		twice = twice ||
		    (i > 0 && name.data[i] == '-' && name.data[i - 1] == '-');
	}
	return name.length <= PORT_NAME_BYTES && letter && !twice &&
	    gw_form_is_label(name);
}

static void
check_target_port(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *port)
{
	if (!port)
		return;
	if (port->kind == TREE_TEXT)
		gw_check_form(check, GW_FINDING_NAME_INVALID, place, port->text,
		    is_port_name(port->text),
		    "a port's name: at most 15 lower-case letters, digits and "
		    "'-', one of them a letter");
	else if (port->integer < 1 || port->integer > UINT16_MAX)
		gw_check_report(check, GW_FINDING_OUT_OF_RANGE, place,
		    "%lld is not within 1 and 65535", (long long)port->integer);
}

/* a comes before b, at index j. */
static void
check_port_pair(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *a, const struct tree_node *b, uint32_t j)
{
	if (text_of(b, "name").length > 0 && is_same(a, b, "name"))
		gw_check_report(check, GW_FINDING_DUPLICATE,
		    GW_AT(place, "name"), "ports[%u] has the same name", j);
	if (!is_same(a, b, "protocol"))
		return;
	if (is_same(a, b, "port"))
		gw_check_report(check, GW_FINDING_DUPLICATE, place,
		    "ports[%u] has the same port and protocol", j);
	if (text_of(b, "nodePort").length > 0 && !is(b, "nodePort", "0") &&
	    is_same(a, b, "nodePort"))
		gw_check_report(check, GW_FINDING_DUPLICATE,
		    GW_AT(place, "nodePort"),
		    "ports[%u] has the same nodePort and protocol", j);
}

static void
check_service_port(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *spec, const struct tree_node *port)
{
	struct slice name = text_of(port, "name");
	struct slice protocol = text_of(port, "appProtocol");

	if (name.length > 0)
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(place, "name"), name, gw_form_is_label(name),
		    "a port's name");
	else if (count_of(spec, "ports") > 1)
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT(place, "name"),
		    "must be set when there are several ports");
	check_target_port(check, GW_AT(place, "targetPort"),
	    wire_tree_get(port, "targetPort"));
	if (protocol.length > 0)
		gw_check_form(check, GW_FINDING_VALUE_INVALID,
		    GW_AT(place, "appProtocol"), protocol,
		    gw_form_is_label_key(protocol),
		    "a protocol: a name, where wanted with a domain before it");
	if (is(spec, "type", "ClusterIP") && !is(port, "nodePort", "0"))
		forbid(check, place, port, "nodePort", "type is ClusterIP");
}

static void
check_external_name(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	struct slice name = text_of(spec, "externalName");

	if (slice_ends_with(name, SLICE(".")))
		name = slice_make(name.data, name.length - 1);
	if (name.length == 0)
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT(at, "externalName"),
		    "must be set when type is ExternalName");
	else
		gw_check_form(check, GW_FINDING_HOSTNAME_INVALID,
		    GW_AT(at, "externalName"), name, gw_form_is_name(name),
		    "a hostname");
	if (text_of(spec, "clusterIP").length > 0 ||
	    count_of(spec, "clusterIPs") > 0)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(at, "clusterIPs"),
		    "must not be set when type is ExternalName");
}

static void
check_service_type(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	bool balanced = is(spec, "type", "LoadBalancer");
	bool external = is(spec, "type", "ExternalName");
	bool outside = balanced || is(spec, "type", "NodePort");
	bool headless = is(spec, "clusterIP", "None");

	if (external)
		check_external_name(check, at, spec);
	else if (count_of(spec, "ports") == 0 && !headless)
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT(at, "ports"),
		    "must be set, except in a headless or "
		    "ExternalName Service");
	if (outside && headless)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT_ITEM(at, "clusterIPs", 0),
		    "must not be None when type is LoadBalancer or NodePort");
	if (!balanced) {
		forbid(check, at, spec, "loadBalancerSourceRanges",
		    "type is not LoadBalancer");
		forbid(check, at, spec, "allocateLoadBalancerNodePorts",
		    "type is not LoadBalancer");
		forbid(check, at, spec, "loadBalancerClass",
		    "type is not LoadBalancer");
	}
	if (!outside && count_of(spec, "externalIPs") == 0)
		forbid(check, at, spec, "externalTrafficPolicy",
		    "nothing outside can reach the Service");
}

static void
check_addresses(struct gw_check *check, const struct gw_place *up,
    const char *list, const struct tree_node *address)
{
	char canonical[GW_ADDRESS_BYTES];
	unsigned family;

	for (unsigned i = 0; address; address = address->next, i++)
		gw_check_form(check, GW_FINDING_ADDRESS_INVALID,
		    GW_AT_ITEM(up, list, i), address->text,
		    slice_equal(address->text, SLICE("None")) ||
		        gw_form_is_address(address->text, canonical, &family),
		    "an IP address");
}

static void
check_distribution(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	static const char *const words[] = {
	    "PreferClose", "PreferSameZone", "PreferSameNode"};
	bool known = wire_tree_get(spec, "trafficDistribution") == NULL;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		known = known || is(spec, "trafficDistribution", words[i]);
	gw_check_form(check, GW_FINDING_CHOICE_UNKNOWN,
	    GW_AT(at, "trafficDistribution"),
	    text_of(spec, "trafficDistribution"), known,
	    "PreferClose, PreferSameZone or PreferSameNode");
}

static void
check_service(struct gw_check *check)
{
	const struct tree_node *spec = wire_tree_get(check->document, "spec");
	const struct tree_node *ports = first_of(spec, "ports");
	const struct gw_place *at = GW_AT(NULL, "spec");
	uint32_t i = 0;

	check_service_type(check, at, spec);
	for (const struct tree_node *b = ports; b; b = b->next, i++) {
		const struct gw_place *place = GW_AT_ITEM(at, "ports", i);
		uint32_t j = 0;

		check_service_port(check, place, spec, b);
		for (const struct tree_node *a = ports; a != b;
		     a = a->next, j++)
			check_port_pair(check, place, a, b, j);
	}
	gw_check_labels(
	    check, GW_AT(at, "selector"), wire_tree_get(spec, "selector"));
	check_distribution(check, at, spec);
	check_addresses(check, at, "clusterIPs", first_of(spec, "clusterIPs"));
	check_addresses(
	    check, at, "externalIPs", first_of(spec, "externalIPs"));
}

/* ---- Namespace ---- */

static void
check_namespace(struct gw_check *check)
{
	gw_check_finalizers(check, GW_AT(NULL, "spec"),
	    wire_tree_get(check->document, "spec"), false);
}

/* ---- EndpointSlice ---- */

static void
check_endpoint(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *endpoint, struct slice type)
{
	bool is_name = slice_equal(type, SLICE("FQDN"));
	unsigned wanted = slice_equal(type, SLICE("IPv6")) ? 6 : 4;
	const struct tree_node *address = first_of(endpoint, "addresses");
	struct slice hostname = text_of(endpoint, "hostname");

	for (unsigned i = 0; address; address = address->next, i++) {
		char canonical[GW_ADDRESS_BYTES];
		unsigned family = 0;
		bool is_ip =
		    gw_form_is_address(address->text, canonical, &family);

		gw_check_form(check, GW_FINDING_ADDRESS_INVALID,
		    GW_AT_ITEM(place, "addresses", i), address->text,
		    is_name ? wire_is_hostname(address->text, false)
		            : is_ip && family == wanted,
		    is_name           ? "a hostname"
		        : wanted == 6 ? "an IPv6 address"
		                      : "an IPv4 address");
	}
	if (hostname.length > 0)
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(place, "hostname"), hostname,
		    gw_form_is_label(hostname), "a name of one label");
}

static void
check_endpointslice(struct gw_check *check)
{
	const struct tree_node *document = check->document;
	const struct tree_node *endpoint = first_of(document, "endpoints");
	const struct tree_node *ports = first_of(document, "ports");
	struct slice type = text_of(document, "addressType");
	uint32_t i = 0;

	for (; endpoint; endpoint = endpoint->next, i++)
		check_endpoint(
		    check, GW_AT_ITEM(NULL, "endpoints", i), endpoint, type);
	i = 0;
	for (const struct tree_node *b = ports; b; b = b->next, i++) {
		const struct gw_place *place = GW_AT_ITEM(NULL, "ports", i);
		struct slice name = text_of(b, "name");

		if (name.length > 0)
			gw_check_form(check, GW_FINDING_NAME_INVALID,
			    GW_AT(place, "name"), name, gw_form_is_label(name),
			    "a port's name");
		for (const struct tree_node *a = ports; a != b; a = a->next)
			if (is_same(a, b, "name")) {
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT(place, "name"),
				    "another port has the same name");
				break;
			}
	}
}

/* ---- Secret, ConfigMap ---- */

enum { DATA_BYTES_MAX = 1024 * 1024 };

/* Keys are file names; the sum of what they hold is bounded. */
static size_t
check_data(struct gw_check *check, const char *field, bool is_base64)
{
	size_t bytes = 0;

	for (const struct tree_node *entry = first_of(check->document, field);
	     entry; entry = entry->next) {
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT_KEY(NULL, field, entry->key), entry->key,
		    gw_form_is_file_name(entry->key),
		    "a key: letters, digits, '-', '_' and '.'");
		bytes +=
		    is_base64 ? entry->text.length / 4 * 3 : entry->text.length;
	}
	return bytes;
}

static void
check_data_size(struct gw_check *check, size_t bytes)
{
	if (bytes > DATA_BYTES_MAX)
		gw_check_report(check, GW_FINDING_TOO_MANY, GW_AT(NULL, "data"),
		    "%zu bytes in all, at most %d are allowed", bytes,
		    DATA_BYTES_MAX);
}

static bool
has_data(const struct gw_check *check, const char *key)
{
	const struct tree_node *data = wire_tree_get(check->document, "data");
	const struct tree_node *more =
	    wire_tree_get(check->document, "stringData");

	return (data && wire_tree_get(data, key)) ||
	    (more && wire_tree_get(more, key));
}

static void
need_data(struct gw_check *check, const char *key)
{
	if (has_data(check, key))
		return;
	gw_check_report(check, GW_FINDING_FIELD_MISSING,
	    GW_AT_KEY(NULL, "data", slice_from_string(key)),
	    "%s must be set when type is %.*s", key,
	    SLICE_ARGS(text_of(check->document, "type")));
}

static void
check_secret(struct gw_check *check)
{
	static const struct {
		const char *type, *keys[2];
	} types[] = {
	    {"kubernetes.io/tls", {"tls.crt", "tls.key"}},
	    {"kubernetes.io/ssh-auth", {"ssh-privatekey", NULL}},
	    {"kubernetes.io/dockercfg", {".dockercfg", NULL}},
	    {"kubernetes.io/dockerconfigjson", {".dockerconfigjson", NULL}},
	};

	check_data_size(check,
	    check_data(check, "data", true) +
	        check_data(check, "stringData", false));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t j = 0; j < 2; j++)
			if (types[i].keys[j] &&
			    is(check->document, "type", types[i].type))
				need_data(check, types[i].keys[j]);
	if (is(check->document, "type", "kubernetes.io/basic-auth") &&
	    !has_data(check, "username"))
		need_data(check, "password");
}

static void
check_configmap(struct gw_check *check)
{
	const struct tree_node *binary =
	    wire_tree_get(check->document, "binaryData");

	check_data_size(check,
	    check_data(check, "data", false) +
	        check_data(check, "binaryData", true));
	for (const struct tree_node *entry = first_of(check->document, "data");
	     entry && binary; entry = entry->next)
		for (const struct tree_node *other = binary->child; other;
		     other = other->next)
			if (slice_equal(entry->key, other->key))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT_KEY(NULL, "data", entry->key),
				    "%.*s is in binaryData too",
				    SLICE_ARGS(entry->key));
}
