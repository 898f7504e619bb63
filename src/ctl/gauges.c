/* Two threads: ctl's writes, the admin server's reads. */
#include "ctl/gauges.h"

#include <pthread.h>

#include "core/memory.h"
#include "core/must.h"

struct ctl_gauges {
	struct net_loop *loop; /* ctl's */
	ctl_gauges_fn fn;
	pthread_mutex_t lock; /* of the two below */
	struct text text;
	bool read; /* since they were written */
};

struct ctl_gauges *
ctl_gauges_new(struct net_loop *ctl_loop, ctl_gauges_fn fn)
{
	struct ctl_gauges *made = memory_zero(1, sizeof(*made));
	int failed = pthread_mutex_init(&made->lock, NULL);

	must(!failed);
	made->loop = ctl_loop;
	made->fn = fn;
	made->read = true;
	text_init(&made->text);
	return made;
}

void
ctl_gauges_free(struct ctl_gauges **gauges)
{
	struct ctl_gauges *old = *gauges;

	*gauges = NULL;
	if (!old)
		return;
	pthread_mutex_destroy(&old->lock);
	text_fini(&old->text);
	memory_free(old);
}

static void
lock(struct ctl_gauges *gauges)
{
	int failed = pthread_mutex_lock(&gauges->lock);

	must(!failed);
}

static void
unlock(struct ctl_gauges *gauges)
{
	int failed = pthread_mutex_unlock(&gauges->lock);

	must(!failed);
}

bool
ctl_gauges_refresh(
    struct ctl_gauges *gauges, struct gw_state *state, bool changed)
{
	must(gauges != NULL && state != NULL);
	struct text text, before;
	bool read;

	if (!changed)
		return false;
	lock(gauges);
	read = gauges->read;
	unlock(gauges);
	if (!read)
		return false;
	text_init(&text);
	gauges->fn(&text, state);
	lock(gauges);
	before = gauges->text;
	gauges->text = text;
	gauges->read = false;
	unlock(gauges);
	text_fini(&before);
	return true;
}

void
ctl_gauges_write(void *context, struct text *out)
{
	struct ctl_gauges *gauges = context;

	lock(gauges);
	text_push(out, text_slice(&gauges->text));
	gauges->read = true;
	unlock(gauges);
	/* What has changed since is there the next time. */
	net_loop_wake(gauges->loop);
}
