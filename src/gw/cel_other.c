/* CEL rules of EnvoyProxy and of MetalLB's kinds. */
#include "gw/cel_priv.h"

/* ---- EnvoyProxy ---- */

const struct tree_node *
gw_cel_bootstrap_patch(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *patches = wire_tree_get(self, "jsonPatches");

	(void)rule;
	if (gw_cel_is(self, "type", "JSONPatch"))
		return (patches && patches->count > 0) ? NULL : self;
	return (gw_cel_has(self, "value")) ? NULL : self;
}

/* Auto is the lowest as a minimum, the highest as a maximum. */
static unsigned
rank_version(const struct tree_node *self, const char *key, unsigned automatic)
{
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

	for (unsigned i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (gw_cel_is(self, key, versions[i]))
			return i + 1;
	return automatic;
}

const struct tree_node *
gw_cel_tls_versions(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	enum { LOWEST = 0, TLS_1_2 = 3, HIGHEST = 5 };

	(void)rule;
	if (!gw_cel_has(self, "maxVersion"))
		return NULL;
	unsigned low = gw_cel_has(self, "minVersion")
	    ? rank_version(self, "minVersion", LOWEST)
	    : TLS_1_2;

	return (low <= rank_version(self, "maxVersion", HIGHEST)) ? NULL : self;
}

static const struct tree_node *
get_two(const struct tree_node *self, const char *first, const char *second)
{
	const struct tree_node *node = wire_tree_get(self, first);

	return node ? wire_tree_get(node, second) : NULL;
}

const struct tree_node *
gw_cel_predictive_preconnect(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *preconnect =
	    get_two(self, "connection", "preconnect");
	const struct tree_node *balancer = wire_tree_get(self, "loadBalancer");

	(void)rule;
	return (preconnect == NULL ||
	           !gw_cel_has(preconnect, "predictivePercent") ||
	           (balancer &&
	               (gw_cel_is(balancer, "type", "Random") ||
	                   gw_cel_is(balancer, "type", "RoundRobin"))))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_failure_and_success(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	bool failure = false, success = false;

	(void)rule;
	GW_CEL_EACH(item, self)
	{
		struct slice event = item->text;

		failure = failure || slice_equal(event, SLICE("Failure")) ||
		    slice_equal(event, SLICE("FailureSeriesStart"));
		success = success || slice_equal(event, SLICE("Success")) ||
		    slice_equal(event, SLICE("HealthyTransition"));
	}
	return (failure == success) ? NULL : self;
}

const struct tree_node *
gw_cel_body_needs_method(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice method = gw_cel_text(self, "method");

	(void)rule;
	return (!gw_cel_has(self, "requestBody") ||
	           slice_equal_nocase(method, SLICE("POST")) ||
	           slice_equal_nocase(method, SLICE("PUT")))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_no_local_zone(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_is(self, "type", rule->first) ||
	           get_two(self, "zoneAware", "preferLocal") == NULL)
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_one_zone_policy(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	return (get_two(self, "zoneAware", "preferLocal") == NULL ||
	           get_two(self, "zoneAware", "weightedZones") == NULL)
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_host_or_backends(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *backends = wire_tree_get(self, "backendRefs");

	(void)rule;
	return (gw_cel_has(self, "host") || (backends && backends->count > 0))
	    ? NULL
	    : self;
}

/* ---- MetalLB ---- */

static bool
is_absent_or(const struct tree_node *self, const char *key, int64_t value)
{
	const struct tree_node *node = wire_tree_get(self, key);

	return node == NULL || node->integer == value;
}

/* What is announced for some Services only cannot be aggregated. */
const struct tree_node *
gw_cel_selectors_or_aggregation(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	enum { ADDRESS_BITS = 32, ADDRESS_V6_BITS = 128 };
	const struct tree_node *selectors =
	    wire_tree_get(self, "serviceSelectors");

	(void)rule;
	return (selectors == NULL || selectors->count == 0 ||
	           (is_absent_or(self, "aggregationLength", ADDRESS_BITS) &&
	               is_absent_or(
	                   self, "aggregationLengthV6", ADDRESS_V6_BITS)))
	    ? NULL
	    : self;
}
