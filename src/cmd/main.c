/* The yumen program: finds the command and hands over to its file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/command.h"
#include "core/slice.h"
#include "gw/finding.h"
#include "net/tls_heap.h"

bool
command_default_socket(char *out, size_t size)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");
	int length;

	if (geteuid() == 0)
		folder = "/run";
	if (folder != NULL && folder[0] == '/')
		length = snprintf(out, size, "%s/yumen/admin.sock", folder);
	else
		length = snprintf(
		    out, size, "/tmp/yumen-%u/admin.sock", (unsigned)geteuid());
	return length > 0 && (size_t)length < size;
}

void
command_make_folder(const char *path)
{
	char folder[4096];
	size_t length = strlen(path);

	if (length >= sizeof(folder))
		return;
	for (size_t i = 1; i < length; i++) {
		if (path[i] != '/')
			continue;
		memcpy(folder, path, i);
		folder[i] = '\0';
		/* What cannot be made is told when the socket is opened. */
		(void)!mkdir(folder, 0700);
	}
}

bool
command_address(const char *text, const char *flag, struct net_address *address)
{
	struct slice value = slice_from_string(text);
	char loopback[32];

	if (slice_starts_with(value, SLICE("localhost:"))) {
		snprintf(loopback, sizeof(loopback), "127.0.0.1:%s",
		    text + strlen("localhost:"));
		value = slice_from_string(loopback);
	}
	if (net_address_parse_port(value, address) == ERROR_OK)
		return true;
	fprintf(stderr,
	    "yumen: %s %s: an address and a port are wanted, as "
	    "127.0.0.1:8080 or [::1]:8080\n",
	    flag, text);
	return false;
}

static int
command_help(const struct flags *flags)
{
	enum command command;

	if (flags_value(flags, FLAG_HELP_MAN) != NULL) {
		flags_man(stdout);
		return 0;
	}
	if (flags->argument_count == 0) {
		flags_overview(stdout);
		return 0;
	}
	enum gw_finding_row row =
	    gw_finding_parse(slice_from_string(flags->arguments[0]));

	if (row != GW_FINDING__COUNT) {
		printf(
		    "%s: %s\n", gw_findings[row].code, gw_findings[row].help);
		return 0;
	}
	if (strncasecmp(flags->arguments[0], "YM", 2) == 0) {
		fprintf(stderr,
		    "yumen help: no problem has the code %s; the codes are "
		    "those that check, get and describe tell\n",
		    flags->arguments[0]);
		return 2;
	}
	command = flags_command(flags->arguments[0]);
	if (command == COMMAND__COUNT)
		return 2;
	flags_help(stdout, command);
	return 0;
}

static int
run_command(const struct flags *flags)
{
	switch (flags->command) {
	case COMMAND_RUN:
		return command_run(flags);
	case COMMAND_CONTROLLER:
		return command_controller(flags);
	case COMMAND_PROXY:
		return command_proxy(flags);
	case COMMAND_ANNOUNCER:
		return command_announcer(flags);
	case COMMAND_ECHO:
		return command_echo(flags);
	case COMMAND_CHECK:
		return command_check(flags);
	case COMMAND_COMPLETION:
		return command_completion(flags);
	case COMMAND_DESCRIBE:
		return command_describe(flags);
	case COMMAND_EXPLAIN:
		return command_explain(flags);
	case COMMAND_GET:
		return command_get(flags);
	case COMMAND_SCHEMA:
		return command_schema(flags);
	case COMMAND_VERSION:
		puts("yumen " YUMEN_VERSION);
		return 0;
	case COMMAND_HELP:
	default:
		return command_help(flags);
	}
}

int
main(int argc, char **argv)
{
	static struct flags flags;

	net_tls_heap_install();
	int status = flags_parse(&flags, argc, argv);

	if (status < 0)
		status = run_command(&flags);
	/* What could not be written was not shown. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
		perror("yumen: standard output");
		return 1;
	}
	return status;
}
