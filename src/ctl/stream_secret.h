/* The Secret that replicas of a controller share: what of it ctl reads. */
#ifndef YUMEN_CTL_STREAM_SECRET_H
#define YUMEN_CTL_STREAM_SECRET_H

#include "gw/state.h"

/* Its name, and the keys of its data: the stream's authority
 * (stream/authority.h), the certificates that proxies believe, and a line a
 * seed of tickets' keys, the newest first: when it was drawn, a blank, it in
 * hexadecimal. */
#define CTL_STREAM_SECRET "yumen-stream"
#define CTL_STREAM_AUTHORITY "authority.pem"
#define CTL_STREAM_BUNDLE "ca.pem"
#define CTL_STREAM_TICKETS "tickets"

/* Gives the state what the Secret has. */
void ctl_stream_secret_take(
    struct gw_state *state, const struct gw_object *object);

#endif
