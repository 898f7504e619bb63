/* The agent: takes units from the feed, keeps them in the store, opens the
 * sockets that listeners ask for, resolves the names that backends need,
 * publishes sets to the workers, and tells the feed what became of it. Runs on
 * the control loop, in slices that keep a turn short. */
#ifndef YUMEN_AGENT_AGENT_H
#define YUMEN_AGENT_AGENT_H

#include "admin/admin.h"
#include "announce/announcer.h"
#include "core/error.h"
#include "net/loop.h"
#include "proxy/log.h"
#include "snap/feed.h"
#include "snap/set.h"

struct agent;
struct agent_options {
	struct net_loop *loop; /* the control loop */
	struct feed *feed;
	struct proxy_log *access_log;
	/* Announces the addresses that the set claims and the host lacks;
	 * the caller's, whose on_change calls agent_addresses_changed. NULL:
	 * none. */
	struct announcer *announcer;
	unsigned workers;
	uint32_t drain_ms;
	/* Drained, or the deadline passed: the loop may stop. */
	void (*on_drained)(void *context);
	/* After a generation is served by every worker. */
	void (*on_served)(void *context);
	void *context;
};

enum error agent_new(
    const struct agent_options *options, struct agent **agent) must_check;
void agent_free(struct agent **agent);
/* Call from the loop's wake-up: takes offers, looks at the workers' progress.
 */
void agent_wake(struct agent *agent);
/* An announced address came, went or is contested. */
void agent_addresses_changed(struct agent *agent);
void agent_drain(struct agent *agent);
/* A whole set is served and it is not draining. */
bool agent_is_ready(const struct agent *agent);
/* Pages and metrics: /api/v1/proxies, /api/v1/units, per-route counters. */
void agent_register(struct agent *agent, struct admin *admin);
/* The units, for what is shown to people; control thread. */
const struct snap_store *agent_store(const struct agent *agent);
/* Whether all sockets of a listener unit are open; else why not, for people
 * (borrowed until the next turn). AGAIN: not yet, neighbours are asked for the
 * address. */
enum error agent_listener_state(
    struct agent *agent, const struct unit *listener, struct slice *why);

#endif
