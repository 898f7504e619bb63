/* Names: hostnames to addresses by c-ares, on a loop, off the request path.
 * Watches a set of names and tells when the answer changes; an answer that
 * fails keeps the last good one. */
#ifndef YUMEN_NET_NAMES_H
#define YUMEN_NET_NAMES_H

#include "core/error.h"
#include "core/slice.h"
#include "net/address.h"
#include "net/loop.h"

struct net_names;
/* addresses: sorted, ports 0; count 0 with an error: no answer yet. */
typedef void (*net_names_fn)(void *context, struct slice name,
    const struct net_address *addresses, unsigned count, enum error error);

struct net_names *net_names_new(
    struct net_loop *loop, net_names_fn on_answer, void *context);
void net_names_free(struct net_names *names);
/* Look name up now and again when its TTL ends (bounded by
 * LIMIT_NAME_REFRESH_MS). Counted: watch twice, unwatch twice. */
void net_names_watch(struct net_names *names, struct slice name);
void net_names_unwatch(struct net_names *names, struct slice name);

#endif
