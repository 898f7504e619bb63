/* The admin server: one HTTP service on the control loop, reached by a Unix
 * socket and by a TCP address. It owns its sockets, its connections and the
 * table of pages; what a page says is the business of the room that added it.
 * Over TCP it answers only requests whose Host is an address or localhost, so
 * that a web page in somebody's browser cannot reach it by a name of its own.
 */
#include "admin/admin.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/metric.h"
#include "core/must.h"
#include "http/server.h"
#include "net/listener.h"
#include "wire/host.h"

#define ADMIN_PAGES 32
#define ADMIN_COLLECTORS 8

struct admin_page {
	struct slice path;
	const char *help;
	admin_page_fn show;
	void *context;
};

struct admin_collector {
	admin_metrics_fn write;
	void *context;
};

/* One way in: the Unix socket or the TCP address. */
struct admin_door {
	struct admin *admin;
	struct net_acceptor acceptor;
	struct http_service service;
	int fd; /* -1: not open */
	bool check_host;
};

struct admin {
	struct net_loop *loop;
	struct metrics metrics; /* unknown to /metrics: not people's traffic */
	struct http_worker worker;
	struct admin_door unix_door, tcp_door;
	char *unix_path;
	struct admin_page pages[ADMIN_PAGES];
	unsigned page_count;
	struct admin_collector collectors[ADMIN_COLLECTORS];
	unsigned collector_count;
};

static void on_request(struct http_exchange *exchange);
static bool on_response(struct http_exchange *exchange);
static void on_failure(struct http_exchange *exchange, enum error error);
static void on_end(struct http_exchange *exchange, enum error error);

static const struct http_handler admin_handler = {
    .on_request = on_request,
    .on_response = on_response,
    .on_failure = on_failure,
    .on_end = on_end,
};

static void
answer_text(struct http_exchange *exchange, uint16_t status, const char *text)
{
	admin_answer(exchange, status, "text/plain; charset=utf-8",
	    slice_from_string(text));
}

/* An IP address or localhost: nothing that a name server could have said. */
static bool
host_is_local(struct slice authority)
{
	char name[WIRE_HOST_BYTES + 3];
	struct slice host;
	struct net_address address;
	uint16_t port;

	if (wire_authority_parse(authority, name, &host, &port) != ERROR_OK)
		return false;
	if (slice_equal(host, SLICE("localhost")))
		return true;
	if (host.length > 2 && host.data[0] == '[')
		host = slice_make(host.data + 1, host.length - 2);
	return net_address_parse(host, 0, &address) == ERROR_OK;
}

static const struct admin_page *
find_page(const struct admin *admin, struct slice path)
{
	for (unsigned i = 0; i < admin->page_count; i++)
		if (slice_equal(admin->pages[i].path, path))
			return &admin->pages[i];
	return NULL;
}

static void
on_request(struct http_exchange *exchange)
{
	struct admin_door *door = exchange->handler_context;
	struct wire_head *request = exchange->request;
	const struct admin_page *page;

	if (door->check_host && !host_is_local(request->authority)) {
		answer_text(exchange, 403,
		    "the admin server answers to an address or localhost "
		    "only\n");
		return;
	}
	if (request->method_id != METHOD_GET &&
	    request->method_id != METHOD_HEAD) {
		answer_text(exchange, 405, "only GET and HEAD\n");
		return;
	}
	page = find_page(door->admin, request->path);
	if (page == NULL) {
		answer_text(exchange, 404, "no such page; / lists them\n");
		return;
	}
	page->show(page->context, exchange, request->query);
}

/* Answers are made here, so a response is always one of ours. */
static bool
on_response(struct http_exchange *exchange)
{
	(void)exchange;
	return true;
}

static void
on_failure(struct http_exchange *exchange, enum error error)
{
	http_exchange_abort(exchange, error);
}

static void
on_end(struct http_exchange *exchange, enum error error)
{
	(void)exchange;
	(void)error;
}

static void
show_index(void *context, struct http_exchange *exchange, struct slice query)
{
	const struct admin *admin = context;
	struct text out;

	(void)query;
	text_init(&out);
	for (unsigned i = 0; i < admin->page_count; i++)
		text_printf(&out, "%-24.*s %s\n",
		    SLICE_ARGS(admin->pages[i].path), admin->pages[i].help);
	admin_answer(
	    exchange, 200, "text/plain; charset=utf-8", text_slice(&out));
	text_fini(&out);
}

