/* yumen run: ctl and agent in one process, joined by the feed. This thread is
 * the control loop: signals, the admin server, the agent. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <malloc.h>

#include "agent/agent.h"
#include "cmd/process.h"
#include "cmd/run_announcer.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "ctl/ctl.h"
#include "ctl/once.h"
#include "proxy/log.h"

#define LISTENERS_SHOWN 32
#define TRIES 6 /* curl lines a listener */

struct run {
	struct process process;
	struct feed *feed;
	struct proxy_log *access_log;
	struct announcer *announcer; /* NULL: no --announce, or not allowed */
	struct agent *agent;
	struct ctl *ctl;
	struct slice controller_names[FLAG_REPEATS];
	uint64_t workers, drain_seconds;
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
	bool listens = agent_listener_state(run->agent, unit, &why) == ERROR_OK;

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
		print_tries(agent_store(run->agent), unit);
	else
		printf("  why         %.*s\n", SLICE_ARGS(why));
}

static void
print_admin(const struct run *run)
{
	char text[NET_ADDRESS_TEXT];

	if (run->process.socket_open)
		printf("  admin       %s get gateways --socket %s\n",
		    program_invocation_name, run->process.socket_path);
	if (run->process.admin_off)
		return;
	net_address_format(&run->process.admin_address, text);
	printf("  metrics     curl http://%s/metrics\n", text);
}

/* Once, when the first whole generation is served: what is here to be used. */
static void
announce(struct run *run)
{
	const struct snap_store *store = agent_store(run->agent);
	const struct unit *unit;
	unsigned routes = 0, listeners = 0;
	size_t at = 0;

	printf("yumen " YUMEN_VERSION "  pid %d  %llu worker%s\n",
	    (int)getpid(), (unsigned long long)run->workers,
	    run->workers == 1 ? "" : "s");
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
	     snap_store_next(agent_store(run->agent), &at, &unit);)
		if (unit->kind == UNIT_LISTENER &&
		    agent_listener_state(run->agent, unit, &why) == ERROR_AGAIN)
			return false;
	return true;
}

static void
on_served(void *context)
{
	struct run *run = context;

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

	if (run->agent == NULL)
		return;
	agent_addresses_changed(run->agent);
	if (agent_is_ready(run->agent))
		on_served(run);
}

static void
on_drained(void *context)
{
	struct run *run = context;

	net_loop_stop(run->process.loop);
}

static struct run *
of_process(struct process *process)
{
	return container_of(process, struct run, process);
}

static void
on_wake(struct process *process)
{
	struct run *run = of_process(process);

	if (run->agent != NULL)
		agent_wake(run->agent);
	if (run->ctl != NULL)
		ctl_wake(run->ctl);
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
	struct run *run = of_process(process);

	if (again) {
		net_loop_stop(process->loop); /* asked twice: at once */
		return;
	}
	log_event(LOG_RUN_DRAINING,
	    LOG_NUMBER("timeout_s", (int64_t)run->drain_seconds));
	agent_drain(run->agent);
	net_loop_wake(process->loop);
}

static bool
read_flags(struct run *run)
{
	const struct flags *flags = run->process.flags;

	if (flags->counts[FLAG_RUN_FILE] == 0) {
		fputs("yumen run: name the files or folders: yumen run -f "
		      "PATH...\n",
		    stderr);
		return false;
	}
	return process_workers(
	           &run->process, FLAG_RUN_WORKERS, &run->workers) &&
	    flags_number(flags, FLAG_RUN_DRAIN_TIMEOUT, 30, 0, 86400,
	        &run->drain_seconds) &&
	    process_read_flags(&run->process);
}

static bool
open_agent(struct run *run)
{
	struct agent_options options = {
	    .loop = run->process.loop,
	    .feed = run->feed,
	    .access_log = run->access_log,
	    .announcer = run->announcer,
	    .workers = (unsigned)run->workers,
	    .drain_ms = (uint32_t)run->drain_seconds * 1000,
	    .on_drained = on_drained,
	    .on_served = on_served,
	    .context = run,
	};
	enum error error = agent_new(&options, &run->agent);

	if (error != ERROR_OK) {
		fprintf(stderr, "yumen run: workers: %s\n", error_text(error));
		return false;
	}
	agent_register(run->agent, run->process.server);
	return true;
}

static bool
open_ctl(struct run *run)
{
	const struct flags *flags = run->process.flags;
	unsigned names = flags->counts[FLAG_RUN_CONTROLLER_NAME];
	struct ctl_options options = {
	    .paths = flags->values[FLAG_RUN_FILE],
	    .path_count = flags->counts[FLAG_RUN_FILE],
	    .gw = {.controller_names = run->controller_names,
	        .controller_name_count = names,
	        .namespaces_implied = true,
	        .carries = CTL_CARRIES},
	    .feed = run->feed,
	    .admin_loop = run->process.loop,
	};

	for (unsigned i = 0; i < names; i++)
		run->controller_names[i] = slice_from_string(
		    flags->values[FLAG_RUN_CONTROLLER_NAME][i]);
	if (ctl_new(&options, &run->ctl) != ERROR_OK) {
		/* Which, the log has said. */
		fputs("yumen run: not started: what -f names must be there "
		      "and readable\n",
		    stderr);
		return false;
	}
	ctl_register(run->ctl, run->process.server);
	return true;
}

static bool
open_all(struct run *run)
{
	struct process *process = &run->process;

	/* Signals before the threads, of which the access log has one. */
	if (!process_open(process))
		return false;
	run->feed = feed_new();
	feed_on_offer(run->feed, process_wake, process);
	run->status =
	    process_access_log(process, FLAG_RUN_ACCESS_LOG, &run->access_log);
	if (run->status != 0)
		return false;
	run->status = 1;
	return run_announcer_open(process->flags, process->loop,
	           on_addresses_changed, run, &run->announcer) &&
	    open_agent(run) && open_ctl(run);
}

static void
close_all(struct run *run)
{
	/* ctl first: it has exchanges of the admin server in hand. */
	ctl_free(&run->ctl);
	admin_free(&run->process.server);
	agent_free(&run->agent);
	announcer_free(&run->announcer);
	if (run->access_log != NULL)
		proxy_log_close(&run->access_log);
	if (run->feed != NULL)
		feed_free(run->feed);
	process_close(&run->process);
}

int
command_run(const struct flags *flags)
{
	struct run run = {
	    .process = {.flags = flags,
	        .command = "yumen run",
	        .log_level = FLAG_RUN_LOG_LEVEL,
	        .log_format = FLAG_RUN_LOG_FORMAT,
	        .socket = FLAG_RUN_SOCKET,
	        .admin = FLAG_RUN_ADMIN,
	        .on_stop = on_stop,
	        .on_reopen = on_reopen,
	        .on_wake = on_wake},
	    .status = 1,
	};

	/* One heap: threads allocate rarely, and each arena costs memory. */
	mallopt(M_ARENA_MAX, 1);
	run.started_ms = clock_monotonic_ms();
	if (!read_flags(&run))
		return 2;
	if (open_all(&run) && net_loop_run(run.process.loop) == ERROR_OK) {
		run.status = 0;
		log_event(LOG_RUN_STOPPED, LOG_NUMBER("pid", getpid()));
	}
	close_all(&run);
	return run.status;
}
