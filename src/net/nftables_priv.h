/* Messages of nf_tables. A batch of changes is built and committed: all of it
 * is made at once, or nothing. */
#ifndef YUMEN_NET_NFTABLES_PRIV_H
#define YUMEN_NET_NFTABLES_PRIV_H

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>

#include "core/error.h"
#include "core/text.h"

struct nftables_batch {
	struct text bytes;
	size_t last; /* where its last message begins */
	uint32_t sequence;
};

void nftables_batch_init(struct nftables_batch *batch);
/* A message of what is changed; the caller adds to it, and then ends it. */
struct nlmsghdr *nftables_begin(
    struct nftables_batch *batch, uint16_t what, uint16_t flags);
void nftables_end(struct nftables_batch *batch, const struct nlmsghdr *head);
/* The batch is gone, also after an error. */
enum error nftables_commit(struct nftables_batch *batch) must_check;

void nftables_put_number(struct nlmsghdr *head, uint16_t kind, uint32_t number);
void nftables_put_data(
    struct nlmsghdr *head, uint16_t kind, const void *bytes, size_t length);

/* What a packet must be, or what is done with it, one after the other. */
struct nftables_rule {
	struct nlmsghdr *head;
	struct nlattr *expressions;
};
struct nftables_rule nftables_rule_begin(
    struct nftables_batch *batch, const char *table, const char *chain);
void nftables_rule_end(
    struct nftables_batch *batch, const struct nftables_rule *rule);

/* One of a rule; the caller adds what it is about. */
struct nftables_expression {
	struct nlattr *item, *data;
};
struct nftables_expression nftables_express(
    struct nlmsghdr *head, const char *name);
void nftables_expressed(
    struct nlmsghdr *head, struct nftables_expression expression);
/* Into register 1. */
void nftables_load_meta(struct nlmsghdr *head, uint32_t key);
void nftables_load_packet(
    struct nlmsghdr *head, uint32_t base, uint32_t offset, uint32_t length);
/* Of what was loaded; else the rule does not match. */
void nftables_is_equal(struct nlmsghdr *head, const void *bytes, size_t length);
void nftables_load_value(
    struct nlmsghdr *head, uint32_t to, const void *bytes, size_t length);

#endif
