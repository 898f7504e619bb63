/* TLS as a worker's listeners speak it: what each handshake gets is found by
 * its SNI in the current set, and made at its first use: a profile for each way
 * of speaking TLS and keys of tickets, who is believed by each set of
 * authorities, and each certificate (proxy/credential.h).
 *
 * A connection is served as the listener that its SNI belongs to, and under
 * what that one asked of it: it is known by a number (net_tls_tag), which is
 * another one when the listener asks something else of its clients. */
#ifndef YUMEN_PROXY_TLS_H
#define YUMEN_PROXY_TLS_H

#include "http/exchange.h"
#include "proxy/credential.h"

struct proxy_tls; /* a worker's */

/* Without a socket of TLS there is none. */
struct proxy_tls *proxy_tls_new(struct metrics *metrics);
void proxy_tls_free(struct proxy_tls **tls);
/* What all sockets accept with. */
struct net_tls_profile *proxy_tls_profile(struct proxy_tls *tls);
/* For net_tls_server.choose. */
enum error proxy_tls_choose(struct proxy_tls *tls, const struct snap_set *set,
    uint32_t socket, struct slice server_name, struct net_tls_choice *choice);
/* Was the connection made for this listener, as it is now? */
bool proxy_tls_is_for(struct proxy_tls *tls, const struct snap_set *set,
    uint32_t listener_id, const struct net_stream *stream);
/* Let go of what the set has no more, up to count of it; false when all was
 * looked at. */
bool proxy_tls_sweep(
    struct proxy_tls *tls, const struct snap_set *set, uint32_t count);

/* What is told of a connection. */
struct proxy_tls_facts {
	struct slice version, cipher, server_name;
};
/* In the exchange's arena. */
const struct proxy_tls_facts *proxy_tls_facts(
    struct http_exchange *exchange, const struct net_stream *stream);
/* Client-Cert (RFC 9440) of a client whose certificate is valid. False when the
 * head has no room. */
bool proxy_tls_tell_client(struct http_exchange *exchange,
    const struct net_stream *stream, struct metrics *metrics);

#endif
