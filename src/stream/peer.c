/* A proxy, as the server sees it: from a stranger's first message to a peer
 * that is told of each change as fast as it takes them. Its buffers are the
 * link's; what it has not been told is the place of its cursor. */
#include <stdio.h>

#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "stream/server_priv.h"

static void on_message(
    struct stream_link *link, const struct stream_message *message);
static void on_room(struct stream_link *link);
static void on_end(struct stream_link *link, enum error error);

static void
on_up(struct stream_link *link)
{
	(void)link;
}

static const struct stream_link_handler handler = {
    .on_up = on_up,
    .on_message = on_message,
    .on_room = on_room,
    .on_end = on_end,
};

static struct stream_peer *
of_link(struct stream_link *link)
{
	return container_of(link, struct stream_peer, stream);
}

static void
on_deadline(struct net_timer *timer)
{
	struct stream_peer *peer =
	    container_of(timer, struct stream_peer, deadline);

	limit_hit(&peer->server->metrics, LIMIT_STREAM_HELLO_MS);
	stream_link_end(&peer->stream, ERROR_TIMEOUT);
}

/* Room for one more stranger: the oldest goes. */
static void
make_room(struct stream_server *server)
{
	if (server->stranger_count < LIMIT_VALUE_STREAM_STRANGERS)
		return;
	limit_hit(&server->metrics, LIMIT_STREAM_STRANGERS);
	metric_add(&server->metrics, METRIC_STREAM_REFUSED, 1);
	stream_peer_free(
	    container_of(server->strangers.next, struct stream_peer, link));
}

void
stream_peer_open(
    struct stream_server *server, int fd, const struct net_address *address)
{
	struct stream_peer *peer = memory_zero(1, sizeof(*peer));

	make_room(server);
	peer->server = server;
	peer->id = server->next_id++;
	peer->address = *address;
	map_init(&peer->said);
	list_init(&peer->link);
	list_init(&peer->of_audience);
	net_timer_init(&peer->deadline, on_deadline);
	if (stream_link_accept(&peer->stream, server->options.loop, fd,
	        server->options.plain ? NULL : &server->tls, &handler,
	        &server->metrics) != ERROR_OK) {
		memory_free(peer);
		return;
	}
	peer->stream.frame_bytes_max = LIMIT_VALUE_STREAM_HELLO_BYTES;
	list_insert(&server->strangers, &peer->link);
	server->stranger_count++;
	net_timer_set(
	    server->options.loop, &peer->deadline, LIMIT_VALUE_STREAM_HELLO_MS);
}

static void
free_said(struct stream_peer *peer)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&peer->said, &at, &name, &value);) {
		struct feed_reply *reply = value;
		feed_reply_free(&reply);
	}
	map_fini(&peer->said);
}

void
stream_peer_free(struct stream_peer *peer)
{
	if (peer->state <= STREAM_PEER_CLAIMING)
		peer->server->stranger_count--;
	else if (!list_is_empty(&peer->link))
		peer->server->peer_count--;
	list_remove(&peer->link);
	stream_cursor_close(&peer->cursor);
	if (peer->audience != NULL)
		stream_audience_leave(peer);
	net_timer_clear(&peer->deadline);
	stream_link_close(&peer->stream);
	stream_peer_forget_held(peer);
	free_said(peer);
	memory_free(peer->gateway);
	memory_free(peer);
}

static void
on_end(struct stream_link *link, enum error error)
{
	struct stream_peer *peer = of_link(link);

	if (peer->state > STREAM_PEER_CLAIMING)
		log_event(LOG_STREAM_PEER_GONE,
		    LOG_STRING("gateway", peer->gateway),
		    LOG_STRING("proxy", peer->name),
		    LOG_STRING("why", error_label(error)));
	else
		metric_add(&peer->server->metrics, METRIC_STREAM_REFUSED, 1);
	stream_peer_free(peer);
}

void
stream_peer_refuse(struct stream_peer *peer, enum error error, const char *why)
{
	struct stream_bye bye = {
	    .error = slice_from_string(error_label(error)),
	    .why = slice_from_string(why),
	};
	char address[NET_ADDRESS_TEXT];

	net_address_format(&peer->address, address);
	log_event(LOG_STREAM_PEER_REFUSED, LOG_STRING("address", address),
	    LOG_STRING("gateway", peer->gateway),
	    LOG_STRING("proxy", peer->name), LOG_STRING("why", why));
	stream_link_send(&peer->stream, STREAM_BYE, &bye);
	stream_link_finish(&peer->stream, error);
}

