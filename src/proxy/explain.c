/* The way of a request that nobody sends: the head is parsed, the socket found,
 * then each step that a worker would take, in its order. */
#include "proxy/explain_priv.h"

#include "core/memory.h"
#include "net/address.h"
#include "proxy/answer.h"
#include "proxy/reading.h"
#include "wire/h1.h"

void
explain_member(struct text *out, const char *name, struct slice value)
{
	text_printf(out, ",\n \"%s\": ", name);
	text_push_json(out, slice_is_set(value) ? value : SLICE(""));
}

void
explain_verdict(
    struct text *out, const char *verdict, int status, enum reason reason)
{
	const struct reason_row *row = &reason_rows[reason];

	text_printf(out, "{\"verdict\": \"%s\",\n \"status\": ", verdict);
	if (status > 0)
		text_push_number(out, (uint64_t)status);
	else
		text_push_string(out, "null");
	explain_member(out, "reason", row->word);
	explain_member(out, "meaning",
	    status > 0 && reason == REASON_NONE
	        ? SLICE("")
	        : slice_from_string(row->meaning));
}

static void
tell_request(struct explaining *explaining)
{
	const struct wire_head *head = explaining->head;
	struct text *out = explaining->out;

	text_push_string(out, ",\n \"request\": {\"method\": ");
	text_push_json(out, head->method);
	text_push_string(out, ", \"host\": ");
	text_push_json(out, explaining->host);
	text_push_string(out, ", \"path\": ");
	text_push_json(out, explaining->path);
	if (slice_is_set(head->query)) {
		text_push_string(out, ", \"query\": ");
		text_push_json(out, head->query);
	}
	text_push_byte(out, '}');
}

/* ---- the socket ---- */

static void
tell_socket(struct text *out, const struct snap_socket *socket)
{
	text_push_string(out, "{\"address\": ");
	text_push_json(out, socket->address);
	text_printf(out, ", \"port\": %u", socket->port);
	text_push_string(out, socket->tls ? ", \"tls\": true}" : "}");
}

static void
tell_sockets(
    struct text *out, const struct snap_socket *const *sockets, unsigned count)
{
	text_push_string(out, ",\n \"sockets\": [");
	for (unsigned i = 0; i < count && i < EXPLAIN_LIST; i++) {
		text_push_string(out, i > 0 ? ", " : "");
		tell_socket(out, sockets[i]);
	}
	text_push_byte(out, ']');
}

static bool
is_unspecified(struct slice address)
{
	return address.length == 0 || slice_equal(address, SLICE("0.0.0.0")) ||
	    slice_equal(address, SLICE("::"));
}

/* Does a connection to address get there? The kernel prefers a socket of that
 * very address (2) to one of all (1). */
static unsigned
reach(const struct snap_socket *socket, const struct net_address *address)
{
	struct net_address own;

	if (is_unspecified(socket->address))
		return 1;
	return net_address_parse(socket->address, socket->port, &own) ==
	            ERROR_OK &&
	        net_address_equal(&own, address)
	    ? 2
	    : 0;
}

static bool
takes_host(struct explaining *explaining, const struct snap_socket *socket)
{
	struct snap_decision decision;
	struct snap_request request = explaining->request;

	if (explaining->explain->tls)
		return explain_takes_hello(explaining, socket->id, &decision);
	request.socket = socket->id;
	snap_decide(explaining->explain->set, &request, &decision);
	return decision.reason != REASON_NO_LISTENER;
}

/* Of those that a connection could reach, the one that takes the host. */
static bool
choose_socket(struct explaining *explaining,
    const struct snap_socket *const *open, unsigned count)
{
	unsigned taking = 0;

	explaining->socket = *open[0];
	for (unsigned i = 0; i < count && count > 1; i++) {
		if (!takes_host(explaining, open[i]))
			continue;
		explaining->socket = *open[i];
		taking++;
	}
	if (taking < 2)
		return true;
	explain_verdict(explaining->out, "ambiguous", 0, REASON_NONE);
	tell_sockets(explaining->out, open, count);
	return false;
}

/* Sets explaining->socket. False: the verdict has been told. */
static bool
find_socket(struct explaining *explaining)
{
	const struct proxy_explain *explain = explaining->explain;
	const struct snap_socket *sockets;
	unsigned count = snap_set_sockets(explain->set, &sockets), found = 0;
	unsigned best = 1;
	struct net_address address;
	const struct snap_socket **open =
	    arena_alloc(&explaining->arena, (count + 1) * sizeof(const void *));
	bool is_said = explain->address.length > 0 &&
	    net_address_parse(explain->address, explain->port, &address) ==
	        ERROR_OK;

	for (unsigned i = 0; i < count; i++) {
		unsigned one = 1;

		if (sockets[i].flow || sockets[i].port != explain->port ||
		    sockets[i].tls != explain->tls)
			continue;
		if (is_said)
			one = reach(&sockets[i], &address);
		if (one > best)
			found = 0;
		if (one >= best) {
			best = one;
			open[found++] = &sockets[i];
		}
	}
	if (found > 0)
		return choose_socket(explaining, open, found);
	for (unsigned i = 0; i < count; i++)
		open[i] = &sockets[i];
	explain_verdict(explaining->out, "nowhere", 0, REASON_NONE);
	tell_sockets(explaining->out, open, count);
	return false;
}

