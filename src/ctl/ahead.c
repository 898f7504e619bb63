/* A ring of files between two threads. The owner puts at one end and takes at
 * the other; the thread works its way between them. A place of the ring is the
 * owner's, but for the time from its being put to its being parsed. */
#include "ctl/ahead.h"

#include <pthread.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "core/thread.h"

struct place {
	void *owner;
	struct text bytes;
	struct ctl_parsed parsed;
};

struct ctl_ahead {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t put_one, parsed_one;
	/* How many ever; only the owner changes put and taken. */
	unsigned put, parsed, taken;
	bool stop;
	size_t bytes; /* of what was not taken yet; the owner's alone */
	struct place places[LIMIT_VALUE_AHEAD_FILES];
};

static struct place *
place_of(struct ctl_ahead *ahead, unsigned number)
{
	return &ahead->places[number % LIMIT_VALUE_AHEAD_FILES];
}

/* Waits for what is next to be parsed; false: there will be none. */
static bool
wait_for_put(struct ctl_ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	while (!ahead->stop && ahead->parsed == ahead->put)
		pthread_cond_wait(&ahead->put_one, &ahead->lock);
	bool more = !ahead->stop;

	pthread_mutex_unlock(&ahead->lock);
	return more;
}

static void *
run(void *context)
{
	struct ctl_ahead *ahead = context;

	while (wait_for_put(ahead)) {
		struct place *place = place_of(ahead, ahead->parsed);

		ctl_parse(&place->parsed, text_slice(&place->bytes));
		pthread_mutex_lock(&ahead->lock);
		ahead->parsed++;
		pthread_cond_signal(&ahead->parsed_one);
		pthread_mutex_unlock(&ahead->lock);
	}
	return NULL;
}

enum error
ctl_ahead_new(struct ctl_ahead **ahead)
{
	must(ahead != NULL);
	struct ctl_ahead *made = memory_zero(1, sizeof(*made));

	pthread_mutex_init(&made->lock, NULL);
	pthread_cond_init(&made->put_one, NULL);
	pthread_cond_init(&made->parsed_one, NULL);
	enum error error = thread_start(&made->thread, "parse", run, made);

	if (error == ERROR_OK)
		*ahead = made;
	else
		memory_free(made);
	return error;
}

void
ctl_ahead_free(struct ctl_ahead **ahead)
{
	struct ctl_ahead *old = *ahead;

	*ahead = NULL;
	if (old == NULL)
		return;
	pthread_mutex_lock(&old->lock);
	old->stop = true;
	pthread_cond_signal(&old->put_one);
	pthread_mutex_unlock(&old->lock);
	int failed = pthread_join(old->thread, NULL);

	must(!failed);
	for (unsigned i = old->taken; i != old->put; i++) {
		struct place *place = place_of(old, i);

		text_wipe(&place->bytes);
		if (i - old->taken < old->parsed - old->taken)
			ctl_parsed_fini(&place->parsed);
	}
	pthread_cond_destroy(&old->put_one);
	pthread_cond_destroy(&old->parsed_one);
	pthread_mutex_destroy(&old->lock);
	memory_free(old);
}

bool
ctl_ahead_is_full(const struct ctl_ahead *ahead, size_t bytes)
{
	must(ahead != NULL);
	unsigned count = ahead->put - ahead->taken;

	/* One that is larger than all may be goes alone. */
	return count == LIMIT_VALUE_AHEAD_FILES ||
	    (count > 0 && ahead->bytes + bytes > LIMIT_VALUE_AHEAD_BYTES);
}

void
ctl_ahead_put(struct ctl_ahead *ahead, void *owner, struct text *bytes)
{
	must(ahead != NULL && owner != NULL && bytes != NULL);
	must(ahead->put - ahead->taken < LIMIT_VALUE_AHEAD_FILES);
	struct place *place = place_of(ahead, ahead->put);

	place->owner = owner;
	place->bytes = *bytes;
	text_init(bytes);
	ahead->bytes += place->bytes.length;
	pthread_mutex_lock(&ahead->lock);
	ahead->put++;
	pthread_cond_signal(&ahead->put_one);
	pthread_mutex_unlock(&ahead->lock);
}

void *
ctl_ahead_take(struct ctl_ahead *ahead, struct ctl_parsed *parsed)
{
	must(ahead != NULL && parsed != NULL);
	if (ahead->taken == ahead->put)
		return NULL;
	struct place *place = place_of(ahead, ahead->taken);

	pthread_mutex_lock(&ahead->lock);
	while (ahead->parsed == ahead->taken)
		pthread_cond_wait(&ahead->parsed_one, &ahead->lock);
	pthread_mutex_unlock(&ahead->lock);
	ahead->taken++;
	ahead->bytes -= place->bytes.length;
	text_wipe(&place->bytes);
	*parsed = place->parsed;
	return place->owner;
}
