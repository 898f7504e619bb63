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

#include "announce/hold.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/map.h"
#include "core/memory.h"
#include "core/metric.h"
#include "core/must.h"
#include "net/link.h"
#include "net/route.h"

struct claim;

/* An address on a link. */
struct place {
	struct claim *claim;
	struct announcer_link *at;
	struct announce_hold hold;
	struct net_timer timer;
	int group; /* membership of the group that it is asked for by; -1 */
	bool told; /* of the rival that is there now */
};

struct claim {
	struct net_address address; /* port 0 */
	enum error error; /* OK, or why its route could not be added */
	bool is_own; /* the host has it without us */
	bool has_route;
	unsigned count;
	struct place places[];
};

struct announcer_link {
	struct net_link link;
	struct announcer *announcer;
};

struct announcer {
	struct announcer_options options;
	struct metrics metrics;
	struct random random;
	struct net_task changed;
	struct net_link_monitor monitor;
	struct map claims; /* by the address' 16 bytes */
	int lock;
	unsigned link_count;
	struct announcer_link links[LIMIT_VALUE_ANNOUNCE_LINKS];
};

static void on_frame(struct net_link *link, struct slice frame);
static void on_timer(struct net_timer *timer);
static void on_links_changed(struct net_link_monitor *monitor);

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
	net_task_init(&made->changed, on_changed);
	map_init(&made->claims);
	random_init(&made->random);
	metrics_init(&made->metrics);
	made->monitor.on_change = on_links_changed;
	error = net_link_monitor_open(&made->monitor, options->loop);
	if (error == ERROR_OK)
		error = net_route_sweep_local();
	*announcer = made;
	if (error != ERROR_OK)
		announcer_free(announcer);
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
	if (error == ERROR_OK)
		announcer->link_count++;
	return error;
}

static uint64_t
now_ms(const struct announcer *announcer)
{
	return net_loop_now_ms(announcer->options.loop);
}

static bool
is_held(const struct claim *claim)
{
	for (unsigned i = 0; i < claim->count; i++)
		if (claim->places[i].hold.state == ANNOUNCE_HELD)
			return true;
	return false;
}

/* What is held for the first time is taken; it is not given up to a rival, so
 * it stays until the claim goes. Who asks is told of the change. */
static void
settle(struct announcer *announcer, struct claim *claim)
{
	char text[NET_ADDRESS_TEXT];

	net_loop_defer(announcer->options.loop, &announcer->changed);
	if (claim->has_route || !is_held(claim))
		return;
	claim->error = net_route_add_local(&claim->address);
	claim->has_route = claim->error == ERROR_OK;
	net_address_format_ip(&claim->address, text);
	if (!claim->has_route) {
		log_event(LOG_ANNOUNCE_FAILED, LOG_STRING("address", text),
		    LOG_STRING("error", error_text(claim->error)));
		return;
	}
	metric_add(&announcer->metrics, METRIC_ANNOUNCE_HELD, 1);
	log_event(LOG_ANNOUNCE_HELD, LOG_STRING("address", text));
}

static void
send_all(struct announcer *announcer, struct announcer_link *at,
    const struct announce_output *out)
{
	char frame[WIRE_NEIGHBOUR_FRAME_BYTES];

	for (unsigned i = 0; i < out->count; i++) {
		unsigned length =
		    wire_neighbour_encode(&out->messages[i], frame);
		bool sent = net_link_send(&at->link,
		                slice_make(frame, length)) == ERROR_OK;
		metric_add(&announcer->metrics,
		    sent ? METRIC_ANNOUNCE_SENT : METRIC_ANNOUNCE_LOST, 1);
	}
}

/* What a hold has made of an event: what it says is sent, and what it is now is
 * told. */
static void
follow(struct place *place, enum announce_state before,
    const struct announce_output *out)
{
	struct announcer *announcer = place->at->announcer;
	struct announce_hold *hold = &place->hold;
	uint64_t now = now_ms(announcer);
	char text[NET_ADDRESS_TEXT], rival[WIRE_HARDWARE_TEXT];

	send_all(announcer, place->at, out);
	net_timer_set(announcer->options.loop, &place->timer,
	    hold->due_ms > now ? hold->due_ms - now : 0);
	bool contested = announce_hold_is_contested(hold, now);
	if (contested && !place->told) {
		net_address_format_ip(&place->claim->address, text);
		wire_hardware_format(hold->rival, rival);
		log_event(LOG_ANNOUNCE_RIVAL, LOG_STRING("address", text),
		    LOG_STRING("interface", place->at->link.name),
		    LOG_STRING("hardware", rival));
	}
	bool changed = hold->state != before || contested != place->told;
	place->told = contested;
	if (changed)
		settle(announcer, place->claim);
}

