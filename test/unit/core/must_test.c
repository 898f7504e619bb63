/* must(): silent while it holds, loud and final when it does not. */
#include "core/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_holds(void **state)
{
	int calls = 0;

	(void)state;
	must(1);
	must(++calls == 1); /* evaluated once */
	assert_int_equal(calls, 1);
}

static void
test_fails(void **state)
{
	int pipes[2], status;
	char message[512] = "";

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();

	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(pipes[1], STDERR_FILENO);
		must(1 + 1 == 3);
		_exit(0);
	}
	close(pipes[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_true(read(pipes[0], message, sizeof(message) - 1) > 0);
	close(pipes[0]);
	assert_non_null(strstr(message, "must_test.c"));
	assert_non_null(strstr(message, "test_fails"));
	assert_non_null(strstr(message, "1 + 1 == 3"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_holds),
	    cmocka_unit_test(test_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
