/* yumen run: ctl and agent in one process, joined by the feed. This thread is
 * the control loop: signals, the admin server, the agent. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <malloc.h>

#include "admin/admin.h"
#include "agent/agent.h"
#include "cmd/command.h"
#include "cmd/run_announcer.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "ctl/ctl.h"
#include "ctl/once.h"
#include "proxy/log.h"

#define WORKERS_MAX 256
#define TRIES 6 /* curl lines a listener */

struct run {
	const struct flags *flags;
	struct net_loop *loop;
	struct net_watch signals;
	struct feed *feed;
	struct proxy_log *access_log;
	struct announcer *announcer; /* NULL: no --announce, or not allowed */
	struct agent *agent;
	struct ctl *ctl;
	struct admin *admin;
	struct slice controller_names[FLAG_REPEATS];
	uint64_t workers, drain_seconds;
	uint64_t started_ms;
	char socket[108]; /* sun_path's size */
	struct net_address admin_address;
	bool admin_off, socket_open;
	bool announced;
	bool draining;
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

static void
print_curl(const struct unit_listener *listener, const struct unit_route *route,
    const struct unit_rule *rule)
{
	struct slice path = SLICE("/"), host = listener->hostname;
	struct slice address = SLICE("127.0.0.1");
	bool ip6;

	if (listener->addresses_count > 0)
		address = listener->addresses[0];
	ip6 = slice_find(address, ':') < address.length;
	if (rule->matches_count > 0)
		path = rule->matches[0].path;
	if (route->hostnames_count > 0)
		host = route->hostnames[0];
	printf("  try         curl -i ");
	if (host.length > 0 && host.data[0] == '*')
		printf("-H 'Host: www%.*s' ", SLICE_ARGS(slice_skip(host, 1)));
	else if (host.length > 0)
		printf("-H 'Host: %.*s' ", SLICE_ARGS(host));
	printf("http://%s%.*s%s:%d%.*s\n", ip6 ? "[" : "", SLICE_ARGS(address),
	    ip6 ? "]" : "", (int)listener->port, SLICE_ARGS(path));
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

	printf("  %s http ", listens ? "listening  " : "NOT serving");
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

	if (run->socket_open)
		printf("  admin       %s get gateways --socket %s\n",
		    program_invocation_name, run->socket);
	if (run->admin_off)
		return;
	net_address_format(&run->admin_address, text);
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
		if (unit->kind == UNIT_LISTENER) {
			listeners++;
			print_listener(run, unit);
		}
		routes += unit->kind == UNIT_ROUTE;
	}
	if (listeners == 0)
		puts("  listening   nowhere: the files have no Gateway with a "
		     "listener that can be served");
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

	net_loop_stop(run->loop);
}

/* From ctl's thread and the workers'. */
static void
wake(void *context)
{
	const struct run *run = context;

	net_loop_wake(run->loop);
}

static void
on_wake(void *context)
{
	struct run *run = context;

	if (run->agent != NULL)
		agent_wake(run->agent);
	if (run->ctl != NULL)
		ctl_wake(run->ctl);
}

static void
on_signal(struct net_watch *watch, unsigned events)
{
	struct run *run = container_of(watch, struct run, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR1) {
			if (run->access_log != NULL)
				proxy_log_reopen(run->access_log);
			continue;
		}
		if (run->draining) {
			net_loop_stop(run->loop); /* asked twice: at once */
			continue;
		}
		run->draining = true;
		log_event(LOG_RUN_DRAINING,
		    LOG_NUMBER("timeout_s", (int64_t)run->drain_seconds));
		agent_drain(run->agent);
		net_loop_wake(run->loop);
	}
}

/* Before any thread is made, so that all of them leave signals to this one. */
static enum error
open_signals(struct run *run)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return error_from_errno(errno);
	run->signals.on_ready = on_signal;
	run->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (run->signals.fd < 0)
		return error_from_errno(errno);
	return net_loop_add(run->loop, &run->signals);
}

