/* ReferenceGrants: who may refer across namespaces. */
#include "core/must.h"
#include "gw/state_priv.h"

/* Grants stand with the namespace that they open; routes that lead into it are
 * judged anew. */
void
gw_grant_relink(struct gw_state *state, struct gw_grant_node *grant)
{
	struct gw_namespace_node *before = grant->namespace;

	if (!before && grant->node.object) {
		grant->namespace = (void *)gw_node_touch(state, GW_NAMESPACE,
		    SLICE(""), gw_node_namespace(&grant->node));
		list_insert(&grant->namespace->grants, &grant->link);
	}
	if (grant->namespace)
		gw_node_mark_users(
		    state, &grant->namespace->node, GW_EDGE_INTO);
	if (before && !grant->node.object) {
		list_remove(&grant->link);
		grant->namespace = NULL;
		gw_node_drop(state, &before->node);
	}
}

static bool
permits(const struct gw_referencegrant_spec *grant, struct slice from_group,
    struct slice from_kind, struct slice from_namespace,
    const struct gw_node *to)
{
	const struct gw_kind_row *row = &gw_kinds[to->kind];
	bool from_fits = false;

	for (uint32_t i = 0; i < grant->from_count && !from_fits; i++)
		from_fits = slice_equal(grant->from[i].group, from_group) &&
		    slice_equal(grant->from[i].kind, from_kind) &&
		    slice_equal(grant->from[i].namespace, from_namespace);
	for (uint32_t i = 0; i < grant->to_count && from_fits; i++) {
		const struct gw_grant_to *one = &grant->to[i];

		if (slice_equal(one->group, slice_from_string(row->group)) &&
		    slice_equal(one->kind, slice_from_string(row->kind)) &&
		    (one->name.length == 0 ||
		        slice_equal(one->name, gw_node_name(to))))
			return true;
	}
	return false;
}

bool
gw_grant_permits(const struct gw_state *state, struct slice from_group,
    struct slice from_kind, struct slice from_namespace,
    const struct gw_node *to)
{
	const struct gw_namespace_node *namespace = (const void *)gw_node_get(
	    state, GW_NAMESPACE, SLICE(""), gw_node_namespace(to));

	if (!namespace)
		return false;
	LIST_FOR_EACH(at, &namespace->grants)
	{
		const struct gw_grant_node *grant =
		    container_of(at, struct gw_grant_node, link);

		if (permits(grant->node.object->referencegrant->spec,
		        from_group, from_kind, from_namespace, to))
			return true;
	}
	return false;
}
