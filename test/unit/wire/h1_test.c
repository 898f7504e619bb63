/* Heads of HTTP/1: each row of the tables is fed in one piece, byte by byte and
 * in two pieces at every place; all must give what the row says. */
#include "wire/h1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/limit.h"
#include "h1_feed.h"

static const struct wire_h1_limits limits = {1024, 100, 20};

struct row {
	const char *in;
	const char *out; /* see head_dump.h; "!label" for an error */
	size_t in_length; /* 0: up to the NUL */
	enum method_id method; /* for responses */
};

/* To put bytes with a NUL in a row. */
#define BYTES(literal) (literal), .in_length = sizeof(literal) - 1

static void
check_rows(enum feed_kind kind, const struct row *rows, unsigned count)
{
	static struct feed feed;
	struct text whole, pieces;
	text_init(&whole);
	text_init(&pieces);
	for (unsigned i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct slice in = slice_from_string(row->in);
		ssize_t result = 0;
		if (row->in_length > 0)
			in.length = row->in_length;
		feed_init(&feed, kind, row->method, &limits);
		for (size_t split = 0; split < in.length; split++) {
			bool agrees = feed_agrees(
			    &feed, in, split, &whole, &pieces, &result);
			if (!agrees)
				print_message("%s\nsplit at %zu: %s\n", row->in,
				    split, pieces.data);
			if (!agrees || strcmp(whole.data, row->out) != 0)
				print_message("%s\n", row->in);
			assert_string_equal(whole.data, row->out);
			assert_true(agrees);
		}
		if (result > 0)
			assert_true((size_t)result <= in.length);
	}
	text_fini(&whole);
	text_fini(&pieces);
}

#define CHECK(kind, rows) \
	check_rows((kind), (rows), sizeof(rows) / sizeof((rows)[0]))

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define END "\r\n"
#define GOT "GET / [/][-] at a 1.1 keep body=none | Host=a"

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
	    {"\r\n\r\n\r\n\r\n\r\n" GET HOST END, "!http_bad_request_line"},
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
	    {BYTES("G\0T / HTTP/1.1\r\n" HOST END), "!http_bad_request_line"},
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

/* RFC 9112 3.2, RFC 9110 7.2 */
static void
request_hosts(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {GET "Host: A.Example.:8080\r\n" END,
	        "GET / [/][-] at A.Example.:8080 1.1 keep body=none | "
	        "Host=A.Example.:8080"},
	    {GET "HOST:a\r\n" END,
	        "GET / [/][-] at a 1.1 keep body=none | HOST=a"},
	    {GET "hOsT: [2001:db8::1]:80\r\n" END,
	        "GET / [/][-] at [2001:db8::1]:80 1.1 keep body=none | "
	        "hOsT=[2001:db8::1]:80"},
	    {GET "X: y\r\n" HOST END,
	        "GET / [/][-] at a 1.1 keep body=none | X=y | Host=a"},
	    {GET END, "!http_bad_host"},
	    {GET "X-Host: a\r\n" END, "!http_bad_host"},
	    {GET "Host:\r\n" END, "!http_bad_host"},
	    {GET "Host: \r\n" END, "!http_bad_host"},
	    {GET HOST HOST END, "!http_bad_host"},
	    {GET HOST "host: b\r\n" END, "!http_bad_host"},
	    {"GET / HTTP/1.0\r\n" HOST HOST END, "!http_bad_host"},
	    {"GET / HTTP/1.0\r\nHost: a b\r\n" END, "!http_bad_host"},
	    {GET "Host: a, b\r\n" END, "!http_bad_host"},
	    {GET "Host: a b\r\n" END, "!http_bad_host"},
	    {GET "Host: a/\r\n" END, "!http_bad_host"},
	    {GET "Host: u@a\r\n" END, "!http_bad_host"},
	    {GET "Host: http://a\r\n" END, "!http_bad_host"},
	    {GET "Host: a:99999\r\n" END, "!http_bad_host"},
	    {GET "Host: a..b\r\n" END, "!http_bad_host"},
	    {GET "Host: a\xff\r\n" END, "!http_bad_host"},
	};
	CHECK(FEED_REQUEST, rows);
}

