/* The stream that TLS is: readiness, the hand-shake's time, what could not be
 * sent yet, closing. It owns struct net_tls; what is said in TLS is the
 * engine's business. */
#include "net/tls_priv.h"

#include "core/memory.h"
#include "core/must.h"

enum { RECORD_BYTES = 16384 };

static const struct net_stream_ops tls_ops;
static void under_on_ready(struct net_watch *, unsigned);
static void on_handshake_time(struct net_timer *);
static void on_closing_time(struct net_timer *);

static struct net_tls_shared *
shared_of(const struct net_tls *tls)
{
	return net_tls_profile_shared(tls->profile);
}

static struct net_tls_wait *
wait_new(
    struct net_tls *tls, uint64_t ms, void (*on_expire)(struct net_timer *))
{
	struct net_tls_wait *wait = memory_zero(1, sizeof(*wait));

	wait->tls = tls;
	list_init(&wait->link);
	net_timer_init(&wait->timer, on_expire);
	net_timer_set(tls->under.loop, &wait->timer, ms);
	tls->wait = wait;
	return wait;
}

static void
wait_free(struct net_tls *tls)
{
	if (!tls->wait)
		return;
	net_timer_clear(&tls->wait->timer);
	list_remove(&tls->wait->link);
	if (tls->wait->chosen)
		net_tls_profile_unref(tls->wait->chosen);
	memory_free(tls->wait);
	tls->wait = NULL;
}

static void
pending_free(struct net_tls *tls)
{
	if (!tls->pending)
		return;
	text_fini(tls->pending);
	memory_free(tls->pending);
	tls->pending = NULL;
}

static void
tls_free(struct net_tls *tls, bool orderly)
{
	if (orderly)
		net_stream_close(&tls->under);
	else
		net_stream_reset(&tls->under);
	wait_free(tls);
	pending_free(tls);
	net_tls_engine_free(tls);
	net_tls_profile_unref(tls->profile);
	memory_free(tls);
}

/* Whoever cut it, close_notify was not said: it never looks orderly. */
static void
fail(struct net_tls *tls, enum error error)
{
	if (tls->error == ERROR_OK)
		tls->error =
		    (uint8_t)(error == ERROR_CLOSED ? ERROR_RESET : error);
}

enum error
net_tls_under_read(
    struct net_tls *tls, char *buffer, size_t size, size_t *length)
{
	*length = 0;
	if (tls->error != ERROR_OK)
		return tls->error;
	if (!tls->under.readable)
		return ERROR_AGAIN;
	if (tls->silent_bytes > LIMIT_VALUE_TLS_SILENT_BYTES) {
		limit_hit(shared_of(tls)->metrics, LIMIT_TLS_SILENT_BYTES);
		fail(tls, ERROR_LIMIT);
		return ERROR_LIMIT;
	}
	enum error error = net_stream_read(&tls->under, buffer, size, length);
	if (error == ERROR_OK)
		tls->silent_bytes += (uint32_t)*length;
	else if (error != ERROR_AGAIN)
		fail(tls, error);
	return error;
}

/* Give the socket what it takes; false when it fails. */
static bool
give(struct net_tls *tls, struct slice *data)
{
	while (data->length > 0 && tls->under.writable) {
		struct iovec part = {
		    .iov_base = (char *)(uintptr_t)data->data,
		    .iov_len = data->length,
		};
		size_t length;
		enum error error =
		    net_stream_write(&tls->under, &part, 1, &length);

		if (error == ERROR_AGAIN)
			break;
		if (error != ERROR_OK) {
			fail(tls, error);
			return false;
		}
		*data = slice_skip(*data, length);
	}
	return true;
}

