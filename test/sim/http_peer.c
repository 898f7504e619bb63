/* The peers of a simulated world. Each does its script: what it sends lies in
 * one text, cut into segments that wait for what must have come before; what it
 * gets is kept whole, for the judge. */
#include "core/must.h"
#include "sim/http_world.h"
#include "sim/plain.h"

static unsigned
below(struct sim_world *world, unsigned bound)
{
	return random_below(world->random, bound);
}

static bool
often(struct sim_world *world)
{
	return below(world, 4) > 0;
}

/* A body as framing wants it, its head's last lines before it. */
static void
push_framing(struct text *out, enum sim_framing framing, size_t bytes)
{
	if (framing == SIM_LENGTH)
		text_printf(out, "Content-Length: %zu\r\n", bytes);
	else if (framing == SIM_CHUNKED)
		text_push_string(out, "Transfer-Encoding: chunked\r\n");
	text_push_string(out, "\r\n");
}

static void
push_body(struct sim_world *world, struct text *out, enum sim_framing framing,
    unsigned key, size_t bytes, bool trailers)
{
	struct text body;
	text_init(&body);
	sim_body_push(&body, key, bytes);
	if (framing == SIM_LENGTH || framing == SIM_UNTIL_CLOSE)
		text_push(out, text_slice(&body));
	for (size_t at = 0; framing == SIM_CHUNKED && at < bytes;) {
		size_t most = bytes - at;
		size_t length =
		    below(world, 2) ? most : 1 + below(world, (unsigned)most);
		text_printf(
		    out, below(world, 2) ? "%zx\r\n" : "00%zx;a=b\r\n", length);
		text_push(out, slice_make(body.data + at, length));
		text_push_string(out, "\r\n");
		at += length;
	}
	if (framing == SIM_CHUNKED) {
		text_push_string(out, "0\r\n");
		if (trailers)
			text_printf(out, "X-Trail: %u\r\n", key);
		text_push_string(out, "\r\n");
	}
	text_fini(&body);
}

static void
push_zeros(struct text *out, size_t bytes)
{
	memset(text_reserve(out, bytes), '0', bytes);
	text_advance(out, bytes);
}

static void
push_fill(struct text *out, size_t bytes)
{
	if (bytes == 0)
		return;
	text_push_string(out, "X-Fill: ");
	push_zeros(out, bytes);
	text_push_string(out, "\r\n");
}

static void
segment(struct sim_world *world, enum sim_gate gate, unsigned turn, size_t end)
{
	struct sim_client *client = &world->client;
	must(client->segment_count < SEGMENTS_MAX);
	client->segments[client->segment_count++] =
	    (struct sim_segment){.gate = gate, .turn = turn, .end = end};
}

static void
push_request_head(struct sim_world *world, unsigned turn)
{
	const struct sim_turn *row = &world->scenario->turns[turn];
	struct text *out = &world->client.out;
	if (!world->toy_client && below(world, 8) == 0)
		text_push_string(out, "\r\n");
	text_printf(out, "%s /%u HTTP/%s\r\nHost: sim\r\n%s%s%s", row->method,
	    turn, row->version ? row->version : "1.1",
	    row->fields ? row->fields : "",
	    row->habits & LOCAL_ANSWER ? "X-Answer: 1\r\n" : "",
	    row->habits & LOCAL_REFLECT ? "X-Reflect: 1\r\n" : "");
	push_fill(out, world->fill_bytes[turn]);
	push_framing(out, row->framing, world->request_bytes[turn]);
}

/* The message that begins there, as the toy has it; returns where its body
 * begins. */
static size_t
to_toy(struct sim_world *world, struct text *out, size_t begin,
    enum plain_kind kind)
{
	struct plain message;
	struct text copy;
	text_init(&copy);
	text_push(&copy, slice_skip(text_slice(out), begin));
	plain_read(&message, text_slice(&copy), kind, true);
	must(message.state == PLAIN_WHOLE);
	out->length = begin;
	toy_plain_push(out, &message, world->random);
	begin += 5 + message.head.length;
	plain_free(&message);
	text_fini(&copy);
	return begin;
}

