/* The command line, from the rows of flag.def alone: parsing by getopt_long,
 * the help texts and the man page. */
#include "cmd/flags.h"

#include <getopt.h>
#include <string.h>

#include "core/must.h"
#include "core/slice.h"

struct command_row {
	const char *name, *arguments, *summary, *more;
};

struct flag_row {
	enum command command;
	const char *name;
	char letter;
	const char *argument, *fallback, *help;
};

static const struct command_row commands[] = {
#define COMMAND(id, name, arguments, summary, more) \
	{name, arguments, summary, more},
#define FLAG(...)
#include "cmd/flag.def"
#undef COMMAND
#undef FLAG
};

static const struct flag_row rows[] = {
#define COMMAND(...)
#define FLAG(command, id, name, letter, argument, fallback, help) \
	{COMMAND_##command, name, letter, argument, fallback, help},
#include "cmd/flag.def"
#undef COMMAND
#undef FLAG
};

#define OPTION_HELP 1000

/* getopt_long's two forms of the command's flags. */
struct options {
	struct option longs[FLAG__COUNT + 2];
	char letters[2 * FLAG__COUNT + 4];
};

static void
options_make(enum command command, struct options *options)
{
	unsigned count = 0, letters = 0;

	memset(options, 0, sizeof(*options));
	options->letters[letters++] = ':';
	for (int i = 0; i < FLAG__COUNT; i++) {
		if (rows[i].command != command)
			continue;
		options->longs[count++] = (struct option){
		    .name = rows[i].name,
		    .has_arg =
		        rows[i].argument ? required_argument : no_argument,
		    .val = OPTION_HELP + 1 + i,
		};
		if (rows[i].letter == 0)
			continue;
		options->letters[letters++] = rows[i].letter;
		if (rows[i].argument != NULL)
			options->letters[letters++] = ':';
	}
	options->letters[letters++] = 'h';
	options->longs[count] = (struct option){
	    .name = "help",
	    .val = OPTION_HELP,
	};
}

static int
find_flag(enum command command, int option)
{
	if (option > OPTION_HELP)
		return option - OPTION_HELP - 1;
	for (int i = 0; i < FLAG__COUNT; i++)
		if (rows[i].command == command && rows[i].letter == option)
			return i;
	return -1;
}

static int
mistake(enum command command, const char *what, const char *which)
{
	fprintf(stderr, "yumen %s: %s %s\nTry: yumen help %s\n",
	    commands[command].name, what, which, commands[command].name);
	return 2;
}

static int
note_flag(struct flags *flags, int flag, const char *value)
{
	bool repeatable = strstr(rows[flag].help, "repeatable") != NULL;

	if (flags->counts[flag] == (repeatable ? FLAG_REPEATS : 1))
		return mistake(flags->command,
		    repeatable ? "too many of --" : "more than one --",
		    rows[flag].name);
	flags->values[flag][flags->counts[flag]++] = value ? value : "";
	return -1;
}

static int
parse_flags(struct flags *flags, int argc, char **argv)
{
	struct options options;
	int option, status = -1;

	options_make(flags->command, &options);
	optind = 1;
	opterr = 0;
	while (status < 0 &&
	    (option = getopt_long(
	         argc, argv, options.letters, options.longs, NULL)) != -1) {
		if (option == 'h' || option == OPTION_HELP) {
			flags_help(stdout, flags->command);
			return 0;
		}
		if (option == ':')
			return mistake(flags->command,
			    "a value is missing after", argv[optind - 1]);
		if (option == '?')
			return mistake(
			    flags->command, "unknown flag", argv[optind - 1]);
		status =
		    note_flag(flags, find_flag(flags->command, option), optarg);
	}
	return status;
}

int
flags_parse(struct flags *flags, int argc, char **argv)
{
	int status;

	memset(flags, 0, sizeof(*flags));
	if (argc < 2) {
		flags_overview(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		flags_overview(stdout);
		return 0;
	}
	flags->command = strcmp(argv[1], "--version") == 0
	    ? COMMAND_VERSION
	    : flags_command(argv[1]);
	if (flags->command == COMMAND__COUNT) {
		fprintf(stderr, "yumen: no command '%s'\n", argv[1]);
		flags_overview(stderr);
		return 2;
	}
	status = parse_flags(flags, argc - 1, argv + 1);
	if (status >= 0)
		return status;
	for (int i = optind + 1; i < argc; i++) {
		if (flags->argument_count == FLAG_ARGUMENTS)
			return mistake(
			    flags->command, "too many arguments at", argv[i]);
		flags->arguments[flags->argument_count++] = argv[i];
	}
	return -1;
}

const char *
flags_value(const struct flags *flags, enum flag flag)
{
	return flags->values[flag][0];
}

bool
flags_number(const struct flags *flags, enum flag flag, uint64_t fallback,
    uint64_t minimum, uint64_t maximum, uint64_t *number)
{
	const char *value = flags_value(flags, flag);

	*number = fallback;
	if (value == NULL)
		return true;
	if (slice_to_number(slice_from_string(value), maximum, number) &&
	    *number >= minimum)
		return true;
	fprintf(stderr,
	    "yumen %s: --%s %s: a whole number from %llu to %llu is wanted\n",
	    commands[flags->command].name, rows[flag].name, value,
	    (unsigned long long)minimum, (unsigned long long)maximum);
	return false;
}

enum command
flags_command(const char *name)
{
	int found = 0;

	while (
	    found < COMMAND__COUNT && strcmp(commands[found].name, name) != 0)
		found++;
	return (enum command)found;
}

static void
help_flag(FILE *out, const struct flag_row *row)
{
	if (row->letter != 0)
		fprintf(out, "  -%c, --%s", row->letter, row->name);
	else
		fprintf(out, "      --%s", row->name);
	fprintf(out, "%s%s\n          %s", row->argument ? " " : "",
	    row->argument ? row->argument : "", row->help);
	if (row->fallback != NULL)
		fprintf(out, " (default: %s)", row->fallback);
	fputc('\n', out);
}

void
flags_help(FILE *out, enum command command)
{
	const struct command_row *row = &commands[command];

	must(command < COMMAND__COUNT);
	fprintf(out, "Usage: yumen %s%s%s [flags]\n\n%s.\n", row->name,
	    row->arguments[0] ? " " : "", row->arguments, row->summary);
	if (row->more[0] != '\0')
		fprintf(out, "%s\n", row->more);
	fputs("\nFlags:\n", out);
	for (int i = 0; i < FLAG__COUNT; i++)
		if (rows[i].command == command)
			help_flag(out, &rows[i]);
	fputs("  -h, --help\n          this text\n", out);
}

void
flags_overview(FILE *out)
{
	fputs("yumen: the Kubernetes Gateway API on your own metal\n\n"
	      "Usage: yumen COMMAND [flags]\n\nCommands:\n",
	    out);
	for (int i = 0; i < COMMAND__COUNT; i++)
		fprintf(
		    out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\nyumen help COMMAND tells more.\n", out);
}

/* Text for roff: a '-' is a minus, a leading '.' or ''' is escaped. */
static void
roff(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void
man_flag(FILE *out, const struct flag_row *row)
{
	fputs(".TP\n.B ", out);
	if (row->letter != 0)
		fprintf(out, "\\-%c, ", row->letter);
	fputs("\\-\\-", out);
	roff(out, row->name);
	if (row->argument != NULL)
		fprintf(out, " \\fI%s\\fR", row->argument);
	fputc('\n', out);
	roff(out, row->help);
	if (row->fallback != NULL) {
		fputs(" (default: ", out);
		roff(out, row->fallback);
		fputc(')', out);
	}
	fputc('\n', out);
}

void
flags_man(FILE *out)
{
	fputs(".TH YUMEN 1 \"\" \"yumen " YUMEN_VERSION "\"\n.SH NAME\n"
	      "yumen \\- the Kubernetes Gateway API on your own metal\n"
	      ".SH SYNOPSIS\n.B yumen\n.I COMMAND\n[flags]\n.SH COMMANDS\n",
	    out);
	for (int i = 0; i < COMMAND__COUNT; i++) {
		fprintf(out, ".SS %s ", commands[i].name);
		roff(out, commands[i].arguments);
		fputc('\n', out);
		roff(out, commands[i].summary);
		fputs(".\n", out);
		roff(out, commands[i].more);
		fputc('\n', out);
		for (int k = 0; k < FLAG__COUNT; k++)
			if (rows[k].command == (enum command)i)
				man_flag(out, &rows[k]);
	}
	fputs(".SH EXIT STATUS\n0: done. 1: it failed, stderr says why. 2: the "
	      "command line is wrong.\n",
	    out);
}
