/* The stream of a controller elsewhere, as flags ask for it. */
#include "cmd/controlled.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "HOST:PORT", "[v6]:PORT" */
static bool
read_controller(struct controlled *controlled, const struct process *process)
{
	const char *value = flags_value(process->flags, controlled->controller);
	const char *colon = value != NULL ? strrchr(value, ':') : NULL;
	uint64_t port = 0;

	if (colon != NULL) {
		controlled->host = slice_make(value, (size_t)(colon - value));
		if (controlled->host.length > 2 &&
		    controlled->host.data[0] == '[' && colon[-1] == ']')
			controlled->host =
			    slice_make(value + 1, controlled->host.length - 2);
		if (controlled->host.length > 0 &&
		    slice_to_number(
		        slice_from_string(colon + 1), UINT16_MAX, &port) &&
		    port > 0) {
			controlled->port = (uint16_t)port;
			return true;
		}
	}
	if (value == NULL)
		fprintf(stderr,
		    "%s: name the controller, by an address of its "
		    "--stream-listen: --controller HOST:PORT\n",
		    process->command);
	else
		fprintf(stderr,
		    "%s: --controller %s: a host and a port are wanted, as "
		    "yumen-controller.yumen-system:9443\n",
		    process->command, value);
	return false;
}

bool
controlled_read_flags(
    struct controlled *controlled, const struct process *process)
{
	const char *name = flags_value(process->flags, controlled->name_flag);

	if (name != NULL)
		snprintf(
		    controlled->name, sizeof(controlled->name), "%s", name);
	else if (gethostname(controlled->name, sizeof(controlled->name) - 1) !=
	    0)
		controlled->name[0] = '\0';
	if (!read_controller(controlled, process))
		return false;
	if (flags_value(process->flags, controlled->ca) == NULL) {
		fprintf(stderr,
		    "%s: name the file of the certificates that the controller "
		    "is known by, the ca.pem of its --stream-authority: --ca "
		    "FILE\n",
		    process->command);
		return false;
	}
	if (flags_value(process->flags, controlled->token_file) == NULL) {
		fprintf(stderr,
		    "%s: name the file of the token that proves to the "
		    "controller who this is, one of its --stream-tokens or of "
		    "a ServiceAccount: --token-file FILE\n",
		    process->command);
		return false;
	}
	return true;
}

bool
controlled_open(struct controlled *controlled, const struct process *process,
    struct feed *feed)
{
	const struct flags *flags = process->flags;
	const char *server_name = flags_value(flags, controlled->server_name);
	struct stream_client_options options = {
	    .loop = process->loop,
	    .feed = feed,
	    .host = controlled->host,
	    .port = controlled->port,
	    .gateway = controlled->gateway,
	    .name = slice_from_string(controlled->name),
	    .authority_path = flags_value(flags, controlled->ca),
	    .token_path = flags_value(flags, controlled->token_file),
	    .server_name = server_name != NULL ? slice_from_string(server_name)
	                                       : controlled->host,
	    .copy_path = flags_value(flags, controlled->copy),
	};
	enum error error = stream_client_new(&options, &controlled->stream);

	if (error == ERROR_OK)
		return true;
	fprintf(
	    stderr, "%s: stream: %s\n", process->command, error_text(error));
	return false;
}
