/* rtnetlink: local routes, and news of links and addresses. */
#include "net/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/must.h"

#define REQUEST_BYTES 256
/* Marks our routes among others' (rtnetlink(7): the kernel leaves what is above
 * RTPROT_STATIC to users; 199 is nobody's in iproute2's rt_protos). */
#define OUR_PROTOCOL 199
/* Routes that one sweep removes; the next start removes more. */
#define SWEEP_ROUTES 4096
#define ANSWER_BYTES 8192
/* Messages that one turn takes; the rest is one more look. */
#define NEWS_PER_TURN 64
/* What changes in the midst of a dump is asked for so often at once; what
 * addresses there are then again after so long. */
#define DUMP_TRIES 4
#define GOOD_LATER_MS 500
/* kube-proxy in IPVS mode has this interface on every node, with the addresses
 * of all Services on it, those of load balancers among them, so that the kernel
 * takes in what comes for them. They are no node's own for that. */
#define SERVICES_INTERFACE "kube-ipvs0"

static const void *
ip_of(const struct net_address *address, size_t *length)
{
	bool is_ipv4 = address->family == AF_INET;
	*length = is_ipv4 ? 4 : 16;
	return address->ip + (is_ipv4 ? 12 : 0);
}

/* A message about the route to one address; the caller adds what it is for. */
static struct nlmsghdr *
begin(void *buffer, uint16_t kind, uint16_t flags,
    const struct net_address *address)
{
	size_t length;
	const void *ip = ip_of(address, &length);
	struct nlmsghdr *head = mnl_nlmsg_put_header(buffer);

	head->nlmsg_type = kind;
	head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	head->nlmsg_seq = 1;
	struct rtmsg *route =
	    mnl_nlmsg_put_extra_header(head, sizeof(struct rtmsg));
	route->rtm_family = (unsigned char)address->family;
	route->rtm_dst_len = (unsigned char)(length * 8);
	mnl_attr_put(head, RTA_DST, length, ip);
	return head;
}

/* Ask the kernel and read its answer, which comes at once, in many parts where
 * it is long. A strict kernel tells of the routes that are asked for alone, not
 * of all the host has; an older one does not know that. */
static enum error
talk(const struct nlmsghdr *request, mnl_cb_t on_answer, void *context)
{
	char answer[ANSWER_BYTES];
	int more = MNL_CB_ERROR, strict = 1;

	struct mnl_socket *socket =
	    mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (socket == NULL)
		return error_from_errno(errno);
	(void)!mnl_socket_setsockopt(
	    socket, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0)
		more = MNL_CB_OK;
	while (more == MNL_CB_OK) {
		ssize_t length =
		    mnl_socket_recvfrom(socket, answer, sizeof(answer));
		more = length < 0
		    ? MNL_CB_ERROR
		    : mnl_cb_run(answer, (size_t)length, request->nlmsg_seq,
		          mnl_socket_get_portid(socket), on_answer, context);
	}
	enum error error =
	    more == MNL_CB_ERROR ? error_from_errno(errno) : ERROR_OK;
	mnl_socket_close(socket);
	return error;
}

static enum error
change_local(const struct net_address *address, uint16_t kind, uint16_t flags)
{
	char buffer[REQUEST_BYTES];

	struct nlmsghdr *head =
	    begin(buffer, kind, (uint16_t)(NLM_F_ACK | flags), address);
	struct rtmsg *route = mnl_nlmsg_get_payload(head);
	route->rtm_table = RT_TABLE_LOCAL;
	route->rtm_protocol = OUR_PROTOCOL;
	route->rtm_type = RTN_LOCAL;
	route->rtm_scope = RT_SCOPE_HOST;
	mnl_attr_put_u32(head, RTA_OIF, if_nametoindex("lo"));
	return talk(head, NULL, NULL);
}

enum error
net_route_remove_local(const struct net_address *address)
{
	enum error error = change_local(address, RTM_DELROUTE, 0);
	/* ESRCH: there is none. */
	return error == ERROR_NOT_FOUND ? ERROR_OK : error;
}

static bool
is_of_services(unsigned index)
{
	char name[IF_NAMESIZE];

	return if_indextoname(index, name) != NULL &&
	    strcmp(name, SERVICES_INTERFACE) == 0;
}

static int
on_interface(const struct nlattr *attribute, void *context)
{
	unsigned *index = context;

	if (mnl_attr_get_type(attribute) == RTA_OIF &&
	    mnl_attr_get_payload_len(attribute) == sizeof(*index))
		*index = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

/* What the kernel would do with a packet for an address. */
struct match {
	unsigned char type; /* RTN_UNSPEC: nothing, or it does not say */
	unsigned char protocol; /* whose route it is */
	unsigned interface;
};

static int
on_match(const struct nlmsghdr *head, void *context)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(head);
	struct match *match = context;

	match->type = route->rtm_type;
	match->protocol = route->rtm_protocol;
	mnl_attr_parse(head, sizeof(*route), on_interface, &match->interface);
	return MNL_CB_STOP;
}

