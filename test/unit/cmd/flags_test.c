/* The command line: what is parsed, what is refused and how, and that help and
 * the man page say every row of the table. */
#include "cmd/flags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const struct {
	const char *name, *arguments, *summary;
} commands[] = {
#define COMMAND(id, name, arguments, most, summary, more) \
	{name, arguments, summary},
#define FLAG(...)
#include "cmd/flag.def"
#undef COMMAND
#undef FLAG
};

static const struct {
	enum command command;
	const char *name;
	char letter;
	const char *argument, *fallback, *help;
} rows[] = {
#define COMMAND(...)
#define FLAG(command, id, name, letter, argument, fallback, help) \
	{COMMAND_##command, name, letter, argument, fallback, help},
#include "cmd/flag.def"
#undef COMMAND
#undef FLAG
};

static struct flags flags;
static char told[65536]; /* on stderr or stdout, of the last parse */

/* Words are split at spaces; "''" is an empty one. */
static int
parse(const char *line)
{
	/* What flags has points into it. */
	static char copy[1024];
	char *words[2 * FLAG_REPEATS + 8], *rest = copy;
	FILE *file = tmpfile();
	int saved[2] = {dup(1), dup(2)}, count = 0, status;
	size_t length;

	assert_non_null(file);
	assert_true(strlen(line) < sizeof(copy));
	memcpy(copy, line, strlen(line) + 1);
	for (char *end = copy; rest != NULL; rest = end ? end + 1 : NULL) {
		end = strchr(rest, ' ');
		if (end != NULL)
			*end = '\0';
		assert_true(count < 2 * FLAG_REPEATS + 7);
		words[count++] = strcmp(rest, "''") == 0 ? rest + 2 : rest;
	}
	words[count] = NULL;
	fflush(NULL);
	dup2(fileno(file), 1);
	dup2(fileno(file), 2);
	status = flags_parse(&flags, count, words);
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
	}
	rewind(file);
	length = fread(told, 1, sizeof(told) - 1, file);
	told[length] = '\0';
	fclose(file);
	return status;
}

static void
test_values(void **state)
{
	uint64_t number;

	(void)state;
	assert_int_equal(parse("yumen run -f a --file b --file=c -fd --workers "
	                       "3 --access-log json:x"),
	    -1);
	assert_int_equal(flags.command, COMMAND_RUN);
	assert_int_equal(flags.counts[FLAG_RUN_FILE], 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(flags.values[FLAG_RUN_FILE][i][0], "abcd"[i]);
	assert_string_equal(flags_value(&flags, FLAG_RUN_ACCESS_LOG), "json:x");
	assert_null(flags_value(&flags, FLAG_RUN_ADMIN));
	assert_true(flags_number(&flags, FLAG_RUN_WORKERS, 1, 1, 9, &number));
	assert_int_equal(number, 3);
	assert_true(
	    flags_number(&flags, FLAG_RUN_DRAIN_TIMEOUT, 30, 0, 9, &number));
	assert_int_equal(number, 30);

	/* Flags may stand behind arguments, and "-" is a value. */
	assert_int_equal(parse("yumen get gateways eg -n ns -A -o yaml"), -1);
	assert_int_equal(flags.argument_count, 2);
	assert_string_equal(flags.arguments[0], "gateways");
	assert_string_equal(flags.arguments[1], "eg");
	assert_string_equal(flags_value(&flags, FLAG_GET_NAMESPACE), "ns");
	assert_non_null(flags_value(&flags, FLAG_GET_ALL));
	assert_int_equal(parse("yumen run -f -"), -1);
	assert_string_equal(flags_value(&flags, FLAG_RUN_FILE), "-");
	assert_int_equal(parse("yumen get -- -x"), -1);
	assert_string_equal(flags.arguments[0], "-x");
	/* Each parse is anew. */
	assert_int_equal(parse("yumen version"), -1);
	assert_null(flags_value(&flags, FLAG_RUN_FILE));
	assert_int_equal(flags.argument_count, 0);
	assert_int_equal(parse("yumen --version"), -1);
	assert_int_equal(flags.command, COMMAND_VERSION);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
	    {"yumen", "Usage: yumen COMMAND"},
	    {"yumen frobnicate", "no command 'frobnicate'\nTry: yumen help"},
	    {"yumen rum", "no command 'rum'; did you mean run?"},
	    {"yumen gett", "did you mean get?"},
	    {"yumen ''", "no command ''"},
	    {"yumen run --colour",
	        "unknown flag --colour\nTry: yumen help run"},
	    {"yumen run -f a --acess-log off",
	        "unknown flag --acess-log; did you mean --access-log?"},
	    {"yumen run --worker=3x --workrs=3",
	        "unknown flag --workrs=3; did you mean --workers?"},
	    {"yumen run -f a -z", "unknown flag -z\n"},
	    {"yumen run -zf a", "unknown flag -z\n"},
	    {"yumen get -Az", "unknown flag -z\n"},
	    {"yumen run --log", "unknown flag --log"},
	    {"yumen run -f", "a value is missing after -f\n"},
	    {"yumen run --admin", "a value is missing after --admin\n"},
	    {"yumen run --admin ''", "an empty value for --admin\n"},
	    {"yumen run -f ''", "an empty value for --file\n"},
	    {"yumen run --admin off --admin off", "more than one --admin\n"},
	    {"yumen get --all-namespaces=x",
	        "no value is wanted with --all-namespaces\n"},
	    {"yumen run a.yaml",
	        "files and folders are named by -f: -f a.yaml"},
	    {"yumen version x", "one argument too many: x"},
	    {"yumen echo x", "one argument too many: x"},
	    {"yumen help a b", "one argument too many: b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = parse(cases[i].line);

		if (status != 2 || strstr(told, cases[i].want) == NULL)
			fail_msg("%s: %d, %s", cases[i].line, status, told);
	}
}

static void
test_too_many(void **state)
{
	char line[1024] = "yumen run";

	(void)state;
	for (unsigned i = 0; i < FLAG_REPEATS; i++)
		memcpy(line + strlen(line), " -f a", 6);
	assert_int_equal(parse(line), -1);
	memcpy(line + strlen(line), " -f a", 6);
	assert_int_equal(parse(line), 2);
	assert_non_null(strstr(told, "too many of --file"));
}

static void
test_numbers(void **state)
{
	static const char *const bad[] = {"0", "11", "x", "1x", "-1", "1.5",
	    "0x3", "99999999999999999999", "1e1", "+1"};
	uint64_t number;
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "yumen run --workers=%s", bad[i]);
		assert_int_equal(parse(line), -1);
		assert_false(
		    flags_number(&flags, FLAG_RUN_WORKERS, 1, 1, 10, &number));
	}
	assert_int_equal(parse("yumen run --workers 10"), -1);
	assert_true(flags_number(&flags, FLAG_RUN_WORKERS, 1, 1, 10, &number));
	assert_int_equal(number, 10);
}

