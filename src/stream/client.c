/* The client's connection: who is connected to, when, and how it is proven that
 * it is the controller. It owns the link, the copy and what is under way to the
 * agent. */
#include "stream/client.h"

#include <stdio.h>

#include "core/file.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "stream/client_priv.h"

static void on_up(struct stream_link *link);
static void on_message(
    struct stream_link *link, const struct stream_message *message);
static void on_end(struct stream_link *link, enum error error);

static void
on_room(struct stream_link *link)
{
	(void)link;
}

static const struct stream_link_handler handler = {
    .on_up = on_up,
    .on_message = on_message,
    .on_room = on_room,
    .on_end = on_end,
};

static struct stream_client *
of_link(struct stream_link *link)
{
	return container_of(link, struct stream_client, stream);
}

/* ---- when ---- */

/* Somewhere in the second half of a wait that doubles, so that proxies which
 * lost one controller do not come to the next all at once. */
static void
rest(struct stream_client *client)
{
	uint64_t half = client->wait_ms / 2;

	client->state = STREAM_CLIENT_RESTING;
	net_timer_set(client->options.loop, &client->retry,
	    half + random_below(&client->random, (uint32_t)half + 1));
	client->wait_ms *= 2;
	if (client->wait_ms > LIMIT_VALUE_STREAM_RETRY_MAX_MS)
		client->wait_ms = LIMIT_VALUE_STREAM_RETRY_MAX_MS;
}

/* Once an outage, and once when it is there but refuses: a log that repeats
 * says nothing. */
static void
tell_down(struct stream_client *client, enum error error)
{
	const char *why =
	    client->why[0] != '\0' ? client->why : error_text(error);

	client->error = error;
	if (client->refused ? client->told_refused : client->told_down)
		return;
	client->told_down = true;
	client->told_refused = client->told_refused || client->refused;
	log_event(client->refused ? LOG_STREAM_REFUSED : LOG_STREAM_DOWN,
	    LOG_TEXT("controller", client->options.host),
	    LOG_NUMBER("port", client->options.port), LOG_STRING("why", why));
}

static void
fail(struct stream_client *client, enum error error)
{
	tell_down(client, error);
	rest(client);
}

static void
on_retry(struct net_timer *timer)
{
	stream_client_connect(container_of(timer, struct stream_client, retry));
}

static void
on_names(void *context, struct slice name, const struct net_address *addresses,
    unsigned count, enum error error)
{
	struct stream_client *client = context;
	bool first = client->address_count == 0;

	(void)name;
	if (count > STREAM_ADDRESSES)
		count = STREAM_ADDRESSES;
	if (count == 0) {
		if (first) {
			snprintf(client->why, sizeof(client->why),
			    "its name could not be looked up: %s",
			    error_text(error));
			tell_down(client, error);
		}
		return;
	}
	memcpy(client->addresses, addresses, count * sizeof(addresses[0]));
	client->address_count = count;
	for (unsigned i = 0; i < count; i++)
		client->addresses[i].port = client->options.port;
	if (first && client->state == STREAM_CLIENT_RESTING)
		stream_client_connect(client);
}

/* ---- whom ---- */

static void
wipe_token(struct stream_client *client)
{
	if (client->token_text.data != NULL)
		memory_wipe(
		    client->token_text.data, client->token_text.capacity);
	text_reset(&client->token_text);
	client->token = SLICE_NONE;
}

static enum error
read_token(struct stream_client *client)
{
	size_t length;

	wipe_token(client);
	if (client->options.token_path == NULL)
		return ERROR_OK;
	enum error error = file_read(client->options.token_path,
	    LIMIT_VALUE_STREAM_HELLO_BYTES / 2, &client->token_text);

	client->token = text_slice(&client->token_text);
	for (length = client->token.length; length > 0 &&
	     (client->token.data[length - 1] == '\n' ||
	         client->token.data[length - 1] == '\r');)
		length--;
	client->token.length = length;
	return error;
}

