/* Holds, links and routes together: frames and timers go into holds, what holds
 * say goes out on their link. An address is the host's own (its route is there)
 * while some link holds it. */
#include "announce/announcer.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "announce/announcer_priv.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "net/route.h"

#define CLAIM_BLOCK_BYTES 256

static void on_frame(struct net_link *link, struct slice frame);
static void on_links_changed(struct net_link_monitor *monitor);
static void on_peers_changed(struct announce_peers *peers);
static void on_stood_still(struct announce_peers *peers);

static struct slice
key_of(const uint8_t *ip)
{
	return slice_make((const char *)ip, WIRE_IP_BYTES);
}

/* A name without a file, one a network namespace; gone with the process. */
static enum error
take_lock(int *fd)
{
	static const char name[] = "\0yumen-announcer";
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	memcpy(at.sun_path, name, sizeof(name) - 1);
	*fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return error_from_errno(errno);
	if (bind(*fd, (struct sockaddr *)&at,
	        (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	            sizeof(name) - 1)) == 0)
		return ERROR_OK;
	enum error error = error_from_errno(errno);
	close(*fd);
	return error;
}

static void
on_changed(struct net_task *task)
{
	struct announcer *announcer =
	    container_of(task, struct announcer, changed);
	announcer->options.on_change(announcer->options.context);
}

/* What a killed one has left is taken away, where this one may. */
static enum error
sweep(const struct announcer *announcer)
{
	return announcer->options.takes ? net_route_sweep_local() : ERROR_OK;
}

enum error
announcer_new(
    const struct announcer_options *options, struct announcer **announcer)
{
	struct announcer *made = memory_zero(1, sizeof(*made));
	enum error error = take_lock(&made->lock);

	if (error != ERROR_OK) {
		memory_free(made);
		return error;
	}
	made->options = *options;
	made->has_peers = slice_is_set(options->node);
	must(!made->has_peers || options->key.length > 0);
	net_task_init(&made->changed, on_changed);
	map_init(&made->claims);
	random_init(&made->random);
	metrics_init(&made->metrics);
	made->monitor.on_change = on_links_changed;
	error = net_link_monitor_open(&made->monitor, options->loop);
	if (error == ERROR_OK)
		error = sweep(made);
	*announcer = made;
	if (error != ERROR_OK)
		announcer_free(announcer);
	return error;
}

static void
init_peers(struct announcer_link *at)
{
	struct announcer *announcer = at->announcer;
	const struct announcer_options *options = &announcer->options;

	at->peers = (struct announce_peers){
	    .loop = options->loop,
	    .key = options->key,
	    .port = options->port,
	    .metrics = &announcer->metrics,
	    .interface = at->link.name,
	    .on_change = on_peers_changed,
	    .on_stood_still = on_stood_still,
	};
	announce_peers_init(&at->peers, options->node, &announcer->random);
}

/* What can be heard of others depends on the link. */
static enum error
begin_peers(struct announcer_link *at)
{
	if (!at->announcer->has_peers || !at->link.is_up)
		return ERROR_OK;
	enum error error =
	    announce_peers_begin(&at->peers, at->link.index, at->link.hardware);
	if (error != ERROR_OK)
		log_event(LOG_ANNOUNCE_NO_PEERS,
		    LOG_STRING("interface", at->link.name),
		    LOG_STRING("error", error_text(error)));
	return error;
}

enum error
announcer_add_link(struct announcer *announcer, const char *name)
{
	must(announcer->claims.count == 0);
	if (announcer->link_count == LIMIT_VALUE_ANNOUNCE_LINKS) {
		limit_hit(&announcer->metrics, LIMIT_ANNOUNCE_LINKS);
		return ERROR_LIMIT;
	}
	struct announcer_link *at = &announcer->links[announcer->link_count];
	at->announcer = announcer;
	at->link.on_frame = on_frame;
	enum error error =
	    net_link_open(&at->link, announcer->options.loop, name);
	if (error != ERROR_OK)
		return error;
	announcer->link_count++;
	if (!announcer->has_peers)
		return ERROR_OK;
	if (announcer->options.takes && net_link_hush(&at->link) != ERROR_OK)
		log_event(LOG_ANNOUNCE_NOT_HUSHED,
		    LOG_STRING("interface", at->link.name));
	init_peers(at);
	return begin_peers(at);
}

/* ---- claims ---- */

static bool
is_here(const struct announce_claim *claim)
{
	for (unsigned i = 0; i < claim->count; i++)
		if (announce_hold_is_here(&claim->places[i].hold))
			return true;
	return false;
}

