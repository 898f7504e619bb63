/* ctl has its own thread; what the process has of it is told through the feed
 * and the admin server. */
#include "cmd/deciding.h"

#include <stdio.h>

#include "ctl/once.h"

void
deciding_init(struct deciding *deciding, const struct process *process,
    enum flag file, enum flag controller_name, struct feed *feed)
{
	const struct flags *flags = process->flags;
	unsigned names = flags->counts[controller_name];

	for (unsigned i = 0; i < names; i++)
		deciding->controller_names[i] =
		    slice_from_string(flags->values[controller_name][i]);
	deciding->options = (struct ctl_options){
	    .paths = flags->values[file],
	    .path_count = flags->counts[file],
	    .gw = {.controller_names = deciding->controller_names,
	        .controller_name_count = names,
	        .namespaces_implied = true,
	        .carries = CTL_CARRIES},
	    .feed = feed,
	    .admin_loop = process->loop,
	};
}

bool
deciding_open(struct deciding *deciding, const struct process *process)
{
	if (ctl_new(&deciding->options, &deciding->ctl) != ERROR_OK) {
		/* Which, the log has said. */
		fprintf(stderr,
		    "%s: not started: what -f names must be there and "
		    "readable\n",
		    process->command);
		return false;
	}
	ctl_register(deciding->ctl, process->server);
	return true;
}
