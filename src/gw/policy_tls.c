/* BackendTLSPolicy: TLS towards a Service or an XBackend, and whom to believe
 * there. What is invalid is never answered by plain text: its targets are
 * refused, with the reason. */
#include "core/memory.h"
#include "core/must.h"
#include "gw/policy_priv.h"

static const struct gw_backendtlspolicy_spec *
spec_of(const struct gw_policy_node *policy)
{
	return policy->node.object->backendtlspolicy->spec;
}

static const struct gw_policy_target_reference *
targets(const struct gw_object *object, uint32_t *count)
{
	const struct gw_backendtlspolicy_spec *spec =
	    object->backendtlspolicy->spec;

	*count = spec->target_refs_count;
	return spec->target_refs;
}

static bool
takes(enum gw_kind kind)
{
	return kind == GW_SERVICE || kind == GW_XBACKEND;
}

/* Edges stand in the order of the references that have one. */
static void
refer(struct gw_state *state, struct gw_policy_node *policy)
{
	const struct gw_server_validation *validation =
	    spec_of(policy)->validation;
	uint32_t count = validation->ca_certificate_refs_count;

	policy->edges = memory_zero(count + 1, sizeof(*policy->edges));
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_local_reference *reference =
		    &validation->ca_certificate_refs[i];
		enum gw_kind kind;

		if (gw_authority_kind(reference->group, reference->kind, &kind))
			gw_edge_init(&policy->edges[policy->edge_count++],
			    &policy->node,
			    gw_node_touch(state, kind,
			        gw_kinds[kind].namespaced
			            ? gw_node_namespace(&policy->node)
			            : SLICE(""),
			        reference->name),
			    GW_EDGE_AUTHORITY);
	}
}

/* ---- judging ---- */

/* The condition has the reason of the first; others say their own. */
static void
tell_reference(struct gw_policy_verdict *verdict, struct text *text,
    struct slice path, uint32_t index, const char *reason, struct slice why)
{
	if (!verdict->unresolved)
		verdict->unresolved = reason;
	bool differs = strcmp(verdict->unresolved, reason) != 0;

	text_printf(text, "%s%.*s.caCertificateRefs[%u]: %s%s%.*s",
	    text->length > 0 ? "; " : "", SLICE_ARGS(path), index,
	    differs ? reason : "", differs ? ": " : "", SLICE_ARGS(why));
}

static void
judge_authorities(struct arena *arena,
    const struct gw_server_validation *validation, struct slice path,
    const struct gw_edge *edges, struct gw_policy_verdict *verdict)
{
	uint32_t edge = 0;
	struct text text;

	text_init(&text);
	for (uint32_t i = 0; i < validation->ca_certificate_refs_count; i++) {
		const struct gw_local_reference *reference =
		    &validation->ca_certificate_refs[i];
		enum gw_kind kind;
		struct slice why;

		if (!gw_authority_kind(
		        reference->group, reference->kind, &kind)) {
			tell_reference(verdict, &text, path, i, "InvalidKind",
			    arena_format(arena,
			        "%.*s of group \"%.*s\" cannot hold "
			        "certificates to trust, only ConfigMap and "
			        "ClusterTrustBundle can",
			        SLICE_ARGS(reference->kind),
			        SLICE_ARGS(reference->group)));
			continue;
		}
		if (gw_authority_is_good(edges[edge].node, &why))
			verdict->usable |= UINT32_C(1) << edge;
		else
			tell_reference(verdict, &text, path, i,
			    "InvalidCACertificateRef", why);
		edge++;
	}
	verdict->unresolved_message = arena_copy(arena, text_slice(&text));
	if (validation->ca_certificate_refs_count > 0 && verdict->usable == 0) {
		verdict->refused = "NoValidCACertificate";
		verdict->message = verdict->unresolved_message;
	}
	text_fini(&text);
}

static void
refuse(struct gw_policy_verdict *verdict, struct slice message)
{
	if (verdict->refused)
		return;
	verdict->refused = "Invalid";
	verdict->message = message;
}

/* A name without a domain is Gateway API's, which has none yet; one of our
 * domain would be ours. Neither may be passed over: it might ask for more than
 * is done. Those of others are theirs. */
