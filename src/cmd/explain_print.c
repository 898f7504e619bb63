/* What `explain` prints: a line a step, in the order in which a request takes
 * them, then the candidates that lost. */
#include "cmd/explain_priv.h"

#include "cmd/look.h"

/* Texts of files come here: none may break a line or drive a terminal. */
static void
push_clean(struct text *out, const char *s)
{
	for (; s && *s; s++)
		text_push_byte(
		    out, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
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
	push_clean(out, look_text(request, "method"));
	text_push_string(out, " host ");
	push_clean(out, look_text(request, "host"));
	text_push_string(out, " path ");
	push_clean(out, look_text(request, "path"));
	if (json_object_get(request, "query")) {
		text_push_string(out, " query ");
		push_clean(out, look_text(request, "query"));
	}
	text_push_byte(out, '\n');
}

static void
push_socket(struct text *out, const json_t *socket)
{
	const char *address = look_text(socket, "address");
	bool ip6 = strchr(address, ':') != NULL;

	text_printf(out, "%s%s%s:%d", ip6 ? "[" : "",
	    address[0] ? address : "*", ip6 ? "]" : "",
	    (int)look_number(socket, "port"));
	if (json_is_true(json_object_get(socket, "tls")))
		text_push_string(out, " in TLS");
}

static void
push_listener(struct text *out, const json_t *one)
{
	const char *set = look_text(one, "listenerSet");

	text_printf(out, "Gateway %s%s%s %s", look_text(one, "gateway"),
	    set[0] ? " ListenerSet " : "", set, look_text(one, "listener"));
}

static void
print_hello(struct text *out, const json_t *tls)
{
	const char *name = look_text(tls, "serverName");
	const json_t *list = json_object_get(tls, "certificates");

	if (!tls)
		return;
	push_label(out, "tls");
	text_push_string(out, name[0] ? "server name " : "no server name");
	push_clean(out, name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		text_push_string(out, i > 0 ? " " : ", certificate ");
		push_clean(out, json_string_value(json_array_get(list, i)));
	}
	if (list)
		text_printf(out, ", client certificate %s",
		    look_text(tls, "clientCertificate"));
	text_push_byte(out, '\n');
}

static void
print_listener(struct text *out, const json_t *told)
{
	const json_t *socket = json_object_get(told, "socket");
	const char *hostname = look_text(told, "listenerHostname");

	if (!socket)
		return;
	push_label(out, "address");
	push_socket(out, socket);
	if (json_object_get(told, "notListening")) {
		text_push_string(out, ", which is not open: ");
		push_clean(out, look_text(told, "notListening"));
	}
	text_push_byte(out, '\n');
	print_hello(out, json_object_get(told, "tls"));
	if (!json_object_get(told, "listener"))
		return;
	push_label(out, "listener");
	push_listener(out, told);
	text_printf(out, ", hostname %s\n", hostname[0] ? hostname : "any");
}

/* "HTTPRoute/default/web" as people write it. */
static void
push_route(struct text *out, const json_t *one)
{
	const char *route = look_text(one, "route");
	const char *slash = strchr(route, '/');
	const char *rule = look_text(one, "rule");

	if (slash)
		text_printf(
		    out, "%.*s %s", (int)(slash - route), route, slash + 1);
	if (rule[0]) {
		text_push_string(out, " rule ");
		push_clean(out, rule);
	}
	if (json_object_get(one, "match")) {
		text_push_string(out, "  ");
		push_clean(out, look_text(one, "match"));
	}
}

static void
print_candidates(struct text *out, const json_t *told)
{
	const json_t *candidates = json_object_get(told, "candidates");
	json_int_t left = look_number(told, "candidatesLeft");

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
		push_clean(out, look_text(one, "why"));
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
		push_clean(out, look_text(one, "name"));
		text_push_string(out, ": ");
		push_clean(out, look_text(one, "value"));
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
		text_push_string(out, look_text(filter, "type"));
		push_fields(out, does, "remove");
		push_fields(out, does, "set");
		push_fields(out, does, "add");
		text_push_byte(out, '\n');
	}
	if (!json_object_get(owner, "location"))
		return;
	push_label(out, "location");
	push_clean(out, look_text(owner, "location"));
	text_push_byte(out, '\n');
}

