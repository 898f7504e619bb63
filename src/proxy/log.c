/* The access log's thread: takes what the workers put into their rings and
 * writes it to the file. While lines come it looks every PASS_MS, so that a
 * line costs no system call; after QUIET_PASSES without any it sleeps until a
 * worker wakes it. */
#include "proxy/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "core/thread.h"
#include "proxy/log_priv.h"

#define PASS_MS 50
#define QUIET_PASSES 20
#define CLOSE_MS 2000 /* what is left when it closes may take so long */

struct proxy_log {
	enum proxy_log_format format;
	char *path; /* NULL: standard output */
	int fd, event_fd;
	bool may_block; /* a pipe, a terminal: written when it has room */
	bool failing; /* told already */
	uint64_t close_by_ms; /* 0: not closing */
	pthread_t thread;
	pthread_mutex_t lock; /* of ports */
	struct list ports; /* taken out by the thread alone */
	struct metrics metrics; /* of the thread */
	_Atomic bool asleep, urged, reopen, stop;
};

static void *run(void *context);

static enum error
open_file(const char *path, int *fd)
{
	*fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640)
	           : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return *fd < 0 ? error_from_errno(errno) : ERROR_OK;
}

static bool
fd_may_block(int fd)
{
	struct stat status;
	return fstat(fd, &status) != 0 || !S_ISREG(status.st_mode);
}

static bool
parse_format(struct slice word, enum proxy_log_format *format)
{
	if (slice_equal(word, SLICE("text")))
		*format = PROXY_LOG_TEXT;
	else if (slice_equal(word, SLICE("json")))
		*format = PROXY_LOG_JSON;
	else
		return false;
	return true;
}

static void
log_free(struct proxy_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	if (log->event_fd >= 0)
		close(log->event_fd);
	memory_free(log->path);
	pthread_mutex_destroy(&log->lock);
	metrics_fini(&log->metrics);
	memory_free(log);
}

enum error
proxy_log_open(struct slice specification, struct proxy_log **log)
{
	struct slice rest = specification, word = SLICE_NONE;
	enum proxy_log_format format;
	*log = NULL;
	if (slice_equal(specification, SLICE("off")))
		return ERROR_OK;
	if (!slice_cut(&rest, ':', &word) || !parse_format(word, &format) ||
	    (slice_is_set(rest) && rest.length == 0))
		return ERROR_UNKNOWN;

	struct proxy_log *made = memory_zero(1, sizeof(*made));
	made->format = format;
	made->event_fd = -1;
	list_init(&made->ports);
	pthread_mutex_init(&made->lock, NULL);
	metrics_init(&made->metrics);
	if (slice_is_set(rest)) {
		made->path = memory_alloc(rest.length + 1);
		memcpy(made->path, rest.data, rest.length);
		made->path[rest.length] = '\0';
	}
	enum error error = open_file(made->path, &made->fd);
	if (error != ERROR_OK)
		goto out;
	made->may_block = fd_may_block(made->fd);
	made->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = made->event_fd < 0
	    ? error_from_errno(errno)
	    : thread_start(&made->thread, "access log", run, made);
out:
	if (error != ERROR_OK)
		log_free(made);
	else
		*log = made;
	return error;
}

static void
wake(struct proxy_log *log)
{
	uint64_t one = 1;
	/* A full counter wakes as well. */
	(void)!write(log->event_fd, &one, sizeof(one));
}

void
proxy_log_reopen(struct proxy_log *log)
{
	atomic_store(&log->reopen, true);
	wake(log);
}

void
proxy_log_close(struct proxy_log **log)
{
	if (!*log)
		return;
	atomic_store(&(*log)->stop, true);
	wake(*log);
	pthread_join((*log)->thread, NULL);
	must(list_is_empty(&(*log)->ports));
	log_free(*log);
	*log = NULL;
}

struct proxy_log_port *
proxy_log_port_open(struct proxy_log *log, struct metrics *metrics)
{
	struct proxy_log_port *port = memory_zero(1, sizeof(*port));
	port->log = log;
	port->metrics = metrics;
	port->clock.second = INT64_MIN;
	proxy_log_ring_init(&port->ring, LIMIT_VALUE_ACCESS_LOG_BYTES);
	pthread_mutex_lock(&log->lock);
	list_insert(&log->ports, &port->link);
	pthread_mutex_unlock(&log->lock);
	return port;
}

void
proxy_log_port_close(struct proxy_log_port **port)
{
	struct proxy_log *log = (*port)->log;
	atomic_store(&(*port)->retired, true);
	*port = NULL;
	wake(log);
}

void
proxy_log_port_put(
    struct proxy_log_port *port, const struct proxy_log_line *line)
{
	struct proxy_log *log = port->log;
	char bytes[PROXY_LOG_LINE_BYTES];
	size_t length = log->format == PROXY_LOG_JSON
	    ? proxy_log_line_json(bytes, line, &port->clock)
	    : proxy_log_line_text(bytes, line, &port->clock);
	if (unlikely(
	        !proxy_log_ring_push(&port->ring, slice_make(bytes, length)))) {
		metric_add(port->metrics, METRIC_ACCESS_LOG_DROPPED, 1);
		limit_hit(port->metrics, LIMIT_ACCESS_LOG_BYTES);
	}
	/* The line before asleep, as the thread sets asleep before it looks
	 * at the rings once more: one of the two sees the other. */
	atomic_thread_fence(memory_order_seq_cst);
	if (unlikely(
	        atomic_load_explicit(&log->asleep, memory_order_relaxed)) &&
	    atomic_exchange(&log->asleep, false))
		wake(log);
	if (unlikely(proxy_log_ring_is_filling(&port->ring)) &&
	    !atomic_exchange(&log->urged, true))
		wake(log);
}

