/* Request ids and the fields that are set on every request. */
#include "proxy/stamp.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void
add(struct wire_head *head, const char *name, const char *value)
{
	struct slice text = slice_from_string(name);

	assert_true(wire_head_add(
	    head, wire_field_id(text), text, slice_from_string(value)));
}

/* The values of all fields of that name, joined by '|'. */
static const char *
values(const struct wire_head *head, const char *name)
{
	static char joined[256];
	size_t length = 0;

	for (unsigned i = 0; i < head->field_count; i++) {
		const struct field *field = &head->fields[i];

		if (field->id == FIELD_REMOVED ||
		    !slice_equal_nocase(
		        field_name(field), slice_from_string(name)))
			continue;
		length += (size_t)snprintf(joined + length,
		    sizeof(joined) - length, "%s%.*s", length ? "|" : "",
		    SLICE_ARGS(field_value(field)));
	}
	joined[length] = '\0';
	return joined;
}

struct setting {
	struct wire_head head;
	struct random random;
	struct proxy_stamp stamp;
	struct net_address peer;
	char port[PROXY_PORT_BYTES];
	char block[PROXY_STAMP_BYTES];
};

static void
set_up(struct setting *setting)
{
	wire_head_reset(&setting->head);
	setting->head.authority = SLICE("Example.com:81");
	add(&setting->head, "Host", "Example.com:81");
	random_init_seed(&setting->random, 3);
	memcpy(setting->port, "8080", 5);
	assert_int_equal(
	    net_address_parse(SLICE("192.0.2.7"), 5, &setting->peer), ERROR_OK);
	setting->stamp = (struct proxy_stamp){
	    .peer = &setting->peer,
	    .port = setting->port,
	    .port_length = 4,
	    .local = SLICE("192.0.2.1:8080"),
	    .block = setting->block,
	    .random = &setting->random,
	};
}

static void
test_fields(void **state)
{
	struct setting setting;

	(void)state;
	set_up(&setting);
	add(&setting.head, "User-Agent", "curl/8");
	assert_true(proxy_stamp_request(&setting.head, &setting.stamp));
	assert_string_equal(
	    values(&setting.head, "x-forwarded-for"), "192.0.2.7");
	assert_string_equal(values(&setting.head, "x-forwarded-proto"), "http");
	assert_string_equal(values(&setting.head, "x-forwarded-port"), "8080");
	assert_string_equal(
	    values(&setting.head, "x-forwarded-host"), "Example.com:81");
	assert_string_equal(values(&setting.head, "host"), "Example.com:81");
	assert_int_equal(strlen(values(&setting.head, "x-request-id")), 36);
	assert_true(slice_equal(setting.stamp.user_agent, SLICE("curl/8")));
	assert_true(slice_equal(setting.stamp.client, SLICE("192.0.2.7")));
	assert_int_equal(setting.stamp.request_id.length, 36);
}

/* They lie as in a head that was read. */
static void
test_block(void **state)
{
	static const char wanted[] =
	    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
	    "X-Forwarded-Port: 8080\r\nX-Forwarded-Host: Example.com:81\r\n"
	    "X-Request-Id: ";
	struct setting setting;

	(void)state;
	set_up(&setting);
	assert_true(proxy_stamp_request(&setting.head, &setting.stamp));
	assert_memory_equal(setting.block, wanted, sizeof(wanted) - 1);
	assert_memory_equal(
	    setting.block + sizeof(wanted) - 1 + PROXY_UUID_BYTES, "\r\n", 2);
}

/* The longest values there may be, and one byte more. */
static void
test_longest(void **state)
{
	char authority[WIRE_HOST_BYTES + sizeof("[]:65535") + 1];
	struct setting setting;

	(void)state;
	memset(authority, 'a', sizeof(authority));
	set_up(&setting);
	setting.stamp.secure = true;
	setting.stamp.port_length = 5;
	assert_int_equal(
	    net_address_parse(SLICE("1111:2222:3333:4444:5555:6666:7777:8888"),
	        5, &setting.peer),
	    ERROR_OK);
	setting.head.authority = slice_make(authority, sizeof(authority) - 1);
	assert_true(proxy_stamp_request(&setting.head, &setting.stamp));
	setting.head.authority = slice_make(authority, sizeof(authority));
	assert_false(proxy_stamp_request(&setting.head, &setting.stamp));
}

