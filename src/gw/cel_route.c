/* CEL rules of routes: matches, paths, filters, and what lasts a while. */
#include "gw/cel_priv.h"

enum { ROUTE_MATCHES_MAX = 128, MINUTE_S = 60, HOUR_S = 3600 };

static const int64_t second_ns = 1000000000;

/* ---- matches ---- */

const struct tree_node *
gw_cel_matches_in_all(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	uint64_t count = 0;

	(void)rule;
	GW_CEL_EACH(item, self)
	{
		const struct tree_node *matches =
		    wire_tree_get(item, "matches");

		count += matches ? matches->count : 0;
	}
	return (count <= ROUTE_MATCHES_MAX) ? NULL : self;
}

const struct tree_node *
gw_cel_exact_matches(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice value = gw_cel_text(self, rule->first);

	if (gw_cel_has(self, "type") && !gw_cel_is(self, "type", "Exact"))
		return NULL;
	return (!slice_is_set(value) ||
	           gw_pattern_matches(rule->pattern, value))
	    ? NULL
	    : self;
}

/* The value of a path match of type Exact or PathPrefix, else absent. */
static struct slice
plain_path(const struct tree_node *self)
{
	if (!gw_cel_is(self, "type", "Exact") &&
	    !gw_cel_is(self, "type", "PathPrefix"))
		return SLICE_NONE;
	return gw_cel_text(self, "value");
}

const struct tree_node *
gw_cel_path_begins(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice path = plain_path(self);

	return (!slice_is_set(path) ||
	           slice_starts_with(path, slice_from_string(rule->first)))
	    ? NULL
	    : wire_tree_get(self, "value");
}

const struct tree_node *
gw_cel_path_lacks(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice path = plain_path(self);

	return (path.length == 0 ||
	           memmem(path.data, path.length, rule->first,
	               strlen(rule->first)) == NULL)
	    ? NULL
	    : wire_tree_get(self, "value");
}

const struct tree_node *
gw_cel_path_ends_not(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!slice_ends_with(
	           plain_path(self), slice_from_string(rule->first)))
	    ? NULL
	    : wire_tree_get(self, "value");
}

const struct tree_node *
gw_cel_path_matches(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice path = plain_path(self);

	return (!slice_is_set(path) || gw_pattern_matches(rule->pattern, path))
	    ? NULL
	    : wire_tree_get(self, "value");
}

/* ---- filters ---- */

const struct tree_node *
gw_cel_redirect_alone(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *backends = wire_tree_get(self, "backendRefs");
	const struct tree_node *filters = wire_tree_get(self, "filters");

	(void)rule;
	if (backends == NULL || backends->count == 0 || filters == NULL)
		return NULL;
	GW_CEL_EACH(filter, filters)
	if (gw_cel_has(filter, "requestRedirect"))
		return filter;
	return NULL;
}

/* Exactly one of the filters replaces the prefix, by its field of this name. */
static bool
one_replaces_prefix(const struct tree_node *self, const char *field)
{
	const struct tree_node *filters = wire_tree_get(self, "filters");
	unsigned count = 0;

	if (filters == NULL)
		return false;
	GW_CEL_EACH(filter, filters)
	{
		const struct tree_node *change = wire_tree_get(filter, field);
		const struct tree_node *path =
		    change ? wire_tree_get(change, "path") : NULL;

		count += path &&
		    gw_cel_is(path, "type", "ReplacePrefixMatch") &&
		    gw_cel_has(path, "replacePrefixMatch");
	}
	return count == 1;
}

static bool
has_one_prefix(const struct tree_node *self)
{
	const struct tree_node *matches = wire_tree_get(self, "matches");
	const struct tree_node *path = matches && matches->count == 1
	    ? wire_tree_get(matches->child, "path")
	    : NULL;

	return path && gw_cel_is(path, "type", "PathPrefix");
}

const struct tree_node *
gw_cel_replaces_one_prefix(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!one_replaces_prefix(self, rule->first) || has_one_prefix(self))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_backend_replaces_one_prefix(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *backends = wire_tree_get(self, "backendRefs");
	unsigned count = 0;

	if (backends == NULL)
		return NULL;
	GW_CEL_EACH(backend, backends)
	count += one_replaces_prefix(backend, rule->first);
	return (count != 1 || has_one_prefix(self)) ? NULL : self;
}

const struct tree_node *
gw_cel_permanent_cookie(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *cookie = wire_tree_get(self, "cookie");

	(void)rule;
	return (cookie == NULL ||
	           !gw_cel_is(cookie, "lifetimeType", "Permanent") ||
	           gw_cel_has(self, "absoluteTimeout"))
	    ? NULL
	    : self;
}