static void
on_timer(struct net_timer *timer)
{
	struct place *place = container_of(timer, struct place, timer);
	struct announcer *announcer = place->at->announcer;
	enum announce_state before = place->hold.state;
	struct announce_output out = {0};

	/* Nobody would hear the asks: look_at goes on when the link is up. */
	if (!place->at->link.is_up && before == ANNOUNCE_PROBING)
		return;
	if (now_ms(announcer) >= place->hold.due_ms)
		announce_hold_tick(
		    &place->hold, now_ms(announcer), &announcer->random, &out);
	follow(place, before, &out);
}

static void
hear(struct announcer_link *at, const uint8_t *ip,
    const struct wire_neighbour *message)
{
	struct announcer *announcer = at->announcer;
	struct claim *claim = map_get(&announcer->claims, key_of(ip));
	struct announce_output out;

	for (unsigned i = 0; claim && i < claim->count; i++) {
		struct place *place = &claim->places[i];
		enum announce_state before = place->hold.state;
		uint64_t rivals = place->hold.rival_claims;
		if (place->at != at)
			continue;
		announce_hold_hear(&place->hold, message, now_ms(announcer),
		    &announcer->random, &out);
		metric_add(&announcer->metrics, METRIC_ANNOUNCE_CONFLICTS,
		    place->hold.rival_claims - rivals);
		follow(place, before, &out);
	}
}

static void
on_frame(struct net_link *link, struct slice frame)
{
	struct announcer_link *at =
	    container_of(link, struct announcer_link, link);
	struct announcer *announcer = at->announcer;
	struct wire_neighbour message;

	enum error error = wire_neighbour_decode(frame, &message);
	metric_add(&announcer->metrics,
	    error == ERROR_OK || error == ERROR_UNSUPPORTED
	        ? METRIC_ANNOUNCE_HEARD
	        : METRIC_ANNOUNCE_MALFORMED,
	    1);
	if (error != ERROR_OK)
		return;
	hear(at, message.subject, &message);
	if (memcmp(message.subject, message.other, WIRE_IP_BYTES) != 0)
		hear(at, message.other, &message);
}

static void
join_group(struct place *place)
{
	struct net_link *link = &place->at->link;
	uint8_t group[WIRE_IP_BYTES];

	wire_ip_group(place->claim->address.ip, group);
	if (net_link_join(link, group, &place->group) != ERROR_OK)
		log_event(
		    LOG_ANNOUNCE_NO_GROUP, LOG_STRING("interface", link->name));
}

static void
open_place(struct place *place, struct claim *claim, struct announcer_link *at)
{
	struct announcer *announcer = at->announcer;

	place->claim = claim;
	place->at = at;
	place->group = -1;
	net_timer_init(&place->timer, on_timer);
	if (claim->address.family == AF_INET6)
		join_group(place);
	announce_hold_init(&place->hold, claim->address.ip, at->link.hardware,
	    true, now_ms(announcer), &announcer->random);
	net_timer_set(announcer->options.loop, &place->timer,
	    place->hold.due_ms - now_ms(announcer));
}

enum error
announcer_claim(struct announcer *announcer, const struct net_address *address)
{
	struct claim *claim = map_get(&announcer->claims, key_of(address->ip));

	if (claim != NULL)
		return ERROR_OK;
	if (announcer->claims.count == LIMIT_VALUE_ANNOUNCE_ADDRESSES) {
		limit_hit(&announcer->metrics, LIMIT_ANNOUNCE_ADDRESSES);
		return ERROR_LIMIT;
	}
	unsigned count = announcer->link_count;
	claim = memory_zero(1, sizeof(*claim) + count * sizeof(struct place));
	claim->address = *address;
	claim->address.port = 0;
	claim->is_own = net_route_local(address) == NET_LOCAL_HOST;
	map_put(&announcer->claims, key_of(claim->address.ip), claim);
	if (claim->is_own)
		return ERROR_OK;
	claim->count = count;
	for (unsigned i = 0; i < count; i++)
		open_place(&claim->places[i], claim, &announcer->links[i]);
	return ERROR_OK;
}

