/* TLS of listeners: the certificates that they refer to, in whichever object
 * they stand, and whom their clients' certificates are held against, which is
 * the Gateway's to say. A certificate that is no good harms only its listener,
 * which keeps its hostname: none that is less specific answers in its place. */
#include "gw/tls_priv.h"

#include "core/memory.h"
#include "core/must.h"

/* One list of references being judged: the first reason counts, all are told.
 */
struct judging {
	struct gw_state *state;
	struct arena *arena; /* of what is kept */
	const struct gw_node *owner;
	const char *reason; /* of ResolvedRefs=False, or NULL */
	struct text faults, notes;
};

static void
begin(struct judging *judging, struct gw_state *state, struct arena *arena,
    const struct gw_node *owner)
{
	*judging =
	    (struct judging){.state = state, .arena = arena, .owner = owner};
	text_init(&judging->faults);
	text_init(&judging->notes);
}

static void
add(struct text *out, const char *reason, struct slice path, struct slice why)
{
	text_printf(out, "%s%.*s: %s%s%.*s", out->length > 0 ? "; " : "",
	    SLICE_ARGS(path), reason ? reason : "", reason ? ": " : "",
	    SLICE_ARGS(why));
}

/* One that has another reason than the first says it itself. */
static void
fail(struct judging *judging, const char *reason, struct slice path,
    struct slice why)
{
	bool same = !judging->reason || strcmp(judging->reason, reason) == 0;

	if (!judging->reason)
		judging->reason = reason;
	add(&judging->faults, same ? NULL : reason, path, why);
}

static void
end(struct judging *judging, struct gw_resolved *resolved)
{
	resolved->reason = judging->reason;
	resolved->message =
	    arena_copy(judging->arena, text_slice(&judging->faults));
	resolved->note =
	    arena_copy(judging->arena, text_slice(&judging->notes));
	text_fini(&judging->faults);
	text_fini(&judging->notes);
}

/* Permission comes first: whether it exists is not for everyone to know. */
static bool
is_permitted(
    struct judging *judging, const struct gw_node *node, struct slice path)
{
	const struct gw_node *owner = judging->owner;
	const struct gw_kind_row *from = &gw_kinds[owner->kind];
	const struct gw_kind_row *to = &gw_kinds[node->kind];

	if (!to->namespaced ||
	    slice_equal(gw_node_namespace(node), gw_node_namespace(owner)) ||
	    gw_grant_permits(judging->state, slice_from_string(from->group),
	        slice_from_string(from->kind), gw_node_namespace(owner), node))
		return true;
	fail(judging, "RefNotPermitted", path,
	    arena_format(&judging->state->work,
	        "no ReferenceGrant in namespace %.*s lets %s of namespace "
	        "%.*s refer to %s %.*s",
	        SLICE_ARGS(gw_node_namespace(node)), from->kind,
	        SLICE_ARGS(gw_node_namespace(owner)), to->kind,
	        SLICE_ARGS(gw_node_key(node))));
	return false;
}

/* ---- certificates ---- */

static bool
is_secret(const struct gw_secret_reference *reference)
{
	return reference->group.length == 0 &&
	    slice_equal(reference->kind, SLICE("Secret"));
}

/* The Secret when it is good to be shown, else NULL. */
static struct gw_node *
judge_certificate(struct judging *judging, const char *reason,
    const struct gw_secret_reference *reference, struct slice path)
{
	struct slice namespace = slice_is_set(reference->namespace)
	    ? reference->namespace
	    : gw_node_namespace(judging->owner);
	struct gw_node *node;
	struct text told;

	if (!is_secret(reference)) {
		fail(judging, reason, path,
		    arena_format(&judging->state->work,
		        "%.*s of group \"%.*s\" cannot hold a certificate, "
		        "only Secret can",
		        SLICE_ARGS(reference->kind),
		        SLICE_ARGS(reference->group)));
		return NULL;
	}
	node =
	    gw_node_get(judging->state, GW_SECRET, namespace, reference->name);
	must(node != NULL); /* there is an edge to it */
	if (!is_permitted(judging, node, path))
		return NULL;
	text_init(&told);
	bool good = gw_secret_is_good(judging->state, node, &told);

	if (!good)
		fail(judging, reason, path, text_slice(&told));
	else if (told.length > 0)
		add(&judging->notes, NULL, path, text_slice(&told));
	text_fini(&told);
	return good ? node : NULL;
}

