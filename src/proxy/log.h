/* The access log: one line at a request's end, made by the worker in its own
 * ring, written by one thread of its own. A worker never waits: when its ring
 * is full the line is dropped and counted. */
#ifndef YUMEN_PROXY_LOG_H
#define YUMEN_PROXY_LOG_H

#include "core/error.h"
#include "core/slice.h"

struct proxy_log;
enum proxy_log_format { PROXY_LOG_TEXT, PROXY_LOG_JSON };

/* "off", "text", "json", each but off with ":FILE"; stdout without one. UNKNOWN
 * for another word, else what opening the file said. *log NULL for off. */
enum error proxy_log_open(
    struct slice specification, struct proxy_log **log) must_check;
/* Reopen the file (logrotate: SIGUSR1 or SIGHUP). */
void proxy_log_reopen(struct proxy_log *log);
/* Write what is left, end the thread. No worker may use it any more. */
void proxy_log_close(struct proxy_log **log);

#endif
