/* Whether a MetalLB runs in the cluster: a Deployment with its labels that is
 * to have pods. Told from the start and whenever it changes, so that its
 * restarts are no change. */
#ifndef YUMEN_CTL_METALLB_H
#define YUMEN_CTL_METALLB_H

#include "kube/client.h"

struct ctl_metallb;
struct ctl_metallb_options {
	struct kube_client *client; /* borrowed */
	/* It is known; whether it is another than before, what it is: what is
	 * "Deployment namespace/name", or empty. */
	void (*on_change)(void *context, struct slice what);
	void *context;
};

struct ctl_metallb *ctl_metallb_new(const struct ctl_metallb_options *options);
void ctl_metallb_free(struct ctl_metallb **metallb);
/* Is it known? */
bool ctl_metallb_is_whole(const struct ctl_metallb *metallb);

#endif
