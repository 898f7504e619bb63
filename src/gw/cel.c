/* CEL rules: the table, and the checks that any kind may use. */
#include "gw/cel.h"

#include "core/must.h"
#include "gw/cel_priv.h"
#include "gw/form.h"

static const struct gw_cel_rule cel_rules[GW_CEL__COUNT] = {
#define GW_CEL(name, text, row, check, ...) \
	[GW_CEL_##name] = {gw_cel_##check, GW_FINDING_##row, ##__VA_ARGS__},
#include "gw/cel.def"
#undef GW_CEL
};

const struct tree_node *
gw_cel_broken(enum gw_cel rule, const struct tree_node *self)
{
	must((unsigned)rule < GW_CEL__COUNT && self != NULL);
	return cel_rules[rule].check(self, &cel_rules[rule]);
}

enum gw_finding_row
gw_cel_finding(enum gw_cel rule)
{
	must((unsigned)rule < GW_CEL__COUNT);
	return cel_rules[rule].finding;
}

bool
gw_cel_is_empty(const struct tree_node *self, const char *key)
{
	const struct tree_node *node = wire_tree_get(self, key);

	return node == NULL ||
	    (node->kind == TREE_INTEGER ? node->integer == 0
	                                : node->text.length == 0);
}

bool
gw_cel_same(
    const struct tree_node *a, const struct tree_node *b, const char *key)
{
	const struct tree_node *left = wire_tree_get(a, key);
	const struct tree_node *right = wire_tree_get(b, key);

	if (left == NULL || right == NULL)
		return left == right;
	return left->kind == TREE_INTEGER
	    ? left->integer == right->integer
	    : slice_equal(left->text, right->text);
}

bool
gw_cel_same_or_empty(
    const struct tree_node *a, const struct tree_node *b, const char *key)
{
	return gw_cel_same(a, b, key) ||
	    (gw_cel_is_empty(a, key) && gw_cel_is_empty(b, key));
}

/* ---- a field and the value of another ---- */

/* The field that should not be there, or the map that should have it. */
static const struct tree_node *
culprit(const struct tree_node *self, const char *key)
{
	const struct tree_node *node = wire_tree_get(self, key);

	return node ? node : self;
}

/* Where the other field is not there, CEL fails, here and in the next. */
const struct tree_node *
gw_cel_exactly_when(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (gw_cel_has(self, rule->first) &&
	           gw_cel_is(self, rule->first, rule->second) ==
	               gw_cel_has(self, rule->third))
	    ? NULL
	    : culprit(self, rule->third);
}

const struct tree_node *
gw_cel_exactly_unless(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (gw_cel_has(self, rule->first) &&
	           gw_cel_is(self, rule->first, rule->second) !=
	               gw_cel_has(self, rule->third))
	    ? NULL
	    : culprit(self, rule->third);
}

const struct tree_node *
gw_cel_needed_when(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_is(self, rule->first, rule->second) ||
	           gw_cel_has(self, rule->third))
	    ? NULL
	    : culprit(self, rule->third);
}

const struct tree_node *
gw_cel_only_when(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (gw_cel_is(self, rule->first, rule->second) ||
	           !gw_cel_has(self, rule->third))
	    ? NULL
	    : culprit(self, rule->third);
}

const struct tree_node *
gw_cel_only_when_one_of(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_has(self, rule->second) ||
	           gw_cel_is(self, rule->first, rule->third) ||
	           gw_cel_is(self, rule->first, rule->fourth))
	    ? NULL
	    : culprit(self, rule->second);
}

const struct tree_node *
gw_cel_never_when(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_is(self, rule->first, rule->second) ||
	           !gw_cel_has(self, rule->third))
	    ? NULL
	    : culprit(self, rule->third);
}

const struct tree_node *
gw_cel_never_when_one_of(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_has(self, rule->second) ||
	           (!gw_cel_is(self, rule->first, rule->third) &&
	               !gw_cel_is(self, rule->first, rule->fourth) &&
	               !gw_cel_is(self, rule->first, rule->fifth)))
	    ? NULL
	    : culprit(self, rule->second);
}

const struct tree_node *
gw_cel_never_when_true(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *node = wire_tree_get(self, rule->first);

	return (node == NULL || node->integer == 0 ||
	           !gw_cel_has(self, rule->second))
	    ? NULL
	    : culprit(self, rule->second);
}

const struct tree_node *
gw_cel_text_needed_when(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_is(self, rule->first, rule->second) ||
	           !gw_cel_is_empty(self, rule->third))
	    ? NULL
	    : culprit(self, rule->third);
}

const struct tree_node *
gw_cel_text_only_when(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (gw_cel_is(self, rule->first, rule->second) ||
	           gw_cel_is_empty(self, rule->third))
	    ? NULL
	    : culprit(self, rule->third);
}