static void
judge_options(struct gw_policy_node *policy)
{
	const struct gw_backendtlspolicy_spec *spec = spec_of(policy);
	struct text ignored;

	text_init(&ignored);
	for (uint32_t i = 0; i < spec->options_count; i++) {
		struct slice key = spec->options[i].key;

		if (slice_find(key, '/') < key.length &&
		    !slice_starts_with(key, SLICE("yumen.dev/")))
			text_printf(&ignored, "%soptions[%.*s]",
			    ignored.length > 0 ? ", " : "", SLICE_ARGS(key));
		else
			refuse(&policy->verdict,
			    arena_format(&policy->arena,
			        "options[%.*s]: yumen knows no such option; "
			        "take it out: those of yumen.dev belong in a "
			        "listener's tls.options",
			        SLICE_ARGS(key)));
	}
	policy->verdict.ignored =
	    arena_copy(&policy->arena, text_slice(&ignored));
	text_fini(&ignored);
}

void
gw_policy_tls_judge(struct arena *arena,
    const struct gw_server_validation *validation, struct slice path,
    const struct gw_edge *edges, struct gw_policy_verdict *verdict)
{
	struct slice well_known = validation->well_known_ca_certificates;

	judge_authorities(arena, validation, path, edges, verdict);
	if (slice_is_set(well_known) &&
	    !slice_equal(well_known, SLICE("System")))
		refuse(verdict,
		    arena_format(arena,
		        "%.*s.wellKnownCACertificates: \"%.*s\" is not "
		        "known, only System is",
		        SLICE_ARGS(path), SLICE_ARGS(well_known)));
}

static void
judge(const struct gw_state *state, struct gw_policy_node *policy)
{
	gw_policy_tls_judge(&policy->arena, spec_of(policy)->validation,
	    SLICE("validation"), policy->edges, &policy->verdict);
	judge_options(policy);
	if (!(state->carries & GW_CARRY_BACKEND_TLS))
		refuse(&policy->verdict,
		    SLICE("TLS towards backends is not carried yet"));
}

const struct gw_policy_row gw_policy_rows[GW_KIND__COUNT] = {
    [GW_BACKENDTLSPOLICY] = {.targets = targets,
        .takes = takes,
        .refer = refer,
        .judge = judge,
        .has_references = true},
};

/* ---- units ---- */

static void
make_names(struct arena *arena, const struct gw_server_validation *validation,
    struct unit_backend_tls *tls)
{
	uint32_t count = validation->subject_alt_names_count;

	tls->names =
	    count ? arena_zero(arena, count, sizeof(*tls->names)) : NULL;
	tls->names_count = count;
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_subject_alt_name *name =
		    &validation->subject_alt_names[i];
		bool is_uri = slice_equal(name->type, SLICE("URI"));

		tls->names[i] = (struct unit_tls_name){
		    .type = is_uri ? UNIT_TLS_NAME_URI : UNIT_TLS_NAME_DNS,
		    .value = is_uri ? name->uri : name->hostname};
	}
}

/* Edges are of the references that have one, in their order. */
static void
make_authorities(struct arena *arena, const struct gw_edge *edges,
    uint32_t usable, struct unit_backend_tls *tls)
{
	uint32_t count = 0;

	for (uint32_t bits = usable; bits; bits &= bits - 1)
		count++;
	if (count == 0)
		return;
	tls->authorities = arena_zero(arena, count, sizeof(*tls->authorities));
	for (uint32_t i = 0; usable >> i; i++)
		if (usable >> i & 1)
			tls->authorities[tls->authorities_count++] =
			    gw_authority_unit_name(arena, edges[i].node);
}

void
gw_policy_tls_fill(struct arena *arena,
    const struct gw_server_validation *validation, const struct gw_edge *edges,
    uint32_t usable, struct unit_backend_tls *tls)
{
	tls->hostname = validation->hostname;
	tls->system = slice_is_set(validation->well_known_ca_certificates);
	make_authorities(arena, edges, usable, tls);
	make_names(arena, validation, tls);
}

struct slice
gw_policy_tls_refusal(struct arena *arena, const struct gw_policy_node *policy)
{
	return arena_format(arena, "BackendTLSPolicy %.*s: %.*s",
	    SLICE_ARGS(gw_node_key(&policy->node)),
	    SLICE_ARGS(policy->verdict.message));
}

struct unit_backend_tls *
gw_policy_tls_make(
    struct arena *arena, const struct gw_node *node, struct slice section)
{
	const struct gw_policy_node *policy =
	    gw_policy_in_force(node, GW_BACKENDTLSPOLICY, section);
	struct unit_backend_tls *tls;

	if (!policy)
		return NULL;
	tls = arena_zero(arena, 1, sizeof(*tls));
	if (policy->verdict.refused) {
		tls->refused = gw_policy_tls_refusal(arena, policy);
		return tls;
	}
	gw_policy_tls_fill(arena, spec_of(policy)->validation, policy->edges,
	    policy->verdict.usable, tls);
	return tls;
}
