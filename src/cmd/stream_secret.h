/* Who the controller's stream is in a cluster: its authority, and the seeds of
 * session tickets' keys, are in a Secret that all replicas share. Whichever
 * finds something due writes it; of two that do, one reads again what the other
 * wrote. ctl reads the Secret as it does any other. */
#ifndef YUMEN_CMD_STREAM_SECRET_H
#define YUMEN_CMD_STREAM_SECRET_H

#include "cmd/stream_identity.h"
#include "kube/ask.h"

struct stream_secret {
	struct stream_identity *identity; /* shows what comes of it */
	struct kube_ask ask;
	struct net_timer timer; /* the next look */
	struct text target, body;
	uint64_t wait_ms;
	bool writing;
	struct text state; /* of what is being written */
};

/* In the namespace of the client's access; both are borrowed for its life. */
void stream_secret_open(struct stream_secret *secret,
    struct kube_client *client, struct stream_identity *identity);
void stream_secret_close(struct stream_secret *secret);

#endif
