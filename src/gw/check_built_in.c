/* Checks of Kubernetes' own kinds but Service: what its API server says of them
 * in code, as far as their schemas cannot. Each gets a tree that has been
 * judged. Addresses of endpoints may be loopback or link-local here, where
 * yumen runs beside them. */
#include "core/must.h"
#include "gw/check_priv.h"
#include "gw/form.h"
#include "wire/base64.h"
#include "wire/tree_json.h"

static void check_namespace(struct gw_check *check);
static void check_endpointslice(struct gw_check *check);
static void check_secret(struct gw_check *check);
static void check_configmap(struct gw_check *check);

void
gw_check_built_in(struct gw_check *check)
{
	static const struct {
		const char *group, *kind;
		void (*check)(struct gw_check *check);
	} kinds[] = {
	    {"", "Service", gw_check_service},
	    {"", "Namespace", check_namespace},
	    {"discovery.k8s.io", "EndpointSlice", check_endpointslice},
	    {"", "Secret", check_secret},
	    {"", "ConfigMap", check_configmap},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(check->schema.kind, kinds[i].kind) == 0 &&
		    strcmp(check->schema.group, kinds[i].group) == 0)
			kinds[i].check(check);
}

/* ---- Namespace ---- */

static void
check_namespace(struct gw_check *check)
{
	gw_check_finalizers(check, GW_AT(NULL, "spec"),
	    wire_tree_get(check->document, "spec"), false);
}

/* ---- EndpointSlice ---- */

/* A name of at least two labels, perhaps with a '.' at its end. */
static bool
is_full_name(struct slice name)
{
	struct slice label;

	if (slice_ends_with(name, SLICE(".")))
		name.length--;
	if (!gw_form_is_name(name) || slice_find(name, '.') == name.length)
		return false;
	while (slice_cut(&name, '.', &label))
		if (!gw_form_is_label(label))
			return false;
	return true;
}

static void
check_address(struct gw_check *check, const struct gw_place *place,
    struct slice address, unsigned wanted)
{
	enum gw_scope scope = gw_form_scope(address);
	char canonical[GW_ADDRESS_BYTES];
	unsigned family;

	if (!gw_form_is_address(address, canonical, &family) ||
	    family != wanted) {
		gw_check_form(check, GW_FINDING_ADDRESS_INVALID, place, address,
		    false, wanted == 6 ? "an IPv6 address" : "an IPv4 address");
		return;
	}
	if (wanted == 6 && !slice_equal(address, slice_from_string(canonical)))
		gw_check_report(check, GW_FINDING_ADDRESS_INVALID, place,
		    "must be written as %s", canonical);
	if (scope == GW_SCOPE_UNSPECIFIED || scope == GW_SCOPE_LINK_MULTICAST)
		gw_check_report(check, GW_FINDING_ADDRESS_INVALID, place,
		    "%s is nobody's address", canonical);
}

/* The names of zones or nodes that an endpoint is best reached from. */
static void
check_hints(struct gw_check *check, const struct gw_place *up,
    const struct tree_node *hints, const char *list,
    bool (*is_name)(struct slice name), const char *must_be)
{
	const struct tree_node *first = gw_check_first(hints, list);
	uint32_t i = 0;

	for (const struct tree_node *b = first; b; b = b->next, i++) {
		const struct gw_place *place =
		    GW_AT(GW_AT_ITEM(up, list, i), "name");
		struct slice name = gw_check_text(b, "name");

		for (const struct tree_node *a = first; a != b; a = a->next)
			if (gw_check_same(a, b, "name")) {
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    place, "another hint has the same name");
				break;
			}
		gw_check_form(check, GW_FINDING_NAME_INVALID, place, name,
		    is_name(name), must_be);
	}
}

