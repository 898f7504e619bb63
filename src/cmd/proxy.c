/* yumen proxy: an agent that serves one Gateway, whose units come over the
 * stream. This thread is the control loop: signals, the admin server, the
 * agent, the stream. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/controlled.h"
#include "cmd/serving.h"
#include "core/log.h"
#include "stream/client.h"

struct proxy {
	struct serving serving;
	struct controlled to;
	bool announced;
	int status; /* to exit with */
};

static struct proxy *
of_process(struct process *process)
{
	return container_of(process, struct proxy, serving.process);
}

static void
on_wake(struct process *process)
{
	struct proxy *proxy = of_process(process);

	if (proxy->serving.agent != NULL)
		agent_wake(proxy->serving.agent);
	if (proxy->to.stream != NULL)
		stream_client_wake(proxy->to.stream);
}

static void
on_served(void *context)
{
	struct proxy *proxy = container_of(context, struct proxy, serving);
	const struct unit *unit;
	unsigned routes = 0, listeners = 0;
	size_t at = 0;

	if (proxy->announced)
		return;
	proxy->announced = true;
	/* What the first batch took. */
	malloc_trim(0);
	while (snap_store_next(agent_store(proxy->serving.agent), &at, &unit)) {
		listeners += unit->kind == UNIT_LISTENER;
		routes += unit->kind == UNIT_ROUTE;
	}
	log_event(LOG_RUN_READY, LOG_NUMBER("listeners", listeners),
	    LOG_NUMBER("routes", routes));
}

static bool
read_gateway(const struct proxy *proxy)
{
	struct slice gateway = slice_from_string(
	    flags_value(proxy->serving.process.flags, FLAG_PROXY_GATEWAY));
	size_t slash = slice_find(gateway, '/');

	if (slash > 0 && slash + 1 < gateway.length &&
	    slice_find(slice_skip(gateway, slash + 1), '/') ==
	        gateway.length - slash - 1)
		return true;
	fprintf(stderr,
	    "yumen proxy: --gateway %.*s: a namespace and a name are wanted, "
	    "as default/web\n",
	    SLICE_ARGS(gateway));
	return false;
}

static bool
read_flags(struct proxy *proxy)
{
	const struct flags *flags = proxy->serving.process.flags;

	proxy->to.gateway =
	    slice_from_string(flags_value(flags, FLAG_PROXY_GATEWAY));
	return controlled_read_flags(&proxy->to, &proxy->serving.process) &&
	    read_gateway(proxy) && serving_read_flags(&proxy->serving);
}

static bool
open_all(struct proxy *proxy)
{
	struct serving *serving = &proxy->serving;

	proxy->status = serving_open(serving);
	if (proxy->status != 0)
		return false;
	proxy->status = 1;
	feed_on_reply(serving->feed, process_wake, &serving->process);
	return serving_open_agent(serving, NULL) &&
	    controlled_open(&proxy->to, &serving->process, serving->feed);
}

static void
close_all(struct proxy *proxy)
{
	admin_free(&proxy->serving.process.server);
	stream_client_free(&proxy->to.stream);
	serving_close_agent(&proxy->serving);
	serving_close(&proxy->serving);
}

int
command_proxy(const struct flags *flags)
{
	struct proxy proxy = {
	    .serving = {.process = {.flags = flags,
	                    .command = "yumen proxy",
	                    .log_level = FLAG_PROXY_LOG_LEVEL,
	                    .log_format = FLAG_PROXY_LOG_FORMAT,
	                    .socket = FLAG_PROXY_SOCKET,
	                    .admin = FLAG_PROXY_ADMIN,
	                    .on_stop = serving_on_stop,
	                    .on_reopen = serving_on_reopen,
	                    .on_wake = on_wake},
	        .worker_count = FLAG_PROXY_WORKERS,
	        .drain_timeout = FLAG_PROXY_DRAIN_TIMEOUT,
	        .access_log_to = FLAG_PROXY_ACCESS_LOG,
	        .on_served = on_served},
	    .to = {.controller = FLAG_PROXY_CONTROLLER,
	        .ca = FLAG_PROXY_CA,
	        .token_file = FLAG_PROXY_TOKEN_FILE,
	        .server_name = FLAG_PROXY_SERVER_NAME,
	        .name_flag = FLAG_PROXY_NAME,
	        .copy = FLAG_PROXY_COPY},
	    .status = 1,
	};

	/* One heap: threads allocate rarely, and each arena costs memory. */
	mallopt(M_ARENA_MAX, 1);
	if (!read_flags(&proxy))
		return 2;
	if (open_all(&proxy))
		proxy.status = serving_run(&proxy.serving);
	close_all(&proxy);
	return proxy.status;
}
