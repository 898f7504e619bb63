/* The proxies of one Gateway: whether all that are ready serve its newest
 * units, whom ctl must wait for, and what they say of units, as if they were
 * one agent. */
#include <stdio.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "stream/server_priv.h"

/* ctl shows what is pending after CONFIRM_MS: it must have heard by then. */
#define LATE_MS (LIMIT_VALUE_CONFIRM_MS * 3 / 4)
#define NAMED_MAX 5

static void
answer(struct stream_audience *audience, enum feed_reply_kind kind,
    struct slice why)
{
	struct feed_reply *reply =
	    feed_reply_new(kind, stream_view_name(audience->view), why);

	reply->generation = audience->server->generation;
	feed_answer(audience->server->options.feed, &reply);
}

static bool
is_current(
    const struct stream_audience *audience, const struct stream_peer *peer)
{
	return peer->confirmed >= audience->changed;
}

/* Whom to wait for, for people. A proxy that has never been ready is counted
 * only where there is no other. */
static void
write_laggards(const struct stream_audience *audience, struct text *out)
{
	unsigned named = 0, more = 0;
	bool any_ready = false;

	LIST_FOR_EACH(at, &audience->peers)
	any_ready = any_ready ||
	    container_of(at, struct stream_peer, of_audience)->ready;
	LIST_FOR_EACH(at, &audience->peers)
	{
		const struct stream_peer *peer =
		    container_of(at, struct stream_peer, of_audience);

		if ((any_ready && !peer->ready) || is_current(audience, peer))
			continue;
		if (named == NAMED_MAX) {
			more++;
			continue;
		}
		text_printf(out, "%s%s", named++ > 0 ? ", " : "proxy ",
		    peer->name[0] != '\0' ? peer->name : "without a name");
	}
	if (named == 0)
		text_push_string(out, "no proxy of this Gateway is connected");
	else if (more > 0)
		text_printf(out, " and %u more do not serve it yet", more);
	else
		text_push_string(out,
		    named > 1 ? " do not serve it yet"
		              : " does not serve it yet");
}

/* Tell ctl whom it waits for, where that is news. */
static void
tell_laggards(struct stream_audience *audience)
{
	struct text text;

	text_init(&text);
	write_laggards(audience, &text);
	if (!slice_equal(
	        text_slice(&text), slice_from_string(audience->told))) {
		snprintf(
		    audience->told, sizeof(audience->told), "%s", text.data);
		answer(audience, FEED_WAIT, text_slice(&text));
	}
	text_fini(&text);
}

static void
on_late(struct net_timer *timer)
{
	struct stream_audience *audience =
	    container_of(timer, struct stream_audience, late);

	if (!audience->waiting)
		return;
	tell_laggards(audience);
	net_timer_set(audience->server->options.loop, timer, LATE_MS);
}

struct stream_audience *
stream_audience_get(struct stream_server *server, struct stream_view *view)
{
	void **mark = stream_view_mark(view);
	struct stream_audience *audience = *mark;

	if (audience != NULL)
		return audience;
	audience = memory_zero(1, sizeof(*audience));
	audience->server = server;
	audience->view = stream_view_ref(server->views, stream_view_name(view));
	list_init(&audience->peers);
	net_timer_init(&audience->late, on_late);
	*mark = audience;
	return audience;
}

void
stream_audience_free(struct stream_audience *audience)
{
	net_timer_clear(&audience->late);
	*stream_view_mark(audience->view) = NULL;
	stream_view_unref(&audience->view);
	memory_free(audience);
}

/* Nobody listens and nothing is to be served. */
static void
forget_if_idle(struct stream_audience *audience)
{
	if (list_is_empty(&audience->peers) && !audience->waiting &&
	    !stream_view_is_served(audience->view))
		stream_audience_free(audience);
}

void
stream_audience_join(struct stream_audience *audience, struct stream_peer *peer)
{
	peer->audience = audience;
	list_insert(&audience->peers, &peer->of_audience);
}

/* Every ready peer serves the newest, and there is one where there must be. */
static bool
is_served(const struct stream_audience *audience)
{
	bool any = false;

	LIST_FOR_EACH(at, &audience->peers)
	{
		const struct stream_peer *peer =
		    container_of(at, struct stream_peer, of_audience);

		if (!peer->ready)
			continue;
		if (!is_current(audience, peer))
			return false;
		any = true;
	}
	return any || !stream_view_is_served(audience->view);
}

void
stream_audience_look(struct stream_audience *audience)
{
	if (!audience->waiting || !is_served(audience))
		return;
	audience->waiting = false;
	audience->told[0] = '\0';
	net_timer_clear(&audience->late);
	answer(audience, FEED_CONFIRM, SLICE(""));
}

void
stream_audience_note(struct stream_audience *audience)
{
	audience->changed = audience->server->number;
	if (is_served(audience)) {
		stream_audience_look(audience);
	} else {
		/* From this generation on: whom for is told when it is late. */
		answer(audience, FEED_WAIT, slice_from_string(audience->told));
		if (!audience->waiting)
			net_timer_set(audience->server->options.loop,
			    &audience->late, LATE_MS);
		audience->waiting = true;
	}
	forget_if_idle(audience);
}

