/* The scenarios of the simulated HTTP connections: what a client sends, what
 * the backend does with it, and what must come of it. A row says all; sizes,
 * cuts and times are the seed's. */
#ifndef YUMEN_SIM_HTTP_SCRIPT_H
#define YUMEN_SIM_HTTP_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>
#include "core/limit.h"
#include "core/random.h"
#include "core/text.h"

enum sim_framing { SIM_NONE, SIM_LENGTH, SIM_CHUNKED, SIM_UNTIL_CLOSE };

enum sim_habit {
	/* of the client */
	CLIENT_STOPS_IN_HEAD = 1, /* for good, as below */
	CLIENT_STOPS_IN_BODY = 2,
	CLIENT_STOPS_READING = 4,
	CLIENT_WAITS = 8, /* for 100, before it sends the body */
	CLIENT_ENDS = 16, /* half-closes after the request */
	CLIENT_RESTS = 4096, /* never goes by itself, nor ends a tunnel */
	/* of the backend */
	BACKEND_EARLY = 32, /* answers once the head has come */
	BACKEND_DEAF = 64, /* reads no further than the head */
	BACKEND_MUTE = 128, /* does not answer */
	BACKEND_ENDS = 256, /* its side after the answer */
	BACKEND_STOPS = 512, /* in the middle of its answer's body */
	/* of the handler */
	LOCAL_ANSWER = 1024, /* 404 from here */
	LOCAL_REFLECT = 2048, /* the request's body back */
	LOCAL_DRAIN = 8192, /* drains when all is answered */
};

/* Where the backend breaks off, by a reset or an end. */
enum sim_cut { CUT_NEVER, CUT_BEFORE, CUT_HEAD, CUT_BODY };

struct sim_turn {
	/* The request: its path is the turn's number. */
	const char *raw; /* the bytes, instead of what follows */
	const char *method, *version, *fields;
	enum sim_framing framing;
	uint32_t bytes; /* of its body, at most; for raw: of zeros after it */
	uint32_t fill; /* of a field more, in both heads */
	bool trailers;

	unsigned habits;

	/* What the backend sends. */
	const char *interims, *answer, *answer_fields;
	const char *answer_raw; /* the bytes, instead of an answer; then
	                         * answer_bytes of zeros */
	enum sim_framing answer_framing;
	uint32_t answer_bytes;
	bool answer_trailers;
	enum sim_cut cut;
	unsigned cut_times; /* attempts that are cut, from the first */

	/* What comes of it when nothing else goes wrong. */
	unsigned status; /* that the client sees; 0: no answer, an end */
	bool closes; /* the connection ends after it */
	bool may_close; /* ... or not: either is right */
	bool cut_short; /* the answer is not whole, and is seen not to be */
	bool drops_trailers; /* the answer's do not reach the client */
	unsigned interim_count; /* that the client sees; 100s not counted */
	unsigned reaches; /* times that the whole request comes to a backend; at
	                   * most, where the backend breaks off */
	unsigned limit; /* 1 + the limit that is hit; 0: none */
};
#define HITS(name) (1 + LIMIT_##name)

enum {
	SIM_TURNS_MAX = 4,
	SIM_LARGE = 300000,
	SIM_SMALL = 900,
	SIM_HUGE = 3000000
};

/* Which side may speak the toy's protocol instead. */
enum sim_toy { TOY_CLIENT = 1, TOY_BACKEND = 2 };

enum sim_connects { CONNECT_WORKS, CONNECT_REFUSED, CONNECT_SILENT };

struct sim_scenario {
	const char *name;
	enum sim_connects connects;
	unsigned toy; /* enum sim_toy */
	bool in_turn; /* a request is sent when the answer before it came */
	bool no_faults; /* it says all that goes wrong */
	bool is_large; /* bodies must be larger than all buffers together */
	struct sim_turn turns[SIM_TURNS_MAX]; /* up to one without a method */
};

extern const struct sim_scenario sim_scenarios[];
extern const unsigned sim_scenario_count;

unsigned sim_turn_count(const struct sim_scenario *scenario);
bool sim_turn_is_tunnel(const struct sim_turn *turn);
/* Bytes of a body that nothing else has: of key, from offset on. */
void sim_body_push(struct text *out, unsigned key, size_t bytes);
bool sim_body_is(struct slice bytes, unsigned key);

#endif
