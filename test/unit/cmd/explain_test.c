/* The request that a command line asks for, byte for byte; and that nothing of
 * what is told drives a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cmd/explain_priv.h"

#define NONE (-1)

static const struct {
	const char *url, *method, *header, *address;
	/* NULL: refused, and head is in why */
	const char *head, *to;
	int port;
	const char *server_name; /* NULL: in clear text */
} rows[] = {
    {"a.test", "GET", NULL, NULL, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "",
        80},
    {"http://a.test:8080/x?q=1#f", "PUT", NULL, NULL,
        "PUT /x?q=1 HTTP/1.1\r\nHost: a.test:8080\r\n\r\n", "", 8080},
    {"HTTP://10.0.0.1?q", "GET", "X-A:  b ", NULL,
        "GET /?q HTTP/1.1\r\nHost: 10.0.0.1\r\nX-A: b\r\n\r\n", "10.0.0.1", 80},
    {"[::1]:81/../a b", "GET", NULL, NULL,
        "GET /../a b HTTP/1.1\r\nHost: [::1]:81\r\n\r\n", "::1", 81},
    {"a.test/://x", "GET", "Host: b.test", "10.0.0.2",
        "GET /://x HTTP/1.1\r\nHost: b.test\r\n\r\n", "10.0.0.2", 80},
    {"a.test:1", "GET", "Host:", "10.0.0.2:90", "GET / HTTP/1.1\r\n\r\n",
        "10.0.0.2", 90},
    {"a.test", "GET", "X-Empty;", "::1",
        "GET / HTTP/1.1\r\nHost: a.test\r\nX-Empty: \r\n\r\n", "::1", 80},
    {"a.test", "GET", NULL, "[::1]:82",
        "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "::1", 82},
    {"https://a.test", "GET", NULL, NULL,
        "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "", 443, "a.test"},
    {"HTTPS://a.test:8443/x", "GET", "Host: b.test", "10.0.0.2",
        "GET /x HTTP/1.1\r\nHost: b.test\r\n\r\n", "10.0.0.2", 8443, "a.test"},
    {"https://[::1]/", "GET", NULL, NULL,
        "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "::1", 443, ""},
    {"/x", "GET", NULL, NULL, "no host", NULL, NONE},
    {"", "GET", NULL, NULL, "no host", NULL, NONE},
    {"a@b", "GET", NULL, NULL, "user and password", NULL, NONE},
    {"a:b", "GET", NULL, NULL, "no host and port", NULL, NONE},
    {"[::1", "GET", NULL, NULL, "no host and port", NULL, NONE},
    {"[::1]x", "GET", NULL, NULL, "no host and port", NULL, NONE},
    {"a:65536", "GET", NULL, NULL, "no host and port", NULL, NONE},
    {"a/\r\nX: y", "GET", NULL, NULL, "more than one line", NULL, NONE},
    {"a", "G\nET", NULL, NULL, "more than one line", NULL, NONE},
    {"a", "GET", "A: b\r\nC: d", NULL, "one line", NULL, NONE},
    {"a", "GET", "A", NULL, "'Name: value'", NULL, NONE},
    {"a", "GET", "", NULL, "'Name: value'", NULL, NONE},
    {"a", "GET", NULL, "b.test:80", "an IP address", NULL, NONE},
    {"a", "GET", NULL, "10.0.0.1:x", "an IP address", NULL, NONE},
};

static void
test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct explain_request request;
		struct text why;

		text_init(&why);
		bool ok = explain_request_make(&request, rows[i].url,
		    rows[i].method, &rows[i].header, rows[i].header ? 1 : 0,
		    rows[i].address, &why);

		if (ok != (rows[i].to != NULL))
			fail_msg("%s: %.*s", rows[i].url,
			    SLICE_ARGS(text_slice(&why)));
		if (ok) {
			text_push_byte(&request.head, '\0');
			text_push_byte(&request.address, '\0');
			assert_string_equal(request.head.data, rows[i].head);
			assert_string_equal(request.address.data, rows[i].to);
			assert_int_equal(request.port, rows[i].port);
			assert_int_equal(
			    request.tls, rows[i].server_name != NULL);
			text_push_byte(&request.server_name, '\0');
			assert_string_equal(request.server_name.data,
			    rows[i].server_name ? rows[i].server_name : "");
		} else {
			text_push_byte(&why, '\0');
			assert_non_null(strstr(why.data, rows[i].head));
		}
		explain_request_fini(&request);
		text_fini(&why);
	}
}

static void
test_clean(void **state)
{
	json_t *told =
	    json_loads("{\"verdict\": \"refused\", \"status\": 500, "
	               "\"reason\": \"rule_refused\", \"meaning\": \"m\", "
	               "\"why\": \"w\\u001b[2J\", \"request\": {\"method\": "
	               "\"G\\u0007\", \"host\": \"\", \"path\": \"/\\n\"}, "
	               "\"candidates\": [{\"route\": \"HTTPRoute/ns/r\", "
	               "\"rule\": \"a\\u001bb\", \"match\": \"\\t\", "
	               "\"why\": \"\\r\"}], \"candidatesLeft\": 2}",
	        0, NULL);
	struct text out;

	(void)state;
	assert_non_null(told);
	text_init(&out);
	explain_print(&out, told);
	text_push_byte(&out, '\0');
	assert_string_equal(out.data,
	    "request   G? host  path /?\n"
	    "  not     HTTPRoute ns/r rule a?b  ?: ?\n"
	    "  not     2 more\n"
	    "answer    500 rule_refused: m: w?[2J\n");
	text_fini(&out);
	json_decref(told);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
