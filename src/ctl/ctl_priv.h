/* Inside ctl: what its thread has. */
#ifndef YUMEN_CTL_CTL_PRIV_H
#define YUMEN_CTL_CTL_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "ctl/accounts.h"
#include "ctl/answers.h"
#include "ctl/certificates.h"
#include "ctl/cluster.h"
#include "ctl/ctl.h"
#include "ctl/gauges.h"
#include "ctl/pages.h"
#include "ctl/pools.h"
#include "ctl/sources.h"
#include "ctl/statuses.h"
#include "ctl/tickets.h"
#include "ctl/units.h"

struct ctl {
	struct ctl_options options;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	struct net_loop *loop;
	struct net_watch watch; /* of the sources' descriptor */
	struct net_task round;
	struct net_timer timer;
	struct ctl_files *files; /* NULL: there is a cluster */
	struct ctl_sources *sources;
	struct ctl_addresses *addresses; /* NULL: nothing is kept */
	struct ctl_cluster *cluster;
	struct ctl_answers *answers; /* NULL: no fleets are made */
	struct ctl_accounts *accounts;
	struct gw_state *state;
	struct ctl_units units;
	struct ctl_tickets tickets;
	struct ctl_statuses *statuses;
	struct ctl_changes changes;
	struct ctl_pages *pages;
	struct ctl_gauges *certificates, *pools;
	struct list waiting; /* queries that wait for a change */
	unsigned waiting_count;
	bool read_once; /* all files were read for the first time */
	bool files_changed; /* events of the sources are waiting */
	bool state_changed; /* reconcile is due */
	bool gateways_changed; /* since addresses were kept */
	bool certificates_changed, pools_changed; /* since the metrics of them
	                                           * were written */
	unsigned reads; /* as of the last report */
	uint64_t leave_ms; /* until when a lease is given back; 0: not yet */
};

/* What the agent, or its proxies, have said since. */
void ctl_take_replies(struct ctl *ctl);
/* Has a round come when the next thing is due. */
void ctl_set_timer(struct ctl *ctl);
/* hear.c */
/* Before a run: which kinds the cluster does not let us read. */
void ctl_hear_unread(struct ctl *ctl);
/* After a run: what is asked for, and which statuses wait for it. */
void ctl_ask_answers(struct ctl *ctl);
enum error ctl_open_cluster(
    struct ctl *ctl, const struct ctl_sink *sink) must_check;

#endif
