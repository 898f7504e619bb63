/* Checks of HTTPRoute: what the CRD's patterns and rules say beyond the tables,
 * and warnings about what is not honoured yet. */
#include "gw/check_priv.h"
#include "gw/form.h"
#include "gw/honour.h"
#include "wire/field.h"
#include "wire/host.h"

enum { ROUTE_MATCHES_MAX = 128 };

static void check_parents(struct gw_check *check, const struct gw_place *up,
    const struct gw_httproute_spec *spec);
static void check_rule(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_rule *rule);
static void check_match(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_match *match);
static void check_filter(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_filter *filter);

void
gw_check_httproute(struct gw_check *check, const struct gw_httproute *object)
{
	const struct gw_httproute_spec *spec = object->spec;
	const struct gw_place *at = GW_AT(NULL, "spec");
	uint32_t matches = 0;

	check_parents(check, at, spec);
	for (uint32_t i = 0; i < spec->hostnames_count; i++)
		gw_check_form(check, GW_FINDING_HOSTNAME_INVALID,
		    GW_AT_ITEM(at, "hostnames", i), spec->hostnames[i],
		    wire_is_hostname(spec->hostnames[i], true),
		    "a hostname in lower case, where wanted with one leading "
		    "\"*.\"");
	for (uint32_t i = 0; i < spec->rules_count; i++) {
		const struct gw_http_rule *rule = &spec->rules[i];
		const struct gw_place *place = GW_AT_ITEM(at, "rules", i);

		check_rule(check, place, rule);
		matches += rule->matches ? rule->matches_count : 1;
		for (uint32_t j = 0; slice_is_set(rule->name) && j < i; j++)
			if (slice_equal(rule->name, spec->rules[j].name))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT(place, "name"),
				    "rules[%u] has the name \"%.*s\" too", j,
				    SLICE_ARGS(rule->name));
	}
	if (matches > ROUTE_MATCHES_MAX)
		gw_check_report(check, GW_FINDING_TOO_MANY, GW_AT(at, "rules"),
		    "%u matches in all, at most %u are allowed", matches,
		    ROUTE_MATCHES_MAX);
	if (slice_equal(spec->use_default_gateways, SLICE("All")))
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(at, "useDefaultGateways"),
		    "default Gateways are not supported yet");
}

/* ---- parents ---- */

static bool
is_same_parent(
    const struct gw_parent_reference *a, const struct gw_parent_reference *b)
{
	return slice_equal(a->group, b->group) &&
	    slice_equal(a->kind, b->kind) && slice_equal(a->name, b->name) &&
	    slice_equal(a->namespace, b->namespace);
}

static void
check_parents(struct gw_check *check, const struct gw_place *up,
    const struct gw_httproute_spec *spec)
{
	for (uint32_t i = 0; i < spec->parent_refs_count; i++) {
		const struct gw_parent_reference *b = &spec->parent_refs[i];
		const struct gw_place *place = GW_AT_ITEM(up, "parentRefs", i);

		gw_check_reference(
		    check, place, b->group, b->kind, b->namespace);
		if (slice_is_set(b->section_name))
			gw_check_name(check, GW_AT(place, "sectionName"),
			    b->section_name);
		for (uint32_t j = 0; j < i; j++) {
			const struct gw_parent_reference *a =
			    &spec->parent_refs[j];

			if (!is_same_parent(a, b))
				continue;
			if (slice_equal(a->section_name, b->section_name) &&
			    a->port == b->port)
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    place,
				    "parentRefs[%u] names the same parent, "
				    "sectionName and port",
				    j);
			else if (slice_is_set(a->section_name) !=
			        slice_is_set(b->section_name) ||
			    (a->port == 0) != (b->port == 0))
				gw_check_report(check,
				    GW_FINDING_FIELDS_DISAGREE, place,
				    "sectionName or port must be set in both "
				    "or neither of parentRefs[%u] and this, "
				    "which name the same parent",
				    j);
		}
	}
}

/* ---- rules ---- */

static bool
replaces_prefix(const struct gw_http_filter *filters, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_http_path_change *change = NULL;

		if (filters[i].request_redirect)
			change = filters[i].request_redirect->path;
		else if (filters[i].url_rewrite)
			change = filters[i].url_rewrite->path;
		if (change && slice_is_set(change->replace_prefix_match))
			return true;
	}
	return false;
}

