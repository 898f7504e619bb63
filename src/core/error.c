/* The table of errors: texts for people, labels for metrics, and what an errno
 * value means to callers. */
#include "core/error.h"

#include <errno.h>
#include <stddef.h>

#include "core/must.h"

static const struct {
	const char *text, *label;
} rows[ERROR__COUNT] = {
#define ERROR_ROW(name, text, label) [ERROR_##name] = {text, label},
#include "core/error.def"
#undef ERROR_ROW
};

static const struct {
	int number;
	enum error error;
} numbers[] = {
    {0, ERROR_OK},
    {EAGAIN, ERROR_AGAIN},
    {EINTR, ERROR_AGAIN},
    {EINPROGRESS, ERROR_AGAIN},
    {ENOMEM, ERROR_NO_MEMORY},
    {ENOBUFS, ERROR_NO_MEMORY},
    {EMFILE, ERROR_LIMIT},
    {ENFILE, ERROR_LIMIT},
    {ENOSPC, ERROR_LIMIT},
    {EFBIG, ERROR_LIMIT},
    {EINVAL, ERROR_INVALID},
    {ENAMETOOLONG, ERROR_INVALID},
    {ENOENT, ERROR_NOT_FOUND},
    {ENOTDIR, ERROR_NOT_FOUND},
    {ENODEV, ERROR_NOT_FOUND},
    {ESRCH, ERROR_NOT_FOUND},
    {EADDRNOTAVAIL, ERROR_NOT_FOUND},
    {EISDIR, ERROR_IS_FOLDER},
    {EEXIST, ERROR_EXISTS},
    {EACCES, ERROR_DENIED},
    {EPERM, ERROR_DENIED},
    {EROFS, ERROR_DENIED},
    {EADDRINUSE, ERROR_IN_USE},
    {EBUSY, ERROR_IN_USE},
    {ENOSYS, ERROR_UNSUPPORTED},
    {EOPNOTSUPP, ERROR_UNSUPPORTED},
    {EAFNOSUPPORT, ERROR_UNSUPPORTED},
    {EPROTONOSUPPORT, ERROR_UNSUPPORTED},
    {EPIPE, ERROR_CLOSED},
    {ENOTCONN, ERROR_CLOSED},
    {ECONNRESET, ERROR_RESET},
    {ECONNABORTED, ERROR_RESET},
    {ECONNREFUSED, ERROR_REFUSED},
    {EHOSTUNREACH, ERROR_UNREACHABLE},
    {ENETUNREACH, ERROR_UNREACHABLE},
    {EHOSTDOWN, ERROR_UNREACHABLE},
    {ENETDOWN, ERROR_UNREACHABLE},
    {ETIMEDOUT, ERROR_TIMEOUT},
    {ECANCELED, ERROR_CANCELLED},
};

const char *
error_text(enum error error)
{
	must((unsigned)error < ERROR__COUNT);
	return rows[error].text;
}

const char *
error_label(enum error error)
{
	must((unsigned)error < ERROR__COUNT);
	return rows[error].label;
}

enum error
error_from_errno(int number)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].number == number)
			return numbers[i].error;
	return ERROR_SYSTEM;
}
