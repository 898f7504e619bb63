/* What the agent says, on its way to the controller. What it found wrong, and
 * what an announcer announces, is kept, so that a controller which comes back
 * hears of it again. */
#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "stream/client_priv.h"

static void
say(struct stream_client *client, const struct feed_reply *reply)
{
	struct slice label = slice_from_string(error_label(reply->error));
	struct stream_refuse refuse = {reply->name, label, reply->why};
	struct stream_report report = {reply->name, label, reply->why,
	    reply->claim.interfaces, reply->claim.rival};

	if (client->state != STREAM_CLIENT_LIVE)
		return;
	if (reply->kind == FEED_REFUSE)
		stream_link_send(&client->stream, STREAM_REFUSE, &refuse);
	else
		stream_link_send(&client->stream, STREAM_REPORT, &report);
}

/* A unit has changed: what was wrong may be right now. */
void
stream_client_settle(struct stream_client *client, struct slice name)
{
	struct feed_reply *old = map_get(&client->said, name);

	if (old == NULL || old->kind != FEED_REFUSE)
		return;
	map_remove(&client->said, name);
	feed_reply_free(&old);
}

/* Takes it over. */
static void
keep(struct stream_client *client, struct feed_reply **reply)
{
	struct feed_reply *new = *reply,
	                  *old = map_remove(&client->said, new->name);

	if (old != NULL)
		feed_reply_free(&old);
	if (!feed_reply_says(new) ||
	    client->said.count >= LIMIT_VALUE_STREAM_PROBLEMS)
		return;
	map_put(&client->said, new->name, new);
	*reply = NULL;
}

void
stream_client_say_again(struct stream_client *client)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&client->said, &at, &name, &value);)
		say(client, value);
}

static void
take(struct stream_client *client, struct feed_reply **taken)
{
	const struct feed_reply *reply = *taken;
	struct stream_confirm confirm = {
	    .generation = stream_generation_slice(&reply->generation)};

	switch (reply->kind) {
	case FEED_CONFIRM:
		client->confirmed = reply->generation;
		client->has_confirmed = true;
		if (client->state == STREAM_CLIENT_LIVE)
			stream_link_send(
			    &client->stream, STREAM_CONFIRM, &confirm);
		return;
	case FEED_REFUSE:
	case FEED_REPORT:
	case FEED_CLAIM:
		say(client, reply);
		keep(client, taken);
		return;
	case FEED_WAIT:
		return;
	}
}

void
stream_client_wake(struct stream_client *client)
{
	struct feed_reply *reply;

	while ((reply = feed_take_reply(client->options.feed)) != NULL) {
		take(client, &reply);
		if (reply != NULL)
			feed_reply_free(&reply);
	}
}

void
stream_client_fini_said(struct stream_client *client)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&client->said, &at, &name, &value);) {
		struct feed_reply *reply = value;
		feed_reply_free(&reply);
	}
	map_fini(&client->said);
}