/* RFC 9112 5 and 2.2: the lines of fields. */
static void
request_fields(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {GET HOST "a: b\r\nc:d\r\ne: \t f \t\r\ng:\r\nh: \r\n" END,
	        GOT " | a=b | c=d | e=f | g= | h="},
	    {GET HOST "A-b.C_d!#$%&'*+^`|~9: x\r\n" END,
	        GOT " | A-b.C_d!#$%&'*+^`|~9=x"},
	    {GET HOST "Content_Length: 5\r\n" END, GOT " | Content_Length=5"},
	    {GET HOST "a: b: c\r\n" END, GOT " | a=b: c"},
	    {GET HOST "a: \xc3\xa4\tb\r\n" END, GOT " | a=\xc3\xa4\tb"},
	    {GET HOST "te : b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a : b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a\t: b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a b: c\r\n" END, "!http_bad_field_name"},
	    {GET HOST ": b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a\r\n" END, "!http_bad_field_name"},
	    {GET HOST "(a): b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "\"a\": b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a@b: c\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a\x80: c\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a\x01: c\r\n" END, "!http_bad_field_value"},
	    {BYTES(GET HOST "a\0: c\r\n" END), "!http_bad_field_value"},
	    {BYTES(GET HOST "a: b\0c\r\n" END), "!http_bad_field_value"},
	    {GET HOST "a: b\x01\r\n" END, "!http_bad_field_value"},
	    {GET HOST "a: b\x0b\r\n" END, "!http_bad_field_value"},
	    {GET HOST "a: b\x1b\r\n" END, "!http_bad_field_value"},
	    {GET HOST "a: b\x7f\r\n" END, "!http_bad_field_value"},
	    /* line ends */
	    {GET "Host: a\n" END, "!http_bad_line_end"},
	    {GET HOST "\n", "!http_bad_line_end"},
	    {GET HOST "a: b\r", "more"},
	    {GET HOST "a: b\rc: d\r\n" END, "!http_bad_line_end"},
	    {GET HOST "a: b\r\r\n" END, "!http_bad_line_end"},
	    {GET HOST "a: b\n\r\n" END, "!http_bad_line_end"},
	    {GET HOST "\r\r\n", "!http_bad_line_end"},
	    {GET HOST "\rX", "!http_bad_line_end"},
	    {GET HOST "a\n: b\r\n" END, "!http_bad_line_end"},
	    {GET HOST "a\r\n: b\r\n" END, "!http_bad_field_name"},
	    /* obs-fold, white space before the first field */
	    {GET HOST "a: b\r\n c\r\n" END, "!http_line_folding"},
	    {GET HOST "a: b\r\n\tc: d\r\n" END, "!http_line_folding"},
	    {GET " Host: a\r\n" END, "!http_line_folding"},
	    {GET HOST " \r\n" END, "!http_line_folding"},
	    /* not complete, therefore not judged */
	    {GET HOST "a b", "more"},
	    {GET HOST, "more"},
	    {GET HOST "\r", "more"},
	    {"GET (", "more"},
	    {"\r", "more"},
	};
	CHECK(FEED_REQUEST, rows);
}

#define POST "POST / HTTP/1.1\r\n" HOST
#define POSTED(rest) "POST / [/][-] at a 1.1 keep body=" rest " | Host=a"
#define CL_BAD "!http_bad_content_length"
#define TE_BAD "!http_bad_transfer_encoding"
#define TE_UNKNOWN "!http_unknown_transfer_coding"

