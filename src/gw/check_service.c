/* Checks of Services: what an API server says of them in code, as far as their
 * schema cannot. What a cluster gives out (addresses, ports of nodes) is held
 * to its form, not to what that cluster has. */
#include "gw/check_priv.h"
#include "gw/form.h"

static void
forbid(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *map, const char *key, const char *why)
{
	if (wire_tree_get(map, key))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(place, key), "must not be set when %s", why);
}

static bool
is_headless(const struct tree_node *spec)
{
	const struct tree_node *first = gw_check_first(spec, "clusterIPs");

	return first && !first->next && slice_equal(first->text, SLICE("None"));
}

/* ---- ports ---- */

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
	int64_t node_port = gw_check_number(b, "nodePort");

	if (gw_check_text(b, "name").length > 0 && gw_check_same(a, b, "name"))
		gw_check_report(check, GW_FINDING_DUPLICATE,
		    GW_AT(place, "name"), "ports[%u] has the same name", j);
	if (!gw_check_same(a, b, "protocol"))
		return;
	if (gw_check_number(a, "port") == gw_check_number(b, "port"))
		gw_check_report(check, GW_FINDING_DUPLICATE, place,
		    "ports[%u] has the same port and protocol", j);
	if (node_port != 0 && gw_check_number(a, "nodePort") == node_port)
		gw_check_report(check, GW_FINDING_DUPLICATE,
		    GW_AT(place, "nodePort"),
		    "ports[%u] has the same nodePort and protocol", j);
}

static void
check_port(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *spec, const struct tree_node *port)
{
	struct slice name = gw_check_text(port, "name");

	if (name.length > 0)
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(place, "name"), name, gw_form_is_label(name),
		    "a port's name");
	else if (gw_check_count(spec, "ports") > 1)
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT(place, "name"),
		    "must be set when there are several ports");
	check_target_port(check, GW_AT(place, "targetPort"),
	    wire_tree_get(port, "targetPort"));
	gw_check_qualified(check, GW_AT(place, "appProtocol"),
	    wire_tree_get(port, "appProtocol"));
	if (gw_check_is(spec, "type", "ClusterIP") &&
	    gw_check_number(port, "nodePort") != 0)
		forbid(check, place, port, "nodePort", "type is ClusterIP");
}

static void
check_ports(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	const struct tree_node *ports = gw_check_first(spec, "ports");
	uint32_t i = 0;

	for (const struct tree_node *b = ports; b; b = b->next, i++) {
		const struct gw_place *place = GW_AT_ITEM(at, "ports", i);
		uint32_t j = 0;

		check_port(check, place, spec, b);
		for (const struct tree_node *a = ports; a != b;
		     a = a->next, j++)
			check_port_pair(check, place, a, b, j);
	}
}

/* ---- addresses ---- */

static void
check_external_addresses(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	static const char *const scopes[] = {
	    [GW_SCOPE_UNSPECIFIED] = "nobody's address",
	    [GW_SCOPE_LOOPBACK] = "a loopback address",
	    [GW_SCOPE_LINK] = "a link-local address",
	    [GW_SCOPE_LINK_MULTICAST] = "a multicast address",
	};
	const struct tree_node *address = gw_check_first(spec, "externalIPs");

	for (unsigned i = 0; address; address = address->next, i++) {
		const struct gw_place *place = GW_AT_ITEM(at, "externalIPs", i);
		enum gw_scope scope = gw_form_scope(address->text);
		char canonical[GW_ADDRESS_BYTES];
		unsigned family;

		gw_check_form(check, GW_FINDING_ADDRESS_INVALID, place,
		    address->text,
		    gw_form_is_address(address->text, canonical, &family),
		    "an IP address");
		if (scope != GW_SCOPE_WIDE)
			gw_check_report(check, GW_FINDING_ADDRESS_INVALID,
			    place, "must not be %s", scopes[scope]);
	}
}

/* The older field, which has one address, and the list of all say the same. */
static void
check_address_fields(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *spec)
{
	const struct tree_node *all = gw_check_first(spec, "clusterIPs");
	struct slice one = gw_check_text(spec, "clusterIP");

	if (one.length == 0 && all)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, place,
		    "must not be set when clusterIP is not");
	else if (one.length > 0 && (!all || !slice_equal(all->text, one)))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, place,
		    "the first must be what clusterIP says");
}

