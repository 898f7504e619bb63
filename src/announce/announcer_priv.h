/* Inside the announce room: claims, their places, and the links. */
#ifndef YUMEN_ANNOUNCE_ANNOUNCER_PRIV_H
#define YUMEN_ANNOUNCE_ANNOUNCER_PRIV_H

#include "announce/announcer.h"
#include "announce/election.h"
#include "announce/hold.h"
#include "announce/peers.h"
#include "core/arena.h"
#include "core/map.h"
#include "net/flow.h"
#include "net/forward.h"
#include "net/link.h"
#include "net/route.h"

struct announce_claim;

/* An address on a link. */
struct announce_place {
	struct announce_claim *claim;
	struct announcer_link *at;
	struct announce_hold hold;
	struct net_timer timer;
	int group; /* membership of the group that it is asked for by; -1 */
	unsigned returns; /* of members, as of the last election */
	struct announce_fence fence; /* texts in the claim's arena */
	bool is_fenced; /* as of the last election */
	struct announce_claimant claimant;
	bool told; /* of a rival that is there now: which, and when */
	uint8_t told_rival[WIRE_HARDWARE_BYTES];
	uint64_t told_ms;
	struct announce_counts counted; /* of the hold, in metrics */
	/* who is to have it; empty: nobody, or nothing is decided */
	char winner[WIRE_BEAT_NODE_BYTES + 1];
};

/* Of what comes for an address, on this node. */
struct announce_forwarding {
	const struct net_forward *asked; /* in the claim's arena */
	uint32_t asked_count;
	uint64_t table; /* in which it is set, of the rules; 0: in none */
	uint64_t hash; /* of what is set */
	enum error error; /* OK, or why it could not be */
};

/* What leads to the node's pods, as all claims share it. */
struct announce_rules {
	uint64_t table; /* of net_forward_open; 0: it is to be made */
	enum error error; /* of making it, the last time */
	struct net_timer timer; /* looks after it, while anything is asked */
	uint64_t
	    wait_ms; /* before what failed is tried again; 0: nothing did */
	uint64_t retry_ms; /* and when that is */
	struct net_flows flows; /* that began before what is set now */
	enum error flows_error; /* of the last look at them */
};

/* What looks after the routes of all claims. */
struct announce_routes {
	struct net_timer timer; /* from the first that is taken on */
	struct net_task decide; /* some could not be taken, or can be again */
};

/* An address that shall be announced, and what is asked of it. */
struct announce_claim {
	struct announcer *announcer;
	struct net_address address; /* port 0 */
	struct announce_ballot ballot; /* in arena */
	uint64_t fence_hash; /* of what the controller says of it */
	struct arena arena;
	char text[NET_ADDRESS_TEXT]; /* of the address */
	enum error error; /* OK, or why its route could not be added, last */
	uint64_t retry_ms; /* then: when that is tried again */
	uint64_t retry_wait_ms; /* and the last wait before that; 0: none */
	struct announce_forwarding forwarding;
	bool is_own; /* the host has it without us */
	bool is_unable; /* to be had here, as of the last decision */
	bool is_here; /* some place holds it */
	bool has_route; /* as far as is known; it was left, where !is_here */
	bool is_route_seen; /* by the look that is on */
	unsigned count;
	struct announce_place places[];
};

struct announcer_link {
	struct net_link link;
	struct announcer *announcer;
	struct announce_peers peers; /* of an announcer that has any */
	struct announce_budget budget;
	struct net_timer retry; /* of reaching peers, which failed */
	bool is_quiet; /* its kernel answers no ARP for what is taken */
};

struct announcer {
	struct announcer_options options;
	struct metrics metrics;
	struct random random;
	struct net_task changed;
	struct net_link_monitor monitor;
	struct announce_rules rules;
	struct announce_routes routes;
	struct map claims; /* by the address' 16 bytes */
	int lock;
	bool has_peers;
	bool unfenced; /* announcer_fences */
	unsigned unable_count; /* of the claims */
	bool is_whole; /* all claims are there, what was left is in order */
	bool is_leaving;
	unsigned link_count;
	struct announcer_link links[LIMIT_VALUE_ANNOUNCE_LINKS];
};

