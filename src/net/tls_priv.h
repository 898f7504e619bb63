/* Between the stream (tls_stream.c, which knows loops and no OpenSSL) and the
 * engine (tls.c, the one file here that knows OpenSSL). */
#ifndef YUMEN_NET_TLS_PRIV_H
#define YUMEN_NET_TLS_PRIV_H

#include "core/text.h"
#include "net/tls.h"

/* While a handshake, or the sending of the last bytes, is under way. */
struct net_tls_wait {
	struct net_timer timer;
	struct net_tls *tls;
	struct list link; /* of the closing ones, in the profile */
	const struct net_tls_server *server; /* or client: of the handshake */
	const struct net_tls_client *client;
	struct net_tls_profile *chosen; /* counted; NULL: the server's */
	/* What the server's owner chose. */
	bool has_chosen;
	enum net_tls_clients clients;
};

/* 108 bytes, as idle connections have it. */
struct net_tls {
	struct net_stream under;
	struct net_stream *stream; /* the owner's; NULL: it was closed */
	struct ssl_st *ssl;
	struct net_tls_profile *profile;
	struct net_tls_wait *wait; /* NULL: the handshake is over */
	struct net_tls_session *session; /* of a client; or NULL */
	struct text *pending; /* encrypted, not taken by the socket; or NULL */
	uint64_t tag; /* of the choice */
	uint32_t silent_bytes; /* that came since there was data */
	uint8_t error; /* enum error: why it can go on no more */
	bool is_client : 1;
	bool is_ended : 1; /* close_notify came */
	bool is_shut : 1; /* ours was sent */
	bool is_held_up : 1; /* what is to be written waits for input */
	bool is_kept : 1; /* what is pending goes with what is said next */
};

struct net_tls_shared { /* of a profile */
	struct metrics *metrics;
	struct list closing; /* net_tls_wait */
	char scratch[16384]; /* a record's worth of small parts */
};
struct net_tls_shared *net_tls_profile_shared(struct net_tls_profile *profile);

/* The engine. Errors are of the handshake, the record layer, or the stream
 * below, as tls->error has it. */
void net_tls_engine_open(struct net_tls *tls);
void net_tls_engine_free(struct net_tls *tls);
/* OK: it is over; AGAIN. */
enum error net_tls_engine_handshake(struct net_tls *tls);
/* As much as there is, up to size; *length may be > 0 with an error. */
enum error net_tls_engine_read(
    struct net_tls *tls, char *buffer, size_t size, size_t *length);
/* A record's worth at most. AGAIN: not all was taken, for the rest of a message
 * of the peer's must come first, as of a key update in pieces. */
enum error net_tls_engine_write(
    struct net_tls *tls, struct slice data, size_t *written);
void net_tls_engine_close_notify(struct net_tls *tls);
/* Has it read more than it has given out? */
bool net_tls_engine_holds_input(const struct net_tls *tls);
/* Is there data, or an end? What else came is worked on. */
bool net_tls_engine_peek(struct net_tls *tls);
bool net_tls_engine_is_resumed(const struct net_tls *tls);

/* How a handshake ended, in the metrics. */
void net_tls_count_failure(
    struct metrics *metrics, bool is_client, enum error error);
void net_tls_count_success(
    struct metrics *metrics, bool is_client, bool is_resumed);

/* The stream below, for the engine. Reads ask the kernel only where there may
 * be something; writes are taken whole. */
enum error net_tls_under_read(
    struct net_tls *tls, char *buffer, size_t size, size_t *length);
enum error net_tls_under_write(struct net_tls *tls, struct slice data);
/* The same, but it goes with whatever is written next, in no packet of its
 * own. */
enum error net_tls_under_keep(struct net_tls *tls, struct slice data);

#endif
