/* yumen proxy: an agent that serves one Gateway, whose units come over the
 * stream. This thread is the control loop: signals, the admin server, the
 * agent, the stream. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "cmd/process.h"
#include "core/log.h"
#include "stream/client.h"

struct proxy {
	struct process process;
	struct feed *feed;
	struct proxy_log *access_log;
	struct agent *agent;
	struct stream_client *stream;
	uint64_t workers, drain_seconds;
	struct slice host;
	uint16_t port;
	char name[256];
	bool announced;
	int status; /* to exit with */
};

static struct proxy *
of_process(struct process *process)
{
	return container_of(process, struct proxy, process);
}

static void
on_wake(struct process *process)
{
	struct proxy *proxy = of_process(process);

	if (proxy->agent != NULL)
		agent_wake(proxy->agent);
	if (proxy->stream != NULL)
		stream_client_wake(proxy->stream);
}

static void
on_reopen(struct process *process)
{
	if (of_process(process)->access_log != NULL)
		proxy_log_reopen(of_process(process)->access_log);
}

static void
on_stop(struct process *process, bool again)
{
	struct proxy *proxy = of_process(process);

	if (again) {
		net_loop_stop(process->loop); /* asked twice: at once */
		return;
	}
	log_event(LOG_RUN_DRAINING,
	    LOG_NUMBER("timeout_s", (int64_t)proxy->drain_seconds));
	agent_drain(proxy->agent);
	net_loop_wake(process->loop);
}

static void
on_served(void *context)
{
	struct proxy *proxy = context;
	const struct unit *unit;
	unsigned routes = 0, listeners = 0;
	size_t at = 0;

	if (proxy->announced)
		return;
	proxy->announced = true;
	/* What the first batch took. */
	malloc_trim(0);
	while (snap_store_next(agent_store(proxy->agent), &at, &unit)) {
		listeners += unit->kind == UNIT_LISTENER;
		routes += unit->kind == UNIT_ROUTE;
	}
	log_event(LOG_RUN_READY, LOG_NUMBER("listeners", listeners),
	    LOG_NUMBER("routes", routes));
}

static void
on_drained(void *context)
{
	const struct proxy *proxy = context;

	net_loop_stop(proxy->process.loop);
}

/* "HOST:PORT", "[v6]:PORT" */
static bool
read_controller(struct proxy *proxy)
{
	const char *value =
	    flags_value(proxy->process.flags, FLAG_PROXY_CONTROLLER);
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
	    flags_value(proxy->process.flags, FLAG_PROXY_GATEWAY));
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
	const struct flags *flags = proxy->process.flags;
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
	    process_workers(
	        &proxy->process, FLAG_PROXY_WORKERS, &proxy->workers) &&
	    flags_number(flags, FLAG_PROXY_DRAIN_TIMEOUT, 30, 0, 86400,
	        &proxy->drain_seconds) &&
	    process_read_flags(&proxy->process);
}

static bool
open_agent(struct proxy *proxy)
{
	struct agent_options options = {
	    .loop = proxy->process.loop,
	    .feed = proxy->feed,
	    .access_log = proxy->access_log,
	    .workers = (unsigned)proxy->workers,
	    .drain_ms = (uint32_t)proxy->drain_seconds * 1000,
	    .on_drained = on_drained,
	    .on_served = on_served,
	    .context = proxy,
	};
	enum error error = agent_new(&options, &proxy->agent);

	if (error != ERROR_OK) {
		fprintf(
		    stderr, "yumen proxy: workers: %s\n", error_text(error));
		return false;
	}
	agent_register(proxy->agent, proxy->process.server);
	return true;
}

static bool
open_stream(struct proxy *proxy)
{
	const struct flags *flags = proxy->process.flags;
	const char *server_name = flags_value(flags, FLAG_PROXY_SERVER_NAME);
	struct stream_client_options options = {
	    .loop = proxy->process.loop,
	    .feed = proxy->feed,
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
	struct process *process = &proxy->process;

	/* Signals before the threads, of which the access log has one. */
	if (!process_open(process))
		return false;
	proxy->feed = feed_new();
	feed_on_offer(proxy->feed, process_wake, process);
	feed_on_reply(proxy->feed, process_wake, process);
	proxy->status = process_access_log(
	    process, FLAG_PROXY_ACCESS_LOG, &proxy->access_log);
	if (proxy->status != 0)
		return false;
	proxy->status = 1;
	return open_agent(proxy) && open_stream(proxy);
}

static void
close_all(struct proxy *proxy)
{
	admin_free(&proxy->process.server);
	stream_client_free(&proxy->stream);
	agent_free(&proxy->agent);
	if (proxy->access_log != NULL)
		proxy_log_close(&proxy->access_log);
	if (proxy->feed != NULL)
		feed_free(proxy->feed);
	process_close(&proxy->process);
}

int
command_proxy(const struct flags *flags)
{
	struct proxy proxy = {
	    .process = {.flags = flags,
	        .command = "yumen proxy",
	        .log_level = FLAG_PROXY_LOG_LEVEL,
	        .log_format = FLAG_PROXY_LOG_FORMAT,
	        .socket = FLAG_PROXY_SOCKET,
	        .admin = FLAG_PROXY_ADMIN,
	        .on_stop = on_stop,
	        .on_reopen = on_reopen,
	        .on_wake = on_wake},
	    .status = 1,
	};

	/* One heap: threads allocate rarely, and each arena costs memory. */
	mallopt(M_ARENA_MAX, 1);
	if (!read_flags(&proxy))
		return 2;
	if (open_all(&proxy) && net_loop_run(proxy.process.loop) == ERROR_OK) {
		proxy.status = 0;
		log_event(LOG_RUN_STOPPED, LOG_NUMBER("pid", getpid()));
	}
	close_all(&proxy);
	return proxy.status;
}
