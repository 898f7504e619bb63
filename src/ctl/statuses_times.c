/* Times of conditions: when each came to be what it is. */
#include "ctl/statuses_priv.h"

#include "core/clock.h"

struct conditions {
	struct gw_condition *items;
	uint32_t count;
};

/* When the condition came to be what it is: as it was, or now. */
static struct slice
time_of(const struct gw_condition *condition, struct conditions before,
    struct slice now)
{
	for (uint32_t i = 0; i < before.count; i++)
		if (slice_equal(before.items[i].type, condition->type) &&
		    slice_equal(before.items[i].status, condition->status))
			return before.items[i].last_transition_time;
	return now;
}

static void
set_times(struct conditions conditions, struct conditions before,
    struct slice now, struct arena *arena)
{
	for (uint32_t i = 0; i < conditions.count; i++) {
		struct gw_condition *condition = &conditions.items[i];

		/* Another controller's has its own. */
		if (slice_is_set(condition->last_transition_time))
			continue;
		condition->last_transition_time =
		    arena_copy(arena, time_of(condition, before, now));
	}
}

#define CONDITIONS(of) \
	((struct conditions){(of)->conditions, (of)->conditions_count})

struct listeners {
	struct gw_listener_status *items;
	uint32_t count;
};

static void
set_listener_times(struct listeners listeners, struct listeners before,
    struct slice now, struct arena *arena)
{
	for (uint32_t i = 0; i < listeners.count; i++) {
		struct gw_listener_status *listener = &listeners.items[i];
		struct conditions old = {0};

		for (uint32_t j = 0; j < before.count; j++)
			if (slice_equal(before.items[j].name, listener->name))
				old = CONDITIONS(&before.items[j]);
		set_times(CONDITIONS(listener), old, now, arena);
	}
}

#define LISTENERS(of) \
	((struct listeners){(of)->listeners, (of)->listeners_count})

static void
set_gateway_times(struct gw_gateway_status *status,
    const struct gw_gateway_status *before, struct slice now,
    struct arena *arena)
{
	set_times(CONDITIONS(status),
	    before ? CONDITIONS(before) : (struct conditions){0}, now, arena);
	set_listener_times(LISTENERS(status),
	    before ? LISTENERS(before) : (struct listeners){0}, now, arena);
}

static void
set_listenerset_times(struct gw_listenerset_status *status,
    const struct gw_listenerset_status *before, struct slice now,
    struct arena *arena)
{
	set_times(CONDITIONS(status),
	    before ? CONDITIONS(before) : (struct conditions){0}, now, arena);
	set_listener_times(LISTENERS(status),
	    before ? LISTENERS(before) : (struct listeners){0}, now, arena);
}

static bool
is_same_reference(
    const struct gw_status_parent *x, const struct gw_status_parent *y)
{
	if (x == NULL || y == NULL)
		return false;
	return slice_equal(x->group, y->group) &&
	    slice_equal(x->kind, y->kind) && slice_equal(x->name, y->name) &&
	    slice_equal(x->namespace, y->namespace) && x->port == y->port &&
	    slice_equal(x->section_name, y->section_name);
}

static bool
is_same_parent(const struct gw_route_parent_status *a,
    const struct gw_route_parent_status *b)
{
	return slice_equal(a->controller_name, b->controller_name) &&
	    is_same_reference(a->parent_ref, b->parent_ref);
}

static bool
is_same_ancestor(const struct gw_policy_ancestor_status *a,
    const struct gw_policy_ancestor_status *b)
{
	return slice_equal(a->controller_name, b->controller_name) &&
	    is_same_reference(a->ancestor_ref, b->ancestor_ref);
}

static void
set_route_times(struct gw_route_status *status,
    const struct gw_route_status *before, struct slice now, struct arena *arena)
{
	for (uint32_t i = 0; i < status->parents_count; i++) {
		struct gw_route_parent_status *parent = &status->parents[i];
		struct conditions old = {0};

		for (uint32_t j = 0; before && j < before->parents_count; j++)
			if (is_same_parent(&before->parents[j], parent))
				old = CONDITIONS(&before->parents[j]);
		set_times(CONDITIONS(parent), old, now, arena);
	}
}

static void
set_policy_times(struct gw_policy_status *status,
    const struct gw_policy_status *before, struct slice now,
    struct arena *arena)
{
	for (uint32_t i = 0; i < status->ancestors_count; i++) {
		struct gw_policy_ancestor_status *entry = &status->ancestors[i];
		struct conditions old = {0};

		for (uint32_t j = 0; before && j < before->ancestors_count; j++)
			if (is_same_ancestor(&before->ancestors[j], entry))
				old = CONDITIONS(&before->ancestors[j]);
		set_times(CONDITIONS(entry), old, now, arena);
	}
}

static void
set_class_times(struct gw_gatewayclass_status *status,
    const struct gw_gatewayclass_status *before, struct slice now,
    struct arena *arena)
{
	set_times(CONDITIONS(status),
	    before ? CONDITIONS(before) : (struct conditions){0}, now, arena);
}

static void
set_balancer_times(struct gw_balancer_status *status,
    const struct gw_balancer_status *before, struct slice now,
    struct arena *arena)
{
	set_times(CONDITIONS(status),
	    before ? CONDITIONS(before) : (struct conditions){0}, now, arena);
}

void
ctl_status_times(enum gw_kind kind, void *status, const void *before,
    int64_t wall_ms, struct arena *arena)
{
	const struct record_type *type = gw_status_type(kind);
	char text[CLOCK_RFC3339_BYTES + 1];

	clock_format(wall_ms, text);
	/* Kubernetes writes seconds: 2026-11-24T04:05:06Z. */
	text[19] = 'Z';
	struct slice now = slice_make(text, 20);

	if (type == &gw_gateway_status_type)
		set_gateway_times(status, before, now, arena);
	else if (type == &gw_listenerset_status_type)
		set_listenerset_times(status, before, now, arena);
	else if (type == &gw_route_status_type)
		set_route_times(status, before, now, arena);
	else if (type == &gw_policy_status_type)
		set_policy_times(status, before, now, arena);
	else if (type == &gw_gatewayclass_status_type)
		set_class_times(status, before, now, arena);
	else if (type == &gw_balancer_status_type)
		set_balancer_times(status, before, now, arena);
}
