/* Entries: the files that are read. One is read when it is not what it was, by
 * its identity, or by its bytes where that could lie: after an event of its
 * own, and when it changed so shortly before it was read that its times need
 * not show the next change. */
#include "ctl/sources_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"

/* File times step by the kernel's tick, 10 ms at most. */
#define TICK_MS 20
/* How soon a signal to stop ends the wait for standard input. */
#define STOP_MS 100
/* What is read at once of what has no size. */
#define BLOCK_BYTES 16384

static void read_entry(
    struct ctl_sources *sources, struct ctl_entry *entry, bool wanted);
static bool take_ahead(struct ctl_sources *sources);
static void put(struct ctl_sources *sources, struct ctl_entry *entry);

struct ctl_entry *
ctl_entry_get(struct ctl_sources *sources, struct slice path)
{
	struct ctl_entry *entry = map_get(&sources->entries, path);

	if (entry != NULL)
		return entry;
	if (sources->entries.count >= LIMIT_VALUE_FOLDER_FILES) {
		if (!sources->too_many)
			log_event(LOG_FILES_TOO_MANY,
			    LOG_NUMBER("limit", LIMIT_VALUE_FOLDER_FILES),
			    LOG_TEXT("first_left_out", path));
		sources->too_many = true;
		return NULL;
	}
	entry = memory_zero(1, sizeof(*entry) + path.length + 1);
	memcpy(entry->storage, path.data, path.length);
	entry->path = slice_make(entry->storage, path.length);
	entry->epoch = sources->epoch;
	list_init(&entry->queued);
	list_init(&entry->going);
	(void)map_put(&sources->entries, entry->path, entry);
	return entry;
}

void
ctl_entry_queue(
    struct ctl_sources *sources, struct ctl_entry *entry, bool force)
{
	entry->force |= force;
	list_remove(&entry->queued);
	list_insert(&sources->queue, &entry->queued);
}

void
ctl_entry_remove(struct ctl_sources *sources, struct ctl_entry *entry)
{
	list_remove(&entry->queued);
	list_remove(&entry->going);
	(void)map_remove(&sources->entries, entry->path);
	ctl_files_remove(sources->files, entry->path);
	memory_free(entry);
}

static bool
are_many_queued(const struct ctl_sources *sources)
{
	unsigned count = 0;

	LIST_FOR_EACH(at, &sources->queue)
	if (++count > LIMIT_VALUE_AHEAD_FILES)
		return true;
	return false;
}

static void
read_queue(struct ctl_sources *sources)
{
	/* Without a thread it takes longer, no more. */
	if (are_many_queued(sources) &&
	    ctl_ahead_new(&sources->ahead) != ERROR_OK)
		sources->ahead = NULL;
	while (!list_is_empty(&sources->queue)) {
		struct ctl_entry *entry =
		    container_of(sources->queue.next, struct ctl_entry, queued);

		list_remove(&entry->queued);
		read_entry(sources, entry, false);
	}
	while (take_ahead(sources))
		;
	ctl_ahead_free(&sources->ahead);
}

void
ctl_entries_read(struct ctl_sources *sources)
{
	struct slice wanted;

	read_queue(sources);
	ctl_files_settle(sources->files);
	/* Each read takes one off, and puts on only what then counts anew. */
	while (slice_is_set(wanted = ctl_files_wanted(sources->files))) {
		struct ctl_entry *entry = map_get(&sources->entries, wanted);

		must(entry != NULL);
		read_entry(sources, entry, true);
		ctl_files_settle(sources->files);
	}
}

static struct ctl_identity
identity_of(const struct stat *stat)
{
	return (struct ctl_identity){
	    .device = stat->st_dev,
	    .inode = stat->st_ino,
	    .size = stat->st_size,
	    .modified = stat->st_mtim,
	    .changed = stat->st_ctim,
	};
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_as_it_was(const struct ctl_entry *entry, const struct ctl_identity *now)
{
	const struct ctl_identity *then = &entry->identity;
	int64_t changed_ms = (int64_t)now->changed.tv_sec * 1000 +
	    now->changed.tv_nsec / 1000000;

	return then->device == now->device && then->inode == now->inode &&
	    then->size == now->size &&
	    is_same_time(&then->modified, &now->modified) &&
	    is_same_time(&then->changed, &now->changed) &&
	    entry->read_ms > changed_ms + TICK_MS;
}

/* Told once, as long as it is the same; but an entry that is wanted must be
 * told of, for it is wanted until then. */
static void
fail_entry(struct ctl_sources *sources, struct ctl_entry *entry,
    const char *why, bool wanted)
{
	bool is_known =
	    entry->failure != NULL && strcmp(entry->failure, why) == 0;

	text_wipe(&sources->scratch); /* what was read of it */
	entry->read_ms = 0;
	entry->failure = why;
	if (!wanted && is_known)
		return;
	while (take_ahead(sources)) /* what came before is told before */
		;
	ctl_files_fail(sources->files, entry->path, slice_from_string(why));
}

/* Whether standard input has something, or ended; false: it is time to stop. */
static bool
wait_for_input(const struct ctl_sources *sources)
{
	struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};

	while (!atomic_load(sources->stop))
		if (poll(&wait, 1, STOP_MS) > 0)
			return true;
	return false;
}

