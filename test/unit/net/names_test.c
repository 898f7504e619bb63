/* Names, against a small name server in this process, on the same loop; time is
 * the test's, in whole seconds (clock_gettime is its own). */
#include "net/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/limit.h"
#include "core/must.h"
#include "core/text.h"
#include "core/writer.h"
#include "net/listener.h"

static int64_t passed_ms;

/* Also c-ares's own. */
int
clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, clock, time);
	if (clock == CLOCK_MONOTONIC)
		time->tv_sec += passed_ms / 1000;
	return result;
}

enum { TYPE_A = 1, TYPE_AAAA = 28, RCODE_FAIL = 2, RCODE_NONE = 3 };

/* What the server says of a name; IPv4 answers are from.1 and up. */
struct zone {
	const char *name;
	const char *ip4, *ip6; /* space separated */
	unsigned ttl, rcode;
	unsigned many; /* so many of 10.0.x.y, cut on UDP */
	bool silent;
};

static struct zone zones[] = {
    {.name = "both.test",
        .ip4 = "10.0.0.2 10.0.0.1 10.0.0.2",
        .ip6 = "2001:db8::1",
        .ttl = 30},
    {.name = "four.test", .ip4 = "10.0.0.7", .ttl = 1},
    {.name = "late.test", .rcode = RCODE_NONE},
    {.name = "many.test", .many = 300, .ttl = 3600},
    {.name = "quiet.test", .silent = true},
};

static struct {
	struct net_watch udp, tcp, stream; /* one TCP connection at a time */
	struct text in;
	unsigned queries, tcp_queries;
	char address[NET_ADDRESS_TEXT];
} server;

static struct net_loop *loop;
static struct net_names *names;

/* The last thing told of each name. */
struct told {
	char name[64];
	struct text addresses;
	unsigned count, calls;
	enum error error;
};
static struct told told[300];
static unsigned told_count, told_calls;

static struct zone *
zone_find(const char *name)
{
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (strcmp(zones[i].name, name) == 0)
			return &zones[i];
	return NULL;
}

static void
record_push(struct text *out, unsigned type, unsigned ttl, const void *data)
{
	unsigned size = type == TYPE_A ? 4 : 16;
	writer_u16(out, 0xc00c);
	writer_u16(out, (uint16_t)type);
	writer_u16(out, 1);
	writer_u32(out, ttl);
	writer_u16(out, (uint16_t)size);
	text_push(out, slice_make(data, size));
}

static unsigned
records_push(struct text *out, const struct zone *zone, unsigned type)
{
	const char *list = type == TYPE_A ? zone->ip4 : zone->ip6;
	struct slice rest = slice_from_string(list), ip;
	unsigned count = 0;
	if (type != TYPE_A && type != TYPE_AAAA)
		return 0;
	while (list && slice_cut(&rest, ' ', &ip)) {
		struct net_address at;
		must(net_address_parse(ip, 0, &at) == ERROR_OK);
		record_push(
		    out, type, zone->ttl, type == TYPE_A ? at.ip + 12 : at.ip);
		count++;
	}
	for (unsigned i = 0; type == TYPE_A && i < zone->many; i++, count++)
		record_push(out, type, zone->ttl,
		    (uint8_t[]){10, 0, (uint8_t)(i / 200), (uint8_t)(i % 200)});
	return count;
}

/* The answer to one query; nothing: none. */
static void
server_answer(struct slice query, bool is_tcp, struct text *out)
{
	char name[256];
	size_t at = 12, length = 0;
	must(query.length > 16);
	const uint8_t *bytes = (const void *)query.data;
	while (bytes[at]) {
		if (length)
			name[length++] = '.';
		memcpy(name + length, bytes + at + 1, bytes[at]);
		length += bytes[at];
		at += 1 + bytes[at];
		must(at < query.length && length < sizeof(name) - 65);
	}
	name[length] = '\0';
	unsigned type = bytes[at + 2];
	at += 5;

	struct text records;
	const struct zone *zone = zone_find(name);
	const struct zone plain = {.ip4 = "10.9.9.9", .ttl = 60};
	text_init(&records);
	server.queries++;
	server.tcp_queries += is_tcp;
	if (!zone)
		zone = &plain; /* n<number>.test */
	if (zone->silent)
		return;
	unsigned count = records_push(&records, zone, type);
	bool is_cut = !is_tcp && records.length > 400;
	text_push(out, slice_make(query.data, 2));
	writer_u16(out, (uint16_t)(0x8180 | zone->rcode | is_cut << 9));
	writer_u16(out, 1);
	writer_u16(out, (uint16_t)(is_cut ? 0 : count));
	writer_u32(out, 0);
	text_push(out, slice_make(query.data + 12, at - 12));
	if (!is_cut)
		text_push(out, text_slice(&records));
	text_fini(&records);
}

