/* yumen check: judges files and prints what is wrong with them, with the place,
 * a stable code and what to do. It serves nothing, asks nobody, and opens
 * nothing but the files. Exit status: 0 nothing wrong, 1 problems as grave as
 * --fail-on, 2 it could not check. */
#include "cmd/check_priv.h"

#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

static const struct {
	const char *name;
	void (*print)(struct text *out, const struct ctl_checked *checked);
} formats[] = {
    {"text", check_print_text},
    {"json", check_print_json},
    {"sarif", check_print_sarif},
    {"github", check_print_github},
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
	};
	struct ctl_checked checked;
	struct text out;
	unsigned failed, chosen = 0;

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
		    "--output is text, json, sarif or github, not ", format);
	if (flags->argument_count == 0)
		return usage("which files or folders? ",
		    "`yumen check PATH...`, or - for standard input");
	for (unsigned i = 0; i < options.controller_name_count; i++)
		names[i] = slice_from_string(
		    flags->values[FLAG_CHECK_CONTROLLER_NAME][i]);
	enum error error = ctl_check(flags->arguments, flags->argument_count,
	    &options, &checked, &failed);

	if (error != ERROR_OK) {
		fprintf(stderr, "yumen check: %s: %s\n",
		    failed < flags->argument_count ? flags->arguments[failed]
		                                   : "cannot check",
		    error_text(error));
		return 2;
	}
	text_init(&out);
	formats[chosen].print(&out, &checked);
	fwrite(out.data, 1, out.length, stdout);
	text_fini(&out);
	int status = exit_status(&checked, fail_on);

	ctl_checked_free(&checked);
	return status;
}