static void
count_lost(struct proxy_log *log, struct slice lines)
{
	uint64_t count = 0;
	for (size_t i = 0; i < lines.length; i++)
		count += lines.data[i] == '\n';
	metric_add(&log->metrics, METRIC_ACCESS_LOG_DROPPED, count);
}

static void
tell_failure(struct proxy_log *log, int number)
{
	if (!log->failing)
		log_event(LOG_ACCESS_LOG_FAILED,
		    LOG_STRING("file", log->path ? log->path : "stdout"),
		    LOG_STRING("error", error_text(error_from_errno(number))));
	log->failing = true;
}

/* Is there room for PIPE_BUF bytes? Waits for it, but not past the deadline of
 * a log that closes. */
static bool
wait_for_room(struct proxy_log *log)
{
	struct pollfd room = {.fd = log->fd, .events = POLLOUT};
	for (;;) {
		if (poll(&room, 1, PASS_MS) != 0)
			return true;
		if (!atomic_load(&log->stop))
			continue;
		uint64_t now_ms = clock_monotonic_ms();
		if (log->close_by_ms == 0)
			log->close_by_ms = now_ms + CLOSE_MS;
		if (now_ms >= log->close_by_ms)
			return false;
	}
}

static void
write_bytes(struct proxy_log *log, struct slice bytes)
{
	while (bytes.length > 0) {
		size_t length = bytes.length;
		if (log->may_block && length > PIPE_BUF)
			length = PIPE_BUF;
		if (log->may_block && !wait_for_room(log)) {
			count_lost(log, bytes);
			return;
		}
		ssize_t written = write(log->fd, bytes.data, length);
		if (written < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (written < 0) {
			tell_failure(log, errno);
			count_lost(log, bytes);
			return;
		}
		log->failing = false;
		bytes = slice_skip(bytes, (size_t)written);
	}
}

/* The port after this one, the first after NULL. Workers only add, at the
 * end; only this thread takes out. */
static struct proxy_log_port *
next_port(struct proxy_log *log, struct proxy_log_port *port)
{
	pthread_mutex_lock(&log->lock);
	struct list *next = port ? port->link.next : log->ports.next;
	pthread_mutex_unlock(&log->lock);
	return next == &log->ports
	    ? NULL
	    : container_of(next, struct proxy_log_port, link);
}

static void
free_port(struct proxy_log *log, struct proxy_log_port *port)
{
	pthread_mutex_lock(&log->lock);
	list_remove(&port->link);
	pthread_mutex_unlock(&log->lock);
	proxy_log_ring_fini(&port->ring);
	memory_free(port);
}

static bool
drain_port(struct proxy_log *log, struct proxy_log_port *port)
{
	struct slice parts[2];
	unsigned count = proxy_log_ring_peek(&port->ring, parts);
	for (unsigned i = 0; i < count; i++) {
		write_bytes(log, parts[i]);
		proxy_log_ring_pop(&port->ring, parts[i].length);
	}
	return count > 0;
}

/* Write what all rings hold now; true when there was anything. */
static bool
drain(struct proxy_log *log)
{
	bool any = false;
	struct proxy_log_port *port = next_port(log, NULL);
	while (port) {
		bool retired = atomic_load(&port->retired);
		any |= drain_port(log, port);
		struct proxy_log_port *next = next_port(log, port);
		if (retired)
			free_port(log, port);
		port = next;
	}
	return any;
}

static void
reopen_file(struct proxy_log *log)
{
	int fd;
	enum error error = open_file(log->path, &fd);
	if (error != ERROR_OK) {
		tell_failure(log, errno);
		return;
	}
	close(log->fd);
	log->fd = fd;
	log->may_block = fd_may_block(fd);
}

static void
sleep_until_woken(struct proxy_log *log, int timeout_ms)
{
	struct pollfd event = {.fd = log->event_fd, .events = POLLIN};
	uint64_t count;
	if (poll(&event, 1, timeout_ms) > 0)
		(void)!read(log->event_fd, &count, sizeof(count));
	atomic_store(&log->urged, false);
}

static void *
run(void *context)
{
	struct proxy_log *log = context;
	unsigned quiet = 0;
	for (;;) {
		bool stop = atomic_load(&log->stop);
		if (atomic_exchange(&log->reopen, false))
			reopen_file(log);
		quiet = drain(log) ? 0 : quiet + 1;
		if (stop)
			return NULL;
		if (quiet < QUIET_PASSES) {
			sleep_until_woken(log, PASS_MS);
		} else if (!atomic_exchange(&log->asleep, true)) {
			/* Look once more before the long sleep. */
			atomic_thread_fence(memory_order_seq_cst);
			continue;
		} else {
			sleep_until_woken(log, -1);
			atomic_store(&log->asleep, false);
			quiet = 0;
		}
	}
}
