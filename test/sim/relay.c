/* Relays, and what they do to bytes. */
#include "sim/relay.h"

#include "core/text.h"

void
sim_relay_init(struct sim_relay *relay, struct random *random,
    struct sim_pipe *near, struct sim_pipe *far)
{
	*relay = (struct sim_relay){.random = random, .pipes = {near, far}};
}

/* What becomes of length bytes of side: how many go by. */
static size_t
meddle(
    struct sim_relay *relay, unsigned side, size_t length, struct text *bytes)
{
	size_t passed = relay->passed[side];

	if (side != relay->fault_side || relay->fault == RELAY_NONE ||
	    relay->has_struck || passed + length <= relay->fault_bytes)
		return length;
	relay->has_struck = true;
	if (relay->fault == RELAY_FLIP) {
		bytes->data[relay->fault_bytes - passed] ^= 16;
		return length;
	}
	if (relay->fault == RELAY_SILENCE) {
		relay->is_silent = true;
		return 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (relay->fault == RELAY_RESET)
			sim_pipe_reset(relay->pipes[i]);
		else if (i != side && !sim_pipe_is_over(relay->pipes[i]))
			sim_pipe_end(relay->pipes[i]);
		relay->has_ended[i] = relay->fault == RELAY_RESET || i == side;
	}
	return 0;
}

static void
pass(struct sim_relay *relay, unsigned side, struct slice written)
{
	struct sim_pipe *to = relay->pipes[!side];
	size_t length = written.length;
	struct text bytes;

	if (random_below(relay->random, 3) == 0)
		length = 1 + random_below(relay->random, (unsigned)length);
	text_init(&bytes);
	text_push(&bytes, slice_make(written.data, length));
	length = meddle(relay, side, length, &bytes);
	bytes.length = length;
	if (length > 0 && !sim_pipe_is_over(to))
		sim_pipe_feed(to, text_slice(&bytes));
	text_fini(&bytes);
	relay->passed[side] += length;
	sim_pipe_take(relay->pipes[side], length);
}

static bool
run_side(struct sim_relay *relay, unsigned side)
{
	struct sim_pipe *from = relay->pipes[side], *to = relay->pipes[!side];
	struct slice written = sim_pipe_written(from);

	if (sim_pipe_is_reset(from) || relay->has_ended[side]) {
		if (sim_pipe_is_reset(from) && !sim_pipe_is_over(to))
			sim_pipe_reset(to);
		sim_pipe_take(from, written.length);
		return written.length > 0;
	}
	if (written.length > 0) {
		pass(relay, side, written);
		return true;
	}
	if (!sim_pipe_is_ended(from))
		return false;
	relay->has_ended[side] = true;
	if (sim_pipe_is_over(to))
		return false;
	if (sim_pipe_is_aborted(from))
		sim_pipe_reset(to);
	else
		sim_pipe_end(to);
	return true;
}

bool
sim_relay_run(struct sim_relay *relay)
{
	if (relay->is_silent)
		return false;

	bool first = run_side(relay, 0);

	return run_side(relay, 1) || first;
}
