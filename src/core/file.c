/* Small files, read whole. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define READ_BYTES 4096

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
