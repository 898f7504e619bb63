/* Small files, read and written whole. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define READ_BYTES 4096
#define PATH_BYTES 4096

enum error
file_read(const char *path, size_t bytes_max, struct text *out)
{
	size_t most = out->length + bytes_max;
	enum error error = ERROR_OK;
	ssize_t got;

	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_from_errno(errno);
	do {
		got = read(fd, text_reserve(out, READ_BYTES), READ_BYTES);
		if (got > 0)
			text_advance(out, (size_t)got);
	} while (
	    (got > 0 && out->length <= most) || (got < 0 && errno == EINTR));
	if (got < 0)
		error = error_from_errno(errno);
	else if (out->length > most)
		error = ERROR_LIMIT;
	close(fd);
	return error;
}

static enum error
write_all(int fd, struct slice bytes)
{
	while (bytes.length > 0) {
		ssize_t put = write(fd, bytes.data, bytes.length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return error_from_errno(errno);
		bytes = slice_skip(bytes, (size_t)put);
	}
	return fsync(fd) == 0 ? ERROR_OK : error_from_errno(errno);
}

enum error
file_replace(const char *path, unsigned mode, struct slice bytes)
{
	char path_new[PATH_BYTES];

	if ((size_t)snprintf(path_new, sizeof(path_new), "%s.new", path) >=
	    sizeof(path_new))
		return ERROR_LIMIT;
	/* Of one that was cut off in the midst of it. */
	(void)unlink(path_new);
	int fd = open(path_new,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return error_from_errno(errno);
	enum error error = write_all(fd, bytes);

	close(fd);
	if (error == ERROR_OK && rename(path_new, path) != 0)
		error = error_from_errno(errno);
	if (error != ERROR_OK)
		(void)unlink(path_new);
	return error;
}
