/* The certificates and authorities that a worker has read: each at its first
 * use, from its unit, and let go of when the unit goes or says something else.
 * What a handshake has of one by then it keeps (libcrypto counts). */
#ifndef YUMEN_PROXY_CREDENTIAL_H
#define YUMEN_PROXY_CREDENTIAL_H

#include "net/tls.h"
#include "snap/set.h"

struct proxy_certificate {
	struct unit_digest digest; /* of the unit that it was read from */
	struct crypt_certificates *chain; /* NULL: of no use */
	struct net_tls_identity *identity; /* NULL: of no use */
};

struct proxy_credentials {
	struct proxy_certificate **by_id;
	uint32_t capacity;
	uint32_t sweep_next;
};

void proxy_credentials_fini(struct proxy_credentials *credentials);
/* NULL: the set has none, or it is of no use. */
const struct proxy_certificate *proxy_credentials_certificate(
    struct proxy_credentials *credentials, const struct snap_set *set,
    uint32_t id);
/* At most so many of a name, a kind of key each. */
#define PROXY_IDENTITIES_MAX 3
/* Of certificates those to offer for a name (absent: none is asked for): those
 * that have it and are valid, else those that have it, else any; of each kind
 * of key the first. Returns how many; the client's abilities choose. */
unsigned proxy_credentials_choose(struct proxy_credentials *credentials,
    const struct snap_set *set, const uint32_t *ids, uint32_t count,
    struct slice name, int64_t now_seconds,
    struct net_tls_identity *chosen[PROXY_IDENTITIES_MAX]);
/* Look at up to count of them; false when all were. */
bool proxy_credentials_sweep(struct proxy_credentials *credentials,
    const struct snap_set *set, uint32_t count);

/* A chain and its key read from a unit, and its staple. NULL: of no use, which
 * who made the unit has told of. The chain is the caller's in any case; NULL:
 * it cannot be read. */
struct net_tls_identity *proxy_credential_identity(
    const struct unit_certificate *record, struct crypt_certificates **chain);

/* Everybody whom these bundles vouch for, NULL: none can be read. */
struct net_tls_trust *proxy_credentials_trust(
    const struct snap_set *set, const uint32_t *ids, uint32_t count);

#endif
