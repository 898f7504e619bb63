/* What a proxy holds, and how it becomes what the controller has: puts and
 * drops gather in a batch, also across connections that broke, until a commit
 * makes it a whole, which the agent is offered and the copy gets. */
#include <stdio.h>

#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "stream/client_priv.h"

#define DIGESTS_A_MESSAGE 4096

static struct feed_batch *
batch_of(struct stream_client *client)
{
	if (client->batch == NULL)
		client->batch = feed_batch_new();
	return client->batch;
}

static void
offer(struct stream_client *client)
{
	struct feed_batch *batch = batch_of(client);

	batch->generation = client->table.generation;
	batch->whole = client->whole;
	client->whole = false;
	client->offered = batch->generation;
	client->has_offered = true;
	feed_offer(client->options.feed, &client->batch);
}

void
stream_client_load(struct stream_client *client)
{
	const char *why;
	const char *path = client->options.copy_path;
	enum error error;

	client->whole = true;
	if (path == NULL)
		return;
	error = stream_copy_open(
	    path, client->options.gateway, &client->table, &client->copy, &why);
	if (error == ERROR_OK && !stream_copy_is_there(client->copy))
		return;
	if (error == ERROR_OK) {
		error = stream_copy_put_all(
		    client->copy, &client->table, batch_of(client));
		why = error_text(error);
	}
	if (error != ERROR_OK) {
		log_event(LOG_COPY_UNUSABLE, LOG_STRING("path", path),
		    LOG_STRING("why", why));
		stream_client_forget(client);
		return;
	}
	log_event(LOG_COPY_LOADED, LOG_STRING("path", path),
	    LOG_NUMBER("units", (int64_t)client->table.rows.count));
	offer(client);
}

void
stream_client_forget(struct stream_client *client)
{
	stream_table_fini(&client->table);
	stream_table_init(&client->table);
	feed_batch_free(&client->batch);
	client->whole = true;
	if (client->copy != NULL)
		stream_copy_drop(client->copy);
}

void
stream_client_greet(struct stream_client *client)
{
	struct slice kinds[UNIT__COUNT];
	struct stream_hello hello = {
	    .major = STREAM_MAJOR,
	    .minor = STREAM_MINOR,
	    .version = SLICE(YUMEN_VERSION),
	    .gateway = client->options.gateway,
	    .name = client->options.name,
	    .kinds = kinds,
	    .kinds_count = UNIT__COUNT,
	};

	for (unsigned i = 0; i < UNIT__COUNT; i++)
		kinds[i] = snap_unit_kind_word((enum unit_kind)i);
	/* Also what came before a cut, though it was no whole yet. */
	if (!client->whole || client->table.rows.count > 0) {
		hello.generation =
		    stream_generation_slice(&client->table.generation);
		hello.held = (int64_t)client->table.rows.count;
	}
	hello.token = client->token;
	client->state = STREAM_CLIENT_GREETING;
	stream_link_send(&client->stream, STREAM_HELLO, &hello);
}

/* ---- catching up ---- */

static void
push_digests(struct stream_client *client, struct text *digests)
{
	struct stream_held held = {.digests = text_slice(digests)};

	if (digests->length > 0)
		stream_link_send(&client->stream, STREAM_HELD, &held);
	text_reset(digests);
}

/* Nothing changes in the table until keep comes. */
static void
list_held(struct stream_client *client)
{
	struct stream_row *row;
	struct text digests;
	size_t at = 0;

	memory_free(client->listed);
	client->listed =
	    memory_zero(client->table.rows.count, sizeof(client->listed[0]));
	client->listed_count = 0;
	text_init(&digests);
	while ((row = stream_table_next(&client->table, &at)) != NULL) {
		client->listed[client->listed_count++] = row;
		text_push(&digests,
		    slice_make((const char *)row->digest.bytes,
		        sizeof(row->digest.bytes)));
		if (digests.length >= DIGESTS_A_MESSAGE * UNIT_DIGEST_BYTES)
			push_digests(client, &digests);
	}
	push_digests(client, &digests);
	text_fini(&digests);
	client->state = STREAM_CLIENT_LISTING;
}

