/* Streams over real sockets: what each call says, and what is known after it
 * without another. */
#include "net/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/must.h"
#include "net/listener.h"

static struct net_loop *loop;

static int
setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	loop = net_loop_new();
	return loop ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	net_loop_free(loop);
	return 0;
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	net_stream_note(container_of(watch, struct net_stream, watch), events);
}

static void
turn(void)
{
	assert_int_equal(net_loop_turn(loop, 100), ERROR_OK);
}

/* A listening socket on loopback, and where. */
static int
listen_here(struct net_address *at)
{
	int fd;
	must(net_address_parse(SLICE("127.0.0.1"), 0, at) == ERROR_OK);
	must(net_listen_tcp(at, 8, &fd) == ERROR_OK);
	must(net_address_local(fd, at) == ERROR_OK);
	return fd;
}

/* A connected stream and the peer's descriptor, blocking. */
static int
open_pair(struct net_stream *stream)
{
	struct net_address at;
	int listener = listen_here(&at);
	must(net_stream_connect(stream, loop, &at, on_ready) == ERROR_OK);
	int peer = accept(listener, NULL, NULL);
	must(peer >= 0);
	close(listener);
	while (net_stream_connected(stream) == ERROR_AGAIN)
		turn();
	must(net_stream_connected(stream) == ERROR_OK);
	return peer;
}

static void
test_read(void **state)
{
	struct net_stream stream;
	char buffer[8];
	size_t length;
	(void)state;
	int peer = open_pair(&stream);
	assert_false(stream.readable);
	assert_true(net_stream_is_quiet(&stream));
	assert_int_equal(
	    net_stream_read(&stream, buffer, 8, &length), ERROR_AGAIN);

	assert_int_equal(write(peer, "0123456789", 10), 10);
	turn();
	assert_true(stream.readable);
	assert_false(net_stream_is_quiet(&stream));
	assert_int_equal(
	    net_stream_read(&stream, buffer, 8, &length), ERROR_OK);
	assert_int_equal(length, 8);
	assert_true(stream.readable);
	assert_int_equal(
	    net_stream_read(&stream, buffer, 8, &length), ERROR_OK);
	assert_int_equal(length, 2);
	assert_false(stream.readable);

	/* All that was there was asked for: only a peek can tell. */
	assert_int_equal(write(peer, "x", 1), 1);
	turn();
	assert_int_equal(
	    net_stream_read(&stream, buffer, 1, &length), ERROR_OK);
	assert_true(stream.readable);
	assert_true(net_stream_is_quiet(&stream));
	assert_false(stream.readable);

	/* The last bytes and the end together. */
	assert_int_equal(write(peer, "end", 3), 3);
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	turn();
	assert_true(stream.peer_closed);
	assert_int_equal(
	    net_stream_read(&stream, buffer, 8, &length), ERROR_OK);
	assert_true(stream.readable);
	assert_int_equal(
	    net_stream_read(&stream, buffer, 8, &length), ERROR_CLOSED);
	assert_int_equal(length, 0);
	assert_false(stream.readable);
	assert_false(net_stream_is_quiet(&stream));
	net_stream_close(&stream);
	net_stream_close(&stream);
	close(peer);
}

static void
test_write(void **state)
{
	struct net_stream stream;
	char got[16] = "", *block = calloc(1, 1 << 20);
	struct iovec parts[] = {
	    {(void *)(uintptr_t) "one ", 4}, {(void *)(uintptr_t) "two", 3}};
	struct iovec large = {block, 1 << 20};
	size_t length, sent = 0;
	(void)state;
	int peer = open_pair(&stream);
	assert_true(stream.writable);
	assert_int_equal(
	    net_stream_write(&stream, parts, 2, &length), ERROR_OK);
	assert_int_equal(length, 7);
	assert_int_equal(
	    net_stream_write(&stream, parts, 1, &length), ERROR_OK);
	assert_int_equal(recv(peer, got, 11, MSG_WAITALL), 11);
	assert_string_equal(got, "one twoone ");

	while (stream.writable) {
		enum error error =
		    net_stream_write(&stream, &large, 1, &length);
		assert_true(error == ERROR_OK || error == ERROR_AGAIN);
		sent += length;
	}
	assert_int_equal(
	    net_stream_write(&stream, &large, 1, &length), ERROR_AGAIN);
	assert_int_equal(length, 0);
	while (sent > 0) {
		ssize_t count = read(peer, block, 1 << 20);
		assert_true(count > 0);
		sent -= (size_t)count;
	}
	turn();
	assert_true(stream.writable);

	assert_int_equal(net_stream_shutdown(&stream), ERROR_OK);
	assert_int_equal(read(peer, got, 1), 0);
	assert_int_equal(write(peer, "still", 5), 5);
	turn();
	assert_int_equal(net_stream_read(&stream, got, 16, &length), ERROR_OK);
	net_stream_close(&stream);
	close(peer);
	free(block);
}

