/* What a head costs: parses or writes one head N times. The difference between
 * two runs under callgrind, divided by the difference of N, is the number of
 * instructions a head; bench/wire_h1.sh does that. */
#include <stdio.h>
#include <string.h>
#include "core/must.h"
#include "wire/h1.h"
#include "wire/host.h"
#include "wire/path.h"

static const char small_request[] = "GET /api/v1/items HTTP/1.1\r\n"
                                    "Host: 127.0.0.1:8080\r\n"
                                    "User-Agent: h2load nghttp2/1.52.0\r\n"
                                    "Accept: */*\r\n"
                                    "X-Test: 1\r\n"
                                    "Accept-Encoding: gzip\r\n"
                                    "\r\n";

static const char browser_request[] =
    "GET /shop/articles/4711/reviews?page=2&sort=newest HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, "
    "like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
    "image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Referer: https://www.example.com/shop/articles/4711\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; "
    "_ga=GA1.2.123456789.1700000000; consent=yes\r\n"
    "\r\n";

static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Server: backend/1.0\r\n"
                               "Date: Tue, 24 Nov 2026 04:05:06 GMT\r\n"
                               "Content-Type: text/plain\r\n"
                               "Content-Length: 128\r\n"
                               "Connection: keep-alive\r\n"
                               "\r\n";

static const struct wire_h1_limits limits = {65536, 16384, 128};

static unsigned
parse(struct slice bytes, bool is_response, struct wire_head *head)
{
	struct wire_h1_parser parser;
	wire_h1_parser_init(&parser, &limits);
	ssize_t length = is_response
	    ? wire_h1_response_feed(&parser, bytes, METHOD_GET, head)
	    : wire_h1_request_feed(&parser, bytes, head);
	must(length == (ssize_t)bytes.length);
	return head->field_count;
}

static unsigned
write_back(const struct wire_head *head, bool is_response)
{
	static char out[4096];
	const struct wire_h1_framing framing = {0};
	size_t length = is_response
	    ? wire_h1_response_write(out, sizeof(out), head, &framing)
	    : wire_h1_request_write(out, sizeof(out), head, &framing);
	must(length > 0);
	return (unsigned)length;
}

static unsigned
decide(const struct wire_head *head)
{
	char scratch[WIRE_HOST_BYTES + 3], path[256];
	struct slice host, canonical;
	uint16_t port;
	must(wire_authority_parse(head->authority, scratch, &host, &port) ==
	    ERROR_OK);
	must(wire_path_canonical(head->path, path, &canonical) == ERROR_OK);
	return (unsigned)(host.length + canonical.length);
}

int
main(int argc, char **argv)
{
	static struct wire_head head;
	unsigned count = 0, sum = 0;
	if (argc != 4 || sscanf(argv[3], "%u", &count) != 1) {
		fprintf(stderr,
		    "usage: %s small|browser|response parse|write|decide N\n",
		    argv[0]);
		return 2;
	}
	bool is_response = strcmp(argv[1], "response") == 0;
	struct slice bytes = is_response    ? SLICE(response)
	    : strcmp(argv[1], "small") == 0 ? SLICE(small_request)
	                                    : SLICE(browser_request);
	char what = argv[2][0];
	parse(bytes, is_response, &head);
	for (unsigned i = 0; i < count; i++) {
		switch (what) {
		case 'p':
			sum += parse(bytes, is_response, &head);
			break;
		case 'w':
			sum += write_back(&head, is_response);
			break;
		default:
			sum += decide(&head);
			break;
		}
	}
	printf("%u\n", sum);
	return 0;
}
