/* A leader among several by a Lease, as others do it (client-go's leader
 * election): who holds it writes its name and the time into it again and again;
 * who finds that nobody did so for its duration takes it. Clocks of other
 * machines are not believed: what counts is when we saw it change. */
#ifndef YUMEN_KUBE_LEASE_H
#define YUMEN_KUBE_LEASE_H

#include "kube/ask.h"

struct kube_lease;
struct kube_lease_options {
	struct slice namespace, name; /* of the Lease */
	struct slice identity; /* ours: no other process has it */
	/* Whether we lead, or who does, is another. holder: who leads now, or
	 * empty. */
	void (*on_change)(void *context, bool leads, struct slice holder);
	void *context;
};

struct kube_lease {
	struct kube_client *client;
	struct kube_lease_options options;
	struct kube_ask ask;
	struct net_timer timer; /* the next try */
	struct net_timer deadline; /* until when we lead, if nothing is heard */
	struct text target, body;
	struct text holder; /* as it was read last */
	struct text renewed; /* renewTime of it */
	struct text version; /* resourceVersion of it; empty: there is none */
	int64_t transitions;
	uint64_t seen_ms; /* when holder or renewed changed */
	uint64_t asked_ms; /* when our last write began */
	uint8_t step; /* enum step of lease.c */
	bool leads, releasing;
};

/* Texts are borrowed for its life. */
void kube_lease_init(struct kube_lease *lease, struct kube_client *client,
    const struct kube_lease_options *options);
/* Give it back, so that another need not wait; it is not taken again. True when
 * that is under way: run the loop until kube_lease_is_released, but not long.
 */
bool kube_lease_release(struct kube_lease *lease);
bool kube_lease_is_released(const struct kube_lease *lease);
void kube_lease_fini(struct kube_lease *lease);

#endif