static enum error
read_authority(struct stream_client *client)
{
	struct crypt_certificates *authorities;
	struct crypt_fault fault;
	struct text pem;

	text_init(&pem);
	enum error error = file_read(
	    client->options.authority_path, LIMIT_VALUE_PEM_BYTES, &pem);

	if (error == ERROR_OK) {
		authorities = crypt_bundle_parse(text_slice(&pem), &fault);
		if (authorities == NULL) {
			error = ERROR_TLS_NO_CERTIFICATE;
		} else {
			if (client->tls.trust != NULL)
				net_tls_trust_free(client->tls.trust);
			client->tls.trust = net_tls_trust_new(authorities);
			crypt_certificates_free(authorities);
		}
	}
	text_fini(&pem);
	return error;
}

static void
tell_unreadable(struct stream_client *client, const char *what,
    const char *path, enum error error)
{
	snprintf(client->why, sizeof(client->why), "the file of %s, %s: %s",
	    what, path, error_text(error));
	fail(client, error);
}

static const struct net_address *
whom(struct stream_client *client)
{
	if (client->leader.used)
		return &client->leader.address;
	return &client
	            ->addresses[client->next_address++ % client->address_count];
}

void
stream_client_connect(struct stream_client *client)
{
	const struct stream_client_options *options = &client->options;
	enum error error;

	must(client->state == STREAM_CLIENT_RESTING);
	net_timer_clear(&client->retry);
	if (client->address_count == 0) {
		rest(client);
		return;
	}
	client->why[0] = '\0';
	client->refused = false;
	error = read_token(client);
	if (error != ERROR_OK) {
		tell_unreadable(
		    client, "the token", options->token_path, error);
		return;
	}
	if (!options->plain) {
		error = read_authority(client);
		if (error != ERROR_OK) {
			tell_unreadable(client, "the controller's authority",
			    options->authority_path, error);
			return;
		}
	}
	metric_add(&client->metrics, METRIC_STREAM_CONNECTS, 1);
	client->state = STREAM_CLIENT_CONNECTING;
	error = stream_link_connect(&client->stream, options->loop,
	    whom(client), options->plain ? NULL : &client->tls, &handler,
	    &client->metrics);
	if (error == ERROR_OK)
		return;
	(void)stream_client_left(client);
	fail(client, error);
}

/* ---- the link ---- */

static void
on_up(struct stream_link *link)
{
	struct stream_client *client = of_link(link);

	/* What has no copy any more must come anew to have one. */
	if (client->copy_lost) {
		client->copy_lost = false;
		stream_client_forget(client);
	}
	stream_client_greet(client);
	wipe_token(client);
}

static void
on_message(struct stream_link *link, const struct stream_message *message)
{
	stream_client_take(of_link(link), message);
}

static void
on_end(struct stream_link *link, enum error error)
{
	struct stream_client *client = of_link(link);

	client->caught_up = false;
	memory_free(client->listed);
	client->listed = NULL;
	client->listed_count = 0;
	if (!stream_client_left(client)) {
		fail(client, error);
		return;
	}
	client->state = STREAM_CLIENT_RESTING;
	stream_client_connect(client);
}

void
stream_client_on_caught_up(struct stream_client *client)
{
	if (client->caught_up)
		return;
	client->caught_up = true;
	client->told_down = client->told_refused = false;
	client->wait_ms = LIMIT_VALUE_STREAM_RETRY_MS;
	log_event(LOG_STREAM_UP, LOG_TEXT("controller", client->options.host),
	    LOG_NUMBER("port", client->options.port),
	    LOG_NUMBER("units", (int64_t)client->table.rows.count));
	stream_client_say_again(client);
}

/* ---- its life ---- */

