/* What comes behind the decision: the filters, and where each backendRef leads
 * with how many of its endpoints get requests. */
#include "proxy/explain_priv.h"

#include "core/must.h"
#include "net/address.h"
#include "proxy/filter.h"
#include "proxy/reading.h"
#include "wire/record_tree.h"

static const char *
filter_type(const struct unit_filter *filter)
{
	switch ((enum unit_filter_kind)filter->kind) {
	case UNIT_FILTER_REQUEST_HEADERS:
		return "RequestHeaderModifier";
	case UNIT_FILTER_RESPONSE_HEADERS:
		return "ResponseHeaderModifier";
	case UNIT_FILTER_REDIRECT:
		return "RequestRedirect";
	}
	return "other";
}

static void
tell_filters(
    struct text *out, const struct unit_filter *filters, uint32_t count)
{
	text_push_byte(out, '[');
	for (uint32_t i = 0; i < count; i++) {
		text_printf(out,
		    "%s{\"type\": \"%s\", \"does\": ", i > 0 ? ", " : "",
		    filter_type(&filters[i]));
		wire_record_to_json(out, &unit_filter_type, &filters[i]);
		text_push_byte(out, '}');
	}
	text_push_byte(out, ']');
}

static const struct unit_filter *
find_redirect(const struct unit_rule *rule)
{
	for (uint32_t i = 0; i < rule->filters_count; i++)
		if (rule->filters[i].kind == UNIT_FILTER_REDIRECT)
			return &rule->filters[i];
	return NULL;
}

void
explain_filters(struct explaining *explaining)
{
	const struct unit_rule *rule = explaining->decision.rule;
	const struct unit_match *match = explaining->decision.match;
	const struct unit_filter *filter = find_redirect(rule);
	struct proxy_redirect redirect = {
	    .secure = explaining->socket.tls,
	    .host = explaining->host,
	    .port = explaining->socket.port,
	    .path = explaining->path,
	    .query = explaining->request.query,
	};

	if (match->path_type == UNIT_PATH_PREFIX)
		redirect.prefix = match->path;
	text_push_string(explaining->out, ",\n \"filters\": ");
	tell_filters(explaining->out, rule->filters, rule->filters_count);
	if (filter && rule->refused.length == 0)
		explain_member(explaining->out, "location",
		    proxy_redirect_location(
		        &explaining->arena, &redirect, filter));
}

/* ---- one backend ---- */

struct leading {
	enum reason reason; /* NONE: to an endpoint */
	struct slice why;
	const struct snap_backend *backend;
	uint32_t used; /* endpoints that get requests */
	uint8_t conditions; /* that those have */
};

static void
count_used(struct leading *leading)
{
	const struct snap_backend *backend = leading->backend;
	const uint8_t *choices = proxy_candidate_conditions;

	for (unsigned c = 0;
	     c < sizeof(proxy_candidate_conditions) && leading->used == 0; c++)
		for (uint32_t i = 0; i < backend->endpoint_count; i++) {
			leading->conditions = choices[c];
			leading->used += (backend->endpoints[i].conditions &
			                     choices[c]) == choices[c];
		}
}

/* Why it leads nowhere. */
static struct slice
why_not(const struct explaining *explaining, const struct unit_backend *chosen,
    uint32_t id, enum reason reason)
{
	const struct proxy_explain *explain = explaining->explain;

	if (chosen->refused.length > 0)
		return chosen->refused;
	if (reason == REASON_TLS_REFUSED)
		return snap_set_backend(explain->set, id)->tls->refused;
	return snap_store_unit(explain->store, chosen->target)
	    ? SLICE("it has no such port")
	    : SLICE("it does not exist");
}

/* What is to be shown, or believed, may not be there. */
static bool
can_shake(
    const struct explaining *explaining, const struct snap_backend_tls *tls)
{
	const struct snap_set *set = explaining->explain->set;
	uint32_t shown =
	    proxy_shown_certificate(tls, explaining->decision.listener_unit);
	bool believes = tls->system;

	for (uint32_t i = 0; i < tls->authority_count; i++)
		believes |=
		    snap_set_credential(set, tls->authority_ids[i]) != NULL;
	return believes &&
	    (shown == SNAP_ID_NONE || snap_set_credential(set, shown));
}

static void
look_at_backend(
    struct explaining *explaining, uint32_t index, struct leading *leading)
{
	const struct proxy_explain *explain = explaining->explain;
	const struct snap_decision *decision = &explaining->decision;
	const struct unit_backend *chosen = &decision->rule->backends[index];
	bool external = slice_starts_with(chosen->target, SLICE("external/"));

	*leading = (struct leading){.why = SLICE("")};
	leading->reason = proxy_find_backend(explain->set, chosen,
	    decision->backend_ids[index], &leading->backend);
	if (leading->reason != REASON_NONE) {
		leading->backend = NULL;
		leading->why = why_not(explaining, chosen,
		    decision->backend_ids[index], leading->reason);
		return;
	}
	if (leading->backend->tls &&
	    !can_shake(explaining, leading->backend->tls)) {
		leading->reason = REASON_TLS_REFUSED;
		leading->why = SLICE("a certificate that it is to be shown, or "
		                     "held against, is not there");
	}
	count_used(leading);
	if (leading->used > 0 || (external && explain->unresolved) ||
	    leading->reason != REASON_NONE)
		return;
	leading->reason = REASON_NO_ENDPOINT;
	if (external)
		leading->why = SLICE("its name has no address, or none yet");
	else if (leading->backend->endpoint_count == 0)
		leading->why =
		    SLICE("no EndpointSlice has an endpoint for this port");
	else
		leading->why = SLICE("none of its endpoints is ready");
}

