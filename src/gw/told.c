/* What announcers say of addresses that are claimed: which node announces one,
 * on which interfaces, and which other machine has it too; that they say
 * nothing at all; and what keeps them from it, or they are not asked to do.
 * Owns these words, which are forgotten with the claim.
 *
 * Where several nodes announce one, a node that had it before another took it
 * is the fence of the others, for as long as it says so. It may be dead:
 * whether it is meant for them they know (announce/election.h). */
#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "gw/state_priv.h"

#define PATIENCE_S (LIMIT_VALUE_ANNOUNCE_UNSAID_MS / 1000)

/* Of one claim. */
struct told {
	struct list words; /* feed_reply.link, by node */
	struct feed_reply *fence; /* among the words, or NULL */
	struct text omitted, nowhere, nodes; /* as of gw_told_place */
	/* Since when nobody says anything, in seconds since 1970; 0: somebody
	 * does, or need not. */
	int64_t silent_since;
	bool is_silent; /* for long: that is told */
	size_t length;
	char unit[];
};

struct slice
gw_told_key(const void *told)
{
	const struct told *one = told;

	return slice_make(one->unit, one->length);
}

static struct feed_reply *
word_at(struct list *at)
{
	return container_of(at, struct feed_reply, link);
}

static struct told *
touch(struct gw_state *state, struct slice unit)
{
	struct told *told = map_get(&state->told, unit);

	if (told)
		return told;
	told = memory_zero(1, sizeof(*told) + unit.length);
	list_init(&told->words);
	text_init(&told->omitted);
	text_init(&told->nowhere);
	text_init(&told->nodes);
	told->length = unit.length;
	memcpy(told->unit, unit.data, unit.length);
	(void)map_add(&state->told, told);
	return told;
}

static void
drop(struct list *at)
{
	struct feed_reply *word = word_at(at);

	list_remove(at);
	feed_reply_free(&word);
}

static void
free_told(struct told *told)
{
	while (!list_is_empty(&told->words))
		drop(told->words.next);
	text_fini(&told->omitted);
	text_fini(&told->nowhere);
	text_fini(&told->nodes);
	memory_free(told);
}

void
gw_told_forget(struct gw_state *state, struct slice unit)
{
	struct told *told = map_remove(&state->told, unit);

	if (told)
		free_told(told);
}

static void
forget_empty(struct gw_state *state, const struct told *told)
{
	if (list_is_empty(&told->words) && told->omitted.length == 0 &&
	    told->nowhere.length == 0 && told->silent_since == 0)
		gw_told_forget(state, gw_told_key(told));
}

void
gw_told_fini(struct gw_state *state)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&state->told, &at, &key, &value);)
		free_told(value);
	map_fini(&state->told);
}

/* Where the word of this node stands, or is to stand: before it. */
static struct list *
find_place(struct told *told, struct slice node)
{
	LIST_FOR_EACH(at, &told->words)
	if (slice_compare(word_at(at)->claim.node, node) >= 0)
		return at;
	return &told->words;
}

static bool
holds(const struct feed_reply *word)
{
	return word->claim.interfaces.length > 0;
}

/* One that holds it, another than this, which has spoken last. */
static struct feed_reply *
first_but(struct told *told, const struct feed_reply *last)
{
	LIST_FOR_EACH(at, &told->words)
	if (word_at(at) != last && holds(word_at(at)))
		return word_at(at);
	return NULL;
}

static bool
is_one_alone(struct told *told)
{
	unsigned count = 0;

	LIST_FOR_EACH(at, &told->words)
	count += holds(word_at(at));
	return count < 2;
}

/* A node has spoken: word is among the words, for what it said before. */
static void
find_fence(struct gw_state *state, struct told *told, struct feed_reply *word,
    bool was_fence, bool differs)
{
	const struct feed_reply *before = told->fence;

	if (was_fence)
		told->fence = holds(word) ? word : NULL;
	if (!told->fence && !is_one_alone(told))
		told->fence = first_but(told, word);
	if (was_fence ? differs : told->fence != before)
		state->claims_stale = true;
}

/* ---- silence ---- */

static struct slice
address_of(struct slice unit)
{
	return slice_skip(unit, sizeof("claim/") - 1);
}

/* In a cluster, for on one host it is not for long. True when what is told of
 * it is another. */
