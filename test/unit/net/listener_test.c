/* Listening sockets and the acceptor, on loopback and on a path. */
#include "net/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/must.h"

enum { CLIENTS = 10 };

static struct net_loop *loop;
static char folder[] = "/tmp/yumen-listener-XXXXXX";

static int
setup(void **state)
{
	(void)state;
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
turn(void)
{
	assert_int_equal(net_loop_turn(loop, 50), ERROR_OK);
}

static int
listen_at(const char *ip, struct net_address *at)
{
	int fd;
	must(net_address_parse(slice_from_string(ip), 0, at) == ERROR_OK);
	assert_int_equal(net_listen_tcp(at, 64, &fd), ERROR_OK);
	assert_int_equal(net_address_local(fd, at), ERROR_OK);
	return fd;
}

static int
dial(const struct net_address *at)
{
	struct sockaddr_storage to;
	socklen_t size = net_address_to_sockaddr(at, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, size), 0);
	return fd;
}

struct counting {
	struct net_acceptor acceptor;
	struct net_address peer;
	unsigned count;
	int last_fd;
	bool closes;
};

static void
on_accept(struct net_acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct counting *counting =
	    container_of(acceptor, struct counting, acceptor);
	int flags = fcntl(fd, F_GETFL);
	assert_true(flags & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	counting->count++;
	counting->peer = *peer;
	close(counting->last_fd);
	counting->last_fd = fd;
	if (counting->closes)
		net_acceptor_close(acceptor);
}

static void
start(struct counting *counting, int fd)
{
	*counting = (struct counting){.last_fd = -1};
	assert_int_equal(
	    net_acceptor_open(&counting->acceptor, loop, fd, on_accept),
	    ERROR_OK);
}

static void
test_accept(void **state)
{
	struct net_address at, local;
	struct counting counting;
	int no_delay = 0;
	socklen_t size = sizeof(no_delay);
	(void)state;
	int fd = listen_at("127.0.0.1", &at);
	start(&counting, fd);
	turn();
	assert_int_equal(counting.count, 0);
	int client = dial(&at);
	turn();
	assert_int_equal(counting.count, 1);
	assert_int_equal(net_address_local(client, &local), ERROR_OK);
	assert_true(net_address_equal(&counting.peer, &local));
	assert_int_equal(getsockopt(counting.last_fd, IPPROTO_TCP, TCP_NODELAY,
	                     &no_delay, &size),
	    0);
	assert_int_not_equal(no_delay, 0);
	net_acceptor_close(&counting.acceptor);
	net_acceptor_close(&counting.acceptor);
	close(dial(&at));
	turn();
	assert_int_equal(counting.count, 1);
	close(client);
	close(counting.last_fd);
	close(fd);
}

/* So many a turn; the rest in the turns that follow, without a new edge. */
static void
test_turns(void **state)
{
	struct net_address at;
	struct counting counting;
	struct metrics metrics;
	int clients[CLIENTS];
	(void)state;
	metrics_init(&metrics);
	int fd = listen_at("127.0.0.1", &at);
	start(&counting, fd);
	counting.acceptor.accepts_per_turn = 4;
	counting.acceptor.metrics = &metrics;
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = dial(&at);
	turn();
	assert_int_equal(counting.count, 4);
	turn();
	assert_int_equal(counting.count, 8);
	turn();
	assert_int_equal(counting.count, 10);
	assert_int_equal(metrics.limit_hits[LIMIT_ACCEPTS_PER_TURN], 2);

	counting.closes = true;
	close(dial(&at));
	close(dial(&at));
	turn();
	turn();
	assert_int_equal(counting.count, 11);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(clients[i]);
	close(counting.last_fd);
	close(fd);
	metrics_fini(&metrics);
}

/* With no descriptor left it rests, and goes on by itself. */
static void
test_out_of_descriptors(void **state)
{
	struct net_address at;
	struct counting counting;
	struct metrics metrics;
	struct rlimit old, none;
	unsigned turns = 0;
	(void)state;
	metrics_init(&metrics);
	int fd = listen_at("127.0.0.1", &at);
	start(&counting, fd);
	counting.acceptor.metrics = &metrics;
	int client = dial(&at);
	must(getrlimit(RLIMIT_NOFILE, &old) == 0);
	none = old;
	none.rlim_cur = 0;
	must(setrlimit(RLIMIT_NOFILE, &none) == 0);
	turn();
	assert_int_equal(counting.count, 0);
	assert_int_equal(metrics.values[METRIC_ACCEPT_PAUSES], 1);
	must(setrlimit(RLIMIT_NOFILE, &old) == 0);
	while (counting.count == 0 && turns < 20) {
		turn();
		turns++;
	}
	assert_int_equal(counting.count, 1);
	assert_true(turns < 10);
	assert_int_equal(metrics.values[METRIC_ACCEPT_PAUSES], 1);
	net_acceptor_close(&counting.acceptor);
	close(counting.last_fd);
	close(client);
	close(fd);
	metrics_fini(&metrics);
}

static void
test_listen_tcp(void **state)
{
	struct net_address at;
	int fd, second;
	(void)state;
	fd = listen_at("127.0.0.1", &at);
	assert_int_equal(net_listen_is_free(&at), ERROR_IN_USE);
	/* One for each worker. */
	assert_int_equal(net_listen_tcp(&at, 8, &second), ERROR_OK);
	close(second);
	close(fd);
	assert_int_equal(net_listen_is_free(&at), ERROR_OK);

	/* Somebody else's. */
	struct sockaddr_storage to;
	int other = socket(AF_INET, SOCK_STREAM, 0);
	at.port = 0;
	must(bind(other, (struct sockaddr *)&to,
	         net_address_to_sockaddr(&at, &to)) == 0);
	must(listen(other, 1) == 0);
	must(net_address_local(other, &at) == ERROR_OK);
	assert_int_equal(net_listen_tcp(&at, 8, &fd), ERROR_IN_USE);
	assert_int_equal(fd, -1);
	close(other);

	must(net_address_parse(SLICE("192.0.2.1"), 0, &at) == ERROR_OK);
	assert_int_equal(net_listen_tcp(&at, 8, &fd), ERROR_NOT_FOUND);
	must(net_address_parse(SLICE("2001:db8::1"), 0, &at) == ERROR_OK);
	enum error error = net_listen_tcp(&at, 8, &fd);
	if (error != ERROR_UNSUPPORTED) /* no IPv6 here */
		assert_int_equal(error, ERROR_NOT_FOUND);
}

/* For the rest of this process: as on a host whose kernel has none. */
static bool
lose_ipv6(void)
{
	struct sock_filter steps[] = {
	    BPF_STMT(
	        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	        offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
	    .len = sizeof(steps) / sizeof(steps[0]), .filter = steps};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What the child of test_listen_without_ipv6 ends with. */
enum { SETTLED, NO_FILTER, SETTLED_WRONGLY, SETTLED_LOOPBACK };

static int
settle_without_ipv6(void)
{
	struct net_address at, loopback;
	char text[NET_ADDRESS_TEXT];
	int fd;

	must(net_address_parse(SLICE("::"), 0, &at) == ERROR_OK);
	must(net_address_parse(SLICE("::1"), 0, &loopback) == ERROR_OK);
	if (!lose_ipv6())
		return NO_FILTER;
	if (net_listen_settle(&at) != ERROR_OK ||
	    net_listen_tcp(&at, 8, &fd) != ERROR_OK)
		return SETTLED_WRONGLY;
	(void)net_address_format_ip(&at, text);
	if (strcmp(text, "0.0.0.0") != 0)
		return SETTLED_WRONGLY;
	return net_listen_settle(&loopback) == ERROR_UNSUPPORTED
	    ? SETTLED
	    : SETTLED_LOOPBACK;
}

static void
test_listen_without_ipv6(void **state)
{
	int status;
	(void)state;
	pid_t child = fork();

	if (child == 0)
		_exit(settle_without_ipv6());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_FILTER)
		skip();
	assert_int_equal(WEXITSTATUS(status), SETTLED);
}

static void
test_dual_stack(void **state)
{
	struct net_address at, to;
	struct counting counting;
	char text[NET_ADDRESS_TEXT];
	int fd;
	(void)state;
	must(net_address_parse(SLICE("::"), 0, &at) == ERROR_OK);
	if (net_listen_tcp(&at, 8, &fd) != ERROR_OK)
		skip();
	must(net_address_local(fd, &at) == ERROR_OK);
	start(&counting, fd);
	must(net_address_parse(SLICE("127.0.0.1"), at.port, &to) == ERROR_OK);
	int client = dial(&to);
	turn();
	assert_int_equal(counting.count, 1);
	(void)net_address_format_ip(&counting.peer, text);
	assert_string_equal(text, "127.0.0.1");
	net_acceptor_close(&counting.acceptor);
	close(counting.last_fd);
	close(client);
	close(fd);
}

static void
test_unix(void **state)
{
	char path[200];
	struct stat status;
	struct counting counting;
	int fd, second, client;
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	assert_int_equal(net_connect_unix(path, &client), ERROR_NOT_FOUND);
	assert_int_equal(net_listen_unix(path, 0600, &fd), ERROR_OK);
	must(stat(path, &status) == 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	start(&counting, fd);
	assert_int_equal(net_connect_unix(path, &client), ERROR_OK);
	turn();
	assert_int_equal(counting.count, 1);
	assert_int_equal(counting.peer.family, 0);
	net_acceptor_close(&counting.acceptor);
	close(counting.last_fd);
	close(client);

	assert_int_equal(net_listen_unix(path, 0600, &second), ERROR_IN_USE);
	assert_int_equal(second, -1);
	close(fd);
	assert_int_equal(net_connect_unix(path, &client), ERROR_REFUSED);
	assert_int_equal(net_listen_unix(path, 0660, &fd), ERROR_OK);
	close(fd);
	must(unlink(path) == 0);

	int file = open(path, O_CREAT | O_WRONLY, 0600);
	must(file >= 0);
	close(file);
	assert_int_equal(net_listen_unix(path, 0600, &fd), ERROR_EXISTS);
	must(unlink(path) == 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(net_listen_unix(path, 0600, &fd), ERROR_INVALID);
	assert_int_equal(net_listen_unix("", 0600, &fd), ERROR_INVALID);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_accept),
	    TEST(test_turns),
	    TEST(test_out_of_descriptors),
	    TEST(test_listen_tcp),
	    TEST(test_listen_without_ipv6),
	    TEST(test_dual_stack),
	    TEST(test_unix),
	};
	must(mkdtemp(folder));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return failed;
}
