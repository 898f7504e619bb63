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
/* addresses: sorted, ports 0; count 0 with an error: no answer yet. Never
 * called from within a function of this header. */
typedef void (*net_names_fn)(void *context, struct slice name,
    const struct net_address *addresses, unsigned count, enum error error);

/* NULL when c-ares cannot start. */
struct net_names *net_names_new(
    struct net_loop *loop, net_names_fn on_answer, void *context);
void net_names_free(struct net_names *names);
/* Name servers instead of /etc/resolv.conf's: "127.0.0.1:5353,[::1]:53". Before
 * the first watch. */
enum error net_names_set_servers(
    struct net_names *names, const char *servers) must_check;
/* Look name up now and again when its TTL ends (bounded by
 * LIMIT_NAME_REFRESH_MS and _MAX_MS). Counted: watch twice, unwatch twice. */
void net_names_watch(struct net_names *names, struct slice name);
void net_names_unwatch(struct net_names *names, struct slice name);
/* Look all up now. */
void net_names_refresh(struct net_names *names);

#endif
