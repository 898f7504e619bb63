/* A worker's way into the access log. */
#ifndef YUMEN_PROXY_LOG_PRIV_H
#define YUMEN_PROXY_LOG_PRIV_H

#include "core/list.h"
#include "core/metric.h"
#include "proxy/log.h"
#include "proxy/log_line.h"
#include "proxy/log_ring.h"

/* One worker writes to it, the log's thread reads from it and frees it. */
struct proxy_log_port {
	struct list link; /* of the log, under its lock */
	struct proxy_log *log;
	struct metrics *metrics;
	struct proxy_log_clock clock;
	_Atomic bool retired;
	struct proxy_log_ring ring;
};

struct proxy_log_port *proxy_log_port_open(
    struct proxy_log *log, struct metrics *metrics);
/* *port becomes NULL; what is in it is still written. */
void proxy_log_port_close(struct proxy_log_port **port);
/* Never waits: a line that finds no room is dropped and counted. */
void proxy_log_port_put(
    struct proxy_log_port *port, const struct proxy_log_line *line);

#endif
