/* A link: messages over a net_stream, either side's. It frames, pings, and ends
 * when the peer is silent; what the messages mean is its owner's business, who
 * embeds it. No call of this header calls a handler: they come from the loop.
 */
#ifndef YUMEN_STREAM_LINK_H
#define YUMEN_STREAM_LINK_H

#include "core/metric.h"
#include "core/text.h"
#include "net/stream.h"
#include "net/tls.h"
#include "stream/message.h"

struct stream_link;
struct stream_link_handler {
	/* It is connected and, with TLS, the other end is who it should be. */
	void (*on_up)(struct stream_link *link);
	/* The message lasts until it returns. */
	void (*on_message)(
	    struct stream_link *link, const struct stream_message *message);
	/* What was sent is out: there is room again. */
	void (*on_room)(struct stream_link *link);
	/* It is closed; its memory may go. */
	void (*on_end)(struct stream_link *link, enum error error);
};

struct stream_link {
	struct net_stream stream;
	struct net_loop *loop;
	struct net_task work, over;
	struct net_timer tick;
	const struct stream_link_handler *handler;
	struct metrics *metrics;
	struct arena arena; /* of the message in hand */
	struct text in, out;
	size_t sent; /* of out */
	size_t frame_bytes_max; /* the owner's to change */
	uint64_t heard_ms, moved_ms, told_ms;
	enum error error; /* why it ends */
	bool open, up, ending, finishing;
};

/* Take a connected socket (owned from now on, also when this fails), or
 * connect. tls: NULL for none, else borrowed until the handshake is over. */
enum error stream_link_accept(struct stream_link *link, struct net_loop *loop,
    int fd, const struct net_tls_server *tls,
    const struct stream_link_handler *handler,
    struct metrics *metrics) must_check;
enum error stream_link_connect(struct stream_link *link, struct net_loop *loop,
    const struct net_address *address, const struct net_tls_client *tls,
    const struct stream_link_handler *handler,
    struct metrics *metrics) must_check;
/* Queue a message; it leaves at the end of the turn. Nothing after an end. */
void stream_link_send(
    struct stream_link *link, enum stream_kind kind, const void *record);
/* As much waits as may: go on in on_room. */
bool stream_link_is_full(const struct stream_link *link);
/* End it: on_end comes soon. */
void stream_link_end(struct stream_link *link, enum error error);
/* As end, when what was sent is out. */
void stream_link_finish(struct stream_link *link, enum error error);
/* At once and without on_end; idempotent. */
void stream_link_close(struct stream_link *link);

#endif
