/* Services of type LoadBalancer: which are ours to give addresses, and what
 * their statuses say. kube-proxy makes what stands in status.loadBalancer lead
 * to their endpoints. */
#include "core/memory.h"
#include "core/must.h"
#include "gw/fleet.h"
#include "gw/state_priv.h"

enum { ARENA_BYTES = 512 };

bool
gw_balancer_is_made(const struct gw_object *service)
{
	const struct gw_metadata *metadata = service->metadata;

	for (uint32_t i = 0; i < metadata->labels_count; i++)
		if (slice_equal(metadata->labels[i].key, SLICE(GW_FLEET_MARK)))
			return true;
	return false;
}

/* One without a class is a MetalLB's, where there is one. */
bool
gw_balancer_takes(const struct gw_state *state, struct slice class)
{
	return class.length > 0
	    ? slice_equal(class, SLICE(GW_BALANCER_CLASS))
	    : state->takes_unclassed && state->metallb.length == 0;
}

static bool
is_ours(const struct gw_state *state, const struct gw_object *object)
{
	const struct gw_service_spec *spec =
	    object ? object->service->spec : NULL;

	return state->addressing == GW_ADDRESSING_CLUSTER && spec &&
	    slice_equal(spec->type, SLICE("LoadBalancer")) &&
	    !gw_balancer_is_made(object) &&
	    gw_balancer_takes(state, spec->load_balancer_class);
}

bool
gw_balancer_is_for(
    const struct gw_state *state, const struct gw_object *service)
{
	const struct gw_service_spec *spec = service->service->spec;

	return gw_balancer_takes(state, spec->load_balancer_class) ||
	    !slice_equal(spec->type, SLICE("LoadBalancer"));
}

void
gw_balancer_free(struct gw_backend_node *service)
{
	struct gw_balancer *balancer = service->balancer;

	service->balancer = NULL;
	if (!balancer)
		return;
	list_remove(&balancer->link);
	gw_placed_fini(&balancer->placed);
	arena_fini(&balancer->arena);
	memory_free(balancer);
}

void
gw_balancer_replace(struct gw_state *state, struct gw_backend_node *service)
{
	struct gw_balancer *balancer = service->balancer;
	bool ours = is_ours(state, service->node.object);

	if (!ours && !balancer)
		return;
	state->gateways_stale = true;
	if (!service->node.object) {
		gw_balancer_free(service);
		return;
	}
	if (!balancer) {
		balancer = memory_zero(1, sizeof(*balancer));
		balancer->service = service;
		arena_init(&balancer->arena, ARENA_BYTES);
		list_init(&balancer->link);
		list_insert(&state->balancers, &balancer->link);
		service->balancer = balancer;
	}
	balancer->leaves = !ours;
}

uint32_t
gw_balancers_ask(struct gw_state *state)
{
	uint32_t count = 0;

	LIST_FOR_EACH_SAFE(at, &state->balancers)
	{
		struct gw_balancer *balancer =
		    container_of(at, struct gw_balancer, link);
		struct gw_node *node = &balancer->service->node;

		if (balancer->leaves) {
			gw_outbox_status(&state->outbox, &balancer->status,
			    node->object, NULL);
			gw_balancer_free(balancer->service);
			continue;
		}
		arena_reset(&balancer->arena);
		gw_ask_read_service(
		    state, node->object, &balancer->arena, &balancer->ask);
		gw_node_mark(state, node);
		count++;
	}
	return count;
}

/* ---- what is told ---- */

static struct slice
tell_addresses(const struct gw_state *state, const struct gw_balancer *balancer,
    struct arena *arena)
{
	struct text text;
	struct slice told;

	text_init(&text);
	gw_placed_tell(
	    state, &balancer->placed, &balancer->service->node, arena, &text);
	told = arena_copy(arena, text_slice(&text));
	text_fini(&text);
	return told;
}

/* Services count no generations. */
static void
add_conditions(const struct gw_state *state, struct gw_balancer_status *status,
    const struct gw_balancer *balancer, struct arena *arena)
{
	const struct gw_placed *placed = &balancer->placed;
	struct gw_conditions conditions;
	bool good = placed->reason == NULL;

	gw_conditions_init(&conditions, arena, balancer->service->node.object);
	conditions.generation = 0;
	gw_conditions_add(&conditions, GW_BALANCER_CONDITION,
	    good ? "True" : "False",
	    good ? "AddressesAssigned" : placed->reason,
	    good ? tell_addresses(state, balancer, arena) : placed->message);
	gw_told_conflict(state, placed, &conditions, arena);
	status->conditions = conditions.items;
	status->conditions_count = conditions.count;
}

void
gw_balancer_emit_status(struct gw_state *state, struct gw_backend_node *service)
{
	struct arena *arena = &state->outbox.arena;
	struct gw_balancer *balancer = service->balancer;
	struct gw_balancer_status *status;

	if (!balancer || balancer->leaves)
		return;
	const struct gw_placed *placed = &balancer->placed;

	status = arena_zero(arena, 1, sizeof(*status));
	status->load_balancer =
	    arena_zero(arena, 1, sizeof(*status->load_balancer));
	status->load_balancer->ingress = arena_zero(
	    arena, placed->count + 1, sizeof(*status->load_balancer->ingress));
	status->load_balancer->ingress_count = placed->count;
	for (uint32_t i = 0; i < placed->count; i++)
		status->load_balancer->ingress[i].ip = placed->items[i].text;
	add_conditions(state, status, balancer, arena);
	gw_outbox_status(
	    &state->outbox, &balancer->status, service->node.object, status);
}

struct gw_sent_status *
gw_balancer_status(struct gw_backend_node *service)
{
	return service->balancer ? &service->balancer->status : NULL;
}
