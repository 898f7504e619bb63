/* What the controller's flags say of a cluster: how its API is reached, and
 * which Lease says who leads. */
#ifndef YUMEN_CMD_CONTROLLER_CLUSTER_H
#define YUMEN_CMD_CONTROLLER_CLUSTER_H

#include "cmd/flags.h"
#include "gw/fleet.h"
#include "kube/access.h"

enum { CONTROLLER_POOL_NAMESPACES = 2 };

struct controller_cluster {
	bool used; /* there is a cluster, and no files */
	struct kube_access access;
	struct slice lease; /* absent: none */
	/* Who may write there says which addresses there are: MetalLB's own,
	 * and ours. */
	struct slice pool_namespaces[CONTROLLER_POOL_NAMESPACES];
	char identity[300]; /* of this process */
	/* It makes proxies, and knows them by the cluster: neither an authority
	 * nor tokens are files. */
	bool makes_proxies;
	struct gw_fleet_options fleet;
	char server_name[512]; /* that these proxies know it by */
	char announcers[300]; /* their account, "namespace/name" */
};

/* What an identity says of who has it, "HOST_IP:PORT_RANDOM": the address of
 * its stream; absent: none. */
struct slice controller_cluster_address(struct slice identity);
/* False: told on stderr; the exit status is then 2. */
bool controller_cluster_read(
    struct controller_cluster *cluster, const struct flags *flags);
void controller_cluster_fini(struct controller_cluster *cluster);

#endif
