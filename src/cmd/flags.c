/* The command line, from the rows of flag.def alone: parsing by getopt_long,
 * the help texts and the man page. */
#include "cmd/flags.h"

#include <getopt.h>
#include <string.h>

#include "cmd/kinds.h"
#include "core/must.h"
#include "core/slice.h"
#include "wire/nearest.h"

struct command_row {
	const char *name, *arguments;
	unsigned most; /* of arguments */
	const char *summary, *more;
};

struct flag_row {
	enum command command;
	const char *name;
	char letter;
	const char *argument, *fallback, *help;
};

static const struct command_row commands[] = {
#define COMMAND(id, name, arguments, most, summary, more) \
	{name, arguments, most, summary, more},
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
#define EXIT_STATUS \
	"Exit status: 0 done; 1 it failed, standard error says why; 2 the " \
	"command line is wrong."

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

/* Tell what is wrong with which, and what to do. */
static int
mistake(enum command command, const char *what, const char *which)
{
	fprintf(stderr, "yumen %s: %s%s\nTry: yumen help %s\n",
	    commands[command].name, what, which, commands[command].name);
	return 2;
}

static int
unknown_flag(enum command command, const char *flag)
{
	const char *name = flag + strspn(flag, "-");
	struct wire_nearest nearest;

	wire_nearest_init(&nearest, slice_make(name, strcspn(name, "=")));
	for (int i = 0; i < FLAG__COUNT; i++)
		if (rows[i].command == command)
			wire_nearest_feed(
			    &nearest, slice_from_string(rows[i].name));
	if (!slice_is_set(nearest.best) || flag[1] != '-')
		return mistake(command, "unknown flag ", flag);
	fprintf(stderr, "yumen %s: unknown flag %s; did you mean --%.*s?\n",
	    commands[command].name, flag, SLICE_ARGS(nearest.best));
	return 2;
}

/* getopt_long's '?' and ':', of which optopt tells what it is about: a flag's
 * own value, a letter, or 0 for a long name that it does not know. */
static int
refused(enum command command, int option, const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	if (option == ':')
		return mistake(command, "a value is missing after ", word);
	if (optopt > OPTION_HELP)
		return mistake(command, "no value is wanted with --",
		    rows[optopt - OPTION_HELP - 1].name);
	return unknown_flag(command, optopt != 0 ? letter : word);
}

static int
note_flag(struct flags *flags, int flag, const char *value)
{
	bool repeatable = strstr(rows[flag].help, "repeatable") != NULL;

	if (flags->counts[flag] == (repeatable ? FLAG_REPEATS : 1))
		return mistake(flags->command,
		    repeatable ? "too many of --" : "more than one --",
		    rows[flag].name);
	if (value != NULL && value[0] == '\0')
		return mistake(
		    flags->command, "an empty value for --", rows[flag].name);
	flags->values[flag][flags->counts[flag]++] = value ? value : "";
	return -1;
}

static int
parse_flags(struct flags *flags, int argc, char **argv)
{
	struct options options;
	int option, status = -1;

	options_make(flags->command, &options);
	optind = 0; /* anew, also what is kept behind the scenes */
	opterr = 0;
	while (status < 0 &&
	    (option = getopt_long(
	         argc, argv, options.letters, options.longs, NULL)) != -1) {
		if (option == 'h' || option == OPTION_HELP) {
			flags_help(stdout, flags->command);
			return 0;
		}
		if (option == ':' || option == '?')
			return refused(
			    flags->command, option, argv[optind - 1]);
		/* "-o=json" as kubectl takes it. */
		if (option < OPTION_HELP && optarg && optarg[0] == '=' &&
		    optarg != argv[optind - 1])
			optarg++;
		status =
		    note_flag(flags, find_flag(flags->command, option), optarg);
	}
	return status;
}

static int
parse_arguments(struct flags *flags, int argc, char **argv)
{
	unsigned most = commands[flags->command].most;

	must(most <= FLAG_ARGUMENTS);
	for (int i = optind; i < argc; i++) {
		if (flags->argument_count == most &&
		    flags->command == COMMAND_RUN)
			return mistake(flags->command,
			    "files and folders are named by -f: -f ", argv[i]);
		if (flags->argument_count == most)
			return mistake(
			    flags->command, "one argument too many: ", argv[i]);
		flags->arguments[flags->argument_count++] = argv[i];
	}
	return -1;
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
	if (flags->command == COMMAND__COUNT)
		return 2;
	status = parse_flags(flags, argc - 1, argv + 1);
	return status < 0 ? parse_arguments(flags, argc - 1, argv + 1) : status;
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
	struct wire_nearest nearest;

	wire_nearest_init(&nearest, slice_from_string(name));
	for (int i = 0; i < COMMAND__COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return (enum command)i;
		wire_nearest_feed(
		    &nearest, slice_from_string(commands[i].name));
	}
	fprintf(stderr, "yumen: no command '%s'", name);
	if (slice_is_set(nearest.best))
		fprintf(
		    stderr, "; did you mean %.*s?\n", SLICE_ARGS(nearest.best));
	else
		fputs("\nTry: yumen help\n", stderr);
	return COMMAND__COUNT;
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

static bool
takes_kinds(enum command command)
{
	return command == COMMAND_GET || command == COMMAND_DESCRIBE;
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
	if (takes_kinds(command)) {
		fputs("\nKinds:\n", out);
		kinds_print(out);
	}
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
		    out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\nyumen help COMMAND tells more.\n" EXIT_STATUS "\n", out);
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
		if (takes_kinds((enum command)i)) {
			fputs("Kinds: ", out);
			kinds_print_line(out);
		}
		for (int k = 0; k < FLAG__COUNT; k++)
			if (rows[k].command == (enum command)i)
				man_flag(out, &rows[k]);
	}
	fputs(".SH EXIT STATUS\n" EXIT_STATUS "\n", out);
}
