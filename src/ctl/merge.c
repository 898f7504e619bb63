/* A status is fields, conditions by type, listeners by name, and entries of
 * controllers by what they are about; of each there is one way to merge. */
#include "ctl/merge.h"

#include "core/hash.h"
#include "core/must.h"
#include "gw/options.h"
#include "wire/tree_json.h"

/* Gateway API's bounds for parents and ancestors. */
enum { PARENTS_MAX = 32, ANCESTORS_MAX = 16 };

/* The types of conditions that yumen sets: those that it does not set any more
 * go. */
static const struct slice condition_types[] = {
    SLICE("Accepted"),
    SLICE("Conflicted"),
    SLICE("InsecureFrontendValidationMode"),
    SLICE("OverlappingTLSConfig"),
    SLICE("PartiallyInvalid"),
    SLICE("Programmed"),
    SLICE("ResolvedRefs"),
    SLICE("SupportedVersion"),
    SLICE(GW_CONFLICT_CONDITION),
};

/* Of a Service, in which others may say whatever they like. */
static const struct slice service_condition_types[] = {
    SLICE(GW_BALANCER_CONDITION),
    SLICE(GW_CONFLICT_CONDITION),
};

/* Fields of statuses that are ours as a whole. */
static const struct slice own_fields[] = {
    SLICE("addresses"),
    SLICE("assignedIPv4"),
    SLICE("assignedIPv6"),
    SLICE("attachedListenerSets"),
    SLICE("availableIPv4"),
    SLICE("availableIPv6"),
    SLICE("loadBalancer"),
    SLICE("supportedFeatures"),
};

static bool
is_one_of(struct slice name, const struct slice *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(name, all[i]))
			return true;
	return false;
}

#define IS_ONE_OF(name, all) \
	is_one_of((name), (all), sizeof(all) / sizeof((all)[0]))

static struct tree_node *
get(const struct tree_node *map, const char *key)
{
	return map != NULL && map->kind == TREE_MAP ? wire_tree_get(map, key)
	                                            : NULL;
}

static struct tree_node *
items_of(const struct tree_node *map, const char *key)
{
	const struct tree_node *list = wire_tree_member(map, key, TREE_LIST);

	return list != NULL ? list->child : NULL;
}

static bool
is_ours(const struct tree_node *entry, const struct ctl_ours *ours)
{
	return is_one_of(
	    wire_tree_text(entry, "controllerName"), ours->names, ours->count);
}

static bool
is_own_condition(enum gw_kind kind, const struct tree_node *condition)
{
	struct slice type = wire_tree_text(condition, "type");

	return kind == GW_SERVICE ? IS_ONE_OF(type, service_condition_types)
	                          : IS_ONE_OF(type, condition_types);
}

bool
ctl_merge_is_marked(const struct tree_node *status)
{
	for (const struct tree_node *at = items_of(status, "conditions");
	     at != NULL; at = at->next)
		if (is_own_condition(GW_SERVICE, at))
			return true;
	return false;
}

/* ---- hashes ---- */

/* The order of a map's members means nothing, nor does one that is empty. */
static uint64_t
hash_tree(const struct tree_node *node, struct slice left_out)
{
	struct hash hash;
	uint64_t sum = 0;

	hash_init(&hash);
	hash_push_number(&hash, node->kind);
	if (node->kind != TREE_MAP && node->kind != TREE_LIST)
		hash_push(&hash, node->text);
	for (const struct tree_node *at = node->child; at != NULL;
	     at = at->next) {
		struct hash member;

		if (node->kind == TREE_LIST) {
			hash_push_number(&hash, hash_tree(at, SLICE_NONE));
			continue;
		}
		if (slice_equal(at->key, left_out) ||
		    (at->kind != TREE_MAP && at->kind != TREE_LIST &&
		        at->text.length == 0) ||
		    (at->kind == TREE_LIST && at->child == NULL))
			continue;
		hash_init(&member);
		hash_push(&member, at->key);
		hash_push_number(&member, hash_tree(at, SLICE_NONE));
		sum += hash_take(&member);
	}
	hash_push_number(&hash, sum);
	return hash_take(&hash);
}

static uint64_t
hash_conditions(enum gw_kind kind, const struct tree_node *holder)
{
	uint64_t sum = 0;

	for (const struct tree_node *at = items_of(holder, "conditions");
	     at != NULL; at = at->next)
		if (is_own_condition(kind, at))
			sum += hash_tree(at, SLICE("lastTransitionTime"));
	return sum;
}

static void
push_items(struct hash *hash, enum gw_kind kind, const struct tree_node *first,
    const struct ctl_ours *ours)
{
	for (const struct tree_node *at = first; at != NULL; at = at->next) {
		if (ours != NULL && !is_ours(at, ours))
			continue;
		hash_push_number(hash, hash_tree(at, SLICE("conditions")));
		hash_push_number(hash, hash_conditions(kind, at));
	}
}

