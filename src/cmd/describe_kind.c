/* What each kind hangs together with: a Gateway with its routes, a route with
 * its listeners, a Service with its endpoints and who leads there. */
#include "cmd/get_priv.h"

#include "cmd/cell.h"
#include "cmd/describe_priv.h"
#include "cmd/look.h"
#include "wire/host.h"

static void
begin(struct table *table, const char *const *titles)
{
	unsigned columns = 0;

	while (titles[columns])
		columns++;
	table_init(table, columns);
	for (unsigned i = 0; i < columns; i++)
		describe_cell(table, "%s", titles[i]);
}

static void
push_list_cell(struct table *table, const json_t *list)
{
	struct text text;

	text_init(&text);
	look_push_list(&text, list);
	table_push(table, text_slice(&text));
	text_fini(&text);
}

/* Whose namespace a reference without one means. */
static const char *
namespace_of(const json_t *reference, const char *own)
{
	const char *namespace = look_text(reference, "namespace");

	return namespace[0] ? namespace : own;
}

/* Is this a reference to what is described? Kinds and groups were filled in at
 * admission. */
static bool
leads_to(const json_t *reference, const char *own,
    const struct describing *describing)
{
	const struct gw_kind_row *row = &gw_kinds[describing->kind];
	const json_t *group = json_object_get(reference, "group");

	return strcmp(look_text(reference, "name"), describing->name) == 0 &&
	    strcmp(look_text(reference, "kind"), row->kind) == 0 &&
	    (!json_is_string(group) ||
	        strcmp(json_string_value(group), row->group) == 0) &&
	    (!row->namespaced ||
	        strcmp(namespace_of(reference, own), describing->namespace) ==
	            0);
}

/* ---- GatewayClass ---- */

static void
describe_class(const struct describing *describing)
{
	static const char *const titles[] = {
	    "NAMESPACE", "NAME", "PROGRAMMED", NULL};
	const json_t *spec = json_object_get(describing->object, "spec");
	json_t *answer =
	    describe_ask(describing, "/api/v1/objects?kind=gateways");
	json_t *items = json_object_get(answer, "items");
	struct table table;

	describe_line(
	    describing->out, "Controller", look_text(spec, "controllerName"));
	describe_line(
	    describing->out, "Description", look_text(spec, "description"));
	begin(&table, titles);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *one = json_array_get(items, i);
		const json_t *metadata = json_object_get(one, "metadata");

		if (strcmp(look_text(json_object_get(one, "spec"),
		               "gatewayClassName"),
		        describing->name) != 0)
			continue;
		describe_cell(&table, "%s", look_text(metadata, "namespace"));
		describe_cell(&table, "%s", look_text(metadata, "name"));
		describe_cell(&table, "%s",
		    look_text(
		        look_condition(
		            look_at(one, "status", "conditions"), "Programmed"),
		        "status"));
	}
	describe_table(describing->out, "Gateways", &table);
	json_decref(answer);
}

/* ---- Gateway, ListenerSet ---- */

static const json_t *
listener_status(const json_t *object, const char *name)
{
	const json_t *list = look_at(object, "status", "listeners");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (strcmp(look_text(one, "name"), name) == 0)
			return one;
	}
	return NULL;
}

static void
describe_listeners(const struct describing *describing)
{
	static const char *const titles[] = {"NAME", "PROTOCOL", "PORT",
	    "HOSTNAME", "ROUTES FROM", "ATTACHED", "PROGRAMMED", NULL};
	const json_t *listeners =
	    look_at(describing->object, "spec", "listeners");
	struct table table;

	begin(&table, titles);
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *one = json_array_get(listeners, i);
		const json_t *status =
		    listener_status(describing->object, look_text(one, "name"));
		const char *from = look_text(
		    look_at(one, "allowedRoutes", "namespaces"), "from");

		describe_cell(&table, "%s", look_text(one, "name"));
		describe_cell(&table, "%s", look_text(one, "protocol"));
		describe_cell(&table, "%d", (int)look_number(one, "port"));
		describe_cell(&table, "%s", look_text(one, "hostname"));
		describe_cell(&table, "%s", from[0] ? from : "Same");
		describe_cell(
		    &table, "%d", (int)look_number(status, "attachedRoutes"));
		describe_cell(&table, "%s",
		    look_text(
		        look_condition(json_object_get(status, "conditions"),
		            "Programmed"),
		        "status"));
	}
	describe_table(describing->out, "Listeners", &table);
}

