/* Packet sockets on an interface. */
#include "net/link.h"

#include <errno.h>
#include <ifaddrs.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/must.h"

/* The longest frame that is looked at: options of neighbour discovery past it
 * are of no use to anybody. */
#define FRAME_BYTES 512
/* Frames that one turn takes from one socket; the rest waits for the next. */
#define FRAMES_PER_TURN 64

#define LOAD8(at) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (at))
#define LOAD16(at) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (at))
#define LOAD32(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define IS(value, then, otherwise) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (then), (otherwise))
#define TAKE(length) BPF_STMT(BPF_RET | BPF_K, (length))
/* How the kernel sees it: what has the tag of another VLAN is for another host
 * to it, for the interface of that VLAN has taken it. */
#define LOAD_FOR_WHOM LOAD32(SKF_AD_OFF + SKF_AD_PKTTYPE)

/* Ethernet and IPv4, ask or tell. */
static struct sock_filter arp_filter[] = {
    LOAD_FOR_WHOM,
    IS(PACKET_OTHERHOST, 6, 0),
    LOAD32(14),
    IS(ARPHRD_ETHER << 16 | ETH_P_IP, 0, 5),
    LOAD16(18),
    IS(6 << 8 | 4, 0, 3),
    LOAD16(20),
    IS(ARPOP_REQUEST, 2, 0),
    IS(ARPOP_REPLY, 1, 0),
    TAKE(0),
    TAKE(FRAME_BYTES),
};

/* ICMPv6 at once behind the head, from this link, solicitation or
 * advertisement. */
static struct sock_filter ndp_filter[] = {
    LOAD_FOR_WHOM,
    IS(PACKET_OTHERHOST, 6, 0),
    LOAD16(20),
    IS(IPPROTO_ICMPV6 << 8 | 255, 0, 3),
    LOAD8(54),
    IS(135, 2, 0),
    IS(136, 1, 0),
    TAKE(0),
    TAKE(FRAME_BYTES),
};

static const struct {
	uint16_t ethertype;
	struct sock_fprog filter;
} protocols[2] = {
    {ETH_P_ARP, {sizeof(arp_filter) / sizeof(arp_filter[0]), arp_filter}},
    {ETH_P_IPV6, {sizeof(ndp_filter) / sizeof(ndp_filter[0]), ndp_filter}},
};

/* The kernel counts from one look to the next. */
static void
look_for_lost(const struct net_link_socket *socket)
{
	struct tpacket_stats stats;
	socklen_t length = sizeof(stats);

	if (getsockopt(socket->watch.fd, SOL_PACKET, PACKET_STATISTICS, &stats,
	        &length) == 0 &&
	    stats.tp_drops > 0)
		socket->link->on_lost(socket->link, stats.tp_drops);
}

static void
read_frames(struct net_link_socket *socket)
{
	struct net_link *link = socket->link;
	char frame[FRAME_BYTES];

	for (unsigned i = 0; i < FRAMES_PER_TURN; i++) {
		ssize_t length =
		    recv(socket->watch.fd, frame, sizeof(frame), MSG_TRUNC);
		if (length < 0)
			return; /* none left; or the link is down, which the
			         * monitor tells */
		if ((size_t)length > sizeof(frame))
			length = sizeof(frame);
		link->on_frame(link, slice_make(frame, (size_t)length));
	}
	/* Only where many wait none may have had room. */
	look_for_lost(socket);
	net_loop_yield(link->loop, &socket->again);
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	(void)events;
	read_frames(container_of(watch, struct net_link_socket, watch));
}

static void
on_again(struct net_task *task)
{
	read_frames(container_of(task, struct net_link_socket, again));
}

/* Filtered before it is bound, so that nothing else is ever queued. */
static enum error
set_up(const struct net_link *link, unsigned which, int fd)
{
	struct sockaddr_ll where = {
	    .sll_family = AF_PACKET,
	    .sll_protocol = htons(protocols[which].ethertype),
	    .sll_ifindex = (int)link->index,
	};
	static const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER,
	        &protocols[which].filter,
	        sizeof(protocols[which].filter)) != 0 ||
	    bind(fd, (struct sockaddr *)&where, sizeof(where)) != 0)
		return error_from_errno(errno);
	/* A kernel without it shows us our own frames, which are known by their
	 * sender. */
	(void)setsockopt(
	    fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	return ERROR_OK;
}

