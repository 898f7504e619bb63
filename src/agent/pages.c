/* What the agent shows: whether it is alive and ready, what each worker serves,
 * the units as they are, and the counters of listeners and routes. */
#include "agent/agent_priv.h"

#include "core/memory.h"
#include "proxy/explain.h"
#include "wire/path.h"

/* Looking at so many for candidates stays within a turn of the loop. */
#define EXPLAIN_UNITS_MAX 16384

static void
show_live(void *context, struct http_exchange *exchange, struct slice query)
{
	(void)context;
	(void)query;
	admin_answer(exchange, 200, "text/plain; charset=utf-8", SLICE("ok\n"));
}

static void
show_ready(void *context, struct http_exchange *exchange, struct slice query)
{
	const struct agent *agent = context;
	bool ready = agent_is_ready(agent);
	struct slice text = SLICE("ok\n");

	(void)query;
	if (agent->draining)
		text = SLICE("draining\n");
	else if (!ready)
		text = SLICE("no whole configuration is served yet\n");
	admin_answer(
	    exchange, ready ? 200 : 503, "text/plain; charset=utf-8", text);
}

/* Which generation is wanted, which set each worker serves. */
static void
show_proxies(void *context, struct http_exchange *exchange, struct slice query)
{
	const struct agent *agent = context;
	struct feed_generation generation = snap_store_generation(agent->store);
	uint64_t behind_ms = agent->served < agent->published
	    ? net_loop_now_ms(agent->options.loop) - agent->published_ms
	    : 0;
	struct text out;
	char hex[33];

	(void)query;
	feed_generation_format(&generation, hex);
	text_init(&out);
	text_printf(&out,
	    "{\"generation\":\"%s\",\"published\":%llu,\"served\":%llu,"
	    "\"behindMs\":%llu,\"workers\":[",
	    hex, (unsigned long long)agent->published,
	    (unsigned long long)agent->served, (unsigned long long)behind_ms);
	for (unsigned i = 0; i < agent->options.workers; i++)
		text_printf(&out, "%s{\"worker\":%u,\"served\":%llu}",
		    i > 0 ? "," : "", i,
		    (unsigned long long)proxy_worker_served(agent->workers[i]));
	text_push_string(&out, "]}\n");
	admin_answer(exchange, 200, "application/json", text_slice(&out));
	text_fini(&out);
}

/* ?name=N: that one alone, {} when there is none. */
static void
show_units(void *context, struct http_exchange *exchange, struct slice query)
{
	const struct agent *agent = context;
	char *scratch = memory_alloc(query.length + 1);
	const struct unit *unit;
	struct slice name;
	struct text out;
	size_t at = 0;

	text_init(&out);
	if (wire_query_get(query, SLICE("name"), scratch, &name)) {
		unit = snap_store_unit(agent->store, name);
		if (unit != NULL)
			snap_unit_dump(&out, unit);
		else
			text_push_string(&out, "{}\n");
	} else {
		while (snap_store_next(agent->store, &at, &unit)) {
			snap_unit_dump(&out, unit);
			text_push_byte(&out, '\n');
		}
	}
	admin_answer(exchange, 200, "application/x-ndjson", text_slice(&out));
	text_fini(&out);
	memory_free(scratch);
}

static enum error
listener_state(void *context, const struct unit *listener, struct slice *why)
{
	return agent_listener_state(context, listener, why);
}

static void
explain(struct agent *agent, struct http_exchange *exchange, struct slice query,
    char *scratch)
{
	struct slice head, address = SLICE_NONE, port, name = SLICE_NONE;
	uint64_t number;
	struct proxy_explain explain = {
	    .store = agent->store,
	    .set = agent->set,
	    .units_max = EXPLAIN_UNITS_MAX,
	    .listens = listener_state,
	    .context = agent,
	};
	struct text out;

	if (!wire_query_get(query, SLICE("port"), scratch, &port) ||
	    !slice_to_number(port, UINT16_MAX, &number) || number == 0 ||
	    !wire_query_get(
	        query, SLICE("head"), scratch + query.length, &head)) {
		admin_answer(exchange, 400, "text/plain; charset=utf-8",
		    SLICE("?port= and &head= (a request's head, escaped) are "
		          "wanted\n"));
		return;
	}
	(void)wire_query_get(
	    query, SLICE("address"), scratch + 2 * query.length, &address);
	explain.tls = wire_query_get(
	    query, SLICE("server_name"), scratch + 3 * query.length, &name);
	explain.server_name = name;
	explain.head = head;
	explain.address = address;
	explain.port = (uint16_t)number;
	text_init(&out);
	proxy_explain(&out, &explain);
	admin_answer(exchange, 200, "application/json", text_slice(&out));
	text_fini(&out);
}

static void
show_explain(void *context, struct http_exchange *exchange, struct slice query)
{
	struct agent *agent = context;
	char *scratch;

	if (agent->set == NULL) {
		admin_answer(exchange, 503, "text/plain; charset=utf-8",
		    SLICE("no whole configuration is served yet\n"));
		return;
	}
	scratch = memory_alloc(4 * query.length + 1);
	explain(agent, exchange, query, scratch);
	memory_free(scratch);
}

static void
write_metrics(void *context, struct text *out)
{
	const struct agent *agent = context;

	text_printf(out,
	    "# HELP yumen_generation number of the set that is published "
	    "(wanted) and served by every worker (served)\n"
	    "# TYPE yumen_generation gauge\n"
	    "yumen_generation{which=\"wanted\"} %llu\n"
	    "yumen_generation{which=\"served\"} %llu\n",
	    (unsigned long long)agent->published,
	    (unsigned long long)agent->served);
	proxy_workers_metrics(
	    agent->workers, agent->options.workers, agent->store, out);
}

void
agent_register(struct agent *agent, struct admin *admin)
{
	admin_add_page(
	    admin, "/livez", "200 while the process runs", show_live, agent);
	admin_add_page(admin, "/readyz",
	    "200 when a whole configuration is served and it is not draining",
	    show_ready, agent);
	admin_add_page(admin, "/api/v1/proxies",
	    "generation wanted and served, per worker", show_proxies, agent);
	admin_add_page(admin, "/api/v1/units",
	    "the units that are served, a JSON object a line; ?name=N: one",
	    show_units, agent);
	admin_add_page(admin, "/api/v1/explain",
	    "what becomes of a request; "
	    "?port=N&head=H[&address=A][&server_name=S, in TLS]",
	    show_explain, agent);
	admin_add_metrics(admin, write_metrics, agent);
}
