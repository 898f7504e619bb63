/* Who the controller's stream is in a cluster: its authority, and the seeds of
 * session tickets' keys, are in a Secret that all replicas share. Whichever
 * finds something due writes it; of two that do, one reads again what the other
 * wrote. ctl reads the Secret as it does any other. A second Secret is for the
 * announcers' pods, and nothing in it is another's: the authority's
 * certificates, and the key that seals their heartbeats, drawn once. */
#ifndef YUMEN_CMD_STREAM_SECRET_H
#define YUMEN_CMD_STREAM_SECRET_H

#include "cmd/stream_identity.h"
#include "kube/ask.h"

/* The announcers' ServiceAccount and their Secret, in the controller's
 * namespace, and the keys of the Secret's data. */
#define STREAM_SECRET_ANNOUNCERS "yumen-announcer"
#define STREAM_SECRET_BUNDLE "ca.pem"
#define STREAM_SECRET_HEARTBEATS "heartbeat.key"

struct stream_secret {
	struct stream_identity *identity; /* shows what comes of it */
	struct kube_ask ask;
	struct net_timer timer; /* the next look */
	struct text target, body;
	uint64_t wait_ms;
	bool writing;
	bool announcers; /* it is their Secret that is looked at */
	struct text state; /* of what is being written */
	struct text bundle; /* of what was */
};

/* In the namespace of the client's access; both are borrowed for its life. */
void stream_secret_open(struct stream_secret *secret,
    struct kube_client *client, struct stream_identity *identity);
void stream_secret_close(struct stream_secret *secret);

#endif
