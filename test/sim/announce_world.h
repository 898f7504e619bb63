/* Announcers on one link that loses, delays and is cut, with nodes that die,
 * freeze and flap, and a client whose frames go to whoever said last that it
 * has an address. A turn is a millisecond; all of it follows from a seed. */
#ifndef SIM_ANNOUNCE_WORLD_H
#define SIM_ANNOUNCE_WORLD_H

#include "announce/election.h"
#include "announce/hold.h"
#include "core/limit.h"
#include "wire/neighbour.h"

enum { NODES = 5, ADDRESSES = 3, IN_FLIGHT = 4096 };
struct flying {
	bool is_beat;
	struct wire_beat beat;
	struct wire_neighbour message;
	unsigned address;
	uint64_t at_ms;
	unsigned to; /* NODES: the client */
};

struct node {
	char name[8];
	uint8_t hardware[6];
	struct announce_members members;
	struct announce_hold holds[ADDRESSES];
	struct announce_budget budget;
	unsigned returns[ADDRESSES];
	bool alive, link, frozen;
	uint64_t stalls_until_ms; /* it gets no CPU until then */
	uint64_t version, clock_ms; /* its clock is ahead by that */
	unsigned fast_ppm; /* and gains so much */
	bool decided;
	bool only; /* by its claims nobody else may have addresses */
	struct announce_fence fences[ADDRESSES];
	struct announce_claimant claimants[ADDRESSES];
	bool told[ADDRESSES]; /* to the controller: it announces it */
	uint64_t tells_ms[ADDRESSES]; /* its word comes there then; 0: none */
	uint64_t hears_ms[ADDRESSES]; /* and what comes of it here */
};

struct world {
	struct node nodes[NODES];
	struct flying flying[IN_FLIGHT];
	unsigned flying_count;
	unsigned client[ADDRESSES]; /* the node that frames go to */
	unsigned astray[ADDRESSES]; /* ms in a row that nobody was there */
	uint64_t now_ms, seed;
	struct random random;
	unsigned count, loss_percent, delay_ms;
	/* What arrives in another order may send a frame to the wrong node for
	 * so long at most beyond the link's own delay. */
	unsigned slack_ms;
	unsigned side[NODES]; /* of a cut link */
	bool muffled; /* the cut is of beats alone: all reach the client */
	unsigned deaf; /* NODES: none; else it hears nobody */
	/* A controller (gw/told.c) that all reach, though late. */
	bool controlled;
	unsigned fences[ADDRESSES]; /* NODES: none */
};

/* Nobody is there, nothing is lost or delayed. */
void world_init(struct world *world, uint64_t seed);
/* The node starts, with all claims; its controller is there. */
void world_begin(struct world *world, unsigned at);
void world_set_link(struct world *world, unsigned at, bool up);
uint64_t world_clock(const struct world *world, const struct node *node);
void world_run(struct world *world, uint64_t length_ms);
/* Each turn is looked at by world_check. */
void world_run_checked(struct world *world, uint64_t length_ms);
void world_turn(struct world *world);
/* Frames go to a node that has the address, but for moments; one_alone: one
 * node has it, else it may be two while it is handed over. */
void world_check(struct world *world, bool one_alone);
bool world_is_there(const struct world *world, unsigned at, unsigned address);
/* NODES: none. */
unsigned world_owner(const struct world *world, unsigned address);
/* Print what there is, and abort. */
void world_fail(const struct world *world, unsigned address, const char *what)
    __attribute__((noreturn));

#endif
