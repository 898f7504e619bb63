/* CEL rules of Gateways, ListenerSets, references and policies. */
#include "gw/cel_priv.h"
#include "gw/form.h"

/* ---- references ---- */

static bool
is_same_target(const struct tree_node *a, const struct tree_node *b)
{
	return gw_cel_same(a, b, "group") && gw_cel_same(a, b, "kind") &&
	    gw_cel_same(a, b, "name");
}

static bool
is_same_parent(const struct tree_node *a, const struct tree_node *b)
{
	return is_same_target(a, b) && gw_cel_same_or_empty(a, b, "namespace");
}

static bool
are_both_empty_or_none(
    const struct tree_node *a, const struct tree_node *b, const char *key)
{
	return gw_cel_is_empty(a, key) == gw_cel_is_empty(b, key);
}

const struct tree_node *
gw_cel_targets_split(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(b, self)
	for (const struct tree_node *a = self->child; a != b; a = a->next)
		if (is_same_target(a, b) &&
		    !are_both_empty_or_none(a, b, "sectionName"))
			return b;
	return NULL;
}

const struct tree_node *
gw_cel_targets_unique(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(b, self)
	for (const struct tree_node *a = self->child; a != b; a = a->next)
		if (is_same_target(a, b) &&
		    gw_cel_same_or_empty(a, b, "sectionName"))
			return b;
	return NULL;
}

const struct tree_node *
gw_cel_parents_split(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(b, self)
	for (const struct tree_node *a = self->child; a != b; a = a->next)
		if (is_same_parent(a, b) &&
		    (!are_both_empty_or_none(a, b, "sectionName") ||
		        !are_both_empty_or_none(a, b, "port")))
			return b;
	return NULL;
}

const struct tree_node *
gw_cel_parents_unique(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(b, self)
	for (const struct tree_node *a = self->child; a != b; a = a->next)
		if (is_same_parent(a, b) &&
		    gw_cel_same_or_empty(a, b, "sectionName") &&
		    gw_cel_same_or_empty(a, b, "port"))
			return b;
	return NULL;
}