/* ---- hello ---- */

static void
keep_text(char out[STREAM_NAME_BYTES], struct slice text)
{
	snprintf(out, STREAM_NAME_BYTES, "%.*s", SLICE_ARGS(text));
	for (char *at = out; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

static bool
is_gateway(struct slice name)
{
	size_t slash = slice_find(name, '/');

	return slash > 0 && slash + 1 < name.length && name.length <= 512 &&
	    slice_find(name, '\0') == name.length;
}

static void
on_hello(struct stream_peer *peer, const struct stream_hello *hello)
{
	struct stream_claim claim = {
	    .peer = peer->id,
	    .token = hello->token,
	    .gateway = hello->gateway,
	    .name = hello->name,
	};

	keep_text(peer->name, hello->name);
	keep_text(peer->version, hello->version);
	if (hello->major != STREAM_MAJOR) {
		stream_peer_refuse(peer, ERROR_UNSUPPORTED,
		    "it speaks another protocol; use the same yumen");
		return;
	}
	if (!is_gateway(hello->gateway)) {
		stream_peer_refuse(peer, ERROR_INVALID, "it names no Gateway");
		return;
	}
	if (peer->server->peer_count >= LIMIT_VALUE_STREAM_PEERS) {
		limit_hit(&peer->server->metrics, LIMIT_STREAM_PEERS);
		stream_peer_refuse(
		    peer, ERROR_LIMIT, "there are too many proxies");
		return;
	}
	peer->gateway = memory_zero(1, hello->gateway.length + 1);
	memcpy(peer->gateway, hello->gateway.data, hello->gateway.length);
	peer->kinds = stream_kinds_parse(hello->kinds, hello->kinds_count);
	peer->holds_something = slice_is_set(hello->generation);
	if (peer->holds_something)
		peer->holds = stream_generation_parse(hello->generation);
	peer->held_count = hello->held > 0 ? (uint64_t)hello->held : 0;
	peer->state = STREAM_PEER_CLAIMING;
	peer->server->options.judge(peer->server->options.context, &claim);
}

void
stream_peer_begin(struct stream_peer *peer)
{
	struct stream_server *server = peer->server;
	struct stream_view *view =
	    stream_view_ref(server->views, slice_from_string(peer->gateway));
	struct stream_audience *audience = stream_audience_get(server, view);
	struct feed_generation generation =
	    stream_view_generation(view, peer->kinds);
	struct stream_welcome welcome = {
	    .major = STREAM_MAJOR,
	    .minor = STREAM_MINOR,
	    .version = SLICE(YUMEN_VERSION),
	    .same = peer->holds_something &&
	        feed_generation_equal(&generation, &peer->holds),
	};

	welcome.list = !welcome.same && peer->holds_something &&
	    peer->held_count > 0 && peer->held_count <= LIMIT_VALUE_STREAM_HELD;
	stream_cursor_open(&peer->cursor, view);
	stream_audience_join(audience, peer);
	/* The audience has its own. */
	stream_view_unref(&view);
	peer->from_serial = stream_views_serial(server->views);
	peer->stream.frame_bytes_max = LIMIT_VALUE_STREAM_FRAME_BYTES;
	peer->state = welcome.list ? STREAM_PEER_LISTING : STREAM_PEER_LIVE;
	if (welcome.same)
		stream_cursor_skip_all(&peer->cursor);
	log_event(LOG_STREAM_PEER_READY, LOG_STRING("gateway", peer->gateway),
	    LOG_STRING("proxy", peer->name),
	    LOG_STRING("version", peer->version));
	stream_link_send(&peer->stream, STREAM_WELCOME, &welcome);
	if (peer->state == STREAM_PEER_LIVE)
		stream_peer_pump(peer);
}

/* ---- what it is told ---- */

/* Of what was there when it came: it has it, or never had what is gone. */
static bool
is_known(const struct stream_peer *peer, const struct stream_change *change)
{
	if (change->serial > peer->from_serial)
		return false;
	return !slice_is_set(change->bytes) ||
	    stream_peer_has(peer, &change->digest);
}

static void
tell(struct stream_peer *peer, const struct stream_change *change)
{
	struct stream_put put = {.name = change->name, .bytes = change->bytes};
	struct stream_drop drop = {.name = change->name};

	if ((peer->kinds & 1u << change->kind) == 0 || is_known(peer, change))
		return;
	if (slice_is_set(change->bytes))
		stream_link_send(&peer->stream, STREAM_PUT, &put);
	else
		stream_link_send(&peer->stream, STREAM_DROP, &drop);
	peer->told_any = true;
}

void
stream_peer_lead(struct stream_peer *peer)
{
	struct stream_leader leader = {
	    .address = text_slice(&peer->server->leader_address),
	    .name = text_slice(&peer->server->leader_name),
	};

	stream_link_send(&peer->stream, STREAM_LEADER, &leader);
}

static void
commit(struct stream_peer *peer)
{
	bool first = !peer->committed;
	struct feed_generation generation =
	    stream_view_generation(peer->audience->view, peer->kinds);
	struct stream_commit commit = {
	    .generation = stream_generation_slice(&generation)};

	if (peer->committed && !peer->told_any)
		return;
	stream_peer_forget_held(peer);
	peer->committed = true;
	peer->told_any = false;
	peer->commits[peer->commit_count++ % STREAM_COMMITS] =
	    (struct stream_commit_note){generation, peer->server->number};
	stream_link_send(&peer->stream, STREAM_COMMIT, &commit);
	if (first && peer->server->leader_address.length > 0)
		stream_peer_lead(peer);
}

void
stream_peer_pump(struct stream_peer *peer)
{
	struct stream_change change;

	if (peer->state != STREAM_PEER_LIVE)
		return;
	while (!stream_link_is_full(&peer->stream)) {
		if (stream_cursor_next(&peer->cursor, &change)) {
			tell(peer, &change);
			continue;
		}
		/* In the midst of a batch nothing is whole. */
		if (peer->server->applied == 0 && !peer->server->parted)
			commit(peer);
		return;
	}
}

static void
on_room(struct stream_link *link)
{
	stream_peer_pump(of_link(link));
}

/* ---- what it says ---- */

static void
on_confirm(struct stream_peer *peer, const struct stream_confirm *confirm)
{
	struct feed_generation generation =
	    stream_generation_parse(confirm->generation);
	uint64_t from = peer->commit_count > STREAM_COMMITS
	    ? peer->commit_count - STREAM_COMMITS
	    : 0;

	for (uint64_t i = peer->commit_count; i > from; i--) {
		const struct stream_commit_note *note =
		    &peer->commits[(i - 1) % STREAM_COMMITS];

		if (!feed_generation_equal(&note->generation, &generation))
			continue;
		if (note->number > peer->confirmed)
			peer->confirmed = note->number;
		peer->ready = true;
		stream_audience_look(peer->audience);
		return;
	}
}

static void
on_held(struct stream_peer *peer, const struct stream_held *held)
{
	stream_peer_list(peer, held->digests);
	if (peer->state == STREAM_PEER_LIVE)
		stream_peer_pump(peer);
}

static void
on_live(struct stream_peer *peer, const struct stream_message *message)
{
	switch (message->kind) {
	case STREAM_CONFIRM:
		on_confirm(peer, message->confirm);
		return;
	case STREAM_REFUSE:
		stream_audience_refuse(peer, message->refuse);
		return;
	case STREAM_REPORT:
		stream_audience_report(peer, message->report);
		return;
	default:
		stream_link_end(&peer->stream, ERROR_INVALID);
	}
}

static void
on_message(struct stream_link *link, const struct stream_message *message)
{
	struct stream_peer *peer = of_link(link);

	if (message->kind == STREAM_BYE) {
		stream_link_end(link, ERROR_CLOSED);
		return;
	}
	if (peer->state == STREAM_PEER_STRANGER &&
	    message->kind == STREAM_HELLO)
		on_hello(peer, message->hello);
	else if (peer->state == STREAM_PEER_LISTING &&
	    message->kind == STREAM_HELD)
		on_held(peer, message->held);
	else if (peer->audience != NULL)
		on_live(peer, message);
	else
		stream_link_end(link, ERROR_INVALID);
}
