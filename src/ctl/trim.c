/* What of an object from the API nobody reads goes before it is kept:
 * managedFields alone are often more than all the rest. */
#include "core/must.h"
#include "ctl/cluster_priv.h"

/* Of what may be no map. */
static void
keep_only(struct tree_node *map, const char *key)
{
	struct tree_node *kept;

	if (map == NULL || map->kind != TREE_MAP)
		return;
	kept = wire_tree_get(map, key);
	map->child = kept;
	map->count = kept != NULL;
	if (kept != NULL)
		kept->next = NULL;
}

/* Authorities are all that is read of a ConfigMap. */
static void
trim_config_map(struct tree_node *object)
{
	wire_tree_drop(object, "binaryData");
	keep_only(wire_tree_get(object, "data"), "ca.crt");
}

static void
trim_endpoints(struct tree_node *object)
{
	static const char *const unread[] = {
	    "deprecatedTopology", "hints", "hostname", "targetRef", "zone"};
	struct tree_node *list = wire_tree_get(object, "endpoints");

	if (list == NULL || list->kind != TREE_LIST)
		return;
	for (struct tree_node *at = list->child; at != NULL; at = at->next)
		for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++)
			wire_tree_drop(at, unread[i]);
}

/* A Node's status tells each few minutes of times, images and volumes. */
static void
trim_node(struct tree_node *object)
{
	static const char *const unread[] = {
	    "lastHeartbeatTime", "lastTransitionTime", "message", "reason"};
	struct tree_node *status = wire_tree_get(object, "status");
	struct tree_node *addresses, *conditions;

	wire_tree_drop(object, "spec");
	if (status == NULL || status->kind != TREE_MAP)
		return;
	addresses = wire_tree_get(status, "addresses");
	conditions = wire_tree_get(status, "conditions");
	status->child = NULL;
	status->count = 0;
	if (addresses != NULL) {
		addresses->next = NULL;
		status->child = addresses;
		status->count++;
	}
	if (conditions == NULL)
		return;
	conditions->next = status->child;
	status->child = conditions;
	status->count++;
	if (conditions->kind != TREE_LIST)
		return;
	for (struct tree_node *at = conditions->child; at != NULL;
	     at = at->next)
		for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++)
			wire_tree_drop(at, unread[i]);
}

void
ctl_trim(struct tree_node *object, enum gw_kind kind)
{
	must(object != NULL);
	struct tree_node *metadata = wire_tree_get(object, "metadata");
	struct tree_node *annotations;

	if (metadata != NULL && metadata->kind == TREE_MAP) {
		wire_tree_drop(metadata, "managedFields");
		wire_tree_drop(metadata, "ownerReferences");
		wire_tree_drop(metadata, "finalizers");
		/* Of each version another: it would make all of them differ. */
		wire_tree_drop(metadata, "resourceVersion");
		annotations = wire_tree_get(metadata, "annotations");
		if (annotations != NULL)
			wire_tree_drop(annotations,
			    "kubectl.kubernetes.io/"
			    "last-applied-configuration");
	}
	/* Policies are told with what others say of them, Gateways with the
	 * addresses that they have, Services with those that load balancers
	 * gave. */
	if (kind == GW_GATEWAY)
		keep_only(wire_tree_get(object, "status"), "addresses");
	else if (kind == GW_SERVICE)
		keep_only(wire_tree_get(object, "status"), "loadBalancer");
	else if (kind == GW_NODE)
		trim_node(object);
	else if (kind != GW_BACKENDTLSPOLICY)
		wire_tree_drop(object, "status");
	if (kind == GW_CONFIGMAP)
		trim_config_map(object);
	else if (kind == GW_ENDPOINTSLICE)
		trim_endpoints(object);
}
