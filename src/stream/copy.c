/* The copy: a file that grows by commits. It owns the descriptor. Where a write
 * fails the file goes: its owner gets all units anew before there is another.
 */
#include "stream/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"

/* Stale bytes that are not worth to write all of it anew. */
#define STALE_BYTES_MIN ((uint64_t)1 << 20)
#define BLOCK_BYTES ((size_t)1 << 18)
#define ARENA_BYTES 4096

struct stream_copy {
	char *path, *path_new;
	char *gateway;
	int fd; /* -1: to be written anew */
	uint64_t length; /* up to the last commit */
};

/* ---- reading ---- */

struct reading {
	struct stream_copy *copy;
	struct stream_table *table;
	struct slice bytes; /* all of the file */
	struct arena arena;
	size_t at;
	bool known; /* it begins with who it is of */
	const char *why;
};

static enum error
read_head(struct reading *reading, const struct stream_hello *hello)
{
	if (hello->major != STREAM_MAJOR) {
		reading->why = "it is of another protocol";
		return ERROR_UNSUPPORTED;
	}
	if (!slice_equal(
	        hello->gateway, slice_from_string(reading->copy->gateway))) {
		reading->why = "it is of another Gateway";
		return ERROR_DENIED;
	}
	reading->known = true;
	return ERROR_OK;
}

static enum error
read_frame(
    struct reading *reading, const struct stream_message *message, size_t used)
{
	struct stream_row *row;

	if (!reading->known)
		return message->kind == STREAM_HELLO
		    ? read_head(reading, message->hello)
		    : ERROR_INVALID;
	switch (message->kind) {
	case STREAM_PUT:
		row = stream_table_put(
		    reading->table, message->put->name, message->put->bytes);
		stream_table_place(reading->table, row, reading->at, used);
		return ERROR_OK;
	case STREAM_DROP:
		stream_table_drop(reading->table, message->drop->name);
		return ERROR_OK;
	case STREAM_COMMIT:
		return memcmp(message->commit->generation.data,
		           reading->table->generation.bytes,
		           sizeof(reading->table->generation.bytes)) == 0
		    ? ERROR_OK
		    : ERROR_INVALID;
	default:
		return ERROR_INVALID;
	}
}

/* The frames up to end; *committed: behind the last commit. Without a table
 * they are only looked at. */
static enum error
read_frames(struct reading *reading, size_t end, size_t *committed)
{
	reading->at = 0;
	while (reading->at < end) {
		struct stream_message message;
		struct slice rest = slice_make(
		    reading->bytes.data + reading->at, end - reading->at);
		size_t used;
		enum error error =
		    stream_message_take(rest, LIMIT_VALUE_STREAM_FRAME_BYTES,
		        &reading->arena, &message, &used);

		/* It was cut off in the midst of a write. */
		if (error == ERROR_AGAIN)
			break;
		if (error == ERROR_OK && reading->table != NULL)
			error = read_frame(reading, &message, used);
		arena_reset(&reading->arena);
		if (error != ERROR_OK)
			return error;
		reading->at += used;
		if (message.kind == STREAM_COMMIT)
			*committed = reading->at;
	}
	return ERROR_OK;
}

static enum error
read_all(struct reading *reading)
{
	struct stream_table *table = reading->table;
	size_t end = 0, again = 0;

	reading->table = NULL;
	enum error error = read_frames(reading, reading->bytes.length, &end);

	reading->table = table;
	/* What a torn write left may be anything; what is before it counts. */
	if (end == 0)
		return error == ERROR_OK ? ERROR_TRUNCATED : error;
	error = read_frames(reading, end, &again);
	reading->copy->length = end;
	return error;
}