static void
push_attached(struct table *table, const struct describing *describing,
    const json_t *route)
{
	const json_t *metadata = json_object_get(route, "metadata");
	const json_t *parents = look_at(route, "status", "parents");
	const char *namespace = look_text(metadata, "namespace");

	for (size_t i = 0; i < json_array_size(parents); i++) {
		const json_t *parent = json_array_get(parents, i);
		const json_t *reference = json_object_get(parent, "parentRef");
		const json_t *accepted = look_condition(
		    json_object_get(parent, "conditions"), "Accepted");
		bool well = strcmp(look_text(accepted, "status"), "True") == 0;

		if (!leads_to(reference, namespace, describing))
			continue;
		describe_cell(table, "%s", look_text(route, "kind"));
		describe_cell(
		    table, "%s/%s", namespace, look_text(metadata, "name"));
		describe_cell(table, "%s", look_text(reference, "sectionName"));
		push_list_cell(table, look_at(route, "spec", "hostnames"));
		describe_cell(table, "%s", look_text(accepted, "status"));
		describe_cell(table, "%s%s%s",
		    well ? "" : look_text(accepted, "reason"), well ? "" : ": ",
		    well ? "" : look_text(accepted, "message"));
	}
}

/* A ListenerSet has the class of its Gateway. */
static void
describe_parent(const struct describing *describing)
{
	const json_t *reference =
	    look_at(describing->object, "spec", "parentRef");
	const char *namespace = namespace_of(reference, describing->namespace);
	json_t *answer =
	    describe_ask(describing, "/api/v1/objects?kind=gateways");
	json_t *items = json_object_get(answer, "items");
	struct text text;

	text_init(&text);
	text_printf(
	    &text, "Gateway %s/%s", namespace, look_text(reference, "name"));
	describe_line(describing->out, "Parent", text.data);
	text_fini(&text);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *one = json_array_get(items, i);
		const json_t *metadata = json_object_get(one, "metadata");

		if (strcmp(look_text(metadata, "namespace"), namespace) == 0 &&
		    strcmp(look_text(metadata, "name"),
		        look_text(reference, "name")) == 0)
			describe_line(describing->out, "Class",
			    look_text(json_object_get(one, "spec"),
			        "gatewayClassName"));
	}
	json_decref(answer);
}

static void
describe_gateway(const struct describing *describing)
{
	static const char *const titles[] = {
	    "KIND", "ROUTE", "LISTENER", "HOSTNAMES", "ACCEPTED", "WHY", NULL};
	json_t *answer = describe_ask(describing,
	    "/api/v1/objects?kind=httproutes,grpcroutes,tlsroutes,tcproutes,"
	    "udproutes");
	json_t *items = json_object_get(answer, "items");
	struct table table;

	if (describing->kind == GW_LISTENERSET)
		describe_parent(describing);
	else
		describe_line(describing->out, "Class",
		    look_text(json_object_get(describing->object, "spec"),
		        "gatewayClassName"));
	describe_addresses(describing);
	describe_listeners(describing);
	begin(&table, titles);
	for (size_t i = 0; i < json_array_size(items); i++)
		push_attached(&table, describing, json_array_get(items, i));
	describe_table(describing->out, "Routes", &table);
	json_decref(answer);
}

/* ---- routes ---- */