static bool
heed_silence(struct gw_state *state, struct told *told)
{
	bool was_silent = told->is_silent;

	if (state->addressing == GW_ADDRESSING_HOST ||
	    !list_is_empty(&told->words) || told->nowhere.length > 0) {
		told->silent_since = 0;
		told->is_silent = false;
	} else if (told->silent_since == 0) {
		told->silent_since = state->now;
		if (state->now != 0 &&
		    state->now + PATIENCE_S < state->silence_due)
			state->silence_due = state->now + PATIENCE_S;
	}
	return told->is_silent != was_silent;
}

void
gw_told_clock(struct gw_state *state, int64_t now)
{
	struct slice key;
	void *value;

	if (state->is_deaf || (now < state->silence_due && now >= state->now))
		return;
	state->silence_due = INT64_MAX;
	for (size_t at = 0; map_next(&state->told, &at, &key, &value);) {
		struct told *told = value;

		if (told->silent_since == 0 || told->is_silent)
			continue;
		if (told->silent_since > now)
			told->silent_since = now;
		int64_t since = told->silent_since > state->listens_since
		    ? told->silent_since
		    : state->listens_since;
		int64_t due = since + PATIENCE_S;
		told->is_silent = now >= due;
		if (told->is_silent)
			gw_announced_mark(state, address_of(key));
		else if (due < state->silence_due)
			state->silence_due = due;
	}
}

void
gw_state_listen(struct gw_state *state, bool listens)
{
	must(state != NULL);
	struct slice key;
	void *value;

	if (state->is_deaf != listens)
		return;
	state->is_deaf = !listens;
	state->listens_since = state->now;
	state->silence_due = state->now + PATIENCE_S;
	for (size_t at = 0; map_next(&state->told, &at, &key, &value);) {
		struct told *told = value;

		if (told->is_silent)
			gw_announced_mark(state, address_of(key));
		told->is_silent = false;
	}
}

/* ---- what is said ---- */

void
gw_state_report_claim(
    struct gw_state *state, struct slice unit, const struct feed_claim *claim)
{
	must(state != NULL && claim != NULL);
	if (!map_get(&state->claims, unit))
		return;
	struct told *told = touch(state, unit);
	struct list *at = find_place(told, claim->node);
	struct feed_reply *word = feed_reply_new_claim(unit, claim);
	bool again = at != &told->words &&
	    slice_equal(word_at(at)->claim.node, claim->node);

	bool was_fence = again && told->fence == word_at(at);
	bool differs = again &&
	    !slice_equal(word_at(at)->claim.interfaces, claim->interfaces);

	list_insert(at, &word->link);
	if (again)
		drop(at);
	find_fence(state, told, word, was_fence, differs);
	if (!feed_reply_says(word))
		drop(&word->link);
	heed_silence(state, told);
	forget_empty(state, told);
	state->l2_stale = true;
	gw_announced_mark(state, address_of(unit));
}

/* True when it is another. */
static bool
set_text(struct text *text, struct slice what)
{
	if (slice_equal(text_slice(text), what))
		return false;
	text_reset(text);
	text_push(text, what);
	return true;
}

void
gw_told_place(struct gw_state *state, struct slice unit,
    const struct gw_told_placing *placing)
{
	struct told *told = touch(state, unit);
	bool differs = set_text(&told->omitted, placing->omitted);

	differs = set_text(&told->nowhere, placing->nowhere) || differs;
	differs = heed_silence(state, told) || differs;
	/* They are told of a silence alone. */
	if (set_text(&told->nodes, placing->nodes) && told->is_silent)
		differs = true;
	forget_empty(state, told);
	if (differs)
		gw_announced_mark(state, address_of(unit));
}

/* ---- what follows ---- */

static struct slice
unit_of(struct slice address, struct arena *arena)
{
	return arena_format(arena, "claim/%.*s", SLICE_ARGS(address));
}

/* NULL: nobody says anything. */
static const struct told *
of_address(
    const struct gw_state *state, struct slice address, struct arena *arena)
{
	return state->told.count > 0
	    ? map_get(&state->told, unit_of(address, arena))
	    : NULL;
}

static bool
is_announced(const struct told *told)
{
	LIST_FOR_EACH(at, &told->words)
	if (word_at(at)->claim.interfaces.length > 0)
		return true;
	return false;
}

void
gw_told_each(const struct gw_state *state, struct slice address,
    struct arena *arena,
    void (*fn)(void *context, const struct feed_claim *word), void *context)
{
	const struct told *told = of_address(state, address, arena);

	if (!told)
		return;
	LIST_FOR_EACH(at, &told->words)
	if (word_at(at)->claim.interfaces.length > 0)
		fn(context, &word_at(at)->claim);
}

