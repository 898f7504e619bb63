/* What a Gateway asks for: in spec.addresses, as Gateway API has it, and in the
 * annotations that its Service gets of spec.infrastructure or of an EnvoyProxy,
 * as MetalLB has them on Services, by their old names too. All ways count
 * alike. And what a Service asks for. */
#include "core/limit.h"
#include "core/must.h"
#include "gw/fleet_priv.h"

/* Whose annotations are read. */
struct source {
	const struct gw_metadata *metadata;
	const struct gw_owner_node *gateway; /* NULL: a Service's own */
	struct arena *arena;
};

/* The annotation of MetalLB's of that name, the new domain before the old one;
 * NULL: there is none. */
static const struct record_pair *
annotation(const struct source *source, struct slice name)
{
	static const struct slice domains[] = {
	    SLICE("metallb.io/"), SLICE("metallb.universe.tf/")};
	const struct gw_metadata *metadata = source->metadata;

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		for (uint32_t j = 0; j < metadata->annotations_count; j++) {
			const struct record_pair *pair =
			    &metadata->annotations[j];

			if (slice_starts_with(pair->key, domains[i]) &&
			    slice_equal(
			        slice_skip(pair->key, domains[i].length), name))
				return pair;
		}
	return NULL;
}

static struct slice
value_of(const struct record_pair *pair)
{
	return pair ? pair->value : SLICE_NONE;
}

/* "true" for the annotation of that name. */
static bool
is_said(const struct gw_metadata *metadata, struct slice name)
{
	for (uint32_t i = 0; i < metadata->annotations_count; i++)
		if (slice_equal(metadata->annotations[i].key, name))
			return slice_equal(
			    metadata->annotations[i].value, SLICE("true"));
	return false;
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

/* A list with commas. */
static void
read_list(struct gw_ask *ask, struct arena *arena, struct slice list,
    struct slice where)
{
	uint32_t count = 0;
	struct slice one;

	while (slice_cut(&list, ',', &one)) {
		struct addr_ip ip;

		one = slice_trim(one);
		if (++count > LIMIT_VALUE_ASKED_ADDRESSES) {
			ask->fault = arena_format(arena,
			    "%.*s names more than %d addresses",
			    SLICE_ARGS(where), LIMIT_VALUE_ASKED_ADDRESSES);
			return;
		}
		if (addr_ip_parse(one, &ip))
			add_named(ask, &ip, where);
		else if (!slice_is_set(ask->fault))
			ask->fault = arena_format(arena,
			    "%.*s: \"%.*s\" is no IP address",
			    SLICE_ARGS(where), SLICE_ARGS(one));
	}
}

/* By an EnvoyProxy; absent: by the object itself. */
static struct slice
tell_other(const struct source *source, const struct record_pair *pair)
{
	struct slice where = pair && source->gateway
	    ? gw_fleet_said_where(source->gateway, pair->key, source->arena)
	    : SLICE_NONE;

	return slice_is_set(where)
	    ? arena_format(source->arena, "%.*s: %.*s", SLICE_ARGS(where),
	          SLICE_ARGS(pair->key))
	    : SLICE_NONE;
}

static struct slice
tell_where(const struct source *source, const struct record_pair *pair)
{
	struct slice other = tell_other(source, pair);

	return slice_is_set(other)
	    ? other
	    : arena_format(source->arena, "%s: %.*s",
	          source->gateway ? "spec.infrastructure.annotations"
	                          : "metadata.annotations",
	          SLICE_ARGS(pair->key));
}

/* room: of addresses that are named elsewhere. */
static void
read_annotations(struct gw_ask *ask, const struct source *source, uint32_t room)
{
	const struct record_pair *list =
	    annotation(source, SLICE("loadBalancerIPs"));
	const struct record_pair *pool =
	    annotation(source, SLICE("address-pool"));

	*ask = (struct gw_ask){
	    .named = arena_zero(source->arena,
	        room + 2 * LIMIT_VALUE_ASKED_ADDRESSES, sizeof(*ask->named)),
	    .pool = value_of(pool),
	    .pool_where = tell_other(source, pool),
	    .share = value_of(annotation(source, SLICE("allow-shared-ip"))),
	};
	if (list)
		read_list(
		    ask, source->arena, list->value, tell_where(source, list));
}

/* Who names none, and none that is not understood, gets one. */
static void
ask_for_one(struct gw_ask *ask)
{
	if (ask->named_count == 0 && !slice_is_set(ask->fault) &&
	    ask->some == 0)
		ask->some = 1;
}

void
gw_ask_read(const struct gw_state *state, struct gw_owner_node *gateway)
{
	must(gateway != NULL && gateway->node.kind == GW_GATEWAY);
	const struct gw_gateway_spec *spec =
	    gateway->node.object->gateway->spec;
	const struct source source = {.metadata = gateway->said,
	    .gateway = gateway,
	    .arena = &gateway->arena};
	struct gw_ask *ask = &gateway->ask;
	struct slice where;
	struct slice ip = gw_fleet_said_ip(gateway, &gateway->arena, &where);

	read_annotations(ask, &source, spec->addresses_count);
	if (ip.length > 0)
		read_list(ask, &gateway->arena, ip, where);
	ask->names_us = is_said(gateway->said, SLICE(GW_BALANCER_CLASS));
	for (uint32_t i = 0; i < spec->addresses_count; i++)
		read_address(gateway, &spec->addresses[i], i);
	ask_for_one(ask);
	ask->want = ask->some > 1 ? ADDR_BOTH_IF_CAN : ADDR_EITHER;
	/* Its pods are nobody else's. */
	if (gw_fleet_is_local(state, gateway))
		ask->backend = gw_node_key(&gateway->node);
}

/* ---- Services ---- */

/* Where only endpoints of the node that it came to get what comes, those who
 * share must have the same: by their selector, which is sorted. */
static struct slice
backend_of(const struct gw_state *state, const struct gw_object *service,
    struct arena *arena)
{
	const struct gw_service_spec *spec = service->service->spec;
	struct text text;
	struct slice backend;

	if (!state->forwards &&
	    !slice_equal(spec->external_traffic_policy, SLICE("Local")))
		return SLICE_NONE;
	text_init(&text);
	text_printf(&text, "%.*s", SLICE_ARGS(service->namespace));
	for (uint32_t i = 0; i < spec->selector_count; i++)
		text_printf(&text, ",%.*s=%.*s",
		    SLICE_ARGS(spec->selector[i].key),
		    SLICE_ARGS(spec->selector[i].value));
	backend = arena_copy(arena, text_slice(&text));
	text_fini(&text);
	return backend;
}

void
gw_ask_read_service(const struct gw_state *state,
    const struct gw_object *service, struct arena *arena, struct gw_ask *ask)
{
	must(service != NULL && service->kind == GW_SERVICE && ask != NULL);
	const struct gw_service_spec *spec = service->service->spec;
	const struct source source = {
	    .metadata = service->metadata, .arena = arena};

	read_annotations(ask, &source, 0);
	if (spec->load_balancer_ip.length > 0)
		read_list(ask, arena, spec->load_balancer_ip,
		    SLICE("spec.loadBalancerIP"));
	ask_for_one(ask);
	ask->names_us = true; /* by its class */
	gw_ask_families_of(ask, spec);
	ask->backend = backend_of(state, service, arena);
}
