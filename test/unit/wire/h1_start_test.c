/* First lines of HTTP/1 heads. */
#include "wire/h1.h"

#include "h1_rows.h"

/* RFC 9112 3: the request line. */
static void
request_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {GET HOST END, GOT},
	    {GET HOST END "GET /next", GOT},
	    {"\r\n" GET HOST END, GOT},
	    {"\r\n\r\n\r\n\r\n" GET HOST END, GOT},
	    {"\r\n\r\n\r\n\r\n\r\n" GET HOST END, "!http_too_many_lines"},
	    {"\n" GET HOST END, "!http_bad_line_end"},
	    {" " GET HOST END, "!http_bad_request_line"},
	    {"GET  / HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/1.1 \r\n" HOST END, "!http_bad_request_line"},
	    {"GET /  HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / a HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET\t/ HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET /\tHTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET  HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"/ HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET /\r\n" HOST END, "!http_bad_request_line"},
	    {"GET\r\n" HOST END, "!http_bad_request_line"},
	    {"G(T / HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET: / HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"G\x80T / HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    BYTES("G\0T / HTTP/1.1\r\n" HOST END, "!http_bad_request_line"),
	    {"GET / HTTP/1.1\n" HOST END, "!http_bad_line_end"},
	    {"GET / HTTP/1.1\r" HOST END, "!http_bad_line_end"},
	    {"GET /\rHTTP/1.1\r\n" HOST END, "!http_bad_line_end"},
	    {"GET /\x01 HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET /\x7f HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET /\xc3\xa4 HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"\x16\x03\x01\x02", "!http_bad_request_line"},
	    /* any method that is a token */
	    {"get / HTTP/1.1\r\n" HOST END,
	        "get / [/][-] at a 1.1 keep body=none | Host=a"},
	    {"G / HTTP/1.1\r\n" HOST END,
	        "G / [/][-] at a 1.1 keep body=none | Host=a"},
	    {"GETS / HTTP/1.1\r\n" HOST END,
	        "GETS / [/][-] at a 1.1 keep body=none | Host=a"},
	    {"M-SEARCH_!#$%&'*+.^`|~ / HTTP/1.1\r\n" HOST END,
	        "M-SEARCH_!#$%&'*+.^`|~ / [/][-] at a 1.1 keep body=none | "
	        "Host=a"},
	    {"TRACE / HTTP/1.1\r\n" HOST END,
	        "TRACE / [/][-] at a 1.1 keep body=none | Host=a"},
	};
	CHECK(FEED_REQUEST, rows);
}

/* RFC 9112 2.3, RFC 9110 2.5 */
static void
request_versions(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"GET / HTTP/1.0\r\n\r\n", "GET / [/][-] at - 1.0 close body=none"},
	    {"GET / HTTP/1.0\r\n" HOST END,
	        "GET / [/][-] at a 1.0 close body=none | Host=a"},
	    {"GET / HTTP/1.2\r\n" HOST END, GOT},
	    {"GET / HTTP/1.9\r\n" HOST END, GOT},
	    {"GET / HTTP/2.0\r\n" HOST END, "!http_bad_version"},
	    {"GET / HTTP/9.9\r\n" HOST END, "!http_bad_version"},
	    {"GET / HTTP/0.9\r\n" HOST END, "!http_bad_version"},
	    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!http_bad_version"},
	    {"GET / HTTP/1.10\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/11\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/1,1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/1.\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/a.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/1.x\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / http/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTPS/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET / HTTP/1.1a\r\n" HOST END, "!http_bad_request_line"},
	};
	CHECK(FEED_REQUEST, rows);
}

