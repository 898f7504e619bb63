/* See http_script.h. */
#include "sim/http_script.h"

#define GET .method = "GET", .reaches = 1
#define POST .method = "POST", .reaches = 1
#define SMALL_BODY .framing = SIM_LENGTH, .bytes = SIM_SMALL
#define LARGE_BODY .framing = SIM_LENGTH, .bytes = SIM_LARGE
#define SMALL_CHUNKS .framing = SIM_CHUNKED, .bytes = SIM_SMALL
#define LARGE_CHUNKS .framing = SIM_CHUNKED, .bytes = SIM_LARGE
#define ANSWERS(how, size) \
	.answer = "200 OK", .answer_framing = (how), .answer_bytes = (size)
/* An answer that the client does not get. */
#define SMALL_LOST ANSWERS(SIM_LENGTH, SIM_SMALL)
#define OK_WITH(how, size) ANSWERS(how, size), .status = 200
#define SMALL_OK OK_WITH(SIM_LENGTH, SIM_SMALL)
#define LARGE_OK OK_WITH(SIM_LENGTH, SIM_LARGE)
#define EMPTY_OK .answer = "200 OK", .answer_framing = SIM_LENGTH, .status = 200
#define AFTER \
	{ \
		GET, SMALL_OK \
	}
/* A request that is none: answered here, and an end. */
#define REFUSED(bytes, code) \
	{ \
		.raw = (bytes), .status = (code), .closes = true \
	}
#define HOST "Host: sim\r\n"
#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define SWITCHING \
	.interims = "HTTP/1.1 101 Switching Protocols\r\n" UPGRADE "\r\n"
#define HINT "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
#define HINTS4 HINT HINT HINT HINT
#define HINTS16 HINTS4 HINTS4 HINTS4 HINTS4
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define FIELDS8 "A:b\r\nA:b\r\nA:b\r\nA:b\r\nA:b\r\nA:b\r\nA:b\r\nA:b\r\n"
#define FIELDS32 FIELDS8 FIELDS8 FIELDS8 FIELDS8
#define FIELDS128 FIELDS32 FIELDS32 FIELDS32 FIELDS32
/* An answer that is none. */
#define BAD_ANSWER(bytes) {GET, .answer_raw = (bytes), .status = 502}, AFTER

const struct sim_scenario sim_scenarios[] = {
#include "sim/http_scenario.def"
};
const unsigned sim_scenario_count =
    sizeof(sim_scenarios) / sizeof(sim_scenarios[0]);

unsigned
sim_turn_count(const struct sim_scenario *scenario)
{
	unsigned count = 0;
	while (count < SIM_TURNS_MAX &&
	    (scenario->turns[count].method || scenario->turns[count].raw))
		count++;
	return count;
}

bool
sim_turn_is_tunnel(const struct sim_turn *turn)
{
	return turn->status == 101;
}

static char
body_byte(unsigned key, size_t offset)
{
	uint32_t mixed = (uint32_t)offset * 0x9e3779b1u + key * 0x85ebca6bu;
	return (char)(mixed >> 13);
}

void
sim_body_push(struct text *out, unsigned key, size_t bytes)
{
	char *at = text_reserve(out, bytes);
	for (size_t i = 0; i < bytes; i++)
		at[i] = body_byte(key, i);
	text_advance(out, bytes);
}

bool
sim_body_is(struct slice bytes, unsigned key)
{
	for (size_t i = 0; i < bytes.length; i++)
		if (bytes.data[i] != body_byte(key, i))
			return false;
	return true;
}
