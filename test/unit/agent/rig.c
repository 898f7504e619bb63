#include "rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/memory.h"
#include "net/names.h"
#include "wire/record_binary.h"

struct rig_asked rig_asked;

/* proxy/worker.h */

enum error
proxy_worker_start(
    const struct proxy_options *options, struct proxy_worker **worker)
{
	*worker = NULL;
	if (options->number == 1 && rig_asked.start_error != ERROR_OK)
		return rig_asked.start_error;
	*worker = memory_zero(1, sizeof(**worker));
	(*worker)->options = *options;
	(*worker)->holds = snap_holds_new(options->store);
	rig_asked.workers[options->number] = *worker;
	return ERROR_OK;
}

void
proxy_worker_stop(struct proxy_worker **worker)
{
	rig_asked.workers[(*worker)->options.number] = NULL;
	snap_holds_free(&(*worker)->holds);
	memory_free(*worker);
	*worker = NULL;
}

void
proxy_worker_publish(struct proxy_worker *worker, const struct snap_set *set)
{
	worker->wanted = set;
}

uint64_t
proxy_worker_served(const struct proxy_worker *worker)
{
	return worker->served;
}

struct snap_holds *
proxy_worker_holds(struct proxy_worker *worker)
{
	return worker->holds;
}

void
proxy_worker_lend(struct proxy_worker *worker, uint32_t socket, int fd,
    uint16_t port, bool tls)
{
	assert_true(worker->lent_count < RIG_LENT);
	worker->lent[worker->lent_count++] =
	    (struct rig_lent){socket, fd, port, tls, false, true};
}

void
proxy_worker_take_back(struct proxy_worker *worker, int fd)
{
	unsigned found = 0;

	for (unsigned i = 0; i < worker->lent_count; i++) {
		if (worker->lent[i].fd != fd || !worker->lent[i].accepts)
			continue;
		worker->lent[i].taken = true;
		found++;
	}
	assert_int_equal(found, 1);
}

bool
proxy_worker_accepts(const struct proxy_worker *worker, int fd)
{
	bool found = false;

	for (unsigned i = 0; i < worker->lent_count; i++)
		found |= worker->lent[i].fd == fd && worker->lent[i].accepts;
	return found;
}

void
proxy_worker_drain(struct proxy_worker *worker)
{
	worker->draining = true;
}

bool
proxy_worker_is_idle(const struct proxy_worker *worker)
{
	return worker->idle;
}

void
proxy_workers_metrics(struct proxy_worker *const *workers, unsigned count,
    const struct snap_store *store, struct text *out)
{
	assert_non_null(workers);
	assert_non_null(store);
	text_printf(out, "workers %u\n", count);
}

/* net/names.h; the channel is no more than its address. */

struct net_names *
net_names_new(struct net_loop *loop, net_names_fn on_answer, void *context)
{
	assert_non_null(loop);
	if (rig_asked.no_names)
		return NULL;
	rig_asked.on_name = on_answer;
	rig_asked.name_context = context;
	rig_asked.channels++;
	return (struct net_names *)&rig_asked;
}

void
net_names_free(struct net_names *names)
{
	assert_ptr_equal(names, &rig_asked);
	rig_asked.channels--;
	rig_asked.name_count = 0;
}

void
net_names_watch(struct net_names *names, struct slice name)
{
	char *to = rig_asked.names[rig_asked.name_count++];

	assert_ptr_equal(names, &rig_asked);
	assert_true(rig_asked.name_count <= RIG_NAMES);
	assert_true(name.length < sizeof(rig_asked.names[0]));
	memcpy(to, name.data, name.length);
	to[name.length] = '\0';
}

void
net_names_unwatch(struct net_names *names, struct slice name)
{
	assert_ptr_equal(names, &rig_asked);
	for (unsigned i = 0; i < rig_asked.name_count; i++) {
		if (!slice_equal(slice_from_string(rig_asked.names[i]), name))
			continue;
		rig_asked.name_count--;
		memmove(rig_asked.names[i], rig_asked.names[i + 1],
		    (rig_asked.name_count - i) * sizeof(rig_asked.names[0]));
		return;
	}
	fail_msg("a name that was not watched");
}

/* admin/admin.h */

void
admin_add_page(struct admin *admin, const char *path, const char *help,
    admin_page_fn page, void *context)
{
	assert_null(admin);
	assert_true(strlen(help) > 0 && rig_asked.page_count < RIG_PAGES);
	rig_asked.pages[rig_asked.page_count++] =
	    (struct rig_page){path, page, context};
}

void
admin_add_metrics(struct admin *admin, admin_metrics_fn fn, void *context)
{
	assert_null(admin);
	rig_asked.metrics = fn;
	rig_asked.metrics_context = context;
}

void
admin_answer(struct http_exchange *exchange, uint16_t status,
    const char *content_type, struct slice body)
{
	assert_null(exchange);
	assert_non_null(strchr(content_type, '/'));
	assert_true(body.length < sizeof(rig_asked.body));
	rig_asked.status = status;
	memcpy(rig_asked.body, body.data, body.length);
	rig_asked.body[body.length] = '\0';
}

/* The rig. */

static void
on_served(void *context)
{
	((struct rig *)context)->served++;
}

static void
on_drained(void *context)
{
	((struct rig *)context)->drained++;
}

