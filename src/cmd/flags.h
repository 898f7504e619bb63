/* The command line: what flag.def says, parsed. */
#ifndef YUMEN_CMD_FLAGS_H
#define YUMEN_CMD_FLAGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum command {
#define COMMAND(id, name, arguments, most, summary, more) COMMAND_##id,
#define FLAG(...)
#include "cmd/flag.def"
#undef COMMAND
#undef FLAG
	COMMAND__COUNT
};

enum flag {
#define COMMAND(...)
#define FLAG(command, id, name, letter, argument, fallback, help) FLAG_##id,
#include "cmd/flag.def"
#undef COMMAND
#undef FLAG
	FLAG__COUNT
};

#define FLAG_REPEATS 64
#define FLAG_ARGUMENTS 16384 /* as a shell makes of *.yaml */

struct flags {
	enum command command;
	/* What was given, in order; [0] is what a flag that may be given once
	 * has. NULL: not given. */
	const char *values[FLAG__COUNT][FLAG_REPEATS];
	unsigned counts[FLAG__COUNT];
	const char *arguments[FLAG_ARGUMENTS];
	unsigned argument_count;
};

/* Parse. -1: go on; otherwise the exit status: help was printed (0), or a
 * mistake was told on stderr with what to do (2). */
int flags_parse(struct flags *flags, int argc, char **argv);
/* The value given, or NULL. */
const char *flags_value(const struct flags *flags, enum flag flag);
/* A whole number within bounds; false: told on stderr. */
bool flags_number(const struct flags *flags, enum flag flag, uint64_t fallback,
    uint64_t minimum, uint64_t maximum, uint64_t *number);

void flags_help(FILE *out, enum command command);
void flags_overview(FILE *out);
/* The man page, in roff. */
void flags_man(FILE *out);
/* By its name; COMMAND__COUNT: there is none, told on stderr. */
enum command flags_command(const char *name);

#endif
