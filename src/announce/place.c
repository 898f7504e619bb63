/* An address on a link: whether it is to be held there, and what its hold has
 * to say. */
#include <stdio.h>
#include <unistd.h>

#include "announce/announcer_priv.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"

static void on_timer(struct net_timer *timer);

void
announce_place_open(struct announce_place *place, struct announce_claim *claim,
    struct announcer_link *at)
{
	place->claim = claim;
	place->at = at;
	place->group = -1;
	net_timer_init(&place->timer, on_timer);
	announce_hold_init(
	    &place->hold, claim->address.ip, at->link.hardware, &at->budget);
}

static void
leave_group(struct announce_place *place)
{
	if (place->group >= 0)
		close(place->group);
	place->group = -1;
}

void
announce_place_close(struct announce_place *place)
{
	net_timer_clear(&place->timer);
	leave_group(place);
}

/* Whoever asks for an IPv6 address asks a group. */
static void
follow_group(struct announce_place *place)
{
	struct net_link *link = &place->at->link;
	uint8_t group[WIRE_IP_BYTES];
	bool wanted = place->hold.state != ANNOUNCE_IDLE;

	if (place->claim->address.family != AF_INET6 ||
	    wanted == (place->group >= 0))
		return;
	if (!wanted) {
		leave_group(place);
		return;
	}
	wire_ip_group(place->claim->address.ip, group);
	if (net_link_join(link, group, &place->group) != ERROR_OK)
		log_event(
		    LOG_ANNOUNCE_NO_GROUP, LOG_STRING("interface", link->name));
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

static void
count(struct announce_place *place)
{
	struct metrics *metrics = &place->at->announcer->metrics;
	const struct announce_counts *now = &place->hold.counts;
	struct announce_counts *then = &place->counted;

	metric_add(
	    metrics, METRIC_ANNOUNCE_CONFLICTS, now->claims - then->claims);
	metric_add(metrics, METRIC_ANNOUNCE_DEFENCES, now->said - then->said);
	for (uint64_t i = then->put_off; i < now->put_off; i++)
		limit_hit(metrics, LIMIT_ANNOUNCE_DEFENCES);
	*then = *now;
}

/* Of those that claim it in turns not each frame is told. */
#define ANOTHER_RIVAL_MS 1000

static bool
is_another_rival(const struct announce_place *place, uint64_t now_ms)
{
	return place->told && now_ms - place->told_ms >= ANOTHER_RIVAL_MS &&
	    memcmp(place->told_rival, place->hold.rival, WIRE_HARDWARE_BYTES) !=
	    0;
}

static void
tell_rival(struct announce_place *place, uint64_t now_ms)
{
	char rival[WIRE_HARDWARE_TEXT];

	memcpy(place->told_rival, place->hold.rival, WIRE_HARDWARE_BYTES);
	place->told_ms = now_ms;
	wire_hardware_format(place->hold.rival, rival);
	log_event(LOG_ANNOUNCE_RIVAL, LOG_STRING("address", place->claim->text),
	    LOG_STRING("interface", place->at->link.name),
	    LOG_STRING("hardware", rival));
}

/* What a hold has made of an event: what it is now is told, and what it says is
 * sent, unless the host turns out not to take what comes. */
static void
follow(struct announce_place *place, enum announce_state before,
    const struct announce_output *out)
{
	struct announcer *announcer = place->at->announcer;
	struct announce_hold *hold = &place->hold;
	uint64_t now = announcer_now_ms(announcer);

	count(place);
	bool contested = announce_hold_is_contested(hold, now);
	bool is_news = contested != place->told ||
	    (contested && is_another_rival(place, now));
	if (contested && is_news)
		tell_rival(place, now);
	place->told = contested;
	if (hold->state != before)
		follow_group(place);
	if (hold->state != before || is_news)
		announce_claim_settle(place->claim);
	if (out != NULL && place->claim->error == ERROR_OK)
		send_all(announcer, place->at, out);
	if (hold->due_ms == UINT64_MAX)
		net_timer_clear(&place->timer);
	else
		net_timer_set(announcer->options.loop, &place->timer,
		    hold->due_ms > now ? hold->due_ms - now : 0);
}

static void
on_timer(struct net_timer *timer)
{
	struct announce_place *place =
	    container_of(timer, struct announce_place, timer);
	struct announcer *announcer = place->at->announcer;
	struct announce_output out = {0};

	if (announcer->has_peers)
		announce_peers_note(&place->at->peers);
	enum announce_state before = place->hold.state;
	/* Nobody would hear the asks: it goes on when the link is up. */
	if (!place->at->link.is_up && before == ANNOUNCE_PROBING)
		return;
	uint64_t now = announcer_now_ms(announcer);
	if (now >= place->hold.due_ms)
		announce_hold_tick(&place->hold, now, &announcer->random, &out);
	follow(place, before, &out);
}

static void
note_winner(struct announce_place *place, const struct announce_member *winner)
{
	snprintf(place->winner, sizeof(place->winner), "%.*s",
	    winner ? (int)winner->node_length : 0, winner ? winner->node : "");
}

/* Another announces it, though it is not heard here. */
static bool
is_fenced(struct announce_place *place)
{
	struct announcer *announcer = place->at->announcer;
	const struct announce_members *members = &place->at->peers.members;
	bool before = place->is_fenced;

	/* Those who leave it to us may have been heard last. */
	if (announce_fence_is_news(members, &place->fence))
		announce_hold_repeat(&place->hold, announcer_now_ms(announcer),
		    &announcer->random);
	place->is_fenced =
	    !announcer->unfenced && announce_is_fenced(members, &place->fence);
	if (!place->is_fenced)
		return false;
	snprintf(place->winner, sizeof(place->winner), "%.*s",
	    SLICE_ARGS(place->fence.node));
	if (!before)
		log_event(LOG_ANNOUNCE_FENCED,
		    LOG_STRING("address", place->claim->text),
		    LOG_STRING("interface", place->at->link.name),
		    LOG_STRING("node", place->winner));
	return true;
}

/* Among the announcers of the link; nothing changes until it is known who is
 * there. What is a host's own is announced by nobody. */
static void
decide_among(struct announce_place *place)
{
	struct announcer *announcer = place->at->announcer;
	const struct announce_members *members = &place->at->peers.members;
	uint64_t now = announcer_now_ms(announcer);

	if (!announce_members_is_decided(members, now))
		return;
	if (is_fenced(place)) {
		announce_hold_cede(&place->hold);
		return;
	}
	const struct announce_member *winner = announce_claimant_of(members,
	    &place->claimant, announce_hold_is_here(&place->hold), now);
	if (winner == NULL)
		winner = announce_elect(members, &place->claim->ballot);
	note_winner(place, winner);
	if (announce_members_at(members, place->hold.rival) != NULL)
		announce_hold_know(&place->hold, place->hold.rival, now);
	if (members->returns != place->returns)
		announce_hold_repeat(&place->hold, now, &announcer->random);
	place->returns = members->returns;
	if (winner == NULL) {
		announce_hold_drop(&place->hold);
	} else if (announce_is_own(winner, &place->claim->ballot)) {
		announce_hold_disown(&place->hold);
	} else if (winner == &members->us) {
		announce_hold_take(&place->hold, now, &announcer->random);
	} else {
		announce_hold_yield(&place->hold, winner->hardware, now);
	}
}

bool
announce_place_is_open(const struct announce_place *place)
{
	if (!place->at->link.is_up)
		return false;
	return place->hold.state == ANNOUNCE_PROBING ||
	    (place->at->announcer->has_peers &&
	        !announce_members_is_decided(&place->at->peers.members,
	            announcer_now_ms(place->at->announcer)));
}

void
announce_place_decide(struct announce_place *place)
{
	struct announcer *announcer = place->at->announcer;
	enum announce_state before = place->hold.state;
	uint64_t due_ms = place->hold.due_ms;

	if (place->claim->is_own)
		announce_hold_disown(&place->hold);
	else if (place->claim->is_unable)
		announce_hold_drop(&place->hold);
	else if (announcer->has_peers)
		decide_among(place);
	else if (announce_is_on(&place->claim->ballot.on,
	             slice_from_string(place->at->link.name)))
		announce_hold_take(&place->hold, announcer_now_ms(announcer),
		    &announcer->random);
	else
		announce_hold_drop(&place->hold);
	if (place->hold.state != before || place->hold.due_ms != due_ms)
		follow(place, before, NULL);
	announce_claim_shed_route(place->claim);
}

void
announce_place_renew(struct announce_place *place)
{
	enum announce_state before = place->hold.state;

	announce_hold_renew(&place->hold, place->at->link.hardware,
	    announcer_now_ms(place->at->announcer));
	/* A membership goes with the interface that it was of. */
	leave_group(place);
	follow_group(place);
	follow(place, before, NULL);
}

void
announce_place_drop(struct announce_place *place)
{
	enum announce_state before = place->hold.state;

	place->winner[0] = '\0';
	announce_hold_drop(&place->hold);
	if (before != ANNOUNCE_IDLE)
		follow(place, before, NULL);
}

/* What says that it has the address here, as one that is to leave it to
 * another, or that is to be left it. */
static void
hear_fenced(struct announce_place *place, const uint8_t *hardware)
{
	struct announcer *announcer = place->at->announcer;
	const struct announce_members *members = &place->at->peers.members;
	uint64_t now = announcer_now_ms(announcer);

	if (announce_fence_see(members, &place->fence, hardware, now) &&
	    !place->is_fenced)
		announce_place_decide(place);
	if (announce_fence_is_for(members, &place->fence, hardware))
		announce_hold_repeat(&place->hold, now, &announcer->random);
}

/* Does what comes from there tell an IDLE hold whose the address is? What a
 * host has itself its kernel claims; one of ours that was given up may be cut
 * off from us alone. */
static bool
tells_whose(const struct announce_place *place,
    const struct announce_member *peer, const uint8_t *hardware)
{
	if (peer != NULL)
		return !announce_is_own(peer, &place->claim->ballot);
	return !place->at->announcer->has_peers ||
	    !announce_members_had(&place->at->peers.members, hardware);
}

/* A peer claims it. Not before the hold has heard that: it yields until it
 * hears that again. */
static void
hear_claimant(struct announce_place *place, const uint8_t *hardware)
{
	if (announce_claimant_hear(&place->at->peers.members, &place->claimant,
	        hardware, announce_hold_is_here(&place->hold),
	        announcer_now_ms(place->at->announcer)))
		announce_place_decide(place);
}

void
announce_place_hear(
    struct announce_place *place, const struct wire_neighbour *message)
{
	struct announcer *announcer = place->at->announcer;
	struct announce_output out;
	const struct announce_member *peer = announcer->has_peers
	    ? announce_members_at(&place->at->peers.members, message->hardware)
	    : NULL;

	bool claims = wire_neighbour_claims(message, place->claim->address.ip);

	if (announcer->has_peers && claims)
		hear_fenced(place, message->hardware);
	enum announce_state before = place->hold.state;
	if (before == ANNOUNCE_IDLE &&
	    !tells_whose(place, peer, message->hardware))
		return;
	announce_hold_hear(&place->hold, message, peer != NULL,
	    announcer_now_ms(announcer), &announcer->random, &out);
	if (before != ANNOUNCE_IDLE)
		follow(place, before, &out);
	if (peer != NULL && claims)
		hear_claimant(place, message->hardware);
}
