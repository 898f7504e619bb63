/* Which kinds the API has let us list, and why not the others. */
#include "core/must.h"
#include "ctl/cluster_priv.h"

static const struct kube_follow *
follow_of(const struct ctl_cluster *cluster, enum gw_kind kind)
{
	for (unsigned i = 0; i < cluster->followed_count; i++)
		if (cluster->followed[i].kind == kind)
			return &cluster->followed[i].follow;
	must(!"a kind that is not read");
}

bool
ctl_cluster_lists(const struct ctl_cluster *cluster, enum gw_kind kind)
{
	return follow_of(cluster, kind)->listed;
}

enum gw_unread
ctl_cluster_unread(const struct ctl_cluster *cluster, enum gw_kind kind)
{
	must(cluster != NULL);
	const struct kube_follow *follow = follow_of(cluster, kind);

	if (follow->listed)
		return GW_READ;
	return follow->trouble == KUBE_FOLLOW_MISSING ? GW_UNREAD_MISSING
	                                              : GW_UNREAD_DENIED;
}