static void
check_endpoint(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *endpoint, struct slice type)
{
	const struct tree_node *address = gw_check_first(endpoint, "addresses");
	const struct tree_node *node = wire_tree_get(endpoint, "nodeName");
	const struct tree_node *hostname = wire_tree_get(endpoint, "hostname");
	const struct tree_node *hints = wire_tree_get(endpoint, "hints");

	for (unsigned i = 0; address; address = address->next, i++)
		if (slice_equal(type, SLICE("FQDN")))
			gw_check_form(check, GW_FINDING_ADDRESS_INVALID,
			    GW_AT_ITEM(place, "addresses", i), address->text,
			    is_full_name(address->text),
			    "a hostname of two labels or more");
		else
			check_address(check, GW_AT_ITEM(place, "addresses", i),
			    address->text,
			    slice_equal(type, SLICE("IPv6")) ? 6 : 4);
	if (node)
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(place, "nodeName"), node->text,
		    gw_form_is_name(node->text), "a node's name");
	if (hostname)
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(place, "hostname"), hostname->text,
		    gw_form_is_label(hostname->text), "a name of one label");
	if (hints) {
		const struct gw_place *at = GW_AT(place, "hints");

		check_hints(check, at, hints, "forZones",
		    gw_form_is_label_value, "a zone's name");
		check_hints(check, at, hints, "forNodes", gw_form_is_name,
		    "a node's name");
	}
}

static void
check_endpoint_port(struct gw_check *check, const struct gw_place *place,
    const struct tree_node *ports, const struct tree_node *port)
{
	struct slice name = gw_check_text(port, "name");
	const struct tree_node *protocol = wire_tree_get(port, "appProtocol");

	if (name.length > 0)
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT(place, "name"), name, gw_form_is_label(name),
		    "a port's name");
	for (const struct tree_node *a = ports; a != port; a = a->next)
		if (gw_check_same(a, port, "name")) {
			gw_check_report(check, GW_FINDING_DUPLICATE,
			    GW_AT(place, "name"),
			    "another port has the same name");
			break;
		}
	gw_check_qualified(check, GW_AT(place, "appProtocol"), protocol);
}

static void
check_endpointslice(struct gw_check *check)
{
	const struct tree_node *document = check->document;
	const struct tree_node *endpoint =
	    gw_check_first(document, "endpoints");
	const struct tree_node *ports = gw_check_first(document, "ports");
	struct slice type = gw_check_text(document, "addressType");
	uint32_t i = 0;

	for (; endpoint; endpoint = endpoint->next, i++)
		check_endpoint(
		    check, GW_AT_ITEM(NULL, "endpoints", i), endpoint, type);
	i = 0;
	for (const struct tree_node *port = ports; port; port = port->next, i++)
		check_endpoint_port(
		    check, GW_AT_ITEM(NULL, "ports", i), ports, port);
}

/* ---- Secret, ConfigMap ---- */

enum { DATA_BYTES_MAX = 1024 * 1024 };

/* Keys are file names; the sum of what they hold is bounded. */
static size_t
check_data(struct gw_check *check, const char *field, bool is_base64)
{
	size_t bytes = 0;

	for (const struct tree_node *entry =
	         gw_check_first(check->document, field);
	     entry; entry = entry->next) {
		gw_check_form(check, GW_FINDING_NAME_INVALID,
		    GW_AT_KEY(NULL, field, entry->key), entry->key,
		    gw_form_is_file_name(entry->key),
		    "a key: letters, digits, '-', '_' and '.'");
		bytes +=
		    is_base64 ? entry->text.length / 4 * 3 : entry->text.length;
	}
	return bytes;
}

static void
check_data_size(struct gw_check *check, size_t bytes)
{
	if (bytes > DATA_BYTES_MAX)
		gw_check_report(check, GW_FINDING_TOO_MANY, GW_AT(NULL, "data"),
		    "%zu bytes in all, at most %d are allowed", bytes,
		    DATA_BYTES_MAX);
}

/* stringData has become data. */
static const struct tree_node *
data_of(const struct gw_check *check, const char *key)
{
	const struct tree_node *data = wire_tree_get(check->document, "data");

	return data ? wire_tree_get(data, key) : NULL;
}

