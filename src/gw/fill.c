/* Defaults that the API server makes in code for Kubernetes' own kinds, put
 * into a tree that has been judged. What a cluster gives out (addresses, ports
 * of nodes) is not made here. */
#include "gw/check_priv.h"
#include "wire/base64.h"

static void fill_configmap(struct gw_check *check);
static void fill_namespace(struct gw_check *check);
static void fill_secret(struct gw_check *check);
static void fill_service(struct gw_check *check);

void
gw_fill_built_in(struct gw_check *check)
{
	static const struct {
		const char *group, *kind;
		void (*fill)(struct gw_check *check);
	} kinds[] = {
	    {"", "ConfigMap", fill_configmap},
	    {"", "Namespace", fill_namespace},
	    {"", "Secret", fill_secret},
	    {"", "Service", fill_service},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(check->schema.kind, kinds[i].kind) == 0 &&
		    strcmp(check->schema.group, kinds[i].group) == 0)
			kinds[i].fill(check);
}

static struct tree_node *
append(struct gw_check *check, struct tree_node *to, const char *key,
    enum tree_kind kind)
{
	struct tree_node *node = arena_zero(check->arena, 1, sizeof(*node));
	struct tree_node **end = &to->child;

	while (*end)
		end = &(*end)->next;
	*end = node;
	to->count++;
	node->kind = kind;
	node->line = node->key_line = to->line;
	node->column = node->key_column = to->column;
	if (key)
		node->key = slice_from_string(key);
	return node;
}

/* The field of a map, made where it is not there. */
static struct tree_node *
get(struct gw_check *check, struct tree_node *map, const char *key,
    enum tree_kind kind)
{
	struct tree_node *node = wire_tree_get(map, key);

	return node ? node : append(check, map, key, kind);
}

static void
drop(struct tree_node *map, const char *key)
{
	struct tree_node *node = wire_tree_get(map, key);
	struct tree_node **link = &map->child;

	if (!node)
		return;
	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	map->count--;
}

static bool
is(const struct tree_node *map, const char *key, const char *value)
{
	const struct tree_node *node = wire_tree_get(map, key);

	return node && slice_equal(node->text, slice_from_string(value));
}

static void
fill_text(struct gw_check *check, struct tree_node *map, const char *key,
    struct slice text)
{
	if (!wire_tree_get(map, key))
		append(check, map, key, TREE_TEXT)->text = text;
}

/* ---- ConfigMap ---- */

/* Base64 on several lines, or with bits to spare, is kept as its bytes are. */
static void
fill_bytes(struct gw_check *check, const char *key)
{
	const struct tree_node *map = wire_tree_get(check->document, key);
	struct text bytes, text;

	text_init(&bytes);
	text_init(&text);
	for (struct tree_node *at = map ? map->child : NULL; at;
	     at = at->next) {
		text_reset(&bytes);
		text_reset(&text);
		if (!wire_base64_take(&bytes, at->text))
			continue;
		wire_base64_push(&text, text_slice(&bytes));
		if (!slice_equal(text_slice(&text), at->text))
			at->text = arena_copy(check->arena, text_slice(&text));
	}
	text_wipe(&text);
	text_wipe(&bytes);
}

static void
fill_configmap(struct gw_check *check)
{
	fill_bytes(check, "binaryData");
}

/* ---- Namespace ---- */

/* Its name is a label of it, and it ends with all that is in it. */
static void
fill_namespace(struct gw_check *check)
{
	static const char label[] = "kubernetes.io/metadata.name";
	struct tree_node *document = check->document;
	struct tree_node *metadata = wire_tree_get(document, "metadata");
	struct tree_node *name =
	    metadata ? wire_tree_get(metadata, "name") : NULL;
	struct tree_node *finalizers = get(check,
	    get(check, document, "spec", TREE_MAP), "finalizers", TREE_LIST);

	if (name && name->text.length > 0) {
		struct tree_node *labels =
		    get(check, metadata, "labels", TREE_MAP);

		get(check, labels, label, TREE_TEXT)->text = name->text;
	}
	for (const struct tree_node *at = finalizers->child; at; at = at->next)
		if (slice_equal(at->text, SLICE("kubernetes")))
			return;
	append(check, finalizers, NULL, TREE_TEXT)->text = SLICE("kubernetes");
}

