/* Read, make what is due, write it with the resourceVersion that was read. What
 * was secret is wiped. */
#include "cmd/stream_secret.h"

#include <inttypes.h>
#include <sys/random.h>

#include "core/clock.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "ctl/stream_secret.h"
#include "stream/authority.h"
#include "wire/base64.h"
#include "wire/tree_json.h"

/* Whatever is due has time for several looks. */
#define LOOK_MS 600000
enum { HEARTBEAT_KEY_BYTES = 32 };

static void on_answer(struct kube_ask *ask, enum error error);

static void
wipe(struct text *text)
{
	if (text->data != NULL)
		memory_wipe(text->data, text->capacity);
	text_reset(text);
}

static void
ask(struct stream_secret *secret, const char *method, struct slice body)
{
	struct kube_request request = {
	    .method = method,
	    .target = text_slice(&secret->target),
	    .body = body,
	};

	secret->writing = slice_is_set(body);
	kube_ask_start(&secret->ask, &request);
}

static struct slice
namespace_of(const struct stream_secret *secret)
{
	return kube_client_access(secret->ask.call.client)->namespace;
}

static const char *
name_of(const struct stream_secret *secret)
{
	return secret->announcers ? STREAM_SECRET_ANNOUNCERS
	                          : CTL_STREAM_SECRET;
}

static void
set_target(struct stream_secret *secret, bool named)
{
	text_reset(&secret->target);
	text_printf(&secret->target, "/api/v1/namespaces/%.*s/secrets",
	    SLICE_ARGS(namespace_of(secret)));
	if (named)
		text_printf(&secret->target, "/%s", name_of(secret));
}

static void
look(struct stream_secret *secret)
{
	set_target(secret, true);
	ask(secret, "GET", SLICE_NONE);
}

static void
look_later(struct stream_secret *secret, uint64_t after_ms)
{
	net_timer_set(kube_client_loop(secret->ask.call.client), &secret->timer,
	    after_ms);
}

static void
on_timer(struct net_timer *timer)
{
	struct stream_secret *secret =
	    container_of(timer, struct stream_secret, timer);

	secret->announcers = false;
	look(secret);
}

static void
fail(struct stream_secret *secret, const char *why)
{
	log_event(LOG_STREAM_SECRET_FAILED, LOG_STRING("name", name_of(secret)),
	    LOG_NUMBER("status", secret->ask.status), LOG_STRING("why", why),
	    LOG_TEXT("answer", kube_ask_text(&secret->ask)));
	look_later(secret,
	    kube_client_wait_ms(secret->ask.call.client, &secret->wait_ms));
}

/* ---- what is in it ---- */

/* Appends what a key of data holds; NULL has nothing. */
static void
take_key(const struct tree_node *object, const char *key, struct text *out)
{
	struct slice value =
	    wire_tree_text(wire_tree_member(object, "data", TREE_MAP), key);

	if (slice_is_set(value))
		(void)wire_base64_take(out, value);
}

/* Up to 256 bytes come whole, once the kernel is seeded. */
static void
draw(uint8_t *bytes, size_t count)
{
	ssize_t got = getrandom(bytes, count, 0);

	must(count <= 256 && got == (ssize_t)count);
}

/* A line a seed, the newest first: the second in which it was drawn, and it in
 * hexadecimal. True: there is a new one. */
static bool
renew_tickets(struct slice old, int64_t now, struct text *out)
{
	struct slice rest = old, line, word;
	uint8_t seed[GW_TICKET_SEED_BYTES];
	uint64_t drawn = 0;
	unsigned lines = 1;

	line = old;
	if (slice_cut(&line, ' ', &word) &&
	    slice_to_number(word, INT64_MAX, &drawn) &&
	    now - (int64_t)drawn < LIMIT_VALUE_TICKET_KEY_MS / 1000) {
		text_push(out, old);
		return false;
	}
	draw(seed, sizeof(seed));
	text_printf(out, "%" PRId64 " ", now);
	for (size_t i = 0; i < sizeof(seed); i++)
		text_printf(out, "%02x", seed[i]);
	text_push_byte(out, '\n');
	memory_wipe(seed, sizeof(seed));
	while (lines < GW_TICKET_SEEDS_MAX && slice_cut(&rest, '\n', &line)) {
		if (line.length == 0)
			continue;
		text_push(out, line);
		text_push_byte(out, '\n');
		lines++;
	}
	return true;
}

static void
push_key(struct text *body, const char *key, struct slice bytes)
{
	text_printf(body, "%s\"%s\":\"",
	    body->data[body->length - 1] == '{' ? "" : ",", key);
	wire_base64_push(body, bytes);
	text_push_byte(body, '"');
}

