/* The server: doors, and offers that become changes of the views. It owns the
 * peers, the views and the listening sockets. */
#include "stream/server_priv.h"

#include <unistd.h>

#include "core/clock.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"

/* As the agent's: a turn of the loop stays short. */
#define APPLY_SLICE_NS 2000000
#define APPLY_LOOK_AT_CLOCK 16
#define BACKLOG 256

/* Every name gets the one certificate: whether it is the right one is the
 * proxy's to judge. */
static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	struct stream_server *server = context;

	(void)server_name;
	if (server->identity == NULL)
		return ERROR_TLS_NO_CERTIFICATE;
	choice->identities = &server->identity;
	choice->identity_count = 1;
	return ERROR_OK;
}

static enum error
open_tls(struct stream_server *server)
{
	static const struct net_tls_settings settings = {
	    .version_min = NET_TLS_1_3,
	    .version_max = NET_TLS_1_3,
	    .wipes = true, /* tokens */
	};
	const char *wrong;

	server->tls = (struct net_tls_server){
	    .choose = choose,
	    .context = server,
	};
	enum error error = net_tls_profile_new(
	    &settings, &server->metrics, &server->profile, &wrong);

	server->tls.profile = server->profile;
	return error;
}

enum error
stream_server_new(
    const struct stream_server_options *options, struct stream_server **server)
{
	must(options->loop != NULL && options->feed != NULL &&
	    options->judge != NULL);
	struct stream_server *made = memory_zero(1, sizeof(*made));

	made->options = *options;
	metrics_init(&made->metrics);
	made->views = stream_views_new();
	made->next_id = 1;
	list_init(&made->peers);
	list_init(&made->strangers);
	list_init(&made->offers);
	text_init(&made->leader_name);
	text_init(&made->leader_address);
	enum error error = open_tls(made);

	if (error != ERROR_OK)
		stream_server_free(&made);
	*server = made;
	return error;
}

static void
free_peers(struct list *peers)
{
	LIST_FOR_EACH_SAFE(at, peers)
	stream_peer_free(container_of(at, struct stream_peer, link));
}

static void
free_audiences(struct stream_server *server)
{
	struct stream_view *view = NULL, *next;

	for (view = stream_views_each(server->views, NULL); view != NULL;
	     view = next) {
		next = stream_views_each(server->views, view);
		if (*stream_view_mark(view) != NULL)
			stream_audience_free(*stream_view_mark(view));
	}
}

void
stream_server_free(struct stream_server **server)
{
	struct stream_server *old = *server;

	*server = NULL;
	if (old == NULL)
		return;
	for (unsigned i = 0; i < old->door_count; i++) {
		net_acceptor_close(&old->doors[i].acceptor);
		close(old->doors[i].fd);
	}
	free_peers(&old->peers);
	free_peers(&old->strangers);
	free_audiences(old);
	LIST_FOR_EACH_SAFE(at, &old->offers)
	{
		struct feed_batch *batch =
		    container_of(at, struct feed_batch, link);

		list_remove(at);
		feed_batch_free(&batch);
	}
	stream_views_free(&old->views);
	if (old->identity != NULL)
		net_tls_identity_free(old->identity);
	if (old->profile != NULL) {
		net_tls_profile_cut(old->profile);
		net_tls_profile_unref(old->profile);
	}
	text_fini(&old->leader_name);
	text_fini(&old->leader_address);
	metrics_fini(&old->metrics);
	memory_free(old);
}

void
stream_server_show(
    struct stream_server *server, struct net_tls_identity *identity)
{
	if (server->identity != NULL)
		net_tls_identity_free(server->identity);
	server->identity = identity;
}

void
stream_server_lead(
    struct stream_server *server, struct slice name, struct slice address)
{
	must(server != NULL);
	if (slice_equal(text_slice(&server->leader_name), name) &&
	    slice_equal(text_slice(&server->leader_address), address))
		return;
	text_reset(&server->leader_name);
	text_push(&server->leader_name, name);
	text_reset(&server->leader_address);
	text_push(&server->leader_address, address);
	LIST_FOR_EACH(at, &server->peers)
	{
		struct stream_peer *peer =
		    container_of(at, struct stream_peer, link);

		if (peer->committed)
			stream_peer_lead(peer);
	}
}

static void
on_accept(struct net_acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct stream_door *door =
	    container_of(acceptor, struct stream_door, acceptor);

	stream_peer_open(door->server, fd, peer);
}

void
stream_server_accept(
    struct stream_server *server, int fd, const struct net_address *address)
{
	stream_peer_open(server, fd, address);
}

enum error
stream_server_listen(struct stream_server *server, struct net_address *address)
{
	if (server->door_count == STREAM_DOORS)
		return ERROR_LIMIT;
	struct stream_door *door = &server->doors[server->door_count];
	enum error error = net_listen_settle(address);

	if (error == ERROR_OK)
		error = net_listen_tcp(address, BACKLOG, &door->fd);
	if (error != ERROR_OK)
		return error;
	door->server = server;
	error = net_acceptor_open(
	    &door->acceptor, server->options.loop, door->fd, on_accept);
	if (error == ERROR_OK)
		error = net_address_local(door->fd, address);
	if (error != ERROR_OK) {
		close(door->fd);
		return error;
	}
	door->acceptor.metrics = NULL;
	server->door_count++;
	return ERROR_OK;
}