/* ---- what its proxies say of units ---- */

static bool
is_claim(struct slice name)
{
	return slice_starts_with(name, SLICE("claim/"));
}

/* What cannot be done before what can be though there is something to know, and
 * that before what others do. */
static int
weight_of(const struct feed_reply *said)
{
	if (said->error == ERROR_OK)
		return 2;
	return said->error == ERROR_AGAIN ? 1 : 3;
}

/* The gravest. */
static const struct feed_reply *
said_by_any(const struct stream_audience *audience, struct slice name,
    const struct stream_peer **whose)
{
	const struct feed_reply *gravest = NULL;

	LIST_FOR_EACH(at, &audience->peers)
	{
		const struct stream_peer *peer =
		    container_of(at, struct stream_peer, of_audience);
		const struct feed_reply *said = map_get(&peer->said, name);

		if (said == NULL ||
		    (gravest != NULL && weight_of(gravest) >= weight_of(said)))
			continue;
		*whose = peer;
		gravest = said;
	}
	return gravest;
}

/* What is known of a unit now, among all of them. */
static void
forward(struct stream_audience *audience, struct slice name)
{
	const struct stream_peer *whose;
	const struct feed_reply *said = said_by_any(audience, name, &whose);
	struct text why;

	text_init(&why);
	if (said != NULL)
		text_printf(
		    &why, "proxy %s: %.*s", whose->name, SLICE_ARGS(said->why));
	struct feed_reply *reply =
	    feed_reply_new(FEED_REPORT, name, text_slice(&why));

	reply->error = said != NULL ? said->error : ERROR_OK;
	feed_answer(audience->server->options.feed, &reply);
	text_fini(&why);
}

/* The same of a claim, with one node alone, whose connection may be another
 * than it was. */
static void
forward_claim(
    struct stream_audience *audience, const char *node, struct slice name)
{
	struct feed_claim claim = {.node = slice_from_string(node)};

	LIST_FOR_EACH(at, &audience->peers)
	{
		const struct stream_peer *peer =
		    container_of(at, struct stream_peer, of_audience);
		const struct feed_reply *said = map_get(&peer->said, name);

		if (said == NULL || strcmp(peer->name, node) != 0)
			continue;
		claim = said->claim;
		claim.node = slice_from_string(node);
	}
	struct feed_reply *reply = feed_reply_new_claim(name, &claim);
	feed_answer(audience->server->options.feed, &reply);
}

static struct slice
cut(struct slice text)
{
	return slice_make(text.data,
	    text.length < STREAM_WHY_BYTES ? text.length : STREAM_WHY_BYTES);
}

static void
note(struct stream_peer *peer, const struct stream_report *report)
{
	struct feed_reply *old = map_remove(&peer->said, report->name);
	const struct feed_claim claim = {
	    .error = stream_error_parse(report->error),
	    .why = cut(report->why),
	    .interfaces = cut(report->interfaces),
	    .rival = cut(report->rival),
	};
	struct feed_reply *new = feed_reply_new_claim(report->name, &claim);

	if (old != NULL)
		feed_reply_free(&old);
	if (!feed_reply_says(new)) {
		feed_reply_free(&new);
	} else if (peer->said.count >= LIMIT_VALUE_STREAM_PROBLEMS) {
		limit_hit(&peer->server->metrics, LIMIT_STREAM_PROBLEMS);
		feed_reply_free(&new);
	} else {
		map_put(&peer->said, new->name, new);
	}
}

void
stream_audience_report(
    struct stream_peer *peer, const struct stream_report *report)
{
	const struct stream_report nothing = {.name = report->name};

	/* Of another Gateway's units it has nothing to say. */
	if (!stream_view_has(peer->audience->view, report->name)) {
		note(peer, &nothing);
		return;
	}
	note(peer, report);
	if (is_claim(report->name))
		forward_claim(peer->audience, peer->name, report->name);
	else
		forward(peer->audience, report->name);
}

void
stream_audience_refuse(
    struct stream_peer *peer, const struct stream_refuse *refuse)
{
	if (!stream_view_has(peer->audience->view, refuse->name))
		return;
	struct feed_reply *reply =
	    feed_reply_new(FEED_REFUSE, refuse->name, cut(refuse->why));

	reply->error = stream_error_parse(refuse->error);
	feed_answer(peer->server->options.feed, &reply);
}

void
stream_audience_leave(struct stream_peer *peer)
{
	struct stream_audience *audience = peer->audience;
	struct slice name;
	void *value;

	peer->audience = NULL;
	list_remove(&peer->of_audience);
	/* What only it could not do is no longer wrong, unless it was the
	 * last: then nobody knows better. What it announced it does not, as far
	 * as is known. */
	for (size_t at = 0; map_next(&peer->said, &at, &name, &value);)
		if (is_claim(name))
			forward_claim(audience, peer->name, name);
		else if (!list_is_empty(&audience->peers))
			forward(audience, name);
	stream_audience_look(audience);
	forget_if_idle(audience);
}
