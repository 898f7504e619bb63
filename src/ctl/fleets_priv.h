/* What the files of ctl/fleets share. */
#ifndef YUMEN_CTL_FLEETS_PRIV_H
#define YUMEN_CTL_FLEETS_PRIV_H

#include "core/list.h"
#include "ctl/fleets.h"
#include "ctl/rate.h"
#include "ctl/rest_priv.h"
#include "ctl/row.h"
#include "kube/ask.h"
#include "kube/follow.h"

/* Whose fields are ours, and whose those are that wait for another to take. */
#define CTL_FLEET_MANAGER "yumen.dev"
#define CTL_FLEET_KEEPER "yumen.dev.keeper"

/* A Gateway that was told of. */
struct ctl_fleet_gateway {
	struct list rows; /* that it wants */
	char *name; /* of its objects, owned */
	char *late; /* what was told of pods that are not ready; or NULL */
	uint64_t hold_ms; /* its Service is given nothing earlier */
	enum gw_fleet_state state;
	bool faulty; /* as was told */
	uint16_t length;
	char key[]; /* "namespace/name" */
};

/* An object that is wanted, or there, or both. */
struct ctl_fleet_row {
	struct ctl_row row; /* kind: enum gw_made */
	struct list due; /* in fleets.due, .resting or .staying */
	struct list wanted_by; /* in the Gateway's rows */
	struct list late; /* in fleets.late, or empty */
	struct ctl_fleet_gateway *gateway; /* that wants it, or NULL */
	char *wanted; /* JSON, owned; NULL: it is not */
	size_t wanted_length;
	uint64_t wanted_hash, live_hash; /* live: 0: it is not there */
	uint64_t applied_hash, applied_live_hash; /* of the last apply */
	/* As of gw_fleet_object; owned, or NULL. */
	char *given, *live_given;
	/* Of a Deployment: replicas that nobody but we have said; owned, or
	 * NULL. */
	char *own_replicas;
	char *owner; /* the live one's fleet, owned; NULL: it names none */
	char *uid; /* the live one's, owned */
	char *fault; /* why it is not as wanted, owned; or NULL */
	uint8_t failures; /* one after the other; at most CTL_RESTS */
	uint64_t ready_ms; /* after a failure */
	/* Of wanted_hash, and of given: as they were written last. */
	struct ctl_undone applied_undone, given_undone;
	uint64_t keep_ms; /* it is deleted no earlier */
	bool scaled; /* as of gw_fleet_object */
	/* Of a Deployment or DaemonSet: its pods are ready; what it lacks of
	 * that, since when it is told (0: nothing), and why as it says itself,
	 * owned, or NULL. */
	bool up;
	const char *lack;
	uint64_t late_ms;
	char *trouble;
	bool busy; /* a call is under way */
};

struct ctl_fleet_follow {
	struct kube_follow follow;
	struct ctl_fleets *fleets;
	enum gw_made kind;
	uint32_t epoch;
	bool whole;
	bool missing; /* the API does not have the kind */
	char root[128];
};

enum { CTL_FLEET_SLOTS = 4 };
enum ctl_fleet_step {
	CTL_FLEET_LOOK, /* is there one that is not ours? */
	CTL_FLEET_HAND, /* its replicas, to whoever scales it */
	CTL_FLEET_APPLY,
	CTL_FLEET_GIVE, /* what its status is to say */
	CTL_FLEET_DELETE,
};
struct ctl_fleet_slot {
	struct kube_ask ask;
	struct ctl_fleets *fleets;
	struct ctl_fleet_row *row; /* NULL: it is free */
	struct text target, body;
	uint64_t hash; /* of what is applied */
	enum ctl_fleet_step step;
};

struct ctl_fleets {
	struct ctl_fleets_options options;
	struct ctl_fleet_follow follows[GW_MADE__COUNT];
	struct text selector;
	struct map rows, gateways; /* by key */
	struct list due, resting, staying;
	struct list late; /* whose pods have time yet, the first the first */
	struct net_timer patience;
	struct ctl_fleet_slot slots[CTL_FLEET_SLOTS];
	struct ctl_rate rate;
	struct net_task work;
	struct net_timer timer;
	struct arena arena;
	uint64_t calm_ms; /* what is of nobody is not deleted earlier */
	bool begun, leads, whole;
	bool knows_gateways, knows_services; /* as of ctl_fleets_told */
};

/* fleets.c */
void ctl_fleet_due(struct ctl_fleets *fleets, struct ctl_fleet_row *row);
/* A copy in the place of the old one; absent: none. */
void ctl_fleet_text(char **place, struct slice text);
/* It, or a new one; NULL: the names are too long. */
struct ctl_fleet_row *ctl_fleet_row(struct ctl_fleets *fleets,
    enum gw_made kind, struct slice namespace, struct slice name);
struct slice ctl_fleet_gateway_key(const void *gateway);
/* why: absent: it is as wanted. */
void ctl_fleet_fault(
    struct ctl_fleets *fleets, struct ctl_fleet_row *row, struct slice why);

/* All rows may be due. */
void ctl_fleets_look(struct ctl_fleets *fleets);
/* Freed when nothing needs it. */
void ctl_fleet_drop(struct ctl_fleets *fleets, struct ctl_fleet_row *row);

/* fleet_live.c */
/* Begins to watch what there is of a kind. */
void ctl_fleet_follow(struct ctl_fleets *fleets, enum gw_made kind);
/* Of what is compared of an object, which is left of it. */
uint64_t ctl_fleet_hash(struct tree_node *object);
/* What the API has of it now; object may be changed. */
void ctl_fleet_live(struct ctl_fleets *fleets, struct ctl_fleet_row *row,
    struct tree_node *object);
void ctl_fleet_gone(struct ctl_fleets *fleets, struct ctl_fleet_row *row);
/* Whose the live one is, that a Gateway wants: OURS, or another's. */
bool ctl_fleet_is_ours(const struct ctl_fleet_row *row);
/* Its status says what it is to say. */
bool ctl_fleet_is_given(const struct ctl_fleet_row *row);
/* Replicas are another's to say, and only we have said them so far. */
bool ctl_fleet_is_held(const struct ctl_fleet_row *row);
/* Has this object of the API the mark of one of our controllers? */
bool ctl_fleet_is_marked(
    const struct ctl_fleets *fleets, const struct tree_node *object);

/* fleet_ready.c */
void ctl_fleet_ready_init(struct ctl_fleets *fleets);
/* A Deployment or a DaemonSet. */
bool ctl_fleet_is_workload(const struct ctl_fleet_row *row);
/* Whether its pods are up, as the API has it (NULL: it is gone). */
void ctl_fleet_take_up(struct ctl_fleets *fleets, struct ctl_fleet_row *row,
    const struct tree_node *object);
/* What there is to be told of pods that are not ready, if that is another. */
void ctl_fleet_tell_late(
    struct ctl_fleets *fleets, struct ctl_fleet_gateway *gateway);

/* fleet_turns.c */
/* It is not wanted, and serves until others do. */
bool ctl_fleet_stays(
    const struct ctl_fleets *fleets, const struct ctl_fleet_row *row);
/* Those that stay are looked at again. */
void ctl_fleet_wake(struct ctl_fleets *fleets);

/* fleet_calls.c */
void ctl_fleet_calls_init(struct ctl_fleets *fleets);
void ctl_fleet_calls_fini(struct ctl_fleets *fleets);
/* What is due may go. */
void ctl_fleet_go(struct ctl_fleets *fleets);

#endif
