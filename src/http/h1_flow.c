/* The flow: what a connection holds while it carries a message. Taken when the
 * first byte comes or a request is lent, given back when the connection rests.
 */
#include "http/h1_priv.h"

#include <assert.h>

#include "core/memory.h"
#include "core/must.h"
#include "http/worker_priv.h"

static_assert(
    sizeof(struct h1_flow) <= HTTP_BLOCK_BYTES, "a flow must fit in a block");

const struct http_splice_ops h1_splice_ops = {
    .in_bytes = h1_in_bytes,
    .in_done = h1_in_done,
    .out_bytes = h1_out_bytes,
    .out_done = h1_out_done,
};

static void
begin(struct h1_flow *flow, const struct http_stream_ops *ops)
{
	memory_clear(&flow->stream, sizeof(flow->stream));
	memory_clear(&flow->out, sizeof(flow->out));
	flow->stream.ops = ops;
	flow->stream.head = &flow->head;
	flow->head_buffer = NULL;
	flow->trailers = NULL;
	flow->upgrade = false;
	flow->last = false;
	flow->interims = 0;
}

struct h1_flow *
h1_flow_take(
    struct h1_connection *connection, const struct http_stream_ops *ops)
{
	must(!connection->flow);
	struct h1_flow *flow = http_block_take(connection->worker);

	begin(flow, ops);
	memory_clear(&flow->in, sizeof(flow->in));
	flow->connection = connection;
	connection->flow = flow;
	return flow;
}

/* Give back what the message held, but not bytes that came after it. */
static void
drop(struct h1_flow *flow)
{
	struct http_buffers *buffers = &flow->connection->worker->buffers;

	if (flow->head_buffer)
		http_buffer_unref(buffers, &flow->head_buffer);
	if (flow->out.buffer)
		http_buffer_unref(buffers, &flow->out.buffer);
	memory_free(flow->trailers);
}

void
h1_flow_reset(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;

	drop(flow);
	if (in->buffer && in->next == in->end)
		http_buffer_unref(
		    &flow->connection->worker->buffers, &in->buffer);
	/* Bytes that came after the message stay where they are. */
	uint32_t next = in->buffer ? in->next : 0;
	uint32_t end = in->buffer ? in->end : 0;
	*in = (struct h1_input){
	    .buffer = in->buffer,
	    .body = next,
	    .body_end = next,
	    .next = next,
	    .end = end,
	};
	begin(flow, flow->stream.ops);
}

void
h1_flow_give(struct h1_connection *connection)
{
	struct h1_flow *flow = connection->flow;

	drop(flow);
	if (flow->in.buffer)
		http_buffer_unref(
		    &connection->worker->buffers, &flow->in.buffer);
	connection->flow = NULL;
	http_block_give(connection->worker, flow);
}

void
h1_flow_break(struct h1_flow *flow)
{
	if (flow->stream.out == HTTP_OUT_BODY &&
	    flow->out.framing == H1_FRAMING_UNTIL_CLOSE)
		net_stream_reset(&flow->connection->socket);
}

void
h1_flow_tunnel(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;

	must(in->body == in->body_end);
	in->framing = H1_FRAMING_UNTIL_CLOSE;
	in->complete = false;
	in->body = in->body_end = in->next;
	flow->out.framing = H1_FRAMING_UNTIL_CLOSE;
	flow->out.ending = false;
	flow->out.half_close = true;
	flow->last = true;
	if (flow->stream.in != HTTP_IN_BODY)
		http_stream_set_in(&flow->stream, HTTP_IN_BODY);
	http_stream_set_out(&flow->stream, HTTP_OUT_BODY);
}
