/* What the simulated loop and its pipes know of each other. */
#ifndef YUMEN_SIM_LOOP_PRIV_H
#define YUMEN_SIM_LOOP_PRIV_H

#include "core/text.h"
#include "net/loop_priv.h"
#include "sim/loop.h"

struct sim_loop {
	struct net_loop base; /* first */
	struct random random;
	struct sim_manner manner;
	struct list pipes; /* oldest first */
	unsigned pipe_count, open_count;
	int next_fd;
	enum error connect_error;
	bool woken;
};

enum sim_state {
	SIM_NEW, /* its fd was not opened yet */
	SIM_CONNECTING, /* the peer has not said anything */
	SIM_ANSWERED, /* it has, and the stream does not know */
	SIM_OPEN,
	SIM_CLOSED,
};

/* Bytes that come at one end and go at the other. */
struct sim_bytes {
	struct text text;
	size_t gone; /* of it */
};

struct sim_pipe {
	struct list link;
	struct sim_loop *loop;
	struct net_stream *stream; /* NULL: not opened yet, or closed */
	struct sim_manner manner;
	struct net_address address; /* that it connects to */
	enum sim_state state;
	int fd;
	bool is_connect, is_taken;

	struct sim_bytes in; /* fed and not read */
	size_t arrived; /* bytes of it that can be read */
	bool end_fed, end_arrived;
	enum error failure; /* told once, by the next call */
	bool failed;
	unsigned reset_calls, end_calls; /* 0: never */

	struct sim_bytes out; /* written and not taken */
	size_t room; /* bytes that writes may give in this turn */
	bool wants_room; /* a write was short: room is an edge */
	bool shut, aborted;

	bool edge; /* something happened that the stream was not told */
};

static inline struct sim_loop *
sim_loop_from_base(struct net_loop *loop)
{
	return container_of(loop, struct sim_loop, base);
}

/* Let what is under way come nearer, at the start of a turn. */
void sim_pipe_progress(struct sim_pipe *pipe);
/* Has the stream something to be told, now or after some progress? */
bool sim_pipe_has_work(const struct sim_pipe *pipe);
/* Tell the stream what it would find now. */
void sim_pipe_tell(struct sim_pipe *pipe);
void sim_pipe_delete(struct sim_pipe *pipe);
struct sim_pipe *sim_pipe_add(struct sim_loop *loop, enum sim_state state);
void sim_pipe_bind(struct sim_pipe *pipe, struct net_stream *stream);

#endif
