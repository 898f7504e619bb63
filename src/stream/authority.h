/* The stream's own authority: its state is a text (PEM: pairs of a certificate
 * and its key, the newest first), kept by whoever runs the server: in a file or
 * a Secret. Authorities overlap: a new one is believed for a while before it
 * signs, and the old one until it ends, so that proxies which read the bundle
 * now and then always believe the server. Pure; the clock is an argument. */
#ifndef YUMEN_STREAM_AUTHORITY_H
#define YUMEN_STREAM_AUTHORITY_H

#include "core/error.h"
#include "core/text.h"
#include "crypt/name.h"

/* Seconds. */
#define STREAM_AUTHORITY_LIFE (365 * 86400)
/* Of the newest when the next one is made. */
#define STREAM_AUTHORITY_RENEW (180 * 86400)
/* How long a new one is only believed. */
#define STREAM_AUTHORITY_REST (7 * 86400)
#define STREAM_SERVER_LIFE (30 * 86400)
/* The clocks of two hosts may differ by so much. */
#define STREAM_CLOCK_SKEW 3600

/* Appends the state as it must be now: what has ended is gone, what is due is
 * made. True: it differs from state, which may be empty or unreadable. */
bool stream_authority_renew(
    struct slice state, int64_t now, struct text *out) must_check;
/* Appends the certificates that proxies are to believe. */
void stream_authority_bundle(struct slice state, struct text *out);
/* Appends a server's chain and its key. INVALID: state has no authority. */
enum error stream_authority_issue(struct slice state,
    const struct crypt_name *names, unsigned name_count, int64_t now,
    struct text *certificate, struct text *key) must_check;

#endif
