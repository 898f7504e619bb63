/* What commands that decide have in common: ctl, as their flags ask for it. */
#ifndef YUMEN_CMD_DECIDING_H
#define YUMEN_CMD_DECIDING_H

#include "cmd/process.h"
#include "ctl/ctl.h"

struct deciding {
	struct ctl_options options; /* the command may add to it */
	struct slice controller_names[FLAG_REPEATS];
	struct ctl *ctl;
};

/* The options: files, and the names of classes, by these flags. */
void deciding_init(struct deciding *deciding, const struct process *process,
    enum flag file, enum flag controller_name, struct feed *feed);
/* False: told on stderr. */
bool deciding_open(struct deciding *deciding, const struct process *process);

#endif
