/* Inside the agent room: the agent itself, and its sockets. */
#ifndef YUMEN_AGENT_AGENT_PRIV_H
#define YUMEN_AGENT_AGENT_PRIV_H

#include "agent/agent.h"
#include "announce/claims.h"
#include "core/map.h"
#include "net/names.h"
#include "proxy/worker.h"
#include "snap/decide.h"
#include "snap/set.h"

#define AGENT_WHY_BYTES 160

/* A socket that the set asks for: one descriptor a worker, all on one address
 * and port. */
struct agent_socket {
	struct list link;
	uint32_t id; /* snap_socket.id */
	struct net_address asked; /* by the set */
	struct net_address address; /* bound: as asked, or 0.0.0.0 for [::] */
	enum error error; /* OK: it listens */
	/* For people: why it does not. */
	char why[AGENT_WHY_BYTES];
	bool any; /* every address of the host */
	bool tls; /* snap_socket.tls */
	bool closing; /* taken back, waits until no worker accepts on it */
	bool wanted; /* seen in the set that is being looked at */
	unsigned count; /* of fds */
	int fds[]; /* one a worker; -1: closed already */
};

struct agent {
	struct agent_options options;
	struct snap_store *store;
	const struct snap_set *set; /* the newest published; NULL: none yet */
	struct proxy_worker **workers;
	struct snap_holds **holds;
	struct net_names *names;
	struct announce_claims claims; /* where there is an announcer */
	struct net_tls_system *system; /* the authorities */
	bool wants_system; /* some backend is believed by them */

	struct list offers; /* batches that wait, the first half-applied */
	uint32_t applied; /* changes of the first batch */
	bool parted; /* the rest of a batch that came in parts is to come */
	bool listeners_changed, externals_changed;
	bool resolved; /* answers of names wait to be committed */

	uint64_t published; /* number of the newest set */
	uint64_t published_ms; /* when, by the loop's clock */
	uint64_t served; /* by every worker */
	uint64_t confirmed; /* the set whose generation was confirmed last */
	struct feed_generation offered; /* generation of the newest batch */
	bool whole; /* a whole set was published */

	struct list sockets;
	struct map listeners; /* name -> struct agent_listener */
	struct map hostnames; /* watched names -> struct agent_hostname */
	struct net_timer retry; /* sockets that could not be opened */
	struct net_timer collect; /* what only old sets used */
	struct net_timer deadline; /* of the drain */
	bool draining, drained;
};

/* Make the listening sockets be those that set asks for: open new ones and lend
 * them, take back those that are gone. */
void agent_sockets_sync(struct agent *agent, const struct snap_set *set);
/* Try again those that failed; true when one opened. */
bool agent_sockets_retry(struct agent *agent);
/* Close descriptors that were taken back, or all when it drains, once their
 * worker accepts no more: until then connections may wait in their queues, and
 * from then on one would wait there for ever. True when an address may have
 * become free. */
bool agent_sockets_reap(struct agent *agent);
void agent_sockets_close(struct agent *agent);
/* The socket that was asked for by this address, or NULL. */
struct agent_socket *agent_socket_find(
    struct agent *agent, const struct net_address *address, bool tls);
/* address: empty for every address of the host. */
enum error agent_socket_address(
    struct slice address, uint16_t port, struct net_address *out);

/* Tell the feed how each listener fares, where that changed. */
void agent_listeners_note(struct agent *agent, struct slice name);
void agent_listeners_report(struct agent *agent);
void agent_listeners_free(struct agent *agent);

/* Watch the names that external units need, and no others. */
void agent_hostnames_sync(struct agent *agent);
void agent_hostnames_free(struct agent *agent);

#endif