static void
on_welcome(struct stream_client *client, const struct stream_welcome *welcome)
{
	if (welcome->major != STREAM_MAJOR) {
		stream_link_end(&client->stream, ERROR_UNSUPPORTED);
		return;
	}
	if (welcome->list == 1) {
		if (client->table.rows.count > 0)
			list_held(client);
		else
			stream_link_end(&client->stream, ERROR_INVALID);
		return;
	}
	/* Neither is what we hold in force, nor does anybody ask for it. */
	if (welcome->same != 1 && client->table.rows.count > 0)
		stream_client_forget(client);
	client->state = STREAM_CLIENT_LIVE;
}

static void
drop(struct stream_client *client, struct slice name)
{
	feed_batch_drop(batch_of(client), name);
	stream_client_settle(client, name);
	stream_table_drop(&client->table, name);
}

static void
on_keep(struct stream_client *client, struct slice bits)
{
	if (bits.length < (client->listed_count + 7) / 8) {
		stream_link_end(&client->stream, ERROR_INVALID);
		return;
	}
	for (uint64_t i = 0; i < client->listed_count; i++) {
		const struct stream_row *row = client->listed[i];

		if ((((uint8_t)bits.data[i / 8] >> i % 8) & 1) == 0)
			drop(client, slice_make(row->name, row->name_length));
	}
	memory_free(client->listed);
	client->listed = NULL;
	client->listed_count = 0;
	client->state = STREAM_CLIENT_LIVE;
}

static void
on_put(struct stream_client *client, const struct stream_put *put)
{
	struct slice bytes = slice_is_set(put->bytes) ? put->bytes : SLICE("");

	feed_batch_put(batch_of(client), put->name, bytes);
	stream_client_settle(client, put->name);
	stream_table_put(&client->table, put->name, bytes);
}

static void
write_copy(struct stream_client *client)
{
	enum error error;

	if (client->copy == NULL)
		return;
	error =
	    stream_copy_append(client->copy, &client->table, batch_of(client));
	if (error == ERROR_OK)
		return;
	log_event(LOG_COPY_NOT_WRITTEN,
	    LOG_STRING("path", client->options.copy_path),
	    LOG_STRING("why", error_text(error)));
	client->copy_lost = true;
}

static void
on_commit(struct stream_client *client, struct slice bytes)
{
	struct feed_generation generation = stream_generation_parse(bytes);
	struct stream_confirm confirm = {.generation = bytes};

	if (!feed_generation_equal(&generation, &client->table.generation)) {
		client->unsettled++;
		log_event(LOG_STREAM_UNSETTLED,
		    LOG_NUMBER("units", (int64_t)client->table.rows.count));
		stream_client_forget(client);
		stream_link_end(&client->stream, ERROR_INVALID);
		return;
	}
	stream_client_on_caught_up(client);
	if (client->batch != NULL || client->whole) {
		write_copy(client);
		offer(client);
	} else if (client->has_confirmed &&
	    feed_generation_equal(&client->confirmed, &generation)) {
		stream_link_send(&client->stream, STREAM_CONFIRM, &confirm);
	}
}

static void
on_bye(struct stream_client *client, const struct stream_bye *bye)
{
	snprintf(
	    client->why, sizeof(client->why), "%.*s", SLICE_ARGS(bye->why));
	for (char *at = client->why; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	client->refused = true;
	stream_link_end(&client->stream, stream_error_parse(bye->error));
}

/* Which messages may come when. */
void
stream_client_take(
    struct stream_client *client, const struct stream_message *message)
{
	enum stream_client_state state = client->state;

	if (message->kind == STREAM_BYE)
		on_bye(client, message->bye);
	else if (state == STREAM_CLIENT_GREETING &&
	    message->kind == STREAM_WELCOME)
		on_welcome(client, message->welcome);
	else if (state == STREAM_CLIENT_LISTING && message->kind == STREAM_KEEP)
		on_keep(client, message->keep->bits);
	else if (state == STREAM_CLIENT_LIVE && message->kind == STREAM_PUT)
		on_put(client, message->put);
	else if (state == STREAM_CLIENT_LIVE && message->kind == STREAM_DROP)
		drop(client, message->drop->name);
	else if (state == STREAM_CLIENT_LIVE && message->kind == STREAM_COMMIT)
		on_commit(client, message->commit->generation);
	else if (state == STREAM_CLIENT_LIVE && message->kind == STREAM_LEADER)
		stream_client_lead(client, message->leader);
	else
		stream_link_end(&client->stream, ERROR_INVALID);
}