/* The families of the first two addresses; false: one is none. */
static bool
check_cluster_addresses(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec, unsigned families[2])
{
	const struct gw_place *place = GW_AT(at, "clusterIPs");
	const struct tree_node *address = gw_check_first(spec, "clusterIPs");
	uint32_t count = gw_check_count(spec, "clusterIPs");
	bool good = true;

	for (unsigned i = 0; address; address = address->next, i++) {
		char canonical[GW_ADDRESS_BYTES];
		unsigned family = 0;

		if (i == 0 && slice_equal(address->text, SLICE("None"))) {
			good = count == 1;
			if (!good)
				gw_check_report(check,
				    GW_FINDING_FIELDS_DISAGREE, place,
				    "None must be the only entry");
			continue;
		}
		bool is_address =
		    gw_form_is_address(address->text, canonical, &family);

		good = good && is_address;
		gw_check_form(check, GW_FINDING_ADDRESS_INVALID,
		    GW_AT_ITEM(at, "clusterIPs", i), address->text, is_address,
		    "an IP address");
		if (i < 2)
			families[i] = family;
	}
	if (count > 2)
		gw_check_report(check, GW_FINDING_OUT_OF_RANGE, place,
		    "has %u items; at most 2 are allowed", count);
	return good;
}

/* No family of addresses twice; the addresses are of the families told. */
static void
check_families(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec, const unsigned families[2])
{
	const struct tree_node *family = gw_check_first(spec, "ipFamilies");

	if (families[0] != 0 && families[0] == families[1])
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(at, "clusterIPs"),
		    "must have no two addresses of one family");
	for (unsigned i = 0; i < 2 && family; family = family->next, i++)
		if (families[i] != 0 &&
		    (families[i] == 6) !=
		        slice_equal(family->text, SLICE("IPv6")))
			gw_check_report(check, GW_FINDING_ADDRESS_INVALID,
			    GW_AT_ITEM(at, "clusterIPs", i),
			    "is not of the family that ipFamilies[%u] says", i);
}

static void
check_cluster(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	const struct tree_node *first = gw_check_first(spec, "ipFamilies");
	/* Of a headless Service for whoever makes its endpoints, both. */
	bool both = gw_check_is(spec, "clusterIP", "None") &&
	    gw_check_count(spec, "selector") == 0;
	bool single = wire_tree_get(spec, "ipFamilyPolicy")
	    ? gw_check_is(spec, "ipFamilyPolicy", "SingleStack")
	    : !both;
	unsigned families[2] = {0, 0}, i = 0;

	check_address_fields(check, GW_AT(at, "clusterIPs"), spec);
	for (const struct tree_node *b = first; b; b = b->next, i++)
		for (const struct tree_node *a = first; a != b; a = a->next)
			if (slice_equal(a->text, b->text)) {
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT_ITEM(at, "ipFamilies", i),
				    "comes twice");
				break;
			}
	if (check_cluster_addresses(check, at, spec, families))
		check_families(check, at, spec, families);
	if (single &&
	    (gw_check_count(spec, "clusterIPs") == 2 ||
	        gw_check_count(spec, "ipFamilies") == 2))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(at, "ipFamilyPolicy"),
		    "must be RequireDualStack or PreferDualStack when there "
		    "are two families");
}

/* ---- what the type allows ---- */

static void
check_external_name(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	static const char why[] = "type is ExternalName";
	struct slice name = gw_check_text(spec, "externalName");

	if (slice_ends_with(name, SLICE(".")))
		name.length--;
	if (name.length == 0)
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT(at, "externalName"),
		    "must be set when type is ExternalName");
	else
		gw_check_form(check, GW_FINDING_HOSTNAME_INVALID,
		    GW_AT(at, "externalName"), name, gw_form_is_name(name),
		    "a hostname");
	if (gw_check_count(spec, "clusterIPs") > 0)
		forbid(check, at, spec, "clusterIPs", why);
	if (gw_check_count(spec, "ipFamilies") > 0)
		forbid(check, at, spec, "ipFamilies", why);
	forbid(check, at, spec, "ipFamilyPolicy", why);
}

static const struct tree_node *
annotation(const struct gw_check *check, const char *key)
{
	const struct tree_node *metadata =
	    wire_tree_get(check->document, "metadata");
	const struct tree_node *all =
	    metadata ? wire_tree_get(metadata, "annotations") : NULL;

	return all ? wire_tree_get(all, key) : NULL;
}

static void
check_range(
    struct gw_check *check, const struct gw_place *place, struct slice range)
{
	range = slice_trim(range);
	gw_check_form(check, GW_FINDING_ADDRESS_INVALID, place, range,
	    gw_form_is_prefix(range),
	    "a range of addresses, as in 10.0.0.0/8 or 2001:db8::/32");
}

/* Who may come in: a list, or the annotation that was there before it. */
static void
check_ranges(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec, bool balanced)
{
	static const char key[] =
	    "service.beta.kubernetes.io/load-balancer-source-ranges";
	const struct tree_node *range =
	    gw_check_first(spec, "loadBalancerSourceRanges");
	const struct tree_node *older = range ? NULL : annotation(check, key);
	const struct gw_place *place = GW_AT_KEY(
	    GW_AT(NULL, "metadata"), "annotations", slice_from_string(key));
	struct slice rest, part;

	if (range && !balanced)
		forbid(check, at, spec, "loadBalancerSourceRanges",
		    "type is not LoadBalancer");
	for (unsigned i = 0; range; range = range->next, i++)
		check_range(check,
		    GW_AT_ITEM(at, "loadBalancerSourceRanges", i), range->text);
	if (!older)
		return;
	if (!balanced)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, place,
		    "must not be set when type is not LoadBalancer");
	rest = slice_trim(older->text);
	while (rest.length > 0 && slice_cut(&rest, ',', &part))
		check_range(check, place, part);
}

