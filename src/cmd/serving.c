/* The agent's thread is the control loop of the process; the access log has one
 * of its own, which is why signals come first. */
#include "cmd/serving.h"

#include <stdio.h>
#include <unistd.h>

#include "core/log.h"
#include "core/memory.h"

static struct serving *
of_process(struct process *process)
{
	return container_of(process, struct serving, process);
}

void
serving_on_reopen(struct process *process)
{
	if (of_process(process)->access_log != NULL)
		proxy_log_reopen(of_process(process)->access_log);
}

void
serving_on_stop(struct process *process, bool again)
{
	struct serving *serving = of_process(process);

	if (again) {
		net_loop_stop(process->loop); /* asked twice: at once */
		return;
	}
	log_event(LOG_RUN_DRAINING,
	    LOG_NUMBER("timeout_s", (int64_t)serving->drain_seconds));
	agent_drain(serving->agent);
	net_loop_wake(process->loop);
}

static void
on_drained(void *context)
{
	struct serving *serving = context;

	net_loop_stop(serving->process.loop);
}

bool
serving_read_flags(struct serving *serving)
{
	return process_workers(&serving->process, serving->worker_count,
	           &serving->workers) &&
	    flags_number(serving->process.flags, serving->drain_timeout, 30, 0,
	        86400, &serving->drain_seconds) &&
	    process_read_flags(&serving->process);
}

int
serving_open(struct serving *serving)
{
	struct process *process = &serving->process;

	/* Signals before the threads, of which the access log has one. */
	if (!process_open(process))
		return 1;
	serving->feed = feed_new();
	feed_on_offer(serving->feed, process_wake, process);
	return process_access_log(
	    process, serving->access_log_to, &serving->access_log);
}

bool
serving_open_agent(struct serving *serving, struct announcer *announcer)
{
	struct agent_options options = {
	    .loop = serving->process.loop,
	    .feed = serving->feed,
	    .access_log = serving->access_log,
	    .announcer = announcer,
	    .workers = (unsigned)serving->workers,
	    .drain_ms = (uint32_t)serving->drain_seconds * 1000,
	    .on_drained = on_drained,
	    .on_served = serving->on_served,
	    .context = serving,
	};
	enum error error = agent_new(&options, &serving->agent);

	if (error != ERROR_OK) {
		fprintf(stderr, "%s: workers: %s\n", serving->process.command,
		    error_text(error));
		return false;
	}
	agent_register(serving->agent, serving->process.server);
	return true;
}

int
serving_run(struct serving *serving)
{
	if (net_loop_run(serving->process.loop) != ERROR_OK)
		return 1;
	log_event(LOG_RUN_STOPPED, LOG_NUMBER("pid", getpid()));
	return 0;
}

void
serving_close_agent(struct serving *serving)
{
	agent_free(&serving->agent);
}

void
serving_close(struct serving *serving)
{
	if (serving->access_log != NULL)
		proxy_log_close(&serving->access_log);
	if (serving->feed != NULL)
		feed_free(serving->feed);
	process_close(&serving->process);
}