static void
free_claim(struct announcer *announcer, struct claim *claim)
{
	if (claim->has_route) {
		/* A route that stays is swept by the next start. */
		if (net_route_remove_local(&claim->address) != ERROR_OK)
			log_event(LOG_ANNOUNCE_FAILED,
			    LOG_STRING("error", "a route was not removed"));
		metric_subtract(&announcer->metrics, METRIC_ANNOUNCE_HELD, 1);
	}
	for (unsigned i = 0; i < claim->count; i++) {
		net_timer_clear(&claim->places[i].timer);
		if (claim->places[i].group >= 0)
			close(claim->places[i].group);
	}
	memory_free(claim);
}

void
announcer_release(
    struct announcer *announcer, const struct net_address *address)
{
	struct claim *claim =
	    map_remove(&announcer->claims, key_of(address->ip));
	if (claim != NULL)
		free_claim(announcer, claim);
}

/* Whose link is back is announced anew; whose interface was made anew, under
 * the same name, is opened again. */
static void
look_at(struct announcer_link *at)
{
	struct announcer *announcer = at->announcer;
	struct slice key;
	void *value;

	if (!net_link_look(&at->link))
		return;
	if (!at->link.is_up && if_nametoindex(at->link.name) != 0 &&
	    if_nametoindex(at->link.name) != at->link.index) {
		char name[IF_NAMESIZE];
		memcpy(name, at->link.name, sizeof(name));
		net_link_close(&at->link);
		if (net_link_open(&at->link, announcer->options.loop, name) !=
		    ERROR_OK)
			return;
	}
	log_event(LOG_ANNOUNCE_LINK, LOG_STRING("interface", at->link.name),
	    LOG_STRING("is", at->link.is_up ? "up" : "down"));
	net_loop_defer(announcer->options.loop, &announcer->changed);
	for (size_t i = 0; map_next(&announcer->claims, &i, &key, &value);) {
		struct claim *claim = value;
		for (unsigned p = 0; p < claim->count; p++) {
			struct place *place = &claim->places[p];
			struct announce_output out = {0};
			if (place->at != at || !at->link.is_up)
				continue;
			announce_hold_renew(
			    &place->hold, at->link.hardware, now_ms(announcer));
			follow(place, place->hold.state, &out);
		}
	}
}

static void
on_links_changed(struct net_link_monitor *monitor)
{
	struct announcer *announcer =
	    container_of(monitor, struct announcer, monitor);
	for (unsigned i = 0; i < announcer->link_count; i++)
		look_at(&announcer->links[i]);
}

/* The place that says most about the claim: one that holds it, else one that a
 * rival keeps it from. */
static const struct place *
best_place(const struct claim *claim)
{
	const struct place *best = NULL;

	for (unsigned i = 0; i < claim->count; i++) {
		const struct place *place = &claim->places[i];
		if (!place->at->link.is_up)
			continue;
		if (place->hold.state == ANNOUNCE_HELD)
			return place;
		if (best == NULL || place->hold.state == ANNOUNCE_TAKEN)
			best = place;
	}
	return best;
}

static void
push_rival(struct text *why, const struct place *place, const char *what)
{
	char rival[WIRE_HARDWARE_TEXT];
	wire_hardware_format(place->hold.rival, rival);
	text_printf(why, "%s %s on %s", what, rival, place->at->link.name);
}

enum error
announcer_state(const struct announcer *announcer,
    const struct net_address *address, struct text *why)
{
	const struct claim *claim =
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
	const struct place *place = best_place(claim);
	if (place == NULL) {
		text_printf(why, "no interface that it is announced on is up");
		return claim->has_route ? ERROR_OK : ERROR_UNREACHABLE;
	}
	if (place->hold.state == ANNOUNCE_PROBING) {
		text_printf(why, "neighbours are asked whether they have it");
		return ERROR_AGAIN;
	}
	if (place->hold.state == ANNOUNCE_TAKEN) {
		push_rival(why, place, "another machine has it:");
		return ERROR_IN_USE;
	}
	if (announce_hold_is_contested(&place->hold, now_ms(announcer)))
		push_rival(why, place, "another machine claims it too:");
	return ERROR_OK;
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
	for (unsigned i = 0; i < old->link_count; i++)
		net_link_close(&old->links[i].link);
	metrics_fini(&old->metrics);
	close(old->lock);
	memory_free(old);
}