static struct match
match_of(const struct net_address *address)
{
	char buffer[REQUEST_BYTES];
	struct match match = {.type = RTN_UNSPEC};

	struct nlmsghdr *head = begin(buffer, RTM_GETROUTE, 0, address);
	struct rtmsg *route = mnl_nlmsg_get_payload(head);
	route->rtm_flags = RTM_F_FIB_MATCH; /* tells whose route it is */
	if (talk(head, on_match, &match) != ERROR_OK)
		match.type = RTN_UNSPEC;
	return match;
}

enum net_local
net_route_local(const struct net_address *address)
{
	const struct match match = match_of(address);

	if (match.type != RTN_LOCAL || is_of_services(match.interface))
		return NET_LOCAL_NO;
	return match.protocol == OUR_PROTOCOL ? NET_LOCAL_ADDED
	                                      : NET_LOCAL_HOST;
}

/* What others have put there is never replaced: nobody would put it back. A
 * local route of theirs (kube-ipvs0) may go, so ours is behind it; behind one
 * of another kind it would be of no use. */
enum error
net_route_add_local(const struct net_address *address, bool *was_there)
{
	const struct match match = match_of(address);

	*was_there = false;
	if (match.type == RTN_BROADCAST || match.type == RTN_ANYCAST)
		return ERROR_EXISTS;
	enum error error =
	    change_local(address, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	if (error != ERROR_EXISTS || match.type != RTN_LOCAL)
		return error;
	if (match.protocol != OUR_PROTOCOL)
		error = change_local(
		    address, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND);
	*was_there = error == ERROR_EXISTS;
	return *was_there ? ERROR_OK : error;
}

/* ---- those that are there ---- */

static struct nlmsghdr *
begin_dump(void *buffer, uint16_t kind)
{
	struct nlmsghdr *head = mnl_nlmsg_put_header(buffer);

	head->nlmsg_type = kind;
	head->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	head->nlmsg_seq = 1;
	return head;
}

/* AGAIN: changes have interrupted it each time. Some of it was told. */
static enum error
dump(const struct nlmsghdr *request, mnl_cb_t on_part, void *context)
{
	enum error error = ERROR_AGAIN;

	for (unsigned i = 0; error == ERROR_AGAIN && i < DUMP_TRIES; i++)
		error = talk(request, on_part, context);
	return error;
}

/* Who is told of addresses. */
struct listener {
	void (*on_address)(void *context, const struct net_address *address);
	void *context;
};

static int
on_destination(const struct nlattr *attribute, void *context)
{
	struct net_address *found = context;
	size_t length = found->family == AF_INET ? 4 : 16;

	if (mnl_attr_get_type(attribute) != RTA_DST ||
	    mnl_attr_get_payload_len(attribute) != length)
		return MNL_CB_OK;
	memcpy(
	    found->ip + 16 - length, mnl_attr_get_payload(attribute), length);
	return MNL_CB_STOP;
}

static int
on_route(const struct nlmsghdr *head, void *context)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(head);
	const struct listener *listener = context;
	struct net_address address = {
	    .ip = {[10] = 0xff, [11] = 0xff}, .family = route->rtm_family};

	if (route->rtm_type != RTN_LOCAL || route->rtm_protocol != OUR_PROTOCOL)
		return MNL_CB_OK;
	mnl_attr_parse(head, sizeof(*route), on_destination, &address);
	listener->on_address(listener->context, &address);
	return MNL_CB_OK;
}

static enum error
each_local(unsigned char family, struct listener *listener)
{
	char buffer[REQUEST_BYTES];

	struct nlmsghdr *head = begin_dump(buffer, RTM_GETROUTE);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(head, sizeof(*route));
	route->rtm_family = family;
	route->rtm_table = RT_TABLE_LOCAL;
	route->rtm_protocol = OUR_PROTOCOL;
	route->rtm_type = RTN_LOCAL;
	enum error error = dump(head, on_route, listener);
	/* ENOENT: there is no such table yet. */
	return error == ERROR_NOT_FOUND ? ERROR_OK : error;
}

enum error
net_route_each_local(
    void (*on_address)(void *context, const struct net_address *address),
    void *context)
{
	struct listener listener = {on_address, context};
	enum error error = each_local(AF_INET, &listener);

	return error == ERROR_OK ? each_local(AF_INET6, &listener) : error;
}

struct sweep {
	bool (*stays)(void *context, const struct net_address *address);
	void *context;
	struct net_address found[SWEEP_ROUTES];
	unsigned count;
};

static void
on_old_route(void *context, const struct net_address *address)
{
	struct sweep *sweep = context;

	if (sweep->count < SWEEP_ROUTES &&
	    !sweep->stays(sweep->context, address))
		sweep->found[sweep->count++] = *address;
}

enum error
net_route_sweep_local(
    bool (*stays)(void *context, const struct net_address *address),
    void *context)
{
	struct sweep *sweep = memory_zero(1, sizeof(*sweep));

	sweep->stays = stays;
	sweep->context = context;
	enum error error = net_route_each_local(on_old_route, sweep);

	for (unsigned i = 0; error == ERROR_OK && i < sweep->count; i++)
		error = net_route_remove_local(&sweep->found[i]);
	memory_free(sweep);
	return error;
}

