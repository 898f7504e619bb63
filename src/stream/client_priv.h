/* Inside stream: the client. */
#ifndef YUMEN_STREAM_CLIENT_PRIV_H
#define YUMEN_STREAM_CLIENT_PRIV_H

#include "core/random.h"
#include "net/names.h"
#include "stream/client.h"
#include "stream/copy.h"
#include "stream/link.h"
#include "stream/table.h"

#define STREAM_ADDRESSES 16

enum stream_client_state {
	STREAM_CLIENT_RESTING, /* until the timer, or a name's answer */
	STREAM_CLIENT_CONNECTING,
	STREAM_CLIENT_GREETING, /* hello is said */
	STREAM_CLIENT_LISTING, /* told what is held; keep is to come */
	STREAM_CLIENT_LIVE,
};

/* Who leads, where the controller that serves it does not. */
struct stream_client_leader {
	struct net_timer due; /* when it goes there */
	struct net_address address;
	uint64_t name, failed; /* hashes of names */
	uint64_t failed_ms;
	bool has_failed;
	bool used; /* the connection is to it, or the next one */
	bool leaving; /* for it: this connection is about to end */
};

struct stream_client {
	struct stream_client_options options;
	struct metrics metrics;
	struct stream_link stream;
	enum stream_client_state state;
	struct net_names *names; /* NULL: the host is an address */
	struct net_address addresses[STREAM_ADDRESSES];
	unsigned address_count, next_address;
	struct net_timer retry;
	struct stream_client_leader leader;
	struct random random;
	uint64_t wait_ms; /* before the next try, at most */
	bool refused; /* by the controller, which has said why */
	bool told_down, told_refused;
	enum error error; /* of the last try */
	char why[320]; /* as the controller said it */

	struct net_tls_profile *profile;
	struct net_tls_client tls;
	struct crypt_name tls_name;
	uint8_t tls_address[16];
	char *server_name; /* for SNI; NULL: it is an address */

	struct text token_text;
	struct slice token; /* in token_text, until hello is said */

	struct stream_table table;
	struct stream_copy *copy;
	struct feed_batch *batch; /* what came since the last commit, or NULL */
	bool whole; /* the next batch names all that there is */
	struct stream_row **listed; /* in the order in which they were told */
	uint64_t listed_count;
	struct feed_generation offered, confirmed;
	bool has_offered, has_confirmed;
	bool caught_up; /* since it is connected */
	bool copy_lost; /* it could not be written */
	unsigned unsettled;
	/* What the agent said of units (REFUSE, REPORT, CLAIM), to be said
	 * again when the stream comes back: by their name, struct feed_reply */
	struct map said;
};

/* client.c */
void stream_client_connect(struct stream_client *client);
/* The first commit since it is connected. */
void stream_client_on_caught_up(struct stream_client *client);

/* catch_up.c: what it holds and what comes. */
void stream_client_load(struct stream_client *client);
void stream_client_greet(struct stream_client *client);
void stream_client_take(
    struct stream_client *client, const struct stream_message *message);
/* All of it is to come anew. */
void stream_client_forget(struct stream_client *client);

/* leader.c */
void stream_client_init_leader(struct stream_client *client);
void stream_client_lead(
    struct stream_client *client, const struct stream_leader *told);
/* The connection, or the try, is over. True: the leader is to be gone to now.
 */
bool stream_client_left(struct stream_client *client);

/* replies.c */
void stream_client_settle(struct stream_client *client, struct slice name);
void stream_client_say_again(struct stream_client *client);
void stream_client_fini_said(struct stream_client *client);

#endif
