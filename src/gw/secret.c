/* Secrets as certificates: a chain and its key, parsed when somebody first
 * refers to them, once for each content. What was decoded is wiped; what stays
 * of a key is that it fits. Time is the state's, never a clock. */
#include "core/clock.h"
#include "core/memory.h"
#include "core/must.h"
#include "crypt/staple.h"
#include "gw/state_priv.h"
#include "wire/base64.h"

enum { DAY_SECONDS = 86400, NOTICE_DAYS_MAX = 21, NOTICE_PART = 6 };

static const struct slice chain_key = SLICE("tls.crt");
static const struct slice private_key = SLICE("tls.key");
/* As Envoy Gateway calls it: a response in DER. */
static const struct slice staple_key = SLICE("tls.ocsp-staple");

/* base64, or absent. */
static struct slice
value_of(const struct gw_object *object, struct slice key)
{
	const struct gw_secret *secret = object->secret;

	for (uint32_t i = 0; i < secret->data_count; i++)
		if (slice_equal(secret->data[i].key, key))
			return secret->data[i].value;
	return SLICE_NONE;
}

static void
decode(const struct gw_object *object, struct slice key, struct text *out)
{
	struct slice value = value_of(object, key);

	text_init(out);
	/* Never moved, so that no copy is left behind. */
	(void)text_reserve(out, value.length);
	(void)wire_base64_take(out, value);
}

static void
push_apart(struct text *out)
{
	if (out->length > 0)
		text_push_string(out, "; ");
}

static void
push_name(const struct gw_node *node, struct slice key, struct text *out)
{
	text_printf(out, "Secret %.*s", SLICE_ARGS(gw_node_key(node)));
	if (key.length > 0)
		text_printf(out, ", %.*s", SLICE_ARGS(key));
}

static void
push_fault(const struct gw_node *node, struct slice key,
    const struct crypt_fault *fault, struct text *out)
{
	push_name(node, key, out);
	text_push_string(out, ": ");
	crypt_fault_print(fault, out);
	text_printf(out, "; %s", crypt_problem_fix(fault->problem));
}

/* What is asked of the certificate itself later. */
static void
take_facts(struct gw_secret_node *secret, const struct crypt_certificate *own)
{
	secret->not_before = own->not_before;
	secret->not_after = own->not_after;
	secret->line = own->line;
	secret->names = arena_zero(
	    &secret->arena, own->name_count + 1, sizeof(*secret->names));
	for (unsigned i = 0; i < own->name_count; i++)
		if (own->names[i].kind == CRYPT_NAME_DNS)
			secret->names[secret->name_count++] =
			    arena_copy(&secret->arena, own->names[i].value);
}

/* A root is nobody's proof: that one has expired says nothing. */
static void
take_issuers(
    struct gw_secret_node *secret, const struct crypt_certificates *chain)
{
	for (unsigned i = 1; i < chain->count; i++) {
		const struct crypt_certificate *issuer = chain->items[i];

		if (issuer->is_self_issued ||
		    (secret->issuer > 0 &&
		        issuer->not_after >= secret->issuer_until))
			continue;
		secret->issuer_until = issuer->not_after;
		secret->issuer = i + 1;
		secret->issuer_line = issuer->line;
	}
}

/* One that is of no use is left out, and told of; one that says that the
 * certificate is revoked speaks against the certificate. */
static void
judge_staple(struct gw_secret_node *secret,
    const struct crypt_certificates *chain, struct slice der)
{
	struct crypt_staple staple;
	struct crypt_fault fault;

	if (!slice_is_set(der))
		return;
	if (crypt_staple_check(der, chain, &staple, &fault)) {
		secret->staple_until = staple.until;
	} else if (fault.problem == CRYPT_STAPLE_REVOKED) {
		secret->sound = false;
		push_fault(&secret->node, staple_key, &fault, &secret->fault);
	} else {
		push_apart(&secret->note);
		push_fault(&secret->node, staple_key, &fault, &secret->note);
	}
}

/* A chain out of order is shown as it is: most clients put it right. */
static void
judge_pair(struct gw_secret_node *secret, struct slice chain_text,
    struct slice key_text, struct slice staple)
{
	const struct gw_node *node = &secret->node;
	struct crypt_fault fault;
	struct crypt_certificates *chain =
	    crypt_chain_parse(chain_text, &fault);

