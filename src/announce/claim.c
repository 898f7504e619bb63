/* A claim: an address that shall answer, in a place on each link, and what is
 * asked of it. It is the host's own (its route is there) while some place holds
 * it. */
#include "announce/announcer_priv.h"

#include "core/hash.h"
#include "core/log.h"
#include "core/memory.h"

#define CLAIM_BLOCK_BYTES 256

struct announce_claim *
announce_claim_open(
    struct announcer *announcer, const struct net_address *address)
{
	unsigned count = announcer->link_count;
	struct announce_claim *claim = memory_zero(
	    1, sizeof(*claim) + count * sizeof(struct announce_place));

	claim->announcer = announcer;
	claim->address = *address;
	claim->address.port = 0;
	net_address_format_ip(&claim->address, claim->text);
	arena_init(&claim->arena, CLAIM_BLOCK_BYTES);
	claim->is_own = net_route_local(address) == NET_LOCAL_HOST;
	claim->count = count;
	for (unsigned i = 0; i < count; i++)
		announce_place_open(
		    &claim->places[i], claim, &announcer->links[i]);
	return claim;
}

/* What would come for it here would not be served: others come first. */
static void
find_unable(struct announce_claim *claim)
{
	bool is_unable =
	    claim->error != ERROR_OK || claim->forwarding.error != ERROR_OK;

	if (claim->is_unable == is_unable)
		return;
	claim->is_unable = is_unable;
	claim->announcer->unable_count += is_unable ? 1 : -1U;
	announcer_tell_unable(claim->announcer);
}

void
announce_claim_decide(struct announce_claim *claim)
{
	find_unable(claim);
	for (unsigned i = 0; i < claim->count; i++)
		if (claim->places[i].at->link.is_up)
			announce_place_decide(&claim->places[i]);
}

static struct announce_interfaces
copy_names(struct arena *arena, const struct slice *names, uint32_t count)
{
	struct slice *copies = arena_zero(arena, count + 1, sizeof(*copies));

	for (uint32_t i = 0; i < count; i++)
		copies[i] = arena_copy(arena, names[i]);
	return (struct announce_interfaces){copies, count};
}

/* What was seen of another is nothing to this one. */
static void
take_fence(struct announce_claim *claim, const struct unit_claim *unit)
{
	struct arena *arena = &claim->arena;
	uint64_t said = hash_bytes(unit->fence);
	bool is_new = said != claim->fence_hash;

	for (unsigned i = 0; i < claim->count; i++) {
		struct announce_fence *fence = &claim->places[i].fence;

		*fence = (struct announce_fence){
		    .node = arena_copy(arena, unit->fence),
		    .on = copy_names(arena, unit->fence_interfaces,
		        unit->fence_interfaces_count),
		    .seen_ms = is_new ? 0 : fence->seen_ms,
		    .is_new = is_new || fence->is_new};
	}
	claim->fence_hash = said;
}

void
announce_claim_ask(struct announce_claim *claim, const struct unit_claim *unit)
{
	struct arena *arena = &claim->arena;
	uint32_t count = unit->nodes_count;

	arena_reset(arena);
	struct announce_preference *nodes =
	    arena_zero(arena, count + 1, sizeof(*nodes));
	for (uint32_t i = 0; i < count; i++)
		nodes[i] = (struct announce_preference){
		    arena_copy(arena, unit->nodes[i].name),
		    unit->nodes[i].weight,
		    copy_names(arena, unit->nodes[i].interfaces,
		        unit->nodes[i].interfaces_count)};
	take_fence(claim, unit);
	claim->ballot = (struct announce_ballot){
	    .address = slice_from_string(claim->text),
	    .mark = announce_mark(slice_from_string(claim->text)),
	    .restricted = unit->restricted != 0,
	    .on = copy_names(arena, unit->interfaces, unit->interfaces_count),
	    .nodes = nodes,
	    .node_count = count,
	};
	/* Before it is announced. */
	announce_claim_forward(claim, unit);
	announce_claim_decide(claim);
}

void
announce_claim_own(struct announce_claim *claim, bool is_own)
{
	if (claim->is_own == is_own)
		return;
	claim->is_own = is_own;
	/* It is not ours to take, and is tried anew when it is. */
	claim->error = ERROR_OK;
	log_event(is_own ? LOG_ANNOUNCE_OWN : LOG_ANNOUNCE_OWN_NO_MORE,
	    LOG_STRING("address", claim->text));
	announce_claim_lead(claim);
	announce_claim_decide(claim);
	announcer_tell_own(claim->announcer);
	net_loop_defer(
	    claim->announcer->options.loop, &claim->announcer->changed);
}

