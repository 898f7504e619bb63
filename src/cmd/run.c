/* yumen run: ctl and agent in one process, joined by the feed. This thread is
 * the control loop: signals, the admin server, the agent. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <malloc.h>

#include "cmd/deciding.h"
#include "cmd/run_announcer.h"
#include "cmd/serving.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"

#define LISTENERS_SHOWN 32
#define TRIES 6 /* curl lines a listener */

struct run {
	struct serving serving;
	struct deciding deciding;
	struct announcer *announcer; /* NULL: no --announce, or not allowed */
	uint64_t started_ms;
	bool announced;
	int status; /* to exit with */
};

static bool
is_attached(const struct unit_route *route, struct slice listener)
{
	for (uint32_t i = 0; i < route->listeners_count; i++)
		if (slice_equal(route->listeners[i], listener))
			return true;
	return false;
}

static const char *
scheme_of(const struct unit_listener *listener)
{
	return listener->protocol == UNIT_PROTOCOL_HTTPS ? "https" : "http";
}

/* A name that the hostname stands for: "*.example.com" for www.example.com. */
static void
print_host(struct slice hostname)
{
	bool wild = hostname.length > 0 && hostname.data[0] == '*';

	printf("%s%.*s", wild ? "www" : "",
	    SLICE_ARGS(wild ? slice_skip(hostname, 1) : hostname));
}

/* Over TLS the name must be in the URL, for the SNI; the certificate may be
 * anybody's (-k). */
static void
print_curl(const struct unit_listener *listener, const struct unit_route *route,
    const struct unit_rule *rule)
{
	struct slice path = SLICE("/"), host = listener->hostname;
	struct slice address = SLICE("127.0.0.1");
	bool tls = listener->protocol == UNIT_PROTOCOL_HTTPS;
	bool ip6;

	if (listener->addresses_count > 0)
		address = listener->addresses[0];
	ip6 = slice_find(address, ':') < address.length;
	if (rule->matches_count > 0)
		path = rule->matches[0].path;
	if (route->hostnames_count > 0)
		host = route->hostnames[0];
	printf("  try         curl -i%s ", tls ? "k" : "");
	if (host.length > 0 && tls) {
		printf("--connect-to ::%s%.*s%s: https://", ip6 ? "[" : "",
		    SLICE_ARGS(address), ip6 ? "]" : "");
		print_host(host);
	} else {
		if (host.length > 0) {
			printf("-H 'Host: ");
			print_host(host);
			printf("' ");
		}
		printf("%s://%s%.*s%s", scheme_of(listener), ip6 ? "[" : "",
		    SLICE_ARGS(address), ip6 ? "]" : "");
	}
	printf(":%d%.*s\n", (int)listener->port, SLICE_ARGS(path));
}

/* A curl line a rule, for the first few routes of the listener. */
static void
print_tries(const struct snap_store *store, const struct unit *listener)
{
	const struct unit *unit;
	unsigned left = TRIES;
	size_t at = 0;

	while (snap_store_next(store, &at, &unit)) {
		if (unit->kind != UNIT_ROUTE ||
		    !is_attached(unit->route, listener->name))
			continue;
		for (uint32_t i = 0; i < unit->route->rules_count; i++) {
			if (left-- == 0)
				return;
			print_curl(listener->listener, unit->route,
			    &unit->route->rules[i]);
		}
	}
}

static void
print_listener(const struct run *run, const struct unit *unit)
{
	const struct unit_listener *listener = unit->listener;
	struct slice why;
	bool listens =
	    agent_listener_state(run->serving.agent, unit, &why) == ERROR_OK;

	printf("  %s %s ", listens ? "listening  " : "NOT serving",
	    scheme_of(listener));
	for (uint32_t i = 0; i < listener->addresses_count; i++)
		printf("%s%.*s", i > 0 ? "," : "",
		    SLICE_ARGS(listener->addresses[i]));
	printf("%s:%d  Gateway %.*s/%.*s",
	    listener->addresses_count > 0 ? "" : "*", (int)listener->port,
	    SLICE_ARGS(listener->gateway_namespace),
	    SLICE_ARGS(listener->gateway_name));
	if (listener->set_name.length > 0)
		printf(" ListenerSet %.*s/%.*s",
		    SLICE_ARGS(listener->set_namespace),
		    SLICE_ARGS(listener->set_name));
	printf(" listener %.*s%s%.*s\n", SLICE_ARGS(listener->name),
	    listener->hostname.length > 0 ? "  " : "",
	    SLICE_ARGS(listener->hostname));
	if (listens)
		print_tries(agent_store(run->serving.agent), unit);
	else
		printf("  why         %.*s\n", SLICE_ARGS(why));
}

static void
print_admin(const struct run *run)
{
	char text[NET_ADDRESS_TEXT];

	if (run->serving.process.socket_open)
		printf("  admin       %s get gateways --socket %s\n",
		    program_invocation_name, run->serving.process.socket_path);
	if (run->serving.process.admin_off)
		return;
	net_address_format(&run->serving.process.admin_address, text);
	printf("  metrics     curl http://%s/metrics\n", text);
}