/* RFC 9112 6: what frames the body. */
static void
request_framing(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {POST "Content-Length: 5\r\n" END, POSTED("length:5")},
	    {POST "content-length:0\r\n" END, POSTED("none:0")},
	    {POST "Content-Length: 007\r\n" END, POSTED("length:7")},
	    {POST "Content-Length: 999999999999999999\r\n" END,
	        POSTED("length:999999999999999999")},
	    {POST END, POSTED("none")},
	    {POST "Content-Length:\r\n" END, CL_BAD},
	    {POST "Content-Length: 5, 5\r\n" END, CL_BAD},
	    {POST "Content-Length: 5\r\nContent-Length: 5\r\n" END, CL_BAD},
	    {POST "Content-Length: 5\r\nContent-Length: 6\r\n" END, CL_BAD},
	    {POST "Content-Length: 5\r\ncontent-length: 5\r\n" END, CL_BAD},
	    {POST "Content-Length: +5\r\n" END, CL_BAD},
	    {POST "Content-Length: -5\r\n" END, CL_BAD},
	    {POST "Content-Length: 5 6\r\n" END, CL_BAD},
	    {POST "Content-Length: 0x5\r\n" END, CL_BAD},
	    {POST "Content-Length: 5.0\r\n" END, CL_BAD},
	    {POST "Content-Length: 5;a\r\n" END, CL_BAD},
	    {POST "Content-Length: five\r\n" END, CL_BAD},
	    {POST "Content-Length: \"5\"\r\n" END, CL_BAD},
	    {POST "Content-Length: 1000000000000000000\r\n" END, CL_BAD},
	    {POST "Content-Length: 18446744073709551616\r\n" END, CL_BAD},
	    {POST "Transfer-Encoding: chunked\r\n" END,
	        POSTED("until-end chunked")},
	    {POST "transfer-encoding:\tChunked \r\n" END,
	        POSTED("until-end chunked")},
	    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" END,
	        "GET / [/][-] at a 1.1 keep body=until-end chunked | Host=a"},
	    {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END,
	        "!http_two_framings"},
	    {POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n" END,
	        "!http_two_framings"},
	    {POST "Transfer-Encoding: x\r\nContent-Length: 5\r\n" END,
	        "!http_two_framings"},
	    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: xchunked\r\n" END, TE_UNKNOWN},
	    {POST "Transfer-Encoding: identity\r\n" END, TE_UNKNOWN},
	    {POST "Transfer-Encoding: gzip\r\n" END, TE_UNKNOWN},
	    {POST "Transfer-Encoding: gzip, chunked\r\n" END, TE_UNKNOWN},
	    {POST "Transfer-Encoding: chunked, identity\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: chunked, gzip\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: chunked, chunked\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: chunked\r\n"
	          "Transfer-Encoding: chunked\r\n" END,
	        TE_BAD},
	    {POST "Transfer-Encoding: chunked\r\n"
	          "Transfer-Encoding: identity\r\n" END,
	        TE_BAD},
	    {POST "Transfer-Encoding:\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: ,chunked\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: chunked,\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: chunked;q=1\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: \"chunked\"\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: chunked foo\r\n" END, TE_BAD},
	    {POST "Transfer-Encoding: c\x68unke\x64\r\n" END,
	        POSTED("until-end chunked")},
	    {POST "Transfer-Encoding: \x0b"
	          "chunked\r\n" END,
	        "!http_bad_field_value"},
	    {POST "Transfer-Encoding : chunked\r\n" END,
	        "!http_bad_field_name"},
	    {POST "X: y\nTransfer-Encoding: chunked\r\n" END,
	        "!http_bad_line_end"},
	    {POST "X: y\rTransfer-Encoding: chunked\r\n" END,
	        "!http_bad_line_end"},
	    {POST "Transfer-Encoding:\r\n chunked\r\n" END,
	        "!http_line_folding"},
	};
	CHECK(FEED_REQUEST, rows);
}

#define CONNECTION_BAD "!http_bad_connection"
#define TEN "a,a,a,a,a,a,a,a,a,a,"