static void
test_reset(void **state)
{
	struct net_stream stream;
	char byte = 0;
	struct iovec part = {&byte, 1};
	struct linger linger = {.l_onoff = 1};
	size_t length;
	(void)state;
	int peer = open_pair(&stream);
	must(setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) ==
	    0);
	close(peer);
	turn();
	assert_true(stream.readable && stream.peer_closed);
	assert_false(net_stream_is_quiet(&stream));
	assert_int_equal(
	    net_stream_read(&stream, &byte, 1, &length), ERROR_RESET);
	/* No SIGPIPE. */
	assert_int_equal(
	    net_stream_write(&stream, &part, 1, &length), ERROR_CLOSED);
	net_stream_close(&stream);
}

/* An end that tells the peer that something is missing. */
static void
test_reset_by_us(void **state)
{
	struct net_stream stream;
	char byte;
	(void)state;
	int peer = open_pair(&stream);
	net_stream_reset(&stream);
	net_stream_close(&stream);
	assert_int_equal(recv(peer, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(peer);
}

static void
test_refused(void **state)
{
	struct net_stream stream;
	struct net_address at;
	(void)state;
	close(listen_here(&at));
	assert_int_equal(
	    net_stream_connect(&stream, loop, &at, on_ready), ERROR_OK);
	enum error error;
	while ((error = net_stream_connected(&stream)) == ERROR_AGAIN)
		turn();
	assert_int_equal(error, ERROR_REFUSED);
	net_stream_close(&stream);
}

/* A connect to a full backlog stays under way. */
static void
test_connecting(void **state)
{
	struct net_stream streams[4];
	struct net_address at;
	unsigned open = 0;
	int fd;
	(void)state;
	must(net_address_parse(SLICE("127.0.0.1"), 0, &at) == ERROR_OK);
	must(net_listen_tcp(&at, 0, &fd) == ERROR_OK);
	must(net_address_local(fd, &at) == ERROR_OK);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(
		    net_stream_connect(&streams[i], loop, &at, on_ready),
		    ERROR_OK);
		turn();
		if (net_stream_connected(&streams[i]) == ERROR_OK)
			open++;
	}
	assert_int_equal(open, 1);
	assert_int_equal(net_stream_connected(&streams[3]), ERROR_AGAIN);
	for (unsigned i = 0; i < 4; i++)
		net_stream_close(&streams[i]);
	close(fd);
}

static void
test_splice(void **state)
{
	struct net_stream from, to;
	int pipe_fds[2];
	char got[64] = "";
	size_t in, out;
	(void)state;
	int source = open_pair(&from), sink = open_pair(&to);
	must(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC) == 0);
	assert_true(net_stream_can_splice(&from));
	assert_int_equal(
	    net_stream_splice_in(&from, pipe_fds[1], 100, &in), ERROR_AGAIN);
	assert_int_equal(write(source, "a body", 6), 6);
	turn();
	assert_int_equal(
	    net_stream_splice_in(&from, pipe_fds[1], 100, &in), ERROR_OK);
	assert_int_equal(in, 6);
	assert_int_equal(
	    net_stream_splice_out(&to, pipe_fds[0], in, &out), ERROR_OK);
	assert_int_equal(out, 6);
	assert_int_equal(recv(sink, got, 6, MSG_WAITALL), 6);
	assert_string_equal(got, "a body");
	assert_true(from.readable);
	assert_true(net_stream_is_quiet(&from));
	close(source);
	turn();
	assert_int_equal(
	    net_stream_splice_in(&from, pipe_fds[1], 100, &in), ERROR_CLOSED);
	net_stream_close(&from);
	net_stream_close(&to);
	close(sink);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* open_fd takes the descriptor, also when it fails. */
static void
test_open_fd(void **state)
{
	struct net_stream stream;
	int pair[2];
	char byte;
	size_t length;
	(void)state;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	assert_int_equal(
	    net_stream_open_fd(&stream, loop, pair[0], on_ready), ERROR_OK);
	assert_true(stream.writable);
	assert_int_equal(net_stream_connected(&stream), ERROR_OK);
	assert_int_equal(write(pair[1], "x", 1), 1);
	turn();
	assert_int_equal(net_stream_read(&stream, &byte, 1, &length), ERROR_OK);
	net_stream_close(&stream);
	assert_int_equal(read(pair[1], &byte, 1), 0);
	close(pair[1]);

	int file = open("/proc/self/exe", O_RDONLY);
	assert_int_not_equal(
	    net_stream_open_fd(&stream, loop, file, on_ready), ERROR_OK);
	assert_int_equal(close(file), -1);
	net_stream_close(&stream);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_read),
	    TEST(test_write),
	    TEST(test_reset),
	    TEST(test_reset_by_us),
	    TEST(test_refused),
	    TEST(test_connecting),
	    TEST(test_splice),
	    TEST(test_open_fd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