/* ReplacePrefixMatch must know the one prefix that it replaces. */
static void
check_prefix(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_rule *rule)
{
	bool replaces = replaces_prefix(rule->filters, rule->filters_count);

	for (uint32_t i = 0; i < rule->backend_refs_count; i++)
		replaces = replaces ||
		    replaces_prefix(rule->backend_refs[i].filters,
		        rule->backend_refs[i].filters_count);
	if (!replaces || !rule->matches)
		return; /* without matches there is the one of "/" */
	const struct gw_http_path_match *path =
	    rule->matches_count == 1 ? rule->matches[0].path : NULL;

	if (rule->matches_count != 1 ||
	    (path && !slice_equal(path->type, SLICE("PathPrefix"))))
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(place, "matches"),
		    "must be exactly one, of type PathPrefix, when a filter "
		    "replaces the matched prefix");
}

static void
check_timeouts(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_timeouts *timeouts)
{
	uint64_t request, backend;

	gw_check_duration(
	    check, GW_AT(place, "request"), timeouts->request, &request);
	gw_check_duration(check, GW_AT(place, "backendRequest"),
	    timeouts->backend_request, &backend);
	if (request != 0 && backend > request)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(place, "backendRequest"),
		    "must not be longer than request");
}

static void
check_backend_ref(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_backend *backend)
{
	const struct gw_backend_reference reference = {
	    .group = backend->group,
	    .kind = backend->kind,
	    .name = backend->name,
	    .namespace = backend->namespace,
	    .port = backend->port,
	};

	gw_check_backend(check, place, &reference);
	gw_check_filters(
	    check, place, backend->filters, backend->filters_count);
}

static void
warn_match(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_match *match)
{
	struct text fault;

	text_init(&fault);
	if (!gw_honour_match(match, &fault))
		gw_check_report(check, GW_FINDING_REFUSED, place,
		    "%.*s: the match takes no request",
		    SLICE_ARGS(text_slice(&fault)));
	text_fini(&fault);
}

static void
warn_not_honoured(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_rule *rule)
{
	struct gw_honour honour;

	for (uint32_t i = 0; i < rule->matches_count; i++)
		warn_match(
		    check, GW_AT_ITEM(place, "matches", i), &rule->matches[i]);
	gw_honour_rule(rule, &honour);
	if (honour.refused)
		gw_check_report(check, GW_FINDING_REFUSED, place,
		    "%s: the rule is not served", honour.refused);
	for (unsigned i = 0; i < honour.ignored_count; i++)
		gw_check_report(check, GW_FINDING_NOT_HONOURED,
		    GW_AT(place, honour.ignored[i]), "%s is not supported yet",
		    honour.ignored[i]);
}

static void
check_rule(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_rule *rule)
{
	uint64_t ms;

	if (slice_is_set(rule->name))
		gw_check_name(check, GW_AT(place, "name"), rule->name);
	for (uint32_t i = 0; i < rule->matches_count; i++)
		check_match(
		    check, GW_AT_ITEM(place, "matches", i), &rule->matches[i]);
	gw_check_filters(check, place, rule->filters, rule->filters_count);
	for (uint32_t i = 0; i < rule->filters_count; i++)
		if (rule->filters[i].request_redirect &&
		    rule->backend_refs_count > 0)
			gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
			    GW_AT_ITEM(place, "filters", i),
			    "RequestRedirect must not stand beside "
			    "backendRefs");
	for (uint32_t i = 0; i < rule->backend_refs_count; i++)
		check_backend_ref(check, GW_AT_ITEM(place, "backendRefs", i),
		    &rule->backend_refs[i]);
	check_prefix(check, place, rule);
	if (rule->timeouts)
		check_timeouts(check, GW_AT(place, "timeouts"), rule->timeouts);
	if (rule->retry)
		gw_check_duration(check,
		    GW_AT(GW_AT(place, "retry"), "backoff"),
		    rule->retry->backoff, &ms);
	if (rule->session_persistence)
		gw_check_session(check, GW_AT(place, "sessionPersistence"),
		    rule->session_persistence);
	if (!check->failed)
		warn_not_honoured(check, place, rule);
}

/* ---- matches ---- */

static void
check_header_name(
    struct gw_check *check, const struct gw_place *place, struct slice name)
{
	gw_check_form(check, GW_FINDING_HEADER_INVALID, place, name,
	    wire_is_token(name), "a token of RFC 9110");
}

