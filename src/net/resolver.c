/* c-ares on the loop: its sockets become watches, its time-outs a timer. c-ares
 * is entered from a task and from net_resolver_look_up only, and expects to be
 * called as long as a socket is readable, where the loop tells edges: so what
 * was told is remembered until nothing is left to read. */
#include "net/resolver_priv.h"

#include <ares.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "core/limit.h"
#include "core/list.h"
#include "core/memory.h"
#include "core/must.h"

enum { ROUNDS_MAX = 256 };
#define CONFIGURATION "/etc/resolv.conf"

struct resolver_socket {
	struct list link;
	struct net_resolver *resolver;
	struct net_watch watch; /* fd -1: closed, to be freed */
	unsigned pending; /* events told, not yet acted on */
	bool wants_write, peer_closed;
};

struct net_resolver {
	struct net_loop *loop;
	ares_channel channel;
	struct list sockets;
	struct net_task task;
	struct net_timer timer;
	struct timespec configured; /* the file's time of change */
	unsigned under_way;
	bool has_servers; /* set by hand */
	bool is_late; /* c-ares has time-outs to look at */
};

struct look_up {
	struct net_resolver *resolver;
	net_resolver_fn on_answer;
	void *context;
};

static enum error channel_open(struct net_resolver *);
static void on_socket_state(void *, ares_socket_t, int, int);
static void run(struct net_task *);
static void on_timer(struct net_timer *);
static void sweep(struct net_resolver *);
static void set_timer(struct net_resolver *);

struct net_resolver *
net_resolver_new(struct net_loop *loop)
{
	struct net_resolver *resolver = memory_zero(1, sizeof(*resolver));
	resolver->loop = loop;
	list_init(&resolver->sockets);
	net_task_init(&resolver->task, run);
	net_timer_init(&resolver->timer, on_timer);
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		memory_free(resolver);
		return NULL;
	}
	if (channel_open(resolver) != ERROR_OK) {
		ares_library_cleanup();
		memory_free(resolver);
		return NULL;
	}
	return resolver;
}

void
net_resolver_free(struct net_resolver *resolver)
{
	if (!resolver)
		return;
	ares_destroy(resolver->channel);
	ares_library_cleanup();
	sweep(resolver);
	must(list_is_empty(&resolver->sockets));
	net_task_cancel(resolver->loop, &resolver->task);
	net_timer_clear(&resolver->timer);
	memory_free(resolver);
}

enum error
net_resolver_set_servers(struct net_resolver *resolver, const char *servers)
{
	must(resolver->under_way == 0);
	resolver->has_servers = true;
	switch (ares_set_servers_ports_csv(resolver->channel, servers)) {
	case ARES_SUCCESS:
		return ERROR_OK;
	case ARES_ENOMEM:
		return ERROR_NO_MEMORY;
	default:
		return ERROR_INVALID;
	}
}

static struct timespec
configuration_time(void)
{
	struct stat status;
	if (stat(CONFIGURATION, &status) != 0)
		return (struct timespec){0};
	return status.st_mtim;
}

/* No search list: names in objects are absolute. */
static enum error
channel_open(struct net_resolver *resolver)
{
	struct ares_options options = {
	    .timeout = LIMIT_VALUE_NAME_LOOKUP_MS,
	    .tries = 2,
	    .ndomains = 0,
	    .sock_state_cb = on_socket_state,
	    .sock_state_cb_data = resolver,
	};
	resolver->configured = configuration_time();
	int status = ares_init_options(&resolver->channel, &options,
	    ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS |
	        ARES_OPT_SOCK_STATE_CB);
	return status == ARES_SUCCESS ? ERROR_OK : ERROR_SYSTEM;
}

/* A host that changes networks gets other name servers. */
static void
follow_configuration(struct net_resolver *resolver)
{
	struct timespec now = configuration_time();
	if (resolver->has_servers || resolver->under_way > 0 ||
	    (now.tv_sec == resolver->configured.tv_sec &&
	        now.tv_nsec == resolver->configured.tv_nsec))
		return;
	ares_channel old = resolver->channel;
	if (channel_open(resolver) == ERROR_OK)
		ares_destroy(old);
	else
		resolver->channel = old;
}