static void
push_raw(struct sim_world *world, const struct sim_turn *row, unsigned turn)
{
	struct text *out = &world->client.out;
	text_push_string(out, row->raw);
	push_zeros(out, world->request_bytes[turn]);
}

static void
push_turn(struct sim_world *world, unsigned turn)
{
	const struct sim_turn *row = &world->scenario->turns[turn];
	struct text *out = &world->client.out;
	enum sim_gate gate = world->in_turn ? GATE_ANSWERS : GATE_FREE;
	size_t begin = out->length, body;
	if (row->raw) {
		push_raw(world, row, turn);
		segment(world, gate, turn, out->length);
		return;
	}
	push_request_head(world, turn);
	body = out->length;
	push_body(world, out, row->framing, turn,
	    sim_turn_is_tunnel(row) ? 0 : world->request_bytes[turn],
	    row->trailers);
	if (world->toy_client)
		body = to_toy(world, out, begin, PLAIN_REQUEST);
	if (row->habits & CLIENT_STOPS_IN_HEAD)
		out->length = body = begin + (body - begin) / 2;
	if (row->habits & CLIENT_STOPS_IN_BODY)
		out->length = body + (out->length - body) / 2;
	segment(world, gate, turn, body);
	if (out->length > body)
		segment(world,
		    row->habits & CLIENT_WAITS ? GATE_CONTINUE : GATE_FREE,
		    turn, out->length);
	if (row->habits & (CLIENT_STOPS_IN_HEAD | CLIENT_STOPS_IN_BODY))
		segment(world, GATE_NEVER, turn, out->length);
	if (sim_turn_is_tunnel(row)) {
		world->client.turn_ends[turn] = out->length;
		sim_body_push(out, turn, world->request_bytes[turn]);
		segment(world, GATE_TUNNEL, turn, out->length);
	}
	struct sim_segment *last =
	    &world->client.segments[world->client.segment_count - 1];
	last->ends = (row->habits & CLIENT_ENDS) ||
	    (sim_turn_is_tunnel(row) && !(row->habits & CLIENT_RESTS) &&
	        below(world, 2));
}

void
sim_client_begin(struct sim_world *world)
{
	struct sim_client *client = &world->client;
	text_init(&client->out);
	text_init(&client->in);
	for (unsigned turn = 0; turn < world->turn_count; turn++) {
		push_turn(world, turn);
		if (client->turn_ends[turn] == 0)
			client->turn_ends[turn] = client->out.length;
	}
}

static bool
may_feed(const struct sim_world *world, const struct sim_segment *segment)
{
	const struct sim_client *client = &world->client;
	switch (segment->gate) {
	case GATE_FREE:
		return true;
	case GATE_ANSWERS:
		return client->answers >= segment->turn;
	case GATE_CONTINUE:
		return client->was_continued;
	case GATE_TUNNEL:
		return client->in_tunnel;
	default:
		return false;
	}
}

static bool
client_feeds(struct sim_world *world)
{
	struct sim_client *client = &world->client;
	if (client->segment == client->segment_count || client->gave_up ||
	    sim_pipe_is_over(client->pipe))
		return false;
	const struct sim_segment *now = &client->segments[client->segment];
	if (!may_feed(world, now))
		return false;
	size_t left = now->end - client->fed;
	size_t length = often(world) ? left : below(world, (unsigned)left + 1);
	sim_pipe_feed(
	    client->pipe, slice_make(client->out.data + client->fed, length));
	client->fed += length;
	if (client->fed == now->end) {
		if (now->ends)
			sim_pipe_end(client->pipe);
		client->segment++;
		client->was_continued = false;
	}
	return true;
}

/* Take some of what was written for a peer into in. */
static bool
take(struct sim_world *world, struct sim_pipe *pipe, struct text *in)
{
	struct slice written = sim_pipe_written(pipe);
	if (written.length == 0)
		return false;
	if (!often(world))
		written.length = 1 + below(world, (unsigned)written.length);
	text_push(in, written);
	sim_pipe_take(pipe, written.length);
	return true;
}

