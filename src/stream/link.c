/* Bytes to messages and back on one connection. It owns the connection and its
 * two buffers, which are bounded: what comes in by the longest frame, what goes
 * out by its owner, who asks whether it is full. */
#include "stream/link.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"

#define READ_BYTES 65536
#define ARENA_BYTES 4096
#define TICK_MS (LIMIT_VALUE_STREAM_PING_MS / 2)

static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct net_stream *stream =
	    container_of(watch, struct net_stream, watch);
	struct stream_link *link =
	    container_of(stream, struct stream_link, stream);

	net_stream_note(stream, events);
	net_loop_defer(link->loop, &link->work);
}

static void
on_over(struct net_task *task)
{
	struct stream_link *link = container_of(task, struct stream_link, over);
	const struct stream_link_handler *handler = link->handler;
	enum error error = link->error;

	stream_link_close(link);
	handler->on_end(link, error);
}

void
stream_link_end(struct stream_link *link, enum error error)
{
	if (!link->open || link->ending)
		return;
	link->ending = true;
	link->error = error;
	net_loop_defer(link->loop, &link->over);
}

void
stream_link_finish(struct stream_link *link, enum error error)
{
	if (!link->open || link->ending)
		return;
	link->finishing = true;
	link->error = error;
	net_loop_defer(link->loop, &link->work);
}

/* So many bytes off the front; there may have been keys among them. */
static void
cut(struct text *text, size_t length)
{
	size_t rest = text->length - length;

	if (length == 0)
		return;
	memmove(text->data, text->data + length, rest);
	memory_wipe(text->data + rest, length);
	text->length = rest;
}

static void
flush(struct stream_link *link)
{
	while (link->stream.writable && link->sent < link->out.length) {
		struct iovec part = {.iov_base = link->out.data + link->sent,
		    .iov_len = link->out.length - link->sent};
		size_t length;
		enum error error =
		    net_stream_write(&link->stream, &part, 1, &length);

		if (error == ERROR_AGAIN)
			return;
		if (error != ERROR_OK) {
			stream_link_end(link, error);
			return;
		}
		link->sent += length;
		link->moved_ms = net_loop_now_ms(link->loop);
		metric_add(link->metrics, METRIC_STREAM_SENT_BYTES, length);
	}
	if (link->sent < link->out.length)
		return;
	bool has_sent = link->sent > 0;

	link->sent = 0;
	cut(&link->out, link->out.length);
	if (link->finishing)
		stream_link_end(link, link->error);
	else if (has_sent)
		link->handler->on_room(link);
}

/* All messages that are whole; what is left goes to the front. */
static void
take_messages(struct stream_link *link)
{
	size_t at = 0, used;

	while (!link->ending && !link->finishing) {
		struct stream_message message;
		enum error error =
		    stream_message_take(slice_skip(text_slice(&link->in), at),
		        link->frame_bytes_max, &link->arena, &message, &used);

		if (error == ERROR_AGAIN)
			break;
		if (error != ERROR_OK) {
			stream_link_end(link, error);
			break;
		}
		at += used;
		if (message.kind != STREAM_UNKNOWN &&
		    message.kind != STREAM_PING)
			link->handler->on_message(link, &message);
		arena_reset(&link->arena);
	}
	arena_reset(&link->arena);
	cut(&link->in, at);
}

static void
read_in(struct stream_link *link)
{
	size_t left = LIMIT_VALUE_STREAM_BYTES_PER_TURN;

	while (link->stream.readable && !link->ending && !link->finishing) {
		size_t length;
		char *buffer = text_reserve(&link->in, READ_BYTES);
		enum error error =
		    net_stream_read(&link->stream, buffer, READ_BYTES, &length);

		if (error == ERROR_AGAIN)
			return;
		if (error != ERROR_OK) {
			stream_link_end(link, error);
			return;
		}
		link->up = true;
		text_advance(&link->in, length);
		link->heard_ms = net_loop_now_ms(link->loop);
		metric_add(link->metrics, METRIC_STREAM_RECEIVED_BYTES, length);
		take_messages(link);
		if (length >= left) {
			net_loop_yield(link->loop, &link->work);
			return;
		}
		left -= length;
	}
}

static bool
is_connected(struct stream_link *link)
{
	if (link->up)
		return true;
	enum error error = net_stream_connected(&link->stream);

	if (error == ERROR_AGAIN)
		return false;
	if (error != ERROR_OK) {
		stream_link_end(link, error);
		return false;
	}
	link->up = true;
	link->heard_ms = link->moved_ms = net_loop_now_ms(link->loop);
	link->handler->on_up(link);
	return true;
}