static void
wake(void *context)
{
	net_loop_wake(((struct rig *)context)->loop);
}

static void
on_wake(void *context)
{
	agent_wake(((struct rig *)context)->agent);
}

int
rig_set_up(void **state)
{
	struct rig *rig = memory_zero(1, sizeof(*rig));
	struct agent_options options = {
	    .workers = RIG_WORKERS,
	    .drain_ms = 60000,
	    .on_drained = on_drained,
	    .on_served = on_served,
	    .context = rig,
	};

	memset(&rig_asked, 0, sizeof(rig_asked));
	rig->loop = options.loop = net_loop_new();
	rig->feed = options.feed = feed_new();
	feed_on_offer(rig->feed, wake, rig);
	net_loop_on_wake(rig->loop, on_wake, rig);
	assert_int_equal(agent_new(&options, &rig->agent), ERROR_OK);
	agent_register(rig->agent, NULL);
	*state = rig;
	return 0;
}

int
rig_tear_down(void **state)
{
	struct rig *rig = *state;

	agent_free(&rig->agent);
	assert_null(rig_asked.workers[0]);
	assert_int_equal(rig_asked.channels, 0);
	for (unsigned i = 0; i < rig->reply_count; i++)
		feed_reply_free(&rig->replies[i]);
	feed_free(rig->feed);
	net_loop_free(rig->loop);
	memory_free(rig);
	return 0;
}

void
rig_settle(struct rig *rig)
{
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(net_loop_turn(rig->loop, 0), ERROR_OK);
}

void
rig_serve(struct rig *rig)
{
	for (unsigned i = 0; i < RIG_WORKERS; i++) {
		struct proxy_worker *worker = rig_asked.workers[i];

		if (worker->wanted != NULL)
			worker->served = snap_set_number(worker->wanted);
		worker->options.on_progress(worker->options.context);
	}
	rig_settle(rig);
}

void
rig_give_back(struct rig *rig, unsigned number)
{
	struct proxy_worker *worker = rig_asked.workers[number];

	for (unsigned i = 0; i < worker->lent_count; i++)
		if (worker->lent[i].taken || worker->draining)
			worker->lent[i].accepts = false;
	worker->options.on_progress(worker->options.context);
	rig_settle(rig);
}

static void
gather(struct rig *rig)
{
	struct feed_reply *reply;

	while ((reply = feed_take_reply(rig->feed)) != NULL) {
		assert_true(rig->reply_count < RIG_REPLIES);
		rig->replies[rig->reply_count++] = reply;
	}
}

unsigned
rig_replies(struct rig *rig, enum feed_reply_kind kind, const char *name,
    const struct feed_reply **last)
{
	unsigned count = 0;

	gather(rig);
	for (unsigned i = 0; i < rig->reply_count; i++) {
		const struct feed_reply *reply = rig->replies[i];

		if (reply->kind != kind ||
		    !slice_equal(reply->name, slice_from_string(name)))
			continue;
		count++;
		if (last != NULL)
			*last = reply;
	}
	return count;
}

unsigned
rig_lent_count(void)
{
	const struct proxy_worker *worker = rig_asked.workers[0];
	unsigned count = 0;

	for (unsigned i = 0; i < worker->lent_count; i++)
		count += worker->lent[i].accepts && !worker->lent[i].taken;
	return count;
}

unsigned
rig_show(const char *path)
{
	for (unsigned i = 0; i < rig_asked.page_count; i++) {
		const struct rig_page *page = &rig_asked.pages[i];

		if (strcmp(page->path, path) != 0)
			continue;
		page->show(page->context, NULL, SLICE_NONE);
		return rig_asked.status;
	}
	return 0;
}

void
rig_put(struct feed_batch *batch, const char *name, const void *record)
{
	struct slice text = slice_from_string(name);
	struct text bytes;
	enum unit_kind kind;

	assert_true(snap_unit_kind(text, &kind));
	text_init(&bytes);
	wire_record_encode(&bytes, snap_unit_type(kind), record);
	feed_batch_put(batch, text, text_slice(&bytes));
	text_fini(&bytes);
}

void
rig_put_listener(struct feed_batch *batch, const char *name,
    const char *address, uint16_t port)
{
	struct slice addresses[] = {slice_from_string(address)};
	struct unit_listener listener = {
	    .gateway_namespace = SLICE("ns"),
	    .gateway_name = SLICE("gate"),
	    .name = SLICE("http"),
	    .addresses = addresses,
	    .addresses_count = address[0] != '\0',
	    .port = port,
	    .protocol = UNIT_PROTOCOL_HTTP,
	};

	rig_put(batch, name, &listener);
}

void
rig_offer(struct rig *rig, struct feed_batch **batch, bool whole,
    unsigned char number)
{
	(*batch)->whole = whole;
	memset(&(*batch)->generation, number, sizeof((*batch)->generation));
	feed_offer(rig->feed, batch);
	rig_settle(rig);
}

static int
bind_to(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons(*port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

uint16_t
rig_free_port(void)
{
	uint16_t port = 0;

	close(bind_to(&port));
	return port;
}

int
rig_occupy(uint16_t *port)
{
	int fd = bind_to(port);

	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

bool
rig_connects(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connects =
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;

	close(fd);
	return connects;
}