static bool
terminates(const struct gw_listener_state *listener)
{
	const struct gw_listener_tls *tls = listener->spec->tls;

	if (!listener->carried || listener->protocol->family != GW_FAMILY_TLS)
		return false;
	return !tls || !slice_equal(tls->mode, SLICE("Passthrough"));
}

static void
judge_certificates(struct judging *judging, struct gw_listener_state *listener)
{
	const struct gw_listener_tls *spec = listener->spec->tls;
	struct gw_tls_state *tls = &listener->tls;
	uint32_t count = spec ? spec->certificate_refs_count : 0;

	tls->certificates =
	    arena_zero(judging->arena, count + 1, sizeof(*tls->certificates));
	for (uint32_t i = 0; i < count; i++) {
		struct gw_node *node = judge_certificate(judging,
		    "InvalidCertificateRef", &spec->certificate_refs[i],
		    arena_format(
		        &judging->state->work, "tls.certificateRefs[%u]", i));
		bool seen = false;

		for (uint32_t j = 0; j < tls->certificate_count; j++)
			seen = seen || tls->certificates[j] == node;
		if (node && !seen)
			tls->certificates[tls->certificate_count++] = node;
	}
	if (count == 0)
		fail(judging, "InvalidCertificateRef",
		    SLICE("tls.certificateRefs"),
		    SLICE("there is none, and nothing else brings a "
		          "certificate"));
}

/* ---- clients ---- */

static const struct gw_frontend_config *
frontend_of(const struct gw_gateway_tls *tls, int64_t port, uint32_t *row)
{
	const struct gw_frontend_tls *frontend = tls ? tls->frontend : NULL;

	*row = UINT32_MAX;
	if (!frontend)
		return NULL;
	for (uint32_t i = 0; i < frontend->per_port_count; i++)
		if (frontend->per_port[i].port == port) {
			*row = i;
			return frontend->per_port[i].tls;
		}
	return frontend->fallback;
}

bool
gw_authority_kind(struct slice group, struct slice kind, enum gw_kind *out)
{
	*out = GW_CONFIGMAP;
	if (group.length == 0 && slice_equal(kind, SLICE("ConfigMap")))
		return true;
	*out = GW_CLUSTERTRUSTBUNDLE;
	return slice_equal(group, SLICE("certificates.k8s.io")) &&
	    slice_equal(kind, SLICE("ClusterTrustBundle"));
}

/* The authority when certificates can be believed by it, else NULL. */
static struct gw_node *
judge_authority(struct judging *judging,
    const struct gw_object_reference *reference, struct slice path)
{
	struct slice namespace = slice_is_set(reference->namespace)
	    ? reference->namespace
	    : gw_node_namespace(judging->owner);
	enum gw_kind kind;
	struct gw_node *node;
	struct slice fault;

	if (!gw_authority_kind(reference->group, reference->kind, &kind)) {
		fail(judging, "InvalidCACertificateKind", path,
		    arena_format(&judging->state->work,
		        "%.*s of group \"%.*s\" cannot hold authorities, only "
		        "ConfigMap and ClusterTrustBundle can",
		        SLICE_ARGS(reference->kind),
		        SLICE_ARGS(reference->group)));
		return NULL;
	}
	if (!gw_kinds[kind].namespaced)
	namespace = SLICE("");
	node = gw_node_get(judging->state, kind, namespace, reference->name);
	must(node != NULL); /* there is an edge to it */
	if (!is_permitted(judging, node, path))
		return NULL;
	if (gw_authority_is_good(node, &fault))
		return node;
	fail(judging, "InvalidCACertificateRef", path, fault);
	return NULL;
}

static int64_t
mode_of(const struct gw_client_validation *validation)
{
	return slice_equal(validation->mode, SLICE("AllowInsecureFallback"))
	    ? UNIT_CLIENTS_INSECURE_FALLBACK
	    : UNIT_CLIENTS_VALID;
}

