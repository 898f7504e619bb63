/* A call: one request of the API at a time and its answer, over a connection
 * that is kept for the next one. HTTP/1.1: a watch has a connection of its own,
 * so each who follows something has a call of its own. Embedded by its owner.
 *
 * No function of this header calls a handler: they come from the loop. */
#ifndef YUMEN_KUBE_CALL_H
#define YUMEN_KUBE_CALL_H

#include "core/text.h"
#include "kube/client.h"
#include "net/stream.h"
#include "wire/chunk.h"
#include "wire/h1.h"

struct kube_call;
struct kube_call_handler {
	/* The status of the answer; its body follows. */
	void (*on_status)(struct kube_call *call, unsigned status);
	/* Bytes of the body; an error ends the call with it. */
	enum error (*on_body)(struct kube_call *call, struct slice bytes);
	/* The answer is whole, or why it is not. The call may be started again
	 * at once. */
	void (*on_done)(struct kube_call *call, enum error error);
};

enum kube_call_state {
	KUBE_CALL_CLOSED,
	KUBE_CALL_IDLE, /* connected, and nothing is asked */
	KUBE_CALL_CONNECTING, /* or about to */
	KUBE_CALL_ASKED, /* no head yet */
	KUBE_CALL_BODY,
	KUBE_CALL_TRAILERS,
	KUBE_CALL_OVER, /* on_done is to come */
};

struct kube_waiter;
struct kube_tls;
struct kube_call {
	struct kube_client *client;
	const struct kube_call_handler *handler;
	struct net_stream stream;
	struct net_task work;
	struct net_timer timer;
	struct kube_waiter *waiter;
	struct kube_tls *tls; /* of the connection */
	struct text request; /* as it goes out */
	size_t sent;
	struct text in; /* what is not dealt with */
	struct wire_h1_parser parser;
	struct wire_head *head; /* while it comes */
	struct wire_chunk chunk;
	uint64_t left; /* bytes of a body of known length */
	uint64_t heard_ms;
	uint32_t silent_ms;
	enum kube_call_state state;
	enum error error;
	bool open; /* the stream is */
	bool reused; /* it served before, and nothing has come since */
	bool has_token; /* in the request */
	bool chunked, keep;
};

struct kube_request {
	const char *method;
	struct slice target; /* path and query, without the server's prefix */
	struct slice body; /* absent: none */
	const char *content_type; /* of body; NULL: JSON */
	uint32_t silent_ms; /* nothing comes for so long: TIMEOUT */
};

void kube_call_init(struct kube_call *call, struct kube_client *client,
    const struct kube_call_handler *handler);
/* It must not be under way. */
void kube_call_start(
    struct kube_call *call, const struct kube_request *request);
static inline bool
kube_call_is_free(const struct kube_call *call)
{
	return call->state <= KUBE_CALL_IDLE;
}
/* What is under way is given up, without on_done; the connection goes. */
void kube_call_close(struct kube_call *call);
/* Closed; its memory may go. */
void kube_call_fini(struct kube_call *call);

/* A value of a query, escaped. */
void kube_push_escaped(struct text *out, struct slice value);

#endif
