/* The process_* metrics that every Prometheus client library has, read from
 * proc(5). What cannot be read is left out. */
#include "core/metric_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/must.h"

/* Written once, before main. */
static int64_t start_ms;

__attribute__((constructor)) static void
note_start(void)
{
	start_ms = clock_wall_ms();
}

/* The start of a short file of /proc, in buffer. */
static struct slice
read_start(const char *path, char *buffer, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return SLICE_NONE;
	ssize_t length = read(file, buffer, size);

	close(file);
	return length < 0 ? SLICE_NONE : slice_make(buffer, (size_t)length);
}

/* The number in the space-separated column, from 0. */
static bool
take_column(struct slice rest, unsigned column, uint64_t *number)
{
	struct slice part = SLICE_NONE;

	for (unsigned i = 0; i <= column; i++)
		if (!slice_cut(&rest, ' ', &part))
			return false;
	return slice_to_number(part, UINT64_MAX, number);
}

static void
write_head(
    struct text *out, const char *name, const char *kind, const char *help)
{
	text_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name,
	    kind, name);
}

static void
write_memory(struct text *out)
{
	char buffer[256];
	uint64_t pages;

	if (!take_column(read_start("/proc/self/statm", buffer, sizeof(buffer)),
	        1, &pages))
		return;
	write_head(
	    out, "process_resident_memory_bytes", "gauge", "resident memory");
	text_printf(out, "%llu\n",
	    (unsigned long long)pages *
	        (unsigned long long)sysconf(_SC_PAGESIZE));
}

static void
write_descriptors(struct text *out)
{
	DIR *directory = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!directory)
		return;
	while (readdir(directory))
		count++;
	closedir(directory);
	/* Not ".", "..", and the directory itself. */
	must(count >= 3);
	write_head(out, "process_open_fds", "gauge", "open file descriptors");
	text_printf(out, "%llu\n", (unsigned long long)count - 3);
}

static void
write_times(struct text *out)
{
	struct timespec used;
	int failed = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);

	must(failed == 0);
	write_head(out, "process_cpu_seconds_total", "counter",
	    "user and system time of all threads");
	text_printf(out, "%lld.%09ld\n", (long long)used.tv_sec, used.tv_nsec);
	write_head(out, "process_start_time_seconds", "gauge",
	    "when the process started, since 1970 UTC");
	text_printf(out, "%lld.%03lld\n", (long long)(start_ms / 1000),
	    (long long)(start_ms % 1000));
}

void
metrics_write_process(struct text *out)
{
	write_memory(out);
	write_descriptors(out);
	write_times(out);
}