/* The hostnames that a listener and a route have in common. */
static void
push_common(struct table *table, const json_t *hostnames, const char *listener)
{
	struct slice of_listener = slice_from_string(listener);
	struct text text;

	text_init(&text);
	for (size_t i = 0; i < json_array_size(hostnames); i++) {
		const char *one =
		    json_string_value(json_array_get(hostnames, i));
		struct slice own = slice_from_string(one ? one : "");

		if (!wire_hostnames_intersect(own, of_listener))
			continue;
		text_push_string(&text, text.length > 0 ? "," : "");
		text_push(&text,
		    own.length > of_listener.length ||
		            (own.length > 0 && own.data[0] != '*')
		        ? own
		        : of_listener);
	}
	if (json_array_size(hostnames) == 0)
		text_push_string(&text, listener[0] ? listener : "any");
	table_push(table, text_slice(&text));
	text_fini(&text);
}

/* What the workers serve it on: of its unit. */
static void
describe_attachment(const struct describing *describing)
{
	static const char *const titles[] = {
	    "GATEWAY", "LISTENER", "PORT", "FOR HOSTNAMES", NULL};
	const json_t *hostnames =
	    look_at(describing->object, "spec", "hostnames");
	json_t *unit =
	    describe_ask(describing, "/api/v1/units?name=route/%s/%s/%s",
	        gw_kinds[describing->kind].kind, describing->namespace,
	        describing->name);
	const json_t *listeners = json_object_get(unit, "listeners");
	struct table table;

	begin(&table, titles);
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const char *name =
		    json_string_value(json_array_get(listeners, i));
		json_t *listener = describe_ask(
		    describing, "/api/v1/units?name=%s", name ? name : "");

		describe_cell(&table, "%s/%s",
		    look_text(listener, "gatewayNamespace"),
		    look_text(listener, "gatewayName"));
		describe_cell(&table, "%s", look_text(listener, "name"));
		describe_cell(&table, "%d", (int)look_number(listener, "port"));
		push_common(&table, hostnames, look_text(listener, "hostname"));
		json_decref(listener);
	}
	describe_table(describing->out, "Attached", &table);
	json_decref(unit);
}

/* " NAME: VALUE" of each, as the list's way of writing them. */
static void
push_named(struct text *out, const json_t *list, const char *format)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		text_push_byte(out, ' ');
		cell_push(out, one, format);
	}
}

static void
push_match(struct text *out, const json_t *match)
{
	const json_t *method = json_object_get(match, "method");

	text_push_string(out, out->length > 0 ? " | " : "");
	if (json_object_get(match, "path"))
		cell_push(out, match, "{path.type} {path.value}");
	if (json_is_string(method))
		text_printf(out, " %s", json_string_value(method));
	else if (method)
		cell_push(out, method, "{service|any}/{method|any}");
	push_named(out, json_object_get(match, "headers"), "{name:} {value}");
	push_named(
	    out, json_object_get(match, "queryParams"), "?{name}={value}");
}

static void
push_rule(struct table *table, size_t index, const json_t *rule)
{
	const json_t *matches = json_object_get(rule, "matches");
	const json_t *filters = json_object_get(rule, "filters");
	const json_t *backends = json_object_get(rule, "backendRefs");
	struct text text;

	text_init(&text);
	if (look_text(rule, "name")[0])
		describe_cell(table, "%s", look_text(rule, "name"));
	else
		describe_cell(table, "%zu", index);
	for (size_t i = 0; i < json_array_size(matches); i++)
		push_match(&text, json_array_get(matches, i));
	if (json_array_size(matches) == 0)
		text_push_string(&text, "any");
	table_push(table, text_slice(&text));
	text_reset(&text);
	for (size_t i = 0; i < json_array_size(filters); i++)
		text_printf(&text, "%s%s", i > 0 ? "," : "",
		    look_text(json_array_get(filters, i), "type"));
	table_push(table, text_slice(&text));
	text_reset(&text);
	for (size_t i = 0; i < json_array_size(backends); i++) {
		const json_t *one = json_array_get(backends, i);
		const char *namespace = look_text(one, "namespace");

		text_printf(&text, "%s%s%s%s", i > 0 ? ", " : "", namespace,
		    namespace[0] ? "/" : "", look_text(one, "name"));
		if (json_object_get(one, "port"))
			text_printf(
			    &text, ":%d", (int)look_number(one, "port"));
		if (json_object_get(one, "weight"))
			text_printf(&text, " weight %d",
			    (int)look_number(one, "weight"));
	}
	table_push(table, text_slice(&text));
	text_fini(&text);
}

