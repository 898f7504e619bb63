/* What a failed must() does: say where and what, then abort, so that a core
 * shows the state that should not be. It allocates nothing and takes no lock.
 */
#include "core/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
must_failed(
    const char *condition, const char *file, int line, const char *function)
{
	char message[512];
	int length = snprintf(message, sizeof(message),
	    "yumen: %s:%d: %s: must(%s) does not hold\n", file, line, function,
	    condition);

	if (length >= (int)sizeof(message))
		length = sizeof(message) - 1;
	if (length > 0 && write(STDERR_FILENO, message, (size_t)length) < 0)
		abort();
	abort();
}