/* Once, when the first whole generation is served: what is here to be used. */
static void
announce(struct run *run)
{
	const struct snap_store *store = agent_store(run->serving.agent);
	const struct unit *unit;
	unsigned routes = 0, listeners = 0;
	size_t at = 0;

	printf("yumen " YUMEN_VERSION "  pid %d  %llu worker%s\n",
	    (int)getpid(), (unsigned long long)run->serving.workers,
	    run->serving.workers == 1 ? "" : "s");
	while (snap_store_next(store, &at, &unit)) {
		if (unit->kind == UNIT_LISTENER &&
		    listeners++ < LISTENERS_SHOWN)
			print_listener(run, unit);
		routes += unit->kind == UNIT_ROUTE;
	}
	if (listeners == 0)
		puts("  listening   nowhere: the files have no Gateway with a "
		     "listener that can be served");
	if (listeners > LISTENERS_SHOWN)
		printf("  and         %u listeners more\n",
		    listeners - LISTENERS_SHOWN);
	printf("  routes      %u attached\n", routes);
	print_admin(run);
	printf("ready in %llu ms\n",
	    (unsigned long long)(clock_monotonic_ms() - run->started_ms));
	fflush(stdout);
	log_event(LOG_RUN_READY, LOG_NUMBER("listeners", listeners),
	    LOG_NUMBER("routes", routes));
}

/* Is a listener's address still being asked for? */
static bool
is_settled(const struct run *run)
{
	const struct unit *unit;
	struct slice why;

	for (size_t at = 0;
	     snap_store_next(agent_store(run->serving.agent), &at, &unit);)
		if (unit->kind == UNIT_LISTENER &&
		    agent_listener_state(run->serving.agent, unit, &why) ==
		        ERROR_AGAIN)
			return false;
	return true;
}

static void
on_served(void *context)
{
	struct run *run = container_of(context, struct run, serving);

	if (run->announced || !is_settled(run))
		return;
	run->announced = true;
	/* What reading all files took, and the first batch. */
	malloc_trim(0);
	announce(run);
}

static void
on_addresses_changed(void *context)
{
	struct run *run = context;

	if (run->serving.agent == NULL)
		return;
	agent_addresses_changed(run->serving.agent);
	if (agent_is_ready(run->serving.agent))
		on_served(&run->serving);
}

static struct run *
of_process(struct process *process)
{
	return container_of(process, struct run, serving.process);
}

static void
on_wake(struct process *process)
{
	struct run *run = of_process(process);

	if (run->serving.agent != NULL)
		agent_wake(run->serving.agent);
	if (run->deciding.ctl != NULL)
		ctl_wake(run->deciding.ctl);
}

static bool
read_flags(struct run *run)
{
	const struct flags *flags = run->serving.process.flags;

	if (flags->counts[FLAG_RUN_FILE] == 0) {
		fputs("yumen run: name the files or folders: yumen run -f "
		      "PATH...\n",
		    stderr);
		return false;
	}
	return serving_read_flags(&run->serving);
}

static bool
open_all(struct run *run)
{
	struct process *process = &run->serving.process;

	run->status = serving_open(&run->serving);
	if (run->status != 0)
		return false;
	run->status = 1;
	deciding_init(&run->deciding, process, run->serving.feed);
	return run_announcer_open(process->flags, process->loop,
	           on_addresses_changed, run, &run->announcer) &&
	    serving_open_agent(&run->serving, run->announcer) &&
	    deciding_open(&run->deciding, process);
}

static void
close_all(struct run *run)
{
	/* ctl first: it has exchanges of the admin server in hand. */
	ctl_free(&run->deciding.ctl);
	admin_free(&run->serving.process.server);
	serving_close_agent(&run->serving);
	announcer_free(&run->announcer);
	serving_close(&run->serving);
}

int
command_run(const struct flags *flags)
{
	struct run run = {
	    .serving = {.process = {.flags = flags,
	                    .command = "yumen run",
	                    .log_level = FLAG_RUN_LOG_LEVEL,
	                    .log_format = FLAG_RUN_LOG_FORMAT,
	                    .socket = FLAG_RUN_SOCKET,
	                    .admin = FLAG_RUN_ADMIN,
	                    .on_stop = serving_on_stop,
	                    .on_reopen = serving_on_reopen,
	                    .on_wake = on_wake},
	        .worker_count = FLAG_RUN_WORKERS,
	        .drain_timeout = FLAG_RUN_DRAIN_TIMEOUT,
	        .access_log_to = FLAG_RUN_ACCESS_LOG,
	        .on_served = on_served},
	    .deciding = {.file = FLAG_RUN_FILE,
	        .controller_name = FLAG_RUN_CONTROLLER_NAME,
	        .addresses = FLAG_RUN_ADDRESSES},
	    .status = 1,
	};

	/* One heap each for those that allocate together at the start: ctl, the
	 * agent, and who parses ahead. More would cost memory: workers allocate
	 * rarely. */
	mallopt(M_ARENA_MAX, 3);
	run.started_ms = clock_monotonic_ms();
	if (!read_flags(&run))
		return 2;
	if (open_all(&run))
		run.status = serving_run(&run.serving);
	close_all(&run);
	return run.status;
}