static enum error
error_from_ares(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return ERROR_OK;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_ENONAME:
		return ERROR_NOT_FOUND;
	case ARES_EBADNAME:
	case ARES_EBADQUERY:
		return ERROR_INVALID;
	case ARES_ETIMEOUT:
		return ERROR_TIMEOUT;
	case ARES_ECONNREFUSED:
		return ERROR_REFUSED;
	case ARES_ENOMEM:
		return ERROR_NO_MEMORY;
	case ARES_EDESTRUCTION:
	case ARES_ECANCELLED:
		return ERROR_CANCELLED;
	default:
		return ERROR_NAME_SERVER;
	}
}

static int
compare(const void *a, const void *b)
{
	return net_address_compare(a, b);
}

/* Sort, and leave each once. */
static unsigned
make_set(struct net_address *addresses, unsigned count)
{
	unsigned kept = 0;
	qsort(addresses, count, sizeof(*addresses), compare);
	for (unsigned i = 0; i < count; i++) {
		if (kept == 0 ||
		    !net_address_equal(&addresses[i], &addresses[kept - 1]))
			addresses[kept++] = addresses[i];
	}
	return kept;
}

static uint64_t
ttl_ms_of(const struct ares_addrinfo *found)
{
	int ttl = INT32_MAX;
	for (const struct ares_addrinfo_node *node = found->nodes; node;
	     node = node->ai_next)
		ttl = node->ai_ttl < ttl ? node->ai_ttl : ttl;
	for (const struct ares_addrinfo_cname *alias = found->cnames; alias;
	     alias = alias->next)
		ttl = alias->ttl < ttl ? alias->ttl : ttl;
	return ttl > 0 ? (uint64_t)ttl * 1000 : 0;
}

static void
answer(const struct look_up *look_up, const struct ares_addrinfo *found)
{
	struct net_address addresses[LIMIT_VALUE_NAME_ADDRESSES];
	unsigned count = 0;
	for (const struct ares_addrinfo_node *node = found->nodes;
	     node && count < LIMIT_VALUE_NAME_ADDRESSES; node = node->ai_next) {
		net_address_from_sockaddr(node->ai_addr, &addresses[count]);
		addresses[count].port = 0;
		if (addresses[count].family)
			count++;
	}
	count = make_set(addresses, count);
	look_up->on_answer(look_up->context, count ? ERROR_OK : ERROR_NOT_FOUND,
	    addresses, count, ttl_ms_of(found));
}

static void
on_found(void *context, int status, int timeouts, struct ares_addrinfo *found)
{
	(void)timeouts;
	struct look_up *look_up = context;
	look_up->resolver->under_way--;
	if (status == ARES_SUCCESS)
		answer(look_up, found);
	else
		look_up->on_answer(
		    look_up->context, error_from_ares(status), NULL, 0, 0);
	ares_freeaddrinfo(found);
	memory_free(look_up);
}

void
net_resolver_look_up(struct net_resolver *resolver, const char *name,
    net_resolver_fn on_answer, void *context)
{
	static const struct ares_addrinfo_hints hints = {
	    .ai_flags = ARES_AI_NOSORT,
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	};
	struct net_address literal;
	if (net_address_parse(slice_from_string(name), 0, &literal) ==
	    ERROR_OK) {
		on_answer(context, ERROR_OK, &literal, 1, UINT32_MAX);
		return;
	}
	struct look_up *look_up = memory_alloc(sizeof(*look_up));
	*look_up = (struct look_up){
	    .resolver = resolver,
	    .on_answer = on_answer,
	    .context = context,
	};
	follow_configuration(resolver);
	resolver->under_way++;
	ares_getaddrinfo(
	    resolver->channel, name, NULL, &hints, on_found, look_up);
	set_timer(resolver);
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct resolver_socket *socket =
	    container_of(watch, struct resolver_socket, watch);
	socket->pending |= events;
	if (events & (NET_PEER_CLOSED | NET_FAILED))
		socket->peer_closed = true;
	net_loop_defer(socket->resolver->loop, &socket->resolver->task);
}

