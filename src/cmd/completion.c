/* yumen completion: scripts for shells, made of the rows of flag.def and of the
 * kinds, so that they know what the program knows. */
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "core/slice.h"
#include "gw/object.h"
#include "gw/schema.h"

struct command_row {
	const char *name, *summary;
};
struct flag_row {
	enum command command;
	const char *name;
	char letter;
	const char *argument, *help;
};

static const struct command_row commands[] = {
#define COMMAND(id, name, arguments, most, summary, more) {name, summary},
#define FLAG(...)
#include "cmd/flag.def"
#undef COMMAND
#undef FLAG
};
static const struct flag_row flags_rows[] = {
#define COMMAND(...)
#define FLAG(command, id, name, letter, argument, fallback, help) \
	{COMMAND_##command, name, letter, argument, help},
#include "cmd/flag.def"
#undef COMMAND
#undef FLAG
};

/* What a flag takes, where it takes one of a few words. */
static const struct {
	enum flag flag;
	const char *words;
} choices[] = {
    {FLAG_GET_OUTPUT, "table wide name yaml json"},
    {FLAG_CHECK_OUTPUT, "text json sarif github yaml"},
    {FLAG_CHECK_FAIL_ON, "error warning never"},
    {FLAG_EXPLAIN_OUTPUT, "text json"},
    {FLAG_EXPLAIN_METHOD, "GET HEAD POST PUT DELETE PATCH OPTIONS"},
    {FLAG_RUN_LOG_LEVEL, "debug info warning error"},
    {FLAG_RUN_LOG_FORMAT, "text json"},
    {FLAG_RUN_ACCESS_LOG, "off text json"},
};

static const char *
choices_of(enum flag flag)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		if (choices[i].flag == flag)
			return choices[i].words;
	return NULL;
}

/* Shells need no escapes for what is left. */
static void
plain(const char *text)
{
	for (; *text; text++)
		putchar(strchr("'\"`$\\[]:()", *text) ? ' ' : *text);
}

/* Is the first argument one of a few words? Else it is a file, or none. */
static bool
takes_words(enum command command)
{
	return command == COMMAND_GET || command == COMMAND_DESCRIBE ||
	    command == COMMAND_SCHEMA || command == COMMAND_HELP ||
	    command == COMMAND_COMPLETION;
}

/* Versions of a kind stand together. */
static void
print_schemas(void)
{
	struct gw_schema schema;
	const char *last = "";

	for (unsigned i = 0; gw_schema_at(i, &schema); i++) {
		if (strcmp(schema.plural, last) != 0)
			printf("%s ", schema.plural);
		last = schema.plural;
	}
}

static void
print_words(enum command command)
{
	if (command == COMMAND_GET || command == COMMAND_DESCRIBE)
		for (int i = 0; i < GW_KIND__COUNT; i++)
			printf("%s ", gw_kinds[i].plural);
	if (command == COMMAND_GET)
		fputs("all proxies certificates", stdout);
	if (command == COMMAND_SCHEMA)
		print_schemas();
	if (command == COMMAND_HELP)
		for (int i = 0; i < COMMAND__COUNT; i++)
			printf("%s ", commands[i].name);
	if (command == COMMAND_COMPLETION)
		fputs("bash zsh fish", stdout);
}

static bool
names_objects(enum command command)
{
	return command == COMMAND_GET || command == COMMAND_DESCRIBE;
}

/* ---- bash ---- */

static void
bash_flag_values(enum command command)
{
	for (int i = 0; i < FLAG__COUNT; i++) {
		const struct flag_row *row = &flags_rows[i];
		const char *words = choices_of((enum flag)i);

		if (row->command != command || !row->argument)
			continue;
		printf("\t'%s --%s'", commands[command].name, row->name);
		if (row->letter)
			printf(
			    "|'%s -%c'", commands[command].name, row->letter);
		if (words)
			printf(") COMPREPLY=($(compgen -W '%s' -- \"$cur\"));"
			       " return ;;\n",
			    words);
		else if (strcmp(row->argument, "PATH") == 0)
			puts(") COMPREPLY=($(compgen -f -- \"$cur\")); return "
			     ";;");
		else
			puts(") return ;;");
	}
}

static void
bash_command(enum command command)
{
	printf("\t%s) flags='--help", commands[command].name);
	for (int i = 0; i < FLAG__COUNT; i++)
		if (flags_rows[i].command == command)
			printf(" --%s", flags_rows[i].name);
	fputs("'; words='", stdout);
	print_words(command);
	puts("' ;;");
}