static void
take_route(struct announcer *announcer, struct announce_claim *claim)
{
	claim->error = net_route_add_local(&claim->address);
	claim->has_route = claim->error == ERROR_OK;
	if (!claim->has_route)
		log_event(LOG_ANNOUNCE_FAILED,
		    LOG_STRING("address", claim->text),
		    LOG_STRING("error", error_text(claim->error)));
	(void)announcer;
}

static void
drop_route(struct announce_claim *claim)
{
	/* A route that stays is swept by the next start. */
	if (claim->has_route &&
	    net_route_remove_local(&claim->address) != ERROR_OK)
		log_event(LOG_ANNOUNCE_FAILED,
		    LOG_STRING("address", claim->text),
		    LOG_STRING("error", "a route was not removed"));
	claim->has_route = false;
}

void
announce_claim_settle(struct announcer *announcer, struct announce_claim *claim)
{
	bool here = is_here(claim);

	net_loop_defer(announcer->options.loop, &announcer->changed);
	if (here == claim->is_here)
		return;
	claim->is_here = here;
	if (here) {
		if (announcer->options.takes)
			take_route(announcer, claim);
		metric_add(&announcer->metrics, METRIC_ANNOUNCE_HELD, 1);
		log_event(
		    LOG_ANNOUNCE_HELD, LOG_STRING("address", claim->text));
		return;
	}
	drop_route(claim);
	metric_subtract(&announcer->metrics, METRIC_ANNOUNCE_HELD, 1);
	log_event(LOG_ANNOUNCE_GIVEN_UP, LOG_STRING("address", claim->text));
}

/* What is asked of it, copied. */
static void
fill_claim(struct announce_claim *claim, const struct unit_claim *unit)
{
	struct arena *arena = &claim->arena;
	uint32_t count = unit->nodes_count;

	arena_reset(arena);
	struct announce_preference *nodes =
	    arena_zero(arena, count + 1, sizeof(*nodes));
	for (uint32_t i = 0; i < count; i++)
		nodes[i] = (struct announce_preference){
		    arena_copy(arena, unit->nodes[i].name),
		    unit->nodes[i].weight};
	struct slice *interfaces =
	    arena_zero(arena, unit->interfaces_count + 1, sizeof(*interfaces));
	for (uint32_t i = 0; i < unit->interfaces_count; i++)
		interfaces[i] = arena_copy(arena, unit->interfaces[i]);
	claim->interfaces = interfaces;
	claim->interface_count = unit->interfaces_count;
	claim->ballot = (struct announce_ballot){
	    .address = slice_from_string(claim->text),
	    .restricted = unit->restricted != 0,
	    .nodes = nodes,
	    .node_count = count,
	};
}

static void
decide_all(const struct announcer *announcer, struct announce_claim *claim)
{
	(void)announcer;
	for (unsigned i = 0; i < claim->count; i++)
		if (claim->places[i].at->link.is_up)
			announce_place_decide(&claim->places[i]);
}

static struct announce_claim *
add_claim(struct announcer *announcer, const struct net_address *address)
{
	unsigned count = announcer->link_count;
	struct announce_claim *claim = memory_zero(
	    1, sizeof(*claim) + count * sizeof(struct announce_place));

	claim->address = *address;
	claim->address.port = 0;
	net_address_format_ip(&claim->address, claim->text);
	arena_init(&claim->arena, CLAIM_BLOCK_BYTES);
	claim->is_own = net_route_local(address) == NET_LOCAL_HOST;
	map_put(&announcer->claims, key_of(claim->address.ip), claim);
	if (claim->is_own)
		return claim;
	claim->count = count;
	for (unsigned i = 0; i < count; i++)
		announce_place_open(
		    &claim->places[i], claim, &announcer->links[i]);
	return claim;
}

enum error
announcer_claim(struct announcer *announcer, const struct unit_claim *unit)
{
	struct net_address address;

	enum error error = net_address_parse(unit->address, 0, &address);
	if (error != ERROR_OK)
		return error;
	struct announce_claim *claim =
	    map_get(&announcer->claims, key_of(address.ip));
	if (claim == NULL) {
		if (announcer->claims.count == LIMIT_VALUE_ANNOUNCE_ADDRESSES) {
			limit_hit(
			    &announcer->metrics, LIMIT_ANNOUNCE_ADDRESSES);
			return ERROR_LIMIT;
		}
		claim = add_claim(announcer, &address);
	}
	fill_claim(claim, unit);
	decide_all(announcer, claim);
	net_loop_defer(announcer->options.loop, &announcer->changed);
	return ERROR_OK;
}