/* ---- the request ---- */

/* False: it is refused before anything is decided, which has been told. */
static bool
read_request(struct explaining *explaining, enum error error)
{
	struct wire_head *head = explaining->head;
	struct text *out = explaining->out;
	uint64_t left;

	if (error == ERROR_OK)
		error = proxy_read_host(
		    head, explaining->host_storage, &explaining->host);
	if (error == ERROR_OK) {
		int status = proxy_method_refusal(head->method_id);

		if (status > 0) {
			explain_verdict(
			    out, "refused", status, REASON_HTTP_REQUEST_ERROR);
			return false;
		}
		if (head->method_id == METHOD_OPTIONS &&
		    proxy_read_max_forwards(head, &left) && left == 0) {
			explain_verdict(out, "answer", 200, REASON_NONE);
			return false;
		}
		error = proxy_read_path(head, explaining->scratch,
		    sizeof(explaining->scratch), &explaining->path);
	}
	if (error != ERROR_OK) {
		explain_verdict(out, "refused", wire_h1_status(error),
		    proxy_reason_of(error, PROXY_PLACE_CLIENT));
		explain_member(
		    out, "why", slice_from_string(error_text(error)));
		return false;
	}
	/* Deciding needs the scratch. */
	explaining->path = arena_copy(&explaining->arena, explaining->path);
	explaining->request = (struct snap_request){
	    .host = explaining->host,
	    .path = explaining->path,
	    .query = head->query,
	    .method = head->method,
	    .fields = head->fields,
	    .field_count = head->field_count,
	    .scratch = explaining->scratch,
	    .matcher = explaining->matcher,
	};
	return true;
}

static enum error
parse(struct explaining *explaining)
{
	static const struct wire_h1_limits limits = {
	    .head_bytes = LIMIT_VALUE_REQUEST_HEAD_BYTES,
	    .target_bytes = LIMIT_VALUE_REQUEST_TARGET_BYTES,
	    .fields = LIMIT_VALUE_REQUEST_FIELDS,
	};
	struct wire_h1_parser parser;

	wire_h1_parser_init(&parser, &limits);
	ssize_t length = wire_h1_request_feed(
	    &parser, explaining->explain->head, explaining->head);

	if (length < 0)
		return (enum error) - length;
	return length == 0 ? ERROR_TRUNCATED : ERROR_OK;
}

/* ---- what was decided ---- */

/* The ListenerSet, where the Gateway itself does not list it. */
static void
tell_set(struct text *out, const struct unit_listener *listener)
{
	if (listener->set_name.length > 0)
		text_printf(out, ", \"listenerSet\": \"%.*s/%.*s\"",
		    SLICE_ARGS(listener->set_namespace),
		    SLICE_ARGS(listener->set_name));
}

static void
tell_listener(struct explaining *explaining)
{
	const struct proxy_explain *explain = explaining->explain;
	const struct unit *unit = explaining->decision.listener_unit;
	struct text *out = explaining->out;
	struct slice why = SLICE("");

	text_push_string(out, ",\n \"socket\": ");
	tell_socket(out, &explaining->socket);
	if (explain->tls)
		explain_tls(explaining);
	if (!unit)
		return;
	text_printf(out, ",\n \"gateway\": \"%.*s/%.*s\"",
	    SLICE_ARGS(unit->listener->gateway_namespace),
	    SLICE_ARGS(unit->listener->gateway_name));
	tell_set(out, unit->listener);
	explain_member(out, "listener", unit->listener->name);
	explain_member(out, "listenerHostname", unit->listener->hostname);
	if (explain->listens &&
	    explain->listens(explain->context, unit, &why) != ERROR_OK)
		explain_member(out, "notListening", why);
}