static void
check_match(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_match *match)
{
	const struct gw_http_path_match *path = match->path;

	if (path && !slice_equal(path->type, SLICE("RegularExpression"))) {
		const char *fault = gw_form_path_fault(path->value);

		if (fault)
			gw_check_report(check, GW_FINDING_PATH_INVALID,
			    GW_AT(GW_AT(place, "path"), "value"), "\"%.*s\" %s",
			    SLICE_ARGS(path->value), fault);
	}
	for (uint32_t i = 0; i < match->headers_count; i++) {
		const struct gw_http_header_match *b = &match->headers[i];
		const struct gw_place *at = GW_AT_ITEM(place, "headers", i);

		check_header_name(check, GW_AT(at, "name"), b->name);
		gw_check_form(check, GW_FINDING_HEADER_INVALID,
		    GW_AT(at, "value"), b->value,
		    gw_form_is_header_value(b->value), "a header's value");
		for (uint32_t j = 0; j < i; j++)
			if (slice_equal(b->name, match->headers[j].name))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT(at, "name"),
				    "headers[%u] has this name too", j);
	}
	for (uint32_t i = 0; i < match->query_params_count; i++) {
		const struct gw_http_query_match *b = &match->query_params[i];
		const struct gw_place *at = GW_AT_ITEM(place, "queryParams", i);

		check_header_name(check, GW_AT(at, "name"), b->name);
		for (uint32_t j = 0; j < i; j++)
			if (slice_equal(b->name, match->query_params[j].name))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT(at, "name"),
				    "queryParams[%u] has this name too", j);
	}
}

/* ---- filters ---- */

static void
check_fields(struct gw_check *check, const struct gw_place *place,
    const char *list, const struct gw_http_field *fields, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_place *at = GW_AT_ITEM(place, list, i);

		check_header_name(check, GW_AT(at, "name"), fields[i].name);
		gw_check_form(check, GW_FINDING_HEADER_INVALID,
		    GW_AT(at, "value"), fields[i].value,
		    gw_form_is_header_value(fields[i].value),
		    "a header's value");
		for (uint32_t j = 0; j < i; j++)
			if (slice_equal(fields[i].name, fields[j].name))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT(at, "name"),
				    "%s[%u] has this name too", list, j);
	}
}

static void
check_modifier(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_modifier *modifier)
{
	check_fields(check, place, "set", modifier->set, modifier->set_count);
	check_fields(check, place, "add", modifier->add, modifier->add_count);
	for (uint32_t i = 0; i < modifier->remove_count; i++)
		check_header_name(
		    check, GW_AT_ITEM(place, "remove", i), modifier->remove[i]);
}

static void
check_path_change(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_path_change *change)
{
	bool full = slice_equal(change->type, SLICE("ReplaceFullPath"));
	const char *why =
	    full ? "type is ReplaceFullPath" : "type is ReplacePrefixMatch";

	gw_check_exactly_when(check, GW_AT(place, "replaceFullPath"),
	    slice_is_set(change->replace_full_path), full, why);
	gw_check_exactly_when(check, GW_AT(place, "replacePrefixMatch"),
	    slice_is_set(change->replace_prefix_match), !full, why);
}

static void
check_target_hostname(
    struct gw_check *check, const struct gw_place *place, struct slice hostname)
{
	if (slice_is_set(hostname))
		gw_check_form(check, GW_FINDING_HOSTNAME_INVALID,
		    GW_AT(place, "hostname"), hostname,
		    wire_is_hostname(hostname, false), "a hostname");
}

static void
check_redirect(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_redirect *redirect)
{
	int64_t status = redirect->status_code;

	check_target_hostname(check, place, redirect->hostname);
	if (redirect->path)
		check_path_change(check, GW_AT(place, "path"), redirect->path);
	if (status > 303 && status < 307)
		gw_check_report(check, GW_FINDING_CHOICE_UNKNOWN,
		    GW_AT(place, "statusCode"),
		    "%lld is not one of 301, 302, 303, 307, 308",
		    (long long)status);
}

static void
check_mirror(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_mirror *mirror)
{
	gw_check_backend(
	    check, GW_AT(place, "backendRef"), mirror->backend_ref);
	if (mirror->fraction && mirror->percent != RECORD_ABSENT)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE, place,
		    "only one of percent and fraction may be set");
	if (mirror->fraction &&
	    mirror->fraction->numerator > mirror->fraction->denominator)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(GW_AT(place, "fraction"), "numerator"),
		    "must not be over the denominator");
}

