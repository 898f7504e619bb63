/* The handler of the workers' exchanges: decides what a request is, sends it
 * through the filters, and to a backend until one answers or no attempt is
 * left. All that it needs of the set it reads in one go in on_request; after
 * that it knows only the units that it holds. */
#include "core/must.h"
#include "proxy/answer.h"
#include "proxy/balancer.h"
#include "proxy/filter.h"
#include "proxy/reading.h"
#include "proxy/report.h"
#include "proxy/request.h"
#include "proxy/stamp.h"
#include "proxy/tls.h"
#include "proxy/worker_priv.h"
#include "wire/h1.h"

static void attempt(struct proxy_request *request, bool fresh);
static void on_stream(
    struct proxy_waiter *waiter, struct http_stream *stream, enum error error);

static void
refuse(struct proxy_request *request, enum reason reason)
{
	request->reason = reason;
	proxy_answer(request->exchange, reason);
}

static void
refuse_with(struct proxy_request *request, enum reason reason, int status,
    const struct field *field)
{
	request->reason = reason;
	proxy_answer_with(request->exchange, reason, (uint16_t)status, field);
}

/* A path that was not canonical is replaced in the head too, so that what is
 * matched is what is forwarded. */
static enum error
read_path(struct proxy_request *request, struct wire_head *head)
{
	struct proxy_worker *worker = request->worker;
	enum error error = proxy_read_path(
	    head, worker->scratch, sizeof(worker->scratch), &request->path);
	if (unlikely(
	        error == ERROR_OK && request->path.data == worker->scratch)) {
		request->path =
		    arena_copy(&request->exchange->arena, request->path);
		head->path = request->path;
		head->target = SLICE_NONE;
	}
	return error;
}

#define ALLOWED "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"

static const struct field allow = {.name = "Allow",
    .name_length = sizeof("Allow") - 1,
    .value = ALLOWED,
    .value_length = sizeof(ALLOWED) - 1,
    .id = FIELD_OTHER};

/* At 0 we are the one who answers; else one less goes on. */
static bool
take_max_forwards(struct proxy_request *request, struct wire_head *head)
{
	uint64_t left;
	struct field *field = proxy_read_max_forwards(head, &left);
	if (!field)
		return true;
	if (left == 0) {
		http_exchange_answer(
		    request->exchange, 200, &allow, 1, SLICE(""));
		return false;
	}
	struct slice value = arena_format(
	    &request->exchange->arena, "%llu", (unsigned long long)left - 1);
	field->value = value.data;
	field->value_length = (uint32_t)value.length;
	wire_head_touch(head, (unsigned)(field - head->fields));
	return true;
}

static inline bool
is_served(struct proxy_request *request, struct wire_head *head)
{
	int status = proxy_method_refusal(head->method_id);
	if (unlikely(status > 0)) {
		refuse_with(request, REASON_HTTP_REQUEST_ERROR, status,
		    head->method_id == METHOD_CONNECT ? &allow : NULL);
		return false;
	}
	return likely(head->method_id != METHOD_OPTIONS) ||
	    take_max_forwards(request, head);
}

/* One that is not, or that is spoken to in TLS: as the set has it now, with its
 * settings and the certificate that it is to be shown, or not at all. */
static __attribute__((noinline)) enum reason
find_other(
    struct proxy_request *request, uint32_t id, struct proxy_backend **backend)
{
	struct proxy_worker *worker = request->worker;
	const struct snap_backend *snap;
	enum reason reason =
	    proxy_find_backend(worker->set, request->backend_ref, id, &snap);
	if (reason != REASON_NONE)
		return reason;
	*backend = proxy_backends_get_tls(&worker->backends, worker->set, snap,
	    proxy_shown_certificate(snap->tls, request->listener));
	if ((*backend)->tls->is_usable)
		return REASON_NONE;
	*backend = NULL;
	return REASON_TLS_REFUSED;
}

