/* The cluster as where objects come from and statuses go: beside ctl/files.h.
 * It follows each kind that yumen reads, admits what comes, keeps the last good
 * version of what does not, and tells the sink; and, while it leads, writes the
 * statuses that it is told of. */
#ifndef YUMEN_CTL_CLUSTER_H
#define YUMEN_CTL_CLUSTER_H

#include "core/error.h"
#include "ctl/files.h"
#include "ctl/statuses.h"
#include "gw/address.h"
#include "gw/fleet.h"
#include "kube/access.h"
#include "net/loop.h"

struct ctl_cluster;
struct ctl_cluster_options {
	struct net_loop *loop;
	const struct kube_access *access; /* borrowed for its life */
	struct ctl_sink sink;
	void (*on_change)(void *context); /* the sink was told something, or
	                                   * all of it is there */
	void *context;
	/* What it reads to write statuses. */
	const struct gw_state *state;
	const struct ctl_statuses *statuses;
	const struct slice *controller_names; /* that are ours */
	uint32_t controller_name_count;
	/* Each Gateway gets a fleet (gw_options.fleet). */
	bool has_fleets;
	void (*on_fleet_word)(void *context, struct slice namespace,
	    struct slice name, enum gw_fleet_word word, struct slice what);
	/* A MetalLB runs there, as of ctl/metallb.h. */
	void (*on_metallb)(void *context, struct slice what);
	/* Do we lead? Another leads; or, empty, none is known to, or we do. */
	void (*on_leader)(void *context, bool leads, struct slice leader);
	struct slice lease; /* its name; absent: it leads without one */
	struct slice identity;
};

enum error ctl_cluster_new(const struct ctl_cluster_options *options,
    struct ctl_cluster **cluster) must_check;
void ctl_cluster_free(struct ctl_cluster **cluster);
/* Has each kind been told as a whole, or is known not to be there? */
bool ctl_cluster_is_whole(const struct ctl_cluster *cluster);
/* Of a kind that it follows: has it been listed, and why not? */
enum gw_unread ctl_cluster_unread(
    const struct ctl_cluster *cluster, enum gw_kind kind);
struct ctl_counts ctl_cluster_counts(const struct ctl_cluster *cluster);
/* The object's status is another; it is written when that is due. */
void ctl_cluster_status(struct ctl_cluster *cluster, enum gw_kind kind,
    struct slice namespace, struct slice name);
/* What a Gateway's fleet is to be. */
void ctl_cluster_fleet(
    struct ctl_cluster *cluster, const struct gw_fleet *fleet);
/* Statuses are what they are now: before, none is written. */
void ctl_cluster_reconciled(struct ctl_cluster *cluster);
/* Give the lead back; no status is written any more. False: that is done. */
bool ctl_cluster_leave(struct ctl_cluster *cluster);

#endif
