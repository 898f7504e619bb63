/* The judge: reads what the client got from its beginning, answer by answer,
 * and holds it against the script. What it knows of HTTP is plain.h. */
#include "sim/http_world.h"
#include "sim/plain.h"

/* The client's bytes, from the next answer on. */
struct reading {
	struct sim_world *world;
	struct slice rest;
	bool ended; /* in good order */
};

static enum plain_kind
kind_of(const struct sim_turn *row)
{
	return row->method && strcmp(row->method, "HEAD") == 0
	    ? PLAIN_RESPONSE_TO_HEAD
	    : PLAIN_RESPONSE;
}

static bool
is_exact(const struct sim_world *world)
{
	return world->fault.kind == FAULT_NONE;
}

static bool
is_bodiless(const struct sim_turn *row, unsigned status)
{
	return kind_of(row) == PLAIN_RESPONSE_TO_HEAD || status == 204 ||
	    status == 304;
}

/* May turn have been answered by an error from here, for what went wrong? */
static bool
may_fail(const struct sim_world *world, unsigned status)
{
	switch (world->fault.kind) {
	case FAULT_CONNECT:
		return status == 502 || status == 503;
	case FAULT_BACKEND_RESET:
	case FAULT_BACKEND_END:
		return status == 502;
	case FAULT_BACKEND_STALL:
		return status == 504 || status == 408 || status == 502;
	case FAULT_CLIENT_STALL:
	case FAULT_CLIENT_END:
	case FAULT_CLIENT_RESET:
		return status == 408 || status == 504 || status == 502;
	default:
		return false;
	}
}

/* All or, where it was cut, a part of the body that the script has. */
static void
judge_body(struct reading *reading, unsigned turn, const struct plain *answer)
{
	struct sim_world *world = reading->world;
	const struct sim_turn *row = &world->scenario->turns[turn];
	bool reflects = row->habits & LOCAL_REFLECT;
	size_t bytes =
	    reflects ? world->request_bytes[turn] : world->answer_bytes[turn];
	struct slice body = text_slice(&answer->body);
	bool may_be_short = answer->state == PLAIN_PART ||
	    (row->answer_framing == SIM_UNTIL_CLOSE &&
	        world->fault.kind == FAULT_BACKEND_END);
	if (is_bodiless(row, answer->status))
		bytes = 0;
	if (!sim_body_is(body, reflects ? turn : turn + 100))
		sim_wrong(world, "turn %u: bytes of another body", turn);
	else if (body.length > bytes || (body.length < bytes && !may_be_short))
		sim_wrong(world, "turn %u: %zu bytes of body instead of %zu",
		    turn, body.length, bytes);
	bool wants_trailers =
	    row->answer_trailers && (!row->drops_trailers || world->toy_client);
	if (answer->state == PLAIN_WHOLE && !reflects &&
	    wants_trailers != (answer->trailers.length > 0))
		sim_wrong(world, "turn %u: trailers: %zu bytes", turn,
		    answer->trailers.length);
}

/* RFC 9110 8.6, RFC 9112 6.1 */
static void
judge_framing(
    struct sim_world *world, unsigned turn, const struct plain *answer)
{
	const char *version = world->scenario->turns[turn].version;
	bool has_length = slice_is_set(plain_field(answer, "content-length"));
	bool is_coded = slice_is_set(plain_field(answer, "transfer-encoding"));
	if ((has_length && (is_coded || answer->status == 204)) ||
	    (is_coded && version && strcmp(version, "1.0") == 0))
		sim_wrong(world, "turn %u: framed wrongly", turn);
	if (!slice_is_set(plain_field(answer, "date")))
		sim_wrong(world, "turn %u: no date", turn);
}

/* A head came. Whose is it? */
static void
judge_head(struct reading *reading, unsigned turn, const struct plain *answer)
{
	struct sim_world *world = reading->world;
	const struct sim_turn *row = &world->scenario->turns[turn];
	struct slice mark = plain_field(answer, "x-turn");
	bool is_local = row->habits & (LOCAL_ANSWER | LOCAL_REFLECT);
	bool is_ours = !slice_is_set(mark);
	uint64_t number;
	judge_framing(world, turn, answer);
	if (!is_ours && (!slice_to_number(mark, 9, &number) || number != turn))
		sim_wrong(world, "turn %u: the answer to another", turn);
	if (answer->status != row->status &&
	    (!is_ours || !may_fail(world, answer->status)) &&
	    (is_exact(world) || is_ours))
		sim_wrong(world, "turn %u: status %u instead of %u", turn,
		    answer->status, row->status);
	if (!is_ours || (is_local && row->status == 200))
		judge_body(reading, turn, answer);
}