/* Where the backendRef leads, and what the worker knows of that. */
static inline __attribute__((always_inline)) enum reason
find_backend(
    struct proxy_request *request, uint32_t id, struct proxy_backend **backend)
{
	struct proxy_worker *worker = request->worker;
	const struct snap_backend *snap = snap_set_backend(worker->set, id);
	if (unlikely(!snap || !snap->is_plain ||
	        request->backend_ref->refused.length > 0))
		return find_other(request, id, backend);
	*backend = proxy_backends_get(&worker->backends, snap);
	return REASON_NONE;
}

/* Before another attempt: what a newer set may say of the backend, also that it
 * is to be spoken to in another way. One that is there no more has its time
 * still. False: it must not be spoken to. */
static set_apart bool
find_again(struct proxy_request *request)
{
	struct proxy_backend *found = NULL;
	enum reason reason =
	    find_backend(request, request->backend->id, &found);
	if (reason == REASON_TLS_REFUSED) {
		refuse(request, reason);
		return false;
	}
	if (reason == REASON_NONE && found != request->backend) {
		found->references++;
		proxy_backend_unref(request->backend);
		request->backend = found;
	}
	return true;
}

/* The backendRef, by weight, and what the worker knows of it. */
static inline enum reason
choose_backend(
    struct proxy_request *request, const struct snap_decision *decision)
{
	struct proxy_worker *worker = request->worker;
	const struct unit_rule *rule = decision->rule;
	uint32_t at = proxy_balancer_weigh(rule->backends, rule->backends_count,
	    decision->weight_sum, &worker->random);
	if (unlikely(at == rule->backends_count))
		return REASON_NO_BACKEND;
	request->backend_ref = &rule->backends[at];
	enum reason reason =
	    find_backend(request, decision->backend_ids[at], &request->backend);
	if (likely(reason == REASON_NONE))
		request->backend->references++;
	return reason;
}

/* Everything that comes from the set. secure is known where it is called. */
static inline __attribute__((always_inline)) enum reason
decide(struct proxy_request *request, struct wire_head *head, bool secure)
{
	struct proxy_worker *worker = request->worker;
	if (unlikely(!worker->set))
		return REASON_NO_LISTENER;
	struct snap_request wanted = {
	    .socket = request->socket->id,
	    .host = request->host,
	    .path = request->path,
	    .query = head->query,
	    .method = head->method,
	    .fields = head->fields,
	    .field_count = head->field_count,
	    .scratch = worker->scratch,
	    .matcher = worker->matcher,
	};
	struct snap_decision decision;
	snap_decide(worker->set, &wanted, &decision);
	if (decision.listener_unit) {
		request->listener = decision.listener_unit;
		request->count_id = decision.listener_id;
		snap_hold(worker->holds, request->listener);
		/* Gateway API, Listener.hostname: where another listener than
		 * that of the SNI takes the host, 421; where none does, 404.
		 */
		if (secure &&
		    unlikely(!proxy_tls_is_for(worker->tls, worker->set,
		        decision.listener_id,
		        http_exchange_socket(request->exchange))))
			return REASON_MISDIRECTED;
	}
	if (unlikely(decision.reason != REASON_NONE))
		return decision.reason;
	request->route = decision.route_unit;
	request->rule = decision.rule;
	request->match = decision.match;
	request->count_id = decision.rule_id;
	snap_hold(worker->holds, request->route);
	if (unlikely(decision.rule->refused.length > 0))
		return REASON_RULE_REFUSED;
	request->refusal = choose_backend(request, &decision);
	return REASON_NONE;
}

