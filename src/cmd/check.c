/* yumen check: judges files and prints what is wrong with them, with the place,
 * a stable code and what to do. It serves nothing, asks nobody, and opens
 * nothing but the files. Exit status: 0 nothing wrong, 1 problems as grave as
 * --fail-on, 2 it could not check. */
#include "cmd/check_priv.h"

#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "ctl/once.h"

typedef void (*print_fn)(struct text *out, const struct ctl_checked *checked);

static const struct {
	const char *name;
	print_fn print; /* NULL: the objects instead */
} formats[] = {
    {"text", check_print_text},
    {"json", check_print_json},
    {"sarif", check_print_sarif},
    {"github", check_print_github},
    {"yaml", NULL},
};

static int
usage(const char *message, const char *value)
{
	fprintf(stderr, "yumen check: %s%s\nTry: yumen help check\n", message,
	    value);
	return 2;
}

static int
exit_status(const struct ctl_checked *checked, const char *fail_on)
{
	bool fails = checked->errors > 0 ||
	    (strcmp(fail_on, "warning") == 0 && checked->warnings > 0);

	return fails && strcmp(fail_on, "never") != 0;
}

static void
write_text(const struct text *text, FILE *to)
{
	if (text->length > 0)
		fwrite(text->data, 1, text->length, to);
}

/* Where objects are asked for, problems are told beside them. */
static int
check_files(const struct flags *flags, const struct gw_options *options,
    print_fn print, const char *fail_on)
{
	struct ctl_checked checked;
	struct text out, problems;
	unsigned failed;

	text_init(&out);
	text_init(&problems);
	enum error error = ctl_check(flags->arguments, flags->argument_count,
	    options, &checked, print ? NULL : &out, &failed);

	if (error != ERROR_OK) {
		fprintf(stderr, "yumen check: %s: %s\n",
		    failed < flags->argument_count ? flags->arguments[failed]
		                                   : "cannot check",
		    error_text(error));
		return 2;
	}
	if (print)
		print(&out, &checked);
	else
		check_print_text(&problems, &checked);
	write_text(&out, stdout);
	write_text(&problems, stderr);
	text_fini(&problems);
	text_fini(&out);
	int status = exit_status(&checked, fail_on);

	ctl_checked_free(&checked);
	return status;
}

int
command_check(const struct flags *flags)
{
	const char *format = flags_value(flags, FLAG_CHECK_OUTPUT);
	const char *fail_on = flags_value(flags, FLAG_CHECK_FAIL_ON);
	struct slice names[FLAG_REPEATS];
	struct gw_options options = {
	    .controller_names = names,
	    .controller_name_count = flags->counts[FLAG_CHECK_CONTROLLER_NAME],
	    .namespaces_implied = true,
	    .carries = CTL_CARRIES,
	};
	unsigned chosen = 0;

	fail_on = fail_on ? fail_on : "error";
	if (strcmp(fail_on, "error") != 0 && strcmp(fail_on, "warning") != 0 &&
	    strcmp(fail_on, "never") != 0)
		return usage(
		    "--fail-on is error, warning or never, not ", fail_on);
	while (format && chosen < sizeof(formats) / sizeof(formats[0]) &&
	    strcmp(format, formats[chosen].name) != 0)
		chosen++;
	if (chosen == sizeof(formats) / sizeof(formats[0]))
		return usage(
		    "--output is text, json, sarif, github or yaml, not ",
		    format);
	if (flags->argument_count == 0)
		return usage("which files or folders? ",
		    "`yumen check PATH...`, or - for standard input");
	for (unsigned i = 0; i < options.controller_name_count; i++)
		names[i] = slice_from_string(
		    flags->values[FLAG_CHECK_CONTROLLER_NAME][i]);
	return check_files(flags, &options, formats[chosen].print, fail_on);
}