static enum error
add_pending(struct net_tls *tls, struct slice data)
{
	if (!tls->pending) {
		tls->pending = memory_zero(1, sizeof(*tls->pending));
		text_init(tls->pending);
	}
	if (tls->pending->length + data.length >
	    LIMIT_VALUE_TLS_PENDING_BYTES) {
		limit_hit(shared_of(tls)->metrics, LIMIT_TLS_PENDING_BYTES);
		fail(tls, ERROR_LIMIT);
		return ERROR_LIMIT;
	}
	text_push(tls->pending, data);
	return ERROR_OK;
}

/* close_notify is with the socket. */
static enum error
end_under(struct net_tls *tls)
{
	enum error error = net_stream_shutdown(&tls->under);

	if (error != ERROR_OK)
		fail(tls, error);
	return tls->error;
}

/* Send what waits; false when it fails. */
static bool
flush(struct net_tls *tls)
{
	if (!tls->pending || tls->is_kept || !tls->under.writable)
		return true;
	struct slice rest = text_slice(tls->pending);

	if (!give(tls, &rest))
		return false;
	if (rest.length == 0) {
		pending_free(tls);
		return !tls->is_shut || end_under(tls) == ERROR_OK;
	}
	memmove(tls->pending->data, rest.data, rest.length);
	tls->pending->length = rest.length;
	return true;
}

enum error
net_tls_under_write(struct net_tls *tls, struct slice data)
{
	bool is_kept = tls->is_kept;

	if (!tls->pending && !give(tls, &data))
		return tls->error;
	if (data.length == 0)
		return ERROR_OK;
	tls->is_kept = false;
	enum error error = add_pending(tls, data);
	if (error == ERROR_OK && is_kept && !flush(tls))
		return tls->error;
	return error;
}

enum error
net_tls_under_keep(struct net_tls *tls, struct slice data)
{
	if (tls->pending && !tls->is_kept)
		return net_tls_under_write(tls, data);
	tls->is_kept = true;
	return add_pending(tls, data);
}

/* Tell the owner, who may close the stream: nothing may follow. */
static void
tell(struct net_tls *tls, unsigned events)
{
	tls->stream->watch.on_ready(&tls->stream->watch, events);
}

static void
handshake_failed(struct net_tls *tls, enum error error)
{
	struct metrics *metrics = shared_of(tls)->metrics;

	fail(tls, error);
	net_tls_count_failure(metrics, tls->is_client, tls->error);
	wait_free(tls);
	tell(tls, NET_READABLE | NET_WRITABLE | NET_PEER_CLOSED | NET_FAILED);
}

static void
handshake_done(struct net_tls *tls)
{
	struct metrics *metrics = shared_of(tls)->metrics;
	unsigned events = NET_WRITABLE;

	net_tls_count_success(
	    metrics, tls->is_client, net_tls_engine_is_resumed(tls));
	wait_free(tls);
	if (tls->under.readable || net_tls_engine_holds_input(tls))
		events |= NET_READABLE;
	if (tls->under.peer_closed)
		events |= NET_PEER_CLOSED;
	tell(tls, events);
}

static void
shake(struct net_tls *tls)
{
	enum error error = net_stream_connected(&tls->under);

	if (error == ERROR_AGAIN)
		return;
	if (error == ERROR_OK && !flush(tls))
		error = tls->error;
	/* Who says nothing costs nothing yet. */
	if (error == ERROR_OK && !tls->ssl) {
		if (!tls->is_client && !tls->under.readable)
			return;
		net_tls_engine_open(tls);
	}
	if (error == ERROR_OK)
		error = net_tls_engine_handshake(tls);
	if (error == ERROR_OK)
		handshake_done(tls);
	else if (error != ERROR_AGAIN)
		handshake_failed(tls, error);
}

static void
on_handshake_time(struct net_timer *timer)
{
	struct net_tls_wait *wait =
	    container_of(timer, struct net_tls_wait, timer);

	limit_hit(shared_of(wait->tls)->metrics, LIMIT_TLS_HANDSHAKE_MS);
	handshake_failed(wait->tls, ERROR_TIMEOUT);
}