static enum error
open_socket(struct net_link *link, unsigned which)
{
	struct net_link_socket *at = &link->sockets[which];

	at->link = link;
	at->watch.on_ready = on_ready;
	net_task_init(&at->again, on_again);
	at->watch.fd =
	    socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (at->watch.fd < 0)
		return error_from_errno(errno);
	enum error error = set_up(link, which, at->watch.fd);
	if (error == ERROR_OK)
		error = net_loop_add(link->loop, &at->watch);
	if (error == ERROR_OK)
		return ERROR_OK;
	close(at->watch.fd);
	at->watch.fd = -1;
	return error;
}

/* Any socket will do to ask of an interface. */
static bool
ask(struct net_link *link, unsigned long request, struct ifreq *answer)
{
	*answer = (struct ifreq){0};
	memcpy(answer->ifr_name, link->name, sizeof(answer->ifr_name));
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool known = ioctl(fd, request, answer) == 0;
	close(fd);
	return known;
}

bool
net_link_look(struct net_link *link)
{
	struct ifreq flags, hardware;
	bool is_up = ask(link, SIOCGIFFLAGS, &flags) &&
	    (flags.ifr_flags & IFF_UP) && (flags.ifr_flags & IFF_RUNNING) &&
	    if_nametoindex(link->name) == link->index;
	bool changed = is_up != link->is_up;

	link->is_up = is_up;
	if (!ask(link, SIOCGIFHWADDR, &hardware) ||
	    memcmp(link->hardware, hardware.ifr_hwaddr.sa_data,
	        NET_HARDWARE_BYTES) == 0)
		return changed;
	memcpy(link->hardware, hardware.ifr_hwaddr.sa_data, NET_HARDWARE_BYTES);
	return true;
}

bool
net_link_of(const struct net_address *address, char name[IF_NAMESIZE])
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) != 0)
		return false;
	for (const struct ifaddrs *at = all; at != NULL && !found;
	     at = at->ifa_next) {
		struct net_address one;

		if (at->ifa_addr == NULL)
			continue;
		net_address_from_sockaddr(at->ifa_addr, &one);
		found = one.family == address->family &&
		    memcmp(one.ip, address->ip, sizeof(one.ip)) == 0;
		if (found)
			snprintf(name, IF_NAMESIZE, "%s", at->ifa_name);
	}
	freeifaddrs(all);
	return found;
}

