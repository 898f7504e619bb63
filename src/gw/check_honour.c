/* What an object that is admitted has and yumen does not honour yet, told at
 * once; gw/honour.c decides. */
#include "addr/ip.h"
#include "gw/check_priv.h"
#include "gw/form.h"
#include "gw/honour.h"

/* Gateway API leaves selectors to who reads them: one that makes no sense is
 * admitted, and selects nothing. */
static void
warn_selector(struct gw_check *check, const struct gw_place *place,
    const struct gw_label_selector *selector)
{
	const char *fault = gw_honour_selector_fault(selector);

	if (fault)
		gw_check_report(check, GW_FINDING_SELECTOR_INVALID, place,
		    "%s: nothing is selected", fault);
}

static void
warn_selectors(struct gw_check *check, const struct gw_place *place,
    const char *list, const struct gw_label_selector *selectors, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		warn_selector(check, GW_AT_ITEM(place, list, i), &selectors[i]);
}

static void
warn_listener(struct gw_check *check, const struct gw_place *place,
    const struct gw_listener *listener)
{
	const struct gw_route_namespaces *namespaces = listener->allowed_routes
	    ? listener->allowed_routes->namespaces
	    : NULL;

	if (namespaces && namespaces->selector)
		warn_selector(check,
		    GW_AT(GW_AT(GW_AT(place, "allowedRoutes"), "namespaces"),
		        "selector"),
		    namespaces->selector);
	if (listener->filters && listener->filters->requests_count > 0)
		gw_check_report(check, GW_FINDING_REFUSED,
		    GW_AT(place, "filters"),
		    "filters of listeners are not supported yet: the listener "
		    "is not served");
}

static void
warn_allowed_listeners(struct gw_check *check, const struct gw_place *spec,
    const struct gw_allowed_listeners *allowed)
{
	const struct gw_listener_namespaces *namespaces =
	    allowed ? allowed->namespaces : NULL;

	if (namespaces && namespaces->selector)
		warn_selector(check,
		    GW_AT(GW_AT(GW_AT(spec, "allowedListeners"), "namespaces"),
		        "selector"),
		    namespaces->selector);
}

static void
warn_listenerset(struct gw_check *check, const struct gw_listenerset_spec *spec)
{
	const struct gw_place *at = GW_AT(NULL, "spec");

	for (uint32_t i = 0; i < spec->listeners_count; i++)
		warn_listener(
		    check, GW_AT_ITEM(at, "listeners", i), &spec->listeners[i]);
}

static void
warn_gateway(struct gw_check *check, const struct gw_gateway_spec *spec)
{
	const struct gw_place *at = GW_AT(NULL, "spec");

	for (uint32_t i = 0; i < spec->listeners_count; i++)
		warn_listener(
		    check, GW_AT_ITEM(at, "listeners", i), &spec->listeners[i]);
	if (slice_equal(spec->default_scope, SLICE("All")))
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(at, "defaultScope"),
		    "default Gateways are not supported yet");
	warn_allowed_listeners(check, at, spec->allowed_listeners);
}

static void
warn_match(struct gw_check *check, const struct gw_place *place, bool good,
    const struct text *fault)
{
	if (!good)
		gw_check_report(check, GW_FINDING_REFUSED, place,
		    "%.*s: the match takes no request",
		    SLICE_ARGS(text_slice(fault)));
}

/* Of an HTTPRoute's rule or a GRPCRoute's. */
static void
warn_matches(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_rule *http, const struct gw_grpc_rule *grpc)
{
	uint32_t count = grpc ? grpc->matches_count : http->matches_count;
	struct text fault;

	text_init(&fault);
	for (uint32_t i = 0; i < count; i++) {
		text_reset(&fault);
		warn_match(check, GW_AT_ITEM(place, "matches", i),
		    grpc ? gw_honour_call(&grpc->matches[i], &fault)
		         : gw_honour_match(&http->matches[i], &fault),
		    &fault);
	}
	text_fini(&fault);
}

static void
warn_rule(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_rule *rule)
{
	struct gw_honour honour;

	gw_honour_rule(rule, &honour);
	if (honour.refused)
		gw_check_report(check, GW_FINDING_REFUSED, place,
		    "%s: the rule is not served", honour.refused);
	for (unsigned i = 0; i < honour.ignored_count; i++)
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(place, honour.ignored[i]), "%s is not supported yet",
		    honour.ignored[i]);
}

