/* The announcer: the addresses that shall answer on the links of this host. It
 * owns the links, a hold for each address on each of them, and the local routes
 * of what it holds. Runs on a loop of its owner's. One announces on a host (in
 * a network namespace): a second would take away the first one's routes. */
#ifndef YUMEN_ANNOUNCE_ANNOUNCER_H
#define YUMEN_ANNOUNCE_ANNOUNCER_H

#include "announce/keys.h"
#include "core/text.h"
#include "net/address.h"
#include "net/loop.h"
#include "snap/unit.h"
#include "wire/beat.h"

struct announcer;
struct announcer_options {
	struct net_loop *loop;
	/* Whether addresses that are held here are made the host's own (by
	 * local routes, so that it answers ping); else something else on the
	 * host must take what comes for them, as kube-proxy does. */
	bool takes;
	/* This node's name among the announcers of its links: of them one holds
	 * an address. Absent: there are no others. Both borrowed for good. */
	struct slice node;
	/* That beats are sealed with, as they are at any time; at least one. */
	const struct announce_keys *keys;
	uint16_t port; /* of their datagrams */
	/* From a task of the loop: what announcer_state says has changed. */
	void (*on_change)(void *context);
	void *context;
};

/* Also removes what a process before has left: among others once it is known
 * what is to be announced (announcer_goes_by), so that what is still wanted is
 * served all the while. IN_USE: another one announces here. DENIED, SYSTEM. */
enum error announcer_new(const struct announcer_options *options,
    struct announcer **announcer) must_check;
/* Gives all addresses up: no frame is answered any more, routes and rules are
 * gone; but after announcer_leave not those that no other takes. */
void announcer_free(struct announcer **announcer);

/* Announce on this interface too, before the first claim; OK where it does
 * already. Errors of
 * net_link_open; LIMIT past LIMIT_ANNOUNCE_LINKS. */
enum error announcer_add_link(
    struct announcer *announcer, const char *name) must_check;

/* Want an address, until it is released; again: as is asked of it now. One that
 * the host has on an interface is not announced, the kernel does that. LIMIT
 * past LIMIT_ANNOUNCE_ADDRESSES; INVALID. */
enum error announcer_claim(
    struct announcer *announcer, const struct unit_claim *claim) must_check;
/* May another address be claimed? */
bool announcer_has_room(const struct announcer *announcer);
/* The port does not matter, here and below. */
void announcer_release(
    struct announcer *announcer, const struct net_address *address);

/* OK: it is held and answers here. AGAIN: neighbours are still asked, or
 * another node of ours has it. IN_USE: another machine has it. DENIED: the host
 * may not take it. UNREACHABLE: no link is up. NOT_FOUND: it is not claimed.
 * why: a sentence for people where it is not OK, and where it is but another
 * machine claims it too. */
enum error announcer_state(const struct announcer *announcer,
    const struct net_address *address, struct text *why);

/* What else can be told of it, appended: on which interfaces it is held,
 * "eth0,eth1"; another machine that has it too, by its hardware address. */
void announcer_tell(const struct announcer *announcer,
    const struct net_address *address, struct text *interfaces,
    struct text *rival);

/* Whether fences that claims speak of are to be heeded, as at first; not where
 * the controller is away, which could not lift them. */
void announcer_fences(struct announcer *announcer, bool heeded);

/* What it goes by among other announcers: none, until this is said. Said again
 * from time to time where they are old. */
void announcer_goes_by(
    struct announcer *announcer, enum wire_beat_claims claims);

/* Hand over everything to the other announcers; announcer_is_here until they
 * have it. What none of them takes is announced no more, but served: routes and
 * rules stay in the kernel for the next start. */
void announcer_leave(struct announcer *announcer);
/* Is any address held here? */
bool announcer_is_here(const struct announcer *announcer);

#endif