static void
on_closing_time(struct net_timer *timer)
{
	struct net_tls_wait *wait =
	    container_of(timer, struct net_tls_wait, timer);

	tls_free(wait->tls, false);
}

void
net_tls_profile_cut(struct net_tls_profile *profile)
{
	LIST_FOR_EACH_SAFE(at, &net_tls_profile_shared(profile)->closing)
	{
		tls_free(
		    container_of(at, struct net_tls_wait, link)->tls, false);
	}
}

static void
under_on_ready(struct net_watch *watch, unsigned events)
{
	struct net_tls *tls = container_of(watch, struct net_tls, under.watch);

	net_stream_note(&tls->under, events);
	if (!tls->stream) {
		if (!flush(tls) || !tls->pending)
			tls_free(tls, tls->error == ERROR_OK);
		return;
	}
	if (tls->wait) {
		shake(tls);
		return;
	}
	if (!flush(tls)) {
		/* A read and a write would both tell why. */
		pending_free(tls);
		events |= NET_READABLE | NET_WRITABLE | NET_FAILED;
	}
	if (tls->is_held_up && events & NET_READABLE) {
		tls->is_held_up = false;
		events |= NET_WRITABLE;
	}
	if (tls->pending && !tls->is_kept)
		events &= ~(unsigned)NET_WRITABLE;
	if (events)
		tell(tls, events);
}

static enum error
tls_read(struct net_stream *stream, void *buffer, size_t size, size_t *length)
{
	struct net_tls *tls = stream->tls;

	if (tls->wait)
		return ERROR_AGAIN;
	enum error error = net_tls_engine_read(tls, buffer, size, length);
	if (*length == 0)
		return error;
	/* What ends it is told when this was taken. */
	if (error != ERROR_OK && error != ERROR_AGAIN)
		stream->peer_closed = true;
	return ERROR_OK;
}

/* What is left of the parts, at most a record of it: as it lies where that is
 * one run, else put together. */
static struct slice
gather(struct net_tls *tls, const struct iovec *parts, unsigned count,
    size_t skipped)
{
	char *scratch = shared_of(tls)->scratch;
	size_t length = 0;

	for (unsigned i = 0; i < count && length < RECORD_BYTES; i++) {
		struct slice part =
		    slice_make(parts[i].iov_base, parts[i].iov_len);

		if (skipped >= part.length) {
			skipped -= part.length;
			continue;
		}
		part = slice_skip(part, skipped);
		skipped = 0;
		if (part.length > RECORD_BYTES - length)
			part.length = RECORD_BYTES - length;
		if (length == 0 &&
		    (i + 1 == count || part.length == RECORD_BYTES))
			return part;
		memcpy(scratch + length, part.data, part.length);
		length += part.length;
	}
	return slice_make(scratch, length);
}

/* What was encrypted counts as written: it waits here if it must, and while it
 * does nothing more is taken. */
static enum error
tls_write(struct net_stream *stream, const struct iovec *parts, unsigned count,
    size_t *length)
{
	struct net_tls *tls = stream->tls;

	must(!tls->is_shut);
	if (tls->wait)
		return ERROR_AGAIN;
	if (!flush(tls))
		return tls->error;
	while ((!tls->pending || tls->is_kept) && !tls->is_held_up) {
		struct slice data = gather(tls, parts, count, *length);
		size_t written;
		if (data.length == 0)
			break;
		enum error error = net_tls_engine_write(tls, data, &written);
		*length += written;
		if (error == ERROR_AGAIN)
			tls->is_held_up = true;
		else if (error != ERROR_OK)
			return *length > 0 ? ERROR_OK : error;
	}
	return *length > 0 ? ERROR_OK : ERROR_AGAIN;
}

