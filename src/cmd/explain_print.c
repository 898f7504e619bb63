/* What `explain` prints: a line a step, in the order in which a request takes
 * them, then the candidates that lost. */
#include <string.h>

#include "cmd/explain_priv.h"

/* Texts of files come here: none may break a line or drive a terminal. */
static void
push_clean(struct text *out, const char *s)
{
	for (; s && *s; s++)
		text_push_byte(
		    out, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
}

static const char *
text_at(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static json_int_t
number_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void
push_label(struct text *out, const char *label)
{
	text_printf(out, "%-9s ", label);
}

static void
print_request(struct text *out, const json_t *told)
{
	const json_t *request = json_object_get(told, "request");

	if (!request)
		return;
	push_label(out, "request");
	push_clean(out, text_at(request, "method"));
	text_push_string(out, " host ");
	push_clean(out, text_at(request, "host"));
	text_push_string(out, " path ");
	push_clean(out, text_at(request, "path"));
	if (json_object_get(request, "query")) {
		text_push_string(out, " query ");
		push_clean(out, text_at(request, "query"));
	}
	text_push_byte(out, '\n');
}

static void
push_socket(struct text *out, const json_t *socket)
{
	const char *address = text_at(socket, "address");
	bool ip6 = strchr(address, ':') != NULL;

	text_printf(out, "%s%s%s:%d", ip6 ? "[" : "",
	    address[0] ? address : "*", ip6 ? "]" : "",
	    (int)number_at(socket, "port"));
}

static void
print_listener(struct text *out, const json_t *told)
{
	const json_t *socket = json_object_get(told, "socket");
	const char *hostname = text_at(told, "listenerHostname");

	if (!socket)
		return;
	push_label(out, "address");
	push_socket(out, socket);
	if (json_object_get(told, "notListening")) {
		text_push_string(out, ", which is not open: ");
		push_clean(out, text_at(told, "notListening"));
	}
	text_push_byte(out, '\n');
	if (!json_object_get(told, "listener"))
		return;
	push_label(out, "listener");
	text_printf(out, "Gateway %s %s, hostname %s\n",
	    text_at(told, "gateway"), text_at(told, "listener"),
	    hostname[0] ? hostname : "any");
}

/* "HTTPRoute/default/web" as people write it. */
static void
push_route(struct text *out, const json_t *one)
{
	const char *route = text_at(one, "route");
	const char *slash = strchr(route, '/');
	const char *rule = text_at(one, "rule");

	if (slash)
		text_printf(
		    out, "%.*s %s", (int)(slash - route), route, slash + 1);
	if (rule[0]) {
		text_push_string(out, " rule ");
		push_clean(out, rule);
	}
	if (json_object_get(one, "match")) {
		text_push_string(out, "  ");
		push_clean(out, text_at(one, "match"));
	}
}

static void
print_candidates(struct text *out, const json_t *told)
{
	const json_t *candidates = json_object_get(told, "candidates");
	json_int_t left = number_at(told, "candidatesLeft");

	if (json_object_get(told, "route")) {
		push_label(out, "route");
		push_route(out, told);
		text_push_byte(out, '\n');
	}
	for (size_t i = 0; i < json_array_size(candidates); i++) {
		const json_t *one = json_array_get(candidates, i);

		text_push_string(out, "  not     ");
		push_route(out, one);
		text_push_string(out, ": ");
		push_clean(out, text_at(one, "why"));
		text_push_byte(out, '\n');
	}
	if (left > 0)
		text_printf(out, "  not     %d more\n", (int)left);
}

static void
push_fields(struct text *out, const json_t *does, const char *verb)
{
	const json_t *list = json_object_get(does, verb);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		text_printf(out, " %s ", verb);
		if (json_is_string(one)) {
			push_clean(out, json_string_value(one));
			continue;
		}
		push_clean(out, text_at(one, "name"));
		text_push_string(out, ": ");
		push_clean(out, text_at(one, "value"));
	}
}

static void
print_filters(struct text *out, const json_t *owner)
{
	const json_t *filters = json_object_get(owner, "filters");

	for (size_t i = 0; i < json_array_size(filters); i++) {
		const json_t *filter = json_array_get(filters, i);
		const json_t *does = json_object_get(filter, "does");

		push_label(out, "filter");
		text_push_string(out, text_at(filter, "type"));
		push_fields(out, does, "remove");
		push_fields(out, does, "set");
		push_fields(out, does, "add");
		text_push_byte(out, '\n');
	}
	if (!json_object_get(owner, "location"))
		return;
	push_label(out, "location");
	push_clean(out, text_at(owner, "location"));
	text_push_byte(out, '\n');
}

/* "service/default/web" as people write it. */
static void
push_target(struct text *out, const json_t *backend)
{
	const char *target = text_at(backend, "target");
	json_int_t port = number_at(backend, "port");
	const char *slash = strchr(target, '/');

	text_push_string(out,
	    target[0] == '\0'      ? "a backend that is none"
	        : target[0] == 's' ? "Service "
	                           : "XBackend ");
	push_clean(out, slash ? slash + 1 : target);
	if (port > 0)
		text_printf(out, ":%d", (int)port);
}

static void
print_endpoints(struct text *out, const json_t *backend)
{
	const json_t *addresses = json_object_get(backend, "addresses");
	size_t count = json_array_size(addresses);

	text_printf(out, ", %d of %d endpoints used",
	    (int)number_at(backend, "used"),
	    (int)number_at(backend, "endpoints"));
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(addresses, i);
		bool ready = json_is_true(json_object_get(one, "ready"));

		text_printf(out, "%s%s%s", i == 0 ? ": " : ", ",
		    text_at(one, "address"), ready ? "" : " (not ready)");
	}
	if ((json_int_t)count < number_at(backend, "endpoints"))
		text_push_string(out, ", ...");
}