/* RFC 9112 3.2: the four forms of targets. */
static void
request_targets(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"GET /a/b?c=d&e=?/ HTTP/1.1\r\n" HOST END,
	        "GET /a/b?c=d&e=?/ [/a/b][c=d&e=?/] at a 1.1 keep body=none "
	        "| Host=a"},
	    {"GET /? HTTP/1.1\r\n" HOST END,
	        "GET /? [/][] at a 1.1 keep body=none | Host=a"},
	    {"GET //a HTTP/1.1\r\n" HOST END,
	        "GET //a [//a][-] at a 1.1 keep body=none | Host=a"},
	    {"GET /a#b HTTP/1.1\r\n" HOST END, "!http_bad_path"},
	    {"GET /a?b#c HTTP/1.1\r\n" HOST END, "!http_bad_path"},
	    {"GET a HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET ?a HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET a:80 HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET ../a HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    /* absolute-form: its authority wins over Host */
	    {"GET http://b:81/c?d HTTP/1.1\r\n" HOST END,
	        "GET /c?d [/c][d] at b:81 1.1 keep body=none | Host=b:81"},
	    {"GET HTTPS://b HTTP/1.1\r\n" HOST END,
	        "GET / [/][-] at b 1.1 keep body=none | Host=b"},
	    {"GET http://b?d/e HTTP/1.1\r\n" HOST END,
	        "GET - [/][d/e] at b 1.1 keep body=none | Host=b"},
	    {"GET http://b/ HTTP/1.0\r\n" END,
	        "GET / [/][-] at b 1.0 close body=none | host=b"},
	    {"OPTIONS http://b HTTP/1.1\r\n" HOST END,
	        "OPTIONS * [*][-] at b 1.1 keep body=none | Host=b"},
	    {"OPTIONS http://b/ HTTP/1.1\r\n" HOST END,
	        "OPTIONS / [/][-] at b 1.1 keep body=none | Host=b"},
	    {"GET http://b/ HTTP/1.1\r\n" END, "!http_bad_host"},
	    {"GET http://b/ HTTP/1.1\r\n" HOST HOST END, "!http_bad_host"},
	    {"GET http://b/ HTTP/1.1\r\nHost: a/b\r\n" END, "!http_bad_host"},
	    {"GET http:///a HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"GET http://?a HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"GET http:// HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"GET http://u@b/ HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"GET http://u:p@b/ HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"GET http://b:x/ HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"GET http://b%41/ HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"GET http:/b/ HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET ftp://b/ HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET http HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET http://b/#c HTTP/1.1\r\n" HOST END, "!http_bad_path"},
	    /* authority-form: CONNECT alone */
	    {"CONNECT b:443 HTTP/1.1\r\n" HOST END,
	        "CONNECT b:443 [-][-] at b:443 1.1 keep body=none | "
	        "Host=b:443"},
	    {"CONNECT [::1]:443 HTTP/1.1\r\n" HOST END,
	        "CONNECT [::1]:443 [-][-] at [::1]:443 1.1 keep body=none | "
	        "Host=[::1]:443"},
	    {"CONNECT b HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"CONNECT b: HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"CONNECT / HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"CONNECT * HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    {"CONNECT b:1?a HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"CONNECT http://b/ HTTP/1.1\r\n" HOST END, "!http_bad_host"},
	    /* asterisk-form: OPTIONS alone */
	    {"OPTIONS * HTTP/1.1\r\n" HOST END,
	        "OPTIONS * [*][-] at a 1.1 keep body=none | Host=a"},
	    {"OPTIONS *a HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	    {"GET * HTTP/1.1\r\n" HOST END, "!http_bad_request_line"},
	};
	CHECK(FEED_REQUEST, rows);
}

/* RFC 9112 4 */
static void
status_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {OK LENGTH_5 END, "200 OK 1.1 keep body=length:5"},
	    {"HTTP/1.1 200 \r\n" LENGTH_5 END, "200  1.1 keep body=length:5"},
	    {"HTTP/1.1 200\r\n" LENGTH_5 END, "200  1.1 keep body=length:5"},
	    {"HTTP/1.1 200 a b\t\xc3\xa4\r\n" LENGTH_5 END,
	        "200 a b\t\xc3\xa4 1.1 keep body=length:5"},
	    {"HTTP/1.1 999 X\r\n" LENGTH_5 END, "999 X 1.1 keep body=length:5"},
	    {"HTTP/1.3 200 OK\r\n" LENGTH_5 END,
	        "200 OK 1.1 keep body=length:5"},
	    {"HTTP/2.0 200 OK\r\n" END, "!http_bad_version"},
	    {"HTTP/1.1 099 X\r\n" END, "!http_bad_status_line"},
	    {"HTTP/1.1 20 OK\r\n" END, "!http_bad_status_line"},
	    {"HTTP/1.1 2000 OK\r\n" END, "!http_bad_status_line"},
	    {"HTTP/1.1 +20 OK\r\n" END, "!http_bad_status_line"},
	    {"HTTP/1.1 200OK\r\n" END, "!http_bad_status_line"},
	    {"HTTP/1.1  200 OK\r\n" END, "!http_bad_status_line"},
	    {"HTTP/1.1 200\tOK\r\n" END, "!http_bad_status_line"},
	    {"http/1.1 200 OK\r\n" END, "!http_bad_status_line"},
	    {"HTTP/1.1\r\n" END, "!http_bad_status_line"},
	    {"ICY 200 OK\r\n" END, "!http_bad_status_line"},
	    {"\r\n" OK END, "!http_bad_status_line"},
	    {"HTTP/1.1 200 O\x01K\r\n" END, "!http_bad_status_line"},
	    {"HTTP/1.1 200 OK\n" END, "!http_bad_line_end"},
	    {"HTTP/1.1 200 O\rK\r\n" END, "!http_bad_line_end"},
	    {"<html>\n", "!http_bad_line_end"},
	    {"HTTP/1.1 200 OK", "more"},
	};
	CHECK(FEED_RESPONSE, rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_lines),
	    cmocka_unit_test(request_versions),
	    cmocka_unit_test(request_targets),
	    cmocka_unit_test(status_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
