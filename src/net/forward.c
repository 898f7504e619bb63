/* nf_tables. A map of each family leads from an address to a chain of its own,
 * so that a packet of another is looked up once; in the chain stands a rule for
 * each port and target. A second map and chain of it are for targets that have
 * asked for it themselves, and would take no answer of themselves: they see the
 * host's address instead. A change is one transaction. */
#include "net/forward.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "core/limit.h"
#include "core/must.h"
#include "net/nftables_priv.h"

#define TABLE "yumen"
#define FIRST_HOOK "arriving"
#define OWN_HOOK "leaving" /* of processes of the host itself */
#define LAST_HOOK "returning" /* to whom it came from */
/* Before kube-proxy and all who do NAT where it is usual: the first to change a
 * connection's target is the last. */
#define BEFORE_OTHERS (-101)
#define SOURCE_BEFORE_OTHERS 99
#define ANSWER_BYTES 4096
/* Where addresses and ports lie in packets. */
#define FOUR_SOURCE 12
#define FOUR_DESTINATION 16
#define SIX_SOURCE 8
#define SIX_DESTINATION 24
#define PORT_DESTINATION 2

/* One time in so many. */
static void
by_chance(struct nlmsghdr *head, uint32_t of)
{
	struct nftables_expression it = nftables_express(head, "numgen");
	const uint32_t zero = 0;

	nftables_put_number(head, NFTA_NG_DREG, NFT_REG_1);
	nftables_put_number(head, NFTA_NG_MODULUS, of);
	nftables_put_number(head, NFTA_NG_TYPE, NFT_NG_RANDOM);
	nftables_expressed(head, it);
	nftables_is_equal(head, &zero, sizeof(zero));
}

/* ---- the table ---- */

static void
add_table(struct nftables_batch *batch, uint16_t what, uint16_t flags)
{
	struct nlmsghdr *head = nftables_begin(batch, what, flags);

	mnl_attr_put_str(head, NFTA_TABLE_NAME, TABLE);
	nftables_end(batch, head);
}