/* "service/default/web" as people write it. */
static void
push_target(struct text *out, const json_t *backend)
{
	const char *target = look_text(backend, "target");
	json_int_t port = look_number(backend, "port");
	const char *slash = strchr(target, '/');

	text_push_string(out,
	    target[0] == '\0'      ? "a backend that is none"
	        : target[0] == 's' ? "Service "
	                           : "XBackend ");
	push_clean(out, slash ? slash + 1 : target);
	if (port > 0)
		text_printf(out, ":%d", (int)port);
}

/* "in TLS as app.example.com, one of spiffe://x, believing ..." */
static void
print_tls(struct text *out, const json_t *tls)
{
	static const struct {
		const char *key, *before;
	} lists[] = {{"names", ", one of "}, {"authorities", ", believing "}};

	text_push_string(out, ", in TLS as ");
	push_clean(out, look_text(tls, "hostname"));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const json_t *list = json_object_get(tls, lists[i].key);

		for (size_t j = 0; j < json_array_size(list); j++) {
			text_push_string(out, j > 0 ? " " : lists[i].before);
			push_clean(
			    out, json_string_value(json_array_get(list, j)));
		}
	}
	if (look_text(tls, "certificate")[0]) {
		text_push_string(out, ", showing ");
		push_clean(out, look_text(tls, "certificate"));
	}
}

static void
print_endpoints(struct text *out, const json_t *backend)
{
	const json_t *addresses = json_object_get(backend, "addresses");
	size_t count = json_array_size(addresses);

	text_printf(out, ", %d of %d endpoints used",
	    (int)look_number(backend, "used"),
	    (int)look_number(backend, "endpoints"));
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(addresses, i);
		bool ready = json_is_true(json_object_get(one, "ready"));

		text_printf(out, "%s%s%s", i == 0 ? ": " : ", ",
		    look_text(one, "address"), ready ? "" : " (not ready)");
	}
	if ((json_int_t)count < look_number(backend, "endpoints"))
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
		    (int)look_number(backend, "weight"),
		    (int)look_number(backend, "weightSum"));
		if (json_object_get(backend, "tls"))
			print_tls(out, json_object_get(backend, "tls"));
		if (json_object_get(backend, "addresses"))
			print_endpoints(out, backend);
		if (look_text(backend, "reason")[0]) {
			text_printf(out,
			    ": %d %s: ", (int)look_number(backend, "status"),
			    look_text(backend, "reason"));
			push_clean(out, look_text(backend, "why"));
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

		text_push_string(out, "  not     ");
		push_listener(out, one);
		text_printf(out, ": it takes %s\n", look_text(one, "hostname"));
	}
}

static void
print_verdict(struct text *out, const json_t *told)
{
	const char *verdict = look_text(told, "verdict");
	const char *why = look_text(told, "why");
	json_int_t status = look_number(told, "status");

	push_label(out, "answer");
	if (strcmp(verdict, "backend") == 0)
		text_push_string(out, "the backend's");
	else if (strcmp(verdict, "depends") == 0)
		text_push_string(out, "it depends on the backend chosen");
	else if (strcmp(verdict, "nowhere") == 0)
		text_push_string(
		    out, "none: no listener is on this address and port");
	else if (strcmp(verdict, "handshake") == 0)
		text_push_string(out, "none: the TLS handshake fails");
	else if (strcmp(verdict, "ambiguous") == 0)
		text_push_string(out,
		    "several addresses would take it: say which by "
		    "--address");
	else
		text_printf(out, "%d", (int)status);
	if (look_text(told, "reason")[0])
		text_printf(out, " %s: %s", look_text(told, "reason"),
		    look_text(told, "meaning"));
	if (why[0]) {
		text_push_string(out, ": ");
		push_clean(out, why);
	}
	text_push_byte(out, '\n');
}

static void
print_problems(struct text *out, const json_t *told)
{
	const json_t *problems = json_object_get(told, "problems");

	for (size_t i = 0; i < json_array_size(problems); i++) {
		const json_t *one = json_array_get(problems, i);

		push_label(out, "problem");
		text_printf(out, "%s ", look_text(one, "code"));
		push_clean(out, look_text(one, "object"));
		text_push_string(out, ": ");
		push_clean(out, look_text(one, "field"));
		text_push_string(out, ": ");
		push_clean(out, look_text(one, "message"));
		text_push_byte(out, '\n');
	}
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
	print_problems(out, told);
}
