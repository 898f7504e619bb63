/* The simulated loop: a struct net_loop with a fake clock and simulated
 *streams, for tests of connection code. Everything that differs between runs
 *comes from the seed: how bytes are cut on arrival, how much a write takes, the
 *order in which ready streams are told. Edges are told as epoll tells them, and
 *a short read or write means what it means there (nothing more now; an edge
 *comes).
 *
 *	struct net_loop *loop = sim_loop_new(seed);
 *	struct sim_pipe *client = sim_pipe_new(loop);
 *	http_server_open(&service, sim_pipe_fd(client), &peer, &local);
 *	sim_pipe_feed(client, SLICE("GET / HTTP/1.1\r\n..."));
 *	sim_loop_settle(loop);
 *	struct sim_pipe *backend = sim_loop_take_connect(loop, &address);
 *	sim_pipe_accept(backend);
 *	sim_loop_settle(loop);
 *	... sim_pipe_written(backend) ...
 *
 * Pipes belong to the loop and go with it (or earlier by sim_pipe_free). */
#ifndef YUMEN_SIM_LOOP_H
#define YUMEN_SIM_LOOP_H

#include "core/random.h"
#include "core/slice.h"
#include "net/stream.h"

struct sim_pipe;

/* How a pipe behaves; all zero: everything arrives at once, nothing is short,
 * no splice. */
struct sim_manner {
	size_t arrive_bytes_max; /* at most so many arrive at once, at random
	                          * from 1; 0: all that was fed */
	size_t accept_bytes_max; /* at most so many are taken by the writes of
	                          * one turn, at random from 1; 0: all */
	size_t window_bytes; /* so many may be written that the test has not
	                      * taken; 0: no bound */
	bool splice; /* the stream can splice (through the real pipes) */
};

/* Freed by net_loop_free, which checks that nothing is left open on it. */
struct net_loop *sim_loop_new(uint64_t seed);
/* For the pipes to come. */
void sim_loop_set_manner(
    struct net_loop *loop, const struct sim_manner *manner);
/* A manner drawn from the loop's seed: from all at once to single bytes. */
struct sim_manner sim_loop_draw_manner(struct net_loop *loop);
/* The loop's own random numbers, for the test's choices. */
struct random *sim_loop_random(struct net_loop *loop);

/* One turn; no time passes. False when nothing was there to do. */
bool sim_loop_step(struct net_loop *loop);
/* Turns until nothing is left to do; no time passes. Aborts when that never
 * ends (a million turns). */
void sim_loop_settle(struct net_loop *loop);
/* Let time pass, from timer to timer, settling at each. */
void sim_loop_pass(struct net_loop *loop, uint64_t ms);
/* Go to the next time a timer may fire, and settle; false: no timer is set. */
bool sim_loop_jump(struct net_loop *loop);
/* Connects fail at once from now on, with this error; ERROR_OK: no more. */
void sim_loop_fail_connects(struct net_loop *loop, enum error error);
/* The oldest connect that nobody has taken, NULL: none. The peer then accepts
 * or refuses it, or lets it wait. */
struct sim_pipe *sim_loop_take_connect(
    struct net_loop *loop, struct net_address *address);
/* Timers that are set and tasks that are queued: none when all is over. */
unsigned sim_loop_pending_count(const struct net_loop *loop);
/* Streams that are open on the loop. */
unsigned sim_loop_open_count(const struct net_loop *loop);

/* A connected pipe. Its fd is for net_stream_open_fd (and what calls it) on
 * this loop, once; it is no descriptor of the kernel. */
struct sim_pipe *sim_pipe_new(struct net_loop *loop);
int sim_pipe_fd(const struct sim_pipe *pipe);
void sim_pipe_set_manner(
    struct sim_pipe *pipe, const struct sim_manner *manner);
/* Only when the stream is closed or was never opened. */
void sim_pipe_free(struct sim_pipe *pipe);

/* The peer's side. All are seen by the stream in later turns. */
void sim_pipe_accept(struct sim_pipe *pipe);
void sim_pipe_refuse(struct sim_pipe *pipe, enum error error);
void sim_pipe_feed(struct sim_pipe *pipe, struct slice bytes);
/* The peer ends its side, after all that was fed. */
void sim_pipe_end(struct sim_pipe *pipe);
/* The peer resets now; what was fed and not read is lost or not, by the seed.
 */
void sim_pipe_reset(struct sim_pipe *pipe);
/* The same in the middle of the stream's own work: before its calls-th read,
 * write or splice from now (1: the next one). */
void sim_pipe_reset_at(struct sim_pipe *pipe, unsigned calls);
void sim_pipe_end_at(struct sim_pipe *pipe, unsigned calls);
/* The peer's side has ended or was reset: nothing can be fed any more. */
bool sim_pipe_is_over(const struct sim_pipe *pipe);
/* It was reset by the peer. */
bool sim_pipe_is_reset(const struct sim_pipe *pipe);
/* What was written and not taken yet; valid until the loop runs again. */
struct slice sim_pipe_written(const struct sim_pipe *pipe);
/* Take the first length bytes of that. */
void sim_pipe_take(struct sim_pipe *pipe, size_t length);
/* The bytes fed that the stream has not read. */
size_t sim_pipe_unread(const struct sim_pipe *pipe);
/* The stream has ended its side (shutdown or close). */
bool sim_pipe_is_ended(const struct sim_pipe *pipe);
/* The stream was closed. */
bool sim_pipe_is_closed(const struct sim_pipe *pipe);
/* It was closed with bytes unread, or by net_stream_reset, or bytes were fed
 * after it: the peer sees a reset, and what it had not received yet may be
 * lost. */
bool sim_pipe_is_aborted(const struct sim_pipe *pipe);

#endif
