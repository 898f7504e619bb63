/* ServiceL2Status (metallb.io): one object for each Service with an address and
 * each node that announces one of its addresses, as announcers say; in the
 * controller's own namespace. A Gateway's are those of its fleet's Service. It
 * is told anew where what announcers say made a difference. */
#include <stdio.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "gw/fleet_priv.h"

/* In the place of a hash, which is odd; 0: nothing was told. */
enum { TOLD_NONE = 2 };
enum { NAME_BYTES = 8 };

/* Of one Service: the interfaces of a node, again for each address. */
struct place {
	struct slice node, interfaces; /* "eth0,eth1" */
};

struct telling {
	struct gw_state *state;
	struct arena *arena;
	const struct gw_node *service;
	struct place *places;
	uint32_t count, room;
};

/* ---- what is announced where ---- */

static void
on_place(void *context, const struct feed_claim *word)
{
	struct telling *telling = context;
	struct slice rest = word->interfaces, one;

	while (slice_is_set(rest) && slice_cut(&rest, ',', &one)) {
		if (telling->count == telling->room) {
			uint32_t room = telling->room * 2 + 4;
			struct place *places =
			    arena_zero(telling->arena, room, sizeof(*places));
			for (uint32_t i = 0; i < telling->count; i++)
				places[i] = telling->places[i];
			telling->places = places;
			telling->room = room;
		}
		telling->places[telling->count++] =
		    (struct place){word->node, one};
	}
}

static int
compare_places(const void *a, const void *b)
{
	const struct place *left = a, *right = b;
	int order = slice_compare(left->node, right->node);

	return order ? order
	             : slice_compare(left->interfaces, right->interfaces);
}

/* One a node, by name, with its interfaces, each once. */
static void
join_places(struct telling *telling)
{
	struct place *places = telling->places;
	uint32_t kept = 0;

	if (telling->count > 1)
		qsort(places, telling->count, sizeof(*places), compare_places);
	for (uint32_t i = 0; i < telling->count; i++) {
		bool first =
		    i == 0 || !slice_equal(places[i].node, places[i - 1].node);

		if (!first && compare_places(&places[i], &places[i - 1]) == 0)
			continue;
		if (first)
			places[kept++] = places[i];
		else
			places[kept - 1].interfaces =
			    arena_format(telling->arena, "%.*s,%.*s",
			        SLICE_ARGS(places[kept - 1].interfaces),
			        SLICE_ARGS(places[i].interfaces));
	}
	telling->count = kept;
}

/* ---- the objects ---- */

static void
push_member(struct text *out, const char *key, struct slice value)
{
	text_printf(out,
	    "%s\"%s\":", out->data[out->length - 1] == '{' ? "" : ",", key);
	text_push_json(out, value);
}

void
gw_l2_status(struct text *out, const struct gw_l2_status *status)
{
	must(out != NULL && status != NULL);
	struct slice rest = status->interfaces, one;
	bool first = true;

	text_push_string(out, "{\"interfaces\":[");
	while (rest.length > 0 && slice_cut(&rest, ',', &one)) {
		text_printf(out, "%s{\"name\":", first ? "" : ",");
		text_push_json(out, one);
		text_push_byte(out, '}');
		first = false;
	}
	text_push_byte(out, ']');
	push_member(out, "node", status->node);
	push_member(out, "serviceName", status->name);
	push_member(out, "serviceNamespace", status->namespace);
	text_push_byte(out, '}');
}

/* MetalLB's are l2- and something at random; here the same comes of the same.
 */
static struct slice
make_name(const struct telling *telling, struct slice node)
{
	struct slice parts[] = {
	    gw_node_key(telling->service), SLICE("/"), node};
	uint8_t digest[CRYPT_SHA256_BYTES];
	char hash[2 * NAME_BYTES + 1];

	crypt_sha256(parts, 3, digest);
	for (unsigned i = 0; i < NAME_BYTES; i++)
		snprintf(hash + 2 * i, 3, "%02x", digest[i]);
	return arena_format(telling->arena, "l2-%s", hash);
}

static struct slice
make_document(
    const struct telling *telling, struct slice name, struct slice node)
{
	const struct gw_state *state = telling->state;
	char mark[GW_FLEET_NAME_BYTES + 1];
	struct text text;

	gw_fleet_mark(state->controller_names[0], mark);
	text_init(&text);
	text_printf(&text, "{\"apiVersion\":\"%s/%s\",\"kind\":\"%s\"",
	    gw_made_rows[GW_MADE_L2STATUS].group,
	    gw_made_rows[GW_MADE_L2STATUS].version,
	    gw_made_rows[GW_MADE_L2STATUS].kind);
	text_push_string(&text, ",\"metadata\":{");
	push_member(&text, "name", name);
	push_member(&text, "namespace", state->fleet.namespace);
	text_push_string(&text, ",\"labels\":{");
	push_member(&text, "metallb.io/node",
	    gw_fleet_cut(telling->arena, node, node, false));
	push_member(
	    &text, "metallb.io/service-name", gw_node_name(telling->service));
	push_member(&text, "metallb.io/service-namespace",
	    gw_node_namespace(telling->service));
	push_member(&text, GW_FLEET_MARK, slice_from_string(mark));
	text_push_string(&text, "},\"annotations\":{");
	push_member(&text, GW_FLEET_SERVICE, gw_node_key(telling->service));
	text_push_string(&text, "}}}");
	struct slice made = arena_copy(telling->arena, text_slice(&text));
	text_fini(&text);
	return made;
}

