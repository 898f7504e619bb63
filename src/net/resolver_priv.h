/* One look-up of a name, by c-ares on the loop. */
#ifndef YUMEN_NET_RESOLVER_PRIV_H
#define YUMEN_NET_RESOLVER_PRIV_H

#include "net/address.h"
#include "net/loop.h"

struct net_resolver;

/* OK: addresses, sorted, each once, ports 0, at least one. NOT_FOUND: there is
 * none. INVALID, TIMEOUT, REFUSED, NAME_SERVER; CANCELLED: the resolver goes.
 */
typedef void (*net_resolver_fn)(void *context, enum error error,
    const struct net_address *addresses, unsigned count, uint64_t ttl_ms);

/* With the name servers of /etc/resolv.conf, read again when it changed and
 * nothing is under way. NULL: c-ares refuses. */
struct net_resolver *net_resolver_new(struct net_loop *loop);
void net_resolver_free(struct net_resolver *resolver);
enum error net_resolver_set_servers(
    struct net_resolver *resolver, const char *servers) must_check;
/* IPv4 and IPv6; name is taken as absolute. May answer before it returns. */
void net_resolver_look_up(struct net_resolver *resolver, const char *name,
    net_resolver_fn on_answer, void *context);

#endif
