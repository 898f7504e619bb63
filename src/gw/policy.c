/* The attachment engine: who targets what, and who of several is in force. */
#include "gw/policy_priv.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/must.h"

bool
gw_is_policy(enum gw_kind kind)
{
	return gw_policy_rows[kind].targets != NULL;
}

struct list *
gw_policies_of(const struct gw_node *node)
{
	void *whole = (void *)(uintptr_t)node;

	if (node->kind == GW_SERVICE || node->kind == GW_XBACKEND)
		return &((struct gw_backend_node *)whole)->policies;
	return NULL;
}

/* ---- links ---- */

/* The units of those that lead to a target say what its policies make of it. */
static void
mark_target(struct gw_state *state, struct gw_node *node, bool users)
{
	gw_node_mark(state, node);
	if (users)
		gw_node_mark_users(state, node, GW_EDGE_BACKEND);
	gw_policies_mark(state, node);
}

static void
unlink_targets(
    struct gw_state *state, struct gw_policy_node *policy, bool users)
{
	for (uint32_t i = 0; i < policy->target_count; i++) {
		struct gw_policy_target *target = &policy->targets[i];

		list_remove(&target->link);
		if (target->node)
			mark_target(state, target->node, users);
	}
	/* A node that has been marked is dropped after its turn. */
	memory_free(policy->targets);
	policy->targets = NULL;
	policy->target_count = 0;
	gw_edges_unlink(state, policy->edges, policy->edge_count);
	memory_free(policy->edges);
	policy->edges = NULL;
	policy->edge_count = 0;
}

/* By group and kind, whatever the version. */
static bool
find_kind(struct slice group, struct slice kind, enum gw_kind *found)
{
	for (unsigned i = 0; i < GW_KIND__COUNT; i++)
		if (slice_equal(kind, slice_from_string(gw_kinds[i].kind)) &&
		    slice_equal(group, slice_from_string(gw_kinds[i].group))) {
			*found = i;
			return true;
		}
	return false;
}

static void
link_targets(struct gw_state *state, struct gw_policy_node *policy, bool users)
{
	const struct gw_policy_row *row = &gw_policy_rows[policy->node.kind];
	uint32_t count;
	const struct gw_policy_target_reference *references =
	    row->targets(policy->node.object, &count);

	policy->targets = memory_zero(count + 1, sizeof(*policy->targets));
	policy->target_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct gw_policy_target *target = &policy->targets[i];
		enum gw_kind kind;

		*target = (struct gw_policy_target){
		    .policy = policy, .reference = &references[i]};
		list_init(&target->link);
		if (!find_kind(
		        references[i].group, references[i].kind, &kind) ||
		    !row->takes(kind))
			continue;
		target->node = gw_node_touch(state, kind,
		    gw_node_namespace(&policy->node), references[i].name);
		list_insert(gw_policies_of(target->node), &target->link);
		mark_target(state, target->node, users);
	}
	row->refer(state, policy);
}

void
gw_policy_replace(struct gw_state *state, struct gw_policy_node *policy,
    const struct gw_object *before)
{
	const struct gw_object *now = policy->node.object;
	bool differs = !before || !now || before->digest != now->digest;

	unlink_targets(state, policy, differs);
	if (now)
		link_targets(state, policy, differs);
	gw_node_mark(state, &policy->node);
}

void
gw_policies_mark(struct gw_state *state, struct gw_node *node)
{
	struct list *policies = gw_policies_of(node);

	if (!policies)
		return;
	LIST_FOR_EACH(at, policies)
	gw_node_mark(state,
	    &container_of(at, struct gw_policy_target, link)->policy->node);
}

void
gw_policies_on_classes(struct gw_state *state)
{
	for (unsigned kind = 0; kind < GW_KIND__COUNT; kind++) {
		struct slice key;
		void *value;

		if (!gw_is_policy(kind))
			continue;
		for (size_t at = 0;
		     map_next(&state->nodes[kind], &at, &key, &value);) {
			struct gw_node *node = value;

			if (node->object && node->object->told)
				gw_node_mark(state, node);
		}
	}
}

/* ---- judging ---- */

