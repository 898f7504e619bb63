/* ctnetlink: all flows are told, and those that are stale deleted by what the
 * kernel has called them, so that no other of the same ports is hit. */
#include "net/flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "core/must.h"

#define REQUEST_BYTES 512
#define ANSWER_BYTES 8192
/* Answers, of some dozens of flows each, that one turn takes. */
#define ANSWERS_PER_TURN 16
#define DUMP_SEQUENCE 1
#define DELETE_SEQUENCE 2

static struct nlmsghdr *
begin(void *buffer, uint8_t what, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *head = mnl_nlmsg_put_header(buffer);

	head->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | what);
	head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	struct nfgenmsg *about =
	    mnl_nlmsg_put_extra_header(head, sizeof(struct nfgenmsg));
	about->nfgen_family = family;
	return head;
}

/* Either end of a tuple, and of what protocol it is. */
struct end {
	struct net_address *address;
	uint16_t four, six, port; /* kinds of its attributes */
	uint8_t protocol;
};

static int
on_address(const struct nlattr *item, void *context)
{
	struct end *end = context;
	uint16_t kind = mnl_attr_get_type(item);
	uint16_t length = mnl_attr_get_payload_len(item);

	if (kind == end->four && length == 4)
		memcpy(end->address->ip + 12, mnl_attr_get_payload(item), 4);
	else if (kind == end->six && length == 16)
		memcpy(end->address->ip, mnl_attr_get_payload(item), 16);
	return MNL_CB_OK;
}

static int
on_protocol(const struct nlattr *item, void *context)
{
	struct end *end = context;
	uint16_t kind = mnl_attr_get_type(item);
	uint16_t length = mnl_attr_get_payload_len(item);

	if (kind == end->port && length == 2)
		end->address->port = ntohs(mnl_attr_get_u16(item));
	else if (kind == CTA_PROTO_NUM && length == 1)
		end->protocol = mnl_attr_get_u8(item);
	return MNL_CB_OK;
}

static int
on_part(const struct nlattr *part, void *context)
{
	switch (mnl_attr_get_type(part)) {
	case CTA_TUPLE_IP:
		return mnl_attr_parse_nested(part, on_address, context);
	case CTA_TUPLE_PROTO:
		return mnl_attr_parse_nested(part, on_protocol, context);
	default:
		return MNL_CB_OK;
	}
}

/* Refused, it is gone already. */
static void
forget(struct net_flows *flows, uint8_t family,
    const struct nlattr *const names[], unsigned count)
{
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *head = begin(buffer, IPCTNL_MSG_CT_DELETE, 0, family);

	head->nlmsg_seq = DELETE_SEQUENCE;
	for (unsigned i = 0; i < count; i++)
		if (names[i] != NULL) {
			must(head->nlmsg_len + MNL_ALIGN(names[i]->nla_len) <=
			    REQUEST_BYTES);
			memcpy(mnl_nlmsg_get_payload_tail(head), names[i],
			    names[i]->nla_len);
			head->nlmsg_len += MNL_ALIGN(names[i]->nla_len);
		}
	(void)!mnl_socket_sendto(flows->socket, head, head->nlmsg_len);
}

/* The parts of a flow that tell which it is, and what it is answered from. */
struct parts {
	const struct nlattr *names[3]; /* the first and the last must be */
	const struct nlattr *reply;
};

