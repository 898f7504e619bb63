/* What commands that stay have in common: the control loop, signals, the log's
 * flags, the admin server, the access log. */
#ifndef YUMEN_CMD_PROCESS_H
#define YUMEN_CMD_PROCESS_H

#include "admin/admin.h"
#include "cmd/command.h"
#include "net/loop.h"
#include "proxy/log.h"

struct process {
	/* By the command, before: */
	const struct flags *flags;
	const char *command; /* "yumen run" */
	enum flag log_level, log_format, socket, admin;
	/* SIGTERM or SIGINT; again: not the first. */
	void (*on_stop)(struct process *process, bool again);
	void (*on_reopen)(struct process *process); /* SIGHUP, SIGUSR1 */
	/* Something woke the loop. */
	void (*on_wake)(struct process *process);
	/* From then on: */
	struct net_loop *loop;
	struct net_watch signals;
	struct admin *server;
	struct net_address admin_address;
	char socket_path[108]; /* sun_path's size */
	bool admin_off, socket_open, stopping;
};

/* False: told on stderr; the exit status is then 2. */
bool process_read_flags(struct process *process);
/* The loop, signals, the admin server. Before any thread is made. False: told
 * on stderr. */
bool process_open(struct process *process);
void process_close(struct process *process);
/* From any thread; context is a process. */
void process_wake(void *context);

/* The access log that a flag asks for. Otherwise the exit status, told. */
int process_access_log(
    const struct process *process, enum flag flag, struct proxy_log **log);
/* "cores" or what the flag says. */
bool process_workers(
    const struct process *process, enum flag flag, uint64_t *workers);

#endif
