/* Reconcile: the objects, and what agents report, to units and statuses. A pure
 * function: the same objects give the same bytes, whatever the order they came
 * in. What is kept between runs is a cache of its pieces: a change of one route
 * costs that route, and a test holds that this equals starting anew. */
#ifndef YUMEN_GW_STATE_H
#define YUMEN_GW_STATE_H

#include "core/error.h"
#include "core/text.h"
#include "gw/options.h"
#include "gw/object.h"

/* The controllerName of our own GatewayClasses. */
#define GW_CONTROLLER "yumen.dev/gateway-controller"

struct gw_state;
struct gw_state *gw_state_new(const struct gw_options *options);
void gw_state_free(struct gw_state **state);

/* Before object is put: it takes the place of the one of its name, if there is
 * one (gw_object_succeed). */
void gw_state_succeed(struct gw_state *state, struct gw_object *object);
/* Add or replace an object (taken over; *object is NULL after). */
void gw_state_put(struct gw_state *state, struct gw_object **object);
void gw_state_remove(struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name);
bool gw_state_has(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name);
/* Of a kind that is no route; those may be asleep. */
const struct gw_object *gw_state_get(const struct gw_state *state,
    enum gw_kind kind, struct slice namespace, struct slice name);
/* All objects of a kind in order of namespace and name, awake while fn has
 * them: fn returns false to stop. */
void gw_state_each(const struct gw_state *state, enum gw_kind kind,
    bool (*fn)(void *context, const struct gw_object *object), void *context);

/* What an agent reported of a listener unit: OK, or why it is not bound. why:
 * for people. A report is of the unit's present bytes: it is forgotten when
 * those change. */
void gw_state_report(struct gw_state *state, struct slice unit,
    enum error error, struct slice why);
/* A unit that an agent refused (empty why: no more). */
void gw_state_report_refused(
    struct gw_state *state, struct slice unit, struct slice why);

/* Certificates, as Secrets hold them. */
enum gw_certificate_health {
	GW_CERTIFICATE_GOOD,
	GW_CERTIFICATE_EXPIRING, /* soon: somebody should have renewed it */
	GW_CERTIFICATE_NOT_YET_VALID,
	GW_CERTIFICATE_EXPIRED,
	GW_CERTIFICATE_BROKEN, /* missing, or no good whatever the time */
};
struct gw_certificate {
	const struct gw_object *secret; /* NULL: only referred to */
	struct slice namespace, name;
	enum gw_certificate_health health;
	bool used; /* somebody refers to it */
	struct slice told; /* what is wrong or odd, for people; or empty */
	const struct slice *names; /* DNS names of the certificate itself */
	uint32_t name_count;
	int64_t not_before, not_after; /* seconds since 1970; 0: not known */
};
/* Of Secrets that hold one or are referred to as if, by namespace and name; all
 * of certificate lives until fn returns. */
void gw_state_each_certificate(struct gw_state *state,
    void (*fn)(void *context, const struct gw_certificate *certificate),
    void *context);
/* The time by which certificates are judged, never an earlier one; without,
 * none has expired. What that changes is for the next run. */
void gw_state_clock(struct gw_state *state, int64_t now_seconds);
/* When to say the time again, at the latest; 0: it need not be. */
int64_t gw_state_clock_due(const struct gw_state *state);

/* What the keys of session tickets are made of, newest first: random bytes, for
 * nobody else to see, copied; without, no listener has tickets. */
#define GW_TICKET_SEED_BYTES 32
#define GW_TICKET_SEEDS_MAX 4
void gw_state_tickets(struct gw_state *state,
    const uint8_t (*seeds)[GW_TICKET_SEED_BYTES], unsigned count);

/* The certificates that proxies believe the stream by; without, no fleet is
 * made. Copied. */
void gw_state_fleet_bundle(struct gw_state *state, struct slice bundle);
/* A word of a Gateway's fleet, for people; empty: there is nothing to say. */
void gw_state_report_fleet(struct gw_state *state, struct slice namespace,
    struct slice name, enum gw_fleet_word word, struct slice what);

/* What the receiver keeps with a unit; zero when it is new. */
struct gw_tag {
	uint8_t bytes[16];
};

/* What the receiver keeps with the status of an object, as long as that is
 * there; zero when it is new. It stays where it is. */
struct gw_status_tag {
	uint64_t words[3];
};
/* NULL: there is no such object, or its kind has no status. */
struct gw_status_tag *gw_state_status_tag(const struct gw_state *state,
    enum gw_kind kind, struct slice namespace, struct slice name);

/* One change that reconcile asks for. Slices, records and what an object says
 * are the caller's until it returns. */
struct gw_output {
	void *context;
	/* A unit is new or changed (bytes) or gone (bytes absent). */
	void (*on_unit)(void *context, struct slice name, struct slice bytes,
	    struct gw_tag *tag);
	/* The status of an object is new or changed: a record of
	 * gw_status_type(kind). Conditions have no lastTransitionTime.
	 * Programmed is what will be true once the generation is served. NULL:
	 * the object is there but no longer ours, and has no status from us any
	 * more (only with controller_names). Of an object that was removed
	 * nothing is said. */
	void (*on_status)(void *context, const struct gw_object *object,
	    const void *status, struct gw_status_tag *tag);
	/* A certificate that is in use came to be of another health than was
	 * told before (GOOD to begin with). May be NULL. */
	void (*on_certificate)(
	    void *context, const struct gw_certificate *certificate);
	/* What a Gateway's fleet is to be is new or changed. NULL only without
	 * gw_options.fleet. */
	void (*on_fleet)(void *context, const struct gw_fleet *fleet);
};
/* Bring units and statuses up to date with all puts, removes and reports since
 * the last run. Outputs come by kind of object, in order of name. */
void gw_state_reconcile(struct gw_state *state, const struct gw_output *output);

/* The status record's type: gw_gatewayclass_status, gw_gateway_status,
 * gw_listenerset_status, gw_route_status, gw_policy_status, gw_balancer_status
 * (of Services), gw_pool_status; NULL for kinds without one. */
const struct record_type *gw_status_type(enum gw_kind kind);
/* A copy of a status in arena with Programmed=False/Pending and this message
 * where it is True, on the object and its listeners. A Gateway has until then
 * the addresses that it had (told, which may be NULL), for no others answer. */
void *gw_status_pending(enum gw_kind kind, const void *status,
    const struct gw_told_addresses *told, struct slice message,
    struct arena *arena);

#endif