static void
test_help(void **state)
{
	(void)state;
	assert_int_equal(parse("yumen --help"), 0);
	for (int i = 0; i < COMMAND__COUNT; i++)
		assert_non_null(strstr(told, commands[i].summary));
	assert_non_null(strstr(told, "Exit status: 0 done"));
	for (int i = 0; i < COMMAND__COUNT; i++) {
		char line[64];

		snprintf(
		    line, sizeof(line), "yumen %s --help", commands[i].name);
		assert_int_equal(parse(line), 0);
		assert_non_null(strstr(told, commands[i].summary));
		for (int k = 0; k < FLAG__COUNT; k++) {
			char flag[64];

			snprintf(flag, sizeof(flag), "--%s%s%s\n", rows[k].name,
			    rows[k].argument ? " " : "",
			    rows[k].argument ? rows[k].argument : "");
			if (rows[k].command != (enum command)i)
				continue;
			assert_non_null(strstr(told, flag));
			assert_non_null(strstr(told, rows[k].help));
		}
	}
	assert_int_equal(parse("yumen run -h --colour"), 0);
}

/* Every flag is there; no line begins with what roff would take for a request,
 * and no '-' is left to become a hyphen. */
static void
test_man(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	flags_man(out);
	fclose(out);
	assert_non_null(strstr(text, ".SH NAME\nyumen \\- "));
	assert_non_null(strstr(text, ".SH EXIT STATUS\n"));
	for (int k = 0; k < FLAG__COUNT; k++) {
		char flag[128] = "\\-\\-";
		size_t length = strlen(flag);

		for (const char *at = rows[k].name; *at != '\0'; at++) {
			if (*at == '-')
				flag[length++] = '\\';
			flag[length++] = *at;
		}
		assert_non_null(strstr(text, flag));
	}
	for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		static const char *const known[] = {
		    ".TH ", ".SH ", ".SS ", ".TP\n", ".B ", ".I "};
		bool ok = *line != '.' && *line != '\'';

		for (size_t i = 0; i < 6; i++)
			ok |= strncmp(line, known[i], strlen(known[i])) == 0;
		if (!ok)
			fail_msg("%.60s", line);
	}
	for (const char *at = text; (at = strchr(at, '-')) != NULL; at++)
		assert_int_equal(at[-1], '\\');
	free(text);
}

/* Rows that contradict each other would be found by nobody else. */
static void
test_table(void **state)
{
	(void)state;
	for (int i = 0; i < FLAG__COUNT; i++) {
		assert_true(strlen(rows[i].help) > 0);
		assert_true(rows[i].letter != 'h');
		assert_string_not_equal(rows[i].name, "help");
		for (int k = 0; k < i; k++) {
			if (rows[i].command != rows[k].command)
				continue;
			assert_string_not_equal(rows[i].name, rows[k].name);
			assert_true(rows[i].letter == 0 ||
			    rows[i].letter != rows[k].letter);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_too_many),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_help),
	    cmocka_unit_test(test_man),
	    cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
