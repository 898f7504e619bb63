/* Authorities: bundles of certificates that others are believed by, and their
 * units. A bundle is parsed when it is first asked for, once for each of its
 * contents; a unit is made only of one that some other unit names. */
#include "core/must.h"
#include "crypt/certificate.h"
#include "gw/state_priv.h"

static const struct slice bundle_key = SLICE("ca.crt");

/* Absent: the object has none. */
static struct slice
bundle_of(const struct gw_object *object)
{
	const struct gw_configmap *map = object->configmap;

	if (object->kind == GW_CLUSTERTRUSTBUNDLE)
		return object->clustertrustbundle->spec->trust_bundle;
	for (uint32_t i = 0; i < map->data_count; i++)
		if (slice_equal(map->data[i].key, bundle_key))
			return map->data[i].value;
	return SLICE_NONE;
}

/* What cannot be parsed beside a certificate that can does no harm. */
static bool
parse(struct slice bundle, struct text *why)
{
	struct crypt_fault fault = {0};
	struct crypt_certificates *certificates =
	    crypt_bundle_parse(bundle, &fault);

	if (!certificates) {
		crypt_fault_print(&fault, why);
		return false;
	}
	crypt_certificates_free(certificates);
	return true;
}

static void
judge(struct gw_authority_node *authority)
{
	const struct gw_node *node = &authority->node;
	const char *kind = gw_kinds[node->kind].kind;
	bool cluster = node->kind == GW_CLUSTERTRUSTBUNDLE;
	struct slice name = cluster ? gw_node_name(node) : gw_node_key(node);
	struct slice field = cluster ? SLICE("trustBundle") : bundle_key;
	struct text *fault = &authority->fault;
	struct slice bundle =
	    node->object ? bundle_of(node->object) : SLICE_NONE;

	text_reset(fault);
	authority->judged = true;
	authority->good = false;
	if (!node->object) {
		text_printf(
		    fault, "there is no %s %.*s", kind, SLICE_ARGS(name));
	} else if (!slice_is_set(bundle)) {
		text_printf(fault, "%s %.*s has no key %.*s", kind,
		    SLICE_ARGS(name), SLICE_ARGS(field));
	} else {
		text_printf(fault, "%.*s of %s %.*s: ", SLICE_ARGS(field), kind,
		    SLICE_ARGS(name));
		authority->good = parse(bundle, fault);
	}
}

bool
gw_authority_is_good(struct gw_node *node, struct slice *fault)
{
	must(node != NULL && fault != NULL);
	must(node->kind == GW_CONFIGMAP || node->kind == GW_CLUSTERTRUSTBUNDLE);
	struct gw_authority_node *authority = (void *)node;

	if (!authority->judged)
		judge(authority);
	*fault = authority->good ? SLICE_NONE : text_slice(&authority->fault);
	return authority->good;
}

struct slice
gw_authority_unit_name(struct arena *arena, const struct gw_node *node)
{
	return node->kind == GW_CLUSTERTRUSTBUNDLE
	    ? arena_format(arena, "authority/clustertrustbundle/_/%.*s",
	          SLICE_ARGS(gw_node_name(node)))
	    : arena_format(arena, "authority/configmap/%.*s",
	          SLICE_ARGS(gw_node_key(node)));
}

void
gw_authority_emit(struct gw_state *state, struct gw_authority_node *authority)
{
	struct gw_node *node = &authority->node;
	struct slice name = gw_authority_unit_name(&state->outbox.arena, node);
	struct slice fault;

	if (node->active == 0 || !gw_authority_is_good(node, &fault)) {
		gw_outbox_drop(&state->outbox, &authority->unit, name);
		return;
	}
	const struct unit_authority record = {
	    .bundle = bundle_of(node->object)};

	gw_outbox_unit(&state->outbox, &authority->unit, name,
	    &unit_authority_type, &record);
}