static void
on_udp(struct net_watch *watch, unsigned events)
{
	char query[512];
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	ssize_t length;
	(void)events;
	while ((length = recvfrom(watch->fd, query, sizeof(query), 0,
	            (struct sockaddr *)&from, &size)) > 0) {
		struct text out;
		text_init(&out);
		server_answer(slice_make(query, (size_t)length), false, &out);
		if (out.length)
			must(sendto(watch->fd, out.data, out.length, 0,
			         (struct sockaddr *)&from, size) > 0);
		text_fini(&out);
	}
}

static void
on_stream(struct net_watch *watch, unsigned events)
{
	char bytes[512];
	ssize_t count;
	(void)events;
	while ((count = recv(watch->fd, bytes, sizeof(bytes), 0)) > 0)
		text_push(&server.in, slice_make(bytes, (size_t)count));
	while (server.in.length >= 2) {
		const uint8_t *in = (const void *)server.in.data;
		size_t length = (size_t)(in[0] << 8 | in[1]);
		struct text out;
		if (server.in.length < 2 + length)
			break;
		text_init(&out);
		server_answer(
		    slice_make(server.in.data + 2, length), true, &out);
		uint8_t prefix[] = {
		    (uint8_t)(out.length >> 8), (uint8_t)out.length};
		must(write(watch->fd, prefix, 2) == 2);
		must(write(watch->fd, out.data, out.length) ==
		    (ssize_t)out.length);
		text_fini(&out);
		memmove(server.in.data, server.in.data + 2 + length,
		    server.in.length - 2 - length);
		server.in.length -= 2 + length;
	}
	if (count == 0) {
		net_loop_remove(loop, watch);
		close(watch->fd);
		watch->fd = -1;
	}
}

static void
on_tcp(struct net_watch *watch, unsigned events)
{
	int fd;
	(void)events;
	while ((fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		must(server.stream.fd < 0);
		server.stream =
		    (struct net_watch){.on_ready = on_stream, .fd = fd};
		text_reset(&server.in);
		must(net_loop_add(loop, &server.stream) == ERROR_OK);
	}
}

static void
server_open(void)
{
	struct net_address at;
	struct sockaddr_storage kernel;
	int tcp, udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	must(net_address_parse(SLICE("127.0.0.1"), 0, &at) == ERROR_OK);
	must(net_listen_tcp(&at, 8, &tcp) == ERROR_OK);
	must(net_address_local(tcp, &at) == ERROR_OK);
	must(bind(udp, (struct sockaddr *)&kernel,
	         net_address_to_sockaddr(&at, &kernel)) == 0);
	(void)net_address_format(&at, server.address);
	server.udp = (struct net_watch){.on_ready = on_udp, .fd = udp};
	server.tcp = (struct net_watch){.on_ready = on_tcp, .fd = tcp};
	server.stream.fd = -1;
	server.queries = server.tcp_queries = 0;
	text_init(&server.in);
	must(net_loop_add(loop, &server.udp) == ERROR_OK);
	must(net_loop_add(loop, &server.tcp) == ERROR_OK);
}

static void
server_close(void)
{
	struct net_watch *watches[] = {
	    &server.udp, &server.tcp, &server.stream};
	for (unsigned i = 0; i < 3; i++) {
		if (watches[i]->fd < 0)
			continue;
		net_loop_remove(loop, watches[i]);
		close(watches[i]->fd);
		watches[i]->fd = -1;
	}
	text_fini(&server.in);
}

static struct told *
told_find(const char *name)
{
	for (unsigned i = 0; i < told_count; i++)
		if (strcmp(told[i].name, name) == 0)
			return &told[i];
	must(told_count < sizeof(told) / sizeof(told[0]));
	struct told *new = &told[told_count++];
	(void)snprintf(new->name, sizeof(new->name), "%s", name);
	return new;
}

static void
on_answer(void *context, struct slice name, const struct net_address *addresses,
    unsigned count, enum error error)
{
	char text[64];
	must(context == &server);
	(void)snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(name));
	struct told *row = told_find(text);
	row->calls++;
	told_calls++;
	row->error = error;
	row->count = count;
	text_reset(&row->addresses);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(addresses[i].port, 0);
		(void)net_address_format_ip(&addresses[i], text);
		if (i)
			text_push_byte(&row->addresses, ' ');
		text_push_string(&row->addresses, text);
	}
}

