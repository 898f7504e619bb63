/* The controller's end of the stream: it stands where an agent would, takes
 * what ctl offers, keeps the units, and gives each proxy that has proven which
 * Gateway it is for the units of that Gateway. What the proxies say comes back
 * to the feed as one agent's replies: a generation is confirmed at once but for
 * the Gateways that it changes, each of which the feed is told to wait for
 * until all of its ready proxies serve it.
 *
 * Runs on one loop. A slow proxy costs its buffers and no more. */
#ifndef YUMEN_STREAM_SERVER_H
#define YUMEN_STREAM_SERVER_H

#include "net/address.h"
#include "net/loop.h"
#include "net/tls.h"
#include "snap/feed.h"

/* Who asks to be served; all of it lasts until judge returns. */
struct stream_claim {
	uint64_t peer; /* for stream_server_judged */
	struct slice token;
	struct slice gateway; /* that it says it is for */
	struct slice name; /* that it goes by */
};

struct stream_server;
struct stream_server_options {
	struct net_loop *loop;
	struct feed *feed; /* of which it is the agent's side */
	bool plain; /* without TLS: for tests */
	/* Decide, now or later, which one Gateway the token is for: by calling
	 * stream_server_judged. */
	void (*judge)(void *context, const struct stream_claim *claim);
	void *context;
};

enum error stream_server_new(const struct stream_server_options *options,
    struct stream_server **server) must_check;
void stream_server_free(struct stream_server **server);
/* May be called again, for another address. address: what port 0 became. */
enum error stream_server_listen(
    struct stream_server *server, struct net_address *address) must_check;
/* A connection that came in elsewhere (non-blocking); fd is the server's. */
void stream_server_accept(
    struct stream_server *server, int fd, const struct net_address *address);
/* The certificate that it shows from now on; taken over. Without one no
 * handshake succeeds. */
void stream_server_show(
    struct stream_server *server, struct net_tls_identity *identity);
/* Another leads, under this name, and its stream is at this address
 * ("IP:PORT"): proxies are told to go there once they have what is here. Absent
 * address: nobody is known to, or this one does. */
void stream_server_lead(
    struct stream_server *server, struct slice name, struct slice address);
/* Call from the loop's wake-up: takes offers. */
void stream_server_wake(struct stream_server *server);
/* The token is good for the proxies of this Gateway ("namespace/name"), absent:
 * for none, and why. Nothing happens when the peer has gone meanwhile. */
void stream_server_judged(struct stream_server *server, uint64_t peer,
    struct slice gateway, const char *why);

/* There is a whole set to be given. */
bool stream_server_is_ready(const struct stream_server *server);

/* A proxy that is connected and known, for what is shown to people. */
struct stream_peer_facts {
	struct slice gateway, name, version, address;
	struct feed_generation generation; /* that it was told last */
	bool ready; /* it has served what was told it before */
	bool current; /* it serves what was told it last */
};
void stream_server_each(struct stream_server *server,
    void (*fn)(void *context, const struct stream_peer_facts *facts),
    void *context);

#endif
