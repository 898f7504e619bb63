/* Rules: what a route's rules mean, in the words of units. */
#include "core/must.h"
#include "crypt/digest.h"
#include "gw/honour.h"
#include "gw/state_priv.h"
#include "wire/path.h"
#include "wire/record_binary.h"

enum {
	TOLD_BYTES = 30000, /* a condition's message may have 32768 */
	IDENTITY_BYTES = 4,
};

/* One rule at work. */
struct maker {
	const struct gw_state *state;
	const struct gw_route_node *route;
	const struct gw_route_row *row; /* of the route's kind */
	bool opens; /* as of gw_rules_make */
	struct arena *arena;
	struct gw_rules *rules;
	uint32_t index; /* of the rule */
	uint32_t edge; /* of the next backend */
};

static struct unit_filter *make_filters(
    struct maker *maker, const struct gw_http_filter *filters, uint32_t count);
static void make_backends(struct maker *maker, const struct gw_http_rule *rule,
    bool refused, struct unit_rule *unit);
static struct slice make_identity(struct maker *maker,
    const struct gw_http_rule *rule, const struct unit_rule *unit);

/* Append one of many findings; check tells what conditions say, so all of them
 * as long as there is room. */
static void tell(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
tell(struct text *text, const char *format, ...)
{
	va_list arguments;

	if (text->length > TOLD_BYTES) {
		if (!slice_ends_with(text_slice(text), SLICE("; and more")))
			text_push_string(text, "; and more");
		return;
	}
	if (text->length > 0)
		text_push_string(text, "; ");
	va_start(arguments, format);
	text_vprintf(text, format, arguments);
	va_end(arguments);
}

/* The rule is not served as it is written: why. */
static void
tell_rule(struct maker *maker, const struct unit_rule *unit,
    const struct gw_honour *honour, struct slice fault)
{
	struct gw_rules *rules = maker->rules;

	if (unit->matches_count == 0)
		tell(&rules->refused_text, "rules[%u] is left out: %.*s",
		    maker->index, SLICE_ARGS(fault));
	else if (fault.length > 0)
		tell(&rules->refused_text, "rules[%u] is served without %.*s",
		    maker->index, SLICE_ARGS(fault));
	if (honour->refused)
		tell(&rules->refused_text, "rules[%u] %s: %s", maker->index,
		    maker->row->fault, honour->refused);
	if (honour->refused || unit->matches_count == 0)
		rules->refused++;
}

static void
make_rule(struct maker *maker, const struct gw_http_rule *rule)
{
	struct gw_rules *rules = maker->rules;
	struct unit_rule *unit = &rules->rules[rules->count];
	struct gw_honour honour;
	struct text fault;

	text_init(&fault);
	gw_honour_rule(rule, &honour);
	maker->row->matches(maker->route->node.object, maker->index,
	    maker->arena, unit, &fault);
	make_backends(maker, rule,
	    honour.refused != NULL || unit->matches_count == 0, unit);
	tell_rule(maker, unit, &honour, text_slice(&fault));
	text_fini(&fault);
	for (unsigned i = 0; i < honour.ignored_count; i++)
		tell(&rules->ignored_text, "rules[%u].%s", maker->index,
		    honour.ignored[i]);
	if (!maker->row->requests && maker->index > 0)
		tell(&rules->ignored_text,
		    "rules[%u] (the first one takes all)", maker->index);
	if (unit->matches_count == 0)
		return;
	unit->identity = make_identity(maker, rule, unit);
	if (honour.refused) {
		unit->refused =
		    arena_format(maker->arena, "%s", honour.refused);
	} else {
		unit->filters =
		    make_filters(maker, rule->filters, rule->filters_count);
		unit->filters_count = rule->filters_count;
	}
	rules->count++;
}

void
gw_rules_make(const struct gw_state *state, const struct gw_route_node *route,
    bool opens, struct arena *arena, struct gw_rules *rules)
{
	/* The CRD's default: one rule that takes all and leads nowhere. */
	static const struct gw_http_rule all;
	const struct gw_httproute_spec *spec = route->node.object->route;
	struct maker maker = {
	    .state = state,
	    .route = route,
	    .row = gw_route_row(route->node.kind),
	    .opens = opens,
	    .arena = arena,
	    .rules = rules,
	};

	*rules = (struct gw_rules){
	    .rules =
	        arena_zero(arena, spec->rules_count + 1, sizeof(*rules->rules)),
	    .total = spec->rules ? spec->rules_count : 1,
	    .leads =
	        arena_zero(arena, route->edge_count + 1, sizeof(*rules->leads)),
	};
	maker.edge = route->backend_edge;
	if (slice_equal(spec->use_default_gateways, SLICE("All")))
		tell(&rules->ignored_text, "useDefaultGateways");
	for (; maker.index < rules->total; maker.index++)
		make_rule(
		    &maker, spec->rules ? &spec->rules[maker.index] : &all);
}

void
gw_rules_fini(struct gw_rules *rules)
{
	text_fini(&rules->refused_text);
	text_fini(&rules->ref_text);
	text_fini(&rules->ignored_text);
}

/* ---- filters ---- */

static struct slice
canonical_path(struct arena *arena, struct slice path)
{
	char *out = arena_alloc(arena, path.length);
	struct slice canonical;
	enum error error = wire_path_canonical(path, out, &canonical);

	must(error == ERROR_OK); /* gw_honour_rule looked */
	return canonical;
}

static struct unit_field *
make_fields(struct maker *maker, const struct gw_http_field *fields,
    uint32_t count, uint32_t *made)
{
	struct unit_field *units =
	    count ? arena_zero(maker->arena, count, sizeof(*units)) : NULL;

	*made = 0;
	for (uint32_t i = 0; i < count; i++) {
		bool seen = false;

		for (uint32_t j = 0; j < *made; j++)
			seen = seen ||
			    slice_equal_nocase(units[j].name, fields[i].name);
		if (!seen)
			units[(*made)++] = (struct unit_field){
			    .name = fields[i].name, .value = fields[i].value};
	}
	return units;
}

static void
make_modifier(struct maker *maker, const struct gw_http_modifier *modifier,
    struct unit_filter *unit)
{
	unit->set = make_fields(
	    maker, modifier->set, modifier->set_count, &unit->set_count);
	unit->add = make_fields(
	    maker, modifier->add, modifier->add_count, &unit->add_count);
	unit->remove = modifier->remove;
	unit->remove_count = modifier->remove_count;
}

static void
make_redirect(struct maker *maker, const struct gw_http_redirect *redirect,
    struct unit_filter *unit)
{
	const struct gw_http_path_change *change = redirect->path;

	unit->kind = UNIT_FILTER_REDIRECT;
	unit->scheme = redirect->scheme;
	unit->hostname = redirect->hostname;
	unit->port = redirect->port;
	unit->status = redirect->status_code;
	if (!change)
		return;
	bool full = slice_is_set(change->replace_full_path);
	struct slice path =
	    full ? change->replace_full_path : change->replace_prefix_match;

	unit->path_change =
	    full ? UNIT_PATH_REPLACE_FULL : UNIT_PATH_REPLACE_PREFIX;
	unit->path =
	    path.length > 0 ? canonical_path(maker->arena, path) : SLICE("/");
}

static struct unit_filter *
make_filters(
    struct maker *maker, const struct gw_http_filter *filters, uint32_t count)
{
	struct unit_filter *units =
	    count ? arena_zero(maker->arena, count, sizeof(*units)) : NULL;

	for (uint32_t i = 0; i < count; i++) {
		const struct gw_http_filter *filter = &filters[i];

		if (filter->request_header_modifier) {
			units[i].kind = UNIT_FILTER_REQUEST_HEADERS;
			make_modifier(
			    maker, filter->request_header_modifier, &units[i]);
		} else if (filter->response_header_modifier) {
			units[i].kind = UNIT_FILTER_RESPONSE_HEADERS;
			make_modifier(
			    maker, filter->response_header_modifier, &units[i]);
		} else {
			must(filter->request_redirect != NULL);
			make_redirect(
			    maker, filter->request_redirect, &units[i]);
		}
	}
	return units;
}

/* ---- backends ---- */

static void
make_backend(struct maker *maker, const struct gw_http_backend *reference,
    const struct gw_node *node, struct slice refused, struct unit_backend *unit)
{
	unit->weight = reference->weight;
	unit->refused = refused;
	if (node) {
		unit->target = gw_backend_unit_name(maker->arena, node);
		/* An external unit has its own port. */
		if (node->kind == GW_SERVICE)
			unit->port = reference->port;
	}
	unit->filters =
	    make_filters(maker, reference->filters, reference->filters_count);
	unit->filters_count = reference->filters_count;
}

/* The condition has one reason, that of the first; others are said. */
static void
tell_reference(struct gw_rules *rules, uint32_t rule, uint32_t index,
    const struct gw_backend_verdict *verdict)
{
	if (!rules->ref_reason)
		rules->ref_reason = verdict->refused;
	bool differs = strcmp(rules->ref_reason, verdict->refused) != 0;

	tell(&rules->ref_text, "rules[%u].backendRefs[%u]: %s%s%.*s", rule,
	    index, differs ? verdict->refused : "", differs ? ": " : "",
	    SLICE_ARGS(verdict->message));
}

static void
make_backends(struct maker *maker, const struct gw_http_rule *rule,
    bool refused, struct unit_rule *unit)
{
	struct gw_rules *rules = maker->rules;

	if (!refused && rule->backend_refs_count > 0)
		unit->backends = arena_zero(maker->arena,
		    rule->backend_refs_count, sizeof(*unit->backends));
	for (uint32_t i = 0; i < rule->backend_refs_count; i++) {
		const struct gw_http_backend *reference =
		    &rule->backend_refs[i];
		const struct gw_node *node = NULL;
		struct gw_backend_verdict verdict;
		enum gw_kind kind;

		if (gw_backend_kind(reference->group, reference->kind, &kind)) {
			node = maker->route->edges[maker->edge].node;
			must(node->kind == kind);
		}
		gw_backend_judge(maker->state, maker->route, maker->opens,
		    reference, node, maker->arena, &verdict);
		if (verdict.refused)
			tell_reference(rules, maker->index, i, &verdict);
		if (!refused)
			make_backend(maker, reference, node, verdict.message,
			    &unit->backends[unit->backends_count++]);
		if (node)
			rules->leads[maker->edge++] =
			    !refused && !verdict.refused;
	}
}

/* ---- identity ---- */

static bool
is_identity_taken(const struct gw_rules *rules, struct slice identity)
{
	for (uint32_t i = 0; i < rules->count; i++)
		if (slice_equal(rules->rules[i].identity, identity))
			return true;
	return false;
}

/* What counters know the rule by, however its neighbours come and go: its name,
 * or a digest of its matches, numbered among equal ones. */
static struct slice
make_identity(struct maker *maker, const struct gw_http_rule *rule,
    const struct unit_rule *unit)
{
	const struct unit_rule matches = {
	    .matches = unit->matches, .matches_count = unit->matches_count};
	uint8_t digest[CRYPT_SHA256_BYTES];
	struct text bytes;
	struct slice identity;

	if (rule->name.length > 0)
		return rule->name;
	text_init(&bytes);
	wire_record_encode(&bytes, &unit_rule_type, &matches);
	crypt_sha256(&(struct slice){bytes.data, bytes.length}, 1, digest);
	text_reset(&bytes);
	for (unsigned i = 0; i < IDENTITY_BYTES; i++) {
		text_push_byte(&bytes, "0123456789abcdef"[digest[i] >> 4]);
		text_push_byte(&bytes, "0123456789abcdef"[digest[i] & 15]);
	}

	size_t length = bytes.length;

	for (unsigned i = 2;
	     is_identity_taken(maker->rules, text_slice(&bytes)); i++) {
		bytes.length = length;
		text_printf(&bytes, "-%u", i);
	}
	identity = arena_copy(maker->arena, text_slice(&bytes));
	text_fini(&bytes);
	return identity;
}
