/* What echo.c and echo_tls.c know of each other. */
#ifndef YUMEN_CMD_ECHO_PRIV_H
#define YUMEN_CMD_ECHO_PRIV_H

#include "cmd/flags.h"
#include "core/text.h"
#include "net/tls.h"

void echo_json_string(struct text *out, struct slice s);

/* What the flags ask for: *tls is NULL for plain. False: told on stderr. */
struct echo_tls;
bool echo_tls_open(
    const struct flags *flags, struct metrics *metrics, struct echo_tls **tls);
void echo_tls_free(struct echo_tls *tls);
const struct net_tls_server *echo_tls_server(const struct echo_tls *tls);
/* ,"tls":{...}: what was agreed upon, who the client is. */
void echo_tls_describe(const struct net_stream *stream, struct text *out);

#endif
