/* The other announcers on a link: beats out and in, sealed with a key that all
 * of them have, and what comes of them. Owns the link's socket for datagrams;
 * who is there says announce/members.h. */
#ifndef YUMEN_ANNOUNCE_PEERS_H
#define YUMEN_ANNOUNCE_PEERS_H

#include "announce/keys.h"
#include "announce/members.h"
#include "core/metric.h"
#include "net/datagram.h"

struct announce_peers {
	struct announce_members members;
	struct net_datagrams datagrams;
	struct net_loop *loop;
	struct net_timer timer;
	const struct announce_keys *keys; /* borrowed */
	uint16_t port;
	struct metrics *metrics;
	uint64_t told_version; /* of members, that on_change was called for */
	bool told_decided;
	bool namesake_told;
	bool stranger_told; /* one of another key; and when */
	uint64_t stranger_ms;
	const char *interface;
	/* Elections may come out otherwise than before. */
	void (*on_change)(struct announce_peers *peers);
	/* It stood still, so that others that were there have taken over. */
	void (*on_stood_still)(struct announce_peers *peers);
	/* Is it the hardware address of an interface of this announcer's? */
	bool (*is_ours)(struct announce_peers *peers, const uint8_t *hardware);
};

/* What is not a callback, a key or a number is the caller's to leave zero; life
 * is drawn at random. */
void announce_peers_init(
    struct announce_peers *peers, struct slice node, struct random *random);
/* The link is up. */
enum error announce_peers_begin(struct announce_peers *peers, unsigned index,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES]) must_check;
/* The link is down. Idempotent. */
void announce_peers_end(struct announce_peers *peers);
/* Before anything else that came in on the link is looked at. */
void announce_peers_note(struct announce_peers *peers);
void announce_peers_leave(struct announce_peers *peers);
/* As announce_members_own. */
void announce_peers_own(
    struct announce_peers *peers, const struct wire_beat_marks *own);
/* As announce_members_unable. */
void announce_peers_unable(
    struct announce_peers *peers, const struct wire_beat_marks *unable);
/* As announce_members_claims. */
void announce_peers_claims(
    struct announce_peers *peers, enum wire_beat_claims claims);

#endif