/* RFC 9110 7.6.1, RFC 9112 9.3 */
static void
request_connection(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {GET HOST "Connection: keep-alive\r\n" END, GOT},
	    {GET HOST "Connection: close\r\n" END,
	        "GET / [/][-] at a 1.1 close body=none | Host=a"},
	    {GET HOST "Connection: Keep-Alive, CLOSE\r\n" END,
	        "GET / [/][-] at a 1.1 close body=none | Host=a"},
	    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n" END,
	        "GET / [/][-] at - 1.0 keep body=none"},
	    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n"
	     "Connection: close\r\n" END,
	        "GET / [/][-] at - 1.0 close body=none"},
	    {GET HOST "Keep-Alive: 5\r\nProxy-Connection: close\r\n"
	              "a: b\r\n" END,
	        GOT " | a=b"},
	    /* nominated fields go, also the ones that a backend would trust */
	    {GET HOST "Connection: b, X-Forwarded-Proto, c\r\nb: 1\r\n"
	              "B: 2\r\nx-forwarded-proto: https\r\na: 3\r\n" END,
	        GOT " | a=3"},
	    {GET HOST "Connection: close\r\nConnection: b\r\nb: 1\r\n" END,
	        "GET / [/][-] at a 1.1 close body=none | Host=a"},
	    {GET HOST "Connection: ,, ,\r\nConnection:\r\n" END, GOT},
	    /* but not what the message is framed or routed by */
	    {GET HOST "Connection: host\r\n" END, CONNECTION_BAD},
	    {POST "Connection: close, Content-Length\r\n"
	          "Content-Length: 5\r\n" END,
	        CONNECTION_BAD},
	    {POST "Connection: Transfer-Encoding\r\n"
	          "Transfer-Encoding: chunked\r\n" END,
	        CONNECTION_BAD},
	    {GET HOST "Connection: a b\r\n" END, CONNECTION_BAD},
	    {GET HOST "Connection: \"close\"\r\n" END, CONNECTION_BAD},
	    {GET HOST "Connection: a;b\r\n" END, CONNECTION_BAD},
	    {GET HOST "Connection: " TEN "a,a,a,a,a,a\r\n" END, GOT},
	    {GET HOST "Connection: " TEN "a,a,a,a,a,a,a\r\n" END,
	        CONNECTION_BAD},
	    {GET HOST "Connection: ,,,,,,,,,,\r\nConnection: " TEN "\r\n" END,
	        CONNECTION_BAD},
	    /* TE */
	    {GET HOST "TE: trailers\r\nConnection: TE\r\n" END,
	        "GET / [/][-] at a 1.1 keep body=none te | Host=a"},
	    {GET HOST "TE: gzip, Trailers\r\n" END,
	        "GET / [/][-] at a 1.1 keep body=none te | Host=a"},
	    {GET HOST "TE: gzip;q=0.5\r\n" END, GOT},
	    {"GET / HTTP/1.0\r\nTE: trailers\r\n" END,
	        "GET / [/][-] at - 1.0 close body=none"},
	    /* Trailer is part of the message */
	    {POST "Transfer-Encoding: chunked\r\nTrailer: x\r\n" END,
	        POSTED("until-end chunked") " | Trailer=x"},
	};
	CHECK(FEED_REQUEST, rows);
}

#define WEBSOCKET "Upgrade: websocket\r\n"
#define UPGRADES "Connection: Upgrade\r\n"
#define UPGRADED(token) \
	"GET / [/][-] at a 1.1 keep body=none upgrade=" token " | Host=a"

