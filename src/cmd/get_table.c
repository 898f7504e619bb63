/* The tables of `yumen get`: what is asked first about each kind, and why it is
 * not as it should be. */
#include "cmd/get_priv.h"

#include "cmd/look.h"
#include "cmd/table.h"

/* Filled in for each object: the cells behind NAMESPACE and NAME, by column. */
struct layout {
	void (*fill)(const json_t *object, struct text *cells);
	/* "+TITLE": with -o wide only */
	const char *titles[TABLE_COLUMNS];
};

/* The message of the first condition of these types that is not True. */
static void
push_why(struct text *out, const json_t *conditions)
{
	static const char *const types[] = {
	    "Accepted", "ResolvedRefs", "Programmed"};

	for (size_t i = 0; i < 3 && out->length == 0; i++) {
		const json_t *condition = look_condition(conditions, types[i]);

		if (condition == NULL ||
		    strcmp(look_text(condition, "status"), "True") == 0)
			continue;
		text_printf(out, "%s: %s", look_text(condition, "reason"),
		    look_text(condition, "message"));
	}
}

static void
push_status(struct text *out, const json_t *conditions, const char *type)
{
	text_push_string(
	    out, look_text(look_condition(conditions, type), "status"));
}

static void
push_generation(struct text *out, const json_t *object)
{
	text_push_number(out,
	    (uint64_t)look_number(
	        json_object_get(object, "metadata"), "generation"));
}

/* PROGRAMMED and on, of a Gateway or a ListenerSet. */
static void
fill_listeners(const json_t *object, struct text *cells)
{
	const json_t *conditions = look_at(object, "status", "conditions");
	const json_t *listeners = look_at(object, "status", "listeners");
	const json_t *asked = look_at(object, "spec", "listeners");
	size_t programmed = 0;
	json_int_t routes = 0;

	push_status(&cells[0], conditions, "Programmed");
	push_why(&cells[5], conditions);
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *one = json_array_get(listeners, i);
		const json_t *its = json_object_get(one, "conditions");

		programmed += look_is_true(its, "Programmed");
		routes += look_number(one, "attachedRoutes");
		push_why(&cells[5], its);
	}
	text_printf(
	    &cells[1], "%zu/%zu", programmed, json_array_size(listeners));
	text_push_number(&cells[2], (uint64_t)routes);
	for (size_t i = 0; i < json_array_size(asked); i++) {
		const json_t *one = json_array_get(asked, i);
		const char *host = look_text(one, "hostname");

		text_printf(&cells[3], "%s%s:%d%s%s", i > 0 ? "," : "",
		    look_text(one, "protocol"), (int)look_number(one, "port"),
		    host[0] ? ":" : "", host);
	}
	push_generation(&cells[4], object);
}

static void
fill_gateway(const json_t *object, struct text *cells)
{
	const json_t *addresses = look_at(object, "status", "addresses");

	text_push_string(&cells[0],
	    look_text(json_object_get(object, "spec"), "gatewayClassName"));
	for (size_t i = 0; i < json_array_size(addresses); i++)
		text_printf(&cells[1], "%s%s", i > 0 ? "," : "",
		    look_text(json_array_get(addresses, i), "value"));
	fill_listeners(object, &cells[2]);
}

static void
fill_listenerset(const json_t *object, struct text *cells)
{
	const json_t *parent = look_at(object, "spec", "parentRef");
	const char *namespace = look_text(parent, "namespace");

	text_printf(&cells[0], "%s%s%s", namespace, namespace[0] ? "/" : "",
	    look_text(parent, "name"));
	push_status(
	    &cells[1], look_at(object, "status", "conditions"), "Accepted");
	fill_listeners(object, &cells[2]);
}

static void
push_backends(struct text *out, const json_t *rules)
{
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *backends =
		    json_object_get(json_array_get(rules, i), "backendRefs");

		for (size_t k = 0; k < json_array_size(backends); k++) {
			const json_t *one = json_array_get(backends, k);
			const char *namespace = look_text(one, "namespace");

			text_printf(out, "%s%s%s%s", out->length > 0 ? "," : "",
			    namespace, namespace[0] ? "/" : "",
			    look_text(one, "name"));
			if (json_object_get(one, "port"))
				text_printf(
				    out, ":%d", (int)look_number(one, "port"));
		}
	}
}