static void
show_metrics(void *context, struct http_exchange *exchange, struct slice query)
{
	const struct admin *admin = context;
	struct text out;

	(void)query;
	text_init(&out);
	metrics_write(&out);
	for (unsigned i = 0; i < admin->collector_count; i++)
		admin->collectors[i].write(admin->collectors[i].context, &out);
	admin_answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
	    text_slice(&out));
	text_fini(&out);
}

static void
door_init(struct admin *admin, struct admin_door *door, bool check_host)
{
	door->admin = admin;
	door->fd = -1;
	door->check_host = check_host;
	http_service_init(&door->service, &admin->worker, &admin_handler, door);
}

enum error
admin_new(struct net_loop *loop, struct admin **admin)
{
	struct admin *made = memory_zero(1, sizeof(*made));
	enum error error;

	must(loop != NULL);
	made->loop = loop;
	error = http_worker_init(&made->worker, loop, &made->metrics);
	if (error != ERROR_OK) {
		memory_free(made);
		return error;
	}
	door_init(made, &made->unix_door, false);
	door_init(made, &made->tcp_door, true);
	admin_add_page(made, "/", "this list", show_index, made);
	admin_add_page(made, "/metrics", "all metrics, Prometheus text",
	    show_metrics, made);
	*admin = made;
	return ERROR_OK;
}

static void
door_close(struct admin_door *door)
{
	http_service_abort(&door->service);
	if (door->fd < 0)
		return;
	net_acceptor_close(&door->acceptor);
	close(door->fd);
	door->fd = -1;
}

void
admin_free(struct admin **admin)
{
	struct admin *old = *admin;

	if (old == NULL)
		return;
	door_close(&old->unix_door);
	door_close(&old->tcp_door);
	if (old->unix_path != NULL) {
		unlink(old->unix_path);
		memory_free(old->unix_path);
	}
	http_worker_fini(&old->worker);
	memory_free(old);
	*admin = NULL;
}

static void
on_accept(struct net_acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct admin_door *door =
	    container_of(acceptor, struct admin_door, acceptor);
	struct net_address none = {0};

	/* On an error the descriptor is closed already: the peer sees that. */
	if (http_server_open(&door->service, fd, peer, &none) != ERROR_OK)
		return;
}

/* fd is the door's from here on. */
static enum error
door_open(struct admin_door *door, int fd)
{
	enum error error = net_acceptor_open(
	    &door->acceptor, door->admin->loop, fd, on_accept);

	if (error != ERROR_OK)
		close(fd);
	else
		door->fd = fd;
	return error;
}

enum error
admin_listen_unix(struct admin *admin, const char *path)
{
	enum error error;
	int fd;

	must(admin->unix_door.fd < 0);
	error = net_listen_unix(path, 0660, &fd);
	if (error != ERROR_OK)
		return error;
	admin->unix_path = memory_alloc(strlen(path) + 1);
	memcpy(admin->unix_path, path, strlen(path) + 1);
	return door_open(&admin->unix_door, fd);
}

enum error
admin_listen_tcp(struct admin *admin, struct net_address *address)
{
	enum error error;
	int fd;

	must(admin->tcp_door.fd < 0);
	error = net_listen_settle(address);
	if (error == ERROR_OK)
		error = net_listen_tcp(address, 64, &fd);
	if (error != ERROR_OK)
		return error;
	return door_open(&admin->tcp_door, fd);
}

void
admin_add_page(struct admin *admin, const char *path, const char *help,
    admin_page_fn page, void *context)
{
	must(admin->page_count < ADMIN_PAGES);
	must(find_page(admin, slice_from_string(path)) == NULL);
	admin->pages[admin->page_count++] = (struct admin_page){
	    .path = slice_from_string(path),
	    .help = help,
	    .show = page,
	    .context = context,
	};
}

void
admin_add_metrics(struct admin *admin, admin_metrics_fn fn, void *context)
{
	must(admin->collector_count < ADMIN_COLLECTORS);
	admin->collectors[admin->collector_count++] =
	    (struct admin_collector){.write = fn, .context = context};
}

void
admin_answer(struct http_exchange *exchange, uint16_t status,
    const char *content_type, struct slice body)
{
	struct slice type = slice_from_string(content_type);
	const struct field fields[] = {
	    {.name = "Content-Type",
	        .name_length = sizeof("Content-Type") - 1,
	        .value = type.data,
	        .value_length = (uint32_t)type.length},
	    {.name = "Cache-Control",
	        .name_length = sizeof("Cache-Control") - 1,
	        .value = "no-store",
	        .value_length = sizeof("no-store") - 1},
	};

	http_exchange_answer(
	    exchange, status, fields, sizeof(fields) / sizeof(fields[0]), body);
}
