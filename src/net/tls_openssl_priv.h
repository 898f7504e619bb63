/* What the two files of TLS that know OpenSSL share: tls_profile.c, which makes
 * what handshakes need, and tls.c, which does them. */
#ifndef YUMEN_NET_TLS_OPENSSL_PRIV_H
#define YUMEN_NET_TLS_OPENSSL_PRIV_H

#include <openssl/ssl.h>

#include "net/tls_priv.h"

struct net_tls_profile {
	struct net_tls_shared shared; /* first */
	SSL_CTX *context;
	BIO_METHOD *method;
	unsigned references;
	int version_min, version_max;
	char *ciphers, *ciphersuites, *groups;
	struct text protocols;
	struct net_tls_ticket_key keys[NET_TLS_TICKET_KEYS_MAX];
	unsigned key_count;
};

struct net_tls_identity {
	X509 *x509;
	EVP_PKEY *pkey;
	STACK_OF(X509) * chain; /* without x509; NULL: none */
};

struct net_tls_trust {
	X509_STORE *store;
	STACK_OF(X509_NAME) * names; /* told to clients; NULL: none */
};

/* The connection: the BIO below knows it, at no cost. */
static inline struct net_tls *
tls_of(const SSL *ssl)
{
	return BIO_get_data(SSL_get_rbio(ssl));
}

/* What is stapled, in DER: it belongs to the X509, so that a handshake finds it
 * by the certificate that libssl has chosen. NULL: nothing, or not fresh. */
struct net_tls_staple {
	int64_t until; /* seconds since 1970 */
	size_t length;
	uint8_t bytes[];
};
const struct net_tls_staple *net_tls_staple_of(X509 *x509, int64_t now);

/* The callbacks of a handshake, in tls.c. */
int net_tls_on_status(SSL *ssl, void *context);
int net_tls_on_chain(X509_STORE_CTX *context, void *unused);
int net_tls_on_client_hello(SSL *ssl, int *alert, void *context);
void net_tls_bio_init(BIO_METHOD *method);
/* Another profile than that of the listening socket; and whose tickets. */
bool net_tls_profile_is_like(
    const struct net_tls_profile *a, const struct net_tls_profile *b);
void net_tls_profile_apply_tickets(
    SSL *ssl, const struct net_tls_profile *profile);
bool net_tls_profile_switch(SSL *ssl, const struct net_tls_profile *profile);

#endif