static void
fill_route(const json_t *object, struct text *cells)
{
	const json_t *parents = look_at(object, "status", "parents");
	const json_t *rules = look_at(object, "spec", "rules");

	look_push_list(&cells[0], look_at(object, "spec", "hostnames"));
	for (size_t i = 0; i < json_array_size(parents); i++) {
		const json_t *parent = json_array_get(parents, i);
		const json_t *its = json_object_get(parent, "conditions");
		const char *comma = i > 0 ? "," : "";

		text_printf(&cells[1], "%s%s", comma,
		    look_text(json_object_get(parent, "parentRef"), "name"));
		text_push_string(&cells[2], comma);
		push_status(&cells[2], its, "Accepted");
		text_push_string(&cells[3], comma);
		push_status(&cells[3], its, "ResolvedRefs");
		push_why(&cells[7], its);
	}
	text_push_number(&cells[4], json_array_size(rules));
	push_backends(&cells[5], rules);
	push_generation(&cells[6], object);
}

static void
fill_class(const json_t *object, struct text *cells)
{
	const json_t *conditions = look_at(object, "status", "conditions");
	const json_t *spec = json_object_get(object, "spec");

	text_push_string(&cells[0], look_text(spec, "controllerName"));
	push_status(&cells[1], conditions, "Accepted");
	text_push_string(&cells[2], look_text(spec, "description"));
	push_why(&cells[3], conditions);
}

static void
push_ports(struct text *out, const json_t *ports)
{
	for (size_t i = 0; i < json_array_size(ports); i++) {
		const json_t *one = json_array_get(ports, i);
		const char *protocol = look_text(one, "protocol");

		text_printf(out, "%s%d/%s", i > 0 ? "," : "",
		    (int)look_number(one, "port"),
		    protocol[0] ? protocol : "TCP");
	}
}

static void
fill_service(const json_t *object, struct text *cells)
{
	const char *type = look_text(json_object_get(object, "spec"), "type");

	text_push_string(&cells[0], type[0] ? type : "ClusterIP");
	push_ports(&cells[1], look_at(object, "spec", "ports"));
}

/* An endpoint without the condition is ready. */
static bool
is_ready(const json_t *endpoint)
{
	return !json_is_false(look_at(endpoint, "conditions", "ready"));
}

static void
fill_slice(const json_t *object, struct text *cells)
{
	const json_t *endpoints = json_object_get(object, "endpoints");
	size_t ready = 0;

	text_push_string(&cells[0],
	    look_text(look_at(object, "metadata", "labels"),
	        "kubernetes.io/service-name"));
	text_push_string(&cells[1], look_text(object, "addressType"));
	push_ports(&cells[2], json_object_get(object, "ports"));
	for (size_t i = 0; i < json_array_size(endpoints); i++) {
		const json_t *one = json_array_get(endpoints, i);

		ready += is_ready(one);
		text_push_string(&cells[4], i > 0 ? "," : "");
		look_push_list(&cells[4], json_object_get(one, "addresses"));
	}
	text_printf(&cells[3], "%zu/%zu", ready, json_array_size(endpoints));
}

/* "kind" or "namespace/kind", and the name where there is one. */
static void
push_grants(struct text *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const char *namespace = look_text(one, "namespace");
		const char *name = look_text(one, "name");

		text_printf(out, "%s%s%s%s%s%s", i > 0 ? "," : "", namespace,
		    namespace[0] ? "/" : "", look_text(one, "kind"),
		    name[0] ? "/" : "", name);
	}
}

static void
fill_grant(const json_t *object, struct text *cells)
{
	push_grants(&cells[0], look_at(object, "spec", "from"));
	push_grants(&cells[1], look_at(object, "spec", "to"));
}

static void
fill_xbackend(const json_t *object, struct text *cells)
{
	const json_t *spec = json_object_get(object, "spec");
	const json_t *port = look_at(object, "spec", "port");

	text_push_string(&cells[0], look_text(spec, "type"));
	text_push_string(&cells[1],
	    look_text(json_object_get(spec, "externalHostname"), "hostname"));
	if (port)
		text_printf(&cells[2], "%d", (int)look_number(port, "number"));
	text_push_string(&cells[3], look_text(spec, "protocol"));
}