static void
free_claim(struct announcer *announcer, struct announce_claim *claim)
{
	drop_route(claim);
	if (claim->is_here)
		metric_subtract(&announcer->metrics, METRIC_ANNOUNCE_HELD, 1);
	for (unsigned i = 0; i < claim->count; i++)
		announce_place_close(&claim->places[i]);
	arena_fini(&claim->arena);
	memory_free(claim);
}

void
announcer_release(
    struct announcer *announcer, const struct net_address *address)
{
	struct announce_claim *claim =
	    map_remove(&announcer->claims, key_of(address->ip));
	if (claim == NULL)
		return;
	free_claim(announcer, claim);
	net_loop_defer(announcer->options.loop, &announcer->changed);
}

/* ---- what comes in ---- */

/* Another interface of ours on the same link is no neighbour. */
static bool
is_ours(const struct announcer *announcer, const uint8_t *hardware)
{
	for (unsigned i = 0; i < announcer->link_count; i++)
		if (memcmp(announcer->links[i].link.hardware, hardware,
		        WIRE_HARDWARE_BYTES) == 0)
			return true;
	return false;
}

static void
hear(struct announcer_link *at, const uint8_t *ip,
    const struct wire_neighbour *message)
{
	struct announce_claim *claim =
	    map_get(&at->announcer->claims, key_of(ip));

	if (claim == NULL || claim->count == 0)
		return;
	/* Places stand in the links' order. */
	size_t which = (size_t)(at - at->announcer->links);
	must(which < claim->count);
	announce_place_hear(&claim->places[which], message);
}

static void
on_frame(struct net_link *link, struct slice frame)
{
	struct announcer_link *at =
	    container_of(link, struct announcer_link, link);
	struct announcer *announcer = at->announcer;
	struct wire_neighbour message;

	if (announcer->has_peers)
		announce_peers_note(&at->peers);
	enum error error = wire_neighbour_decode(frame, &message);
	metric_add(&announcer->metrics,
	    error == ERROR_OK || error == ERROR_UNSUPPORTED
	        ? METRIC_ANNOUNCE_HEARD
	        : METRIC_ANNOUNCE_MALFORMED,
	    1);
	if (error != ERROR_OK || is_ours(announcer, message.hardware))
		return;
	hear(at, message.subject, &message);
	if (memcmp(message.subject, message.other, WIRE_IP_BYTES) != 0)
		hear(at, message.other, &message);
}

/* For each place on a link. */
static void
each_place(
    const struct announcer_link *at, void (*fn)(struct announce_place *place))
{
	size_t which = (size_t)(at - at->announcer->links);
	struct slice key;
	void *value;

	for (size_t i = 0;
	     map_next(&at->announcer->claims, &i, &key, &value);) {
		struct announce_claim *claim = value;
		if (which < claim->count)
			fn(&claim->places[which]);
	}
}

static void
on_peers_changed(struct announce_peers *peers)
{
	struct announcer_link *at =
	    container_of(peers, struct announcer_link, peers);

	each_place(at, announce_place_decide);
	net_loop_defer(at->announcer->options.loop, &at->announcer->changed);
}

/* If there were others, they have it all by now; if not, nobody has. */
static void
on_stood_still(struct announce_peers *peers)
{
	if (peers->members.live_count > 0)
		each_place(container_of(peers, struct announcer_link, peers),
		    announce_place_drop);
}

/* Made anew, under the same name. */
static bool
open_again(struct announcer_link *at)
{
	char name[IF_NAMESIZE];

	memcpy(name, at->link.name, sizeof(name));
	net_link_close(&at->link);
	return net_link_open(&at->link, at->announcer->options.loop, name) ==
	    ERROR_OK;
}

/* With others on it, a link that was down is a new one: they have what was held
 * here. Alone, what was held is announced anew when it is back. */
static void
follow_link(struct announcer_link *at)
{
	if (at->announcer->has_peers) {
		announce_peers_end(&at->peers);
		each_place(at, announce_place_drop);
	}
	if (!at->link.is_up)
		return;
	each_place(at, announce_place_renew);
	if (at->announcer->has_peers)
		(void)!begin_peers(at);
	else
		each_place(at, announce_place_decide);
}

