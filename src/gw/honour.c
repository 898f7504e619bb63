/* What yumen does not honour yet. Limits, authentication, authorization and TLS
 * must never be ignored, nor what changes which requests a rule takes or where
 * they go: those refuse the rule. The rest has no effect, and is told. A match
 * that no unit can say takes no request, and harms no other. */
#include "gw/honour.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/limit.h"
#include "core/must.h"
#include "gw/form.h"
#include "snap/pattern.h"
#include "wire/field.h"
#include "wire/path.h"

/* The CRD's own bound on paths. */
enum { PATH_BYTES = 1024 };

static bool
is_canonical_path(struct slice path)
{
	char out[PATH_BYTES];
	struct slice canonical;

	return path.length <= sizeof(out) &&
	    wire_path_canonical(path, out, &canonical) == ERROR_OK;
}

static bool
is_pattern(struct slice type)
{
	return slice_equal(type, SLICE("RegularExpression"));
}

/* fault then says why not, behind where. */
static bool is_good_pattern(struct slice pattern, struct text *fault,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool
is_good_pattern(
    struct slice pattern, struct text *fault, const char *format, ...)
{
	va_list arguments;
	struct text why;

	text_init(&why);

	enum error error = snap_pattern_check(pattern, &why);

	if (error != ERROR_OK) {
		va_start(arguments, format);
		text_vprintf(fault, format, arguments);
		va_end(arguments);
		text_printf(fault, ": not a regular expression: %.*s",
		    SLICE_ARGS(text_slice(&why)));
	}
	text_fini(&why);
	return error == ERROR_OK;
}

static bool
is_good_path(const struct gw_http_path_match *path, struct text *fault)
{
	if (is_pattern(path->type))
		return is_good_pattern(path->value, fault, "path");
	if (is_canonical_path(path->value))
		return true;
	text_push_string(fault, "path: no request can have this path");
	return false;
}

static bool
are_good_headers(const struct gw_http_header_match *headers, uint32_t count,
    struct text *fault)
{
	for (uint32_t i = 0; i < count; i++)
		if (is_pattern(headers[i].type) &&
		    !is_good_pattern(headers[i].value, fault, "headers[%u]", i))
			return false;
	return true;
}

bool
gw_honour_match(const struct gw_http_match *match, struct text *fault)
{
	must(match != NULL && fault != NULL);
	if (match->path && !is_good_path(match->path, fault))
		return false;
	if (!are_good_headers(match->headers, match->headers_count, fault))
		return false;
	for (uint32_t i = 0; i < match->query_params_count; i++)
		if (is_pattern(match->query_params[i].type) &&
		    !is_good_pattern(match->query_params[i].value, fault,
		        "queryParams[%u]", i))
			return false;
	return true;
}

bool
gw_honour_call(const struct gw_grpc_match *match, struct text *fault)
{
	must(match != NULL && fault != NULL);
	const struct gw_grpc_call *call = match->call;

	/* As a path: "/service/method". */
	if (call &&
	    call->service.length + call->method.length + 2 >
	        LIMIT_VALUE_MATCH_PATH_BYTES) {
		text_push_string(fault,
		    "method: service and method are longer "
		    "than a path may be");
		return false;
	}
	if (call && is_pattern(call->type) &&
	    (!is_good_pattern(call->service, fault, "method.service") ||
	        !is_good_pattern(call->method, fault, "method.method")))
		return false;
	return are_good_headers(match->headers, match->headers_count, fault);
}

/* A path to put into Location: as it will be sent, or refused. */
static bool
is_replacement(struct slice path)
{
	return !slice_is_set(path) || path.length == 0 ||
	    is_canonical_path(path);
}

static bool
is_framing(struct slice name)
{
	return wire_field_flags(wire_field_id(name)) &
	    (FIELD_HOP | FIELD_FRAMING);
}

/* Framing and the connection are each hop's own. */
static bool
touches_framing(const struct gw_http_modifier *modifier)
{
	bool touches = false;

	for (uint32_t i = 0; modifier && i < modifier->set_count; i++)
		touches = touches || is_framing(modifier->set[i].name);
	for (uint32_t i = 0; modifier && i < modifier->add_count; i++)
		touches = touches || is_framing(modifier->add[i].name);
	for (uint32_t i = 0; modifier && i < modifier->remove_count; i++)
		touches = touches || is_framing(modifier->remove[i]);
	return touches;
}

static const char *
filter_fault(const struct gw_http_filter *filter)
{
	const struct gw_http_redirect *redirect = filter->request_redirect;

	if (touches_framing(filter->request_header_modifier) ||
	    touches_framing(filter->response_header_modifier))
		return "changes a header of the connection or of the "
		       "message's framing";
	if (filter->request_header_modifier || filter->response_header_modifier)
		return NULL;
	if (!redirect)
		return "is not supported yet";
	if (redirect->path &&
	    (!is_replacement(redirect->path->replace_full_path) ||
	        !is_replacement(redirect->path->replace_prefix_match)))
		return "has a replacement path that does not begin with '/', "
		       "or needs escapes";
	return NULL;
}

static void refuse(struct gw_honour *honour, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first one is told. */
static void
refuse(struct gw_honour *honour, const char *format, ...)
{
	va_list arguments;

	if (honour->refused)
		return;
	va_start(arguments, format);
	vsnprintf(honour->text, sizeof(honour->text), format, arguments);
	va_end(arguments);
	honour->refused = honour->text;
}

static void
judge_backend(const struct gw_http_backend *backend, uint32_t index,
    struct gw_honour *honour)
{
	for (uint32_t i = 0; i < backend->filters_count; i++) {
		const struct gw_http_filter *filter = &backend->filters[i];
		const char *fault = filter->request_redirect
		    ? "is not supported in a backendRef"
		    : filter_fault(filter);

		if (fault)
			refuse(honour, "backendRefs[%u].filters[%u]: %.*s %s",
			    index, i, SLICE_ARGS(filter->type), fault);
	}
}

void
gw_honour_rule(const struct gw_http_rule *rule, struct gw_honour *honour)
{
	must(rule != NULL && honour != NULL);
	*honour = (struct gw_honour){0};
	for (uint32_t i = 0; i < rule->filters_count; i++) {
		const char *fault = filter_fault(&rule->filters[i]);

		if (fault)
			refuse(honour, "filters[%u]: %.*s %s", i,
			    SLICE_ARGS(rule->filters[i].type), fault);
	}
	for (uint32_t i = 0; i < rule->backend_refs_count; i++)
		judge_backend(&rule->backend_refs[i], i, honour);
	if (rule->timeouts &&
	    (slice_is_set(rule->timeouts->request) ||
	        slice_is_set(rule->timeouts->backend_request)))
		refuse(honour, "timeouts: not supported yet");
	if (rule->retry)
		honour->ignored[honour->ignored_count++] = "retry";
	if (rule->session_persistence)
		honour->ignored[honour->ignored_count++] = "sessionPersistence";
}

static const char *
expression_fault(const struct gw_label_expression *expression)
{
	struct slice operator= expression->operator;
	bool lists = slice_equal(operator, SLICE("In")) ||
	    slice_equal(operator, SLICE("NotIn"));

	if (!lists && !slice_equal(operator, SLICE("Exists")) &&
	    !slice_equal(operator, SLICE("DoesNotExist")))
		return "an operator is none of In, NotIn, Exists, DoesNotExist";
	if (lists && expression->values_count == 0)
		return "operators In and NotIn need values";
	if (!lists && expression->values_count > 0)
		return "operators Exists and DoesNotExist take no values";
	if (!gw_form_is_label_key(expression->key))
		return "a key is not a label's";
	for (uint32_t i = 0; i < expression->values_count; i++)
		if (!gw_form_is_label_value(expression->values[i]))
			return "a value is not a label's";
	return NULL;
}

const char *
gw_honour_selector_fault(const struct gw_label_selector *selector)
{
	for (uint32_t i = 0; i < selector->match_labels_count; i++) {
		if (!gw_form_is_label_key(selector->match_labels[i].key))
			return "a key is not a label's";
		if (!gw_form_is_label_value(selector->match_labels[i].value))
			return "a value is not a label's";
	}
	for (uint32_t i = 0; i < selector->match_expressions_count; i++) {
		const char *fault =
		    expression_fault(&selector->match_expressions[i]);

		if (fault)
			return fault;
	}
	return NULL;
}

bool
gw_honour_knows_parameters(struct slice group, struct slice kind)
{
	return slice_equal(group, SLICE("gateway.envoyproxy.io")) &&
	    slice_equal(kind, SLICE("EnvoyProxy"));
}