static void
judge_clients(struct judging *judging, const struct gw_owner_node *gateway,
    struct gw_listener_state *listener)
{
	uint32_t row;
	const struct gw_frontend_config *config =
	    frontend_of(gateway->node.object->gateway->spec->tls,
	        listener->spec->port, &row);
	const struct gw_client_validation *validation =
	    config ? config->validation : NULL;
	struct gw_tls_state *tls = &listener->tls;

	if (!validation || listener->protocol->unit != UNIT_PROTOCOL_HTTPS)
		return;
	tls->clients = mode_of(validation);
	tls->authorities = arena_zero(judging->arena,
	    validation->ca_certificate_refs_count + 1,
	    sizeof(*tls->authorities));
	for (uint32_t i = 0; i < validation->ca_certificate_refs_count; i++) {
		struct slice path = row == UINT32_MAX
		    ? arena_format(&judging->state->work,
		          "spec.tls.frontend.default.validation."
		          "caCertificateRefs[%u]",
		          i)
		    : arena_format(&judging->state->work,
		          "spec.tls.frontend.perPort[%u].tls.validation."
		          "caCertificateRefs[%u]",
		          row, i);
		struct gw_node *node = judge_authority(
		    judging, &validation->ca_certificate_refs[i], path);
		bool seen = false;

		for (uint32_t j = 0; j < tls->authority_count; j++)
			seen = seen || tls->authorities[j] == node;
		if (node && !seen)
			tls->authorities[tls->authority_count++] = node;
	}
	tls->distrusted = tls->authority_count == 0;
}

/* ---- listeners ---- */

void
gw_tls_judge(struct gw_state *state, const struct gw_owner_node *gateway,
    const struct gw_node *owner, struct gw_listener_state *listener,
    struct arena *arena)
{
	struct judging judging;

	listener->tls = (struct gw_tls_state){0};
	if (!terminates(listener))
		return;
	begin(&judging, state, arena, owner);
	judge_certificates(&judging, listener);
	judging.owner = &gateway->node;
	judge_clients(&judging, gateway, listener);
	end(&judging, &listener->tls.resolved);
	listener->tls.terminates = true;
}

bool
gw_tls_is_shown(const struct gw_listener_state *listener)
{
	return !listener->tls.terminates ||
	    (listener->tls.certificate_count > 0 && !listener->tls.distrusted);
}

struct gw_node *
gw_tls_judge_client_certificate(struct gw_state *state,
    const struct gw_node *owner, const struct gw_secret_reference *reference,
    struct slice path, struct arena *arena, struct gw_resolved *resolved)
{
	struct judging judging;
	struct gw_node *node;

	begin(&judging, state, arena, owner);
	node = judge_certificate(
	    &judging, "InvalidClientCertificateRef", reference, path);
	end(&judging, resolved);
	return node;
}

void
gw_tls_judge_backend(struct gw_state *state, struct gw_owner_node *gateway)
{
	const struct gw_gateway_tls *tls =
	    gateway->node.object->gateway->spec->tls;

	arena_reset(&gateway->tls.client_arena);
	gateway->tls.client_certificate = NULL;
	gateway->tls.client_resolved = (struct gw_resolved){0};
	if (!tls || !tls->backend || !tls->backend->client_certificate_ref ||
	    !(state->carries & GW_CARRY_BACKEND_TLS))
		return;
	gateway->tls.client_certificate = gw_tls_judge_client_certificate(state,
	    &gateway->node, tls->backend->client_certificate_ref,
	    SLICE("spec.tls.backend.clientCertificateRef"),
	    &gateway->tls.client_arena, &gateway->tls.client_resolved);
}

bool
gw_tls_is_insecure(const struct gw_gateway_spec *spec)
{
	const struct gw_frontend_tls *frontend =
	    spec->tls ? spec->tls->frontend : NULL;
	const struct gw_client_validation *validation =
	    frontend && frontend->fallback ? frontend->fallback->validation
	                                   : NULL;
	bool insecure =
	    validation && mode_of(validation) == UNIT_CLIENTS_INSECURE_FALLBACK;

	for (uint32_t i = 0; frontend && i < frontend->per_port_count; i++) {
		validation = frontend->per_port[i].tls
		    ? frontend->per_port[i].tls->validation
		    : NULL;
		insecure = insecure ||
		    (validation &&
		        mode_of(validation) == UNIT_CLIENTS_INSECURE_FALLBACK);
	}
	return insecure;
}