static enum error
open_tls(struct stream_client *client)
{
	static const struct net_tls_settings settings = {
	    .version_min = NET_TLS_1_3,
	    .version_max = NET_TLS_1_3,
	    .wipes = true,
	};
	struct slice name = client->options.server_name;
	struct net_address address;
	const char *wrong;

	client->tls_name = (struct crypt_name){CRYPT_NAME_DNS, name};
	if (net_address_parse(name, 0, &address) == ERROR_OK) {
		bool ip4 = address.family == AF_INET;

		memcpy(client->tls_address, address.ip + (ip4 ? 12 : 0),
		    ip4 ? 4 : 16);
		client->tls_name = (struct crypt_name){CRYPT_NAME_IP,
		    slice_make(
		        (const char *)client->tls_address, ip4 ? 4 : 16)};
	} else {
		client->server_name = memory_zero(1, name.length + 1);
		memcpy(client->server_name, name.data, name.length);
	}
	client->tls = (struct net_tls_client){
	    .server_name = client->server_name,
	    .names = &client->tls_name,
	    .name_count = 1,
	};
	enum error error = net_tls_profile_new(
	    &settings, &client->metrics, &client->profile, &wrong);

	client->tls.profile = client->profile;
	return error;
}

static enum error
open_names(struct stream_client *client)
{
	const struct stream_client_options *options = &client->options;

	if (net_address_parse(options->host, options->port,
	        &client->addresses[0]) == ERROR_OK) {
		client->address_count = 1;
		return ERROR_OK;
	}
	client->names = net_names_new(options->loop, on_names, client);
	if (client->names == NULL)
		return ERROR_SYSTEM;
	net_names_watch(client->names, options->host);
	return ERROR_OK;
}

enum error
stream_client_new(
    const struct stream_client_options *options, struct stream_client **client)
{
	must(options->loop != NULL && options->feed != NULL);
	struct stream_client *made = memory_zero(1, sizeof(*made));
	enum error error = ERROR_OK;

	made->options = *options;
	made->wait_ms = LIMIT_VALUE_STREAM_RETRY_MS;
	metrics_init(&made->metrics);
	random_init(&made->random);
	stream_table_init(&made->table);
	map_init(&made->said);
	text_init(&made->token_text);
	net_timer_init(&made->retry, on_retry);
	stream_client_init_leader(made);
	if (!options->plain)
		error = open_tls(made);
	if (error == ERROR_OK)
		error = open_names(made);
	if (error != ERROR_OK) {
		stream_client_free(&made);
		*client = NULL;
		return error;
	}
	stream_client_load(made);
	/* From the loop, when all else is there. */
	net_timer_set(options->loop, &made->retry, 1);
	*client = made;
	return ERROR_OK;
}

void
stream_client_free(struct stream_client **client)
{
	struct stream_client *old = *client;

	*client = NULL;
	if (old == NULL)
		return;
	net_timer_clear(&old->retry);
	net_timer_clear(&old->leader.due);
	stream_link_close(&old->stream);
	if (old->names != NULL)
		net_names_free(old->names);
	if (old->tls.trust != NULL)
		net_tls_trust_free(old->tls.trust);
	if (old->profile != NULL) {
		net_tls_profile_cut(old->profile);
		net_tls_profile_unref(old->profile);
	}
	wipe_token(old);
	text_fini(&old->token_text);
	feed_batch_free(&old->batch);
	stream_copy_close(&old->copy);
	stream_table_fini(&old->table);
	stream_client_fini_said(old);
	memory_free(old->listed);
	memory_free(old->server_name);
	metrics_fini(&old->metrics);
	memory_free(old);
}

void
stream_client_facts(
    const struct stream_client *client, struct stream_client_facts *facts)
{
	*facts = (struct stream_client_facts){
	    .connected = client->caught_up,
	    .units = (unsigned)client->table.rows.count,
	    .unsettled = client->unsettled,
	};
	if (client->caught_up)
		return;
	facts->why = client->why[0] != '\0' ? client->why
	    : client->error != ERROR_OK     ? error_text(client->error)
	                                    : "not connected yet";
}