static enum error
load(struct stream_copy *copy, struct stream_table *table, const char **why)
{
	struct stat facts;

	copy->fd = open(copy->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (copy->fd < 0 && errno == ENOENT)
		return ERROR_OK;
	if (copy->fd < 0 || fstat(copy->fd, &facts) != 0)
		return error_from_errno(errno);
	if (!S_ISREG(facts.st_mode) || facts.st_uid != geteuid() ||
	    (facts.st_mode & 077) != 0) {
		*why = "it is not ours alone: its owner or mode is another";
		return ERROR_DENIED;
	}
	size_t length = (size_t)facts.st_size;
	void *bytes = length > 0
	    ? mmap(NULL, length, PROT_READ, MAP_PRIVATE, copy->fd, 0)
	    : NULL;

	if (bytes == MAP_FAILED)
		return error_from_errno(errno);
	struct reading reading = {
	    .copy = copy,
	    .table = table,
	    .bytes = slice_make(bytes, length),
	};

	arena_init(&reading.arena, ARENA_BYTES);
	enum error error = read_all(&reading);

	arena_fini(&reading.arena);
	if (bytes != NULL)
		munmap(bytes, length);
	if (error != ERROR_OK)
		*why = reading.why != NULL
		    ? reading.why
		    : "it is cut off or not what its digests say";
	return error;
}

static void
close_file(struct stream_copy *copy)
{
	if (copy->fd >= 0)
		close(copy->fd);
	copy->fd = -1;
}

static char *
join(const char *a, const char *b)
{
	size_t length = strlen(a) + strlen(b) + 1;
	char *out = memory_alloc(length);

	snprintf(out, length, "%s%s", a, b);
	return out;
}

enum error
stream_copy_open(const char *path, struct slice gateway,
    struct stream_table *table, struct stream_copy **copy, const char **why)
{
	struct stream_copy *made = memory_zero(1, sizeof(*made));

	must(table->rows.count == 0);
	made->path = join(path, "");
	made->path_new = join(path, ".new");
	made->gateway = memory_zero(1, gateway.length + 1);
	memcpy(made->gateway, gateway.data, gateway.length);
	*why = NULL;
	enum error error = load(made, table, why);

	if (error != ERROR_OK) {
		if (*why == NULL)
			*why = error_text(error);
		close_file(made);
		stream_table_fini(table);
		stream_table_init(table);
	}
	*copy = made;
	return error;
}

void
stream_copy_close(struct stream_copy **copy)
{
	struct stream_copy *old = *copy;

	*copy = NULL;
	if (old == NULL)
		return;
	close_file(old);
	memory_free(old->path);
	memory_free(old->path_new);
	memory_free(old->gateway);
	memory_free(old);
}

bool
stream_copy_is_there(const struct stream_copy *copy)
{
	return copy->fd >= 0;
}

void
stream_copy_drop(struct stream_copy *copy)
{
	if (copy->fd >= 0)
		(void)unlink(copy->path);
	close_file(copy);
}

static enum error
read_at(int fd, char *out, size_t length, uint64_t offset)
{
	while (length > 0) {
		ssize_t got = pread(fd, out, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? ERROR_TRUNCATED
			                : error_from_errno(errno);
		out += got;
		length -= (size_t)got;
		offset += (uint64_t)got;
	}
	return ERROR_OK;
}

enum error
stream_copy_put_all(const struct stream_copy *copy,
    const struct stream_table *table, struct feed_batch *batch)
{
	struct stream_message message;
	const struct stream_row *row;
	enum error error = ERROR_OK;
	struct text frame;
	struct arena arena;
	size_t used;

	text_init(&frame);
	arena_init(&arena, ARENA_BYTES);
	for (size_t at = 0; error == ERROR_OK &&
	     (row = stream_table_next(table, &at)) != NULL;) {
		text_reset(&frame);
		error =
		    read_at(copy->fd, text_reserve(&frame, row->frame_bytes),
		        row->frame_bytes, row->offset);
		if (error != ERROR_OK)
			break;
		text_advance(&frame, row->frame_bytes);
		error = stream_message_take(text_slice(&frame),
		    LIMIT_VALUE_STREAM_FRAME_BYTES, &arena, &message, &used);
		if (error == ERROR_OK && message.kind == STREAM_PUT)
			feed_batch_put(
			    batch, message.put->name, message.put->bytes);
		arena_reset(&arena);
	}
	batch->generation = table->generation;
	text_wipe(&frame);
	arena_fini(&arena);
	return error;
}

/* ---- writing ---- */

static enum error
write_at(int fd, struct slice bytes, uint64_t offset)
{
	while (bytes.length > 0) {
		ssize_t put =
		    pwrite(fd, bytes.data, bytes.length, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return error_from_errno(errno);
		bytes = slice_skip(bytes, (size_t)put);
		offset += (uint64_t)put;
	}
	return ERROR_OK;
}

/* A file under way: what is not written yet stands in block. */
struct writing {
	int fd;
	uint64_t length; /* with what is in block */
	struct text block;
	enum error error;
};

static void
flush(struct writing *writing)
{
	struct slice bytes = text_slice(&writing->block);

	if (writing->error == ERROR_OK)
		writing->error = write_at(
		    writing->fd, bytes, writing->length - bytes.length);
	memory_wipe(writing->block.data, writing->block.length);
	text_reset(&writing->block);
}

/* Where the frame begins. */
static uint64_t
push(struct writing *writing, enum stream_kind kind, const void *record)
{
	uint64_t offset = writing->length;
	size_t before = writing->block.length;

	stream_message_push(&writing->block, kind, record);
	writing->length += writing->block.length - before;
	if (writing->block.length >= BLOCK_BYTES)
		flush(writing);
	return offset;
}

static void
push_commit(struct writing *writing, const struct stream_table *table)
{
	struct stream_commit commit = {
	    .generation = stream_generation_slice(&table->generation)};

	push(writing, STREAM_COMMIT, &commit);
}

/* Changes of the batch; the table's rows learn where they are. */
static void
push_batch(struct writing *writing, struct stream_table *table,
    const struct feed_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct feed_change *change = &batch->changes[i];
		struct stream_put put = {change->name, change->bytes};
		struct stream_drop drop = {change->name};
		struct stream_row *row = stream_table_get(table, change->name);

		if (!slice_is_set(change->bytes)) {
			push(writing, STREAM_DROP, &drop);
			continue;
		}
		uint64_t offset = push(writing, STREAM_PUT, &put);

		if (row != NULL)
			stream_table_place(
			    table, row, offset, writing->length - offset);
	}
}

/* A row's frame out of the old file. */
static void
push_old(struct writing *writing, const struct stream_copy *copy,
    struct stream_row *row)
{
	char *room = text_reserve(&writing->block, row->frame_bytes);
	enum error error =
	    read_at(copy->fd, room, row->frame_bytes, row->offset);

	if (error != ERROR_OK) {
		writing->error = error;
		return;
	}
	text_advance(&writing->block, row->frame_bytes);
	row->offset = writing->length;
	writing->length += row->frame_bytes;
	if (writing->block.length >= BLOCK_BYTES)
		flush(writing);
}

static void
push_all(struct writing *writing, const struct stream_copy *copy,
    struct stream_table *table, const struct feed_batch *batch)
{
	struct stream_hello head = {
	    .major = STREAM_MAJOR,
	    .minor = STREAM_MINOR,
	    .version = SLICE(YUMEN_VERSION),
	    .gateway = slice_from_string(copy->gateway),
	};
	struct stream_row *row;

	push(writing, STREAM_HELLO, &head);
	for (size_t at = 0; writing->error == ERROR_OK &&
	     (row = stream_table_next(table, &at)) != NULL;)
		if (row->frame_bytes > 0)
			push_old(writing, copy, row);
	push_batch(writing, table, batch);
	push_commit(writing, table);
	flush(writing);
}

/* All of it into a new file, which takes the old one's place. */
static enum error
write_anew(struct stream_copy *copy, struct stream_table *table,
    const struct feed_batch *batch)
{
	struct writing writing = {.error = ERROR_OK};

	(void)unlink(copy->path_new);
	writing.fd = open(copy->path_new,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (writing.fd < 0)
		return error_from_errno(errno);
	text_init(&writing.block);
	push_all(&writing, copy, table, batch);
	text_fini(&writing.block);
	if (writing.error == ERROR_OK &&
	    rename(copy->path_new, copy->path) != 0)
		writing.error = error_from_errno(errno);
	close_file(copy);
	if (writing.error != ERROR_OK) {
		close(writing.fd);
		(void)unlink(copy->path_new);
		return writing.error;
	}
	copy->fd = writing.fd;
	copy->length = writing.length;
	return ERROR_OK;
}

static enum error
write_more(struct stream_copy *copy, struct stream_table *table,
    const struct feed_batch *batch)
{
	struct writing writing = {
	    .fd = copy->fd,
	    .length = copy->length,
	};

	/* Of an earlier run, or of a write that failed. */
	if (ftruncate(copy->fd, (off_t)copy->length) != 0)
		return error_from_errno(errno);
	text_init(&writing.block);
	push_batch(&writing, table, batch);
	push_commit(&writing, table);
	flush(&writing);
	text_fini(&writing.block);
	if (writing.error == ERROR_OK)
		copy->length = writing.length;
	return writing.error;
}

enum error
stream_copy_append(struct stream_copy *copy, struct stream_table *table,
    const struct feed_batch *batch)
{
	bool stale = copy->fd >= 0 && copy->length > STALE_BYTES_MIN &&
	    copy->length / 2 > table->frame_bytes;
	enum error error = copy->fd < 0 || stale
	    ? write_anew(copy, table, batch)
	    : write_more(copy, table, batch);

	/* A copy that lacks something would bring back what is past. */
	if (error != ERROR_OK)
		stream_copy_drop(copy);
	return error;
}