static struct resolver_socket *
find_socket(struct net_resolver *resolver, int fd)
{
	LIST_FOR_EACH(at, &resolver->sockets)
	{
		struct resolver_socket *socket =
		    container_of(at, struct resolver_socket, link);
		if (socket->watch.fd == fd)
			return socket;
	}
	return NULL;
}

/* Without a watch its queries time out, and are tried again. */
static void
socket_add(struct net_resolver *resolver, int fd, bool wants_write)
{
	struct resolver_socket *socket = memory_zero(1, sizeof(*socket));
	socket->resolver = resolver;
	socket->watch = (struct net_watch){.on_ready = on_ready, .fd = fd};
	socket->wants_write = wants_write;
	if (net_loop_add(resolver->loop, &socket->watch) == ERROR_OK)
		list_insert(&resolver->sockets, &socket->link);
	else
		memory_free(socket);
}

/* c-ares wants to read or write fd from now on, or neither: it closes it. */
static void
on_socket_state(void *context, ares_socket_t fd, int readable, int writable)
{
	struct net_resolver *resolver = context;
	struct resolver_socket *socket = find_socket(resolver, fd);
	if (!socket) {
		if (readable || writable)
			socket_add(resolver, fd, writable);
		return;
	}
	if (!readable && !writable) {
		net_loop_remove(resolver->loop, &socket->watch);
		socket->watch.fd = -1;
	} else if (writable && !socket->wants_write) {
		/* The edge may be long past. */
		socket->pending |= NET_WRITABLE;
	}
	socket->wants_write = writable;
	net_loop_defer(resolver->loop, &resolver->task);
}

/* Act on one socket's events. False: none had any. */
static bool
process_one(struct net_resolver *resolver)
{
	struct resolver_socket *socket = NULL;
	LIST_FOR_EACH(at, &resolver->sockets)
	{
		socket = container_of(at, struct resolver_socket, link);
		if (socket->watch.fd >= 0 && socket->pending)
			break;
		socket = NULL;
	}
	if (!socket)
		return false;

	int fd = socket->watch.fd, left = 0;
	bool read = socket->pending & ~(unsigned)NET_WRITABLE;
	bool write = (socket->pending & NET_WRITABLE) && socket->wants_write;
	socket->pending = 0;
	if (read || write)
		ares_process_fd(resolver->channel, read ? fd : ARES_SOCKET_BAD,
		    write ? fd : ARES_SOCKET_BAD);
	if (read && socket->watch.fd >= 0 &&
	    (socket->peer_closed ||
	        (ioctl(fd, FIONREAD, &left) == 0 && left > 0)))
		socket->pending |= NET_READABLE;
	return true;
}

static void
run(struct net_task *task)
{
	struct net_resolver *resolver =
	    container_of(task, struct net_resolver, task);
	unsigned rounds = 0;
	if (resolver->is_late) {
		resolver->is_late = false;
		ares_process_fd(
		    resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	}
	while (process_one(resolver)) {
		if (++rounds == ROUNDS_MAX) {
			net_loop_yield(resolver->loop, &resolver->task);
			break;
		}
	}
	sweep(resolver);
	set_timer(resolver);
}

static void
on_timer(struct net_timer *timer)
{
	struct net_resolver *resolver =
	    container_of(timer, struct net_resolver, timer);
	resolver->is_late = true;
	net_loop_defer(resolver->loop, &resolver->task);
}

/* Free the sockets that c-ares has closed. */
static void
sweep(struct net_resolver *resolver)
{
	LIST_FOR_EACH_SAFE(at, &resolver->sockets)
	{
		struct resolver_socket *socket =
		    container_of(at, struct resolver_socket, link);
		if (socket->watch.fd < 0) {
			list_remove(&socket->link);
			memory_free(socket);
		}
	}
}

static void
set_timer(struct net_resolver *resolver)
{
	struct timeval left;
	if (ares_timeout(resolver->channel, NULL, &left))
		net_timer_set(resolver->loop, &resolver->timer,
		    (uint64_t)left.tv_sec * 1000 +
		        (uint64_t)left.tv_usec / 1000 + 1);
	else
		net_timer_clear(&resolver->timer);
}
