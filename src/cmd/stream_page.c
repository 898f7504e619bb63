/* What the controller's admin server shows of its stream. */
#include "cmd/stream_page.h"

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
	const struct stream_page *page = context;
	bool ready = stream_server_is_ready(page->server);

	(void)query;
	admin_answer(exchange, ready ? 200 : 503, "text/plain; charset=utf-8",
	    ready ? SLICE("ok\n")
	          : SLICE("the configuration is not read yet\n"));
}

struct listing {
	struct text out;
	unsigned count;
};

static void
push_member(struct listing *listing, const char *name, struct slice value)
{
	text_printf(&listing->out, ",\"%s\":", name);
	text_push_json(&listing->out, value);
}

static void
push_peer(void *context, const struct stream_peer_facts *facts)
{
	struct listing *listing = context;
	char hex[33];

	feed_generation_format(&facts->generation, hex);
	text_printf(&listing->out, "%s{\"generation\":\"%s\"",
	    listing->count++ > 0 ? ",\n " : "", hex);
	push_member(listing, "gateway", facts->gateway);
	push_member(listing, "name", facts->name);
	push_member(listing, "version", facts->version);
	push_member(listing, "address", facts->address);
	text_printf(&listing->out, ",\"ready\":%s,\"current\":%s}",
	    facts->ready ? "true" : "false", facts->current ? "true" : "false");
}

static void
show_proxies(void *context, struct http_exchange *exchange, struct slice query)
{
	const struct stream_page *page = context;
	struct listing listing = {.count = 0};

	(void)query;
	text_init(&listing.out);
	text_push_string(&listing.out, "{\"proxies\":[");
	stream_server_each(page->server, push_peer, &listing);
	text_push_string(&listing.out, "]}\n");
	admin_answer(
	    exchange, 200, "application/json", text_slice(&listing.out));
	text_fini(&listing.out);
}

void
stream_page_register(
    struct stream_page *page, struct stream_server *server, struct admin *admin)
{
	page->server = server;
	admin_add_page(
	    admin, "/livez", "200 while the process runs", show_live, page);
	admin_add_page(admin, "/readyz",
	    "200 when the configuration is read and proxies are served",
	    show_ready, page);
	admin_add_page(admin, "/api/v1/proxies",
	    "the proxies that are connected, and whether they are current",
	    show_proxies, page);
}
