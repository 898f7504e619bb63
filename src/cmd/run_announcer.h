/* What --announce asks of `yumen run`. */
#ifndef YUMEN_CMD_RUN_ANNOUNCER_H
#define YUMEN_CMD_RUN_ANNOUNCER_H

#include "announce/announcer.h"
#include "cmd/flags.h"

/* An announcer on the interfaces of --announce; NULL where none is asked for,
 * and where this process may not announce, which is told on stderr: it then
 * serves on the addresses that the host has. False: told on stderr, not to be
 * started. on_change, context: as of struct announcer_options. */
bool run_announcer_open(const struct flags *flags, struct net_loop *loop,
    void (*on_change)(void *context), void *context,
    struct announcer **announcer);

#endif