static void
push_word(
    struct text *text, struct slice address, const struct feed_claim *word)
{
	text_printf(text, "%s%.*s: ", text->length > 0 ? "; " : "",
	    SLICE_ARGS(address));
	if (word->node.length > 0)
		text_printf(text, "node %.*s: ", SLICE_ARGS(word->node));
	text_push(text, word->why);
}

bool
gw_told_rivals(const struct gw_state *state, const struct gw_placed *placed,
    struct arena *arena, struct text *out)
{
	bool lost = false;

	for (uint32_t i = 0; i < placed->count; i++) {
		const struct slice address = placed->items[i].text;
		const struct told *told = of_address(state, address, arena);

		if (!told)
			continue;
		LIST_FOR_EACH(at, &told->words)
		{
			const struct feed_claim *word = &word_at(at)->claim;

			if (word->rival.length == 0)
				continue;
			push_word(out, address, word);
			lost = lost || !is_announced(told);
		}
	}
	return lost;
}

static void
tell_refused(const struct gw_state *state, struct slice address,
    struct arena *arena, struct text *out)
{
	const struct gw_report *report = state->reports.count > 0
	    ? gw_report_get(state, unit_of(address, arena))
	    : NULL;

	if (report)
		text_printf(out, "%.*s: an announcer refuses it: %.*s",
		    SLICE_ARGS(address),
		    SLICE_ARGS(text_slice(&report->refused)));
}

/* The first word that says why nobody does. */
static void
tell_silent(const struct told *told, struct slice address, struct text *out)
{
	LIST_FOR_EACH(at, &told->words)
	{
		const struct feed_claim *word = &word_at(at)->claim;

		if (word->rival.length > 0 || word->why.length == 0)
			continue;
		push_word(out, address, word);
		return;
	}
}

static void
tell_unsaid(const struct gw_state *state, const struct told *told,
    struct slice address, struct text *out)
{
	struct slice nodes = text_slice(&told->nodes);

	text_printf(out,
	    "%.*s: no announcer%s%.*s says anything of it: see whether "
	    "yumen-announcer runs there (kubectl -n %.*s get pods -l "
	    "app.kubernetes.io/component=announcer -o wide)",
	    SLICE_ARGS(address), nodes.length > 0 ? " of " : "",
	    SLICE_ARGS(nodes),
	    SLICE_ARGS(state->fleet.namespace.length > 0
	            ? state->fleet.namespace
	            : SLICE("yumen-system")));
}

/* Why nobody does, as far as it is known. */
static void
tell_nobody(const struct gw_state *state, const struct told *told,
    struct slice address, struct arena *arena, struct text *out)
{
	if (told && told->nowhere.length > 0) {
		text_printf(out, "%.*s: %.*s", SLICE_ARGS(address),
		    SLICE_ARGS(text_slice(&told->nowhere)));
		return;
	}
	tell_refused(state, address, arena, out);
	if (told)
		tell_silent(told, address, out);
	if (told && told->is_silent && out->length == 0)
		tell_unsaid(state, told, address, out);
}

void
gw_told_fault(const struct gw_state *state, struct slice address,
    struct arena *arena, struct text *out)
{
	const struct told *told = of_address(state, address, arena);

	if (!told || !is_announced(told))
		tell_nobody(state, told, address, arena, out);
	if (told && told->omitted.length > 0)
		text_printf(out, "%s%.*s: %.*s", out->length > 0 ? "; " : "",
		    SLICE_ARGS(address),
		    SLICE_ARGS(text_slice(&told->omitted)));
}

void
gw_told_conflict(const struct gw_state *state, const struct gw_placed *placed,
    struct gw_conditions *conditions, struct arena *arena)
{
	struct text text;

	text_init(&text);
	bool lost = gw_told_rivals(state, placed, arena, &text);
	if (text.length > 0)
		gw_conditions_add(conditions, GW_CONFLICT_CONDITION, "True",
		    lost ? "AddressTaken" : "AddressContested",
		    arena_copy(arena, text_slice(&text)));
	text_fini(&text);
}

void
gw_told_fence(const struct gw_state *state, struct slice address,
    struct arena *arena, struct unit_claim *claim)
{
	const struct told *told = of_address(state, address, arena);

	if (!told || !told->fence)
		return;
	const struct feed_claim *word = &told->fence->claim;
	struct slice rest = word->interfaces;

	claim->fence = word->node;
	claim->fence_interfaces = arena_zero(
	    arena, rest.length + 1, sizeof(*claim->fence_interfaces));
	while (slice_cut(&rest, ',',
	    &claim->fence_interfaces[claim->fence_interfaces_count]))
		claim->fence_interfaces_count++;
}
