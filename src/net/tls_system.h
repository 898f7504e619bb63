/* The system's authorities, as OpenSSL's file and directories have them
 * (SSL_CERT_FILE and SSL_CERT_DIR, or those that it was built with): read once
 * for a process, by one thread, piece by piece, since all of them cost as much
 * as a hundred handshakes. From then on any thread makes sets of trust from
 * them, which have the same certificates and no copies. */
#ifndef YUMEN_NET_TLS_SYSTEM_H
#define YUMEN_NET_TLS_SYSTEM_H

#include "net/tls.h"

struct net_tls_system;
struct net_tls_system *net_tls_system_new(void); /* nothing is read yet */
void net_tls_system_free(struct net_tls_system **system);
/* Read up to so many certificates on; true: all are read. What cannot be read
 * is believed by nobody. */
bool net_tls_system_read(struct net_tls_system *system, unsigned count);
/* Everybody whom they vouch for; all must have been read. */
struct net_tls_trust *net_tls_system_trust(const struct net_tls_system *system);

#endif