/* RFC 9110 7.8, RFC 6455: websocket alone is let through. */
static void
request_upgrade(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {GET HOST UPGRADES WEBSOCKET "Sec-WebSocket-Key: x\r\n" END,
	        UPGRADED("websocket") " | Sec-WebSocket-Key=x"},
	    {GET HOST "Connection: keep-alive, upgrade\r\n"
	              "Upgrade: WebSocket\r\n" END,
	        UPGRADED("WebSocket")},
	    {GET HOST UPGRADES "Upgrade: h2c, websocket\r\n" END,
	        UPGRADED("websocket")},
	    {GET HOST UPGRADES "Upgrade: h2c\r\n" WEBSOCKET END,
	        UPGRADED("websocket")},
	    {GET HOST UPGRADES WEBSOCKET "Content-Length: 0\r\n" END,
	        "GET / [/][-] at a 1.1 keep body=none:0 upgrade=websocket | "
	        "Host=a"},
	    /* not asked for by Connection */
	    {GET HOST WEBSOCKET END, GOT},
	    {GET HOST "Connection: close\r\n" WEBSOCKET END,
	        "GET / [/][-] at a 1.1 close body=none | Host=a"},
	    /* other protocols are left out, with what belongs to them */
	    {GET HOST "Connection: Upgrade, HTTP2-Settings\r\n"
	              "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n" END,
	        GOT},
	    {GET HOST "HTTP2-Settings: AAMAAABk\r\n" END, GOT},
	    {GET HOST UPGRADES "Upgrade: websocket2\r\n" END, GOT},
	    {GET HOST UPGRADES "Upgrade: websocket/13\r\n" END, GOT},
	    {GET HOST UPGRADES "Upgrade:\r\n" END, GOT},
	    {POST UPGRADES "Upgrade: h2c\r\nContent-Length: 5\r\n" END,
	        POSTED("length:5")},
	    {POST UPGRADES WEBSOCKET END, POSTED("none")},
	    {"GET / HTTP/1.0\r\n" UPGRADES WEBSOCKET END,
	        "GET / [/][-] at - 1.0 close body=none"},
	    /* a body before the tunnel */
	    {GET HOST UPGRADES WEBSOCKET "Content-Length: 5\r\n" END,
	        "!http_bad_upgrade"},
	    {GET HOST UPGRADES WEBSOCKET "Transfer-Encoding: chunked\r\n" END,
	        "!http_bad_upgrade"},
	};
	CHECK(FEED_REQUEST, rows);
}

/* RFC 9110 10.1.1 */
static void
request_expect(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {POST "Expect: 100-Continue\r\nContent-Length: 5\r\n" END,
	        POSTED("length:5 expect")},
	    {POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n" END,
	        POSTED("until-end chunked expect")},
	    {POST "Expect: 100-continue\r\n" END, POSTED("none")},
	    {POST "Expect: 100-continue\r\nConnection: expect\r\n"
	          "Content-Length: 5\r\n" END,
	        POSTED("length:5 expect")},
	    {"POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 5\r\n" END,
	        "POST / [/][-] at - 1.0 close body=length:5"},
	    {POST "Expect: 200-ok\r\n" END, "!http_bad_expect"},
	    {POST "Expect:\r\n" END, "!http_bad_expect"},
	    {POST "Expect: 100-continue, x\r\n" END, "!http_bad_expect"},
	    {POST "Expect: 100-continue\r\nExpect: 100-continue\r\n" END,
	        "!http_bad_expect"},
	};
	CHECK(FEED_REQUEST, rows);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define LENGTH_5 "Content-Length: 5\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

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