static struct slice
make_given(const struct telling *telling, const struct place *place)
{
	const struct gw_l2_status status = {
	    .node = place->node,
	    .namespace = gw_node_namespace(telling->service),
	    .name = gw_node_name(telling->service),
	    .interfaces = place->interfaces,
	};
	struct text text;

	text_init(&text);
	gw_l2_status(&text, &status);
	struct slice made = arena_copy(telling->arena, text_slice(&text));
	text_fini(&text);
	return made;
}

static struct slice
key_of(struct arena *arena, struct slice service)
{
	return arena_format(
	    arena, GW_FLEET_OF_SERVICE "%.*s", SLICE_ARGS(service));
}

/* ---- telling ---- */

static void
tell(struct telling *telling, struct gw_named *named)
{
	struct arena *arena = telling->arena;
	struct gw_fleet_object *objects =
	    arena_zero(arena, telling->count + 1, sizeof(*objects));
	struct gw_fleet fleet = {
	    .gateway = key_of(arena, gw_node_key(telling->service)),
	    .state = GW_FLEET_WANTED,
	    .namespace = telling->state->fleet.namespace,
	    .objects = objects,
	    .count = telling->count,
	};
	struct hash hash;

	hash_init(&hash);
	for (uint32_t i = 0; i < telling->count; i++) {
		const struct place *place = &telling->places[i];

		objects[i].kind = GW_MADE_L2STATUS;
		objects[i].name = make_name(telling, place->node);
		objects[i].given = make_given(telling, place);
		objects[i].json =
		    make_document(telling, objects[i].name, place->node);
		hash_push(&hash, objects[i].given);
	}
	uint64_t told = telling->count > 0 ? hash_take(&hash) | 1 : TOLD_NONE;

	if (told == named->sent.hash ||
	    (told == TOLD_NONE && named->sent.hash == 0))
		return;
	named->sent.hash = told;
	telling->state->outbox.output->on_fleet(
	    telling->state->outbox.output->context, &fleet);
}

static void
tell_service(struct gw_state *state, const struct gw_node *service,
    const struct gw_placed *placed)
{
	struct telling telling = {
	    .state = state, .arena = &state->work, .service = service};
	struct gw_named *named =
	    gw_named_touch(&state->l2, gw_node_key(service));

	named->wanted = true;
	for (uint32_t i = 0; i < placed->count; i++)
		gw_told_each(state, placed->items[i].text, &state->work,
		    on_place, &telling);
	join_places(&telling);
	tell(&telling, named);
}

/* What has no addresses any more. */
static void
sweep(struct gw_state *state)
{
	struct gw_named **gone =
	    arena_zero(&state->work, state->l2.count + 1, sizeof(*gone));
	uint32_t count = 0;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&state->l2, &at, &key, &value);) {
		struct gw_named *named = value;

		if (!named->wanted)
			gone[count++] = named;
		named->wanted = false;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_fleet fleet = {
		    .gateway = key_of(&state->work, gw_named_key(gone[i]))};

		if (gone[i]->sent.hash != 0)
			state->outbox.output->on_fleet(
			    state->outbox.output->context, &fleet);
		(void)map_remove(&state->l2, gw_named_key(gone[i]));
		memory_free(gone[i]);
	}
}

void
gw_l2_emit(struct gw_state *state)
{
	struct slice key;
	void *value;

	if (!state->l2_stale || !state->has_fleets ||
	    state->addressing != GW_ADDRESSING_CLUSTER)
		return;
	state->l2_stale = false;
	for (size_t at = 0;
	     map_next(&state->nodes[GW_GATEWAY], &at, &key, &value);) {
		const struct gw_owner_node *gateway = value;

		if (gateway->fleet_edge.node && gateway->placed.count > 0)
			tell_service(
			    state, gateway->fleet_edge.node, &gateway->placed);
	}
	LIST_FOR_EACH(at, &state->balancers)
	{
		const struct gw_balancer *balancer =
		    container_of(at, struct gw_balancer, link);

		if (!balancer->leaves && balancer->placed.count > 0)
			tell_service(
			    state, &balancer->service->node, &balancer->placed);
	}
	sweep(state);
	arena_reset(&state->work);
}

void
gw_l2_fini(struct gw_state *state)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&state->l2, &at, &key, &value);)
		memory_free(value);
	map_fini(&state->l2);
}
