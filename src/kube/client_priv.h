/* Inside kube: what calls need of their client. */
#ifndef YUMEN_KUBE_CLIENT_PRIV_H
#define YUMEN_KUBE_CLIENT_PRIV_H

#include "core/list.h"
#include "core/metric.h"
#include "crypt/name.h"
#include "kube/client.h"
#include "kube/plugin_priv.h"
#include "net/names.h"
#include "net/tls.h"

#define KUBE_ADDRESSES 16

/* How TLS is spoken with the server, as of when it was read; counted: by the
 * client, and by each call until its connection is closed. */
struct kube_tls {
	unsigned references;
	uint64_t read_ms;
	struct net_tls_client how; /* profile: the client's */
	struct crypt_name name;
	uint8_t address[16]; /* of name */
};

struct kube_client {
	const struct kube_access *access;
	struct net_loop *loop;
	struct metrics metrics;
	struct random random;
	struct net_names *names; /* NULL: the host is an address */
	struct net_address addresses[KUBE_ADDRESSES];
	unsigned address_count, next_address;
	enum error name_error;
	struct net_tls_profile *profile;
	struct kube_tls *tls; /* NULL: none was read yet */
	struct text token; /* without line ends */
	uint64_t token_ms; /* when it was read; 0: it must be read */
	struct kube_plugin_run *plugin; /* NULL: there is none */
	struct list waiting; /* calls that wait for a name or the plugin */
	bool told_down;
};

/* Whom to connect to next. AGAIN: it is not known yet; kube_client_wait tells
 * when. */
enum error kube_client_address(
    struct kube_client *client, struct net_address *address) must_check;
/* A reference; *tls is NULL where there is none to speak. */
enum error kube_client_tls(
    struct kube_client *client, struct kube_tls **tls) must_check;
void kube_tls_unref(struct kube_tls **tls);
/* The token to show, or absent; until the next call. */
enum error kube_client_token(
    struct kube_client *client, struct slice *token) must_check;
/* What was shown was not believed: it is read anew. */
void kube_client_doubt(struct kube_client *client);
/* Those who wait try again: a list of links, each with a task. */
struct kube_waiter {
	struct list link;
	struct net_task *task;
};
void kube_client_wait_for(
    struct kube_client *client, struct kube_waiter *waiter);
/* How a call went; told once an outage. */
void kube_client_tell(struct kube_client *client, enum error error);

#endif
