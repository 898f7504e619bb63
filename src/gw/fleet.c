/* Which Gateways have a fleet, what it is called, and what it is to be; what it
 * is made of is in fleet_make.c. A fleet is made anew where something that it
 * is made of has changed, and told where that made a difference. */
#include "gw/fleet_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/must.h"
#include "crypt/digest.h"

#define ENVOY_CONTROLLER "gateway.envoyproxy.io/gatewayclass-controller"
/* What Envoy Gateway keeps of namespace and name. */
#define ENVOY_BYTES_MAX 48
#define HASH_DIGITS 8

const struct gw_made_row gw_made_rows[GW_MADE__COUNT] = {
#define GW_MADE(name_, group_, version_, kind_, plural_, own_) \
	{group_, version_, kind_, plural_, own_},
#include "gw/made.def"
#undef GW_MADE
};

/* ---- names ---- */

static void
push_hash(char out[HASH_DIGITS + 1], struct slice text)
{
	uint8_t digest[CRYPT_SHA256_BYTES];

	crypt_sha256(&text, 1, digest);
	for (unsigned i = 0; i < HASH_DIGITS / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static struct slice
without_end(struct slice text, size_t length)
{
	if (text.length > length)
		text.length = length;
	while (text.length > 0 && text.data[text.length - 1] == '-')
		text.length--;
	return text;
}

struct slice
gw_fleet_cut(
    struct arena *arena, struct slice text, struct slice hashed, bool always)
{
	char hash[HASH_DIGITS + 1];

	if (!always && text.length <= GW_FLEET_NAME_BYTES)
		return arena_copy(arena, text);
	push_hash(hash, hashed);
	text = without_end(text, GW_FLEET_NAME_BYTES - HASH_DIGITS - 1);
	return arena_format(arena, "%.*s-%s", SLICE_ARGS(text), hash);
}

static bool
is_letter_or_digit(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9');
}

void
gw_fleet_mark(struct slice controller, char out[GW_FLEET_NAME_BYTES + 1])
{
	struct arena arena;
	struct text text;
	unsigned replaced = 0;

	arena_init(&arena, 512);
	text_init(&text);
	for (size_t i = 0; i < controller.length; i++) {
		char byte = controller.data[i];
		bool plain =
		    is_letter_or_digit(byte) || byte == '-' || byte == '.';

		replaced += plain ? 0 : byte == '/' ? 1 : 2;
		text_push_byte(&text, plain ? byte : '_');
	}
	/* One '/' is in each; anything else could be another's too. */
	struct slice mark = gw_fleet_cut(&arena, text_slice(&text), controller,
	    replaced > 1 || text.length == 0 ||
	        !is_letter_or_digit(text.data[text.length - 1]));

	snprintf(out, GW_FLEET_NAME_BYTES + 1, "%.*s", SLICE_ARGS(mark));
	text_fini(&text);
	arena_fini(&arena);
}

/* As Envoy Gateway does it: a cut, one '-' at its end taken off, and a hash. */
static struct slice
envoy_name(struct arena *arena, const struct gw_node *node)
{
	struct slice key = gw_node_key(node);
	struct slice joined = arena_format(arena, "%.*s-%.*s",
	    SLICE_ARGS(gw_node_namespace(node)),
	    SLICE_ARGS(gw_node_name(node)));
	char hash[HASH_DIGITS + 1];

	if (joined.length > ENVOY_BYTES_MAX) {
		joined.length = ENVOY_BYTES_MAX;
		if (joined.data[joined.length - 1] == '-')
			joined.length--;
	}
	push_hash(hash, key);
	return arena_format(arena, "envoy-%.*s-%s", SLICE_ARGS(joined), hash);
}

/* A Service's name is one label that begins with a letter; and where the name
 * of a class has a '-', another Gateway and class could make the same. */
static struct slice
own_name(struct arena *arena, struct slice gateway, struct slice class)
{
	bool digit = gateway.data[0] >= '0' && gateway.data[0] <= '9';
	struct slice joined = arena_format(arena, "%s%.*s-%.*s",
	    digit ? "gw-" : "", SLICE_ARGS(gateway), SLICE_ARGS(class));
	struct slice hashed = arena_format(
	    arena, "%.*s/%.*s", SLICE_ARGS(gateway), SLICE_ARGS(class));
	char *text = (char *)(uintptr_t)joined.data;
	bool odd = digit || slice_find(class, '-') < class.length;

	for (size_t i = 0; i < joined.length; i++) {
		if (text[i] != '.')
			continue;
		text[i] = '-';
		odd = true;
	}
	return gw_fleet_cut(arena, joined, hashed, odd);
}

/* ---- ports ---- */

static int
compare_ports(const void *a, const void *b)
{
	const struct gw_fleet_port *left = a, *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return strcmp(left->transport, right->transport);
}

static void
add_ports(struct gw_fleet_plan *plan, const struct gw_owner_node *owner,
    struct arena *arena)
{
	for (uint32_t i = 0; i < owner->listener_count; i++) {
		const struct gw_listener_state *listener = &owner->listeners[i];
		struct text name;

		if (!gw_listener_is_served(owner, listener))
			continue;
		text_init(&name);
		text_push_lower(&name, listener->spec->protocol);
		plan->ports[plan->port_count++] = (struct gw_fleet_port){
		    .name = arena_format(arena, "%.*s-%lld",
		        SLICE_ARGS(text_slice(&name)),
		        (long long)listener->spec->port),
		    .transport = listener->protocol->family == GW_FAMILY_UDP
		        ? "UDP"
		        : "TCP",
		    .number = listener->spec->port,
		};
		text_fini(&name);
	}
}

/* Listeners of one port are one of the Service's, by the first one's name. */
static void
find_ports(struct gw_fleet_plan *plan, const struct gw_owner_node *gateway,
    struct arena *arena)
{
	uint32_t room = gateway->listener_count, kept = 0;

	for (uint32_t i = 0; i < gateway->set_count; i++)
		room += gateway->sets[i]->listener_count;
	plan->ports = arena_zero(arena, room + 1, sizeof(*plan->ports));
	add_ports(plan, gateway, arena);
	for (uint32_t i = 0; i < gateway->set_count; i++)
		add_ports(plan, gateway->sets[i], arena);
	if (plan->port_count > 1)
		qsort(plan->ports, plan->port_count, sizeof(*plan->ports),
		    compare_ports);
	for (uint32_t i = 0; i < plan->port_count; i++)
		if (kept == 0 ||
		    compare_ports(&plan->ports[kept - 1], &plan->ports[i]) != 0)
			plan->ports[kept++] = plan->ports[i];
	plan->port_count = kept;
}

/* ---- what it is to be ---- */

/* The Service's address needs no name server. */
static struct slice
find_host(const struct gw_state *state, struct arena *arena)
{
	const struct gw_fleet_options *options = &state->fleet;
	const struct gw_node *node = gw_node_get(
	    state, GW_SERVICE, options->namespace, options->service);
	struct slice ip = node && node->object
	    ? node->object->service->spec->cluster_ip
	    : SLICE_NONE;

	if (ip.length > 0 && !slice_equal(ip, SLICE("None")))
		return slice_find(ip, ':') < ip.length
		    ? arena_format(arena, "[%.*s]", SLICE_ARGS(ip))
		    : ip;
	return arena_format(arena, "%.*s.%.*s.svc",
	    SLICE_ARGS(options->service), SLICE_ARGS(options->namespace));
}

/* Where Services are of our class, we are the load balancer. */
static struct slice
find_addresses(const struct gw_state *state,
    const struct gw_owner_node *gateway, struct arena *arena)
{
	const struct gw_placed *placed = &gateway->placed;
	struct slice found = SLICE("");

	if (!gw_fleet_balances(state, gateway))
		return SLICE_NONE;
	for (uint32_t i = 0; i < placed->count; i++)
		found = arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(found),
		    i > 0 ? "," : "", SLICE_ARGS(placed->items[i].text));
	return found;
}

static bool
make_plan(struct gw_state *state, const struct gw_owner_node *gateway,
    struct arena *arena, struct gw_fleet_plan *plan)
{
	const struct gw_object *object = gateway->node.object;

	*plan = (struct gw_fleet_plan){
	    .gateway = object,
	    .options = &state->fleet,
	    .controller = gateway->controller,
	    .envoy = gateway->fleet_envoy,
	    .namespace = gateway->fleet_namespace,
	    .name = gateway->fleet_name,
	    .names = gateway->fleet_names,
	    .host = find_host(state, arena),
	    .bundle = text_slice(&state->fleet_bundle),
	    .parameters = gateway->parameters,
	};
	plan->addresses = find_addresses(state, gateway, arena);
	plan->parameters_hash = gateway->parameters_hash;
	find_ports(plan, gateway, arena);
	return plan->bundle.length > 0 && plan->port_count > 0 &&
	    gw_owner_is_accepted(gateway);
}

static uint64_t
plan_hash(const struct gw_fleet_plan *plan)
{
	const struct gw_infrastructure *infra =
	    plan->gateway->gateway->spec->infrastructure;
	struct hash hash;

	hash_init(&hash);
	hash_push_number(&hash, GW_FLEET_WANTED);
	hash_push_number(&hash, infra ? plan->gateway->digest : 0);
	hash_push(&hash, plan->gateway->metadata->uid);
	hash_push(&hash, plan->namespace);
	hash_push(&hash, plan->name);
	for (unsigned i = 0; plan->names && i < GW_MADE__COUNT; i++)
		hash_push(&hash, plan->names[i]);
	hash_push(&hash, plan->controller);
	hash_push(&hash, plan->host);
	hash_push(&hash, plan->bundle);
	hash_push_number(&hash, slice_is_set(plan->addresses));
	hash_push(&hash, plan->addresses);
	hash_push_number(&hash, plan->parameters_hash);
	for (uint32_t i = 0; i < plan->port_count; i++) {
		hash_push(&hash, plan->ports[i].name);
		hash_push(&hash, slice_from_string(plan->ports[i].transport));
	}
	return hash_take(&hash);
}

static uint64_t
fleet_hash(const struct gw_fleet *fleet)
{
	struct hash hash;

	hash_init(&hash);
	hash_push(&hash, fleet->namespace);
	hash_push(&hash, fleet->name);
	for (uint32_t i = 0; i < fleet->count; i++) {
		hash_push(&hash, fleet->objects[i].json);
		hash_push_number(&hash, slice_is_set(fleet->objects[i].given));
		hash_push(&hash, fleet->objects[i].given);
	}
	return hash_take(&hash);
}

static void
tell(struct gw_state *state, struct gw_owner_node *gateway,
    const struct gw_fleet *fleet, uint64_t hash)
{
	if (gateway->fleet_told == hash)
		return;
	gateway->fleet_told = hash;
	state->outbox.output->on_fleet(state->outbox.output->context, fleet);
}

void
gw_fleet_emit(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct arena *arena = &state->work;
	struct gw_fleet_plan plan;
	struct gw_fleet fleet = {
	    .gateway = gw_node_key(&gateway->node),
	    .namespace = gateway->fleet_namespace,
	    .name = gateway->fleet_name,
	    .state = GW_FLEET_KEPT,
	};
	uint64_t hash = GW_FLEET_KEPT;

	if (!state->has_fleets)
		return;
	if (!gateway->node.object || !gateway->ours) {
		gw_fleet_forget(state, gateway);
		return;
	}
	if (make_plan(state, gateway, arena, &plan)) {
		uint64_t from = plan_hash(&plan);

		if (from == gateway->fleet_from)
			return;
		gateway->fleet_from = from;
		fleet.state = GW_FLEET_WANTED;
		fleet.objects = gw_fleet_make(&plan, arena, &fleet.count);
		hash = fleet_hash(&fleet);
	} else {
		gateway->fleet_from = 0;
	}
	tell(state, gateway, &fleet, hash);
}

static struct gw_backend_node *
service_of(const struct gw_owner_node *gateway)
{
	return (void *)gateway->fleet_edge.node;
}

static void
drop_edge(struct gw_state *state, struct gw_owner_node *gateway)
{
	if (gateway->fleet_edge.node) {
		service_of(gateway)->fleet_count--;
		gw_edges_unlink(state, &gateway->fleet_edge, 1);
	}
	gateway->fleet_edge.node = NULL;
}

void
gw_fleet_forget(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct gw_fleet fleet = {.gateway = gw_node_key(&gateway->node)};

	drop_edge(state, gateway);
	gateway->fleet_from = 0;
	if (gateway->fleet_told != 0)
		tell(state, gateway, &fleet, 0);
}

/* ---- where it is, and what its Service says ---- */

void
gw_fleet_judge(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct arena *arena = &gateway->arena;
	const struct gw_object *object = gateway->node.object;

	gateway->fleet_names = NULL;
	if (!state->has_fleets || !gateway->ours)
		return;
	gateway->fleet_envoy =
	    slice_equal(gateway->controller, SLICE(ENVOY_CONTROLLER));
	gateway->fleet_namespace = gateway->fleet_envoy
	    ? state->fleet.envoy_namespace
	    : object->namespace;
	gateway->fleet_name = gateway->fleet_envoy
	    ? envoy_name(arena, &gateway->node)
	    : own_name(arena, object->name,
	          object->gateway->spec->gateway_class_name);
}

void
gw_fleet_link(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct gw_node *service;

	if (!state->has_fleets || !gateway->ours)
		return;
	service = gw_node_touch(state, GW_SERVICE, gateway->fleet_namespace,
	    gw_fleet_name(gateway, GW_MADE_SERVICE));
	if (gateway->fleet_edge.node == service)
		return;
	drop_edge(state, gateway);
	gw_edge_init(
	    &gateway->fleet_edge, &gateway->node, service, GW_EDGE_FLEET);
	service_of(gateway)->fleet_count++;
}

void
gw_fleet_on_service(struct gw_state *state, struct gw_node *service)
{
	if (!state->has_fleets)
		return;
	gw_node_mark_users(state, service, GW_EDGE_FLEET);
	if (slice_equal(gw_node_namespace(service), state->fleet.namespace) &&
	    slice_equal(gw_node_name(service), state->fleet.service))
		state->gateways_stale = true;
}

/* Who leads to a Service by routes may be many, who has it as its fleet's is
 * one. */
void
gw_fleet_on_slice(struct gw_state *state, struct gw_backend_node *service)
{
	if (service && service->fleet_count > 0)
		gw_node_mark_users(state, &service->node, GW_EDGE_FLEET);
}

const struct gw_service_status *
gw_fleet_service_status(const struct gw_owner_node *gateway)
{
	const struct gw_node *service = gateway->fleet_edge.node;

	return service && service->object ? service->object->told_service
	                                  : NULL;
}

void
gw_state_report_fleet(struct gw_state *state, struct slice namespace,
    struct slice name, enum gw_fleet_word word, struct slice what)
{
	must(state != NULL && word < GW_FLEET_WORD__COUNT);
	struct gw_node *node = gw_node_get(state, GW_GATEWAY, namespace, name);
	void *whole = node;
	struct gw_owner_node *gateway = whole;

	if (!node || slice_equal(text_slice(&gateway->fleet_words[word]), what))
		return;
	text_reset(&gateway->fleet_words[word]);
	text_push(&gateway->fleet_words[word], what);
	gw_node_mark(state, node);
}

void
gw_state_fleet_bundle(struct gw_state *state, struct slice bundle)
{
	must(state != NULL);
	if (slice_equal(text_slice(&state->fleet_bundle), bundle))
		return;
	text_reset(&state->fleet_bundle);
	text_push(&state->fleet_bundle, bundle);
	state->gateways_stale = true;
}