static inline uint64_t
announcer_now_ms(const struct announcer *announcer)
{
	return net_loop_now_ms(announcer->options.loop);
}

/* Of an address among claims. */
static inline struct slice
announcer_key(const uint8_t ip[WIRE_IP_BYTES])
{
	return slice_make((const char *)ip, WIRE_IP_BYTES);
}

/* Which of the claims are the host's own has changed: others are told. */
void announcer_tell_own(struct announcer *announcer);
/* The same of those that are not to be had here. */
void announcer_tell_unable(struct announcer *announcer);
/* Where all claims are to be held, as things are now. */
void announcer_decide(struct announcer *announcer);

/* at is zeroed. Nothing is left of it after an error. */
enum error announce_link_open(struct announcer_link *at,
    struct announcer *announcer, const char *name) must_check;
void announce_link_close(struct announcer_link *at);
/* Something has changed about links: about this one? */
void announce_link_look(struct announcer_link *at);

/* The host has it on an interface of its own, or has it no more. */
void announce_claim_own(struct announce_claim *claim, bool is_own);
/* Wanted nowhere, until announce_claim_ask. */
struct announce_claim *announce_claim_open(
    struct announcer *announcer, const struct net_address *address);
void announce_claim_close(struct announce_claim **claim);
/* It is not served here any more, from now on. */
void announce_claim_give_up(struct announce_claim *claim);
/* We leave, and no other takes it: what the kernel does of it goes on until the
 * next start. */
bool announce_claim_stays(const struct announce_claim *claim);
/* What is asked of it now; copied. */
void announce_claim_ask(
    struct announce_claim *claim, const struct unit_claim *unit);
/* Where it is to be held, as things are now. */
void announce_claim_decide(struct announce_claim *claim);
/* Some place has come to hold it, or holds it no more: its route follows. */
void announce_claim_settle(struct announce_claim *claim);
/* As announcer_state. */
enum error announce_claim_state(
    const struct announce_claim *claim, struct text *why);

void announce_routes_init(struct announcer *announcer);
/* All claims are there: routes that were left of others are removed. */
enum error announce_routes_begin(struct announcer *announcer) must_check;
void announce_routes_fini(struct announcer *announcer);
/* Whether it could not be is the claim's error. */
void announce_claim_take_route(struct announce_claim *claim);
void announce_claim_drop_route(struct announce_claim *claim);
/* The same, where it is known that the claim is not to be held here. */
void announce_claim_shed_route(struct announce_claim *claim);

void announce_rules_init(struct announcer *announcer);
/* All claims are there: their rules are set, in the place of any others. */
void announce_rules_begin(struct announcer *announcer);
/* stay: they are not removed. */
void announce_rules_fini(struct announcer *announcer, bool stay);
/* Lead what comes for it as is asked now; its arena is used. */
void announce_claim_forward(
    struct announce_claim *claim, const struct unit_claim *unit);
/* The same as was asked last. */
void announce_claim_lead(struct announce_claim *claim);
void announce_claim_forward_not(struct announce_claim *claim);

/* As announcer_tell. */
void announce_claim_tell(const struct announce_claim *claim,
    struct text *interfaces, struct text *rival);

/* IDLE on this link. */
void announce_place_open(struct announce_place *place,
    struct announce_claim *claim, struct announcer_link *at);
void announce_place_close(struct announce_place *place);
/* It is being found out whether it is to be held here. */
bool announce_place_is_open(const struct announce_place *place);
/* Whether it shall be held here, as things are now. */
void announce_place_decide(struct announce_place *place);
/* The link came back, or has another hardware address. */
void announce_place_renew(struct announce_place *place);
/* It is not held here any more, from now on. */
void announce_place_drop(struct announce_place *place);
void announce_place_hear(
    struct announce_place *place, const struct wire_neighbour *message);

#endif
