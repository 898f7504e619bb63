/* What lies between two pipes of the simulated loop: passes on what either
 * writes, in pieces, and at one place of one direction resets both, ends early,
 * flips a bit, or falls silent. */
#ifndef YUMEN_SIM_RELAY_H
#define YUMEN_SIM_RELAY_H

#include "sim/loop.h"

enum sim_relay_fault {
	RELAY_NONE,
	RELAY_RESET,
	RELAY_END,
	RELAY_FLIP,
	RELAY_SILENCE,
	RELAY__COUNT
};

struct sim_relay {
	struct random *random;
	struct sim_pipe *pipes[2]; /* 0: who connects, 1: who accepts */
	enum sim_relay_fault fault;
	unsigned fault_side; /* whose bytes */
	size_t fault_bytes; /* after so many of them */
	/* What came of it: */
	size_t passed[2];
	bool has_ended[2], has_struck, is_silent;
};

void sim_relay_init(struct sim_relay *relay, struct random *random,
    struct sim_pipe *near, struct sim_pipe *far);
/* Pass on what there is; false: nothing. */
bool sim_relay_run(struct sim_relay *relay);

#endif