/* RFC 9112 6.3 */
static void
response_framing(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {OK CHUNKED END, "200 OK 1.1 keep body=until-end chunked"},
	    {OK END, "200 OK 1.1 close body=until-end"},
	    {OK "Connection: keep-alive\r\n" END,
	        "200 OK 1.1 close body=until-end"},
	    {OK CHUNKED "Connection: close\r\n" END,
	        "200 OK 1.1 close body=until-end chunked"},
	    {OK "Content-Length: 0\r\n" END, "200 OK 1.1 keep body=none:0"},
	    {"HTTP/1.0 200 OK\r\n" LENGTH_5 END,
	        "200 OK 1.0 close body=length:5"},
	    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" LENGTH_5 END,
	        "200 OK 1.0 keep body=length:5"},
	    {"HTTP/1.0 200 OK\r\n" END, "200 OK 1.0 close body=until-end"},
	    /* no body, whatever is said */
	    {OK LENGTH_5 END, "200 OK 1.1 keep body=none:5",
	        .method = METHOD_HEAD},
	    {OK CHUNKED END, "200 OK 1.1 keep body=none",
	        .method = METHOD_HEAD},
	    {OK END, "200 OK 1.1 keep body=none", .method = METHOD_HEAD},
	    {"HTTP/1.1 304 X\r\n" LENGTH_5 END, "304 X 1.1 keep body=none:5"},
	    {"HTTP/1.1 304 X\r\n" END, "304 X 1.1 keep body=none"},
	    {"HTTP/1.1 204 X\r\n" END, "204 X 1.1 keep body=none"},
	    {"HTTP/1.1 204 X\r\nContent-Length: 0\r\n" END,
	        "204 X 1.1 keep body=none"},
	    {"HTTP/1.1 100 X\r\n" END, "100 X 1.1 keep body=none"},
	    {"HTTP/1.1 103 X\r\nLink: </a>\r\n" END,
	        "103 X 1.1 keep body=none | Link=</a>"},
	    {"HTTP/1.1 204 X\r\n" LENGTH_5 END, CL_BAD},
	    {"HTTP/1.1 204 X\r\n" CHUNKED END, TE_BAD},
	    {"HTTP/1.1 100 X\r\n" LENGTH_5 END, CL_BAD},
	    {"HTTP/1.1 103 X\r\n" CHUNKED END, TE_BAD},
	    /* tunnels */
	    {OK LENGTH_5 END, "200 OK 1.1 keep body=tunnel",
	        .method = METHOD_CONNECT},
	    {OK CHUNKED END, "200 OK 1.1 keep body=tunnel",
	        .method = METHOD_CONNECT},
	    {"HTTP/1.1 407 X\r\n" LENGTH_5 END, "407 X 1.1 keep body=length:5",
	        .method = METHOD_CONNECT},
	    {"HTTP/1.1 101 X\r\n" UPGRADES WEBSOCKET END,
	        "101 X 1.1 keep body=tunnel upgrade=websocket"},
	    {"HTTP/1.1 101 X\r\n" WEBSOCKET END, "!http_bad_upgrade"},
	    {"HTTP/1.1 101 X\r\n" UPGRADES END, "!http_bad_upgrade"},
	    {"HTTP/1.1 101 X\r\n" UPGRADES "Upgrade: h2c\r\n" END,
	        "!http_bad_upgrade"},
	    {"HTTP/1.0 101 X\r\n" UPGRADES WEBSOCKET END, "!http_bad_upgrade"},
	    {"HTTP/1.1 426 X\r\n" UPGRADES WEBSOCKET LENGTH_5 END,
	        "426 X 1.1 keep body=length:5"},
	    /* ambiguous */
	    {OK LENGTH_5 CHUNKED END, "!http_two_framings"},
	    {OK LENGTH_5 LENGTH_5 END, CL_BAD},
	    {OK "Content-Length: 5, 5\r\n" END, CL_BAD},
	    {OK "Content-Length:\r\n" END, CL_BAD},
	    {OK "Content-Length: -1\r\n" END, CL_BAD},
	    {OK "Content-Length: -1\r\n" END, CL_BAD, .method = METHOD_HEAD},
	    {"HTTP/1.0 200 OK\r\n" CHUNKED END, TE_BAD},
	    {OK "Transfer-Encoding: gzip, chunked\r\n" END, TE_UNKNOWN},
	    {OK "Transfer-Encoding: gzip\r\n" END, TE_UNKNOWN},
	    {OK "Transfer-Encoding: chunked, gzip\r\n" END, TE_BAD},
	    {OK CHUNKED CHUNKED END, TE_BAD},
	    /* fields */
	    {OK LENGTH_5 "a : b\r\n" END, "!http_bad_field_name"},
	    {OK LENGTH_5 " a: b\r\n" END, "!http_line_folding"},
	    {OK LENGTH_5 "a: b\r\n\tc\r\n" END, "!http_line_folding"},
	    {OK LENGTH_5 "a: b\n" END, "!http_bad_line_end"},
	    {BYTES(OK LENGTH_5 "a: \0\r\n" END), "!http_bad_field_value"},
	    {OK LENGTH_5 "Connection: x\r\nX: 1\r\nKeep-Alive: 5\r\n"
	                 "Trailer: y\r\nDate: z\r\n" END,
	        "200 OK 1.1 keep body=length:5 | Trailer=y | Date=z"},
	    {OK LENGTH_5 "Connection: content-length\r\n" END, CONNECTION_BAD},
	    {OK LENGTH_5 "Expect: x\r\nHost: y\r\n" END,
	        "200 OK 1.1 keep body=length:5 | Host=y"},
	};
	CHECK(FEED_RESPONSE, rows);
}