static void
judge(struct gw_state *state, struct gw_policy_node *policy)
{
	const struct gw_policy_verdict *verdict = &policy->verdict;
	uint64_t effect;

	arena_reset(&policy->arena);
	policy->verdict = (struct gw_policy_verdict){0};
	gw_policy_rows[policy->node.kind].judge(state, policy);
	effect = hash_bytes(verdict->message) + verdict->usable +
	    (verdict->refused ? UINT64_C(1) << 32 : 0);
	if (effect == policy->effect)
		return;
	policy->effect = effect;
	for (uint32_t i = 0; i < policy->target_count; i++)
		if (policy->targets[i].node)
			mark_target(state, policy->targets[i].node, true);
}

/* Their statuses are told later, once routes say where they lead: they stay
 * dirty. Those that become so here have been judged. */
void
gw_policies_judge(struct gw_state *state)
{
	for (unsigned kind = 0; kind < GW_KIND__COUNT; kind++) {
		if (!gw_is_policy(kind))
			continue;
		LIST_FOR_EACH(at, &state->dirty[kind])
		{
			struct gw_node *node =
			    container_of(at, struct gw_node, dirty);

			if (node->object)
				judge(state, (void *)node);
		}
	}
}

/* ---- who is in force ---- */

bool
gw_policy_has_section(const struct gw_node *node, struct slice section)
{
	if (section.length == 0)
		return true;
	if (node->kind != GW_SERVICE || !node->object)
		return false;
	const struct gw_service_spec *spec = node->object->service->spec;

	for (uint32_t i = 0; i < spec->ports_count; i++)
		if (slice_equal(spec->ports[i].name, section))
			return true;
	return false;
}

/* The older, then the first by name. */
static bool
comes_before(const struct gw_object *a, const struct gw_object *b)
{
	int order;

	if (a->created != b->created)
		return a->created < b->created;
	order = slice_compare(a->namespace, b->namespace);
	return order ? order < 0 : slice_compare(a->name, b->name) < 0;
}

/* The first of a kind for just this section. */
static struct gw_policy_node *
find_first(const struct gw_node *node, enum gw_kind kind, struct slice section)
{
	struct gw_policy_node *first = NULL;

	LIST_FOR_EACH(at, gw_policies_of(node))
	{
		const struct gw_policy_target *target =
		    container_of(at, struct gw_policy_target, link);
		struct gw_policy_node *policy = target->policy;
		struct slice name = target->reference->section_name;

		if (policy->node.kind != kind ||
		    name.length != section.length ||
		    !slice_equal(name, section))
			continue;
		if (!first ||
		    comes_before(policy->node.object, first->node.object))
			first = policy;
	}
	return first;
}

const struct gw_policy_node *
gw_policy_winner(const struct gw_policy_target *target)
{
	const struct gw_policy_node *first = find_first(target->node,
	    target->policy->node.kind, target->reference->section_name);

	return first == target->policy ? NULL : first;
}

struct gw_policy_node *
gw_policy_in_force(
    const struct gw_node *node, enum gw_kind kind, struct slice section)
{
	struct gw_policy_node *policy = NULL;

	if (list_is_empty(gw_policies_of(node)))
		return NULL;
	if (section.length > 0)
		policy = find_first(node, kind, section);
	return policy ? policy : find_first(node, kind, SLICE(""));
}

/* Does a unit name what the policy refers to? */
static bool
is_in_use(const struct gw_policy_node *policy)
{
	for (uint32_t i = 0; i < policy->target_count; i++) {
		const struct gw_policy_target *target = &policy->targets[i];

		if (target->node && target->node->object &&
		    target->node->active > 0 && !gw_policy_winner(target))
			return true;
	}
	return false;
}

void
gw_policies_settle(struct gw_state *state, struct gw_node *node)
{
	LIST_FOR_EACH(at, gw_policies_of(node))
	{
		struct gw_policy_node *policy =
		    container_of(at, struct gw_policy_target, link)->policy;
		bool used = !policy->verdict.refused && is_in_use(policy);

		for (uint32_t i = 0; i < policy->edge_count; i++)
			gw_edge_activate(state, &policy->edges[i],
			    used && policy->verdict.usable >> i & 1);
	}
}