/* All of fd, to bytes, which are where they are once: Secrets may be among
 * them. NULL, or why not. */
static const char *
read_bytes(
    struct ctl_sources *sources, int fd, size_t expected, struct text *bytes)
{
	text_reset(bytes);
	(void)text_reserve(bytes, expected + 1);
	for (;;) {
		size_t room = bytes->capacity - bytes->length - 1;

		if (room == 0)
			room = BLOCK_BYTES;
		if (fd == STDIN_FILENO && !wait_for_input(sources))
			return "stopped before it ended";
		ssize_t got = read(fd, text_reserve(bytes, room), room);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return strerror(errno);
		if (got == 0)
			return NULL;
		if (bytes->length + (size_t)got > LIMIT_VALUE_FILE_BYTES)
			return "larger than FILE_BYTES in docs/limits.md";
		text_advance(bytes, (size_t)got);
	}
}

/* Standard input can be read only once. Nothing of it is kept, for there may be
 * Secrets in it; nor is it wanted again, for its path comes before others, so
 * that its objects count before those of others. */
static void
read_input(struct ctl_sources *sources, struct ctl_entry *entry, bool wanted)
{
	const char *failure = "cannot be read once more";

	if (sources->input_read && !wanted)
		return;
	if (!sources->input_read)
		failure =
		    read_bytes(sources, STDIN_FILENO, 0, &sources->scratch);
	sources->input_read = true;
	if (failure == NULL)
		put(sources, entry);
	else
		fail_entry(sources, entry, failure, wanted);
}

/* What the oldest file that is parsed ahead says; false: none is. */
static bool
take_ahead(struct ctl_sources *sources)
{
	struct ctl_parsed parsed;
	struct ctl_entry *entry = sources->ahead != NULL
	    ? ctl_ahead_take(sources->ahead, &parsed)
	    : NULL;

	if (entry != NULL)
		ctl_files_put_parsed(sources->files, entry->path, &parsed);
	return entry != NULL;
}

/* The file says what is in scratch. */
static void
put(struct ctl_sources *sources, struct ctl_entry *entry)
{
	struct text *bytes = &sources->scratch;

	if (sources->ahead == NULL) {
		ctl_files_put(sources->files, entry->path, text_slice(bytes));
		text_wipe(bytes);
		return;
	}
	while (ctl_ahead_is_full(sources->ahead, bytes->length))
		(void)take_ahead(sources);
	ctl_ahead_put(sources->ahead, entry, bytes);
}

/* The file is open: read it, if it is not what it was. */
static void
read_open(
    struct ctl_sources *sources, struct ctl_entry *entry, int fd, bool wanted)
{
	struct stat stat;
	bool is_plain = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);

	if (!is_plain) {
		fail_entry(sources, entry, "is no plain file", wanted);
		return;
	}
	struct ctl_identity identity = identity_of(&stat);

	if (!wanted && !entry->force && is_as_it_was(entry, &identity))
		return;
	size_t expected =
	    stat.st_size > 0 && stat.st_size < LIMIT_VALUE_FILE_BYTES
	    ? (size_t)stat.st_size
	    : 0;
	const char *failure =
	    read_bytes(sources, fd, expected, &sources->scratch);

	if (failure != NULL) {
		fail_entry(sources, entry, failure, wanted);
		return;
	}
	uint64_t hash = hash_bytes(text_slice(&sources->scratch));
	bool is_known = entry->read_ms != 0 && entry->hash == hash;

	entry->identity = identity;
	entry->hash = hash;
	entry->read_ms = clock_wall_ms();
	entry->failure = NULL;
	if (wanted || !is_known)
		put(sources, entry);
}

static void
read_entry(struct ctl_sources *sources, struct ctl_entry *entry, bool wanted)
{
	if (slice_equal(entry->path, SLICE("-"))) {
		read_input(sources, entry, wanted);
		return;
	}
	int fd = open(entry->storage, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0) {
		read_open(sources, entry, fd, wanted);
		close(fd);
		entry->force = false;
	} else if (errno == ENOENT || errno == ENOTDIR) {
		if (list_is_empty(&entry->going))
			ctl_entry_remove(sources, entry);
		else if (wanted)
			fail_entry(sources, entry, "was renamed away", wanted);
	} else {
		fail_entry(sources, entry, strerror(errno), wanted);
	}
}