/* RFC 9112 7.1.2, RFC 9110 6.5.1 */
static void
trailers(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {END, ""},
	    {END "GET", ""},
	    {"a: b\r\nGrpc-Status: 0\r\n" END, " | a=b | Grpc-Status=0"},
	    {"a: b\r\n", "more"},
	    {"\r", "more"},
	    {"a: b\n" END, "!http_bad_line_end"},
	    {" a: b\r\n" END, "!http_line_folding"},
	    {"a: b\r\n c\r\n" END, "!http_line_folding"},
	    {"a : b\r\n" END, "!http_bad_field_name"},
	    {"GET / HTTP/1.1\r\n" END, "!http_bad_field_name"},
	    {"a: \x01\r\n" END, "!http_bad_field_value"},
	    {"Content-Length: 5\r\n" END, "!http_bad_trailer"},
	    {"a: b\r\ntransfer-encoding: chunked\r\n" END, "!http_bad_trailer"},
	    {"Host: a\r\n" END, "!http_bad_trailer"},
	    {"Connection: close\r\n" END, "!http_bad_trailer"},
	    {"Keep-Alive: 1\r\n" END, "!http_bad_trailer"},
	    {"TE: trailers\r\n" END, "!http_bad_trailer"},
	    {"Trailer: a\r\n" END, "!http_bad_trailer"},
	    {"Upgrade: h2c\r\n" END, "!http_bad_trailer"},
	    {"Expect: 100-continue\r\n" END, "!http_bad_trailer"},
	    {"X-Forwarded-For: 1.2.3.4\r\n" END, "!http_bad_trailer"},
	};
	CHECK(FEED_TRAILERS, rows);
}

/* A row of length bytes of one kind, for limits. */
static void
push_repeated(struct text *text, const char *part, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		text_push_string(text, part);
}

static void
check_built(enum feed_kind kind, const struct text *in, const char *out)
{
	const struct row rows[] = {
	    {.in = in->data, .in_length = in->length, .out = out}};
	CHECK(kind, rows);
}

static void
limits_of_heads(void **state)
{
	(void)state;
	struct text text;
	text_init(&text);
	/* target_bytes: 100 are allowed, and one is too many */
	text_push_string(&text, "OPTIONS /");
	push_repeated(&text, "a", 100);
	text_push_string(&text, " HTTP/1.1\r\n" HOST END);
	check_built(FEED_REQUEST, &text, "!http_target_too_long");
	/* also when its end never comes */
	text_reset(&text);
	text_push_string(&text, "GET /");
	push_repeated(&text, "a", 300);
	check_built(FEED_REQUEST, &text, "!http_target_too_long");
	text_reset(&text);
	push_repeated(&text, "a", 300);
	check_built(FEED_REQUEST, &text, "!http_target_too_long");
	/* fields */
	text_reset(&text);
	text_push_string(&text, GET HOST);
	push_repeated(&text, "a:b\r\n", limits.fields - 1);
	text_push_string(&text, END);
	static struct feed feed;
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(feed_bytes(&feed, text_slice(&text)), text.length);
	assert_int_equal(feed.head.field_count, limits.fields);
	text_reset(&text);
	text_push_string(&text, GET HOST);
	push_repeated(&text, "a:b\r\n", limits.fields);
	text_push_string(&text, END);
	check_built(FEED_REQUEST, &text, "!http_head_too_large");
	/* head_bytes */
	text_reset(&text);
	text_push_string(&text, GET HOST "a:");
	push_repeated(&text, "b", limits.head_bytes);
	check_built(FEED_REQUEST, &text, "!http_head_too_large");
	text_reset(&text);
	text_push_string(&text, OK "a:");
	push_repeated(&text, "b", limits.head_bytes);
	check_built(FEED_RESPONSE, &text, "!http_head_too_large");
	text_reset(&text);
	push_repeated(&text, "a", limits.head_bytes);
	check_built(FEED_RESPONSE, &text, "!http_head_too_large");
	/* trailers: too many */
	text_reset(&text);
	push_repeated(&text, "a:b\r\n", FEED_TRAILERS_MAX + 1);
	text_push_string(&text, END);
	check_built(FEED_TRAILERS, &text, "!http_head_too_large");
	text_fini(&text);
}