static void
check_cors_list(struct gw_check *check, const struct gw_place *place,
    const struct slice *items, uint32_t count)
{
	for (uint32_t i = 0; i < count && count > 1; i++)
		if (slice_equal(items[i], SLICE("*")))
			gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
			    place, "\"*\" must stand alone");
}

static void
check_cors(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_cors *cors)
{
	check_cors_list(check, GW_AT(place, "allowHeaders"),
	    cors->allow_headers, cors->allow_headers_count);
	check_cors_list(check, GW_AT(place, "allowMethods"),
	    cors->allow_methods, cors->allow_methods_count);
	check_cors_list(check, GW_AT(place, "allowOrigins"),
	    cors->allow_origins, cors->allow_origins_count);
}

static void
check_rewrite(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_rewrite *rewrite)
{
	check_target_hostname(check, place, rewrite->hostname);
	if (rewrite->path)
		check_path_change(check, GW_AT(place, "path"), rewrite->path);
}

/* Exactly the member that type names is set. */
static void
check_filter_type(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_filter *filter)
{
	const struct {
		const char *field, *type;
		bool set;
	} members[] = {
	    {"cors", "CORS", filter->cors},
	    {"extensionRef", "ExtensionRef", filter->extension_ref},
	    {"externalAuth", "ExternalAuth", filter->external_auth},
	    {"requestHeaderModifier", "RequestHeaderModifier",
	        filter->request_header_modifier},
	    {"requestMirror", "RequestMirror", filter->request_mirror},
	    {"requestRedirect", "RequestRedirect", filter->request_redirect},
	    {"responseHeaderModifier", "ResponseHeaderModifier",
	        filter->response_header_modifier},
	    {"urlRewrite", "URLRewrite", filter->url_rewrite},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		bool wanted = slice_equal(
		    filter->type, slice_from_string(members[i].type));

		if (members[i].set != wanted)
			gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
			    GW_AT(place, members[i].field),
			    "must %sbe set when type is %.*s",
			    wanted ? "" : "not ", SLICE_ARGS(filter->type));
	}
}

static void
check_filter(struct gw_check *check, const struct gw_place *place,
    const struct gw_http_filter *filter)
{
	const struct gw_local_reference *extension = filter->extension_ref;

	check_filter_type(check, place, filter);
	if (filter->request_header_modifier)
		check_modifier(check, GW_AT(place, "requestHeaderModifier"),
		    filter->request_header_modifier);
	if (filter->response_header_modifier)
		check_modifier(check, GW_AT(place, "responseHeaderModifier"),
		    filter->response_header_modifier);
	if (filter->request_redirect)
		check_redirect(check, GW_AT(place, "requestRedirect"),
		    filter->request_redirect);
	if (filter->request_mirror)
		check_mirror(check, GW_AT(place, "requestMirror"),
		    filter->request_mirror);
	if (filter->external_auth)
		gw_check_external_auth(
		    check, GW_AT(place, "externalAuth"), filter->external_auth);
	if (extension)
		gw_check_reference(check, GW_AT(place, "extensionRef"),
		    extension->group, extension->kind, SLICE_NONE);
	if (filter->url_rewrite)
		check_rewrite(
		    check, GW_AT(place, "urlRewrite"), filter->url_rewrite);
	if (filter->cors)
		check_cors(check, GW_AT(place, "cors"), filter->cors);
}

void
gw_check_filters(struct gw_check *check, const struct gw_place *up,
    const struct gw_http_filter *filters, uint32_t count)
{
	bool redirects = false, rewrites = false;

	for (uint32_t i = 0; i < count; i++) {
		const struct gw_place *place = GW_AT_ITEM(up, "filters", i);
		struct slice type = filters[i].type;
		bool repeatable = slice_equal(type, SLICE("RequestMirror")) ||
		    slice_equal(type, SLICE("ExtensionRef")) ||
		    slice_equal(type, SLICE("ExternalAuth"));

		check_filter(check, place, &filters[i]);
		redirects = redirects || filters[i].request_redirect;
		rewrites = rewrites || filters[i].url_rewrite;
		for (uint32_t j = 0; j < i && !repeatable; j++)
			if (slice_equal(type, filters[j].type))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    place, "filters[%u] is of this type too",
				    j);
	}
	if (redirects && rewrites)
		gw_check_report(check, GW_FINDING_FIELDS_DISAGREE,
		    GW_AT(up, "filters"),
		    "RequestRedirect and URLRewrite rule each other out");
}
