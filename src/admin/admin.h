/* The admin server: pages over HTTP on a Unix socket (reads and writes) and on
 * a TCP address (reads only, loopback by default), in the control loop. Rooms
 * register their pages and metrics; it knows none of them. */
#ifndef YUMEN_ADMIN_ADMIN_H
#define YUMEN_ADMIN_ADMIN_H

#include "core/error.h"
#include "core/text.h"
#include "http/exchange.h"
#include "net/address.h"

struct admin;

/* A page: answer now or later by http_exchange_answer or admin_answer. query is
 * the part after '?'. */
typedef void (*admin_page_fn)(
    void *context, struct http_exchange *exchange, struct slice query);
typedef void (*admin_metrics_fn)(void *context, struct text *out);

enum error admin_new(struct net_loop *loop, struct admin **admin) must_check;
void admin_free(struct admin **admin);
/* Listen there; the error says why not (the caller tells the user). */
enum error admin_listen_unix(struct admin *admin, const char *path) must_check;
/* address: as net_listen_settle leaves it. */
enum error admin_listen_tcp(
    struct admin *admin, struct net_address *address) must_check;

/* path is static, as "/livez". */
void admin_add_page(struct admin *admin, const char *path, const char *help,
    admin_page_fn page, void *context);
/* /metrics is admin's own; each fn appends to it. */
void admin_add_metrics(struct admin *admin, admin_metrics_fn fn, void *context);
/* An answer with this content type; body is copied. */
void admin_answer(struct http_exchange *exchange, uint16_t status,
    const char *content_type, struct slice body);

#endif