/* A Secret's text up to its data; object: as it is, or NULL. */
static void
begin_body(struct stream_secret *secret, const struct tree_node *object)
{
	struct text *body = &secret->body;

	text_printf(body,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{"
	    "\"name\":\"%s\",\"namespace\":\"%.*s\"",
	    name_of(secret), SLICE_ARGS(namespace_of(secret)));
	if (object != NULL) {
		text_push_string(body, ",\"resourceVersion\":");
		text_push_json(body,
		    wire_tree_text(
		        wire_tree_member(object, "metadata", TREE_MAP),
		        "resourceVersion"));
	}
	text_push_string(body, "},\"type\":\"Opaque\",\"data\":{");
}

static void
write_body(struct stream_secret *secret, bool instead)
{
	text_push_string(&secret->body, "}}");
	set_target(secret, instead);
	ask(secret, instead ? "PUT" : "POST", text_slice(&secret->body));
}

static void
write(struct stream_secret *secret, const struct tree_node *object,
    struct slice tickets)
{
	struct text *body = &secret->body;

	begin_body(secret, object);
	push_key(body, CTL_STREAM_AUTHORITY, text_slice(&secret->state));
	push_key(body, CTL_STREAM_BUNDLE, text_slice(&secret->bundle));
	push_key(body, CTL_STREAM_TICKETS, tickets);
	write_body(secret, object != NULL);
}

/* It is in the Secret: it may be shown. Then comes the announcers'. */
static void
take(struct stream_secret *secret)
{
	enum error error = ERROR_OK;

	if (!secret->announcers)
		error = stream_identity_take(
		    secret->identity, text_slice(&secret->state));
	wipe(&secret->state);
	wipe(&secret->body);
	if (error != ERROR_OK) {
		fail(secret, error_text(error));
		return;
	}
	secret->wait_ms = 0;
	secret->announcers = !secret->announcers;
	if (secret->announcers)
		look(secret);
	else
		look_later(secret, LOOK_MS);
}

static void
on_read(struct stream_secret *secret, const struct tree_node *object)
{
	int64_t now = clock_wall_ms() / 1000;
	struct text old, tickets_old, tickets;
	bool due;

	text_init(&old);
	text_init(&tickets_old);
	text_init(&tickets);
	take_key(object, CTL_STREAM_AUTHORITY, &old);
	take_key(object, CTL_STREAM_TICKETS, &tickets_old);
	due = stream_authority_renew(text_slice(&old), now, &secret->state);
	due |= renew_tickets(text_slice(&tickets_old), now, &tickets);
	text_reset(&secret->bundle);
	stream_authority_bundle(text_slice(&secret->state), &secret->bundle);
	if (due)
		write(secret, object, text_slice(&tickets));
	else
		take(secret);
	text_wipe(&old);
	text_wipe(&tickets_old);
	text_wipe(&tickets);
}

/* A key that is there stays: announcers with another hear nothing of those
 * with it. */
static void
on_read_announcers(struct stream_secret *secret, const struct tree_node *object)
{
	struct text bundle, key;
	uint8_t bytes[HEARTBEAT_KEY_BYTES];
	bool due;

	text_init(&bundle);
	text_init(&key);
	take_key(object, STREAM_SECRET_BUNDLE, &bundle);
	take_key(object, STREAM_SECRET_HEARTBEATS, &key);
	due = key.length == 0 ||
	    !slice_equal(text_slice(&bundle), text_slice(&secret->bundle));
	if (key.length == 0) {
		draw(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++)
			text_printf(&key, "%02x", bytes[i]);
		memory_wipe(bytes, sizeof(bytes));
	}
	if (due) {
		begin_body(secret, object);
		push_key(&secret->body, STREAM_SECRET_BUNDLE,
		    text_slice(&secret->bundle));
		push_key(
		    &secret->body, STREAM_SECRET_HEARTBEATS, text_slice(&key));
		write_body(secret, object != NULL);
	} else {
		take(secret);
	}
	text_fini(&bundle);
	text_wipe(&key);
}

/* ---- calls ---- */

static void
on_found(struct stream_secret *secret, const struct tree_node *object)
{
	wipe(&secret->state);
	wipe(&secret->body);
	if (secret->announcers)
		on_read_announcers(secret, object);
	else
		on_read(secret, object);
}

static void
take_answer(struct stream_secret *secret)
{
	unsigned status = secret->ask.status;
	struct tree_node *object;
	struct arena arena;

	arena_init(&arena, 16384);
	object = kube_ask_object(&secret->ask, &arena);
	if (!secret->writing && status == 404)
		on_found(secret, NULL);
	else if (!secret->writing && status == 200 && object != NULL)
		on_found(secret, object);
	else if (secret->writing && kube_ask_is_good(&secret->ask))
		take(secret);
	else if (secret->writing && status == 409)
		look(secret);
	else
		fail(secret, "the API refuses the stream's Secret");
	arena_wipe(&arena);
}

static void
on_answer(struct kube_ask *ask, enum error error)
{
	struct stream_secret *secret =
	    container_of(ask, struct stream_secret, ask);

	if (error == ERROR_OK) {
		take_answer(secret);
		return;
	}
	look_later(secret,
	    kube_client_wait_ms(secret->ask.call.client, &secret->wait_ms));
}

void
stream_secret_open(struct stream_secret *secret, struct kube_client *client,
    struct stream_identity *identity)
{
	must(secret != NULL && client != NULL && identity != NULL);
	*secret = (struct stream_secret){.identity = identity};
	kube_ask_init(&secret->ask, client, on_answer);
	net_timer_init(&secret->timer, on_timer);
	text_init(&secret->target);
	text_init(&secret->body);
	text_init(&secret->state);
	text_init(&secret->bundle);
	look(secret);
}

void
stream_secret_close(struct stream_secret *secret)
{
	if (secret->identity == NULL)
		return;
	kube_ask_fini(&secret->ask);
	net_timer_clear(&secret->timer);
	wipe(&secret->body);
	wipe(&secret->state);
	text_fini(&secret->target);
	text_fini(&secret->body);
	text_fini(&secret->state);
	text_fini(&secret->bundle);
	secret->identity = NULL;
}
