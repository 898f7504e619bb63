/* What the files of ctl/cluster share. */
#ifndef YUMEN_CTL_CLUSTER_PRIV_H
#define YUMEN_CTL_CLUSTER_PRIV_H

#include "core/list.h"
#include "ctl/cluster.h"
#include "ctl/fleets.h"
#include "ctl/merge.h"
#include "ctl/metallb.h"
#include "ctl/rest_priv.h"
#include "ctl/row.h"
#include "kube/follow.h"
#include "kube/lease.h"

/* An object that the API has. */
struct ctl_object_row {
	struct ctl_row row; /* kind: enum gw_kind */
	bool admitted : 1; /* the sink has a version of it */
	bool refused : 1; /* this version was not admitted */
	/* ctl_merge_is_marked of a Service's status there. */
	bool marked : 1;
	bool told : 1; /* that its status is refused */
	uint8_t refusals; /* of its status, one after the other (ctl/line) */
	uint32_t ready_ms; /* when it may be written again */
	struct list due; /* in a ctl_line: its status may have to be written */
	uint64_t hash; /* of what it says; 0: it was not admitted */
	uint64_t status_hash; /* ctl_merge_hash of its status there */
	struct ctl_undone undone; /* of that of what was written */
};

/* One kind. */
struct ctl_followed {
	struct kube_follow follow;
	struct ctl_cluster *cluster;
	enum gw_kind kind;
	uint32_t epoch; /* counts lists that began */
	bool whole;
	bool told_missing;
	char *roots; /* the texts of its options */
};

struct ctl_writes;
struct ctl_cluster {
	struct ctl_cluster_options options;
	struct ctl_ours ours;
	struct kube_client *client;
	struct ctl_followed followed[GW_KIND__COUNT];
	unsigned followed_count;
	struct map rows; /* ctl_object_row */
	struct gw_file *file; /* what objects name as where they are from */
	struct ctl_counts counts;
	struct arena arena; /* of an admission */
	bool refused; /* during it */
	bool whole, reconciled;
	struct net_timer patience; /* with kinds that we may not read */
	struct kube_lease lease;
	bool has_lease, leads;
	struct ctl_writes *writes;
	struct ctl_fleets *fleets; /* NULL: none */
	struct ctl_metallb *metallb;
};

/* What the API has of an object's status; true: it differs from before. */
bool ctl_cluster_take_status(struct ctl_cluster *cluster,
    struct ctl_object_row *row, const struct tree_node *status);
/* Has a list of the kind ended, and the API has it still? */
bool ctl_cluster_lists(const struct ctl_cluster *cluster, enum gw_kind kind);
/* Takes out of an object what nobody reads. */
void ctl_trim(struct tree_node *object, enum gw_kind kind);

/* wanted.c */
/* The status that we want, as a tree; *status is NULL: none. False: it is not
 * known yet. is_calm: what waits for proxies is not. */
bool ctl_find_wanted(const struct ctl_cluster *cluster, bool is_calm,
    const struct ctl_object_row *row, struct arena *arena,
    struct tree_node **status);
/* Objects that are not ours, or are no more, are others' to tell about; but an
 * entry of ours in one that others have entries in too goes, and so does what
 * we said of a Service. */
bool ctl_may_be_written(
    const struct ctl_object_row *row, const struct tree_node *wanted);
/* Does what is there differ? *hash: ctl_merge_hash of what we want. arena is
 * reset. */
bool ctl_is_to_be_written(const struct ctl_cluster *cluster, bool is_calm,
    const struct ctl_object_row *row, struct arena *arena, uint64_t *hash);

/* writes.c */
struct ctl_writes *ctl_writes_new(struct ctl_cluster *cluster);
void ctl_writes_free(struct ctl_writes **writes);
/* The row's status is looked at soon, and written if it differs. */
void ctl_writes_due(struct ctl_writes *writes, struct ctl_object_row *row);
/* The same of all rows. */
void ctl_writes_all_due(struct ctl_writes *writes);
/* It leads from now on. */
void ctl_writes_lead(struct ctl_writes *writes);
/* The row is about to go. */
void ctl_writes_forget(struct ctl_writes *writes, struct ctl_object_row *row);
/* An Event to be sent, taken over. */
struct ctl_event;
void ctl_writes_event(struct ctl_writes *writes, struct ctl_event *event);
/* It leads, or statuses are there: go on. */
void ctl_writes_go(struct ctl_writes *writes);

#endif
