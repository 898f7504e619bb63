/* What is known of certificates beyond their content: the time that passes over
 * them, and who wants to hear of it. */
#include "core/must.h"
#include "gw/state_priv.h"

void
gw_clock_note(struct gw_state *state, const struct gw_secret_node *secret)
{
	int64_t at = gw_secret_turns_at(state, &secret->node);

	if (at < state->turns_at)
		state->turns_at = at;
}

/* Those that are not what they were: who refers to them is judged anew. */
void
gw_state_clock(struct gw_state *state, int64_t now_seconds)
{
	must(state != NULL && now_seconds > 0);
	const struct map *map = &state->nodes[GW_SECRET];
	bool due = now_seconds >= state->turns_at || now_seconds < state->now;
	int64_t before = state->now;
	struct slice key;
	void *value;

	gw_told_clock(state, now_seconds);
	if (!due) {
		state->now = now_seconds;
		return;
	}
	state->turns_at = INT64_MAX;
	for (size_t at = 0; map_next(map, &at, &key, &value);) {
		struct gw_secret_node *secret = value;

		if (!secret->judged)
			continue;
		state->now = before;
		enum gw_certificate_health was =
		    gw_secret_health(state, &secret->node);
		bool dated = gw_secret_is_dated(state, &secret->node);

		state->now = now_seconds;
		if (gw_secret_health(state, &secret->node) != was ||
		    gw_secret_is_dated(state, &secret->node) != dated) {
			gw_node_mark_users(
			    state, &secret->node, GW_EDGE_CERTIFICATE);
			gw_node_mark(state, &secret->node);
		}
		gw_clock_note(state, secret);
	}
	state->now = now_seconds;
}

int64_t
gw_state_clock_due(const struct gw_state *state)
{
	must(state != NULL);
	int64_t due = state->turns_at;

	if (!state->is_deaf && state->silence_due < due)
		due = state->silence_due;
	return due == INT64_MAX ? 0 : due;
}

static bool
is_used(const struct gw_node *node)
{
	LIST_FOR_EACH(at, &node->users)
	{
		const struct gw_edge *edge =
		    container_of(at, struct gw_edge, link);

		if (edge->role == GW_EDGE_CERTIFICATE)
			return true;
	}
	return false;
}

static void
view(struct gw_state *state, struct gw_secret_node *secret, struct text *told,
    struct gw_certificate *certificate)
{
	text_reset(told);
	(void)gw_secret_is_good(state, &secret->node, told);
	*certificate = (struct gw_certificate){
	    .secret = secret->node.object,
	    .namespace = gw_node_namespace(&secret->node),
	    .name = gw_node_name(&secret->node),
	    .health = gw_secret_health(state, &secret->node),
	    .used = is_used(&secret->node),
	    .told = text_slice(told),
	    .names = secret->names,
	    .name_count = secret->name_count,
	    .not_before = secret->not_before,
	    .not_after = secret->not_after,
	};
}

void
gw_certificate_tell(struct gw_state *state, struct gw_secret_node *secret)
{
	if (!secret->judged || !is_used(&secret->node)) {
		secret->told = GW_CERTIFICATE_GOOD;
		return;
	}
	enum gw_certificate_health health =
	    gw_secret_health(state, &secret->node);

	if (health == secret->told)
		return;
	secret->told = health;
	struct arena *arena = &state->outbox.arena;
	struct gw_certificate *certificate =
	    arena_alloc(arena, sizeof(*certificate));
	struct text told;

	text_init(&told);
	view(state, secret, &told, certificate);
	certificate->told = arena_copy(arena, certificate->told);
	text_fini(&told);
	gw_outbox_certificate(&state->outbox, certificate);
}

void
gw_state_each_certificate(struct gw_state *state,
    void (*fn)(void *context, const struct gw_certificate *certificate),
    void *context)
{
	must(state != NULL && fn != NULL);
	struct arena arena;
	struct text told;
	uint32_t count;

	arena_init(&arena, 512);
	text_init(&told);
	struct gw_node **nodes =
	    gw_nodes_sorted(state, GW_SECRET, &arena, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct gw_secret_node *secret = (void *)nodes[i];
		struct gw_certificate certificate;

		if (!slice_equal(secret->node.object->secret->type,
		        SLICE("kubernetes.io/tls")) &&
		    !is_used(&secret->node))
			continue;
		view(state, secret, &told, &certificate);
		fn(context, &certificate);
	}
	text_fini(&told);
	arena_fini(&arena);
}
