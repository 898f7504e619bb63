/* One end of a TLS connection under test: sends what it is given, keeps what it
 * gets, and closes when both sides have ended. */
#ifndef YUMEN_TLS_END_H
#define YUMEN_TLS_END_H

#include "authority/authority.h"
#include "net/tls.h"

struct tls_end {
	struct net_stream stream;
	struct text out; /* to be sent */
	size_t sent;
	struct text in; /* what came */
	size_t read_bytes; /* a read at most; 0: 4096 */
	bool is_client;
	bool is_up; /* the handshake is over */
	bool ends; /* its side, once all is sent */
	bool is_shut;
	bool closes; /* at once instead, whatever the other does */
	bool stops_reading;
	enum error error; /* why it came to an end: CLOSED is a good one */
	struct net_tls_facts facts; /* when it came up */
	bool had_peer;
};

void tls_end_init(struct tls_end *end);
void tls_end_fini(struct tls_end *end);
/* For net_tls_accept and net_tls_connect. */
void tls_end_on_ready(struct net_watch *watch, unsigned events);
/* Go on, after out, ends or stops_reading were changed. */
void tls_end_act(struct tls_end *end);
/* It is closed, or all that is to be done is done. */
bool tls_end_is_over(const struct tls_end *end);

/* A server's and a client's keys, from authorities of the test's. */
enum tls_key { TLS_ED25519, TLS_P256, TLS_RSA, TLS_KEY__COUNT };
struct tls_keys {
	struct authority_pair root, other;
	struct net_tls_trust *trust; /* in root */
	struct net_tls_trust *other_trust;
	struct net_tls_identity *servers[TLS_KEY__COUNT]; /* a.example */
	struct net_tls_identity *expired;
	struct net_tls_identity *client; /* spiffe://client */
	struct net_tls_identity *stranger; /* of other */
};
void tls_keys_init(struct tls_keys *keys, bool with_rsa);
void tls_keys_fini(struct tls_keys *keys);

#endif