static void
warn_route(struct gw_check *check, const struct gw_object *object)
{
	const struct gw_httproute_spec *spec = object->route;
	const struct gw_place *at = GW_AT(NULL, "spec");

	for (uint32_t i = 0; i < spec->rules_count; i++) {
		const struct gw_place *rule = GW_AT_ITEM(at, "rules", i);

		warn_matches(check, rule, &spec->rules[i],
		    object->kind == GW_GRPCROUTE
		        ? &object->grpcroute->spec->rules[i]
		        : NULL);
		warn_rule(check, rule, &spec->rules[i]);
	}
	if (slice_equal(spec->use_default_gateways, SLICE("All")))
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(at, "useDefaultGateways"),
		    "default Gateways are not supported yet");
}

static void
warn_pool(struct gw_check *check, const struct gw_ipaddresspool_spec *spec)
{
	const struct gw_place *at = GW_AT(NULL, "spec");
	const struct gw_place *given = GW_AT(at, "serviceAllocation");
	const struct gw_service_allocation *allocation =
	    spec->service_allocation;
	struct addr_range range;

	for (uint32_t i = 0; i < spec->addresses_count; i++) {
		const char *fault =
		    addr_range_parse(spec->addresses[i], &range);

		if (fault)
			gw_check_report(check, GW_FINDING_RANGE_INVALID,
			    GW_AT_ITEM(at, "addresses", i), "\"%.*s\": %s",
			    SLICE_ARGS(spec->addresses[i]), fault);
	}
	if (!allocation)
		return;
	warn_selectors(check, given, "namespaceSelectors",
	    allocation->namespace_selectors,
	    allocation->namespace_selectors_count);
	warn_selectors(check, given, "serviceSelectors",
	    allocation->service_selectors, allocation->service_selectors_count);
}

static void
warn_l2advertisement(
    struct gw_check *check, const struct gw_l2advertisement_spec *spec)
{
	const struct gw_place *at = GW_AT(NULL, "spec");

	if (!spec)
		return;
	warn_selectors(check, at, "ipAddressPoolSelectors",
	    spec->ip_address_pool_selectors,
	    spec->ip_address_pool_selectors_count);
	warn_selectors(check, at, "nodeSelectors", spec->node_selectors,
	    spec->node_selectors_count);
	for (uint32_t i = 0; i < spec->preferred_nodes_count; i++)
		if (spec->preferred_nodes[i].preference)
			warn_selector(check,
			    GW_AT(GW_AT_ITEM(at, "preferredNodeSelectors", i),
			        "preference"),
			    spec->preferred_nodes[i].preference);
	warn_selectors(check, at, "serviceSelectors", spec->service_selectors,
	    spec->service_selectors_count);
}

static void
warn_bgpadvertisement(
    struct gw_check *check, const struct gw_bgpadvertisement_spec *spec)
{
	if (spec)
		warn_selectors(check, GW_AT(NULL, "spec"),
		    "ipAddressPoolSelectors", spec->ip_address_pool_selectors,
		    spec->ip_address_pool_selectors_count);
}

void
gw_check_honour(struct gw_check *check, const struct gw_object *object)
{
	switch (object->kind) {
	case GW_GATEWAY:
		warn_gateway(check, object->gateway->spec);
		break;
	case GW_LISTENERSET:
		warn_listenerset(check, object->listenerset->spec);
		break;
	case GW_HTTPROUTE:
	case GW_GRPCROUTE:
	case GW_TLSROUTE:
	case GW_TCPROUTE:
	case GW_UDPROUTE:
		warn_route(check, object);
		break;
	case GW_ENDPOINTSLICE:
		if (slice_equal(
		        object->endpointslice->address_type, SLICE("FQDN")))
			gw_check_report(check, GW_FINDING_NOT_HONOURED,
			    GW_AT(NULL, "addressType"),
			    "endpoints by name are not supported: the slice "
			    "is not used");
		break;
	case GW_IPADDRESSPOOL:
		warn_pool(check, object->ipaddresspool->spec);
		break;
	case GW_L2ADVERTISEMENT:
		warn_l2advertisement(check, object->l2advertisement->spec);
		break;
	case GW_BGPADVERTISEMENT:
		warn_bgpadvertisement(check, object->bgpadvertisement->spec);
		break;
	case GW_GATEWAYCLASS:
	case GW_BACKENDTLSPOLICY:
	case GW_REFERENCEGRANT:
	case GW_XBACKEND:
	case GW_SERVICE:
	case GW_CONFIGMAP:
	case GW_CLUSTERTRUSTBUNDLE:
	case GW_SECRET:
	case GW_NAMESPACE:
	case GW_NODE:
	default:
		break;
	}
}