	if (!chain) {
		push_fault(node, chain_key, &fault, &secret->fault);
		return;
	}
	struct crypt_key *key = crypt_key_parse(key_text, &fault);

	take_facts(secret, chain->items[0]);
	take_issuers(secret, chain);
	if (!key) {
		push_fault(node, private_key, &fault, &secret->fault);
	} else {
		crypt_chain_check(chain, key, CRYPT_ANY_TIME, &fault);
		secret->sound = fault.problem == CRYPT_NONE ||
		    fault.problem == CRYPT_CHAIN_ORDER;
		if (!secret->sound)
			push_fault(node,
			    fault.problem == CRYPT_KEY_MISMATCH ? private_key
			                                        : chain_key,
			    &fault, &secret->fault);
		else if (fault.problem != CRYPT_NONE)
			push_fault(node, chain_key, &fault, &secret->note);
	}
	if (secret->sound)
		judge_staple(secret, chain, staple);
	crypt_key_free(key);
	crypt_certificates_free(chain);
}

static bool
is_suitable(const struct gw_node *node, struct text *fault)
{
	static const struct slice *const keys[] = {&chain_key, &private_key};
	struct slice type;

	if (!node->object) {
		text_push_string(fault, "there is no ");
		push_name(node, SLICE(""), fault);
		text_push_string(fault, "; add it");
		return false;
	}
	type = node->object->secret->type;
	if (!slice_equal(type, SLICE("kubernetes.io/tls")) &&
	    !slice_equal(type, SLICE("Opaque"))) {
		push_name(node, SLICE(""), fault);
		text_printf(fault,
		    " is of type %.*s; kubernetes.io/tls is wanted, or Opaque "
		    "with the same keys",
		    SLICE_ARGS(type));
		return false;
	}
	for (size_t i = 0; i < 2; i++)
		if (value_of(node->object, *keys[i]).length == 0) {
			push_name(node, SLICE(""), fault);
			text_printf(fault, " has no key %.*s; add it",
			    SLICE_ARGS(*keys[i]));
			return false;
		}
	return true;
}

static void
judge(struct gw_state *state, struct gw_secret_node *secret)
{
	struct text chain, key, staple;

	secret->judged = true;
	secret->sound = false;
	secret->not_before = secret->not_after = 0;
	secret->issuer_until = secret->staple_until = 0;
	secret->issuer = 0;
	secret->name_count = 0;
	arena_reset(&secret->arena);
	text_reset(&secret->fault);
	text_reset(&secret->note);
	if (!is_suitable(&secret->node, &secret->fault))
		return;
	decode(secret->node.object, chain_key, &chain);
	decode(secret->node.object, private_key, &key);
	decode(secret->node.object, staple_key, &staple);
	judge_pair(secret, text_slice(&chain), text_slice(&key),
	    slice_is_set(value_of(secret->node.object, staple_key))
	        ? text_slice(&staple)
	        : SLICE_NONE);
	text_fini(&chain);
	text_wipe(&key);
	text_fini(&staple);
	gw_clock_note(state, secret);
}

/* A sixth of its life, so that short ones are not told of from the first day.
 */
static int64_t
notice_at(const struct gw_secret_node *secret)
{
	int64_t life = secret->not_after - secret->not_before;
	int64_t notice = life / NOTICE_PART;

	if (notice > NOTICE_DAYS_MAX * DAY_SECONDS)
		notice = NOTICE_DAYS_MAX * DAY_SECONDS;
	return secret->not_after - notice;
}

enum gw_certificate_health
gw_secret_health(const struct gw_state *state, const struct gw_node *node)
{
	const struct gw_secret_node *secret = (const void *)node;

	must(secret->judged);
	if (!secret->sound)
		return GW_CERTIFICATE_BROKEN;
	if (state->now == 0)
		return GW_CERTIFICATE_GOOD;
	if (state->now < secret->not_before)
		return GW_CERTIFICATE_NOT_YET_VALID;
	if (state->now > secret->not_after)
		return GW_CERTIFICATE_EXPIRED;
	return state->now >= notice_at(secret) ? GW_CERTIFICATE_EXPIRING
	                                       : GW_CERTIFICATE_GOOD;
}

bool
gw_secret_is_dated(const struct gw_state *state, const struct gw_node *node)
{
	const struct gw_secret_node *secret = (const void *)node;

	return (secret->issuer > 0 && state->now > secret->issuer_until) ||
	    (secret->staple_until > 0 && state->now >= secret->staple_until);
}

