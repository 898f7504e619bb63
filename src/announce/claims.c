/* Batches of claims, and what was told of each. */
#include "announce/claims.h"

#include "core/memory.h"
#include "core/must.h"
#include "wire/record_binary.h"

struct known {
	struct net_address address;
	enum error refused; /* the announcer does not take it */
	struct text waiting; /* of one that it had no room for: the claim */
	struct feed_reply *told; /* NULL: nothing was */
	bool named; /* in the whole batch that is looked at */
	size_t length;
	char name[];
};

static struct slice
key_of(const void *value)
{
	const struct known *known = value;

	return slice_make(known->name, known->length);
}

void
announce_claims_init(struct announce_claims *claims,
    struct announcer *announcer, struct feed *feed)
{
	*claims =
	    (struct announce_claims){.announcer = announcer, .feed = feed};
	map_init_keyed(&claims->known, key_of);
}

static void
free_known(struct known *known)
{
	if (known->told != NULL)
		feed_reply_free(&known->told);
	text_fini(&known->waiting);
	memory_free(known);
}

void
announce_claims_fini(struct announce_claims *claims)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&claims->known, &at, &name, &value);)
		free_known(value);
	map_fini(&claims->known);
}

static void
say(struct announce_claims *claims, struct slice name,
    const struct feed_claim *claim)
{
	struct feed_reply *reply = feed_reply_new_claim(name, claim);

	feed_answer(claims->feed, &reply);
}

void
announce_claims_drop(struct announce_claims *claims, struct slice name)
{
	struct known *known = map_remove(&claims->known, name);

	if (known == NULL)
		return;
	announcer_release(claims->announcer, &known->address);
	say(claims, name, &(struct feed_claim){0});
	free_known(known);
}

static struct known *
touch(struct announce_claims *claims, struct slice name)
{
	struct known *known = map_get(&claims->known, name);

	if (known != NULL)
		return known;
	known = memory_zero(1, sizeof(*known) + name.length);
	text_init(&known->waiting);
	known->length = name.length;
	memcpy(known->name, name.data, name.length);
	(void)map_add(&claims->known, known);
	return known;
}

enum error
announce_claims_put(struct announce_claims *claims, struct slice name,
    const struct unit_claim *claim)
{
	must(claims != NULL && claims->announcer != NULL);
	struct net_address address;
	enum error error = net_address_parse(claim->address, 0, &address);

	if (error != ERROR_OK)
		return error;
	struct known *known = touch(claims, name);

	known->address = address;
	known->refused = announcer_claim(claims->announcer, claim);
	text_reset(&known->waiting);
	if (known->refused == ERROR_LIMIT)
		wire_record_encode(&known->waiting, &unit_claim_type, claim);
	return known->refused;
}

/* OK: it is refused no more. */
static void
refuse(struct announce_claims *claims, struct slice name, enum error error)
{
	struct feed_reply *reply = feed_reply_new(FEED_REFUSE, name,
	    slice_from_string(error != ERROR_OK ? error_text(error) : ""));

	reply->error = error;
	feed_answer(claims->feed, &reply);
}

static void
put(struct announce_claims *claims, const struct feed_change *change)
{
	struct unit *unit;
	enum error error = snap_unit_new(change->name, change->bytes, &unit);

	if (error == ERROR_OK) {
		error = announce_claims_put(claims, unit->name, unit->claim);
		snap_unit_free(&unit);
	}
	if (error != ERROR_OK)
		refuse(claims, change->name, error);
}

static void
apply(struct announce_claims *claims, const struct feed_change *change)
{
	enum unit_kind kind;

	if (!snap_unit_kind(change->name, &kind) || kind != UNIT_CLAIM)
		return;
	if (slice_is_set(change->bytes))
		put(claims, change);
	else
		announce_claims_drop(claims, change->name);
}