/* Each connection is a descriptor, or two. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool
read_log_flags(const struct flags *flags)
{
	const char *level = flags_value(flags, FLAG_RUN_LOG_LEVEL);
	const char *format = flags_value(flags, FLAG_RUN_LOG_FORMAT);
	enum log_level parsed = LOG_LEVEL_INFO;

	if (level != NULL &&
	    !log_level_parse(slice_from_string(level), &parsed)) {
		fprintf(stderr,
		    "yumen run: --log-level %s: debug, info, warning or error "
		    "is wanted\n",
		    level);
		return false;
	}
	if (format != NULL && strcmp(format, "text") != 0 &&
	    strcmp(format, "json") != 0) {
		fprintf(stderr,
		    "yumen run: --log-format %s: text or json is wanted\n",
		    format);
		return false;
	}
	log_set_level(parsed);
	log_set_json(format != NULL && strcmp(format, "json") == 0);
	return true;
}

static bool
read_admin_flags(struct run *run)
{
	const char *admin = flags_value(run->flags, FLAG_RUN_ADMIN);
	const char *path = flags_value(run->flags, FLAG_RUN_SOCKET);

	if (path == NULL) {
		if (!command_default_socket(run->socket, sizeof(run->socket)))
			return false;
	} else if ((size_t)snprintf(run->socket, sizeof(run->socket), "%s",
	               path) >= sizeof(run->socket)) {
		fprintf(stderr,
		    "yumen run: --socket %s: longer than a socket's path may "
		    "be (%zu bytes)\n",
		    path, sizeof(run->socket) - 1);
		return false;
	}
	run->admin_off = admin != NULL && strcmp(admin, "off") == 0;
	return run->admin_off ||
	    command_address(admin != NULL ? admin : "127.0.0.1:9911", "--admin",
	        &run->admin_address);
}

static bool
read_flags(struct run *run)
{
	const struct flags *flags = run->flags;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (flags->counts[FLAG_RUN_FILE] == 0) {
		fputs("yumen run: name the files or folders: yumen run -f "
		      "PATH...\n",
		    stderr);
		return false;
	}
	return read_log_flags(flags) &&
	    flags_number(flags, FLAG_RUN_WORKERS,
	        cores > 0 ? (uint64_t)cores : 1, 1, WORKERS_MAX,
	        &run->workers) &&
	    flags_number(flags, FLAG_RUN_DRAIN_TIMEOUT, 30, 0, 86400,
	        &run->drain_seconds) &&
	    read_admin_flags(run);
}

static bool
open_access_log(struct run *run)
{
	const char *value = flags_value(run->flags, FLAG_RUN_ACCESS_LOG);
	enum error error = proxy_log_open(
	    slice_from_string(value ? value : "text"), &run->access_log);

	if (error == ERROR_OK)
		return true;
	if (error == ERROR_UNKNOWN) {
		run->status = 2;
		fprintf(stderr,
		    "yumen run: --access-log %s: off, text or json is wanted, "
		    "and text:FILE or json:FILE for a file\n",
		    value);
		return false;
	}
	fprintf(stderr, "yumen run: --access-log %s: cannot open it: %s\n",
	    value ? value : "text", error_text(error));
	return false;
}

/* What a flag asked for must be had; what is there by default is a help, not
 * the service: told, and done without. */
static bool
not_open(const struct run *run, enum flag flag, const char *what,
    const char *where, enum error error)
{
	const char *why = error_text(error);

	if (flags_value(run->flags, flag) == NULL) {
		log_event(LOG_ADMIN_NOT_OPEN, LOG_STRING(what, where),
		    LOG_STRING("error", why));
		return true;
	}
	if (error == ERROR_IN_USE)
		why = flag == FLAG_RUN_SOCKET
		    ? "another yumen answers there; stop it or name another"
		    : "another program listens there; name another port";
	if (error == ERROR_EXISTS)
		why = "what is there is no socket; name another path";
	if (error == ERROR_NOT_FOUND && flag == FLAG_RUN_SOCKET)
		why = "its folder is not there and cannot be made";
	if (error == ERROR_NOT_FOUND && flag == FLAG_RUN_ADMIN)
		why = "this host has no such address";
	fprintf(stderr, "yumen run: --%s %s: %s\n",
	    flag == FLAG_RUN_SOCKET ? "socket" : "admin", where, why);
	return false;
}