static void
print_backends(struct text *out, const json_t *told)
{
	const json_t *backends = json_object_get(told, "backends");

	for (size_t i = 0; i < json_array_size(backends); i++) {
		const json_t *backend = json_array_get(backends, i);

		push_label(out, "backend");
		push_target(out, backend);
		text_printf(out, ", weight %d of %d",
		    (int)number_at(backend, "weight"),
		    (int)number_at(backend, "weightSum"));
		if (json_object_get(backend, "addresses"))
			print_endpoints(out, backend);
		if (text_at(backend, "reason")[0]) {
			text_printf(out,
			    ": %d %s: ", (int)number_at(backend, "status"),
			    text_at(backend, "reason"));
			push_clean(out, text_at(backend, "why"));
		}
		text_push_byte(out, '\n');
		print_filters(out, backend);
	}
}

/* Where it could have gone, when it went nowhere. */
static void
print_choices(struct text *out, const json_t *told)
{
	const json_t *sockets = json_object_get(told, "sockets");
	const json_t *listeners = json_object_get(told, "listeners");

	for (size_t i = 0; i < json_array_size(sockets); i++) {
		text_push_string(out, "  there is ");
		push_socket(out, json_array_get(sockets, i));
		text_push_byte(out, '\n');
	}
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *one = json_array_get(listeners, i);

		text_printf(out, "  not     Gateway %s %s: it takes %s\n",
		    text_at(one, "gateway"), text_at(one, "listener"),
		    text_at(one, "hostname"));
	}
}

static void
print_verdict(struct text *out, const json_t *told)
{
	const char *verdict = text_at(told, "verdict");
	const char *why = text_at(told, "why");
	json_int_t status = number_at(told, "status");

	push_label(out, "answer");
	if (strcmp(verdict, "backend") == 0)
		text_push_string(out, "the backend's");
	else if (strcmp(verdict, "depends") == 0)
		text_push_string(out, "it depends on the backend chosen");
	else if (strcmp(verdict, "nowhere") == 0)
		text_push_string(
		    out, "none: no listener is on this address and port");
	else if (strcmp(verdict, "ambiguous") == 0)
		text_push_string(out,
		    "several addresses would take it: say which by "
		    "--address");
	else
		text_printf(out, "%d", (int)status);
	if (text_at(told, "reason")[0])
		text_printf(out, " %s: %s", text_at(told, "reason"),
		    text_at(told, "meaning"));
	if (why[0]) {
		text_push_string(out, ": ");
		push_clean(out, why);
	}
	text_push_byte(out, '\n');
}

void
explain_print(struct text *out, const json_t *told)
{
	print_request(out, told);
	print_listener(out, told);
	print_candidates(out, told);
	print_filters(out, told);
	print_backends(out, told);
	print_verdict(out, told);
	print_choices(out, told);
}
