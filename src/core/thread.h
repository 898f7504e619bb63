/* Threads: each takes part in no signal, which are the main thread's. */
#ifndef YUMEN_CORE_THREAD_H
#define YUMEN_CORE_THREAD_H

#include <pthread.h>

#include "core/error.h"

/* Starts run(context) in a thread of this name (cut to 15 bytes), which the
 * caller joins. As pthread_create(3) says: LIMIT, ... */
enum error thread_start(pthread_t *thread, const char *name,
    void *(*run)(void *context), void *context) must_check;

#endif
