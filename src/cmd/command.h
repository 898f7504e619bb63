/* The commands: each takes the parsed command line and returns the exit status.
 * Besides, what they share. */
#ifndef YUMEN_CMD_COMMAND_H
#define YUMEN_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/flags.h"
#include "net/address.h"

int command_run(const struct flags *flags);
int command_controller(const struct flags *flags);
int command_proxy(const struct flags *flags);
int command_announcer(const struct flags *flags);
int command_check(const struct flags *flags);
int command_echo(const struct flags *flags);
int command_completion(const struct flags *flags);
int command_describe(const struct flags *flags);
int command_explain(const struct flags *flags);
int command_get(const struct flags *flags);
int command_schema(const struct flags *flags);

/* The admin socket's path where no flag says one; false: it does not fit. */
bool command_default_socket(char *out, size_t size);
/* Make the folder of path (0700) where it is missing. */
void command_make_folder(const char *path);
/* "HOST:PORT" or "[v6]:PORT"; false: told on stderr with the flag's name. */
bool command_address(
    const char *text, const char *flag, struct net_address *address);

#endif
