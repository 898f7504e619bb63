/* The table of listening sockets: what the set asks for, opened once for every
 * worker, lent to the workers, taken back and closed when the worker accepts no
 * more, although what came through is still served. Closing a descriptor drops
 * its accept queue, so one that the next set still asks for is never touched.
 */
#include "agent/agent_priv.h"

#include <stdio.h>
#include <unistd.h>

#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "net/listener.h"

#define BACKLOG 4096
#define RETRY_MS 1000

static struct agent_socket *
find_id(struct agent *agent, uint32_t id)
{
	LIST_FOR_EACH(at, &agent->sockets)
	{
		struct agent_socket *socket =
		    container_of(at, struct agent_socket, link);

		if (socket->id == id && !socket->closing)
			return socket;
	}
	return NULL;
}

enum error
agent_socket_address(
    struct slice address, uint16_t port, struct net_address *out)
{
	if (address.length == 0)
		address = SLICE("::");
	return net_address_parse(address, port, out);
}

struct agent_socket *
agent_socket_find(
    struct agent *agent, const struct net_address *address, bool tls)
{
	LIST_FOR_EACH(at, &agent->sockets)
	{
		struct agent_socket *socket =
		    container_of(at, struct agent_socket, link);

		if (!socket->closing && socket->tls == tls &&
		    net_address_equal(&socket->asked, address))
			return socket;
	}
	return NULL;
}

static void
close_all(struct agent_socket *socket)
{
	while (socket->count > 0)
		if (socket->fds[--socket->count] >= 0)
			close(socket->fds[socket->count]);
}

/* What would help. */
static const char *
hint(enum error error)
{
	switch (error) {
	case ERROR_DENIED:
		return " (ports below 1024 need CAP_NET_BIND_SERVICE)";
	case ERROR_NOT_FOUND:
		return " (this host does not have the address)";
	default:
		return "";
	}
}

/* Whether the address is here: the host's own, or announced and held; one that
 * is not claimed may be. An address that another machine has is not on this
 * host. */
static enum error
look_at_address(struct agent *agent, struct agent_socket *socket)
{
	struct announcer *announcer = agent->options.announcer;
	char address[NET_ADDRESS_TEXT];
	struct text why;

	socket->why[0] = '\0';
	if (announcer == NULL || socket->any)
		return ERROR_OK;
	text_init(&why);
	enum error error = announcer_state(announcer, &socket->address, &why);
	if (error == ERROR_NOT_FOUND)
		error = ERROR_OK;
	if (error != ERROR_OK) {
		net_address_format_ip(&socket->address, address);
		snprintf(socket->why, sizeof(socket->why), "%s: %.*s", address,
		    SLICE_ARGS(text_slice(&why)));
	}
	text_fini(&why);
	/* It is for others. */
	return error == ERROR_IN_USE || error == ERROR_EXISTS ? ERROR_NOT_FOUND
	                                                      : error;
}

/* Open a descriptor for each worker, or none and say why. */
static void
open_all(struct agent *agent, struct agent_socket *socket)
{
	char text[NET_ADDRESS_TEXT];

	socket->error = look_at_address(agent, socket);
	if (socket->error != ERROR_OK)
		return;
	socket->error = net_listen_settle(&socket->address);
	while (socket->error == ERROR_OK &&
	    socket->count < agent->options.workers) {
		socket->error = net_listen_tcp(
		    &socket->address, BACKLOG, &socket->fds[socket->count]);
		if (socket->error == ERROR_OK)
			socket->count++;
	}
	if (socket->error == ERROR_OK) {
		for (unsigned i = 0; i < socket->count; i++)
			proxy_worker_lend(agent->workers[i], socket->id,
			    socket->fds[i], socket->address.port, socket->tls);
		return;
	}
	close_all(socket);
	net_address_format(&socket->address, text);
	snprintf(socket->why, sizeof(socket->why), "cannot listen on %s: %s%s",
	    text, error_text(socket->error), hint(socket->error));
	if (!net_timer_is_set(&agent->retry))
		net_timer_set(agent->options.loop, &agent->retry, RETRY_MS);
}

static void
add(struct agent *agent, const struct snap_socket *wanted)
{
	struct agent_socket *socket = memory_zero(
	    1, sizeof(*socket) + agent->options.workers * sizeof(int));

	socket->id = wanted->id;
	socket->wanted = true;
	socket->any = wanted->address.length == 0;
	socket->tls = wanted->tls;
	list_insert(&agent->sockets, &socket->link);
	if (agent_socket_address(
	        wanted->address, wanted->port, &socket->asked) != ERROR_OK) {
		socket->error = ERROR_INVALID;
		snprintf(socket->why, sizeof(socket->why),
		    "%.*s is no IP address", SLICE_ARGS(wanted->address));
		return;
	}
	socket->address = socket->asked;
	open_all(agent, socket);
}

void
agent_sockets_sync(struct agent *agent, const struct snap_set *set)
{
	const struct snap_socket *wanted;
	unsigned count = snap_set_sockets(set, &wanted);

	LIST_FOR_EACH(at, &agent->sockets)
	container_of(at, struct agent_socket, link)->wanted = false;
	for (unsigned i = 0; i < count; i++) {
		/* Not carried yet: agent_listener_state says so. */
		if (wanted[i].flow)
			continue;

		struct agent_socket *socket = find_id(agent, wanted[i].id);

		if (socket != NULL)
			socket->wanted = true;
		else
			add(agent, &wanted[i]);
	}
	LIST_FOR_EACH(at, &agent->sockets)
	{
		struct agent_socket *socket =
		    container_of(at, struct agent_socket, link);

		if (socket->wanted || socket->closing)
			continue;
		socket->closing = true;
		for (unsigned i = 0; i < socket->count; i++)
			proxy_worker_take_back(
			    agent->workers[i], socket->fds[i]);
	}
}

bool
agent_sockets_retry(struct agent *agent)
{
	bool opened = false;

	LIST_FOR_EACH(at, &agent->sockets)
	{
		struct agent_socket *socket =
		    container_of(at, struct agent_socket, link);

		if (socket->closing || socket->address.family == 0 ||
		    socket->error == ERROR_OK)
			continue;
		open_all(agent, socket);
		opened = opened || socket->error == ERROR_OK;
	}
	return opened;
}

/* True: all are closed. */
static bool
close_given_back(const struct agent *agent, struct agent_socket *socket)
{
	bool all = true;

	for (unsigned i = 0; i < socket->count; i++) {
		if (socket->fds[i] < 0)
			continue;
		if (proxy_worker_accepts(agent->workers[i], socket->fds[i])) {
			all = false;
			continue;
		}
		close(socket->fds[i]);
		socket->fds[i] = -1;
	}
	return all;
}

bool
agent_sockets_reap(struct agent *agent)
{
	bool closed = false;

	LIST_FOR_EACH_SAFE(at, &agent->sockets)
	{
		struct agent_socket *socket =
		    container_of(at, struct agent_socket, link);

		if (!(socket->closing || agent->draining) ||
		    !close_given_back(agent, socket))
			continue;
		closed = true;
		list_remove(&socket->link);
		memory_free(socket);
	}
	return closed;
}

void
agent_sockets_close(struct agent *agent)
{
	LIST_FOR_EACH_SAFE(at, &agent->sockets)
	{
		struct agent_socket *socket =
		    container_of(at, struct agent_socket, link);

		close_all(socket);
		list_remove(&socket->link);
		memory_free(socket);
	}
}