/* MetalLB's list of what it does not announce on by default. */
static bool
is_inner_name(struct slice name)
{
	static const struct slice starts[] = {SLICE("docker"), SLICE("cbr"),
	    SLICE("dummy"), SLICE("virbr"), SLICE("lxcbr"), SLICE("veth"),
	    SLICE("cali"), SLICE("tunl"), SLICE("flannel"), SLICE("kube-ipvs"),
	    SLICE("cni"), SLICE("nodelocaldns"), SLICE("lxc")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (slice_starts_with(name, starts[i]))
			return true;
	return false;
}

static bool
is_part(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/master", name);
	return access(path, F_OK) == 0;
}

static bool
is_outer(const char *name)
{
	struct net_link link = {0};
	struct ifreq flags, hardware;

	snprintf(link.name, sizeof(link.name), "%s", name);
	return ask(&link, SIOCGIFFLAGS, &flags) &&
	    (flags.ifr_flags & (IFF_BROADCAST | IFF_LOOPBACK | IFF_NOARP)) ==
	    IFF_BROADCAST &&
	    ask(&link, SIOCGIFHWADDR, &hardware) &&
	    hardware.ifr_hwaddr.sa_family == ARPHRD_ETHER &&
	    !is_inner_name(slice_from_string(name)) && !is_part(name);
}

unsigned
net_link_outer(char (*names)[IF_NAMESIZE], unsigned room)
{
	struct if_nameindex *all = if_nameindex();
	unsigned count = 0;

	for (const struct if_nameindex *at = all; at && at->if_name; at++) {
		if (!is_outer(at->if_name))
			continue;
		if (count < room)
			snprintf(names[count], IF_NAMESIZE, "%s", at->if_name);
		count++;
	}
	if (all)
		if_freenameindex(all);
	return count;
}

enum error
net_link_open(struct net_link *link, struct net_loop *loop, const char *name)
{
	struct ifreq answer;

	must(link->on_frame != NULL && link->on_lost != NULL);
	link->loop = loop;
	link->sockets[0].watch.fd = link->sockets[1].watch.fd = -1;
	if (strlen(name) >= sizeof(link->name))
		return ERROR_NOT_FOUND;
	memcpy(link->name, name, strlen(name) + 1);
	link->index = if_nametoindex(name);
	if (link->index == 0 || !ask(link, SIOCGIFHWADDR, &answer))
		return ERROR_NOT_FOUND;
	if (answer.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return ERROR_UNSUPPORTED;
	net_link_look(link);
	for (unsigned which = 0; which < 2; which++) {
		enum error error = open_socket(link, which);
		if (error != ERROR_OK) {
			net_link_close(link);
			return error;
		}
	}
	return ERROR_OK;
}

/* arp_ignore of an interface, or of all: the greater of both counts. Whoever
 * has set one has done so with reason. */
static int
open_ignore(const char *interface, int how)
{
	char path[64 + IF_NAMESIZE];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/arp_ignore",
	    interface);
	return open(path, how | O_CLOEXEC);
}

/* '\0': it is not known. */
static char
read_ignore(const char *interface)
{
	char value = '\0';
	int fd = open_ignore(interface, O_RDONLY);

	if (fd < 0)
		return '\0';
	if (read(fd, &value, 1) != 1)
		value = '\0';
	close(fd);
	return value;
}

static enum error
write_ignore(const char *interface, char value)
{
	int fd = open_ignore(interface, O_WRONLY);

	if (fd < 0)
		return error_from_errno(errno);
	enum error error =
	    write(fd, &value, 1) == 1 ? ERROR_OK : error_from_errno(errno);
	close(fd);
	return error;
}

enum error
net_link_hush(struct net_link *link)
{
	if (read_ignore("all") > '0' || read_ignore(link->name) > '0')
		return ERROR_OK;
	enum error error = write_ignore(link->name, '1');

	link->is_hushed = error == ERROR_OK;
	return error;
}

/* What others have made of it since stays. */
static void
end_hush(struct net_link *link)
{
	if (link->is_hushed && read_ignore(link->name) == '1')
		(void)!write_ignore(link->name, '0');
	link->is_hushed = false;
}

void
net_link_close(struct net_link *link)
{
	if (link->loop == NULL)
		return;
	end_hush(link);
	for (unsigned which = 0; which < 2; which++) {
		struct net_link_socket *at = &link->sockets[which];
		if (at->watch.fd < 0)
			continue;
		net_task_cancel(link->loop, &at->again);
		net_loop_remove(link->loop, &at->watch);
		close(at->watch.fd);
		at->watch.fd = -1;
	}
	link->loop = NULL;
}

enum error
net_link_send(struct net_link *link, struct slice frame)
{
	/* Either takes any frame. */
	if (send(link->sockets[0].watch.fd, frame.data, frame.length, 0) < 0)
		return error_from_errno(errno);
	return ERROR_OK;
}

enum error
net_link_join(const struct net_link *link, const uint8_t group[16], int *fd)
{
	struct ipv6_mreq request = {.ipv6mr_interface = link->index};

	memcpy(
	    &request.ipv6mr_multiaddr, group, sizeof(request.ipv6mr_multiaddr));
	*fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return error_from_errno(errno);
	if (setsockopt(*fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request,
	        sizeof(request)) == 0)
		return ERROR_OK;
	enum error error = error_from_errno(errno);
	close(*fd);
	*fd = -1;
	return error;
}