/* The 1xx before an answer; their number is exact when nothing went wrong. */
static void
judge_interims(struct reading *reading, unsigned turn)
{
	struct sim_world *world = reading->world;
	const struct sim_turn *row = &world->scenario->turns[turn];
	unsigned hints = 0, continues = 0;
	for (;;) {
		struct plain interim;
		sim_client_reader(world)(
		    &interim, reading->rest, kind_of(row), false);
		unsigned status = interim.state == PLAIN_WHOLE &&
		        interim.status < 200 && interim.status != 101
		    ? interim.status
		    : 0;
		if (status)
			reading->rest =
			    slice_skip(reading->rest, interim.bytes);
		if (status &&
		    slice_is_set(plain_field(&interim, "content-length")))
			sim_wrong(world, "turn %u: a 1xx with a length", turn);
		plain_free(&interim);
		if (!status)
			break;
		hints += status != 100;
		continues += status == 100;
	}
	if (hints > row->interim_count || continues > 2 ||
	    (is_exact(world) && hints < row->interim_count))
		sim_wrong(
		    world, "turn %u: %u 1xx, %u 100", turn, hints, continues);
}

static void
judge_tunnel(struct reading *reading, unsigned turn)
{
	struct sim_world *world = reading->world;
	size_t bytes = world->request_bytes[turn];
	if (!sim_body_is(reading->rest, turn) || reading->rest.length > bytes ||
	    (is_exact(world) && reading->rest.length < bytes))
		sim_wrong(world, "turn %u: %zu bytes out of the tunnel", turn,
		    reading->rest.length);
	bool rests = world->scenario->turns[turn].habits & CLIENT_RESTS;
	if (is_exact(world) && reading->ended == rests)
		sim_wrong(world, "turn %u: the tunnel's end: %d", turn, rests);
	/* What is missing must be told, to either side. */
	if (world->fault.kind == FAULT_BACKEND_RESET && reading->ended &&
	    reading->rest.length < bytes)
		sim_wrong(world, "turn %u: a short tunnel looks whole", turn);
	for (unsigned i = 0; i < world->backend_count; i++) {
		const struct sim_backend *backend = &world->backends[i];
		if (world->fault.kind == FAULT_CLIENT_RESET &&
		    backend->in_tunnel && backend->served < bytes &&
		    sim_pipe_is_ended(backend->pipe) &&
		    !sim_pipe_is_aborted(backend->pipe))
			sim_wrong(
			    world, "turn %u: the backend sees no reset", turn);
	}
	reading->rest = SLICE_NONE;
}

/* The connection gave no whole answer to turn. May that be, and is it seen? */
static void
judge_lack(struct reading *reading, unsigned turn, const struct plain *answer,
    bool said_close)
{
	struct sim_world *world = reading->world;
	const struct sim_client *client = &world->client;
	const struct sim_turn *row = &world->scenario->turns[turn];
	bool was_asked = client->fed >= client->turn_ends[turn] &&
	    client->turn_ends[turn] > 0;
	bool is_cut = row->cut_short &&
	    (answer->state == PLAIN_PART || client->saw_reset);
	switch (world->fault.kind) {
	case FAULT_NONE:
		if (!is_cut && (answer->state != PLAIN_NONE || row->status))
			sim_wrong(world, "turn %u: no whole answer", turn);
		break;
	case FAULT_CLIENT_END:
		if (was_asked && !is_cut)
			sim_wrong(world, "turn %u: asked, not answered", turn);
		break;
	case FAULT_BACKEND_RESET:
	case FAULT_BACKEND_END:
	case FAULT_BACKEND_STALL:
	case FAULT_CONNECT:
		if (answer->state == PLAIN_NONE && !said_close && was_asked &&
		    !client->saw_reset)
			sim_wrong(world, "turn %u: not even an error", turn);
		break;
	case FAULT_DRAIN:
		if (!is_cut && (answer->state != PLAIN_NONE || !said_close))
			sim_wrong(world, "turn %u: lost by draining", turn);
		break;
	default:
		break;
	}
}

