/* The fields that yumen sets on every request, and those that it takes from no
 * client (FIELD_TRUST): X-Forwarded-* and X-Request-Id. */
#ifndef YUMEN_PROXY_STAMP_H
#define YUMEN_PROXY_STAMP_H

#include "core/random.h"
#include "net/address.h"
#include "wire/head.h"
#include "wire/host.h"

#define PROXY_UUID_BYTES 36
#define PROXY_PORT_BYTES 8
#define PROXY_STAMP_BYTES 512

/* What is known of a request besides its head. */
struct proxy_stamp {
	const struct net_address *peer; /* NULL: unknown */
	const char *port; /* of the listener, PROXY_PORT_BYTES are there */
	uint8_t port_length;
	bool secure;
	struct slice local; /* address and port that was connected to */
	char *block; /* PROXY_STAMP_BYTES, for as long as the head lives */
	struct random *random;
	/* Found or made: */
	struct slice client, request_id, user_agent;
};

/* False when the head has no room for them. */
bool proxy_stamp_request(struct wire_head *head, struct proxy_stamp *stamp);
/* 1 to 128 characters that are safe in logs and URLs. */
bool proxy_is_request_id(struct slice s);
/* RFC 9562 5.4: version 4, random. */
void proxy_uuid_make(struct random *random, char out[PROXY_UUID_BYTES]);

#endif
