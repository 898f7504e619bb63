/* Starting threads. */
#include "core/thread.h"

#include <signal.h>
#include <stdio.h>

#include "core/must.h"

enum { NAME_BYTES = 16 }; /* the kernel's own limit */

enum error
thread_start(pthread_t *thread, const char *name, void *(*run)(void *context),
    void *context)
{
	must(thread != NULL && name != NULL && run != NULL);
	char cut[NAME_BYTES];
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(thread, NULL, run, context);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return error_from_errno(failed);
	(void)snprintf(cut, sizeof(cut), "%s", name);
	(void)pthread_setname_np(*thread, cut);
	return ERROR_OK;
}