static void
add_hook(struct nftables_batch *batch, const char *name, uint32_t where,
    int priority)
{
	struct nlmsghdr *head =
	    nftables_begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	mnl_attr_put_str(head, NFTA_CHAIN_TABLE, TABLE);
	mnl_attr_put_str(head, NFTA_CHAIN_NAME, name);
	struct nlattr *hook = mnl_attr_nest_start(head, NFTA_CHAIN_HOOK);
	nftables_put_number(head, NFTA_HOOK_HOOKNUM, where);
	nftables_put_number(head, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	mnl_attr_nest_end(head, hook);
	mnl_attr_put_str(head, NFTA_CHAIN_TYPE, "nat");
	nftables_end(batch, head);
}

/* What is looked up of a packet, and then done with it. */
enum way {
	TO_TARGETS,
	TO_ITSELF, /* of what has been led to whom it came from */
};

static const char *
map_of(bool is_ipv4, enum way way)
{
	if (way == TO_TARGETS)
		return is_ipv4 ? "four" : "six";
	return is_ipv4 ? "four-itself" : "six-itself";
}

static void
add_map(struct nftables_batch *batch, bool is_ipv4, enum way way)
{
	struct nlmsghdr *head =
	    nftables_begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);

	mnl_attr_put_str(head, NFTA_SET_TABLE, TABLE);
	mnl_attr_put_str(head, NFTA_SET_NAME, map_of(is_ipv4, way));
	nftables_put_number(head, NFTA_SET_FLAGS, NFT_SET_MAP);
	/* What nft(8) calls them, for who lists it. */
	nftables_put_number(head, NFTA_SET_KEY_TYPE, is_ipv4 ? 7 : 8);
	nftables_put_number(head, NFTA_SET_KEY_LEN, is_ipv4 ? 4 : 16);
	nftables_put_number(head, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
	nftables_put_number(head, NFTA_SET_ID, 1 + 2 * way + !is_ipv4);
	nftables_end(batch, head);
}

/* The address that it was sent to first. */
static void
load_asked(struct nlmsghdr *head, bool is_ipv4)
{
	struct nftables_expression it = nftables_express(head, "ct");

	nftables_put_number(head, NFTA_CT_DREG, NFT_REG_1);
	nftables_put_number(
	    head, NFTA_CT_KEY, is_ipv4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6);
	mnl_attr_put_u8(head, NFTA_CT_DIRECTION, IP_CT_DIR_ORIGINAL);
	nftables_expressed(head, it);
}

/* To the chain of its target, where it has one. */
static void
add_look_up(
    struct nftables_batch *batch, const char *chain, bool is_ipv4, enum way way)
{
	struct nftables_rule rule = nftables_rule_begin(batch, TABLE, chain);
	const uint8_t family = is_ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	nftables_load_meta(rule.head, NFT_META_NFPROTO);
	nftables_is_equal(rule.head, &family, sizeof(family));
	load_asked(rule.head, is_ipv4);
	struct nftables_expression it = nftables_express(rule.head, "lookup");
	mnl_attr_put_str(rule.head, NFTA_LOOKUP_SET, map_of(is_ipv4, way));
	nftables_put_number(rule.head, NFTA_LOOKUP_SREG, NFT_REG_1);
	nftables_put_number(rule.head, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	nftables_expressed(rule.head, it);
	nftables_rule_end(batch, &rule);
}

static int
on_attribute(const struct nlattr *attribute, void *context)
{
	uint64_t *number = context;

	if (mnl_attr_get_type(attribute) == NFTA_TABLE_HANDLE &&
	    mnl_attr_validate(attribute, MNL_TYPE_U64) == 0)
		*number = be64toh(mnl_attr_get_u64(attribute));
	return MNL_CB_OK;
}

static int
on_table(const struct nlmsghdr *head, void *context)
{
	mnl_attr_parse(head, sizeof(struct nfgenmsg), on_attribute, context);
	return MNL_CB_OK;
}

/* Of the table that is there now. */
static enum error
get_number(struct mnl_socket *socket, uint64_t *number)
{
	char bytes[ANSWER_BYTES];
	struct nftables_batch batch = {0};

	*number = 0;
	text_init(&batch.bytes);
	add_table(&batch, NFT_MSG_GETTABLE, NLM_F_ACK);
	bool sent = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(socket, batch.bytes.data, batch.bytes.length) >=
	        0;
	text_fini(&batch.bytes);
	int more = sent ? MNL_CB_OK : MNL_CB_ERROR;
	while (more == MNL_CB_OK) {
		ssize_t length =
		    mnl_socket_recvfrom(socket, bytes, sizeof(bytes));
		more = length < 0
		    ? MNL_CB_ERROR
		    : mnl_cb_run(bytes, (size_t)length, batch.sequence,
		          mnl_socket_get_portid(socket), on_table, number);
	}
	return more == MNL_CB_ERROR ? error_from_errno(errno) : ERROR_OK;
}

static enum error
look(uint64_t *number)
{
	struct mnl_socket *socket =
	    mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (socket == NULL)
		return error_from_errno(errno);
	enum error error = get_number(socket, number);
	mnl_socket_close(socket);
	return error;
}

enum error
net_forward_look(uint64_t table)
{
	uint64_t number = 0;
	enum error error = look(&number);

	return error == ERROR_OK && number != table ? ERROR_NOT_FOUND : error;
}

enum error
net_forward_close(void)
{
	struct nftables_batch batch;

	nftables_batch_init(&batch);
	add_table(&batch, NFT_MSG_DELTABLE, 0);
	enum error error = nftables_commit(&batch);
	return error == ERROR_NOT_FOUND ? ERROR_OK : error;
}

/* ---- an address ---- */

struct key {
	const uint8_t *bytes;
	size_t length;
	bool is_ipv4;
	char chains[TO_ITSELF + 1][NET_ADDRESS_TEXT + 8];
};

static struct key
key_of(const struct net_address *address)
{
	bool is_ipv4 = address->family == AF_INET;
	struct key key = {.bytes = address->ip + (is_ipv4 ? 12 : 0),
	    .length = is_ipv4 ? 4 : 16,
	    .is_ipv4 = is_ipv4};
	char text[NET_ADDRESS_TEXT];

	net_address_format_ip(address, text);
	snprintf(key.chains[TO_TARGETS], sizeof(*key.chains), "to-%s", text);
	snprintf(key.chains[TO_ITSELF], sizeof(*key.chains), "itself-%s", text);
	return key;
}

static void
change_chain(struct nftables_batch *batch, const char *chain, uint16_t what)
{
	struct nlmsghdr *head = nftables_begin(
	    batch, what, what == NFT_MSG_NEWCHAIN ? NLM_F_CREATE : 0);

	mnl_attr_put_str(head,
	    what == NFT_MSG_DELRULE ? NFTA_RULE_TABLE : NFTA_CHAIN_TABLE,
	    TABLE);
	mnl_attr_put_str(head,
	    what == NFT_MSG_DELRULE ? NFTA_RULE_CHAIN : NFTA_CHAIN_NAME, chain);
	nftables_end(batch, head);
}

static void
change_way(struct nftables_batch *batch, const struct key *key, enum way way,
    uint16_t what)
{
	struct nlmsghdr *head = nftables_begin(
	    batch, what, what == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);

	mnl_attr_put_str(head, NFTA_SET_ELEM_LIST_TABLE, TABLE);
	mnl_attr_put_str(
	    head, NFTA_SET_ELEM_LIST_SET, map_of(key->is_ipv4, way));
	struct nlattr *all =
	    mnl_attr_nest_start(head, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *one = mnl_attr_nest_start(head, NFTA_LIST_ELEM);
	nftables_put_data(head, NFTA_SET_ELEM_KEY, key->bytes, key->length);
	struct nlattr *data = mnl_attr_nest_start(head, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(head, NFTA_DATA_VERDICT);
	nftables_put_number(head, NFTA_VERDICT_CODE, (uint32_t)NFT_GOTO);
	mnl_attr_put_str(head, NFTA_VERDICT_CHAIN, key->chains[way]);
	mnl_attr_nest_end(head, verdict);
	mnl_attr_nest_end(head, data);
	mnl_attr_nest_end(head, one);
	mnl_attr_nest_end(head, all);
	nftables_end(batch, head);
}

/* left: targets that are still to come, this one among them. */
static void
add_target(struct nftables_batch *batch, const struct key *key,
    const struct net_forward *forward, const struct net_address *to,
    unsigned left)
{
	struct nftables_rule rule =
	    nftables_rule_begin(batch, TABLE, key->chains[TO_TARGETS]);
	const uint16_t port = htons(forward->port), to_port = htons(to->port);

	nftables_load_meta(rule.head, NFT_META_L4PROTO);
	nftables_is_equal(
	    rule.head, &forward->protocol, sizeof(forward->protocol));
	nftables_load_packet(rule.head, NFT_PAYLOAD_TRANSPORT_HEADER,
	    PORT_DESTINATION, sizeof(port));
	nftables_is_equal(rule.head, &port, sizeof(port));
	if (left > 1)
		by_chance(rule.head, left);
	nftables_load_value(rule.head, NFT_REG_1,
	    to->ip + (key->is_ipv4 ? 12 : 0), key->length);
	nftables_load_value(rule.head, NFT_REG_2, &to_port, sizeof(to_port));
	struct nftables_expression it = nftables_express(rule.head, "nat");
	nftables_put_number(rule.head, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	nftables_put_number(rule.head, NFTA_NAT_FAMILY,
	    key->is_ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftables_put_number(rule.head, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftables_put_number(rule.head, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
	nftables_expressed(rule.head, it);
	nftables_rule_end(batch, &rule);
}

/* Who is led to itself gets no answer of itself. */
static void
add_itself(struct nftables_batch *batch, const struct key *key,
    const struct net_address *to)
{
	struct nftables_rule rule =
	    nftables_rule_begin(batch, TABLE, key->chains[TO_ITSELF]);
	const uint8_t *ip = to->ip + (key->is_ipv4 ? 12 : 0);

	nftables_load_packet(rule.head, NFT_PAYLOAD_NETWORK_HEADER,
	    key->is_ipv4 ? FOUR_SOURCE : SIX_SOURCE, (uint32_t)key->length);
	nftables_is_equal(rule.head, ip, key->length);
	nftables_load_packet(rule.head, NFT_PAYLOAD_NETWORK_HEADER,
	    key->is_ipv4 ? FOUR_DESTINATION : SIX_DESTINATION,
	    (uint32_t)key->length);
	nftables_is_equal(rule.head, ip, key->length);
	nftables_expressed(rule.head, nftables_express(rule.head, "masq"));
	nftables_rule_end(batch, &rule);
}

static void
add_targets(struct nftables_batch *batch, const struct key *key,
    const struct net_forward *forward)
{
	must(forward->to_count <= LIMIT_VALUE_FORWARD_TARGETS);
	for (unsigned i = 0; i < forward->to_count; i++) {
		const struct net_address *to = &forward->to[i];

		must((to->family == AF_INET) == key->is_ipv4);
		add_target(batch, key, forward, to, forward->to_count - i);
		add_itself(batch, key, to);
	}
}

static void
add_address(struct nftables_batch *batch, const struct net_forwarded *one)
{
	const struct key key = key_of(one->address);

	must(one->count <= LIMIT_VALUE_FORWARD_PORTS);
	for (enum way way = TO_TARGETS; way <= TO_ITSELF; way++) {
		change_chain(batch, key.chains[way], NFT_MSG_NEWCHAIN);
		/* all of it */
		change_chain(batch, key.chains[way], NFT_MSG_DELRULE);
	}
	for (unsigned i = 0; i < one->count; i++)
		add_targets(batch, &key, &one->forwards[i]);
	for (enum way way = TO_TARGETS; way <= TO_ITSELF; way++)
		change_way(batch, &key, way, NFT_MSG_NEWSETELEM);
}

enum error
net_forward_set(const struct net_forwarded *one)
{
	struct nftables_batch batch;

	nftables_batch_init(&batch);
	add_address(&batch, one);
	return nftables_commit(&batch);
}

enum error
net_forward_remove(const struct net_address *address)
{
	const struct key key = key_of(address);
	struct nftables_batch batch;

	nftables_batch_init(&batch);
	for (enum way way = TO_TARGETS; way <= TO_ITSELF; way++) {
		change_way(&batch, &key, way, NFT_MSG_DELSETELEM);
		change_chain(&batch, key.chains[way], NFT_MSG_DELRULE);
		change_chain(&batch, key.chains[way], NFT_MSG_DELCHAIN);
	}
	return nftables_commit(&batch);
}

/* ---- all ---- */

enum error
net_forward_open(
    const struct net_forwarded *all, unsigned count, uint64_t *table)
{
	static const struct {
		const char *name;
		uint32_t where;
		int priority;
		enum way way;
	} hooks[] = {
	    {FIRST_HOOK, NF_INET_PRE_ROUTING, BEFORE_OTHERS, TO_TARGETS},
	    {OWN_HOOK, NF_INET_LOCAL_OUT, BEFORE_OTHERS, TO_TARGETS},
	    {LAST_HOOK, NF_INET_POST_ROUTING, SOURCE_BEFORE_OTHERS, TO_ITSELF}};
	struct nftables_batch batch;

	nftables_batch_init(&batch);
	/* There or not, it is gone then. */
	add_table(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	add_table(&batch, NFT_MSG_DELTABLE, 0);
	add_table(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	for (enum way way = TO_TARGETS; way <= TO_ITSELF; way++) {
		add_map(&batch, true, way);
		add_map(&batch, false, way);
	}
	for (unsigned i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		add_hook(
		    &batch, hooks[i].name, hooks[i].where, hooks[i].priority);
		add_look_up(&batch, hooks[i].name, true, hooks[i].way);
		add_look_up(&batch, hooks[i].name, false, hooks[i].way);
	}
	for (unsigned i = 0; i < count; i++)
		add_address(&batch, &all[i]);
	enum error error = nftables_commit(&batch);
	if (error == ERROR_NOT_FOUND)
		error = ERROR_UNSUPPORTED;
	if (error == ERROR_OK)
		error = look(table);
	if (error != ERROR_OK)
		*table = 0;
	return error;
}