/* What a whole batch does not name is not there. */
static void
drop_others(struct announce_claims *claims, const struct feed_batch *batch)
{
	struct feed_batch *gone = feed_batch_new();
	struct slice name;
	struct known *known;
	void *value;

	for (uint32_t i = 0; i < batch->count; i++) {
		known = map_get(&claims->known, batch->changes[i].name);
		if (known != NULL)
			known->named = true;
	}
	for (size_t at = 0; map_next(&claims->known, &at, &name, &value);) {
		known = value;
		if (!known->named)
			feed_batch_drop(gone, name);
		known->named = false;
	}
	for (uint32_t i = 0; i < gone->count; i++)
		apply(claims, &gone->changes[i]);
	feed_batch_free(&gone);
}

static void
take_batch(struct announce_claims *claims, const struct feed_batch *batch)
{
	/* Before the first, in parts or not, there is nothing else. What goes
	 * makes room for what comes. */
	if (batch->whole && claims->whole && !claims->parted)
		drop_others(claims, batch);
	for (uint32_t i = 0; i < batch->count; i++)
		apply(claims, &batch->changes[i]);
	if (batch->part) {
		claims->parted = true;
		return;
	}
	claims->parted = false;
	claims->whole = claims->whole || batch->whole;
	if (!claims->whole)
		return;
	struct feed_reply *reply =
	    feed_reply_new(FEED_CONFIRM, SLICE(""), SLICE(""));
	reply->generation = batch->generation;
	feed_answer(claims->feed, &reply);
}

void
announce_claims_take(struct announce_claims *claims)
{
	struct feed_batch *batch;

	while ((batch = feed_take_offer(claims->feed)) != NULL) {
		take_batch(claims, batch);
		feed_batch_free(&batch);
	}
}

static bool
is_told(const struct known *known, const struct feed_claim *claim)
{
	const struct feed_claim *told =
	    known->told != NULL ? &known->told->claim : NULL;

	return told != NULL && told->error == claim->error &&
	    slice_equal(told->why, claim->why) &&
	    slice_equal(told->interfaces, claim->interfaces) &&
	    slice_equal(told->rival, claim->rival);
}

static void
report(struct announce_claims *claims, struct known *known)
{
	struct text why, interfaces, rival;

	text_init(&why);
	text_init(&interfaces);
	text_init(&rival);
	enum error state =
	    announcer_state(claims->announcer, &known->address, &why);
	/* That it is elsewhere, or soon here, is nothing wrong. */
	if (state == ERROR_AGAIN || state == ERROR_NOT_FOUND) {
		state = ERROR_OK;
		text_reset(&why);
	}
	announcer_tell(claims->announcer, &known->address, &interfaces, &rival);
	const struct feed_claim claim = {
	    .error = state,
	    .why = text_slice(&why),
	    .interfaces = text_slice(&interfaces),
	    .rival = text_slice(&rival),
	};
	if (!is_told(known, &claim)) {
		say(claims, key_of(known), &claim);
		if (known->told != NULL)
			feed_reply_free(&known->told);
		known->told = feed_reply_new_claim(key_of(known), &claim);
	}
	text_fini(&why);
	text_fini(&interfaces);
	text_fini(&rival);
}

/* It goes in now that there is room: the refusal is taken back. */
static void
admit(struct announce_claims *claims, struct known *known)
{
	struct unit *unit;

	if (snap_unit_new(key_of(known), text_slice(&known->waiting), &unit) !=
	    ERROR_OK)
		return;
	if (announce_claims_put(claims, unit->name, unit->claim) == ERROR_OK)
		refuse(claims, unit->name, ERROR_OK);
	snap_unit_free(&unit);
}

void
announce_claims_report(struct announce_claims *claims)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&claims->known, &at, &name, &value);) {
		struct known *known = value;

		if (known->refused == ERROR_LIMIT &&
		    announcer_has_room(claims->announcer))
			admit(claims, known);
		if (known->refused == ERROR_OK)
			report(claims, known);
	}
}