static enum error
tls_shutdown(struct net_stream *stream)
{
	struct net_tls *tls = stream->tls;

	if (tls->error != ERROR_OK)
		return tls->error;
	if (tls->wait)
		return ERROR_CANCELLED;
	net_tls_engine_close_notify(tls);
	tls->is_shut = true;
	if (tls->error != ERROR_OK || tls->pending)
		return tls->error;
	return end_under(tls);
}

/* What was written and not sent is sent all the same, for a while. */
static void
tls_close(struct net_stream *stream, bool orderly)
{
	struct net_tls *tls = stream->tls;
	bool is_open = tls->error == ERROR_OK && !tls->wait;

	tls->stream = NULL;
	tls->session = NULL; /* the owner's, who may go */
	stream->tls = NULL;
	if (orderly && is_open && !tls->is_shut) {
		net_tls_engine_close_notify(tls);
		tls->is_shut = true;
	}
	if (!orderly || !is_open || !tls->pending || tls->error != ERROR_OK) {
		tls_free(tls, orderly);
		return;
	}
	struct net_tls_wait *wait =
	    wait_new(tls, LIMIT_VALUE_CLOSE_LINGER_MS, on_closing_time);
	list_insert(&shared_of(tls)->closing, &wait->link);
}

static enum error
tls_connected(struct net_stream *stream)
{
	return stream->tls->error;
}

static bool
tls_peek(struct net_stream *stream)
{
	return net_tls_engine_peek(stream->tls);
}

static const struct net_stream_ops tls_ops = {
    .read = tls_read,
    .write = tls_write,
    .shutdown = tls_shutdown,
    .close = tls_close,
    .connected = tls_connected,
    .peek = tls_peek,
};

static struct net_tls *
tls_new(struct net_tls_profile *profile)
{
	struct net_tls *tls = memory_zero(1, sizeof(*tls));

	tls->profile = net_tls_profile_ref(profile);
	return tls;
}

/* The stream below is open, or not. */
static enum error
begin(struct net_tls *tls, struct net_stream *stream, struct net_loop *loop,
    void (*on_ready)(struct net_watch *, unsigned), enum error error)
{
	*stream = (struct net_stream){
	    .watch = {.on_ready = on_ready, .fd = -1},
	    .loop = loop,
	};
	if (error != ERROR_OK) {
		net_tls_profile_unref(tls->profile);
		memory_free(tls);
		return error;
	}
	stream->ops = &tls_ops;
	stream->tls = tls;
	tls->stream = stream;
	wait_new(tls, LIMIT_VALUE_TLS_HANDSHAKE_MS, on_handshake_time);
	return ERROR_OK;
}

enum error
net_tls_accept(struct net_stream *stream, struct net_loop *loop, int fd,
    void (*on_ready)(struct net_watch *, unsigned),
    const struct net_tls_server *server)
{
	must(server->profile && server->choose);
	struct net_tls *tls = tls_new(server->profile);
	enum error error =
	    net_stream_open_fd(&tls->under, loop, fd, under_on_ready);

	error = begin(tls, stream, loop, on_ready, error);
	if (error != ERROR_OK)
		return error;
	tls->wait->server = server;
	return ERROR_OK;
}

enum error
net_tls_connect(struct net_stream *stream, struct net_loop *loop,
    const struct net_address *address,
    void (*on_ready)(struct net_watch *, unsigned),
    const struct net_tls_client *client)
{
	must(client->profile && client->trust && client->name_count > 0);
	struct net_tls *tls = tls_new(client->profile);
	enum error error =
	    net_stream_connect(&tls->under, loop, address, under_on_ready);

	error = begin(tls, stream, loop, on_ready, error);
	if (error != ERROR_OK)
		return error;
	stream->connecting = true;
	tls->is_client = true;
	tls->session = client->session;
	tls->wait->client = client;
	return ERROR_OK;
}

bool
net_tls_is_shaking(const struct net_stream *stream)
{
	return stream->tls->wait && !stream->tls->under.connecting;
}