int64_t
gw_secret_turns_at(const struct gw_state *state, const struct gw_node *node)
{
	const struct gw_secret_node *secret = (const void *)node;
	const int64_t turns[] = {secret->not_before, notice_at(secret),
	    secret->not_after + 1,
	    secret->issuer > 0 ? secret->issuer_until + 1 : 0,
	    secret->staple_until};

	if (!secret->judged || !secret->sound)
		return INT64_MAX;
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		if (turns[i] > state->now && turns[i] < next)
			next = turns[i];
	return next;
}

static void
push_time(struct text *out, int64_t seconds)
{
	char time[CLOCK_RFC3339_BYTES + 1];

	clock_format(seconds * 1000, time);
	text_printf(out, "%.19sZ", time);
}

/* What time has made odd: it is shown all the same, since clients may have a
 * newer issuer of their own, and do without a staple. */
static void
push_dated(const struct gw_state *state, const struct gw_secret_node *secret,
    struct text *told)
{
	struct crypt_fault fault = {.problem = CRYPT_EXPIRED,
	    .certificate = secret->issuer,
	    .line = secret->issuer_line,
	    .seconds = secret->issuer_until};

	if (secret->issuer > 0 && state->now > secret->issuer_until) {
		push_apart(told);
		push_fault(&secret->node, chain_key, &fault, told);
	}
	fault = (struct crypt_fault){
	    .problem = CRYPT_STAPLE_EXPIRED, .seconds = secret->staple_until};
	if (secret->staple_until > 0 && state->now >= secret->staple_until) {
		push_apart(told);
		push_fault(&secret->node, staple_key, &fault, told);
	}
}

bool
gw_secret_is_good(
    struct gw_state *state, struct gw_node *node, struct text *told)
{
	struct gw_secret_node *secret = (void *)node;
	struct crypt_fault fault = {.certificate = 1};

	must(node != NULL && node->kind == GW_SECRET && told != NULL);
	if (!secret->judged)
		judge(state, secret);
	fault.line = secret->line;
	switch (gw_secret_health(state, node)) {
	case GW_CERTIFICATE_BROKEN:
		text_push(told, text_slice(&secret->fault));
		return false;
	case GW_CERTIFICATE_NOT_YET_VALID:
		fault.problem = CRYPT_NOT_YET_VALID;
		fault.seconds = secret->not_before;
		push_fault(node, chain_key, &fault, told);
		return false;
	case GW_CERTIFICATE_EXPIRED:
		fault.problem = CRYPT_EXPIRED;
		fault.seconds = secret->not_after;
		push_fault(node, chain_key, &fault, told);
		return false;
	case GW_CERTIFICATE_EXPIRING:
		push_name(node, SLICE(""), told);
		text_push_string(told, " expires at ");
		push_time(told, secret->not_after);
		text_push_string(told, ": renew it");
		break;
	case GW_CERTIFICATE_GOOD:
		break;
	}
	push_dated(state, secret, told);
	if (secret->note.length > 0) {
		push_apart(told);
		text_push(told, text_slice(&secret->note));
	}
	return true;
}

struct slice
gw_secret_unit_name(struct arena *arena, const struct gw_node *node)
{
	return arena_format(
	    arena, "certificate/%.*s", SLICE_ARGS(gw_node_key(node)));
}

void
gw_secret_emit(struct gw_state *state, struct gw_secret_node *secret)
{
	const struct gw_node *node = &secret->node;
	struct slice name = gw_secret_unit_name(&state->outbox.arena, node);
	struct text chain, key, staple;

	gw_certificate_tell(state, secret);
	if (node->active == 0 || !node->object) {
		gw_outbox_drop(&state->outbox, &secret->unit, name);
		return;
	}
	must(secret->judged);
	decode(node->object, chain_key, &chain);
	decode(node->object, private_key, &key);
	decode(node->object, staple_key, &staple);

	const struct unit_certificate record = {
	    .chain = text_slice(&chain),
	    .key = text_slice(&key),
	    .ocsp = secret->staple_until > 0 ? text_slice(&staple) : SLICE_NONE,
	};

	(void)gw_outbox_secret(&state->outbox, &secret->unit, name,
	    &unit_certificate_type, &record,
	    chain.length + key.length + staple.length);
	text_fini(&chain);
	text_wipe(&key);
	text_fini(&staple);
}