/* Those of the socket, where none takes the host. */
static void
tell_listeners(struct explaining *explaining)
{
	const struct unit *unit;
	struct text *out = explaining->out;
	unsigned told = 0;
	size_t at = 0;

	text_push_string(out, ",\n \"listeners\": [");
	while (told < EXPLAIN_LIST &&
	    snap_store_next(explaining->explain->store, &at, &unit)) {
		if (unit->kind != UNIT_LISTENER ||
		    unit->listener->port != explaining->socket.port)
			continue;
		text_push_string(out, told++ > 0 ? ", " : "");
		text_printf(out, "{\"gateway\": \"%.*s/%.*s\"",
		    SLICE_ARGS(unit->listener->gateway_namespace),
		    SLICE_ARGS(unit->listener->gateway_name));
		tell_set(out, unit->listener);
		text_push_string(out, ", \"listener\": ");
		text_push_json(out, unit->listener->name);
		text_push_string(out, ", \"hostname\": ");
		text_push_json(out, unit->listener->hostname);
		text_push_byte(out, '}');
	}
	text_push_byte(out, ']');
}

static void
tell_route(struct explaining *explaining)
{
	const struct snap_decision *decision = &explaining->decision;
	struct text *out = explaining->out;

	explain_member(out, "route",
	    slice_skip(decision->route_unit->name, sizeof("route/") - 1));
	explain_member(out, "rule", decision->rule->identity);
	explain_member(
	    out, "match", explain_match(explaining, decision->match));
	explain_filters(explaining);
	if (decision->rule->refused.length > 0)
		explain_member(out, "why", decision->rule->refused);
}

static void
tell_candidates(struct explaining *explaining)
{
	struct text *out = explaining->out;

	text_push_string(out, ",\n \"candidates\": [");
	for (uint32_t i = 0; i < explaining->candidate_count; i++) {
		const struct explain_candidate *one =
		    &explaining->candidates[i];

		text_printf(out, "%s\n  {\"route\": \"%.*s\"", i > 0 ? "," : "",
		    SLICE_ARGS(
		        slice_skip(one->route->name, sizeof("route/") - 1)));
		if (one->rule) {
			text_push_string(out, ", \"rule\": ");
			text_push_json(out, one->rule->identity);
		}
		if (one->match) {
			text_push_string(out, ", \"match\": ");
			text_push_json(
			    out, explain_match(explaining, one->match));
		}
		text_push_string(out, ", \"why\": ");
		text_push_json(out, one->why);
		text_push_byte(out, '}');
	}
	text_printf(
	    out, "],\n \"candidatesLeft\": %u", explaining->candidates_left);
}

static void
tell_decision(struct explaining *explaining)
{
	const struct snap_decision *decision = &explaining->decision;
	enum reason reason = decision->reason;
	struct text *out = explaining->out;

	if (explaining->explain->tls && decision->listener_unit &&
	    decision->listener_id != explaining->hello.listener_id)
		reason = REASON_MISDIRECTED;
	if (reason == REASON_NONE && decision->rule->refused.length > 0)
		reason = REASON_RULE_REFUSED;
	if (reason == REASON_NONE)
		explain_backends(explaining);
	else
		explain_verdict(
		    out, "refused", reason_rows[reason].status, reason);
	tell_request(explaining);
	tell_listener(explaining);
	if (decision->reason == REASON_NONE && reason != REASON_MISDIRECTED)
		tell_route(explaining);
	else if (decision->reason == REASON_NO_LISTENER)
		tell_listeners(explaining);
	tell_candidates(explaining);
}

/* False: the verdict has been told, the request is read. */
static bool
find_socket_of(struct explaining *explaining)
{
	if (find_socket(explaining))
		return true;
	tell_request(explaining);
	return false;
}

/* The handshake comes before there is any request. */
static bool
explain_secure(struct explaining *explaining)
{
	if (!find_socket(explaining))
		return false;
	if (explain_handshake(explaining) &&
	    read_request(explaining, parse(explaining)))
		return true;
	text_push_string(explaining->out, ",\n \"socket\": ");
	tell_socket(explaining->out, &explaining->socket);
	explain_tls(explaining);
	if (!explaining->hello.listener_unit)
		tell_listeners(explaining);
	return false;
}

void
proxy_explain(struct text *out, const struct proxy_explain *explain)
{
	must(out && explain && explain->set && explain->store);
	struct explaining *explaining = memory_zero(1, sizeof(*explaining));

	explaining->explain = explain;
	explaining->out = out;
	explaining->head = memory_zero(1, sizeof(*explaining->head));
	explaining->matcher = snap_matcher_new(NULL, NULL);
	arena_init(&explaining->arena, 4096);
	if (explain->tls ? explain_secure(explaining)
	                 : read_request(explaining, parse(explaining)) &&
	            find_socket_of(explaining)) {
		explaining->request.socket = explaining->socket.id;
		explain_decide(explaining);
		tell_decision(explaining);
	}
	text_push_string(out, "}\n");
	arena_fini(&explaining->arena);
	snap_matcher_free(&explaining->matcher);
	memory_free(explaining->head);
	memory_free(explaining);
}
