/* Beats as datagrams to a group that never leaves the link (RFC 4727 3.1 keeps
 * it for such uses; switches that snoop pass it on, RFC 4541 2.1.2). */
#include "announce/peers.h"

#include <sys/socket.h>

#include "core/log.h"
#include "core/must.h"
#include "wire/neighbour.h"

static const uint8_t group[16] = {
    [10] = 0xff, [11] = 0xff, [12] = 224, [15] = 254};

static void on_datagram(struct net_datagrams *datagrams, struct slice bytes);
static void on_timer(struct net_timer *timer);

void
announce_peers_init(
    struct announce_peers *peers, struct slice node, struct random *random)
{
	announce_members_init(&peers->members, node, random_next(random));
	announce_members_name(
	    &peers->members, slice_from_string(peers->interface));
	peers->datagrams.on_datagram = on_datagram;
	net_timer_init(&peers->timer, on_timer);
}

static uint64_t
now_ms(const struct announce_peers *peers)
{
	return net_loop_now_ms(peers->loop);
}

static void
send_beat(struct announce_peers *peers, const struct wire_beat *beat)
{
	char bytes[WIRE_BEAT_BYTES];

	unsigned length = wire_beat_encode(beat, bytes);
	announce_keys_seal(
	    peers->keys, slice_make(bytes, length), bytes + length);
	bool sent =
	    net_datagrams_send(&peers->datagrams,
	        slice_make(bytes, length + WIRE_BEAT_SEAL_BYTES)) == ERROR_OK;
	metric_add(peers->metrics,
	    sent ? METRIC_ANNOUNCE_BEATS_SENT : METRIC_ANNOUNCE_BEATS_LOST, 1);
}

/* Beats that are due go out, and what has come of all is told. */
static void
go_on(struct announce_peers *peers)
{
	struct announce_members *members = &peers->members;
	struct wire_beat beat;

	while (announce_members_tick(members, now_ms(peers), &beat))
		send_beat(peers, &beat);
	bool decided = announce_members_is_decided(members, now_ms(peers));
	if (members->version != peers->told_version ||
	    decided != peers->told_decided) {
		peers->told_version = members->version;
		peers->told_decided = decided;
		peers->on_change(peers);
	}
	uint64_t due = announce_members_due_ms(members);
	if (due == UINT64_MAX)
		return;
	net_timer_set(peers->loop, &peers->timer,
	    due > now_ms(peers) ? due - now_ms(peers) : 0);
}

void
announce_peers_note(struct announce_peers *peers)
{
	if (!announce_members_note(&peers->members, now_ms(peers)))
		return;
	log_event(LOG_ANNOUNCE_STOOD_STILL,
	    LOG_STRING("interface", peers->interface));
	peers->on_stood_still(peers);
}

static void
on_timer(struct net_timer *timer)
{
	struct announce_peers *peers =
	    container_of(timer, struct announce_peers, timer);

	announce_peers_note(peers);
	go_on(peers);
}

static enum metric
count_of(enum announce_heard heard)
{
	switch (heard) {
	case ANNOUNCE_HEARD:
	case ANNOUNCE_HEARD_SELF:
		break;
	case ANNOUNCE_HEARD_UNPROVEN:
		return METRIC_ANNOUNCE_BEATS_UNPROVEN;
	case ANNOUNCE_HEARD_OLD:
		return METRIC_ANNOUNCE_BEATS_OLD;
	case ANNOUNCE_HEARD_NAMESAKE:
		return METRIC_ANNOUNCE_BEATS_NAMESAKE;
	case ANNOUNCE_HEARD_FULL:
		return METRIC_ANNOUNCE_BEATS_FULL;
	}
	return METRIC_ANNOUNCE_BEATS_HEARD;
}

