/* What the agent says, on its way to the controller. What it found wrong is
 * kept, so that a controller which comes back hears of it again. */
#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "stream/client_priv.h"

static void
say(struct stream_client *client, enum feed_reply_kind kind, struct slice name,
    enum error error, struct slice why)
{
	struct slice label = slice_from_string(error_label(error));
	struct stream_refuse refuse = {name, label, why};
	struct stream_report report = {name, label, why};

	if (client->state != STREAM_CLIENT_LIVE)
		return;
	if (kind == FEED_REFUSE)
		stream_link_send(&client->stream, STREAM_REFUSE, &refuse);
	else
		stream_link_send(&client->stream, STREAM_REPORT, &report);
}

/* A unit has changed: what was wrong may be right now. */
void
stream_client_settle(struct stream_client *client, struct slice name)
{
	struct stream_trouble *old = map_get(&client->troubles, name);

	if (old == NULL || old->kind != FEED_REFUSE)
		return;
	map_remove(&client->troubles, name);
	memory_free(old);
}

static void
keep(struct stream_client *client, const struct feed_reply *reply)
{
	struct stream_trouble *trouble =
	    map_remove(&client->troubles, reply->name);

	memory_free(trouble);
	if (reply->error == ERROR_OK ||
	    client->troubles.count >= LIMIT_VALUE_STREAM_PROBLEMS)
		return;
	trouble = memory_zero(
	    1, sizeof(*trouble) + reply->name.length + reply->why.length);
	trouble->kind = reply->kind;
	trouble->error = reply->error;
	trouble->name_length = (uint32_t)reply->name.length;
	trouble->why_length = (uint32_t)reply->why.length;
	memcpy(trouble->text, reply->name.data, reply->name.length);
	memcpy(trouble->text + reply->name.length, reply->why.data,
	    reply->why.length);
	map_put(&client->troubles,
	    slice_make(trouble->text, trouble->name_length), trouble);
}

void
stream_client_say_again(struct stream_client *client)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&client->troubles, &at, &name, &value);) {
		const struct stream_trouble *trouble = value;

		say(client, trouble->kind, name, trouble->error,
		    slice_make(trouble->text + trouble->name_length,
		        trouble->why_length));
	}
}

static void
take(struct stream_client *client, const struct feed_reply *reply)
{
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
		keep(client, reply);
		say(client, reply->kind, reply->name, reply->error, reply->why);
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
		take(client, reply);
		feed_reply_free(&reply);
	}
}

void
stream_client_fini_troubles(struct stream_client *client)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&client->troubles, &at, &name, &value);)
		memory_free(value);
	map_fini(&client->troubles);
}