static inline __attribute__((always_inline)) bool
stamp(struct proxy_request *request, struct wire_head *head, bool secure)
{
	const struct proxy_socket *socket = request->socket;
	struct proxy_stamp stamp = {
	    .peer = http_exchange_peer(request->exchange),
	    .port = socket->port_text,
	    .port_length = socket->port_length,
	    .secure = secure,
	    .local = slice_make(socket->local_text, socket->local_length),
	    .block = request->stamp,
	    .random = &request->worker->random,
	};
	bool fits = proxy_stamp_request(head, &stamp);
	request->client = stamp.client;
	request->request_id = stamp.request_id;
	request->user_agent = stamp.user_agent;
	if (secure && fits)
		fits = proxy_tls_tell_client(request->exchange,
		    http_exchange_socket(request->exchange),
		    &request->worker->metrics);
	return fits;
}

/* Which phases the filters of the rule and of its backendRef take part in. */
static void
note_phases(struct proxy_request *request)
{
	unsigned phases = proxy_filters_phases(
	    request->rule->filters, request->rule->filters_count);
	if (request->backend_ref)
		phases |= proxy_filters_phases(request->backend_ref->filters,
		    request->backend_ref->filters_count);
	request->filters_response = (phases & PROXY_PHASE_RESPONSE) != 0;
}

/* Filters in order, then the backend. Called again after a wait. */
void
proxy_request_resume(struct proxy_request *request)
{
	const struct unit_rule *rule = request->rule;
	if (request->stage == PROXY_STAGE_ROUTE_FILTERS) {
		if (unlikely(rule->filters_count > 0) &&
		    proxy_filters_run(request, rule->filters,
		        rule->filters_count, PROXY_PHASE_ROUTE,
		        &request->filter_next) != PROXY_GO_ON)
			return;
		if (unlikely(request->refusal != REASON_NONE)) {
			refuse(request, request->refusal);
			return;
		}
		request->stage = PROXY_STAGE_BACKEND_FILTERS;
		request->filter_next = 0;
	}
	if (request->stage == PROXY_STAGE_BACKEND_FILTERS) {
		const struct unit_backend *chosen = request->backend_ref;
		if (unlikely(chosen->filters_count > 0) &&
		    proxy_filters_run(request, chosen->filters,
		        chosen->filters_count, PROXY_PHASE_BACKEND,
		        &request->filter_next) != PROXY_GO_ON)
			return;
		request->stage = PROXY_STAGE_ATTEMPTS;
	}
	attempt(request, false);
}

static inline __attribute__((always_inline)) void
take_request(struct http_exchange *exchange, bool secure)
{
	const struct proxy_socket *socket = exchange->handler_context;
	struct proxy_request *request = proxy_request_take(socket->worker);
	struct wire_head *head = exchange->request;
	exchange->handler_state = request;
	request->exchange = exchange;
	request->socket = socket;
	request->waiter.on_stream = on_stream;
	request->path = head->path;
	request->query = head->query;
	if (secure && unlikely(request->worker->log != NULL))
		request->tls =
		    proxy_tls_facts(exchange, http_exchange_socket(exchange));
	enum error error =
	    proxy_read_host(head, request->host_storage, &request->host);
	if (likely(error == ERROR_OK)) {
		if (unlikely(!is_served(request, head)))
			return;
		error = read_path(request, head);
	}
	if (unlikely(error != ERROR_OK)) {
		refuse_with(request, proxy_reason_of(error, PROXY_PLACE_CLIENT),
		    wire_h1_status(error), NULL);
		return;
	}
	enum reason reason = decide(request, head, secure);
	if (likely(reason == REASON_NONE) &&
	    unlikely(!stamp(request, head, secure)))
		reason = REASON_INTERNAL;
	if (unlikely(reason != REASON_NONE)) {
		refuse(request, reason);
		return;
	}
	if (request->rule->filters_count > 0 ||
	    (request->backend_ref && request->backend_ref->filters_count > 0))
		note_phases(request);
	proxy_request_resume(request);
}

/* Two of them, so that plain requests are never asked whether they are. */
static void
on_request(struct http_exchange *exchange)
{
	take_request(exchange, false);
}

static void
on_secure_request(struct http_exchange *exchange)
{
	take_request(exchange, true);
}

