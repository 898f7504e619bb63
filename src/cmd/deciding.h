/* What commands that decide have in common: ctl, as their flags ask for it. */
#ifndef YUMEN_CMD_DECIDING_H
#define YUMEN_CMD_DECIDING_H

#include "cmd/process.h"
#include "ctl/ctl.h"

struct deciding {
	enum flag file, controller_name, addresses; /* set by the command */
	struct ctl_options options; /* the command may add to it */
	char addresses_path[128]; /* by default */
	struct slice controller_names[FLAG_REPEATS];
	struct ctl *ctl;
};

/* The options, as its flags say, of a process that is open. */
void deciding_init(struct deciding *deciding, const struct process *process,
    struct feed *feed);
/* False: told on stderr. */
bool deciding_open(struct deciding *deciding, const struct process *process);

#endif