static void
take_beat(struct announce_peers *peers, const struct wire_beat *beat)
{
	char hardware[WIRE_HARDWARE_TEXT];
	enum announce_heard heard =
	    announce_members_hear(&peers->members, beat, now_ms(peers));

	if (heard == ANNOUNCE_HEARD_NAMESAKE &&
	    peers->is_ours(peers, beat->hardware))
		heard = ANNOUNCE_HEARD_SELF;
	metric_add(peers->metrics, count_of(heard), 1);
	if (heard == ANNOUNCE_HEARD_FULL)
		limit_hit(peers->metrics, LIMIT_ANNOUNCE_MEMBERS);
	if (heard != ANNOUNCE_HEARD_NAMESAKE || peers->namesake_told)
		return;
	peers->namesake_told = true;
	wire_hardware_format(beat->hardware, hardware);
	log_event(LOG_ANNOUNCE_NAMESAKE, LOG_TEXT("node", beat->node),
	    LOG_STRING("interface", peers->interface),
	    LOG_STRING("hardware", hardware));
}

/* Who has another key says of itself what it likes: nothing comes of it but a
 * line of the log now and then. */
static void
tell_stranger(struct announce_peers *peers, struct slice body)
{
	char address[NET_ADDRESS_TEXT], hardware[WIRE_HARDWARE_TEXT];
	struct wire_beat beat;

	if ((peers->stranger_told &&
	        now_ms(peers) - peers->stranger_ms <
	            LIMIT_VALUE_ANNOUNCE_STRANGER_MS) ||
	    wire_beat_decode(body, &beat) != ERROR_OK)
		return;
	peers->stranger_told = true;
	peers->stranger_ms = now_ms(peers);
	net_address_format(&peers->datagrams.from, address);
	wire_hardware_format(beat.hardware, hardware);
	log_event(LOG_ANNOUNCE_OTHER_KEY, LOG_STRING("address", address),
	    LOG_TEXT("node", beat.node), LOG_STRING("hardware", hardware),
	    LOG_STRING("interface", peers->interface));
}

static void
on_datagram(struct net_datagrams *datagrams, struct slice bytes)
{
	struct announce_peers *peers =
	    container_of(datagrams, struct announce_peers, datagrams);
	struct slice body, seal;
	struct wire_beat beat;

	announce_peers_note(peers);
	if (wire_beat_split(bytes, &body, &seal) != ERROR_OK) {
		metric_add(peers->metrics, METRIC_ANNOUNCE_BEATS_FORGED, 1);
		return;
	}
	if (!announce_keys_open(peers->keys, body, seal)) {
		metric_add(peers->metrics, METRIC_ANNOUNCE_BEATS_FORGED, 1);
		tell_stranger(peers, body);
		return;
	}
	if (wire_beat_decode(body, &beat) != ERROR_OK) {
		metric_add(peers->metrics, METRIC_ANNOUNCE_BEATS_MALFORMED, 1);
		return;
	}
	take_beat(peers, &beat);
	go_on(peers);
}

enum error
announce_peers_begin(struct announce_peers *peers, unsigned index,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES])
{
	struct net_address to = {.port = peers->port, .family = AF_INET};

	memcpy(to.ip, group, sizeof(to.ip));
	announce_peers_end(peers);
	enum error error = net_datagrams_open(
	    &peers->datagrams, peers->loop, peers->interface, index, &to);
	if (error != ERROR_OK)
		return error;
	announce_members_begin(&peers->members, hardware, now_ms(peers));
	go_on(peers);
	return ERROR_OK;
}

void
announce_peers_end(struct announce_peers *peers)
{
	announce_members_end(&peers->members);
	net_timer_clear(&peers->timer);
	net_datagrams_close(&peers->datagrams);
}

void
announce_peers_leave(struct announce_peers *peers)
{
	announce_members_leave(&peers->members, now_ms(peers));
	if (peers->members.on)
		go_on(peers);
}

void
announce_peers_own(
    struct announce_peers *peers, const struct wire_beat_marks *own)
{
	announce_members_own(&peers->members, own, now_ms(peers));
	if (peers->members.on)
		go_on(peers);
}

void
announce_peers_unable(
    struct announce_peers *peers, const struct wire_beat_marks *unable)
{
	announce_members_unable(&peers->members, unable, now_ms(peers));
	if (peers->members.on)
		go_on(peers);
}

void
announce_peers_claims(
    struct announce_peers *peers, enum wire_beat_claims claims)
{
	announce_members_claims(&peers->members, claims, now_ms(peers));
	if (peers->members.on)
		go_on(peers);
}
