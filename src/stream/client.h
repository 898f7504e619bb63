/* The proxy's end of the stream: it stands where ctl would and offers to the
 * agent's feed what the controller sends for one Gateway. It connects, proves
 * itself, catches up by the digests of what it holds, and connects again for as
 * long as it lives, with waits that grow and are random. Without a controller
 * the agent serves on; what it served is in a copy for the next start.
 *
 * Runs on one loop, the agent's. */
#ifndef YUMEN_STREAM_CLIENT_H
#define YUMEN_STREAM_CLIENT_H

#include "core/error.h"
#include "net/loop.h"
#include "snap/feed.h"

struct stream_client;
struct stream_client_options {
	struct net_loop *loop;
	struct feed *feed; /* of which it is ctl's side */
	struct slice host; /* a name or an IP address */
	uint16_t port;
	struct slice gateway; /* "namespace/name" */
	struct slice name; /* that people know it by */
	/* Files, read at each connect: they are rotated. */
	const char *authority_path; /* whose certificates are believed */
	const char *token_path; /* NULL: none */
	/* The name that the controller's certificate must have. */
	struct slice server_name;
	const char *copy_path; /* NULL: no copy */
	bool plain; /* without TLS: for tests */
};

/* Texts are borrowed for its life. What the copy has is offered at once. */
enum error stream_client_new(const struct stream_client_options *options,
    struct stream_client **client) must_check;
void stream_client_free(struct stream_client **client);
/* Call from the loop's wake-up: takes the agent's replies. */
void stream_client_wake(struct stream_client *client);

struct stream_client_facts {
	bool connected; /* proven, and caught up at least once */
	const char *why; /* it is not, for people; or NULL */
	unsigned units;
	unsigned unsettled; /* times that what came was not what it should be */
};
void stream_client_facts(
    const struct stream_client *client, struct stream_client_facts *facts);

#endif
