/* The names of external backends: watches those that units need, and no others,
 * and puts the answers into the store. c-ares and its channel cost memory that
 * most never need, so they are made with the first name. */
#include "agent/agent_priv.h"

#include "core/log.h"
#include "core/memory.h"

struct agent_hostname {
	bool wanted;
	char text[];
};

static void
on_name(void *context, struct slice name, const struct net_address *addresses,
    unsigned count, enum error error)
{
	struct agent *agent = context;
	struct arena arena;
	struct slice *texts;

	if (error != ERROR_OK)
		log_event(LOG_NAME_FAILED, LOG_TEXT("name", name),
		    LOG_STRING("error", error_text(error)));
	if (count == 0)
		return;
	arena_init(&arena, 1024);
	texts = arena_zero(&arena, count, sizeof(*texts));
	for (unsigned i = 0; i < count; i++) {
		char text[NET_ADDRESS_TEXT];
		unsigned length = net_address_format_ip(&addresses[i], text);

		texts[i] = arena_copy(&arena, slice_make(text, length));
	}
	snap_store_resolve(agent->store, name, texts, count);
	arena_fini(&arena);
	if (!agent->resolved)
		net_loop_wake(agent->options.loop);
	agent->resolved = true;
}

static void
want_hostname(void *context, struct slice name)
{
	struct agent *agent = context;
	struct agent_hostname *entry = map_get(&agent->hostnames, name);

	if (agent->names == NULL)
		agent->names =
		    net_names_new(agent->options.loop, on_name, agent);
	if (agent->names == NULL) {
		on_name(agent, name, NULL, 0, ERROR_SYSTEM);
		return;
	}
	if (entry == NULL) {
		entry = memory_alloc(sizeof(*entry) + name.length);
		memcpy(entry->text, name.data, name.length);
		map_put(&agent->hostnames, slice_make(entry->text, name.length),
		    entry);
		net_names_watch(agent->names, name);
	}
	entry->wanted = true;
}

void
agent_hostnames_sync(struct agent *agent)
{
	struct map old = agent->hostnames;
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&old, &at, &name, &value);)
		((struct agent_hostname *)value)->wanted = false;
	snap_store_hostnames(agent->store, want_hostname, agent);
	old = agent->hostnames;
	map_init(&agent->hostnames);
	for (size_t at = 0; map_next(&old, &at, &name, &value);) {
		struct agent_hostname *entry = value;

		if (entry->wanted) {
			map_put(&agent->hostnames, name, entry);
			continue;
		}
		net_names_unwatch(agent->names, name);
		memory_free(entry);
	}
	map_fini(&old);
}

void
agent_hostnames_free(struct agent *agent)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&agent->hostnames, &at, &name, &value);)
		memory_free(value);
	map_fini(&agent->hostnames);
}