static void
need_data(struct gw_check *check, const char *key)
{
	gw_check_report(check, GW_FINDING_FIELD_MISSING,
	    GW_AT_KEY(NULL, "data", slice_from_string(key)),
	    "%s must be set when type is %.*s", key,
	    SLICE_ARGS(gw_check_text(check->document, "type")));
}

/* To that server, null is as good as an empty one. */
static bool
is_json_object(struct gw_check *check, struct slice base64)
{
	const struct tree_node *tree = NULL;
	struct text bytes;

	text_init(&bytes);
	if (wire_base64_take(&bytes, base64))
		tree = wire_tree_from_json(text_slice(&bytes), check->arena);
	text_fini(&bytes);
	return tree && (tree->kind == TREE_MAP || tree->kind == TREE_NULL);
}

/* Who logs on to registries, as JSON. */
static void
check_logons(struct gw_check *check, const char *key)
{
	const struct tree_node *logons = data_of(check, key);

	if (!logons)
		need_data(check, key);
	else if (!is_json_object(check, logons->text))
		gw_check_report(check, GW_FINDING_VALUE_INVALID,
		    GW_AT_KEY(NULL, "data", slice_from_string(key)),
		    "must be a JSON object");
}

static void
check_account(struct gw_check *check)
{
	static const char key[] = "kubernetes.io/service-account.name";
	const struct tree_node *metadata =
	    wire_tree_get(check->document, "metadata");
	const struct tree_node *annotations =
	    metadata ? wire_tree_get(metadata, "annotations") : NULL;

	if (gw_check_text(annotations, key).length == 0)
		gw_check_report(check, GW_FINDING_FIELD_MISSING,
		    GW_AT_KEY(GW_AT(NULL, "metadata"), "annotations",
		        slice_from_string(key)),
		    "must name the service account that the token is of");
}

static void
check_secret(struct gw_check *check)
{
	struct slice type = gw_check_text(check->document, "type");
	const struct tree_node *key;

	check_data_size(check, check_data(check, "data", true));
	if (slice_equal(type, SLICE("kubernetes.io/tls"))) {
		if (!data_of(check, "tls.crt"))
			need_data(check, "tls.crt");
		if (!data_of(check, "tls.key"))
			need_data(check, "tls.key");
	} else if (slice_equal(type, SLICE("kubernetes.io/ssh-auth"))) {
		key = data_of(check, "ssh-privatekey");
		if (!key || key->text.length == 0)
			need_data(check, "ssh-privatekey");
	} else if (slice_equal(type, SLICE("kubernetes.io/dockercfg"))) {
		check_logons(check, ".dockercfg");
	} else if (slice_equal(type, SLICE("kubernetes.io/dockerconfigjson"))) {
		check_logons(check, ".dockerconfigjson");
	} else if (slice_equal(type, SLICE("kubernetes.io/basic-auth"))) {
		if (!data_of(check, "username") &&
		    !data_of(check, "password")) {
			need_data(check, "username");
			need_data(check, "password");
		}
	} else if (slice_equal(
	               type, SLICE("kubernetes.io/service-account-token"))) {
		check_account(check);
	}
}

static void
check_configmap(struct gw_check *check)
{
	const struct tree_node *binary =
	    wire_tree_get(check->document, "binaryData");

	check_data_size(check,
	    check_data(check, "data", false) +
	        check_data(check, "binaryData", true));
	for (const struct tree_node *entry =
	         gw_check_first(check->document, "data");
	     entry && binary; entry = entry->next)
		for (const struct tree_node *other = binary->child; other;
		     other = other->next)
			if (slice_equal(entry->key, other->key))
				gw_check_report(check, GW_FINDING_DUPLICATE,
				    GW_AT_KEY(NULL, "data", entry->key),
				    "%.*s is in binaryData too",
				    SLICE_ARGS(entry->key));
}