uint64_t
ctl_merge_hash(enum gw_kind kind, const struct tree_node *status,
    const struct ctl_ours *ours)
{
	must(ours != NULL);
	struct hash hash;

	hash_init(&hash);
	for (size_t i = 0; i < sizeof(own_fields) / sizeof(own_fields[0]);
	     i++) {
		const struct tree_node *field = get(status, own_fields[i].data);
		bool is_there = field != NULL &&
		    (field->kind != TREE_LIST || field->child != NULL);

		hash_push_number(
		    &hash, is_there ? hash_tree(field, SLICE_NONE) : 0);
	}
	hash_push_number(&hash, hash_conditions(kind, status));
	push_items(&hash, kind, items_of(status, "listeners"), NULL);
	push_items(&hash, kind, items_of(status, "parents"), ours);
	push_items(&hash, kind, items_of(status, "ancestors"), ours);
	return hash_take(&hash);
}

/* ---- what is merged ---- */

struct writing {
	struct text *out;
	struct ctl_merge *merge;
	bool ahead;
};

static void
begin_item(struct text *out)
{
	char last = out->data[out->length - 1];

	if (last != '[' && last != '{')
		text_push_byte(out, ',');
}

static void
push_key(struct text *out, const char *key)
{
	begin_item(out);
	text_push_json(out, slice_from_string(key));
	text_push_byte(out, ':');
}

static struct tree_node *
find_by(struct tree_node *first, const char *key, struct slice value)
{
	for (struct tree_node *at = first; at != NULL; at = at->next)
		if (slice_equal(wire_tree_text(at, key), value))
			return at;
	return NULL;
}

static int64_t
generation_of(const struct tree_node *condition)
{
	const struct tree_node *node = get(condition, "observedGeneration");

	return node != NULL && node->kind == TREE_INTEGER ? node->integer : 0;
}

/* wanted takes the place of before, of the same type, which may be NULL. */
static void
push_condition(struct writing *writing, const struct tree_node *wanted,
    const struct tree_node *before)
{
	struct ctl_merge *merge = writing->merge;
	struct slice status = wire_tree_text(wanted, "status");
	struct tree_node *time = get(wanted, "lastTransitionTime");
	bool same_status = before != NULL &&
	    slice_equal(wire_tree_text(before, "status"), status);

	writing->ahead |=
	    before != NULL && generation_of(before) > generation_of(wanted);
	if (same_status && time != NULL &&
	    slice_is_set(wire_tree_text(before, "lastTransitionTime")))
		time->text = wire_tree_text(before, "lastTransitionTime");
	begin_item(writing->out);
	wire_tree_json(writing->out, wanted);
	if (merge->on_change == NULL ||
	    (same_status &&
	        slice_equal(wire_tree_text(before, "reason"),
	            wire_tree_text(wanted, "reason"))))
		return;
	struct ctl_merge_change change = {
	    .type = wire_tree_text(wanted, "type"),
	    .status = status,
	    .reason = wire_tree_text(wanted, "reason"),
	    .message = wire_tree_text(wanted, "message"),
	    .before = wire_tree_text(before, "status"),
	};

	merge->on_change(merge->context, &change);
}

/* Where each stands is as before; new ones come last. */
static void
push_conditions(struct writing *writing, const struct tree_node *wanted,
    const struct tree_node *before)
{
	struct text *out = writing->out;
	struct tree_node *all = items_of(wanted, "conditions"),
	                 *old = items_of(before, "conditions");

	push_key(out, "conditions");
	text_push_byte(out, '[');
	for (struct tree_node *at = old; at != NULL; at = at->next) {
		const struct tree_node *now =
		    find_by(all, "type", wire_tree_text(at, "type"));

		if (now != NULL) {
			push_condition(writing, now, at);
		} else if (!is_own_condition(writing->merge->kind, at)) {
			begin_item(out);
			wire_tree_json(out, at);
		}
	}
	for (struct tree_node *at = all; at != NULL; at = at->next)
		if (find_by(old, "type", wire_tree_text(at, "type")) == NULL)
			push_condition(writing, at, NULL);
	text_push_byte(out, ']');
}

/* A listener or an entry: as we want it, but for its conditions. */
static void
push_item(struct writing *writing, const struct tree_node *wanted,
    const struct tree_node *before)
{
	struct text *out = writing->out;

	begin_item(out);
	text_push_byte(out, '{');
	for (const struct tree_node *at = wanted->child; at != NULL;
	     at = at->next) {
		if (slice_equal(at->key, SLICE("conditions")))
			continue;
		begin_item(out);
		text_push_json(out, at->key);
		text_push_byte(out, ':');
		wire_tree_json(out, at);
	}
	push_conditions(writing, wanted, before);
	text_push_byte(out, '}');
}