static void
forward(struct proxy_request *request, struct http_stream *stream)
{
	request->sent_ms = net_loop_now_ms(request->worker->loop);
	http_exchange_forward(request->exchange, stream, 0);
}

/* The attempt is over; its endpoint may go away, its name stays for the log. */
static void
leave(struct proxy_request *request)
{
	struct proxy_endpoint *endpoint = request->endpoint;
	if (!endpoint)
		return;
	memcpy(request->endpoint_storage, endpoint->text, NET_ADDRESS_TEXT);
	request->endpoint_text =
	    slice_make(request->endpoint_storage, endpoint->text_length);
	request->endpoint = NULL;
	proxy_pool_leave(endpoint);
}

/* Try endpoints until one has a connection, or may have one soon. */
static void
attempt(struct proxy_request *request, bool fresh)
{
	struct proxy_worker *worker = request->worker;
	uint64_t now_ms = net_loop_now_ms(worker->loop);
	if (unlikely(request->attempts > 0) && !find_again(request))
		return;
	while (request->attempts < LIMIT_VALUE_ATTEMPTS) {
		struct proxy_endpoint *endpoint =
		    proxy_balancer_pick(request->backend, &worker->random,
		        now_ms, request->tried, request->attempts);
		if (unlikely(!endpoint)) {
			refuse(request, REASON_NO_ENDPOINT);
			return;
		}
		request->tried[request->attempts++] = endpoint;
		request->endpoint = endpoint;
		endpoint->in_flight++;
		enum error error;
		struct http_stream *stream =
		    proxy_pool_take(endpoint, &request->waiter, fresh, &error);
		if (likely(stream != NULL)) {
			forward(request, stream);
			return;
		}
		if (error == ERROR_OK)
			return; /* on_stream will be told */
		request->refusal = proxy_reason_of(error, PROXY_PLACE_CONNECT);
		leave(request);
	}
	limit_hit(&worker->metrics, LIMIT_ATTEMPTS);
	refuse(request, request->refusal);
}

/* An endpoint that went away before it was reached was not tried: who waited
 * for it goes on, as long as one may wait at all. False: as of find_again. */
static set_apart bool
forget_attempt(struct proxy_request *request)
{
	if (request->give_up_ms == 0)
		request->give_up_ms = request->waiter.deadline_ms;
	if (net_loop_now_ms(request->worker->loop) < request->give_up_ms)
		request->attempts--;
	return find_again(request);
}

static void
on_stream(
    struct proxy_waiter *waiter, struct http_stream *stream, enum error error)
{
	struct proxy_request *request =
	    container_of(waiter, struct proxy_request, waiter);
	if (stream) {
		forward(request, stream);
		return;
	}
	request->refusal = proxy_reason_of(error, PROXY_PLACE_CONNECT);
	leave(request);
	/* One that has waited its time has none left for another endpoint. */
	if (error == ERROR_LIMIT)
		refuse(request, request->refusal);
	else if (error != ERROR_CANCELLED || forget_attempt(request))
		attempt(request, false);
}

static bool
run_response_filters(struct proxy_request *request)
{
	const struct unit_rule *rule = request->rule;
	const struct unit_backend *chosen = request->backend_ref;
	uint32_t next = 0;
	if (proxy_filters_run(request, rule->filters, rule->filters_count,
	        PROXY_PHASE_RESPONSE, &next) != PROXY_GO_ON)
		return false;
	next = 0;
	return !chosen ||
	    proxy_filters_run(request, chosen->filters, chosen->filters_count,
	        PROXY_PHASE_RESPONSE, &next) == PROXY_GO_ON;
}

static bool
on_response(struct http_exchange *exchange)
{
	struct proxy_request *request = exchange->handler_state;
	if (unlikely(exchange->response->status < 200))
		return true;
	request->responded = true;
	request->upstream_ms =
	    (uint32_t)(net_loop_now_ms(request->worker->loop) -
	        request->sent_ms);
	return likely(!request->filters_response) ||
	    run_response_filters(request);
}