/* ---- durations ---- */

/* Nanoseconds of the unit at the front of *rest, which moves behind it; 0:
 * none.
 */
static int64_t
take_unit(struct slice *rest)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
	    {"ns", 1},
	    {"us", 1000},
	    {"\302\265s", 1000}, /* micro sign, and the Greek letter */
	    {"\316\274s", 1000},
	    {"ms", 1000000},
	    {"s", 1000000000},
	    {"m", 1000000000ll * MINUTE_S},
	    {"h", 1000000000ll * HOUR_S},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct slice name = slice_from_string(units[i].name);

		if (slice_starts_with(*rest, name)) {
			*rest = slice_skip(*rest, name.length);
			return units[i].ns;
		}
	}
	return 0;
}

static bool
is_digit_at(struct slice s)
{
	return s.length > 0 && s.data[0] >= '0' && s.data[0] <= '9';
}

/* One number and its unit, added to *sum; as Go's time.ParseDuration. */
static bool
take_part(struct slice *rest, int64_t *sum)
{
	struct slice start = *rest;
	int64_t whole = 0, part, unit;
	double fraction = 0, scale = 1;

	for (; is_digit_at(*rest); *rest = slice_skip(*rest, 1))
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, rest->data[0] - '0', &whole))
			return false;
	bool digits = rest->length < start.length;

	if (rest->length > 0 && rest->data[0] == '.') {
		*rest = slice_skip(*rest, 1);
		for (; is_digit_at(*rest); *rest = slice_skip(*rest, 1)) {
			digits = true;
			fraction = fraction * 10 + (rest->data[0] - '0');
			scale *= 10;
		}
	}
	unit = digits ? take_unit(rest) : 0;
	return unit > 0 && !__builtin_mul_overflow(whole, unit, &part) &&
	    !__builtin_add_overflow(
	        part, (int64_t)(fraction / scale * (double)unit), &part) &&
	    !__builtin_add_overflow(*sum, part, sum);
}

bool
gw_cel_duration(struct slice text, int64_t *nanoseconds)
{
	bool negative = text.length > 0 && text.data[0] == '-';

	*nanoseconds = 0;
	if (negative || (text.length > 0 && text.data[0] == '+'))
		text = slice_skip(text, 1);
	if (slice_equal(text, SLICE("0")))
		return true;
	if (text.length == 0)
		return false;
	while (text.length > 0)
		if (!take_part(&text, nanoseconds))
			return false;
	if (negative)
		*nanoseconds = -*nanoseconds;
	return true;
}

/* A request time-out of 0 is none, and then anything is within it. */
const struct tree_node *
gw_cel_timeouts_nest(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice request = gw_cel_text(self, "request");
	struct slice backend = gw_cel_text(self, "backendRequest");
	int64_t outer, inner;

	(void)rule;
	if (!slice_is_set(request) || !slice_is_set(backend))
		return NULL;
	if (!gw_cel_duration(request, &outer))
		return self;
	return (outer == 0 ||
	           (gw_cel_duration(backend, &inner) && inner <= outer))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_second_to_hour(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	int64_t ns;

	(void)rule;
	return (gw_cel_duration(self->text, &ns) && ns >= second_ns &&
	           ns <= second_ns * HOUR_S)
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_up_to_hour(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	int64_t ns;

	(void)rule;
	return (gw_cel_duration(self->text, &ns) && ns != 0 &&
	           ns <= second_ns * HOUR_S)
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_duration_positive(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	int64_t ns;

	(void)rule;
	return (gw_cel_duration(self->text, &ns) && ns > 0) ? NULL : self;
}

const struct tree_node *
gw_cel_timeout_under_interval(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice timeout = gw_cel_text(self, "timeout");
	struct slice interval = gw_cel_text(self, "interval");
	int64_t shorter, longer;

	(void)rule;
	if (!slice_is_set(timeout) || !slice_is_set(interval))
		return NULL;
	return (gw_cel_duration(timeout, &shorter) &&
	           gw_cel_duration(interval, &longer) && shorter < longer)
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_connect_time_range(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	enum { CONNECT_S_MAX = 65535 };
	int64_t ns;

	(void)rule;
	return (gw_cel_duration(self->text, &ns) && ns >= second_ns &&
	           ns / second_ns <= CONNECT_S_MAX)
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_whole_seconds(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	enum { MILLISECOND_NS = 1000000, SECOND_MS = 1000 };
	int64_t ns;

	(void)rule;
	return (gw_cel_duration(self->text, &ns) &&
	           ns / MILLISECOND_NS % SECOND_MS == 0)
	    ? NULL
	    : self;
}
