/* Counts and logs requests that are over. It changes nothing of them. */
#include "proxy/report.h"

#include "proxy/tls.h"
#include "proxy/worker_priv.h"

#define CLOCK_MS 1000 /* the wall clock is looked at so often */

/* The wall clock as of this turn. */
static int64_t
wall_ms(struct proxy_worker *worker)
{
	uint64_t now_ms = net_loop_now_ms(worker->loop);
	if (unlikely(now_ms >= worker->wall_until_ms)) {
		worker->wall_offset_ms = clock_wall_ms() - (int64_t)now_ms;
		worker->wall_until_ms = now_ms + CLOCK_MS;
	}
	return (int64_t)now_ms + worker->wall_offset_ms;
}

/* "listener/<namespace>/<gateway>/<listener>": what is behind the Gateway says
 * the ListenerSet too, where it is of one. */
static void
fill_listener(struct proxy_log_line *line, const struct unit *listener)
{
	size_t front = sizeof("listener/") - 1;
	struct slice rest = slice_skip(listener->name, front), word;
	if (!slice_cut(&rest, '/', &word) || !slice_cut(&rest, '/', &word))
		return;
	line->gateway = slice_make(listener->name.data + front,
	    (size_t)(word.data + word.length - listener->name.data) - front);
	line->listener = rest;
}

static void
fill_backend(struct proxy_log_line *line, const struct proxy_request *request)
{
	if (request->backend)
		line->backend = request->backend->name;
	else if (request->backend_ref)
		line->backend = request->backend_ref->target;
	line->endpoint = request->endpoint_text;
	if (request->endpoint)
		line->endpoint = slice_make(
		    request->endpoint->text, request->endpoint->text_length);
	if (request->responded)
		line->upstream_ms = request->upstream_ms;
	if (request->attempts > 0)
		line->attempts = request->attempts;
}

/* One that was refused early has not been stamped. */
static void
look_up(struct proxy_request *request)
{
	struct wire_head *head = request->exchange->request;
	const struct net_address *peer = http_exchange_peer(request->exchange);
	const struct field *agent = wire_head_find(head, FIELD_USER_AGENT);
	const struct field *id = wire_head_find(head, FIELD_X_REQUEST_ID);
	if (peer)
		request->client = slice_make(request->stamp,
		    net_address_format_ip(peer, request->stamp));
	if (agent)
		request->user_agent = field_value(agent);
	if (id && proxy_is_request_id(field_value(id)))
		request->request_id = field_value(id);
}

static __attribute__((noinline)) void
log_request(struct proxy_request *request, uint16_t status)
{
	struct proxy_worker *worker = request->worker;
	const struct http_exchange *exchange = request->exchange;
	const struct wire_head *head = exchange->request;
	if (unlikely(!slice_is_set(request->client)))
		look_up(request);
	struct proxy_log_line line = {
	    .wall_ms = wall_ms(worker),
	    .client = request->client,
	    .method = head->method,
	    .host = request->host,
	    .path = request->path,
	    .proto = head->version_minor == 0 ? SLICE("HTTP/1.0")
	                                      : SLICE("HTTP/1.1"),
	    .status = status > 0 ? status : LOG_LINE_ABSENT,
	    .bytes_in = (int64_t)exchange->request_body_bytes,
	    .bytes_out = (int64_t)exchange->response_body_bytes,
	    .duration_ms =
	        (int64_t)(net_loop_now_ms(worker->loop) - exchange->started_ms),
	    .upstream_ms = LOG_LINE_ABSENT,
	    .attempts = LOG_LINE_ABSENT,
	    .reason = reason_rows[request->reason].word,
	    .request_id = request->request_id,
	    .user_agent = request->user_agent,
	};
	if (request->listener)
		fill_listener(&line, request->listener);
	if (request->tls) {
		line.tls = request->tls->version;
		line.cipher = request->tls->cipher;
		line.sni = request->tls->server_name;
	}
	if (request->route)
		line.route =
		    slice_skip(request->route->name, sizeof("route/") - 1);
	if (request->rule)
		line.rule = request->rule->identity;
	fill_backend(&line, request);
	proxy_log_port_put(worker->log, &line);
}

void
proxy_report(struct proxy_request *request)
{
	struct proxy_worker *worker = request->worker;
	uint16_t status = request->exchange->status;
	if (unlikely(status == 0))
		status = reason_rows[request->reason].status;
	struct proxy_counted counted = {.id = request->count_id};
	if (likely(request->listener != NULL)) {
		counted.listener = request->listener->name;
		counted.owner = request->listener;
	}
	if (likely(request->rule != NULL)) {
		counted.route = request->route->name;
		counted.rule = request->rule->identity;
		counted.owner = request->rule;
	}
	proxy_counters_add(
	    &worker->counters, &counted, status, request->reason);
	if (worker->log)
		log_request(request, status);
}

void
proxy_report_refused(struct proxy_worker *worker,
    const struct net_address *peer, enum reason reason, int status)
{
	struct proxy_counted counted = {.id = SNAP_ID_NONE};
	if (status == 0)
		status = reason_rows[reason].status;
	proxy_counters_add(
	    &worker->counters, &counted, (uint16_t)status, reason);
	if (!worker->log)
		return;
	char client[NET_ADDRESS_TEXT];
	struct proxy_log_line line = {
	    .wall_ms = wall_ms(worker),
	    .client = slice_make(client, net_address_format_ip(peer, client)),
	    .status = status,
	    .bytes_in = LOG_LINE_ABSENT,
	    .bytes_out = LOG_LINE_ABSENT,
	    .duration_ms = LOG_LINE_ABSENT,
	    .upstream_ms = LOG_LINE_ABSENT,
	    .attempts = LOG_LINE_ABSENT,
	    .reason = reason_rows[reason].word,
	};
	proxy_log_port_put(worker->log, &line);
}
