/* What commands that carry traffic have in common: the agent, the feed that it
 * stands in, its access log, and how it drains. */
#ifndef YUMEN_CMD_SERVING_H
#define YUMEN_CMD_SERVING_H

#include "agent/agent.h"
#include "cmd/process.h"

struct serving {
	struct process process; /* on_stop, on_reopen: those below */
	/* By the command, before: */
	enum flag worker_count, drain_timeout, access_log_to;
	/* A generation is served by every worker. */
	void (*on_served)(void *serving);
	/* From then on: */
	struct feed *feed;
	struct proxy_log *access_log;
	struct agent *agent;
	uint64_t workers, drain_seconds;
};

/* For the process: the first stop drains, the next is at once. */
void serving_on_stop(struct process *process, bool again);
void serving_on_reopen(struct process *process);

/* False: told on stderr; the exit status is then 2. */
bool serving_read_flags(struct serving *serving);
/* The process, the feed and the access log. Otherwise the exit status, told. */
int serving_open(struct serving *serving);
/* announcer may be NULL. False: told on stderr. */
bool serving_open_agent(struct serving *serving, struct announcer *announcer);
/* Until it is drained: the exit status. */
int serving_run(struct serving *serving);
void serving_close_agent(struct serving *serving);
/* The access log, the feed, the process: behind all that use them. */
void serving_close(struct serving *serving);

#endif