const struct tree_node *
gw_cel_service_has_port(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	return (!gw_cel_is(self, "group", "") ||
	           !gw_cel_is(self, "kind", "Service") ||
	           gw_cel_has(self, "port"))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_xbackend_has_no_port(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	return (!gw_cel_is(self, "group", "gateway.networking.x-k8s.io") ||
	           !gw_cel_is(self, "kind", "XBackend") ||
	           !gw_cel_has(self, "port"))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_trust_bundles(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(item, self)
	if (gw_cel_is(item, "group", "certificates.k8s.io") &&
	    gw_cel_is(item, "kind", "ClusterTrustBundle") &&
	    gw_cel_has(item, "namespace"))
		return item;
	return NULL;
}

/* ---- addresses ---- */

const struct tree_node *
gw_cel_addresses_unique(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	GW_CEL_EACH(b, self)
	for (const struct tree_node *a = self->child; a != b; a = a->next)
		if (gw_cel_is(a, "type", rule->first) &&
		    gw_cel_same(a, b, "type") && gw_cel_has(a, "value") &&
		    gw_cel_same(a, b, "value"))
			return b;
	return NULL;
}

/* k8s.io and what is below it is reserved. */
const struct tree_node *
gw_cel_routability(const struct tree_node *self, const struct gw_cel_rule *rule)
{
	struct slice text = self->text;
	struct slice domain = slice_make(text.data, slice_find(text, '/'));

	(void)rule;
	if (text.length == 0 || slice_equal(text, SLICE("Cluster")))
		return NULL;
	return (gw_pattern_matches(GW_PATTERN_SLASH_AND_MORE, text) &&
	           gw_form_is_name(domain) &&
	           !slice_equal(domain, SLICE("k8s.io")) &&
	           !slice_ends_with(domain, SLICE(".k8s.io")))
	    ? NULL
	    : self;
}

/* ---- listeners ---- */

static bool
is_any(const struct tree_node *self, const char *key, const char *const *values)
{
	for (; *values; values++)
		if (gw_cel_is(self, key, *values))
			return true;
	return false;
}

const struct tree_node *
gw_cel_listeners_without_tls(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	static const char *const plain[] = {"HTTP", "TCP", "UDP", NULL};

	(void)rule;
	GW_CEL_EACH(listener, self)
	if (is_any(listener, "protocol", plain) && gw_cel_has(listener, "tls"))
		return listener;
	return NULL;
}

const struct tree_node *
gw_cel_listeners_terminate(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	static const char *const modes[] = {"", "Terminate", NULL};

	(void)rule;
	GW_CEL_EACH(listener, self)
	{
		const struct tree_node *tls = wire_tree_get(listener, "tls");

		if (gw_cel_is(listener, "protocol", "HTTPS") && tls &&
		    !is_any(tls, "mode", modes))
			return listener;
	}
	return NULL;
}

const struct tree_node *
gw_cel_listeners_have_mode(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(listener, self)
	{
		const struct tree_node *tls = wire_tree_get(listener, "tls");

		if (gw_cel_is(listener, "protocol", "TLS") &&
		    (tls == NULL || gw_cel_is_empty(tls, "mode")))
			return listener;
	}
	return NULL;
}

const struct tree_node *
gw_cel_listeners_without_hostname(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	static const char *const streams[] = {"TCP", "UDP", NULL};

	(void)rule;
	GW_CEL_EACH(listener, self)
	if (is_any(listener, "protocol", streams) &&
	    !gw_cel_is_empty(listener, "hostname"))
		return listener;
	return NULL;
}

const struct tree_node *
gw_cel_listeners_distinct(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	GW_CEL_EACH(b, self)
	for (const struct tree_node *a = self->child; a != b; a = a->next)
		if (gw_cel_has(a, "port") && gw_cel_same(a, b, "port") &&
		    gw_cel_same(a, b, "protocol") &&
		    gw_cel_same(a, b, "hostname"))
			return b;
	return NULL;
}

const struct tree_node *
gw_cel_terminates_with_something(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	const struct tree_node *certificates =
	    wire_tree_get(self, "certificateRefs");
	const struct tree_node *options = wire_tree_get(self, "options");

	(void)rule;
	return (!gw_cel_is(self, "mode", "Terminate") ||
	           (certificates && certificates->count > 0) ||
	           (options && options->count > 0))
	    ? NULL
	    : self;
}

/* ---- hostnames ---- */

const struct tree_node *
gw_cel_no_addresses(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	char canonical[GW_ADDRESS_BYTES];
	unsigned family;

	(void)rule;
	GW_CEL_EACH(item, self)
	if (gw_form_is_address(item->text, canonical, &family))
		return item;
	return NULL;
}

static bool
has_star(struct slice text)
{
	return slice_find(text, '*') < text.length;
}

const struct tree_node *
gw_cel_plain_hostnames(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	GW_CEL_EACH(item, self)
	if (!has_star(item->text) &&
	    !gw_pattern_matches(rule->pattern, item->text))
		return item;
	return NULL;
}

const struct tree_node *
gw_cel_wildcard_hostnames(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	GW_CEL_EACH(item, self)
	if (has_star(item->text) &&
	    (!slice_starts_with(item->text, SLICE("*.")) ||
	        !gw_pattern_matches(rule->pattern, slice_skip(item->text, 2))))
		return item;
	return NULL;
}

/* ---- XBackend ---- */

static bool
has_tls_on(const struct tree_node *self)
{
	const struct tree_node *tls = wire_tree_get(self, "tls");

	return tls && !gw_cel_is(tls, "mode", "None");
}

const struct tree_node *
gw_cel_h2c_without_tls(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	(void)rule;
	return (!gw_cel_is(self, "protocol", "H2C") || !has_tls_on(self))
	    ? NULL
	    : self;
}

const struct tree_node *
gw_cel_protocol_needs_tls(
    const struct tree_node *self, const struct gw_cel_rule *rule)
{
	return (!gw_cel_is(self, "protocol", rule->first) || has_tls_on(self))
	    ? NULL
	    : self;
}
