/* The states of a stream: which moves are legal, and what a failure leaves. */
#include "http/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void
move_in(unsigned from, unsigned to)
{
	struct http_stream stream = {.in = from};
	http_stream_set_in(&stream, to);
}

static void
move_out(unsigned from, unsigned to)
{
	struct http_stream stream = {.out = from};
	http_stream_set_out(&stream, to);
}

/* It aborts; in a child, to see it. */
static bool
is_refused(void (*move)(unsigned, unsigned), unsigned from, unsigned to)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		move(from, to);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
test_in(void **state)
{
	/* wait interim body end failed */
	static const char *legal[] = {
	    "-ibef", "w---f", "---ef", "--b-f", "-----"};
	(void)state;
	for (unsigned from = 0; from < 5; from++)
		for (unsigned to = 0; to < 5; to++)
			assert_int_equal(is_refused(move_in, from, to),
			    legal[from][to] == '-');
}

static void
test_out(void **state)
{
	/* head body end failed */
	static const char *legal[] = {"-b-f", "--ef", "-b-f", "----"};
	(void)state;
	for (unsigned from = 0; from < 4; from++)
		for (unsigned to = 0; to < 4; to++)
			assert_int_equal(is_refused(move_out, from, to),
			    legal[from][to] == '-');
}

/* The first error is the one that is told. */
static void
test_failure(void **state)
{
	struct http_stream stream = {.in = HTTP_IN_BODY, .out = HTTP_OUT_BODY};
	(void)state;
	http_stream_fail_out(&stream, ERROR_RESET);
	http_stream_fail_in(&stream, ERROR_CLOSED);
	http_stream_fail_in(&stream, ERROR_TIMEOUT);
	http_stream_fail_out(&stream, ERROR_TIMEOUT);
	assert_int_equal(stream.in, HTTP_IN_FAILED);
	assert_int_equal(stream.out, HTTP_OUT_FAILED);
	assert_int_equal(stream.failure, ERROR_RESET);
	http_stream_wake(&stream); /* nobody is there to be woken */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_in),
	    cmocka_unit_test(test_out),
	    cmocka_unit_test(test_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
