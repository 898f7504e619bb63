/* The control loop's shell: it hears signals and people, and owns nothing of
 * what the command serves. */
#include "cmd/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/log.h"

#define WORKERS_MAX 256

static void
on_signal(struct net_watch *watch, unsigned events)
{
	struct process *process = container_of(watch, struct process, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR1) {
			process->on_reopen(process);
			continue;
		}
		process->on_stop(process, process->stopping);
		process->stopping = true;
	}
}

/* Before any thread is made, so that all of them leave signals to this one. */
static enum error
open_signals(struct process *process)
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
	process->signals.on_ready = on_signal;
	process->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (process->signals.fd < 0)
		return error_from_errno(errno);
	return net_loop_add(process->loop, &process->signals);
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

/* There are keys in its memory: it leaves no core, which a limit of zero does
 * not say to a program that cores are piped into, and of other processes root's
 * alone may look in. */
static void
keep_private(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static bool
read_log_flags(const struct process *process)
{
	const char *level = flags_value(process->flags, process->log_level);
	const char *format = flags_value(process->flags, process->log_format);
	enum log_level parsed = LOG_LEVEL_INFO;

	if (level != NULL &&
	    !log_level_parse(slice_from_string(level), &parsed)) {
		fprintf(stderr,
		    "%s: --log-level %s: debug, info, warning or error "
		    "is wanted\n",
		    process->command, level);
		return false;
	}
	if (format != NULL && strcmp(format, "text") != 0 &&
	    strcmp(format, "json") != 0) {
		fprintf(stderr, "%s: --log-format %s: text or json is wanted\n",
		    process->command, format);
		return false;
	}
	log_set_level(parsed);
	log_set_json(format != NULL && strcmp(format, "json") == 0);
	return true;
}

static bool
read_admin_flags(struct process *process)
{
	const char *admin = flags_value(process->flags, process->admin);
	const char *path = flags_value(process->flags, process->socket);

	if (path == NULL) {
		if (!command_default_socket(
		        process->socket_path, sizeof(process->socket_path)))
			return false;
	} else if ((size_t)snprintf(process->socket_path,
	               sizeof(process->socket_path), "%s",
	               path) >= sizeof(process->socket_path)) {
		fprintf(stderr,
		    "%s: --socket %s: longer than a socket's path may "
		    "be (%zu bytes)\n",
		    process->command, path, sizeof(process->socket_path) - 1);
		return false;
	}
	process->admin_off = admin != NULL && strcmp(admin, "off") == 0;
	return process->admin_off ||
	    command_address(admin != NULL ? admin : "127.0.0.1:9911", "--admin",
	        &process->admin_address);
}

bool
process_read_flags(struct process *process)
{
	return read_log_flags(process) && read_admin_flags(process);
}

/* What a flag asked for must be had; what is there by default is a help, not
 * the service: told, and done without. */
static bool
not_open(const struct process *process, enum flag flag, const char *what,
    const char *where, enum error error)
{
	const char *why = error_text(error);

	if (flags_value(process->flags, flag) == NULL) {
		log_event(LOG_ADMIN_NOT_OPEN, LOG_STRING(what, where),
		    LOG_STRING("error", why));
		return true;
	}
	if (error == ERROR_IN_USE)
		why = flag == process->socket
		    ? "another yumen answers there; stop it or name another"
		    : "another program listens there; name another port";
	if (error == ERROR_EXISTS)
		why = "what is there is no socket; name another path";
	if (error == ERROR_NOT_FOUND && flag == process->socket)
		why = "its folder is not there and cannot be made";
	if (error == ERROR_NOT_FOUND && flag == process->admin)
		why = "this host has no such address";
	fprintf(stderr, "%s: --%s %s: %s\n", process->command,
	    flag == process->socket ? "socket" : "admin", where, why);
	return false;
}

static bool
open_admin(struct process *process)
{
	char text[NET_ADDRESS_TEXT];
	enum error error;

	if (admin_new(process->loop, &process->server) != ERROR_OK)
		return false;
	command_make_folder(process->socket_path);
	error = admin_listen_unix(process->server, process->socket_path);
	process->socket_open = error == ERROR_OK;
	if (error != ERROR_OK &&
	    !not_open(process, process->socket, "socket", process->socket_path,
	        error))
		return false;
	if (process->admin_off)
		return true;
	error = admin_listen_tcp(process->server, &process->admin_address);
	process->admin_off = error != ERROR_OK;
	net_address_format(&process->admin_address, text);
	return error == ERROR_OK ||
	    not_open(process, process->admin, "address", text, error);
}

static void
on_wake(void *context)
{
	struct process *process = context;

	process->on_wake(process);
}

void
process_wake(void *context)
{
	const struct process *process = context;

	net_loop_wake(process->loop);
}

bool
process_open(struct process *process)
{
	enum error error;

	raise_descriptor_limit();
	keep_private();
	process->loop = net_loop_new();
	if (process->loop == NULL) {
		fprintf(stderr, "%s: event loop: %s\n", process->command,
		    strerror(errno));
		return false;
	}
	error = open_signals(process);
	if (error != ERROR_OK) {
		fprintf(stderr, "%s: signals: %s\n", process->command,
		    error_text(error));
		return false;
	}
	net_loop_on_wake(process->loop, on_wake, process);
	return open_admin(process);
}

void
process_close(struct process *process)
{
	admin_free(&process->server);
	if (process->signals.fd > 0) {
		net_loop_remove(process->loop, &process->signals);
		close(process->signals.fd);
	}
	if (process->loop != NULL)
		net_loop_free(process->loop);
}

int
process_access_log(
    const struct process *process, enum flag flag, struct proxy_log **log)
{
	const char *value = flags_value(process->flags, flag);
	enum error error =
	    proxy_log_open(slice_from_string(value ? value : "text"), log);

	if (error == ERROR_OK)
		return 0;
	if (error == ERROR_UNKNOWN) {
		fprintf(stderr,
		    "%s: --access-log %s: off, text or json is wanted, "
		    "and text:FILE or json:FILE for a file\n",
		    process->command, value);
		return 2;
	}
	fprintf(stderr, "%s: --access-log %s: cannot open it: %s\n",
	    process->command, value ? value : "text", error_text(error));
	return 1;
}

bool
process_workers(
    const struct process *process, enum flag flag, uint64_t *workers)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return flags_number(process->flags, flag,
	    cores > 0 ? (uint64_t)cores : 1, 1, WORKERS_MAX, workers);
}