/* One turn; false: nothing can follow. */
static bool
judge_turn(struct reading *reading, unsigned turn, bool *said_close)
{
	struct sim_world *world = reading->world;
	const struct sim_client *client = &world->client;
	const struct sim_turn *row = &world->scenario->turns[turn];
	struct plain answer;
	judge_interims(reading, turn);
	sim_client_reader(world)(
	    &answer, reading->rest, kind_of(row), reading->ended);
	bool is_whole = answer.state == PLAIN_WHOLE;
	if (answer.state == PLAIN_BAD)
		sim_wrong(world, "turn %u: no response: %.*s", turn,
		    SLICE_ARGS(reading->rest));
	else if (answer.has_head && answer.status != 101)
		judge_head(reading, turn, &answer);
	if (!is_whole)
		judge_lack(reading, turn, &answer, *said_close);
	else if (row->cut_short && is_exact(world))
		sim_wrong(world, "turn %u: it looks whole", turn);
	reading->rest =
	    is_whole ? slice_skip(reading->rest, answer.bytes) : SLICE_NONE;
	*said_close |= slice_equal_nocase(
	    plain_field(&answer, "connection"), SLICE("close"));
	if (is_whole && answer.status == 101) {
		judge_tunnel(reading, turn);
		is_whole = false;
	}
	/* Who asks while it drains is told that it ends. */
	if (is_whole && world->drained && !*said_close &&
	    answer.status != 101 && !row->version &&
	    !(row->habits & (BACKEND_EARLY | LOCAL_REFLECT)) &&
	    client->turn_ends[turn] > world->drained_at)
		sim_wrong(
		    world, "turn %u: it does not say that it drains", turn);
	bool closes = !is_whole || row->closes ||
	    (row->may_close && reading->rest.length == 0 && client->saw_end);
	plain_free(&answer);
	if (!is_exact(world) || !row->closes)
		return is_whole && !closes;
	bool is_surprise = (row->habits & (BACKEND_EARLY | CLIENT_ENDS)) &&
	    !(row->habits & CLIENT_WAITS);
	bool is_1_0 = row->version && strcmp(row->version, "1.0") == 0;
	if (is_whole && !*said_close && !is_surprise && !is_1_0)
		sim_wrong(world, "turn %u: it does not say that it ends", turn);
	if (!client->saw_end ||
	    (!client->in_tunnel && client->answers > turn &&
	        client->ended_ms > client->answered_ms + 1000))
		sim_wrong(world, "turn %u: an end after it: %d, %llu ms", turn,
		    client->saw_end,
		    (unsigned long long)(client->ended_ms -
		        client->answered_ms));
	return false;
}

/* How often each request came to a backend, and what was counted. */
static void
judge_counts(struct sim_world *world, unsigned judged)
{
	for (unsigned turn = 0; turn < world->turn_count; turn++) {
		const struct sim_turn *row = &world->scenario->turns[turn];
		unsigned wholes = world->wholes[turn];
		bool is_sure = is_exact(world) && turn < judged &&
		    !row->may_close && row->cut == CUT_NEVER;
		unsigned most = row->reaches > 0 ? row->reaches
		    : row->may_close             ? 1
		                                 : 0;
		bool is_get = row->method && strcmp(row->method, "POST") != 0;
		if (!is_exact(world))
			most = is_get ? 3 : 1;
		if (wholes > most || (is_sure && wholes < row->reaches))
			sim_wrong(world, "turn %u came %u times instead of %u",
			    turn, wholes, row->reaches);
		if (is_exact(world) && row->limit &&
		    atomic_load(&world->metrics.limit_hits[row->limit - 1]) ==
		        0)
			sim_wrong(world, "turn %u: the limit %s is not counted",
			    turn, limit_rows[row->limit - 1].name);
	}
}

/* A request that did not come whole must be the beginning of it. */
static void
judge_parts(struct sim_world *world, const struct sim_backend *backend)
{
	struct plain part;
	sim_backend_reader(world)(&part,
	    slice_skip(text_slice(&backend->in), backend->read), PLAIN_REQUEST,
	    false);
	struct slice body = text_slice(&part.body);
	if (part.state == PLAIN_BAD)
		sim_wrong(world, "a backend got: %.*s",
		    SLICE_ARGS(text_slice(&backend->in)));
	else if (part.has_head && backend->has_turn && !backend->was_whole &&
	    !world->scenario->turns[backend->turn].raw &&
	    !sim_body_is(body, backend->turn))
		sim_wrong(world, "turn %u: a backend got another body",
		    backend->turn);
	plain_free(&part);
}

void
sim_judge(struct sim_world *world)
{
	const struct sim_client *client = &world->client;
	struct reading reading = {
	    .world = world,
	    .rest = text_slice(&client->in),
	    .ended = client->saw_end && !client->saw_reset &&
	        world->fault.kind != FAULT_CLIENT_RESET,
	};
	bool said_close = false;
	unsigned judged = 0;
	while (judged < world->turn_count &&
	    judge_turn(&reading, judged++, &said_close))
		;
	if (reading.rest.length > 0)
		sim_wrong(world, "bytes after the last answer: %.*s",
		    SLICE_ARGS(reading.rest));
	judge_counts(world, judged);
	for (unsigned i = 0; i < world->backend_count; i++)
		if (!world->backends[i].in_tunnel)
			judge_parts(world, &world->backends[i]);
}
