/* The names that are watched: when each is looked up, and what was found last.
 * All work is done in one task: starting look-ups, a bounded number at once,
 * and telling what changed. */
#include "net/names.h"

#include "core/limit.h"
#include "core/map.h"
#include "core/memory.h"
#include "core/must.h"
#include "net/resolver_priv.h"

struct name {
	struct net_names *names;
	struct list waiting; /* for its look-up to start */
	struct list changed; /* to be told */
	struct net_timer timer; /* until the next look-up */
	struct net_address *addresses; /* the last good answer */
	unsigned count;
	enum error error; /* of the last look-up; AGAIN: there was none */
	unsigned failures; /* since the last good one */
	unsigned watches; /* 0: goes when its look-up ends */
	bool is_under_way;
	size_t length;
	char text[]; /* with a NUL */
};

struct net_names {
	struct net_loop *loop;
	struct net_resolver *resolver;
	net_names_fn on_answer;
	void *context;
	struct map map; /* of struct name by text */
	struct list waiting, changed;
	struct net_task task;
	unsigned under_way;
};

static void run(struct net_task *);
static void on_found(
    void *, enum error, const struct net_address *, unsigned, uint64_t);

struct net_names *
net_names_new(struct net_loop *loop, net_names_fn on_answer, void *context)
{
	must(on_answer);
	struct net_resolver *resolver = net_resolver_new(loop);
	if (!resolver)
		return NULL;
	struct net_names *names = memory_zero(1, sizeof(*names));
	names->loop = loop;
	names->resolver = resolver;
	names->on_answer = on_answer;
	names->context = context;
	map_init(&names->map);
	list_init(&names->waiting);
	list_init(&names->changed);
	net_task_init(&names->task, run);
	return names;
}

static void
name_free(struct name *name)
{
	list_remove(&name->waiting);
	list_remove(&name->changed);
	net_timer_clear(&name->timer);
	memory_free(name->addresses);
	memory_free(name);
}

/* The resolver ends its look-ups with CANCELLED, which frees the names that
 * nobody watches any more. */
void
net_names_free(struct net_names *names)
{
	if (!names)
		return;
	net_resolver_free(names->resolver);
	size_t at = 0;
	struct slice key;
	void *name;
	while (map_next(&names->map, &at, &key, &name))
		name_free(name);
	map_fini(&names->map);
	net_task_cancel(names->loop, &names->task);
	memory_free(names);
}

enum error
net_names_set_servers(struct net_names *names, const char *servers)
{
	return net_resolver_set_servers(names->resolver, servers);
}

static void
look_up_soon(struct name *name)
{
	struct net_names *names = name->names;
	if (name->is_under_way || !list_is_empty(&name->waiting))
		return;
	list_insert(&names->waiting, &name->waiting);
	net_loop_defer(names->loop, &names->task);
}

static void
on_timer(struct net_timer *timer)
{
	look_up_soon(container_of(timer, struct name, timer));
}

static struct name *
name_new(struct net_names *names, struct slice text)
{
	struct name *name = memory_zero(1, sizeof(*name) + text.length + 1);
	name->names = names;
	list_init(&name->waiting);
	list_init(&name->changed);
	net_timer_init(&name->timer, on_timer);
	name->error = ERROR_AGAIN;
	name->length = text.length;
	memcpy(name->text, text.data, text.length);
	return name;
}

void
net_names_watch(struct net_names *names, struct slice text)
{
	must(text.length > 0);
	struct name *name = map_get(&names->map, text);
	if (!name) {
		name = name_new(names, text);
		(void)map_put(
		    &names->map, slice_make(name->text, name->length), name);
		look_up_soon(name);
	}
	name->watches++;
}

void
net_names_unwatch(struct net_names *names, struct slice text)
{
	struct name *name = map_get(&names->map, text);
	must(name && name->watches > 0);
	if (--name->watches > 0)
		return;
	(void)map_remove(&names->map, text);
	if (name->is_under_way)
		list_remove(&name->changed);
	else
		name_free(name);
}

void
net_names_refresh(struct net_names *names)
{
	size_t at = 0;
	struct slice key;
	void *name;
	while (map_next(&names->map, &at, &key, &name))
		look_up_soon(name);
}

/* A name may leave the list while it is told, by its unwatch. */
static void
run(struct net_task *task)
{
	struct net_names *names = container_of(task, struct net_names, task);
	while (!list_is_empty(&names->waiting) &&
	    names->under_way < LIMIT_VALUE_NAME_LOOKUPS) {
		struct name *name =
		    container_of(names->waiting.next, struct name, waiting);
		list_remove(&name->waiting);
		name->is_under_way = true;
		names->under_way++;
		net_resolver_look_up(
		    names->resolver, name->text, on_found, name);
	}
	while (!list_is_empty(&names->changed)) {
		struct name *name =
		    container_of(names->changed.next, struct name, changed);
		list_remove(&name->changed);
		names->on_answer(names->context,
		    slice_make(name->text, name->length), name->addresses,
		    name->count, name->count ? ERROR_OK : name->error);
	}
}

static void
mark_changed(struct name *name)
{
	if (list_is_empty(&name->changed))
		list_insert(&name->names->changed, &name->changed);
}

static void
keep(struct name *name, const struct net_address *addresses, unsigned count)
{
	size_t size = count * sizeof(*addresses);
	if (name->count == count &&
	    memcmp(name->addresses, addresses, size) == 0)
		return;
	memory_free(name->addresses);
	name->addresses = memory_alloc(size);
	memcpy(name->addresses, addresses, size);
	name->count = count;
	mark_changed(name);
}

/* Failures wait longer each time, from the shortest refresh to the longest. */
static uint64_t
next_ms(const struct name *name, uint64_t ttl_ms)
{
	uint64_t ms = ttl_ms;
	if (name->failures > 0) {
		unsigned doublings = name->failures - 1;
		ms = (uint64_t)LIMIT_VALUE_NAME_REFRESH_MS
		    << (doublings < 16 ? doublings : 16);
	}
	if (ms < LIMIT_VALUE_NAME_REFRESH_MS)
		ms = LIMIT_VALUE_NAME_REFRESH_MS;
	if (ms > LIMIT_VALUE_NAME_REFRESH_MAX_MS)
		ms = LIMIT_VALUE_NAME_REFRESH_MAX_MS;
	return ms;
}

static void
on_found(void *context, enum error error, const struct net_address *addresses,
    unsigned count, uint64_t ttl_ms)
{
	struct name *name = context;
	struct net_names *names = name->names;
	name->is_under_way = false;
	names->under_way--;
	net_loop_defer(names->loop, &names->task);
	if (name->watches == 0) {
		name_free(name);
		return;
	}
	if (error == ERROR_OK) {
		name->failures = 0;
		keep(name, addresses, count);
	} else {
		name->failures++;
		if (name->count == 0 && name->error != error)
			mark_changed(name);
	}
	name->error = error;
	net_timer_set(names->loop, &name->timer, next_ms(name, ttl_ms));
}