static void
print_bash(void)
{
	puts("_yumen() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	     "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\tlocal cmd=${COMP_WORDS[1]} flags= words=\n"
	     "\tCOMPREPLY=()\n"
	     "\tcase \"$cmd $prev\" in");
	for (int i = 0; i < COMMAND__COUNT; i++)
		bash_flag_values((enum command)i);
	fputs("\tesac\n"
	      "\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W '",
	    stdout);
	for (int i = 0; i < COMMAND__COUNT; i++)
		printf("%s ", commands[i].name);
	puts("' -- \"$cur\"))\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase $cmd in");
	for (int i = 0; i < COMMAND__COUNT; i++)
		bash_command((enum command)i);
	puts(
	    "\tesac\n"
	    "\tcase $cur in\n"
	    "\t-*) words=$flags ;;\n"
	    "\t*) if [ \"$COMP_CWORD\" = 3 ]; then case $cmd in get|describe)\n"
	    "\t\twords=$(\"${COMP_WORDS[0]}\" get \"$prev\" -o name "
	    "2>/dev/null | sed 's|.*/||') ;;\n"
	    "\tesac; fi ;;\n"
	    "\tesac\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "}\n"
	    "complete -o default -F _yumen yumen");
}

/* ---- zsh ---- */

static void
zsh_command(enum command command)
{
	printf("\t%s) _arguments", commands[command].name);
	for (int i = 0; i < FLAG__COUNT; i++) {
		const struct flag_row *row = &flags_rows[i];
		const char *words = choices_of((enum flag)i);

		if (row->command != command)
			continue;
		if (row->letter)
			printf(
			    " \\\n\t\t'*'{-%c,--%s}", row->letter, row->name);
		else
			printf(" \\\n\t\t'*'--%s", row->name);
		fputs("'[", stdout);
		plain(row->help);
		fputs("]", stdout);
		if (row->argument) {
			fputs(":", stdout);
			plain(row->argument);
			if (words)
				printf(":(%s)", words);
			else
				fputs(strcmp(row->argument, "PATH") == 0
				        ? ":_files"
				        : ": ",
				    stdout);
		}
		putchar('\'');
	}
	if (!takes_words(command)) {
		puts(" \\\n\t\t'*: :_files' ;;");
		return;
	}
	fputs(" \\\n\t\t'2: :(", stdout);
	print_words(command);
	printf(")'%s ;;\n",
	    names_objects(command)
	        ? " \\\n\t\t'3: :($(yumen get ${words[3]} -o name 2>/dev/null "
	          "| sed \"s|.*/||\"))'"
	        : "");
}

static void
print_zsh(void)
{
	puts("#compdef yumen\n"
	     "_yumen() {\n"
	     "\tlocal -a commands=(");
	for (int i = 0; i < COMMAND__COUNT; i++) {
		printf("\t\t'%s:", commands[i].name);
		plain(commands[i].summary);
		puts("'");
	}
	puts("\t)\n"
	     "\tif (( CURRENT == 2 )); then\n"
	     "\t\t_describe command commands\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tcase ${words[2]} in");
	for (int i = 0; i < COMMAND__COUNT; i++)
		zsh_command((enum command)i);
	puts("\tesac\n"
	     "}\n"
	     "if [ \"$funcstack[1]\" = _yumen ]; then\n"
	     "\t_yumen \"$@\"\n"
	     "else\n"
	     "\tcompdef _yumen yumen\n"
	     "fi");
}

/* ---- fish ---- */

static void
fish_command(enum command command)
{
	const char *name = commands[command].name;

	printf(
	    "complete -c yumen -n __fish_use_subcommand -f -a %s -d '", name);
	plain(commands[command].summary);
	puts("'");
	for (int i = 0; i < FLAG__COUNT; i++) {
		const struct flag_row *row = &flags_rows[i];
		const char *words = choices_of((enum flag)i);

		if (row->command != command)
			continue;
		printf("complete -c yumen -n '__fish_seen_subcommand_from %s' "
		       "-l %s",
		    name, row->name);
		if (row->letter)
			printf(" -s %c", row->letter);
		if (words)
			printf(" -x -a '%s'", words);
		else if (row->argument)
			fputs(strcmp(row->argument, "PATH") == 0 ? " -r -F"
			                                         : " -x",
			    stdout);
		fputs(" -d '", stdout);
		plain(row->help);
		puts("'");
	}
	if (!takes_words(command))
		return;
	printf("complete -c yumen -n '__fish_seen_subcommand_from %s' -f -a '",
	    name);
	print_words(command);
	puts("'");
}

int
command_completion(const struct flags *flags)
{
	const char *shell =
	    flags->argument_count > 0 ? flags->arguments[0] : "";

	if (strcmp(shell, "bash") == 0) {
		print_bash();
	} else if (strcmp(shell, "zsh") == 0) {
		print_zsh();
	} else if (strcmp(shell, "fish") == 0) {
		for (int i = 0; i < COMMAND__COUNT; i++)
			fish_command((enum command)i);
	} else {
		fputs("yumen completion: for which shell? bash, zsh or fish\n",
		    stderr);
		return 2;
	}
	return 0;
}