static bool
open_admin(struct run *run)
{
	char text[NET_ADDRESS_TEXT];
	enum error error;

	if (admin_new(run->loop, &run->admin) != ERROR_OK)
		return false;
	command_make_folder(run->socket);
	error = admin_listen_unix(run->admin, run->socket);
	run->socket_open = error == ERROR_OK;
	if (error != ERROR_OK &&
	    !not_open(run, FLAG_RUN_SOCKET, "socket", run->socket, error))
		return false;
	if (run->admin_off)
		return true;
	error = admin_listen_tcp(run->admin, &run->admin_address);
	run->admin_off = error != ERROR_OK;
	net_address_format(&run->admin_address, text);
	return error == ERROR_OK ||
	    not_open(run, FLAG_RUN_ADMIN, "address", text, error);
}

static bool
open_agent(struct run *run)
{
	struct agent_options options = {
	    .loop = run->loop,
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
	agent_register(run->agent, run->admin);
	return true;
}

static bool
open_ctl(struct run *run)
{
	const struct flags *flags = run->flags;
	unsigned names = flags->counts[FLAG_RUN_CONTROLLER_NAME];
	struct ctl_options options = {
	    .paths = flags->values[FLAG_RUN_FILE],
	    .path_count = flags->counts[FLAG_RUN_FILE],
	    .gw = {.controller_names = run->controller_names,
	        .controller_name_count = names,
	        .namespaces_implied = true,
	        .carries = CTL_CARRIES},
	    .feed = run->feed,
	    .admin_loop = run->loop,
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
	ctl_register(run->ctl, run->admin);
	return true;
}

static bool
open_all(struct run *run)
{
	enum error error;

	run->loop = net_loop_new();
	if (run->loop == NULL) {
		perror("yumen run: event loop");
		return false;
	}
	error = open_signals(run);
	if (error != ERROR_OK) {
		fprintf(stderr, "yumen run: signals: %s\n", error_text(error));
		return false;
	}
	net_loop_on_wake(run->loop, on_wake, run);
	run->feed = feed_new();
	feed_on_offer(run->feed, wake, run);
	return open_access_log(run) && open_admin(run) &&
	    run_announcer_open(run->flags, run->loop, on_addresses_changed, run,
	        &run->announcer) &&
	    open_agent(run) && open_ctl(run);
}

static void
close_all(struct run *run)
{
	/* ctl first: it has exchanges of the admin server in hand. */
	ctl_free(&run->ctl);
	admin_free(&run->admin);
	agent_free(&run->agent);
	announcer_free(&run->announcer);
	if (run->access_log != NULL)
		proxy_log_close(&run->access_log);
	if (run->feed != NULL)
		feed_free(run->feed);
	if (run->signals.fd > 0) {
		net_loop_remove(run->loop, &run->signals);
		close(run->signals.fd);
	}
	if (run->loop != NULL)
		net_loop_free(run->loop);
}

int
command_run(const struct flags *flags)
{
	struct run run = {.flags = flags, .status = 1};

	/* One heap: threads allocate rarely, and each arena costs memory. */
	mallopt(M_ARENA_MAX, 1);
	run.started_ms = clock_monotonic_ms();
	if (!read_flags(&run))
		return 2;
	raise_descriptor_limit();
	if (open_all(&run) && net_loop_run(run.loop) == ERROR_OK) {
		run.status = 0;
		log_event(LOG_RUN_STOPPED, LOG_NUMBER("pid", getpid()));
	}
	close_all(&run);
	return run.status;
}