static void
check_health_port(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec, bool balanced)
{
	const struct gw_place *place = GW_AT(at, "healthCheckNodePort");
	int64_t port = gw_check_number(spec, "healthCheckNodePort");

	if (port == 0)
		return;
	if (!balanced || !gw_check_is(spec, "externalTrafficPolicy", "Local"))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, place,
		    "must not be set unless type is LoadBalancer and "
		    "externalTrafficPolicy is Local");
	else if (port < 1 || port > UINT16_MAX)
		gw_check_report(check, GW_FINDING_OUT_OF_RANGE, place,
		    "%lld is not within 1 and 65535", (long long)port);
}

static void
check_affinity(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	enum { SECONDS_MAX = 24 * 60 * 60 };
	const struct tree_node *config =
	    wire_tree_get(spec, "sessionAffinityConfig");
	const struct tree_node *client =
	    config ? wire_tree_get(config, "clientIP") : NULL;
	int64_t seconds = gw_check_number(client, "timeoutSeconds");

	if (client && (seconds < 1 || seconds > SECONDS_MAX))
		gw_check_report(check, GW_FINDING_OUT_OF_RANGE,
		    GW_AT(GW_AT(GW_AT(at, "sessionAffinityConfig"), "clientIP"),
		        "timeoutSeconds"),
		    "%lld is not within 1 and %d", (long long)seconds,
		    SECONDS_MAX);
}

static void
check_type(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	bool balanced = gw_check_is(spec, "type", "LoadBalancer");
	bool outside = balanced || gw_check_is(spec, "type", "NodePort");

	if (gw_check_is(spec, "type", "ExternalName"))
		check_external_name(check, at, spec);
	else if (gw_check_count(spec, "ports") == 0 && !is_headless(spec))
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT(at, "ports"),
		    "must be set, except in a headless or "
		    "ExternalName Service");
	if (outside && is_headless(spec))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT_ITEM(at, "clusterIPs", 0),
		    "must not be None when type is LoadBalancer or NodePort");
	if (balanced) {
		gw_check_qualified(check, GW_AT(at, "loadBalancerClass"),
		    wire_tree_get(spec, "loadBalancerClass"));
	} else {
		forbid(check, at, spec, "allocateLoadBalancerNodePorts",
		    "type is not LoadBalancer");
		forbid(check, at, spec, "loadBalancerClass",
		    "type is not LoadBalancer");
	}
	check_ranges(check, at, spec, balanced);
	if (!outside &&
	    (!gw_check_is(spec, "type", "ClusterIP") ||
	        gw_check_count(spec, "externalIPs") == 0))
		forbid(check, at, spec, "externalTrafficPolicy",
		    "nothing outside can reach the Service");
	check_health_port(check, at, spec, balanced);
}

static void
check_distribution(struct gw_check *check, const struct gw_place *at,
    const struct tree_node *spec)
{
	static const char *const words[] = {
	    "PreferClose", "PreferSameZone", "PreferSameNode"};
	bool known = wire_tree_get(spec, "trafficDistribution") == NULL;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		known =
		    known || gw_check_is(spec, "trafficDistribution", words[i]);
	gw_check_form(check, GW_FINDING_CHOICE_UNKNOWN,
	    GW_AT(at, "trafficDistribution"),
	    gw_check_text(spec, "trafficDistribution"), known,
	    "PreferClose, PreferSameZone or PreferSameNode");
}

/* Two annotations for one thing. */
static void
check_topology(struct gw_check *check)
{
	static const char key[] = "service.kubernetes.io/topology-mode";
	const struct tree_node *mode = annotation(check, key);
	const struct tree_node *hints =
	    annotation(check, "service.kubernetes.io/topology-aware-hints");

	if (mode && hints && !slice_equal(mode->text, hints->text))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT_KEY(GW_AT(NULL, "metadata"), "annotations",
		        slice_from_string(key)),
		    "must be what "
		    "service.kubernetes.io/topology-aware-hints is");
}

void
gw_check_service(struct gw_check *check)
{
	const struct tree_node *spec = wire_tree_get(check->document, "spec");
	const struct gw_place *at = GW_AT(NULL, "spec");

	check_topology(check);
	check_type(check, at, spec);
	check_ports(check, at, spec);
	gw_check_labels(
	    check, GW_AT(at, "selector"), wire_tree_get(spec, "selector"));
	check_distribution(check, at, spec);
	check_affinity(check, at, spec);
	if (!gw_check_is(spec, "type", "ExternalName"))
		check_cluster(check, at, spec);
	check_external_addresses(check, at, spec);
}