/* What a client says of itself is not believed. */
static void
test_trust(void **state)
{
	struct setting setting;

	(void)state;
	set_up(&setting);
	setting.stamp.secure = true;
	add(&setting.head, "x-forwarded-for", "10.0.0.1");
	add(&setting.head, "X-FORWARDED-FOR", "10.0.0.2");
	add(&setting.head, "Forwarded", "for=10.0.0.1");
	add(&setting.head, "X-Real-IP", "10.0.0.1");
	add(&setting.head, "X-Forwarded-Proto", "gopher");
	add(&setting.head, "X-Forwarded-Prefix", "/admin");
	add(&setting.head, "X-Forwarded-Ssl", "on");
	add(&setting.head, "x-FORWARDED-scheme", "https");
	add(&setting.head, "X-Forwarded", "kept");
	assert_true(proxy_stamp_request(&setting.head, &setting.stamp));
	assert_string_equal(
	    values(&setting.head, "x-forwarded-for"), "192.0.2.7");
	assert_string_equal(
	    values(&setting.head, "x-forwarded-proto"), "https");
	assert_string_equal(values(&setting.head, "forwarded"), "");
	assert_string_equal(values(&setting.head, "x-real-ip"), "");
	assert_string_equal(values(&setting.head, "x-forwarded-prefix"), "");
	assert_string_equal(values(&setting.head, "x-forwarded-ssl"), "");
	assert_string_equal(values(&setting.head, "x-forwarded-scheme"), "");
	assert_string_equal(values(&setting.head, "x-forwarded"), "kept");
}

static void
test_request_id(void **state)
{
	struct setting setting;

	(void)state;
	set_up(&setting);
	add(&setting.head, "X-Request-Id", "bad id");
	add(&setting.head, "X-Request-Id", "good-1");
	add(&setting.head, "X-Request-Id", "good-2");
	assert_true(proxy_stamp_request(&setting.head, &setting.stamp));
	assert_string_equal(values(&setting.head, "x-request-id"), "good-1");
	assert_true(slice_equal(setting.stamp.request_id, SLICE("good-1")));
}

/* HTTP/1.0 without Host. */
static void
test_no_host(void **state)
{
	struct setting setting;

	(void)state;
	set_up(&setting);
	wire_head_reset(&setting.head);
	assert_true(proxy_stamp_request(&setting.head, &setting.stamp));
	assert_string_equal(values(&setting.head, "host"), "192.0.2.1:8080");
	assert_string_equal(values(&setting.head, "x-forwarded-host"), "");
}

static void
test_full(void **state)
{
	struct setting setting;

	(void)state;
	set_up(&setting);
	while (setting.head.field_count < HEAD_FIELDS_MAX - 5)
		add(&setting.head, "a", "b");
	assert_true(proxy_stamp_request(&setting.head, &setting.stamp));
	set_up(&setting);
	while (setting.head.field_count < HEAD_FIELDS_MAX - 4)
		add(&setting.head, "a", "b");
	assert_false(proxy_stamp_request(&setting.head, &setting.stamp));
}

static void
test_is_request_id(void **state)
{
	static const struct {
		const char *id;
		bool good;
	} cases[] = {
	    {"", false},
	    {"a", true},
	    {"AZaz09.-_:+/=", true},
	    {"a b", false},
	    {"a\"b", false},
	    {"a\x80", false},
	    {"a\n", false},
	    {"a,b", false},
	};
	char longest[129];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    proxy_is_request_id(slice_from_string(cases[i].id)),
		    cases[i].good);
	memset(longest, 'x', sizeof(longest));
	assert_true(proxy_is_request_id(slice_make(longest, 128)));
	assert_false(proxy_is_request_id(slice_make(longest, 129)));
}

/* RFC 9562 5.4, and the digits against printf's. */
static void
test_uuid(void **state)
{
	struct random random, again;
	char uuid[PROXY_UUID_BYTES], wanted[PROXY_UUID_BYTES + 1];

	(void)state;
	random_init_seed(&random, 9);
	again = random;
	for (unsigned i = 0; i < 1000; i++) {
		proxy_uuid_make(&random, uuid);
		uint64_t halves[2] = {random_next(&again), random_next(&again)};
		uint8_t b[16];
		memcpy(b, halves, sizeof(b));
		snprintf(wanted, sizeof(wanted),
		    "%02x%02x%02x%02x-%02x%02x-4%x%02x-%02x%02x-"
		    "%02x%02x%02x%02x%02x%02x",
		    b[0], b[1], b[2], b[3], b[4], b[5], b[6] & 15, b[7],
		    (b[8] & 0x3f) | 0x80, b[9], b[10], b[11], b[12], b[13],
		    b[14], b[15]);
		assert_memory_equal(uuid, wanted, PROXY_UUID_BYTES);
		assert_true(
		    proxy_is_request_id(slice_make(uuid, sizeof(uuid))));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_block),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_trust),
	    cmocka_unit_test(test_request_id),
	    cmocka_unit_test(test_no_host),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_is_request_id),
	    cmocka_unit_test(test_uuid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
