/* yumen proxy: an agent that serves one Gateway, whose units come over the
 * stream. This thread is the control loop: signals, the admin server, the
 * agent, the stream. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/serving.h"
#include "core/log.h"
#include "stream/client.h"

struct proxy {
	struct serving serving;
	struct stream_client *stream;
	struct slice host;
	uint16_t port;
	char name[256];
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
	if (proxy->stream != NULL)
		stream_client_wake(proxy->stream);
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

/* "HOST:PORT", "[v6]:PORT" */
static bool
read_controller(struct proxy *proxy)
{
	const char *value =
	    flags_value(proxy->serving.process.flags, FLAG_PROXY_CONTROLLER);
	const char *colon = value != NULL ? strrchr(value, ':') : NULL;
	uint64_t port = 0;

	if (colon != NULL) {
		proxy->host = slice_make(value, (size_t)(colon - value));
		if (proxy->host.length > 2 && proxy->host.data[0] == '[' &&
		    colon[-1] == ']')
			proxy->host =
			    slice_make(value + 1, proxy->host.length - 2);
		if (proxy->host.length > 0 &&
		    slice_to_number(
		        slice_from_string(colon + 1), UINT16_MAX, &port) &&
		    port > 0) {
			proxy->port = (uint16_t)port;
			return true;
		}
	}
	fprintf(stderr,
	    "yumen proxy: --controller %s: a host and a port are wanted, as "
	    "yumen-controller.yumen-system:9443\n",
	    value != NULL ? value : "");
	return false;
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
	const char *name = flags_value(flags, FLAG_PROXY_NAME);

	if (name != NULL)
		snprintf(proxy->name, sizeof(proxy->name), "%s", name);
	else if (gethostname(proxy->name, sizeof(proxy->name) - 1) != 0)
		proxy->name[0] = '\0';
	if (flags_value(flags, FLAG_PROXY_CA) == NULL) {
		fputs("yumen proxy: name the file of the certificates that "
		      "the controller is known by: --ca FILE\n",
		    stderr);
		return false;
	}
	return read_controller(proxy) && read_gateway(proxy) &&
	    serving_read_flags(&proxy->serving);
}

static bool
open_stream(struct proxy *proxy)
{
	const struct flags *flags = proxy->serving.process.flags;
	const char *server_name = flags_value(flags, FLAG_PROXY_SERVER_NAME);
	struct stream_client_options options = {
	    .loop = proxy->serving.process.loop,
	    .feed = proxy->serving.feed,
	    .host = proxy->host,
	    .port = proxy->port,
	    .gateway =
	        slice_from_string(flags_value(flags, FLAG_PROXY_GATEWAY)),
	    .name = slice_from_string(proxy->name),
	    .authority_path = flags_value(flags, FLAG_PROXY_CA),
	    .token_path = flags_value(flags, FLAG_PROXY_TOKEN_FILE),
	    .server_name = server_name != NULL ? slice_from_string(server_name)
	                                       : proxy->host,
	    .copy_path = flags_value(flags, FLAG_PROXY_COPY),
	};
	enum error error = stream_client_new(&options, &proxy->stream);

	if (error == ERROR_OK)
		return true;
	fprintf(stderr, "yumen proxy: stream: %s\n", error_text(error));
	return false;
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
	return serving_open_agent(serving, NULL) && open_stream(proxy);
}

static void
close_all(struct proxy *proxy)
{
	admin_free(&proxy->serving.process.server);
	stream_client_free(&proxy->stream);
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