static bool
client_reads(struct sim_world *world)
{
	struct sim_client *client = &world->client;
	bool slow = world->scenario->turns[0].habits & CLIENT_STOPS_READING;
	if (sim_pipe_is_aborted(client->pipe) && !client->saw_reset) {
		client->saw_reset = true;
		if (below(world, 2)) /* what had not come is lost */
			sim_pipe_take(client->pipe,
			    sim_pipe_written(client->pipe).length);
	}
	if (slow && !sim_pipe_is_closed(client->pipe))
		return false;
	return take(world, client->pipe, &client->in);
}

bool
sim_client_act(struct sim_world *world)
{
	struct sim_client *client = &world->client;
	if (client->stalled)
		return false;
	bool acted = client_reads(world);
	if (!client->saw_end && sim_pipe_is_ended(client->pipe) &&
	    sim_pipe_written(client->pipe).length == 0) {
		client->saw_end = true;
		client->ended_ms = net_loop_now_ms(world->loop);
	}
	return client_feeds(world) || acted;
}

static enum plain_kind
kind_of(const struct sim_world *world, unsigned turn)
{
	const char *method = turn < world->turn_count
	    ? world->scenario->turns[turn].method
	    : NULL;
	return method && strcmp(method, "HEAD") == 0 ? PLAIN_RESPONSE_TO_HEAD
	                                             : PLAIN_RESPONSE;
}

bool
sim_client_think(struct sim_world *world)
{
	struct sim_client *client = &world->client;
	bool thought = false;
	while (!client->in_tunnel) {
		struct plain answer;
		sim_client_reader(world)(&answer,
		    slice_skip(text_slice(&client->in), client->read),
		    kind_of(world, client->answers), false);
		bool is_whole = answer.state == PLAIN_WHOLE;
		unsigned status = answer.status;
		bool is_waiting = !client->was_continued &&
		    client->segment < client->segment_count &&
		    client->segments[client->segment].gate == GATE_CONTINUE;
		if (is_whole)
			client->read += answer.bytes;
		/* A final answer, and the body was not even asked for. */
		if (is_waiting && answer.has_head && status >= 200)
			client->gave_up = true;
		plain_free(&answer);
		if (!is_whole)
			break;
		thought = true;
		client->was_continued |= status == 100;
		client->in_tunnel = status == 101;
		if (status >= 200 || status == 101) {
			client->answers++;
			client->answered_ms = net_loop_now_ms(world->loop);
		}
	}
	return thought;
}

bool
sim_client_is_done(const struct sim_world *world)
{
	const struct sim_client *client = &world->client;
	if (client->saw_end || sim_pipe_is_over(client->pipe))
		return true;
	if (client->answers < world->turn_count)
		return false;
	/* Who closes? */
	return !client->in_tunnel &&
	    !world->scenario->turns[world->turn_count - 1].closes;
}

bool
sim_backend_begin(struct sim_world *world)
{
	struct sim_pipe *pipe = sim_loop_take_connect(world->loop, NULL);
	const struct sim_fault *fault = &world->fault;
	if (!pipe)
		return false;
	unsigned number = world->backend_count + world->refused_count;
	bool is_refused = world->scenario->connects == CONNECT_REFUSED ||
	    (fault->kind == FAULT_CONNECT && fault->which == number);
	if (is_refused)
		sim_pipe_refuse(pipe, ERROR_REFUSED);
	else if (world->scenario->connects == CONNECT_WORKS)
		sim_pipe_accept(pipe);
	if (is_refused || world->scenario->connects != CONNECT_WORKS) {
		world->refused_count++;
		return true;
	}
	must(world->backend_count < BACKENDS_MAX);
	struct sim_backend *backend = &world->backends[world->backend_count++];
	backend->pipe = pipe;
	text_init(&backend->in);
	text_init(&backend->out);
	if (fault->which == number && fault->kind == FAULT_BACKEND_RESET)
		sim_pipe_reset_at(pipe, fault->calls);
	if (fault->which == number && fault->kind == FAULT_BACKEND_END)
		sim_pipe_end_at(pipe, fault->calls);
	return true;
}