static void
on_work(struct net_task *task)
{
	struct stream_link *link = container_of(task, struct stream_link, work);

	if (link->ending || !is_connected(link))
		return;
	flush(link);
	read_in(link);
	/* What the messages have called forth. */
	if (!link->ending)
		flush(link);
}

static void
on_tick(struct net_timer *timer)
{
	struct stream_link *link =
	    container_of(timer, struct stream_link, tick);
	uint64_t now_ms = net_loop_now_ms(link->loop);
	struct stream_ping ping = {0};

	if (link->stream.connecting &&
	    now_ms - link->heard_ms > LIMIT_VALUE_CONNECT_MS) {
		stream_link_end(link, ERROR_TIMEOUT);
		return;
	}
	if (now_ms - link->heard_ms > LIMIT_VALUE_STREAM_SILENT_MS) {
		limit_hit(link->metrics, LIMIT_STREAM_SILENT_MS);
		stream_link_end(link, ERROR_TIMEOUT);
		return;
	}
	if (link->sent < link->out.length) {
		if (now_ms - link->moved_ms > LIMIT_VALUE_STREAM_SILENT_MS) {
			limit_hit(link->metrics, LIMIT_STREAM_SILENT_MS);
			stream_link_end(link, ERROR_TIMEOUT);
			return;
		}
	} else if (link->up &&
	    now_ms - link->told_ms >= LIMIT_VALUE_STREAM_PING_MS) {
		stream_link_send(link, STREAM_PING, &ping);
	}
	net_timer_set(link->loop, &link->tick, TICK_MS);
}

static void
prepare(struct stream_link *link, struct net_loop *loop,
    const struct stream_link_handler *handler, struct metrics *metrics)
{
	must(handler != NULL && metrics != NULL);
	*link = (struct stream_link){
	    .loop = loop,
	    .handler = handler,
	    .metrics = metrics,
	    .frame_bytes_max = LIMIT_VALUE_STREAM_FRAME_BYTES,
	    .heard_ms = net_loop_now_ms(loop),
	    .moved_ms = net_loop_now_ms(loop),
	    .told_ms = net_loop_now_ms(loop),
	};
	net_task_init(&link->work, on_work);
	net_task_init(&link->over, on_over);
	net_timer_init(&link->tick, on_tick);
	arena_init(&link->arena, ARENA_BYTES);
	text_init(&link->in);
	text_init(&link->out);
}

static enum error
opened(struct stream_link *link, enum error error)
{
	if (error != ERROR_OK) {
		arena_fini(&link->arena);
		return error;
	}
	link->open = true;
	metric_add(link->metrics, METRIC_STREAM_PEERS, 1);
	net_timer_set(link->loop, &link->tick, TICK_MS);
	return ERROR_OK;
}

enum error
stream_link_accept(struct stream_link *link, struct net_loop *loop, int fd,
    const struct net_tls_server *tls, const struct stream_link_handler *handler,
    struct metrics *metrics)
{
	prepare(link, loop, handler, metrics);
	if (tls != NULL)
		return opened(link,
		    net_tls_accept(&link->stream, loop, fd, on_ready, tls));
	return opened(
	    link, net_stream_open_fd(&link->stream, loop, fd, on_ready));
}

enum error
stream_link_connect(struct stream_link *link, struct net_loop *loop,
    const struct net_address *address, const struct net_tls_client *tls,
    const struct stream_link_handler *handler, struct metrics *metrics)
{
	prepare(link, loop, handler, metrics);
	if (tls != NULL)
		return opened(link,
		    net_tls_connect(
		        &link->stream, loop, address, on_ready, tls));
	return opened(
	    link, net_stream_connect(&link->stream, loop, address, on_ready));
}

void
stream_link_send(
    struct stream_link *link, enum stream_kind kind, const void *record)
{
	if (!link->open || link->ending || link->finishing)
		return;
	if (link->sent >= READ_BYTES) {
		cut(&link->out, link->sent);
		link->sent = 0;
	}
	stream_message_push(&link->out, kind, record);
	link->told_ms = net_loop_now_ms(link->loop);
	if (link->up)
		net_loop_defer(link->loop, &link->work);
}

bool
stream_link_is_full(const struct stream_link *link)
{
	return link->out.length - link->sent >= LIMIT_VALUE_STREAM_OUT_BYTES;
}

void
stream_link_close(struct stream_link *link)
{
	if (!link->open)
		return;
	link->open = false;
	link->ending = true;
	net_stream_close(&link->stream);
	net_task_cancel(link->loop, &link->work);
	net_task_cancel(link->loop, &link->over);
	net_timer_clear(&link->tick);
	metric_subtract(link->metrics, METRIC_STREAM_PEERS, 1);
	text_wipe(&link->in);
	text_wipe(&link->out);
	arena_fini(&link->arena);
}