const struct tree_node *
gw_cel_value_matches_when(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice value = gw_cel_text(self, rule->third);

	return (!gw_cel_is(self, rule->first, rule->second) ||
	           !slice_is_set(value) ||
	           gw_pattern_matches(rule->pattern, value))
	    ? NULL
	    : culprit(self, rule->third);
}

const struct tree_node *
gw_cel_is_one_of(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (gw_cel_is(self, rule->first, rule->second) ||
	           gw_cel_is(self, rule->first, rule->third) ||
	           gw_cel_is(self, rule->first, rule->fourth))
	    ? NULL
	    : culprit(self, rule->first);
}

/* ---- which fields are there ---- */

const struct tree_node *
gw_cel_absent(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_has(self, rule->first)) ? NULL
	                                        : culprit(self, rule->first);
}

const struct tree_node *
gw_cel_not_both(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_has(self, rule->first) ||
	           !gw_cel_has(self, rule->second))
	    ? NULL
	    : culprit(self, rule->second);
}

const struct tree_node *
gw_cel_one_of(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (gw_cel_has(self, rule->first) != gw_cel_has(self, rule->second))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_any_of(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const char *names[] = {
	    rule->first, rule->second, rule->third, rule->fourth, rule->fifth};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && gw_cel_has(self, names[i]))
			return NULL;
	return self;
}

const struct tree_node *
gw_cel_any_of_when(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_has(self, rule->first) ||
	           gw_cel_has(self, rule->second) ||
	           gw_cel_has(self, rule->third))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_any_of_unless(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (gw_cel_has(self, rule->first) ||
	           gw_cel_has(self, rule->second) ||
	           gw_cel_has(self, rule->third))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_not_empty(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *list = wire_tree_get(self, rule->first);

	return (list && list->count > 0) ? NULL : culprit(self, rule->first);
}

/* ---- numbers and texts ---- */

/* An absent one is not over anything. */
const struct tree_node *
gw_cel_not_over(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *low = wire_tree_get(self, rule->first);
	const struct tree_node *high = wire_tree_get(self, rule->second);

	return (low == NULL || (high != NULL && low->integer <= high->integer))
	    ? NULL
	    : culprit(self, rule->first);
}

const struct tree_node *
gw_cel_positive(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	return (self->integer > 0) ? NULL : self;
}

const struct tree_node *
gw_cel_self_matches(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (gw_pattern_matches(rule->pattern, self->text)) ? NULL : self;
}

const struct tree_node *
gw_cel_self_not_empty(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	return (self->text.length > 0) ? NULL : self;
}

const struct tree_node *
gw_cel_ends_not(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!slice_ends_with(self->text, slice_from_string(rule->first)))
	    ? NULL
	    : self;
}

/* A rule that compares with the object as it was: it does not judge a new one.
 */
const struct tree_node *
gw_cel_on_update_only(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)self;
	(void)rule;
	return NULL;
}

/* ---- keys of a map ---- */

const struct tree_node *
gw_cel_keys_match(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	GW_CEL_EACH(item, self)
	if (!gw_pattern_matches(rule->pattern, item->key))
		return item;
	return NULL;
}

/* What stands before the slash, or all of a key without one. */
const struct tree_node *
gw_cel_key_prefixes_fit(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	enum { PREFIX_BYTES = 253 };

	(void)rule;
	GW_CEL_EACH(item, self)
	if (slice_find(item->key, '/') >= PREFIX_BYTES)
		return item;
	return NULL;
}

const struct tree_node *
gw_cel_keys_are_labels(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(item, self)
	if (!gw_form_is_label_key(item->key))
		return item;
	return NULL;
}

/* ---- entries of a list ---- */

/* No two have the same first word, where they have it. */
const struct tree_node *
gw_cel_all_differ(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	GW_CEL_EACH(b, self)
	for (const struct tree_node *a = self->child; a != b; a = a->next)
		if (gw_cel_has(a, rule->first) &&
		    gw_cel_same(a, b, rule->first))
			return b;
	return NULL;
}

const struct tree_node *
gw_cel_once(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	unsigned count = 0;

	GW_CEL_EACH(item, self)
	count += gw_cel_is(item, "type", rule->first);
	return (count <= 1) ? NULL : self;
}

const struct tree_node *
gw_cel_not_both_types(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	bool first = false, second = false;

	GW_CEL_EACH(item, self)
	{
		first = first || gw_cel_is(item, "type", rule->first);
		second = second || gw_cel_is(item, "type", rule->second);
	}
	return (!first || !second) ? NULL : self;
}

const struct tree_node *
gw_cel_all_one_of(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *list = wire_tree_get(self, rule->first);

	if (list == NULL)
		return NULL;
	GW_CEL_EACH(item, list)
	if (!gw_cel_is(item, rule->second, rule->third) &&
	    !gw_cel_is(item, rule->second, rule->fourth))
		return item;
	return NULL;
}

const struct tree_node *
gw_cel_star_alone(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(item, self)
	if (self->count > 1 && slice_equal(item->text, SLICE("*")))
		return item;
	return NULL;
}