/* Where an address' own attribute is missing the peer's is its own. */
static int
on_address_attribute(const struct nlattr *attribute, void *context)
{
	struct net_address *found = context;
	size_t length = found->family == AF_INET ? 4 : 16;
	uint16_t kind = mnl_attr_get_type(attribute);

	if ((kind == IFA_LOCAL || (kind == IFA_ADDRESS && found->port == 0)) &&
	    mnl_attr_get_payload_len(attribute) == length) {
		memcpy(found->ip + 16 - length, mnl_attr_get_payload(attribute),
		    length);
		found->port = kind == IFA_LOCAL;
	}
	return MNL_CB_OK;
}

static void
take_address(struct net_link_monitor *monitor, const struct nlmsghdr *head)
{
	const struct ifaddrmsg *about = mnl_nlmsg_get_payload(head);
	struct net_address address = {
	    .ip = {[10] = 0xff, [11] = 0xff}, .family = about->ifa_family};

	if (about->ifa_family != AF_INET && about->ifa_family != AF_INET6)
		return;
	if (about->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) ||
	    is_of_services(about->ifa_index))
		return;
	mnl_attr_parse(head, sizeof(*about), on_address_attribute, &address);
	address.port = 0;
	monitor->on_address(monitor, &address, head->nlmsg_type == RTM_NEWADDR);
}

static int
on_there(const struct nlmsghdr *head, void *context)
{
	take_address(context, head);
	return MNL_CB_OK;
}

void
net_link_monitor_look(struct net_link_monitor *monitor)
{
	char buffer[REQUEST_BYTES];

	struct nlmsghdr *head = begin_dump(buffer, RTM_GETADDR);
	mnl_nlmsg_put_extra_header(head, sizeof(struct ifaddrmsg));
	if (dump(head, on_there, monitor) != ERROR_OK)
		net_timer_set(monitor->loop, &monitor->later, GOOD_LATER_MS);
}

/* What the messages that were lost said of addresses: some are gone, and all
 * that are there are told again. */
static void
make_good(struct net_link_monitor *monitor)
{
	monitor->on_lost(monitor);
	net_link_monitor_look(monitor);
}

static void
on_later(struct net_timer *timer)
{
	make_good(container_of(timer, struct net_link_monitor, later));
}

/* What it says of links is not read: they are looked at again. */
static void
take_news(struct net_link_monitor *monitor, const char *news, ssize_t length)
{
	int left = (int)length;

	for (const struct nlmsghdr *head = (const void *)news;
	     mnl_nlmsg_ok(head, left); head = mnl_nlmsg_next(head, &left))
		if (head->nlmsg_type == RTM_NEWADDR ||
		    head->nlmsg_type == RTM_DELADDR)
			take_address(monitor, head);
}

static void
read_news(struct net_link_monitor *monitor)
{
	char news[ANSWER_BYTES];
	bool lost = false, drained = false;

	for (unsigned i = 0; i < NEWS_PER_TURN && !drained; i++) {
		ssize_t length =
		    recv(monitor->watch.fd, news, sizeof(news), MSG_DONTWAIT);
		if (length >= 0)
			take_news(monitor, news, length);
		else if (errno == ENOBUFS)
			lost = true;
		else
			drained = true;
	}
	if (lost)
		make_good(monitor);
	monitor->on_change(monitor);
	if (!drained)
		net_loop_yield(monitor->loop, &monitor->again);
}

static void
on_news(struct net_watch *watch, unsigned events)
{
	(void)events;
	read_news(container_of(watch, struct net_link_monitor, watch));
}

static void
on_again(struct net_task *task)
{
	read_news(container_of(task, struct net_link_monitor, again));
}

enum error
net_link_monitor_open(struct net_link_monitor *monitor, struct net_loop *loop)
{
	enum error error;

	must(monitor->on_change && monitor->on_address && monitor->on_lost);
	net_task_init(&monitor->again, on_again);
	net_timer_init(&monitor->later, on_later);
	monitor->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (monitor->socket == NULL)
		return error_from_errno(errno);
	monitor->loop = loop;
	monitor->watch.on_ready = on_news;
	monitor->watch.fd = mnl_socket_get_fd(monitor->socket);
	if (mnl_socket_bind(monitor->socket,
	        RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	        MNL_SOCKET_AUTOPID) != 0)
		error = error_from_errno(errno);
	else
		error = net_loop_add(loop, &monitor->watch);
	if (error == ERROR_OK)
		return ERROR_OK;
	mnl_socket_close(monitor->socket);
	monitor->socket = NULL;
	return error;
}

void
net_link_monitor_close(struct net_link_monitor *monitor)
{
	if (monitor->socket == NULL)
		return;
	net_timer_clear(&monitor->later);
	net_task_cancel(monitor->loop, &monitor->again);
	net_loop_remove(monitor->loop, &monitor->watch);
	mnl_socket_close(monitor->socket);
	monitor->socket = NULL;
}
