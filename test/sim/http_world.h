/* One run of a scenario: a client, the connections of src/http with a handler
 * that is a proxy as small as can be, and backends; all on a simulated loop.
 * What differs between runs comes from the seed. */
#ifndef YUMEN_SIM_HTTP_WORLD_H
#define YUMEN_SIM_HTTP_WORLD_H

#include "http/client.h"
#include "http/server.h"
#include "sim/http_script.h"
#include "sim/loop.h"
#include "sim/toy.h"

/* What goes wrong beside the scenario. */
enum sim_fault_kind {
	FAULT_NONE,
	FAULT_CLIENT_RESET,
	FAULT_CLIENT_END,
	FAULT_CLIENT_STALL,
	FAULT_BACKEND_RESET,
	FAULT_BACKEND_END,
	FAULT_BACKEND_STALL,
	FAULT_CONNECT, /* one connect is refused */
	FAULT_DRAIN,
	FAULT_ABORT,
	FAULT__COUNT
};

struct sim_fault {
	enum sim_fault_kind kind;
	unsigned calls; /* of the stream, from its beginning; 0: by round */
	unsigned which; /* backend connection */
	unsigned round; /* of the world */
};

enum sim_gate {
	GATE_FREE,
	GATE_ANSWERS, /* all of the turns before were answered */
	GATE_CONTINUE, /* 100 came */
	GATE_TUNNEL, /* 101 came */
	GATE_NEVER,
};

enum { SEGMENTS_MAX = 4 * SIM_TURNS_MAX, BACKENDS_MAX = 16 };

struct sim_segment {
	enum sim_gate gate;
	unsigned turn;
	size_t end; /* in the text */
	bool ends; /* half-close after it */
};

struct sim_client {
	struct sim_pipe *pipe;
	struct text out; /* all that it will send */
	size_t fed;
	struct sim_segment segments[SEGMENTS_MAX];
	unsigned segment_count, segment; /* the next one */
	size_t turn_ends[SIM_TURNS_MAX]; /* of the requests, in out */
	struct text in; /* all that it got */
	size_t read; /* of it: whole messages */
	unsigned answers;
	bool in_tunnel, was_continued, gave_up, stalled;
	bool saw_end, saw_reset; /* of the stream */
	uint64_t answered_ms, ended_ms;
};

struct sim_backend {
	struct sim_pipe *pipe;
	struct text in, out;
	size_t read, fed;
	unsigned turn, served;
	bool has_turn; /* a request's head has come, and is not yet answered */
	bool was_whole, was_answered, in_tunnel, stalled, ends;
	enum sim_cut cut; /* once all of out was read */
	size_t held; /* of out, that is not fed for good: it stops there */
};

struct sim_world {
	const struct sim_scenario *scenario;
	uint64_t seed;
	struct net_loop *loop;
	struct random *random;
	struct metrics metrics;
	struct http_worker worker;
	struct http_service service;
	struct sim_fault fault;
	struct sim_manner manner;
	bool in_turn; /* no pipelining */
	bool toy_client, toy_backend;
	unsigned toy_count; /* connections of such a client */
	uint32_t delay_ms; /* the handler's */
	struct list idle_links; /* connections to backends, newest first */
	unsigned link_count;
	unsigned turn_count, round;
	bool drained;
	size_t drained_at; /* the client had sent so much by then */
	size_t request_bytes[SIM_TURNS_MAX], answer_bytes[SIM_TURNS_MAX];
	size_t fill_bytes[SIM_TURNS_MAX];
	unsigned attempts[SIM_TURNS_MAX]; /* requests that backends saw begin */
	unsigned wholes[SIM_TURNS_MAX]; /* ... and end */
	unsigned fresh_attempts[SIM_TURNS_MAX]; /* to new connections */
	struct sim_client client;
	struct sim_backend backends[BACKENDS_MAX];
	unsigned backend_count, refused_count;
	size_t buffer_bytes_max; /* seen */
	char wrong[400]; /* what was found; empty: nothing */
};

/* Run scenario to its end. False: world->wrong says what is wrong. prints: what
 * everybody has got goes to stderr. */
bool sim_world_run(struct sim_world *world, const struct sim_scenario *scenario,
    uint64_t seed, bool prints);

/* The first thing that is wrong is kept. */
void sim_wrong(struct sim_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The handler (http_handler.c): requests go to one backend, are sent again
 * where RFC 9110 9.2.2 allows it, and are answered with 502 to 504 where not.
 */
extern const struct http_handler sim_http_handler;
void sim_links_close(struct sim_world *world);

/* What a side's messages are read with. */
typedef void (*sim_read_fn)(struct plain *message, struct slice bytes,
    enum plain_kind kind, bool ended);
static inline sim_read_fn
sim_client_reader(const struct sim_world *world)
{
	return world->toy_client ? toy_plain_read : plain_read;
}
static inline sim_read_fn
sim_backend_reader(const struct sim_world *world)
{
	return world->toy_backend ? toy_plain_read : plain_read;
}

/* The peers (http_peer.c). _act: bytes in and out; _think: what they mean.
 * Both: whether anything happened. */
void sim_client_begin(struct sim_world *world);
bool sim_client_act(struct sim_world *world);
bool sim_client_think(struct sim_world *world);
bool sim_client_is_done(const struct sim_world *world);
/* One more backend connection, when one was asked for. */
bool sim_backend_begin(struct sim_world *world);
bool sim_backend_act(struct sim_world *world, struct sim_backend *backend);
bool sim_backend_think(struct sim_world *world, struct sim_backend *backend);

/* What must be true at the end (http_judge.c). */
void sim_judge(struct sim_world *world);

#endif