static void
push_listeners(struct writing *writing, const struct tree_node *wanted,
    const struct tree_node *before)
{
	push_key(writing->out, "listeners");
	text_push_byte(writing->out, '[');
	for (const struct tree_node *at = items_of(wanted, "listeners");
	     at != NULL; at = at->next)
		push_item(writing, at,
		    find_by(items_of(before, "listeners"), "name",
		        wire_tree_text(at, "name")));
	text_push_byte(writing->out, ']');
}

/* The entry of the same controller about the same thing. */
static const struct tree_node *
find_entry(const struct tree_node *first, const struct tree_node *wanted)
{
	uint64_t hash = hash_tree(wanted, SLICE("conditions"));

	for (const struct tree_node *at = first; at != NULL; at = at->next)
		if (hash_tree(at, SLICE("conditions")) == hash)
			return at;
	return NULL;
}

/* Others' entries come first, as they are; what has no room is left out. */
static void
push_entries(struct writing *writing, const char *key, unsigned most)
{
	const struct ctl_ours *ours = writing->merge->ours;
	const struct tree_node *before =
	    items_of(get(writing->merge->object, "status"), key);
	unsigned count = 0;

	push_key(writing->out, key);
	text_push_byte(writing->out, '[');
	for (const struct tree_node *at = before; at != NULL; at = at->next) {
		if (is_ours(at, ours))
			continue;
		begin_item(writing->out);
		wire_tree_json(writing->out, at);
		count++;
	}
	for (const struct tree_node *at = items_of(writing->merge->status, key);
	     at != NULL && count < most; at = at->next) {
		if (!is_ours(at, ours))
			continue;
		push_item(writing, at, find_entry(before, at));
		count++;
	}
	text_push_byte(writing->out, ']');
}

/* What the API has and we do not know, or leave to another. */
static void
push_foreign(struct writing *writing, const struct tree_node *before)
{
	const struct ctl_merge *merge = writing->merge;
	bool leaves = merge->status == NULL && !merge->takes_back;
	static const struct slice known[] = {SLICE("conditions"),
	    SLICE("listeners"), SLICE("parents"), SLICE("ancestors")};

	for (const struct tree_node *at = before != NULL ? before->child : NULL;
	     at != NULL; at = at->next) {
		if (IS_ONE_OF(at->key, known) ||
		    (IS_ONE_OF(at->key, own_fields) && !leaves))
			continue;
		begin_item(writing->out);
		text_push_json(writing->out, at->key);
		text_push_byte(writing->out, ':');
		wire_tree_json(writing->out, at);
	}
}

static void
push_status(struct writing *writing)
{
	const struct ctl_merge *merge = writing->merge;
	const struct tree_node *before = get(merge->object, "status");
	struct text *out = writing->out;

	text_push_byte(out, '{');
	push_foreign(writing, before);
	if (gw_kind_is_route(merge->kind)) {
		push_entries(writing, "parents", PARENTS_MAX);
	} else if (merge->kind == GW_BACKENDTLSPOLICY) {
		push_entries(writing, "ancestors", ANCESTORS_MAX);
	} else {
		for (const struct tree_node *at =
		         merge->status != NULL ? merge->status->child : NULL;
		     at != NULL; at = at->next) {
			if (!IS_ONE_OF(at->key, own_fields))
				continue;
			begin_item(out);
			text_push_json(out, at->key);
			text_push_byte(out, ':');
			wire_tree_json(out, at);
		}
		if (get(merge->status, "conditions") != NULL ||
		    get(before, "conditions") != NULL)
			push_conditions(writing, merge->status, before);
		if (get(merge->status, "listeners") != NULL)
			push_listeners(writing, merge->status, before);
	}
	text_push_byte(out, '}');
}

static bool
is_same(const struct ctl_merge *merge)
{
	const struct tree_node *before = get(merge->object, "status");

	if (merge->kind == GW_SERVICE && merge->status == NULL)
		return !ctl_merge_is_marked(before);
	return ctl_merge_hash(merge->kind, merge->status, merge->ours) ==
	    ctl_merge_hash(merge->kind, before, merge->ours);
}

enum ctl_merged
ctl_merge(struct text *out, struct ctl_merge *merge)
{
	must(out != NULL && merge != NULL && merge->object != NULL &&
	    merge->object->kind == TREE_MAP);
	struct writing writing = {.out = out, .merge = merge};

	if (is_same(merge))
		return CTL_MERGE_SAME;
	text_push_byte(out, '{');
	for (const struct tree_node *at = merge->object->child; at != NULL;
	     at = at->next) {
		if (slice_equal(at->key, SLICE("status")))
			continue;
		begin_item(out);
		text_push_json(out, at->key);
		text_push_byte(out, ':');
		wire_tree_json(out, at);
	}
	push_key(out, "status");
	push_status(&writing);
	text_push_byte(out, '}');
	return writing.ahead ? CTL_MERGE_AHEAD : CTL_MERGE_WRITE;
}