static int
setup(void **state)
{
	(void)state;
	told_count = told_calls = 0;
	loop = net_loop_new();
	must(loop);
	server_open();
	names = net_names_new(loop, on_answer, &server);
	must(names);
	return net_names_set_servers(names, server.address) == ERROR_OK ? 0
	                                                                : -1;
}

static int
teardown(void **state)
{
	(void)state;
	net_names_free(names);
	server_close();
	net_loop_free(loop);
	for (unsigned i = 0; i < told_count; i++)
		text_fini(&told[i].addresses);
	memset(told, 0, sizeof(told));
	return 0;
}

/* Turns until so many answers were told, or nothing comes for a while. */
static void
turns(unsigned calls)
{
	for (unsigned idle = 0; told_calls < calls && idle < 400; idle++)
		must(net_loop_turn(loop, 5) == ERROR_OK);
}

/* Let what is under way end: nothing may be told. */
static void
quiet_turns(void)
{
	unsigned calls = told_calls, queries;
	do {
		queries = server.queries;
		for (unsigned i = 0; i < 10; i++)
			must(net_loop_turn(loop, 2) == ERROR_OK);
	} while (queries != server.queries);
	assert_int_equal(told_calls, calls);
}

static void
check(const char *name, unsigned calls, enum error error, const char *addresses)
{
	const struct told *row = told_find(name);
	assert_int_equal(row->calls, calls);
	assert_int_equal(row->error, error);
	assert_string_equal(
	    row->addresses.data ? row->addresses.data : "", addresses);
}

static void
test_answers(void **state)
{
	(void)state;
	net_names_watch(names, SLICE("both.test"));
	net_names_watch(names, SLICE("127.1.2.3"));
	net_names_watch(names, SLICE("late.test"));
	net_names_watch(names, SLICE("::1"));
	assert_int_equal(told_calls, 0);
	turns(4);
	check("both.test", 1, ERROR_OK, "10.0.0.1 10.0.0.2 2001:db8::1");
	check("127.1.2.3", 1, ERROR_OK, "127.1.2.3");
	check("::1", 1, ERROR_OK, "::1");
	check("late.test", 1, ERROR_NOT_FOUND, "");
	quiet_turns();
}

/* Told on change alone; a failure keeps the last good answer. */
static void
test_changes(void **state)
{
	struct zone *four = zone_find("four.test");
	struct zone *late = zone_find("late.test");
	struct zone four_before = *four, late_before = *late;
	(void)state;
	net_names_watch(names, SLICE("four.test"));
	net_names_watch(names, SLICE("late.test"));
	turns(2);
	check("four.test", 1, ERROR_OK, "10.0.0.7");
	check("late.test", 1, ERROR_NOT_FOUND, "");
	net_names_refresh(names);
	quiet_turns();

	*four = (struct zone){.name = four->name, .rcode = RCODE_FAIL};
	*late = (struct zone){.name = late->name, .ip6 = "2001:db8::9"};
	net_names_refresh(names);
	turns(3);
	check("late.test", 2, ERROR_OK, "2001:db8::9");
	quiet_turns();
	check("four.test", 1, ERROR_OK, "10.0.0.7");

	*four = (struct zone){.name = four->name, .ip4 = "10.0.0.8"};
	net_names_refresh(names);
	turns(4);
	check("four.test", 2, ERROR_OK, "10.0.0.8");
	*four = four_before;
	*late = late_before;
}

/* Again when the TTL ends, but not before the shortest refresh; failures wait
 * longer each time. */