static void
look_at(struct announcer_link *at)
{
	struct announcer *announcer = at->announcer;

	if (!net_link_look(&at->link))
		return;
	unsigned index = if_nametoindex(at->link.name);
	if (!at->link.is_up && index != 0 && index != at->link.index &&
	    !open_again(at))
		return;
	log_event(LOG_ANNOUNCE_LINK, LOG_STRING("interface", at->link.name),
	    LOG_STRING("is", at->link.is_up ? "up" : "down"));
	net_loop_defer(announcer->options.loop, &announcer->changed);
	follow_link(at);
}

static void
on_links_changed(struct net_link_monitor *monitor)
{
	struct announcer *announcer =
	    container_of(monitor, struct announcer, monitor);
	for (unsigned i = 0; i < announcer->link_count; i++)
		look_at(&announcer->links[i]);
}

/* ---- what is to be known ---- */

/* The place that says most about the claim: one that holds it, else one that a
 * rival keeps it from, else any whose link is up. */
static const struct announce_place *
best_place(const struct announce_claim *claim)
{
	const struct announce_place *best = NULL;

	for (unsigned i = 0; i < claim->count; i++) {
		const struct announce_place *place = &claim->places[i];
		if (!place->at->link.is_up)
			continue;
		if (announce_hold_is_here(&place->hold))
			return place;
		if (best == NULL || place->hold.state == ANNOUNCE_TAKEN)
			best = place;
	}
	return best;
}

static void
push_rival(
    struct text *why, const struct announce_place *place, const char *what)
{
	char rival[WIRE_HARDWARE_TEXT];
	wire_hardware_format(place->hold.rival, rival);
	text_printf(why, "%s %s on %s", what, rival, place->at->link.name);
}

static enum error
place_state(const struct announcer *announcer,
    const struct announce_place *place, struct text *why)
{
	switch (place->hold.state) {
	case ANNOUNCE_IDLE:
		if (place->winner[0] == '\0') {
			text_printf(why, "it is announced on no interface");
			return ERROR_UNREACHABLE;
		}
		text_printf(why, "node %s announces it", place->winner);
		return ERROR_AGAIN;
	case ANNOUNCE_PROBING:
		text_printf(why, "neighbours are asked whether they have it");
		return ERROR_AGAIN;
	case ANNOUNCE_TAKEN:
		push_rival(why, place, "another machine has it:");
		return ERROR_IN_USE;
	case ANNOUNCE_HELD:
	case ANNOUNCE_YIELDING:
		break;
	}
	if (announce_hold_is_contested(
	        &place->hold, announcer_now_ms(announcer)))
		push_rival(why, place, "another machine claims it too:");
	return ERROR_OK;
}

enum error
announcer_state(const struct announcer *announcer,
    const struct net_address *address, struct text *why)
{
	const struct announce_claim *claim =
	    map_get(&announcer->claims, key_of(address->ip));

	if (claim == NULL)
		return ERROR_NOT_FOUND;
	if (claim->is_own)
		return ERROR_OK;
	if (claim->error != ERROR_OK) {
		text_printf(why,
		    "the host cannot take it: %s (a local route needs "
		    "CAP_NET_ADMIN)",
		    error_text(claim->error));
		return claim->error;
	}
	const struct announce_place *place = best_place(claim);
	if (place != NULL)
		return place_state(announcer, place, why);
	text_printf(why, "no interface that it is announced on is up");
	return claim->has_route ? ERROR_OK : ERROR_UNREACHABLE;
}

void
announcer_leave(struct announcer *announcer)
{
	announcer->leaving = true;
	for (unsigned i = 0; announcer->has_peers && i < announcer->link_count;
	     i++)
		announce_peers_leave(&announcer->links[i].peers);
}

bool
announcer_is_here(const struct announcer *announcer)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&announcer->claims, &at, &key, &value);)
		if (((const struct announce_claim *)value)->is_here)
			return true;
	return false;
}

void
announcer_free(struct announcer **announcer)
{
	struct announcer *old = *announcer;
	struct slice key;
	void *value;

	*announcer = NULL;
	if (old == NULL)
		return;
	for (size_t at = 0; map_next(&old->claims, &at, &key, &value);)
		free_claim(old, value);
	map_fini(&old->claims);
	net_task_cancel(old->options.loop, &old->changed);
	net_link_monitor_close(&old->monitor);
	for (unsigned i = 0; i < old->link_count; i++) {
		if (old->has_peers)
			announce_peers_end(&old->links[i].peers);
		net_link_close(&old->links[i].link);
	}
	metrics_fini(&old->metrics);
	close(old->lock);
	memory_free(old);
}