static int
on_attribute(const struct nlattr *attribute, void *context)
{
	struct parts *parts = context;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_TUPLE_ORIG:
		parts->names[0] = attribute;
		break;
	case CTA_ZONE:
		parts->names[1] = attribute;
		break;
	case CTA_ID:
		parts->names[2] = attribute;
		break;
	case CTA_TUPLE_REPLY:
		parts->reply = attribute;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int
on_flow(const struct nlmsghdr *head, void *context)
{
	const struct nfgenmsg *about = mnl_nlmsg_get_payload(head);
	struct net_flows *flows = context;
	struct parts parts = {0};
	struct net_address none = {
	    .ip = {[10] = about->nfgen_family == AF_INET ? 0xff : 0,
	        [11] = about->nfgen_family == AF_INET ? 0xff : 0},
	    .family = about->nfgen_family};
	struct net_flow flow = {.asked = none, .by = none};
	struct end asked = {.address = &flow.asked,
	    .four = CTA_IP_V4_DST,
	    .six = CTA_IP_V6_DST,
	    .port = CTA_PROTO_DST_PORT};
	struct end by = {.address = &flow.by,
	    .four = CTA_IP_V4_SRC,
	    .six = CTA_IP_V6_SRC,
	    .port = CTA_PROTO_SRC_PORT};

	mnl_attr_parse(head, sizeof(*about), on_attribute, &parts);
	if (parts.names[0] == NULL || parts.names[2] == NULL ||
	    parts.reply == NULL)
		return MNL_CB_OK;
	mnl_attr_parse_nested(parts.names[0], on_part, &asked);
	mnl_attr_parse_nested(parts.reply, on_part, &by);
	if (asked.protocol == IPPROTO_UDP && flows->is_stale(flows, &flow))
		forget(flows, about->nfgen_family, parts.names, 3);
	return MNL_CB_OK;
}

static void
stop(struct net_flows *flows)
{
	net_task_cancel(flows->loop, &flows->again);
	net_loop_remove(flows->loop, &flows->watch);
	mnl_socket_close(flows->socket);
	flows->socket = NULL;
}

static void
end(struct net_flows *flows, enum error error)
{
	stop(flows);
	if (flows->is_asked)
		net_loop_yield(flows->loop, &flows->begin);
	flows->is_asked = false;
	flows->on_looked(flows, error);
}

/* The number that an end of the answer begins with: 0, or less where the kernel
 * refuses. */
static enum error
error_of(const struct nlmsghdr *head)
{
	int number = 0;

	if (mnl_nlmsg_get_payload_len(head) >= sizeof(number))
		memcpy(&number, mnl_nlmsg_get_payload(head), sizeof(number));
	return number == 0 ? ERROR_OK : error_from_errno(-number);
}

/* True: more is to come. Refusals of what was deleted stand among the rest. */
static bool
take(struct net_flows *flows, const char *answer, ssize_t length,
    enum error *error)
{
	int left = (int)length;

	for (const struct nlmsghdr *head = (const void *)answer;
	     mnl_nlmsg_ok(head, left); head = mnl_nlmsg_next(head, &left)) {
		if (head->nlmsg_seq != DUMP_SEQUENCE)
			continue;
		if (head->nlmsg_type == NLMSG_DONE ||
		    head->nlmsg_type == NLMSG_ERROR) {
			*error = error_of(head);
			return false;
		}
		if (head->nlmsg_type ==
		    (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
			(void)on_flow(head, flows);
	}
	return true;
}

static void
read_some(struct net_flows *flows)
{
	char answer[ANSWER_BYTES];
	enum error error;

	for (unsigned i = 0; i < ANSWERS_PER_TURN; i++) {
		ssize_t length =
		    recv(flows->watch.fd, answer, sizeof(answer), MSG_DONTWAIT);

		if (length < 0 && errno == EAGAIN)
			return;
		if (length < 0) {
			end(flows, error_from_errno(errno));
			return;
		}
		if (!take(flows, answer, length, &error)) {
			end(flows, error);
			return;
		}
	}
	net_loop_yield(flows->loop, &flows->again);
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	(void)events;
	read_some(container_of(watch, struct net_flows, watch));
}

static void
on_again(struct net_task *task)
{
	read_some(container_of(task, struct net_flows, again));
}

static enum error
ask(struct net_flows *flows)
{
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *head =
	    begin(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);

	head->nlmsg_seq = DUMP_SEQUENCE;
	if (mnl_socket_bind(flows->socket, 0, MNL_SOCKET_AUTOPID) != 0 ||
	    mnl_socket_sendto(flows->socket, head, head->nlmsg_len) < 0)
		return error_from_errno(errno);
	flows->watch.fd = mnl_socket_get_fd(flows->socket);
	return net_loop_add(flows->loop, &flows->watch);
}

static void
on_begin(struct net_task *task)
{
	struct net_flows *flows = container_of(task, struct net_flows, begin);

	flows->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	enum error error =
	    flows->socket == NULL ? error_from_errno(errno) : ask(flows);
	if (error == ERROR_OK)
		return;
	if (flows->socket != NULL)
		mnl_socket_close(flows->socket);
	flows->socket = NULL;
	flows->on_looked(flows, error);
}

void
net_flows_init(struct net_flows *flows, struct net_loop *loop)
{
	must(flows->is_stale && flows->on_looked);
	flows->loop = loop;
	flows->watch.on_ready = on_ready;
	net_task_init(&flows->begin, on_begin);
	net_task_init(&flows->again, on_again);
}

void
net_flows_fini(struct net_flows *flows)
{
	if (flows->socket != NULL)
		stop(flows);
	net_task_cancel(flows->loop, &flows->begin);
}

void
net_flows_look(struct net_flows *flows)
{
	if (flows->socket != NULL)
		flows->is_asked = true;
	else
		net_loop_defer(flows->loop, &flows->begin);
}
