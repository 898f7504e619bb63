/* Fleets in a cluster: applies what gw says is to be there for each Gateway
 * (server-side apply, field manager yumen.dev), watches what it made so that
 * what others change or delete of it is mended, and deletes what is of no
 * Gateway any more. An object that does not bear our mark is never touched:
 * the Gateway is told.
 *
 * What it knew nothing of when it came to lead, or is wanted no more but its
 * fleet has nothing else yet, goes a while later: announcers are on their way
 * to a new leader, and from one node to the next.
 *
 * Nothing is written but while told to lead and after ctl_fleets_told. */
#ifndef YUMEN_CTL_FLEETS_H
#define YUMEN_CTL_FLEETS_H

#include "gw/fleet.h"
#include "kube/client.h"

struct ctl_fleets;
struct ctl_fleets_options {
	struct net_loop *loop;
	struct kube_client *client; /* borrowed */
	const struct slice *controller_names; /* that are ours */
	uint32_t controller_name_count;
	struct slice namespace; /* our own; borrowed */
	/* A word of a Gateway's fleet; empty: there is nothing to say. */
	void (*on_word)(void *context, struct slice namespace,
	    struct slice name, enum gw_fleet_word word, struct slice what);
	/* An object of a Service's fleet was not there before. */
	void (*on_made)(void *context, enum gw_made kind, struct slice service,
	    struct slice given);
	void *context;
};

struct ctl_fleets *ctl_fleets_new(const struct ctl_fleets_options *options);
void ctl_fleets_free(struct ctl_fleets **fleets);
/* Copied. */
void ctl_fleets_put(struct ctl_fleets *fleets, const struct gw_fleet *fleet);
/* All that the API has listed was told. What is of none of its Gateways, or
 * Services, is of nobody: but only once these were listed, for an API that has
 * just started, or does not let us, shows none of those that there are. */
void ctl_fleets_told(struct ctl_fleets *fleets, bool gateways, bool services);
void ctl_fleets_lead(struct ctl_fleets *fleets, bool leads);

#endif