static bool
is_here(const struct announce_claim *claim)
{
	for (unsigned i = 0; i < claim->count; i++)
		if (announce_hold_is_here(&claim->places[i].hold))
			return true;
	return false;
}

void
announce_claim_settle(struct announce_claim *claim)
{
	struct announcer *announcer = claim->announcer;
	bool here = is_here(claim);

	net_loop_defer(announcer->options.loop, &announcer->changed);
	if (here == claim->is_here) {
		announce_claim_shed_route(claim);
		return;
	}
	claim->is_here = here;
	if (here) {
		announce_claim_take_route(claim);
		metric_add(&announcer->metrics, METRIC_ANNOUNCE_HELD, 1);
		log_event(
		    LOG_ANNOUNCE_HELD, LOG_STRING("address", claim->text));
		return;
	}
	if (!announce_claim_stays(claim))
		announce_claim_drop_route(claim);
	metric_subtract(&announcer->metrics, METRIC_ANNOUNCE_HELD, 1);
	log_event(LOG_ANNOUNCE_GIVEN_UP, LOG_STRING("address", claim->text));
}

/* By ARP, where a local route is left, though another may have it by then. */
static bool
is_answered_by_kernel(const struct announce_claim *claim)
{
	for (unsigned i = 0; i < claim->count; i++)
		if (claim->address.family == AF_INET &&
		    !claim->places[i].at->is_quiet)
			return true;
	return false;
}

bool
announce_claim_stays(const struct announce_claim *claim)
{
	const struct announcer *announcer = claim->announcer;

	if (!announcer->is_leaving || claim->is_own || claim->is_unable)
		return false;
	if (claim->has_route && is_answered_by_kernel(claim))
		return false;
	/* Whoever is to have it may not be able to. */
	if (claim->is_here)
		return true;
	bool is_known = false;
	for (unsigned i = 0; i < claim->count; i++) {
		struct slice winner =
		    slice_from_string(claim->places[i].winner);
		if (winner.length > 0 &&
		    !slice_equal(winner, announcer->options.node))
			return false;
		is_known = is_known || claim->places[i].at->link.is_up;
	}
	return is_known;
}

void
announce_claim_give_up(struct announce_claim *claim)
{
	announce_claim_drop_route(claim);
	announce_claim_forward_not(claim);
}

void
announce_claim_close(struct announce_claim **claim)
{
	struct announce_claim *old = *claim;

	*claim = NULL;
	old->announcer->unable_count -= old->is_unable;
	if (old->is_here)
		metric_subtract(
		    &old->announcer->metrics, METRIC_ANNOUNCE_HELD, 1);
	for (unsigned i = 0; i < old->count; i++)
		announce_place_close(&old->places[i]);
	arena_fini(&old->arena);
	memory_free(old);
}

/* On which interfaces this node may announce it; NULL: on none. */
static const struct announce_interfaces *
may_on(const struct announce_claim *claim)
{
	return announce_may_on(&claim->ballot, claim->announcer->options.node);
}

static bool
is_asked_on(const struct announce_claim *claim, const char *interface)
{
	const struct announce_interfaces *on = may_on(claim);

	return on != NULL && announce_is_on(on, slice_from_string(interface));
}

/* How much a place says about the claim; 0: nothing. */
static unsigned
weight_of(const struct announce_place *place)
{
	if (!place->at->link.is_up)
		return 0;
	if (announce_hold_is_here(&place->hold))
		return 4;
	if (announce_hold_is_taken(&place->hold))
		return 3;
	if (place->hold.state != ANNOUNCE_IDLE || place->winner[0] != '\0')
		return 2;
	return is_asked_on(place->claim, place->at->link.name) ? 1 : 0;
}

/* The place that says most, or NULL. */
static const struct announce_place *
best_place(const struct announce_claim *claim)
{
	const struct announce_place *best = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < claim->count; i++) {
		unsigned weight = weight_of(&claim->places[i]);

		if (weight <= most)
			continue;
		most = weight;
		best = &claim->places[i];
	}
	return best;
}

static bool
has_rival(const struct announce_place *place)
{
	return announce_hold_is_taken(&place->hold) ||
	    announce_hold_is_contested(
	        &place->hold, announcer_now_ms(place->at->announcer));
}

/* One in which another machine has it, or claims it too; NULL: none. */
static const struct announce_place *
contested_place(const struct announce_claim *claim)
{
	for (unsigned i = 0; i < claim->count; i++)
		if (claim->places[i].at->link.is_up &&
		    has_rival(&claim->places[i]))
			return &claim->places[i];
	return NULL;
}

static void
push_rival(
    struct text *why, const struct announce_place *place, const char *what)
{
	char rival[WIRE_HARDWARE_TEXT];
	wire_hardware_format(place->hold.rival, rival);
	text_printf(why, "%s %s on %s", what, rival, place->at->link.name);
}

