/* Messages of nf_tables (over libmnl): changes of a table, gathered and made at
 * once, and the pieces that they are put together of. */
#include "net/nftables_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "core/must.h"

#define MESSAGE_BYTES 1024
#define ANSWER_BYTES 4096
#define DEFAULT_ROOM_BYTES 65536

static struct nlmsghdr *
begin(
    struct nftables_batch *batch, uint16_t kind, uint16_t flags, uint8_t family)
{
	char *at = text_reserve(&batch->bytes, MESSAGE_BYTES);
	struct nlmsghdr *head = mnl_nlmsg_put_header(at);

	head->nlmsg_type = kind;
	head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	head->nlmsg_seq = ++batch->sequence;
	struct nfgenmsg *about =
	    mnl_nlmsg_put_extra_header(head, sizeof(struct nfgenmsg));
	about->nfgen_family = family;
	return head;
}

void
nftables_end(struct nftables_batch *batch, const struct nlmsghdr *head)
{
	must(head->nlmsg_len <= MESSAGE_BYTES);
	batch->last = batch->bytes.length;
	text_advance(&batch->bytes, head->nlmsg_len);
}

struct nlmsghdr *
nftables_begin(struct nftables_batch *batch, uint16_t what, uint16_t flags)
{
	return begin(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), flags,
	    NFPROTO_INET);
}

static void
mark(struct nftables_batch *batch, uint16_t kind, uint16_t flags)
{
	struct nlmsghdr *head = begin(batch, kind, flags, AF_UNSPEC);
	struct nfgenmsg *about = mnl_nlmsg_get_payload(head);

	about->res_id = htons(NFNL_SUBSYS_NFTABLES);
	nftables_end(batch, head);
}

void
nftables_batch_init(struct nftables_batch *batch)
{
	*batch = (struct nftables_batch){0};
	text_init(&batch->bytes);
	mark(batch, NFNL_MSG_BATCH_BEGIN, 0);
}

/* This message is answered; those that are refused are as well. */
static enum error
await(struct mnl_socket *socket, uint32_t last)
{
	char answer[ANSWER_BYTES];

	for (;;) {
		ssize_t length =
		    mnl_socket_recvfrom(socket, answer, sizeof(answer));
		int left = (int)length;

		if (length < 0)
			return error_from_errno(errno);
		for (const struct nlmsghdr *head = (const void *)answer;
		     mnl_nlmsg_ok(head, left);
		     head = mnl_nlmsg_next(head, &left)) {
			const struct nlmsgerr *told =
			    mnl_nlmsg_get_payload(head);

			if (head->nlmsg_type != NLMSG_ERROR)
				continue;
			if (told->error != 0)
				return error_from_errno(-told->error);
			if (head->nlmsg_seq == last)
				return ERROR_OK;
		}
	}
}

/* A transaction is one message to the kernel. */
static int
make_room(struct mnl_socket *socket, size_t length)
{
	const int size = 2 * (int)length;

	if (length < DEFAULT_ROOM_BYTES)
		return 0;
	return setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_SNDBUFFORCE,
	    &size, sizeof(size));
}

enum error
nftables_commit(struct nftables_batch *batch)
{
	struct nlmsghdr *last = (void *)(batch->bytes.data + batch->last);
	uint32_t sequence = last->nlmsg_seq;
	enum error error;

	last->nlmsg_flags |= NLM_F_ACK;
	mark(batch, NFNL_MSG_BATCH_END, 0);
	struct mnl_socket *socket =
	    mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (socket == NULL) {
		error = error_from_errno(errno);
	} else if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) != 0 ||
	    make_room(socket, batch->bytes.length) != 0 ||
	    mnl_socket_sendto(socket, batch->bytes.data, batch->bytes.length) <
	        0) {
		error = error_from_errno(errno);
	} else {
		error = await(socket, sequence);
	}
	if (socket != NULL)
		mnl_socket_close(socket);
	text_fini(&batch->bytes);
	return error;
}

void
nftables_put_number(struct nlmsghdr *head, uint16_t kind, uint32_t number)
{
	mnl_attr_put_u32(head, kind, htonl(number));
}

void
nftables_put_data(
    struct nlmsghdr *head, uint16_t kind, const void *bytes, size_t length)
{
	struct nlattr *data = mnl_attr_nest_start(head, kind);

	mnl_attr_put(head, NFTA_DATA_VALUE, length, bytes);
	mnl_attr_nest_end(head, data);
}

struct nftables_expression
nftables_express(struct nlmsghdr *head, const char *name)
{
	struct nftables_expression made;

	made.item = mnl_attr_nest_start(head, NFTA_LIST_ELEM);
	mnl_attr_put_str(head, NFTA_EXPR_NAME, name);
	made.data = mnl_attr_nest_start(head, NFTA_EXPR_DATA);
	return made;
}

void
nftables_expressed(struct nlmsghdr *head, struct nftables_expression expression)
{
	mnl_attr_nest_end(head, expression.data);
	mnl_attr_nest_end(head, expression.item);
}

void
nftables_load_meta(struct nlmsghdr *head, uint32_t key)
{
	struct nftables_expression it = nftables_express(head, "meta");

	nftables_put_number(head, NFTA_META_DREG, NFT_REG_1);
	nftables_put_number(head, NFTA_META_KEY, key);
	nftables_expressed(head, it);
}

void
nftables_load_packet(
    struct nlmsghdr *head, uint32_t base, uint32_t offset, uint32_t length)
{
	struct nftables_expression it = nftables_express(head, "payload");

	nftables_put_number(head, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nftables_put_number(head, NFTA_PAYLOAD_BASE, base);
	nftables_put_number(head, NFTA_PAYLOAD_OFFSET, offset);
	nftables_put_number(head, NFTA_PAYLOAD_LEN, length);
	nftables_expressed(head, it);
}

void
nftables_is_equal(struct nlmsghdr *head, const void *bytes, size_t length)
{
	struct nftables_expression it = nftables_express(head, "cmp");

	nftables_put_number(head, NFTA_CMP_SREG, NFT_REG_1);
	nftables_put_number(head, NFTA_CMP_OP, NFT_CMP_EQ);
	nftables_put_data(head, NFTA_CMP_DATA, bytes, length);
	nftables_expressed(head, it);
}

void
nftables_load_value(
    struct nlmsghdr *head, uint32_t to, const void *bytes, size_t length)
{
	struct nftables_expression it = nftables_express(head, "immediate");

	nftables_put_number(head, NFTA_IMMEDIATE_DREG, to);
	nftables_put_data(head, NFTA_IMMEDIATE_DATA, bytes, length);
	nftables_expressed(head, it);
}

struct nftables_rule
nftables_rule_begin(
    struct nftables_batch *batch, const char *table, const char *chain)
{
	struct nftables_rule rule = {
	    .head = nftables_begin(
	        batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)};

	mnl_attr_put_str(rule.head, NFTA_RULE_TABLE, table);
	mnl_attr_put_str(rule.head, NFTA_RULE_CHAIN, chain);
	rule.expressions =
	    mnl_attr_nest_start(rule.head, NFTA_RULE_EXPRESSIONS);
	return rule;
}

void
nftables_rule_end(
    struct nftables_batch *batch, const struct nftables_rule *rule)
{
	mnl_attr_nest_end(rule->head, rule->expressions);
	nftables_end(batch, rule->head);
}