static void
tell_unit(struct text *out, const struct snap_set *set, uint32_t id,
    const char *comma)
{
	const struct unit *unit = snap_set_credential(set, id);

	text_push_string(out, comma);
	text_push_json(out, unit ? unit->name : SLICE("not there"));
}

static void
tell_tls(const struct explaining *explaining, struct text *out,
    const struct snap_backend_tls *tls)
{
	const struct snap_set *set = explaining->explain->set;
	uint32_t shown =
	    proxy_shown_certificate(tls, explaining->decision.listener_unit);

	text_push_string(out, ", \"tls\": {\"hostname\": ");
	text_push_json(out, tls->hostname);
	text_push_string(out, ", \"names\": [");
	for (uint32_t i = 0; i < tls->name_count; i++) {
		text_push_string(out, i > 0 ? ", " : "");
		text_push_json(out, tls->names[i].value);
	}
	text_push_string(out, "], \"authorities\": [");
	if (tls->system)
		text_push_string(out, "\"system\"");
	for (uint32_t i = 0; i < tls->authority_count; i++)
		tell_unit(out, set, tls->authority_ids[i], i > 0 ? ", " : "");
	text_push_byte(out, ']');
	if (shown != SNAP_ID_NONE)
		tell_unit(out, set, shown, ", \"certificate\": ");
	text_push_byte(out, '}');
}

static void
tell_endpoints(struct text *out, const struct leading *leading)
{
	const struct snap_backend *backend = leading->backend;

	text_printf(out, ", \"endpoints\": %u, \"used\": %u, \"addresses\": [",
	    backend->endpoint_count, leading->used);
	for (uint32_t i = 0; i < backend->endpoint_count && i < EXPLAIN_LIST;
	     i++) {
		const struct snap_endpoint *one = &backend->endpoints[i];
		bool used = (one->conditions & leading->conditions) ==
		    leading->conditions;
		bool ip6 = slice_find(one->address, ':') < one->address.length;

		text_printf(out,
		    "%s{\"address\": \"%s%.*s%s:%u\", \"ready\": %s, "
		    "\"used\": %s}",
		    i > 0 ? ", " : "", ip6 ? "[" : "", SLICE_ARGS(one->address),
		    ip6 ? "]" : "", one->port,
		    one->conditions & UNIT_ENDPOINT_READY ? "true" : "false",
		    used ? "true" : "false");
	}
	text_push_byte(out, ']');
}

static void
tell_backend(struct explaining *explaining, struct text *out, uint32_t index,
    const struct leading *leading)
{
	const struct snap_decision *decision = &explaining->decision;
	const struct unit_backend *chosen = &decision->rule->backends[index];
	const struct reason_row *row = &reason_rows[leading->reason];

	text_printf(out, "%s\n  {\"target\": ", index > 0 ? "," : "");
	text_push_json(out, chosen->target.length ? chosen->target : SLICE(""));
	text_printf(out,
	    ", \"port\": %u, \"weight\": %u, \"weightSum\": %u, "
	    "\"reason\": \"%.*s\", \"status\": ",
	    (unsigned)chosen->port, (unsigned)chosen->weight,
	    decision->weight_sum, SLICE_ARGS(row->word));
	if (row->status > 0)
		text_push_number(out, row->status);
	else
		text_push_string(out, "null");
	text_push_string(out, ", \"why\": ");
	text_push_json(out, leading->why);
	if (chosen->filters_count > 0) {
		text_push_string(out, ", \"filters\": ");
		tell_filters(out, chosen->filters, chosen->filters_count);
	}
	if (leading->backend && leading->backend->tls)
		tell_tls(explaining, out, leading->backend->tls);
	if (leading->backend)
		tell_endpoints(out, leading);
	text_push_byte(out, '}');
}

/* A RequestRedirect answers before a backend is asked for. */
static void
tell_verdict(struct explaining *explaining, bool agreed, enum reason reason)
{
	const struct snap_decision *decision = &explaining->decision;
	const struct unit_filter *redirect = find_redirect(decision->rule);
	struct text *out = explaining->out;

	if (redirect)
		explain_verdict(out, "redirect",
		    redirect->status > 0 ? (int)redirect->status : 302,
		    REASON_REDIRECT);
	else if (decision->weight_sum == 0)
		explain_verdict(out, "refused",
		    reason_rows[REASON_NO_BACKEND].status, REASON_NO_BACKEND);
	else if (!agreed)
		explain_verdict(out, "depends", 0, REASON_NONE);
	else
		explain_verdict(out,
		    reason == REASON_NONE ? "backend" : "refused",
		    reason_rows[reason].status, reason);
}

void
explain_backends(struct explaining *explaining)
{
	const struct snap_decision *decision = &explaining->decision;
	const struct unit_rule *rule = decision->rule;
	enum reason reason = REASON_NONE;
	bool agreed = true, first = true;
	struct text backends;

	text_init(&backends);
	for (uint32_t i = 0; i < rule->backends_count; i++) {
		struct leading leading;

		look_at_backend(explaining, i, &leading);
		tell_backend(explaining, &backends, i, &leading);
		if (rule->backends[i].weight <= 0)
			continue;
		agreed &= first || reason == leading.reason;
		reason = leading.reason;
		first = false;
	}
	tell_verdict(explaining, agreed, reason);
	text_push_string(explaining->out, ",\n \"backends\": [");
	text_push(explaining->out, text_slice(&backends));
	text_push_byte(explaining->out, ']');
	text_fini(&backends);
}