/* ---- offers ---- */

static void
apply(struct stream_server *server, const struct feed_change *change)
{
	if (!slice_is_set(change->bytes)) {
		stream_views_drop(server->views, change->name);
		return;
	}
	enum error error =
	    stream_views_put(server->views, change->name, change->bytes);

	if (error == ERROR_OK)
		return;
	log_event(LOG_STREAM_UNIT_REFUSED, LOG_TEXT("unit", change->name),
	    LOG_STRING("error", error_label(error)));
	struct feed_reply *reply = feed_reply_new(
	    FEED_REFUSE, change->name, slice_from_string(error_text(error)));

	reply->error = error;
	feed_answer(server->options.feed, &reply);
}

/* ctl hears whom to wait for, and the peers what the batch has changed. */
static void
publish(struct stream_server *server)
{
	struct stream_view *view;
	struct feed_reply *reply;

	server->number++;
	while ((view = stream_views_take_changed(server->views)) != NULL)
		stream_audience_note(stream_audience_get(server, view));
	reply = feed_reply_new(FEED_CONFIRM, SLICE(""), SLICE(""));
	reply->generation = server->generation;
	feed_answer(server->options.feed, &reply);
	/* Also those whose view has not changed: a commit may wait for the
	 * batch's end. */
	LIST_FOR_EACH(at, &server->peers)
	stream_peer_pump(container_of(at, struct stream_peer, link));
}

static void
begin_waiting(struct stream_server *server)
{
	LIST_FOR_EACH_SAFE(at, &server->peers)
	{
		struct stream_peer *peer =
		    container_of(at, struct stream_peer, link);

		if (peer->state == STREAM_PEER_WAITING)
			stream_peer_begin(peer);
	}
}

static bool
apply_slice(struct stream_server *server, struct feed_batch *batch)
{
	uint64_t start = clock_monotonic_ns();

	while (server->applied < batch->count) {
		apply(server, &batch->changes[server->applied++]);
		if (server->applied % APPLY_LOOK_AT_CLOCK == 0 &&
		    clock_monotonic_ns() - start > APPLY_SLICE_NS)
			return false;
	}
	return true;
}

/* All of the batch is applied. */
static void
finish(struct stream_server *server, const struct feed_batch *batch)
{
	server->applied = 0;
	server->parted = batch->part;
	if (batch->part)
		return;
	/* ctl's first: before it there is nothing. */
	must(!batch->whole || !server->whole);
	server->whole = server->whole || batch->whole;
	server->generation = batch->generation;
	publish(server);
	begin_waiting(server);
}

void
stream_server_wake(struct stream_server *server)
{
	struct feed_batch *batch;

	while ((batch = feed_take_offer(server->options.feed)) != NULL)
		list_insert(&server->offers, &batch->link);
	while (!list_is_empty(&server->offers)) {
		batch =
		    container_of(server->offers.next, struct feed_batch, link);
		if (!apply_slice(server, batch)) {
			net_loop_wake(server->options.loop);
			return;
		}
		finish(server, batch);
		list_remove(&batch->link);
		feed_batch_free(&batch);
	}
}

void
stream_server_judged(struct stream_server *server, uint64_t id,
    struct slice gateway, const char *why)
{
	struct stream_peer *peer = NULL;

	LIST_FOR_EACH(at, &server->strangers)
	{
		struct stream_peer *one =
		    container_of(at, struct stream_peer, link);

		if (one->id == id && one->state == STREAM_PEER_CLAIMING)
			peer = one;
	}
	if (peer == NULL)
		return;
	if (!slice_is_set(gateway)) {
		stream_peer_refuse(peer, ERROR_DENIED, why);
		return;
	}
	if (!slice_equal(gateway, slice_from_string(peer->gateway))) {
		stream_peer_refuse(peer, ERROR_DENIED,
		    slice_equal(gateway, STREAM_ANNOUNCERS)
		        ? "the token is for announcers"
		        : "the token is for the proxies of another Gateway");
		return;
	}
	net_timer_clear(&peer->deadline);
	list_remove(&peer->link);
	list_insert(&server->peers, &peer->link);
	server->stranger_count--;
	server->peer_count++;
	peer->state = STREAM_PEER_WAITING;
	if (server->whole)
		stream_peer_begin(peer);
}

bool
stream_server_is_ready(const struct stream_server *server)
{
	return server->whole;
}

void
stream_server_each(struct stream_server *server,
    void (*fn)(void *context, const struct stream_peer_facts *facts),
    void *context)
{
	LIST_FOR_EACH(at, &server->peers)
	{
		const struct stream_peer *peer =
		    container_of(at, struct stream_peer, link);
		char address[NET_ADDRESS_TEXT];
		unsigned length = net_address_format(&peer->address, address);
		struct stream_peer_facts facts = {
		    .gateway = slice_from_string(peer->gateway),
		    .name = slice_from_string(peer->name),
		    .version = slice_from_string(peer->version),
		    .address = slice_make(address, length),
		    .ready = peer->ready,
		    .current = peer->audience != NULL && peer->ready &&
		        peer->confirmed >= peer->audience->changed,
		};

		if (peer->commit_count > 0)
			facts.generation =
			    peer->commits[(peer->commit_count - 1) %
			            STREAM_COMMITS]
			        .generation;
		fn(context, &facts);
	}
}