/* All that it will say now was read: break off or end. */
static bool
backend_ends(struct sim_world *world, struct sim_backend *backend)
{
	if (backend->cut != CUT_NEVER) {
		if (sim_pipe_unread(backend->pipe) > 0)
			return false;
		if (below(world, 2))
			sim_pipe_reset(backend->pipe);
		else
			sim_pipe_end(backend->pipe);
		return true;
	}
	if (!backend->ends)
		return false;
	sim_pipe_end(backend->pipe);
	return true;
}

bool
sim_backend_act(struct sim_world *world, struct sim_backend *backend)
{
	const struct sim_turn *row =
	    backend->has_turn ? &world->scenario->turns[backend->turn] : NULL;
	if (backend->stalled)
		return false;
	bool acted = false;
	if (!row || !(row->habits & BACKEND_DEAF) ||
	    sim_pipe_is_closed(backend->pipe))
		acted = take(world, backend->pipe, &backend->in);
	if (sim_pipe_is_over(backend->pipe) ||
	    sim_pipe_is_closed(backend->pipe))
		return acted;
	size_t left = backend->out.length - backend->held - backend->fed;
	if (left == 0)
		return backend_ends(world, backend) || acted;
	size_t length = often(world) ? left : below(world, (unsigned)left + 1);
	sim_pipe_feed(backend->pipe,
	    slice_make(backend->out.data + backend->fed, length));
	backend->fed += length;
	return true;
}

/* Put the answer to the turn behind what is still to be said. */
static void
push_answer(struct sim_world *world, struct sim_backend *backend)
{
	const struct sim_turn *row = &world->scenario->turns[backend->turn];
	struct text *out = &backend->out;
	bool is_cut = world->attempts[backend->turn] <= row->cut_times;
	size_t begin = out->length, body;
	backend->was_answered = true;
	if (row->answer_raw) {
		text_push_string(out, row->answer_raw);
		push_zeros(out, world->answer_bytes[backend->turn]);
		return;
	}
	if ((row->habits & BACKEND_MUTE) || !row->answer)
		return;
	text_printf(out, "HTTP/1.1 %s\r\nX-Turn: %u\r\n%s", row->answer,
	    backend->turn, row->answer_fields ? row->answer_fields : "");
	size_t bytes = world->answer_bytes[backend->turn];
	push_fill(out, world->fill_bytes[backend->turn]);
	push_framing(out, row->answer_framing, bytes);
	body = out->length;
	push_body(world, out, row->answer_framing, backend->turn + 100, bytes,
	    row->answer_trailers);
	if (world->toy_backend)
		body = to_toy(world, out, begin, kind_of(world, backend->turn));
	backend->ends = row->answer_framing == SIM_UNTIL_CLOSE ||
	    (row->habits & BACKEND_ENDS);
	if (row->habits & BACKEND_STOPS)
		backend->held = (out->length - body + 1) / 2;
	if (!is_cut || row->cut == CUT_NEVER)
		return;
	backend->cut = row->cut;
	if (row->cut == CUT_BEFORE)
		out->length = begin;
	else if (row->cut == CUT_HEAD)
		out->length = begin + 1 + below(world, 8);
	else
		out->length = body + (out->length - body) / 2;
}

static void
push_interims(
    struct sim_world *world, struct sim_backend *backend, struct slice rest)
{
	if (!world->toy_backend) {
		text_push(&backend->out, rest);
		return;
	}
	while (rest.length > 0) {
		struct plain interim;
		plain_read(&interim, rest, PLAIN_RESPONSE, false);
		must(interim.state == PLAIN_WHOLE);
		toy_plain_push(&backend->out, &interim, world->random);
		rest = slice_skip(rest, interim.bytes);
		plain_free(&interim);
	}
}

