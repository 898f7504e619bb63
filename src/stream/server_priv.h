/* Inside stream: the server, its peers, and those who belong together. */
#ifndef YUMEN_STREAM_SERVER_PRIV_H
#define YUMEN_STREAM_SERVER_PRIV_H

#include "core/map.h"
#include "net/listener.h"
#include "stream/link.h"
#include "stream/server.h"
#include "stream/views.h"

#define STREAM_DOORS 4
#define STREAM_COMMITS 32 /* of one peer that may still be confirmed */
#define STREAM_NAME_BYTES 64 /* of a proxy's name and version that are kept */
#define STREAM_WHY_BYTES 512

enum stream_peer_state {
	STREAM_PEER_STRANGER, /* no hello yet */
	STREAM_PEER_CLAIMING, /* its token is being judged */
	STREAM_PEER_WAITING, /* proven; there is no whole set yet */
	STREAM_PEER_LISTING, /* it tells what it holds */
	STREAM_PEER_LIVE,
	STREAM_PEER_ENDING,
};

struct stream_commit_note {
	struct feed_generation generation;
	uint64_t number; /* of the server's, when it was sent */
};

/* All peers of one Gateway. */
struct stream_audience {
	struct stream_server *server;
	struct stream_view *view;
	struct list peers; /* LISTING and LIVE */
	uint64_t changed; /* number by which its view changed last */
	bool waiting; /* ctl was told to */
	struct net_timer late;
	char told[STREAM_WHY_BYTES]; /* whom it waits for, as told */
};

struct stream_peer {
	struct list link; /* server.peers, strangers first come first */
	struct list of_audience;
	struct stream_server *server;
	struct stream_link stream;
	struct net_timer deadline; /* for the hello */
	uint64_t id;
	enum stream_peer_state state;
	struct net_address address;
	struct stream_audience *audience; /* LISTING and LIVE */
	struct stream_cursor cursor;
	char *gateway; /* as claimed; owned */
	char name[STREAM_NAME_BYTES], version[STREAM_NAME_BYTES];
	unsigned kinds;
	struct feed_generation holds; /* as its hello says */
	bool holds_something;
	uint64_t held_count; /* as its hello says */
	struct unit_digest *held; /* as listed */
	uint64_t listed;
	uint32_t *order; /* of held, by bytes, while it is caught up */
	uint64_t from_serial; /* what is older it has, or never had */
	bool told_any; /* since the last commit */
	bool committed; /* at all */
	bool ready; /* it has confirmed something */
	struct stream_commit_note commits[STREAM_COMMITS];
	uint64_t commit_count;
	uint64_t confirmed; /* number */
	struct map said; /* of units, by their name: struct feed_reply */
};

struct stream_door {
	struct stream_server *server;
	struct net_acceptor acceptor;
	int fd; /* -1: none */
};

struct stream_server {
	struct stream_server_options options;
	struct metrics metrics;
	struct stream_views *views;
	struct stream_door doors[STREAM_DOORS];
	unsigned door_count;
	struct net_tls_profile *profile;
	struct net_tls_server tls;
	struct net_tls_identity *identity;
	struct list peers, strangers;
	unsigned peer_count, stranger_count;
	uint64_t next_id;
	struct list offers; /* batches, the first half-applied */
	uint32_t applied; /* changes of the first one */
	bool parted; /* the rest of a batch that came in parts is to come */
	struct feed_generation generation; /* of the newest batch */
	uint64_t number; /* of batches so far */
	bool whole;
	struct text leader_name, leader_address; /* empty: none to go to */
};

/* peer.c */
void stream_peer_open(
    struct stream_server *server, int fd, const struct net_address *address);
void stream_peer_free(struct stream_peer *peer);
/* Say why and end it. */
void stream_peer_refuse(
    struct stream_peer *peer, enum error error, const char *why);
/* Proven, and there is a whole set: say welcome. */
void stream_peer_begin(struct stream_peer *peer);
/* Tell it what there is room for. */
void stream_peer_pump(struct stream_peer *peer);
/* Tell it who leads. */
void stream_peer_lead(struct stream_peer *peer);

/* held.c: what a peer has listed. */
void stream_peer_list(struct stream_peer *peer, struct slice digests);
bool stream_peer_has(
    const struct stream_peer *peer, const struct unit_digest *digest);
void stream_peer_forget_held(struct stream_peer *peer);

/* audience.c */
struct stream_audience *stream_audience_get(
    struct stream_server *server, struct stream_view *view);
void stream_audience_join(
    struct stream_audience *audience, struct stream_peer *peer);
/* It leaves; the audience may be gone after. */
void stream_audience_leave(struct stream_peer *peer);
/* The view has changed with the newest number. */
void stream_audience_note(struct stream_audience *audience);
/* Somebody has confirmed, come or gone. */
void stream_audience_look(struct stream_audience *audience);
void stream_audience_free(struct stream_audience *audience);
/* Replies of a peer's, for ctl. */
void stream_audience_refuse(
    struct stream_peer *peer, const struct stream_refuse *refuse);
void stream_audience_report(
    struct stream_peer *peer, const struct stream_report *report);

#endif
