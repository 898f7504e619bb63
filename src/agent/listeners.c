/* How each listener unit fares: whether all its sockets are open. The feed is
 * told when that changed, and only then. */
#include "agent/agent_priv.h"

#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"

struct agent_listener {
	/* As reported last. */
	bool reported;
	enum error error;
	char why[AGENT_WHY_BYTES];
	char name[];
};

void
agent_listeners_note(struct agent *agent, struct slice name)
{
	struct agent_listener *entry = map_get(&agent->listeners, name);

	agent->listeners_changed = true;
	if (entry != NULL)
		return;
	entry = memory_zero(1, sizeof(*entry) + name.length);
	memcpy(entry->name, name.data, name.length);
	map_put(&agent->listeners, slice_make(entry->name, name.length), entry);
}

static void
report(struct agent *agent, struct slice name, struct agent_listener *entry,
    const struct unit *unit)
{
	struct slice why;
	enum error error = agent_listener_state(agent, unit, &why);
	struct feed_reply *reply;

	if (entry->reported && entry->error == error &&
	    slice_equal(slice_from_string(entry->why), why))
		return;
	entry->reported = true;
	entry->error = error;
	must(why.length < sizeof(entry->why));
	memcpy(entry->why, why.data, why.length);
	entry->why[why.length] = '\0';
	reply = feed_reply_new(FEED_REPORT, name, why);
	reply->error = error;
	feed_answer(agent->options.feed, &reply);
}

void
agent_listeners_report(struct agent *agent)
{
	struct map old = agent->listeners;
	struct slice name;
	void *value;

	map_init(&agent->listeners);
	for (size_t at = 0; map_next(&old, &at, &name, &value);) {
		struct agent_listener *entry = value;
		const struct unit *unit = snap_store_unit(agent->store, name);

		if (unit == NULL) {
			memory_free(entry);
			continue;
		}
		report(agent, name, entry, unit);
		map_put(&agent->listeners, name, entry);
	}
	map_fini(&old);
}

void
agent_listeners_free(struct agent *agent)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&agent->listeners, &at, &name, &value);)
		memory_free(value);
	map_fini(&agent->listeners);
}

enum error
agent_listener_state(
    struct agent *agent, const struct unit *unit, struct slice *why)
{
	const struct unit_listener *listener = unit->listener;
	uint32_t count = listener->addresses_count;

	*why = SLICE("");
	must(unit->kind == UNIT_LISTENER);
	if (listener->protocol > UNIT_PROTOCOL_TLS) {
		*why = SLICE("TCP and UDP are not carried yet");
		return ERROR_UNSUPPORTED;
	}
	for (uint32_t i = 0; i < count || i == 0; i++) {
		struct slice text =
		    count > 0 ? listener->addresses[i] : SLICE("");
		const struct agent_socket *socket;
		struct net_address address;

		if (agent_socket_address(
		        text, (uint16_t)listener->port, &address) != ERROR_OK) {
			*why = SLICE("an address that is no IP address");
			return ERROR_INVALID;
		}
		socket = agent_socket_find(
		    agent, &address, listener->protocol != UNIT_PROTOCOL_HTTP);
		if (socket == NULL || socket->error == ERROR_OK)
			continue;
		*why = slice_from_string(socket->why);
		return socket->error;
	}
	return ERROR_OK;
}
