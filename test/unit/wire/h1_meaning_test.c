/* What the fields of HTTP/1 heads mean together: hosts, framing, hop-by-hop. */
#include "wire/h1.h"

#include "h1_rows.h"

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
	    {GET HOST HOST "Date: x\r\n" END, "!http_bad_host"},
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

#define POST "POST / HTTP/1.1\r\n" HOST
#define POSTED(rest) "POST / [/][-] at a 1.1 keep body=" rest " | Host=a"
#define CL_BAD "!http_bad_content_length"
#define TE_BAD "!http_bad_transfer_encoding"
#define TE_UNKNOWN "!http_unknown_transfer_coding"

/* RFC 9112 6: what frames the body. */
static void
request_lengths(void **state)
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
	    {POST "Content-Length: 5\r\nContent-Length: 5\r\nDate: x\r\n" END,
	        CL_BAD},
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
	};
	CHECK(FEED_REQUEST, rows);
}

/* RFC 9112 6.1, 7 */
static void
request_codings(void **state)
{
	(void)state;
	static const struct row rows[] = {
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
	        "!http_too_many_options"},
	    {GET HOST "Connection: ,,,,,,,,,,\r\nConnection: " TEN "\r\n" END,
	        "!http_too_many_options"},
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

/* RFC 9112 6.3 */
static void
response_bodies(void **state)
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
	};
	CHECK(FEED_RESPONSE, rows);
}

/* What could be read in two ways, or not at all. */
static void
response_ambiguity(void **state)
{
	(void)state;
	static const struct row rows[] = {
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
	    BYTES(OK LENGTH_5 "a: \0\r\n" END, "!http_bad_field_value"),
	    {OK LENGTH_5 "Connection: x\r\nX: 1\r\nKeep-Alive: 5\r\n"
	                 "Trailer: y\r\nDate: z\r\n" END,
	        "200 OK 1.1 keep body=length:5 | Trailer=y | Date=z"},
	    {OK LENGTH_5 "Connection: content-length\r\n" END, CONNECTION_BAD},
	    {OK LENGTH_5 "Expect: x\r\nHost: y\r\n" END,
	        "200 OK 1.1 keep body=length:5 | Host=y"},
	};
	CHECK(FEED_RESPONSE, rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_hosts),
	    cmocka_unit_test(request_lengths),
	    cmocka_unit_test(request_codings),
	    cmocka_unit_test(request_connection),
	    cmocka_unit_test(request_upgrade),
	    cmocka_unit_test(request_expect),
	    cmocka_unit_test(response_bodies),
	    cmocka_unit_test(response_ambiguity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