static void
begin_turn(struct sim_world *world, struct sim_backend *backend,
    const struct plain *request)
{
	struct slice path =
	    slice_skip(request->head, slice_find(request->head, ' ') + 1);
	unsigned turn = (unsigned)(path.data[1] - '0');
	if (path.data[0] != '/' || turn >= world->turn_count) {
		sim_wrong(
		    world, "a backend got: %.*s", SLICE_ARGS(request->head));
		return;
	}
	backend->turn = turn;
	backend->has_turn = true;
	backend->was_whole = backend->was_answered = false;
	world->attempts[turn]++;
	/* It may come again only to a connection that was used before, and may
	 * have been lost there, or after that. */
	if (backend->served == 0 && ++world->fresh_attempts[turn] > 1)
		sim_wrong(world, "turn %u came to two fresh connections", turn);
	const struct sim_turn *row = &world->scenario->turns[turn];
	if (row->interims)
		push_interims(world, backend, slice_from_string(row->interims));
}

static void
end_turn(struct sim_world *world, struct sim_backend *backend,
    const struct plain *request)
{
	unsigned turn = backend->turn;
	const struct sim_turn *row = &world->scenario->turns[turn];
	struct slice body = text_slice(&request->body);
	bool has_trailers = request->trailers.length > 0;
	backend->was_whole = true;
	backend->read += request->bytes;
	world->wholes[turn]++;
	if (body.length !=
	        (sim_turn_is_tunnel(row) ? 0 : world->request_bytes[turn]) ||
	    !sim_body_is(body, turn))
		sim_wrong(world, "turn %u came with %zu bytes of body", turn,
		    body.length);
	if (has_trailers != row->trailers)
		sim_wrong(world, "turn %u came with trailers: %d", turn,
		    has_trailers);
}

/* Echo what comes in the tunnel. */
static bool
think_tunnel(struct sim_world *world, struct sim_backend *backend)
{
	size_t came = backend->in.length - backend->read;
	size_t all = world->request_bytes[backend->turn];
	const struct sim_turn *row = &world->scenario->turns[backend->turn];
	struct sim_segment *last =
	    &world->client.segments[world->client.segment_count - 1];
	text_push(
	    &backend->out, slice_skip(text_slice(&backend->in), backend->read));
	backend->read += came;
	backend->served += (unsigned)came;
	/* Who ends first? */
	bool ends = backend->served >= all && !(row->habits & CLIENT_RESTS);
	if (last->ends)
		ends = sim_pipe_is_ended(backend->pipe) &&
		    sim_pipe_written(backend->pipe).length == 0;
	bool acted = came > 0 || ends != backend->ends;
	backend->ends = ends;
	return acted;
}

/* Read on; true when a head or an end was there. */
static bool
think_request(struct sim_world *world, struct sim_backend *backend)
{
	struct plain request;
	sim_backend_reader(world)(&request,
	    slice_skip(text_slice(&backend->in), backend->read), PLAIN_REQUEST,
	    false);
	bool begins = request.has_head && !backend->has_turn;
	if (request.state == PLAIN_BAD)
		sim_wrong(world, "a backend got: %.*s",
		    SLICE_ARGS(text_slice(&backend->in)));
	else if (begins)
		begin_turn(world, backend, &request);
	bool ends = backend->has_turn && request.state == PLAIN_WHOLE;
	if (ends)
		end_turn(world, backend, &request);
	plain_free(&request);
	return begins || ends;
}

bool
sim_backend_think(struct sim_world *world, struct sim_backend *backend)
{
	bool thought = false;
	if (backend->in_tunnel)
		return think_tunnel(world, backend);
	if (!backend->has_turn || !backend->was_whole)
		thought = think_request(world, backend);
	if (!backend->has_turn)
		return thought;
	const struct sim_turn *row = &world->scenario->turns[backend->turn];
	if (sim_turn_is_tunnel(row) && backend->was_whole) {
		backend->in_tunnel = true;
		backend->served = 0;
		return true;
	}
	if (!backend->was_answered &&
	    (backend->was_whole || (row->habits & BACKEND_EARLY))) {
		push_answer(world, backend);
		thought = true;
	}
	if (backend->was_answered && backend->was_whole &&
	    backend->fed == backend->out.length) {
		backend->has_turn = false;
		backend->served++;
		thought = true;
	}
	return thought;
}
