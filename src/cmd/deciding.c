/* ctl has its own thread; what the process has of it is told through the feed
 * and the admin server. */
#include "cmd/deciding.h"

#include <stdio.h>
#include <string.h>

#include "ctl/once.h"

/* Another yumen may have the socket, and then the file beside it. */
static const char *
find_addresses(struct deciding *deciding, const struct process *process)
{
	const char *path = flags_value(process->flags, deciding->addresses);

	if (path != NULL)
		return strcmp(path, "off") == 0 ? NULL : path;
	if (!process->socket_open)
		return NULL;
	snprintf(deciding->addresses_path, sizeof(deciding->addresses_path),
	    "%s.addresses", process->socket_path);
	return deciding->addresses_path;
}

void
deciding_init(
    struct deciding *deciding, const struct process *process, struct feed *feed)
{
	const struct flags *flags = process->flags;
	unsigned names = flags->counts[deciding->controller_name];

	for (unsigned i = 0; i < names; i++)
		deciding->controller_names[i] = slice_from_string(
		    flags->values[deciding->controller_name][i]);
	deciding->options = (struct ctl_options){
	    .paths = flags->values[deciding->file],
	    .path_count = flags->counts[deciding->file],
	    .addresses = find_addresses(deciding, process),
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
