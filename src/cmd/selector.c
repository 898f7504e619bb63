/* One requirement after the other is read and judged; a fault is found
 * whatever the labels are. */
#include "cmd/selector.h"

#include "core/must.h"
#include "gw/form.h"

struct requirement {
	struct slice key;
	bool negated; /* !=, notin, ! */
	bool has_values;
	struct slice values; /* "a,b" */
};

static void
skip_blanks(struct slice *rest)
{
	while (rest->length > 0 && rest->data[0] == ' ')
		*rest = slice_skip(*rest, 1);
}

static bool
skip(struct slice *rest, struct slice token)
{
	if (!slice_starts_with(*rest, token))
		return false;
	*rest = slice_skip(*rest, token.length);
	return true;
}

/* Up to a byte of ends. */
static struct slice
take_word(struct slice *rest, const char *ends)
{
	size_t length = 0;

	while (
	    length < rest->length && strchr(ends, rest->data[length]) == NULL)
		length++;
	struct slice word = slice_make(rest->data, length);

	*rest = slice_skip(*rest, length);
	return word;
}

/* "(a, b)" */
static bool
take_set(struct slice *rest, struct slice *values)
{
	skip_blanks(rest);
	if (!skip(rest, SLICE("(")))
		return false;
	*values = take_word(rest, ")");
	return skip(rest, SLICE(")"));
}

static bool
take_operator(struct slice *rest, struct requirement *requirement)
{
	skip_blanks(rest);
	if (rest->length == 0 || rest->data[0] == ',')
		return true;
	requirement->has_values = true;
	requirement->negated = skip(rest, SLICE("notin"));
	if (requirement->negated || skip(rest, SLICE("in")))
		return take_set(rest, &requirement->values);
	if (skip(rest, SLICE("!=")))
		requirement->negated = true;
	else if (!skip(rest, SLICE("==")) && !skip(rest, SLICE("=")))
		return false;
	requirement->values = slice_trim(take_word(rest, ","));
	return gw_form_is_label_value(requirement->values);
}

static bool
take_requirement(struct slice *rest, struct requirement *requirement)
{
	*requirement = (struct requirement){.key = SLICE_NONE};
	skip_blanks(rest);
	if (skip(rest, SLICE("!"))) {
		requirement->negated = true;
		requirement->key = slice_trim(take_word(rest, ","));
	} else {
		requirement->key = take_word(rest, " ,=!");
		if (!take_operator(rest, requirement))
			return false;
	}
	skip_blanks(rest);
	if (rest->length > 0 && !skip(rest, SLICE(",")))
		return false;
	return gw_form_is_label_key(requirement->key);
}

static bool
has_value(struct slice values, struct slice value)
{
	struct slice one;

	while (slice_is_set(values) && slice_cut(&values, ',', &one))
		if (slice_equal(slice_trim(one), value))
			return true;
	return false;
}

static bool
is_met(const struct requirement *requirement, const json_t *labels)
{
	const json_t *label = json_object_getn(
	    labels, requirement->key.data, requirement->key.length);
	bool met = json_is_string(label);

	if (met && requirement->has_values)
		met = has_value(requirement->values,
		    slice_from_string(json_string_value(label)));
	return met != requirement->negated;
}

bool
selector_matches(struct slice selector, const json_t *labels, bool *valid)
{
	must(valid != NULL);
	struct requirement requirement;
	bool matches = true;

	*valid = true;
	while (selector.length > 0) {
		*valid = take_requirement(&selector, &requirement);
		if (!*valid)
			return false;
		matches = is_met(&requirement, labels) && matches;
	}
	return matches;
}