/* RFC 9110 9.2.2. */
static bool
is_idempotent(enum method_id method)
{
	return method == METHOD_GET || method == METHOD_HEAD ||
	    method == METHOD_PUT || method == METHOD_DELETE ||
	    method == METHOD_OPTIONS || method == METHOD_TRACE;
}

/* A connection that was idle may be closed by the backend as we send: nothing
 * was done then, most likely, and what is idempotent may be done twice. */
static bool
may_retry(const struct http_exchange *exchange, enum error error)
{
	const struct http_attempt *failed = &exchange->failed;
	if (!exchange->replayable)
		return false;
	if (!failed->sent)
		return true;
	return failed->reused && failed->fresh &&
	    (error == ERROR_CLOSED || error == ERROR_RESET) &&
	    is_idempotent(exchange->request->method_id);
}

static void
on_failure(struct http_exchange *exchange, enum error error)
{
	struct proxy_request *request = exchange->handler_state;
	if (unlikely(!request->endpoint)) { /* our own answer */
		http_exchange_abort(exchange, error);
		return;
	}
	leave(request);
	if (may_retry(exchange, error) &&
	    request->attempts < LIMIT_VALUE_ATTEMPTS) {
		metric_add(
		    &request->worker->metrics, METRIC_BACKEND_RETRIES, 1);
		request->refusal = proxy_reason_of(error, PROXY_PLACE_BACKEND);
		attempt(request, true);
		return;
	}
	refuse(request, proxy_reason_of(error, PROXY_PLACE_BACKEND));
}

/* Whose fault an exchange's end was: its streams still know. Of a response
 * that came to a halt it is the backend's, unless there is some to be sent. */
static enum proxy_place
place_of(const struct http_exchange *exchange, enum error error)
{
	struct http_stream *client = exchange->client;
	struct slice slice;
	if (exchange->server->failure != ERROR_OK || !client)
		return PROXY_PLACE_CLIENT;
	if (client->failure != ERROR_OK)
		return PROXY_PLACE_BACKEND;
	return error == ERROR_TIMEOUT && client->in == HTTP_IN_BODY &&
	        client->ops->peek(client, &slice, 1) == 0
	    ? PROXY_PLACE_BACKEND
	    : PROXY_PLACE_CLIENT;
}

static void
on_end(struct http_exchange *exchange, enum error error)
{
	struct proxy_request *request = exchange->handler_state;
	if (unlikely(!request)) /* it was never begun */
		return;
	struct proxy_worker *worker = request->worker;
	if (unlikely(error != ERROR_OK && request->reason == REASON_NONE))
		request->reason =
		    proxy_reason_of(error, place_of(exchange, error));
	proxy_pool_cancel(&request->waiter);
	proxy_report(request);
	if (likely(request->endpoint != NULL))
		proxy_pool_leave(request->endpoint);
	if (likely(request->backend != NULL))
		proxy_backend_unref(request->backend);
	if (likely(request->route != NULL))
		snap_release(worker->holds, request->route);
	if (likely(request->listener != NULL))
		snap_release(worker->holds, request->listener);
	exchange->handler_state = NULL;
	proxy_request_free(request);
}

static void
on_refused(const struct http_service *service, const struct net_address *peer,
    enum error error, int status)
{
	const struct proxy_socket *socket = service->handler_context;
	proxy_report_refused(socket->worker, peer,
	    proxy_reason_of(error, PROXY_PLACE_CLIENT), status);
}

const struct http_handler proxy_handler = {
    .on_request = on_request,
    .on_response = on_response,
    .on_failure = on_failure,
    .on_end = on_end,
    .on_refused = on_refused,
};

const struct http_handler proxy_secure_handler = {
    .on_request = on_secure_request,
    .on_response = on_response,
    .on_failure = on_failure,
    .on_end = on_end,
    .on_refused = on_refused,
};
