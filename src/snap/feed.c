/* The feed's values and the mailbox that hands them over within one process.
 * The mailbox owns what lies in it. It never looks into a batch. */
#include "snap/feed.h"

#include <pthread.h>

#include "core/memory.h"
#include "core/must.h"
#include "snap/secret.h"

#define BATCH_BLOCK_BYTES 4096
#define CHANGES_MIN 16 /* a power of two */

struct feed_box {
	struct list items;
	void (*wake)(void *context);
	void *context;
};

struct feed {
	pthread_mutex_t lock;
	struct feed_box offers, replies;
};

void
feed_generation_format(const struct feed_generation *generation, char out[33])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < sizeof(generation->bytes); i++) {
		out[2 * i] = digits[generation->bytes[i] >> 4];
		out[2 * i + 1] = digits[generation->bytes[i] & 15];
	}
	out[32] = '\0';
}

/* Numbers of 128 bits, the lowest byte first. */
void
feed_generation_add(
    struct feed_generation *generation, const struct unit_digest *digest)
{
	unsigned carry = 0;

	for (unsigned i = 0; i < sizeof(generation->bytes); i++) {
		carry += generation->bytes[i] + digest->bytes[i];
		generation->bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

void
feed_generation_remove(
    struct feed_generation *generation, const struct unit_digest *digest)
{
	unsigned borrow = 0;

	for (unsigned i = 0; i < sizeof(generation->bytes); i++) {
		unsigned left = 256 + generation->bytes[i] - digest->bytes[i];

		left -= borrow;
		generation->bytes[i] = (uint8_t)left;
		borrow = left < 256;
	}
}

bool
feed_generation_equal(
    const struct feed_generation *a, const struct feed_generation *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct feed_batch *
feed_batch_new(void)
{
	struct feed_batch *batch = memory_zero(1, sizeof(*batch));

	list_init(&batch->link);
	arena_init(&batch->arena, BATCH_BLOCK_BYTES);
	return batch;
}

/* Of units with keys in them; the bytes are the batch's. */
static void
wipe_keys(struct feed_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct feed_change *change = &batch->changes[i];
		enum unit_kind kind;

		if (change->bytes.length > 0 &&
		    snap_unit_kind(change->name, &kind) &&
		    snap_unit_is_secret(kind))
			memory_wipe((char *)(uintptr_t)change->bytes.data,
			    change->bytes.length);
	}
}

void
feed_batch_free(struct feed_batch **batch)
{
	struct feed_batch *old = *batch;

	*batch = NULL;
	if (!old)
		return;
	wipe_keys(old);
	arena_fini(&old->arena);
	memory_free(old->changes);
	memory_free(old);
}

static void
push_change(struct feed_batch *batch, struct slice name, struct slice bytes)
{
	uint32_t count = batch->count;

	must(slice_is_set(name));
	/* Full at each power of two: no capacity needs to be kept. */
	if (count == 0 || (count >= CHANGES_MIN && (count & (count - 1)) == 0))
		batch->changes = memory_resize(batch->changes,
		    count == 0 ? CHANGES_MIN : (size_t)count * 2,
		    sizeof(*batch->changes));
	batch->changes[batch->count++] = (struct feed_change){
	    .name = arena_copy(&batch->arena, name),
	    .bytes = arena_copy(&batch->arena, bytes),
	};
}

void
feed_batch_put(struct feed_batch *batch, struct slice name, struct slice bytes)
{
	/* Absent bytes would drop it; a unit may well have none. */
	push_change(batch, name, slice_is_set(bytes) ? bytes : SLICE(""));
}

void
feed_batch_drop(struct feed_batch *batch, struct slice name)
{
	push_change(batch, name, SLICE_NONE);
}

static struct slice
push_text(char **end, struct slice text)
{
	char *start = *end;

	if (text.length > 0)
		memcpy(start, text.data, text.length);
	*end += text.length;
	return slice_make(start, text.length);
}

static struct feed_reply *
new_reply(enum feed_reply_kind kind, struct slice name,
    const struct feed_claim *claim)
{
	struct feed_reply *reply = memory_zero(1,
	    sizeof(*reply) + name.length + claim->why.length +
	        claim->node.length + claim->interfaces.length +
	        claim->rival.length);
	char *end = reply->storage;

	list_init(&reply->link);
	reply->kind = kind;
	reply->error = claim->error;
	reply->name = push_text(&end, name);
	reply->why = push_text(&end, claim->why);
	reply->claim = (struct feed_claim){
	    .error = claim->error,
	    .why = reply->why,
	    .node = push_text(&end, claim->node),
	};
	reply->claim.interfaces = push_text(&end, claim->interfaces);
	reply->claim.rival = push_text(&end, claim->rival);
	return reply;
}

struct feed_reply *
feed_reply_new(enum feed_reply_kind kind, struct slice name, struct slice why)
{
	const struct feed_claim none = {.why = why};

	return new_reply(kind, name, &none);
}

struct feed_reply *
feed_reply_new_claim(struct slice name, const struct feed_claim *claim)
{
	return new_reply(FEED_CLAIM, name, claim);
}

bool
feed_reply_says(const struct feed_reply *reply)
{
	return reply->error != ERROR_OK || reply->why.length > 0 ||
	    reply->claim.interfaces.length > 0 || reply->claim.rival.length > 0;
}

void
feed_reply_free(struct feed_reply **reply)
{
	memory_free(*reply);
	*reply = NULL;
}

struct feed *
feed_new(void)
{
	struct feed *feed = memory_zero(1, sizeof(*feed));
	int failed = pthread_mutex_init(&feed->lock, NULL);

	must(!failed);
	list_init(&feed->offers.items);
	list_init(&feed->replies.items);
	return feed;
}

void
feed_free(struct feed *feed)
{
	struct feed_batch *batch;
	struct feed_reply *reply;

	if (!feed)
		return;
	while ((batch = feed_take_offer(feed)) != NULL)
		feed_batch_free(&batch);
	while ((reply = feed_take_reply(feed)) != NULL)
		feed_reply_free(&reply);
	pthread_mutex_destroy(&feed->lock);
	memory_free(feed);
}

void
feed_on_offer(struct feed *feed, void (*wake)(void *), void *context)
{
	feed->offers.wake = wake;
	feed->offers.context = context;
}

void
feed_on_reply(struct feed *feed, void (*wake)(void *), void *context)
{
	feed->replies.wake = wake;
	feed->replies.context = context;
}

static void
lock(struct feed *feed)
{
	int failed = pthread_mutex_lock(&feed->lock);

	must(!failed);
}

static void
unlock(struct feed *feed)
{
	int failed = pthread_mutex_unlock(&feed->lock);

	must(!failed);
}

static void
post(struct feed *feed, struct feed_box *box, struct list *item)
{
	lock(feed);
	list_insert(&box->items, item);
	unlock(feed);
	if (box->wake)
		box->wake(box->context);
}

static struct list *
take(struct feed *feed, struct feed_box *box)
{
	struct list *item = NULL;

	lock(feed);
	if (!list_is_empty(&box->items)) {
		item = box->items.next;
		list_remove(item);
	}
	unlock(feed);
	return item;
}

void
feed_offer(struct feed *feed, struct feed_batch **batch)
{
	must(*batch != NULL);
	post(feed, &feed->offers, &(*batch)->link);
	*batch = NULL;
}

void
feed_answer(struct feed *feed, struct feed_reply **reply)
{
	must(*reply != NULL);
	post(feed, &feed->replies, &(*reply)->link);
	*reply = NULL;
}

struct feed_batch *
feed_take_offer(struct feed *feed)
{
	struct list *item = take(feed, &feed->offers);

	return item ? container_of(item, struct feed_batch, link) : NULL;
}

struct feed_reply *
feed_take_reply(struct feed *feed)
{
	struct list *item = take(feed, &feed->replies);

	return item ? container_of(item, struct feed_reply, link) : NULL;
}