static void
fill_namespace(const json_t *object, struct text *cells)
{
	json_t *metadata = json_object_get(object, "metadata");
	json_t *value;
	const char *key;

	json_object_foreach(json_object_get(metadata, "labels"), key, value)
	    text_printf(&cells[0], "%s%s=%s", cells[0].length > 0 ? "," : "",
	        key, json_is_string(value) ? json_string_value(value) : "");
}

static void
fill_configmap(const json_t *object, struct text *cells)
{
	text_printf(&cells[0], "%zu",
	    json_object_size(json_object_get(object, "data")));
}

static void
fill_secret(const json_t *object, struct text *cells)
{
	text_push_string(&cells[0], look_text(object, "type"));
	text_printf(&cells[1], "%zu",
	    json_object_size(json_object_get(object, "data")));
}

static const struct layout layouts[GW_KIND__COUNT] = {
    [GW_GATEWAY] = {fill_gateway,
        {"CLASS", "ADDRESS", "PROGRAMMED", "LISTENERS", "ROUTES", "+PORTS",
            "+GENERATION", "WHY"}},
    [GW_LISTENERSET] = {fill_listenerset,
        {"PARENT", "ACCEPTED", "PROGRAMMED", "LISTENERS", "ROUTES", "+PORTS",
            "+GENERATION", "WHY"}},
    [GW_HTTPROUTE] = {fill_route,
        {"HOSTNAMES", "PARENTS", "ACCEPTED", "RESOLVED", "+RULES", "+BACKENDS",
            "+GENERATION", "WHY"}},
    [GW_GATEWAYCLASS] = {fill_class,
        {"CONTROLLER", "ACCEPTED", "+DESCRIPTION", "WHY"}},
    [GW_SERVICE] = {fill_service, {"TYPE", "PORTS"}},
    [GW_ENDPOINTSLICE] = {fill_slice,
        {"SERVICE", "ADDRESSTYPE", "PORTS", "READY", "ENDPOINTS"}},
    [GW_REFERENCEGRANT] = {fill_grant, {"FROM", "TO"}},
    [GW_XBACKEND] = {fill_xbackend, {"TYPE", "HOSTNAME", "PORT", "+PROTOCOL"}},
    [GW_CONFIGMAP] = {fill_configmap, {"DATA"}},
    [GW_SECRET] = {fill_secret, {"TYPE", "DATA"}},
    [GW_NAMESPACE] = {fill_namespace, {"LABELS"}},
};

static bool
is_shown(const char *title, bool wide)
{
	return wide || title[0] != '+';
}

static void
push_row(struct table *table, const struct layout *layout, bool wide,
    const json_t *object, struct text *cells)
{
	const json_t *metadata = json_object_get(object, "metadata");

	for (unsigned i = 0; i < TABLE_COLUMNS; i++)
		text_reset(&cells[i]);
	if (layout->fill)
		layout->fill(object, cells);
	table_push(table, slice_from_string(look_text(metadata, "namespace")));
	table_push(table, slice_from_string(look_text(metadata, "name")));
	for (unsigned i = 0; layout->titles[i]; i++)
		if (is_shown(layout->titles[i], wide))
			table_push(table, text_slice(&cells[i]));
}

void
get_table(struct text *out, enum gw_kind kind, json_t *items, bool wide)
{
	const struct layout *layout = &layouts[kind];
	struct text cells[TABLE_COLUMNS];
	struct table table;
	unsigned columns = 2;

	for (unsigned i = 0; layout->titles[i]; i++)
		columns += is_shown(layout->titles[i], wide);
	table_init(&table, columns);
	table_push(&table, SLICE("NAMESPACE"));
	table_push(&table, SLICE("NAME"));
	for (unsigned i = 0; layout->titles[i]; i++)
		if (is_shown(layout->titles[i], wide))
			table_push(&table,
			    slice_from_string(layout->titles[i] +
			        (layout->titles[i][0] == '+')));
	for (unsigned i = 0; i < TABLE_COLUMNS; i++)
		text_init(&cells[i]);
	for (size_t i = 0; i < json_array_size(items); i++)
		push_row(&table, layout, wide, json_array_get(items, i), cells);
	table_print(&table, "", out);
	table_fini(&table);
	for (unsigned i = 0; i < TABLE_COLUMNS; i++)
		text_fini(&cells[i]);
}