/* ---- Secret ---- */

/* stringData is for people who write; it is kept as data. */
static void
fill_secret(struct gw_check *check)
{
	struct tree_node *document = check->document;
	const struct tree_node *plain = wire_tree_get(document, "stringData");
	struct tree_node *data;
	struct text text;

	fill_bytes(check, "data");
	if (!plain)
		return;
	data = get(check, document, "data", TREE_MAP);
	text_init(&text);
	for (const struct tree_node *at = plain->child; at; at = at->next) {
		struct tree_node *entry = data->child;

		while (entry && !slice_equal(entry->key, at->key))
			entry = entry->next;
		if (!entry)
			entry = append(check, data, NULL, TREE_TEXT);
		text_reset(&text);
		wire_base64_push(&text, at->text);
		entry->key = at->key;
		entry->text = arena_copy(check->arena, text_slice(&text));
		entry->line = at->line;
		entry->column = at->column;
	}
	text_wipe(&text);
	drop(document, "stringData");
}

/* ---- Service ---- */

/* A port is reached at itself. */
static void
fill_target(struct gw_check *check, struct tree_node *port)
{
	const struct tree_node *number = wire_tree_get(port, "port");
	struct tree_node *target = get(check, port, "targetPort", TREE_INTEGER);

	if (target->kind == TREE_INTEGER ? target->integer != 0
	                                 : target->text.length > 0)
		return;
	target->kind = TREE_INTEGER;
	target->integer = number ? number->integer : 0;
	target->text = number ? number->text : SLICE("0");
}

static void
fill_affinity(struct gw_check *check, struct tree_node *spec)
{
	struct tree_node *client, *seconds;

	if (is(spec, "sessionAffinity", "None")) {
		drop(spec, "sessionAffinityConfig");
		return;
	}
	client = get(check, get(check, spec, "sessionAffinityConfig", TREE_MAP),
	    "clientIP", TREE_MAP);
	if (wire_tree_get(client, "timeoutSeconds"))
		return;
	seconds = append(check, client, "timeoutSeconds", TREE_INTEGER);
	seconds->integer = 10800;
	seconds->text = SLICE("10800");
}

/* The list has what the older field has. */
static void
fill_addresses(struct gw_check *check, struct tree_node *spec)
{
	const struct tree_node *one = wire_tree_get(spec, "clusterIP");
	struct tree_node *all;

	if (!one || one->text.length == 0)
		return;
	all = get(check, spec, "clusterIPs", TREE_LIST);
	if (all->count == 0)
		append(check, all, NULL, TREE_TEXT)->text = one->text;
}

static void
fill_service(struct gw_check *check)
{
	struct tree_node *spec = wire_tree_get(check->document, "spec");
	struct tree_node *ports = wire_tree_get(spec, "ports");
	const struct tree_node *external = wire_tree_get(spec, "externalIPs");
	bool balanced = is(spec, "type", "LoadBalancer");

	for (struct tree_node *at = ports ? ports->child : NULL; at;
	     at = at->next)
		fill_target(check, at);
	fill_affinity(check, spec);
	fill_addresses(check, spec);
	if (!is(spec, "type", "ExternalName"))
		fill_text(
		    check, spec, "internalTrafficPolicy", SLICE("Cluster"));
	if (balanced || is(spec, "type", "NodePort") ||
	    (is(spec, "type", "ClusterIP") && external && external->count > 0))
		fill_text(
		    check, spec, "externalTrafficPolicy", SLICE("Cluster"));
	if (balanced && !wire_tree_get(spec, "allocateLoadBalancerNodePorts"))
		append(check, spec, "allocateLoadBalancerNodePorts", TREE_BOOL)
		    ->integer = 1;
}
