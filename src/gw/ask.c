/* What a Gateway asks for: in spec.addresses, as Gateway API has it, and in the
 * annotations of spec.infrastructure, as MetalLB has them on Services, by their
 * old names too. Both ways count alike. */
#include "core/limit.h"
#include "core/must.h"
#include "gw/state_priv.h"

/* The annotation of MetalLB's of that name, the new domain before the old one;
 * absent: there is none. */
static struct slice
annotation(const struct gw_infrastructure *infrastructure, struct slice name)
{
	static const struct slice domains[] = {
	    SLICE("metallb.io/"), SLICE("metallb.universe.tf/")};

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		for (uint32_t j = 0;
		     infrastructure && j < infrastructure->annotations_count;
		     j++) {
			const struct record_pair *pair =
			    &infrastructure->annotations[j];

			if (slice_starts_with(pair->key, domains[i]) &&
			    slice_equal(
			        slice_skip(pair->key, domains[i].length), name))
				return pair->value;
		}
	return SLICE_NONE;
}

static void
add_named(struct gw_ask *ask, const struct addr_ip *ip, struct slice where)
{
	for (uint32_t i = 0; i < ask->named_count; i++)
		if (addr_ip_compare(&ask->named[i].ip, ip) == 0)
			return;
	ask->named[ask->named_count++] =
	    (struct gw_asked){.ip = *ip, .where = where};
}

static void
refuse(struct gw_owner_node *gateway, struct slice message)
{
	if (gateway->refused)
		return;
	gateway->refused = "UnsupportedAddress";
	gateway->message = message;
}

static void
read_address(struct gw_owner_node *gateway,
    const struct gw_gateway_address *address, uint32_t index)
{
	struct gw_ask *ask = &gateway->ask;
	struct arena *arena = &gateway->arena;
	struct addr_ip ip;

	if (slice_equal(address->type, SLICE("Hostname")))
		refuse(gateway,
		    arena_format(arena,
		        "spec.addresses[%u].type: Hostname is not supported, "
		        "for yumen keeps no DNS: leave it out, and let the "
		        "name lead to the address in status.addresses",
		        index));
	else if (!slice_equal(address->type, SLICE("IPAddress")))
		refuse(gateway,
		    arena_format(arena,
		        "spec.addresses[%u].type: %.*s is not supported, only "
		        "IPAddress is",
		        index, SLICE_ARGS(address->type)));
	else if (address->routability.length > 0)
		refuse(gateway,
		    arena_format(arena,
		        "spec.addresses[%u].routability: \"%.*s\" is not "
		        "supported",
		        index, SLICE_ARGS(address->routability)));
	else if (address->value.length == 0)
		ask->some++;
	else if (addr_ip_parse(address->value, &ip))
		add_named(ask, &ip,
		    arena_format(arena, "spec.addresses[%u].value", index));
	else if (!slice_is_set(ask->fault))
		ask->fault = arena_format(arena,
		    "spec.addresses[%u].value: \"%.*s\" is no IP address that "
		    "can be served",
		    index, SLICE_ARGS(address->value));
}

#define ANNOTATIONS "spec.infrastructure.annotations"

/* A list with commas. */
static void
read_list(struct gw_owner_node *gateway, struct slice list)
{
	struct gw_ask *ask = &gateway->ask;
	uint32_t count = 0;
	struct slice one;

	while (slice_cut(&list, ',', &one)) {
		struct addr_ip ip;

		one = slice_trim(one);
		if (++count > LIMIT_VALUE_ASKED_ADDRESSES) {
			ask->fault = arena_format(&gateway->arena,
			    ANNOTATIONS ": metallb.io/loadBalancerIPs names "
			                "more than %d addresses",
			    LIMIT_VALUE_ASKED_ADDRESSES);
			return;
		}
		if (addr_ip_parse(one, &ip))
			add_named(ask, &ip,
			    SLICE(ANNOTATIONS ": metallb.io/loadBalancerIPs"));
		else if (!slice_is_set(ask->fault))
			ask->fault = arena_format(&gateway->arena,
			    ANNOTATIONS ": metallb.io/loadBalancerIPs: "
			                "\"%.*s\" is no IP address",
			    SLICE_ARGS(one));
	}
}

void
gw_ask_read(struct gw_owner_node *gateway)
{
	must(gateway != NULL && gateway->node.kind == GW_GATEWAY);
	const struct gw_gateway_spec *spec =
	    gateway->node.object->gateway->spec;
	struct gw_ask *ask = &gateway->ask;
	struct slice list =
	    annotation(spec->infrastructure, SLICE("loadBalancerIPs"));

	*ask = (struct gw_ask){
	    .named = arena_zero(&gateway->arena,
	        spec->addresses_count + LIMIT_VALUE_ASKED_ADDRESSES,
	        sizeof(*ask->named)),
	    .pool = annotation(spec->infrastructure, SLICE("address-pool")),
	    .share = annotation(spec->infrastructure, SLICE("allow-shared-ip")),
	};
	for (uint32_t i = 0; i < spec->addresses_count; i++)
		read_address(gateway, &spec->addresses[i], i);
	if (slice_is_set(list))
		read_list(gateway, list);
	if (ask->named_count == 0 && !slice_is_set(ask->fault) &&
	    ask->some == 0)
		ask->some = 1;
}