static void
exact_head_bytes(void **state)
{
	(void)state;
	struct text text;
	text_init(&text);
	text_push_string(&text, GET HOST "a:");
	push_repeated(
	    &text, "b", limits.head_bytes - (unsigned)text.length - 4);
	text_push_string(&text, "\r\n\r\n");
	static struct feed feed;
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(text.length, limits.head_bytes);
	assert_int_equal(feed_bytes(&feed, text_slice(&text)), text.length);
	/* The parser goes on with the next head by itself. */
	assert_int_equal(feed_bytes(&feed, text_slice(&text)), text.length);
	text_fini(&text);
}

static void
trailer_bytes(void **state)
{
	(void)state;
	static struct feed feed;
	struct text text;
	text_init(&text);
	text_push_string(&text, "a:");
	push_repeated(&text, "b", LIMIT_VALUE_TRAILER_BYTES);
	feed_init(&feed, FEED_TRAILERS, METHOD_GET, &limits);
	assert_int_equal(
	    feed_bytes(&feed, text_slice(&text)), -ERROR_HTTP_BAD_TRAILER);
	text_fini(&text);
}

static void
length_is_the_heads_own(void **state)
{
	(void)state;
	static struct feed feed;
	const struct slice bytes = SLICE("\r\n" GET HOST END "GET /");
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(
	    feed_bytes(&feed, bytes), sizeof("\r\n" GET HOST END) - 1);
	assert_int_equal(feed_bytes(&feed, SLICE_NONE), 0);
	assert_int_equal(feed_bytes(&feed, SLICE("")), 0);
}

static void
statuses(void **state)
{
	(void)state;
	static const struct {
		enum error error;
		int status;
	} rows[] = {
	    {ERROR_HTTP_BAD_HOST, 400},
	    {ERROR_HTTP_TWO_FRAMINGS, 400},
	    {ERROR_HTTP_BAD_TRANSFER_ENCODING, 400},
	    {ERROR_HTTP_UNKNOWN_TRANSFER_CODING, 501},
	    {ERROR_HTTP_METHOD_REFUSED, 501},
	    {ERROR_HTTP_BAD_VERSION, 505},
	    {ERROR_HTTP_HEAD_TOO_LARGE, 431},
	    {ERROR_HTTP_TARGET_TOO_LONG, 414},
	    {ERROR_HTTP_BAD_EXPECT, 417},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(wire_h1_status(rows[i].error), rows[i].status);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_lines),
	    cmocka_unit_test(request_versions),
	    cmocka_unit_test(request_targets),
	    cmocka_unit_test(request_hosts),
	    cmocka_unit_test(request_fields),
	    cmocka_unit_test(request_framing),
	    cmocka_unit_test(request_connection),
	    cmocka_unit_test(request_upgrade),
	    cmocka_unit_test(request_expect),
	    cmocka_unit_test(status_lines),
	    cmocka_unit_test(response_framing),
	    cmocka_unit_test(trailers),
	    cmocka_unit_test(limits_of_heads),
	    cmocka_unit_test(exact_head_bytes),
	    cmocka_unit_test(trailer_bytes),
	    cmocka_unit_test(length_is_the_heads_own),
	    cmocka_unit_test(statuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
