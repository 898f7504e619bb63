/* TLS over streams: the second kind of net_stream, which stands on another one
 * (a socket, or a simulated pipe) and so runs on any loop. TLS 1.2 and 1.3, no
 * renegotiation, no compression, no early data.
 *
 * A stream is opened by net_tls_accept or net_tls_connect and is a net_stream
 * like others from then on; the owner hears of it when the handshake is over,
 * well (it is writable) or not (a read, or net_stream_connected, tells why). An
 * end without close_notify is RESET.
 *
 * Nothing here locks: what is made for one worker is that worker's. */
#ifndef YUMEN_NET_TLS_H
#define YUMEN_NET_TLS_H

#include "core/metric.h"
#include "crypt/certificate.h"
#include "net/stream.h"

enum net_tls_version { NET_TLS_ANY, NET_TLS_1_2, NET_TLS_1_3 };

/* How TLS is spoken. Names are OpenSSL's, separated by colons; NULL: ours. */
struct net_tls_settings {
	enum net_tls_version version_min, version_max;
	const char *ciphers; /* of TLS 1.2 */
	const char *ciphersuites; /* of TLS 1.3 */
	const char *groups;
	struct slice protocols; /* ALPN: "\2h2\10http/1.1", by preference */
	bool wipes; /* what came: there may be keys in it */
};

struct net_tls_profile; /* one a worker and settings; counted */
/* INVALID: *wrong is the setting that OpenSSL does not know. */
enum error net_tls_profile_new(const struct net_tls_settings *settings,
    struct metrics *metrics, struct net_tls_profile **profile,
    const char **wrong) must_check;
struct net_tls_profile *net_tls_profile_ref(struct net_tls_profile *profile);
void net_tls_profile_unref(struct net_tls_profile *profile);
/* Cuts streams that are closed and send still: before their loop goes. */
void net_tls_profile_cut(struct net_tls_profile *profile);

/* Session tickets are encrypted with the first key, all decrypt. Without keys
 * there are none, and no session is resumed. */
struct net_tls_ticket_key {
	uint8_t name[16], cipher[32], mac[32];
};
#define NET_TLS_TICKET_KEYS_MAX 4
void net_tls_profile_set_ticket_keys(struct net_tls_profile *profile,
    const struct net_tls_ticket_key *keys, unsigned count);

/* A chain and its key, ready for handshakes; counted references to both. NULL:
 * libssl refuses them (crypt_chain_check says why). */
struct net_tls_identity;
struct net_tls_identity *net_tls_identity_new(
    const struct crypt_certificates *chain, const struct crypt_key *key);
/* A response in DER, stapled while it holds; false: crypt_staple_parse. */
bool net_tls_identity_staple(struct net_tls_identity *identity,
    const struct crypt_certificates *chain, struct slice ocsp);
void net_tls_identity_free(struct net_tls_identity *identity);

/* Whose certificates are believed: each of these is an anchor, also one that is
 * no root. The system's are in net/tls_system.h. */
struct net_tls_trust;
struct net_tls_trust *net_tls_trust_new(
    const struct crypt_certificates *authorities);
void net_tls_trust_free(struct net_tls_trust *trust);

enum net_tls_clients {
	NET_TLS_CLIENTS_ANY, /* not asked for a certificate */
	NET_TLS_CLIENTS_ASKED, /* and served, whatever comes of it */
	NET_TLS_CLIENTS_VALID, /* without a valid one, no connection */
};

/* What the owner decides at each ClientHello; borrowed until it returns. */
struct net_tls_choice {
	struct net_tls_profile *profile; /* NULL: the server's */
	/* One of each kind of key at most; the client's abilities choose. */
	struct net_tls_identity *const *identities;
	unsigned identity_count;
	enum net_tls_clients clients;
	struct net_tls_trust *trust; /* for them */
	/* Sessions are resumed only where this and the server name are the
	 * same: the listener and what its clients must show. Absent: never. */
	struct slice session_context;
	/* What the owner wants to know the stream by: net_tls_tag. */
	uint64_t tag;
};
struct net_tls_server {
	struct net_tls_profile *profile;
	/* server_name: as sent, or absent. TLS_NAME_REFUSED: the client is
	 * told unrecognized_name; another error: handshake_failure. It may not
	 * close the stream. */
	enum error (*choose)(void *context, struct slice server_name,
	    struct net_tls_choice *choice);
	void *context;
};

/* The newest session with one server, for the next connection to it. Zeroed to
 * begin with; outlives its streams. */
struct net_tls_session {
	struct ssl_session_st *newest;
};
void net_tls_session_fini(struct net_tls_session *session);

struct net_tls_client {
	struct net_tls_profile *profile;
	const char *server_name; /* SNI; NULL: none is sent */
	/* Its certificate must have one of them. */
	const struct crypt_name *names;
	unsigned name_count;
	struct net_tls_trust *trust;
	struct net_tls_identity *identity; /* for when it asks; or NULL */
	struct net_tls_session *session; /* NULL: none is kept */
};

/* As net_stream_open_fd and net_stream_connect; server and client are borrowed
 * until the handshake is over, which is LIMIT_TLS_HANDSHAKE_MS at most. */
enum error net_tls_accept(struct net_stream *stream, struct net_loop *loop,
    int fd, void (*on_ready)(struct net_watch *, unsigned),
    const struct net_tls_server *server) must_check;
enum error net_tls_connect(struct net_stream *stream, struct net_loop *loop,
    const struct net_address *address,
    void (*on_ready)(struct net_watch *, unsigned),
    const struct net_tls_client *client) must_check;

/* It is connected, and the handshake is under way. */
bool net_tls_is_shaking(const struct net_stream *stream);
/* Of a stream whose handshake is over; texts last as long as it. */
struct net_tls_facts {
	enum net_tls_version version;
	const char *cipher;
	struct slice protocol; /* ALPN; absent: none */
	struct slice server_name; /* absent: none */
	bool resumed;
	bool has_peer; /* the peer has sent a certificate */
	const char *peer_fault; /* NULL: it is valid, or nobody looked */
};
static inline bool
net_stream_is_tls(const struct net_stream *stream)
{
	return stream->tls != NULL;
}
void net_tls_facts(
    const struct net_stream *stream, struct net_tls_facts *facts);
/* The tag of the choice that a server's handshake was done with. */
uint64_t net_tls_tag(const struct net_stream *stream);
/* Adds the peer's certificate in DER; false: it has none that is valid. */
bool net_tls_peer_der(const struct net_stream *stream, struct text *out);
/* The peer's certificate, the caller's to free; NULL: none, or malformed. */
struct crypt_certificate *net_tls_peer(const struct net_stream *stream);

#endif
