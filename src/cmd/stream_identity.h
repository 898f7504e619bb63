/* Who the controller's stream is, and who may use it; out of files: an
 * authority that is made where there is none, and tokens of proxies. */
#ifndef YUMEN_CMD_STREAM_IDENTITY_H
#define YUMEN_CMD_STREAM_IDENTITY_H

#include "crypt/name.h"
#include "net/loop.h"
#include "stream/server.h"

#define STREAM_IDENTITY_NAMES 64

struct stream_identity {
	struct net_loop *loop;
	struct stream_server *server;
	const char *folder; /* authority.pem (0600), ca.pem */
	struct crypt_name names[STREAM_IDENTITY_NAMES];
	unsigned name_count;
	struct net_timer renewal;
	int64_t issued; /* what is shown, in seconds since 1970; 0: nothing */
	uint64_t issued_of; /* the hash of the state that it was issued of */
	uint8_t addresses[STREAM_IDENTITY_NAMES][16]; /* of names */
};

/* Shows a certificate of the authority of this state, a new one where the last
 * is of another state or has lived for half of its life. */
enum error stream_identity_take(
    struct stream_identity *identity, struct slice state) must_check;

/* A DNS name or an IP address that proxies may know the server by. */
void stream_identity_name(struct stream_identity *identity, const char *name);
/* Reads or makes the authority, shows a certificate, and goes on to renew both.
 * The error is told on stderr. */
bool stream_identity_open(struct stream_identity *identity);
void stream_identity_close(struct stream_identity *identity);

/* The file's lines: "TOKEN NAMESPACE/NAME"; '#' begins a comment. It is read at
 * each claim, so that it may change. */
void stream_tokens_judge(struct stream_server *server, const char *path,
    const struct stream_claim *claim);

#endif