/* Of one that is not held. */
static enum error
place_state(const struct announce_place *place, struct text *why)
{
	if (announce_hold_is_taken(&place->hold)) {
		push_rival(why, place, "another machine has it:");
		return ERROR_IN_USE;
	}
	if (place->hold.state == ANNOUNCE_PROBING) {
		text_printf(why, "neighbours are asked whether they have it");
		return ERROR_AGAIN;
	}
	if (place->winner[0] == '\0')
		text_printf(why, "it is not known yet who announces it");
	else
		text_printf(why, "node %s announces it", place->winner);
	return ERROR_AGAIN;
}

/* It is held, on this or another of its links. */
static enum error
held_state(const struct announce_claim *claim, struct text *why)
{
	const struct announce_place *place = contested_place(claim);

	if (place != NULL)
		push_rival(why, place,
		    announce_hold_is_taken(&place->hold)
		        ? "another machine has it:"
		        : "another machine claims it too:");
	return ERROR_OK;
}

/* What has kept a route from being added. */
static const char *
hint_of(enum error error)
{
	switch (error) {
	case ERROR_DENIED:
		return " (a local route needs CAP_NET_ADMIN)";
	case ERROR_EXISTS:
		return " (as the broadcast or anycast address of a network "
		       "that the host is in, or as a route of another program)";
	default:
		return "";
	}
}

/* The interfaces that are asked for are none of ours. */
static void
push_elsewhere(struct text *why, const struct announce_claim *claim,
    const struct announce_interfaces *on)
{
	const struct announcer *announcer = claim->announcer;

	text_push_string(why, "it is to be announced on ");
	for (unsigned i = 0; i < on->count; i++)
		text_printf(why, "%s%.*s", i > 0 ? " or " : "",
		    SLICE_ARGS(on->names[i]));
	text_push_string(why,
	    " (interfaces of an L2Advertisement), and the "
	    "announcer here has ");
	for (unsigned i = 0; i < announcer->link_count; i++)
		text_printf(why, "%s%s", i > 0 ? ", " : "",
		    announcer->links[i].link.name);
	text_printf(why, " alone: give it the other too (%s)",
	    announcer->has_peers ? "--interface" : "--announce");
}

/* No place says anything of it. */
static enum error
unplaced_state(const struct announce_claim *claim, struct text *why)
{
	const struct announce_interfaces *on = may_on(claim);
	bool any = false;

	if (on == NULL) {
		text_push_string(why, "other nodes may announce it");
		return ERROR_AGAIN;
	}
	for (unsigned i = 0; i < claim->count; i++)
		any = any ||
		    announce_is_on(
		        on, slice_from_string(claim->places[i].at->link.name));
	if (any)
		text_push_string(
		    why, "no interface that it is announced on is up");
	else
		push_elsewhere(why, claim, on);
	return claim->has_route ? ERROR_OK : ERROR_UNREACHABLE;
}

enum error
announce_claim_state(const struct announce_claim *claim, struct text *why)
{
	if (claim->is_own) {
		/* Of one host, which serves it all the same, there is nothing
		 * to tell. */
		if (claim->announcer->has_peers)
			text_printf(why,
			    "the node has it on an interface of its own, which "
			    "answers for it; nobody announces it");
		return ERROR_OK;
	}
	if (claim->error != ERROR_OK) {
		text_printf(why, "the host cannot take it: %s%s",
		    error_text(claim->error), hint_of(claim->error));
		return claim->error;
	}
	if (claim->forwarding.error != ERROR_OK) {
		text_printf(why,
		    "the node cannot lead it to its pods: %s (nf_tables, for "
		    "which CAP_NET_ADMIN is needed)",
		    error_text(claim->forwarding.error));
		return claim->forwarding.error;
	}
	const struct announce_place *place = best_place(claim);
	if (place == NULL)
		return unplaced_state(claim, why);
	return announce_hold_is_here(&place->hold) ? held_state(claim, why)
	                                           : place_state(place, why);
}

void
announce_claim_tell(const struct announce_claim *claim, struct text *interfaces,
    struct text *rival)
{
	const struct announce_place *contested = contested_place(claim);
	char hardware[WIRE_HARDWARE_TEXT];

	for (unsigned i = 0; i < claim->count; i++) {
		const struct announce_place *place = &claim->places[i];

		if (place->at->link.is_up &&
		    announce_hold_is_here(&place->hold))
			text_printf(interfaces, "%s%s",
			    interfaces->length > 0 ? "," : "",
			    place->at->link.name);
	}
	if (contested == NULL)
		return;
	wire_hardware_format(contested->hold.rival, hardware);
	text_push_string(rival, hardware);
}
