/* A link: frames go from it to the places of the claims that they are about; a
 * link that goes down, or comes back, changes who is there. */
#include "announce/announcer_priv.h"

#include "core/log.h"
#include "core/must.h"

static void on_frame(struct net_link *link, struct slice frame);
static void on_lost(struct net_link *link, unsigned frames);
static void on_peers_changed(struct announce_peers *peers);
static void on_stood_still(struct announce_peers *peers);
static void on_retry(struct net_timer *timer);
static bool is_ours_too(struct announce_peers *peers, const uint8_t *hardware);

static void
init_peers(struct announcer_link *at)
{
	struct announcer *announcer = at->announcer;
	const struct announcer_options *options = &announcer->options;

	at->peers = (struct announce_peers){
	    .loop = options->loop,
	    .keys = options->keys,
	    .port = options->port,
	    .metrics = &announcer->metrics,
	    .interface = at->link.name,
	    .on_change = on_peers_changed,
	    .on_stood_still = on_stood_still,
	    .is_ours = is_ours_too,
	};
	net_timer_init(&at->retry, on_retry);
	announce_peers_init(&at->peers, options->node, &announcer->random);
}

/* What can be heard of others depends on the link. What keeps them from being
 * reached may pass (another program has the port): it is told once, and tried
 * again until the link is down. */
static void
begin_peers(struct announcer_link *at, bool again)
{
	if (!at->announcer->has_peers || !at->link.is_up)
		return;
	enum error error =
	    announce_peers_begin(&at->peers, at->link.index, at->link.hardware);
	if (error != ERROR_OK)
		net_timer_set(at->announcer->options.loop, &at->retry,
		    LIMIT_VALUE_ANNOUNCE_PEERS_RETRY_MS);
	if (error != ERROR_OK && !again)
		log_event(LOG_ANNOUNCE_NO_PEERS,
		    LOG_STRING("interface", at->link.name),
		    LOG_STRING("error", error_text(error)));
	if (error == ERROR_OK && again)
		log_event(
		    LOG_ANNOUNCE_PEERS, LOG_STRING("interface", at->link.name));
}

static void
on_retry(struct net_timer *timer)
{
	begin_peers(container_of(timer, struct announcer_link, retry), true);
}

static void
end_peers(struct announcer_link *at)
{
	net_timer_clear(&at->retry);
	announce_peers_end(&at->peers);
}

/* Where nothing but this process is to answer. */
static void
hush(struct announcer_link *at)
{
	const struct announcer *announcer = at->announcer;

	if (!announcer->has_peers || !announcer->options.takes)
		return;
	at->is_quiet = net_link_hush(&at->link) == ERROR_OK;
	if (!at->is_quiet)
		log_event(LOG_ANNOUNCE_NOT_HUSHED,
		    LOG_STRING("interface", at->link.name));
}

enum error
announce_link_open(
    struct announcer_link *at, struct announcer *announcer, const char *name)
{
	at->announcer = announcer;
	at->link.on_frame = on_frame;
	at->link.on_lost = on_lost;
	enum error error =
	    net_link_open(&at->link, announcer->options.loop, name);
	if (error != ERROR_OK || !announcer->has_peers)
		return error;
	hush(at);
	init_peers(at);
	begin_peers(at, false);
	return ERROR_OK;
}

void
announce_link_close(struct announcer_link *at)
{
	if (at->announcer->has_peers)
		end_peers(at);
	net_link_close(&at->link);
}

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

static bool
is_ours_too(struct announce_peers *peers, const uint8_t *hardware)
{
	return is_ours(
	    container_of(peers, struct announcer_link, peers)->announcer,
	    hardware);
}

static void
hear(struct announcer_link *at, const uint8_t *ip,
    const struct wire_neighbour *message)
{
	struct announce_claim *claim =
	    map_get(&at->announcer->claims, announcer_key(ip));

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

static void
on_lost(struct net_link *link, unsigned frames)
{
	struct announcer_link *at =
	    container_of(link, struct announcer_link, link);

	metric_add(&at->announcer->metrics, METRIC_ANNOUNCE_UNHEARD, frames);
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

/* Made anew, under the same name. One that cannot be opened is down, until a
 * look that finds it otherwise. True when there is something to follow. */
static bool
open_again(struct announcer_link *at)
{
	char name[IF_NAMESIZE];
	bool was_up = at->link.is_up;

	memcpy(name, at->link.name, sizeof(name));
	net_link_close(&at->link);
	if (net_link_open(&at->link, at->announcer->options.loop, name) ==
	    ERROR_OK)
		hush(at);
	else
		at->link.is_up = false;
	return at->link.is_up || was_up;
}

/* One that is gone is closed, for the next of its name is another, though it
 * may have the same index and hardware address. */
static bool
look(struct announcer_link *at)
{
	struct net_link *link = &at->link;
	unsigned index = if_nametoindex(link->name);

	if (index == 0)
		net_link_close(link);
	else if (index != link->index || !net_link_is_open(link))
		return open_again(at);
	return net_link_look(link);
}

/* With others on it, a link that was down is a new one: they have what was held
 * here. Alone, what was held is announced anew when it is back. */
static void
follow_link(struct announcer_link *at)
{
	if (at->announcer->has_peers) {
		end_peers(at);
		each_place(at, announce_place_drop);
	}
	if (!at->link.is_up)
		return;
	each_place(at, announce_place_renew);
	if (at->announcer->has_peers)
		begin_peers(at, false);
	else
		each_place(at, announce_place_decide);
}

void
announce_link_look(struct announcer_link *at)
{
	struct announcer *announcer = at->announcer;

	if (!look(at))
		return;
	log_event(LOG_ANNOUNCE_LINK, LOG_STRING("interface", at->link.name),
	    LOG_STRING("is", at->link.is_up ? "up" : "down"));
	net_loop_defer(announcer->options.loop, &announcer->changed);
	follow_link(at);
}