static void
test_refresh(void **state)
{
	(void)state;
	net_names_watch(names, SLICE("four.test")); /* 1 s */
	net_names_watch(names, SLICE("both.test")); /* 30 s */
	turns(2);
	quiet_turns();
	unsigned queries = server.queries;
	assert_int_equal(queries, 4);
	passed_ms += 4000;
	quiet_turns();
	assert_int_equal(server.queries, queries);
	passed_ms += 2000;
	quiet_turns();
	assert_int_equal(server.queries, queries + 2);
	passed_ms += 26000;
	quiet_turns();
	assert_int_equal(server.queries, queries + 6);
	net_names_unwatch(names, SLICE("four.test"));
	net_names_unwatch(names, SLICE("both.test"));

	net_names_watch(names, SLICE("late.test"));
	turns(3);
	queries = server.queries;
	for (unsigned wait_ms = 5000; wait_ms < 200000; wait_ms *= 2) {
		unsigned before = server.queries;
		passed_ms += wait_ms - 1000;
		quiet_turns();
		assert_int_equal(server.queries, before);
		passed_ms += 2000;
		quiet_turns();
		assert_int_not_equal(server.queries, before);
	}
}

/* A cut answer is asked for by TCP, and comes in two segments at least. */
static void
test_tcp(void **state)
{
	(void)state;
	net_names_watch(names, SLICE("many.test"));
	turns(1);
	const struct told *row = told_find("many.test");
	assert_int_equal(row->error, ERROR_OK);
	assert_int_equal(row->count, LIMIT_VALUE_NAME_ADDRESSES);
	assert_true(server.tcp_queries > 0);
}

static void
test_many_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "n%u.test", i);
		net_names_watch(names, slice_from_string(name));
	}
	turns(200);
	assert_int_equal(told_calls, 200);
	for (unsigned i = 0; i < told_count; i++) {
		assert_int_equal(told[i].calls, 1);
		assert_string_equal(told[i].addresses.data, "10.9.9.9");
	}
}

/* Watched twice, it stays after one unwatch; a name may go, and all names may,
 * while a look-up is under way. */
static void
test_unwatch(void **state)
{
	(void)state;
	net_names_watch(names, SLICE("both.test"));
	net_names_watch(names, SLICE("both.test"));
	net_names_unwatch(names, SLICE("both.test"));
	turns(1);
	check("both.test", 1, ERROR_OK, "10.0.0.1 10.0.0.2 2001:db8::1");
	net_names_unwatch(names, SLICE("both.test"));

	net_names_watch(names, SLICE("four.test"));
	net_names_unwatch(names, SLICE("four.test"));
	net_names_watch(names, SLICE("both.test"));
	must(net_loop_turn(loop, 0) == ERROR_OK);
	net_names_unwatch(names, SLICE("both.test"));
	quiet_turns();
	net_names_watch(names, SLICE("quiet.test"));
	quiet_turns();
	net_names_watch(names, SLICE("both.test"));
	net_names_unwatch(names, SLICE("quiet.test"));
	turns(2);
	check("both.test", 2, ERROR_OK, "10.0.0.1 10.0.0.2 2001:db8::1");
	net_names_watch(names, SLICE("quiet.test"));
	quiet_turns();
}

/* A name server that says nothing is asked twice, then it is a time-out. */
static void
test_silence(void **state)
{
	(void)state;
	net_names_watch(names, SLICE("quiet.test"));
	quiet_turns();
	assert_int_equal(server.queries, 2);
	passed_ms += 6000;
	quiet_turns();
	assert_int_equal(server.queries, 4);
	passed_ms += 20000;
	turns(1);
	check("quiet.test", 1, ERROR_TIMEOUT, "");
}

/* Nobody at the name server's address. */
static void
test_no_server(void **state)
{
	(void)state;
	server_close();
	net_names_watch(names, SLICE("both.test"));
	turns(1);
	check("both.test", 1, ERROR_REFUSED, "");
	server_open();
	assert_int_equal(
	    net_names_set_servers(names, "not an address"), ERROR_INVALID);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_answers),
	    TEST(test_changes),
	    TEST(test_refresh),
	    TEST(test_tcp),
	    TEST(test_many_names),
	    TEST(test_unwatch),
	    TEST(test_silence),
	    TEST(test_no_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