static void
describe_route(const struct describing *describing)
{
	static const char *const titles[] = {
	    "RULE", "MATCHES", "FILTERS", "BACKENDS", NULL};
	const json_t *rules = look_at(describing->object, "spec", "rules");
	struct table table;
	struct text text;

	text_init(&text);
	look_push_list(&text, look_at(describing->object, "spec", "hostnames"));
	describe_line(
	    describing->out, "Hostnames", text.length > 0 ? text.data : "any");
	text_fini(&text);
	describe_attachment(describing);
	begin(&table, titles);
	for (size_t i = 0; i < json_array_size(rules); i++)
		push_rule(&table, i, json_array_get(rules, i));
	describe_table(describing->out, "Rules", &table);
}

/* ---- Service ---- */

static void
describe_endpoints(const struct describing *describing)
{
	static const char *const titles[] = {
	    "SLICE", "ADDRESSES", "READY", "SERVING", "TERMINATING", NULL};
	static const char *const conditions[] = {
	    "ready", "serving", "terminating"};
	json_t *answer = describe_ask(describing,
	    "/api/v1/objects?kind=endpointslices&namespace=%s",
	    describing->namespace);
	json_t *items = json_object_get(answer, "items");
	struct table table;

	begin(&table, titles);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *slice = json_array_get(items, i);
		const json_t *endpoints = json_object_get(slice, "endpoints");

		if (strcmp(look_text(look_at(slice, "metadata", "labels"),
		               "kubernetes.io/service-name"),
		        describing->name) != 0)
			continue;
		for (size_t k = 0; k < json_array_size(endpoints); k++) {
			const json_t *one = json_array_get(endpoints, k);

			describe_cell(&table, "%s",
			    look_text(
			        json_object_get(slice, "metadata"), "name"));
			push_list_cell(
			    &table, json_object_get(one, "addresses"));
			for (int c = 0; c < 3; c++) {
				const json_t *is =
				    look_at(one, "conditions", conditions[c]);

				describe_cell(&table, "%s",
				    json_is_true(is)        ? "true"
				        : json_is_false(is) ? "false"
				                            : "");
			}
		}
	}
	describe_table(describing->out, "Endpoints", &table);
	json_decref(answer);
}

/* ---- any other ---- */

/* All that is not metadata or status, as YAML. */
static void
describe_spec(const struct describing *describing)
{
	static const char *const others[] = {
	    "apiVersion", "kind", "metadata", "status"};
	json_t *rest = json_copy(describing->object);
	json_t *list;
	struct text yaml;
	struct slice lines, line;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		json_object_del(rest, others[i]);
	list = json_pack("[o]", rest);
	text_init(&yaml);
	if (json_object_size(rest) > 0)
		get_yaml(&yaml, list);
	for (lines = text_slice(&yaml);
	     lines.length > 0 && slice_cut(&lines, '\n', &line);)
		text_printf(describing->out, "%.*s\n", SLICE_ARGS(line));
	text_fini(&yaml);
	json_decref(list);
}

/* By its shape: what has listeners, or parents and rules, is told alike. */
void
describe_kind(const struct describing *describing)
{
	if (describing->kind == GW_GATEWAYCLASS)
		describe_class(describing);
	else if (look_at(describing->object, "spec", "listeners"))
		describe_gateway(describing);
	else if (look_at(describing->object, "spec", "parentRefs"))
		describe_route(describing);
	else
		describe_spec(describing);
	if (describing->kind == GW_SERVICE)
		describe_endpoints(describing);
	else if (describing->kind == GW_IPADDRESSPOOL)
		describe_pool(describing);
	describe_users(describing);
}
