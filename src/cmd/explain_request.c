/* The request that a URL and flags ask for, as curl would send it with
 * --path-as-is: what is odd about it stays, for the proxy's own parser to
 * judge. Refused is only what no client could put on the wire. */
#include "cmd/explain_priv.h"

#include <string.h>

#include "net/address.h"

struct url {
	struct slice authority, host, target; /* target: path and query */
	uint16_t port;
	bool tls;
};

static bool
refuse(struct text *why, const char *text, struct slice what)
{
	text_printf(why, "%s%.*s", text, SLICE_ARGS(what));
	return false;
}

/* A line of a head cannot hold these. */
static bool
has_line_end(struct slice s)
{
	return slice_find(s, '\r') < s.length || slice_find(s, '\n') < s.length;
}

static bool
read_port(struct slice text, uint16_t *port)
{
	uint64_t number;

	if (!slice_to_number(text, UINT16_MAX, &number) || number == 0)
		return false;
	*port = (uint16_t)number;
	return true;
}

/* "host", "host:port", "[v6]" or "[v6]:port"; an IPv6 address alone too where
 * no port can be meant. */
static bool
split_port(struct slice whole, struct slice *host, uint16_t *port)
{
	size_t end = whole.length;

	*host = whole;
	if (whole.length > 0 && whole.data[0] == '[') {
		end = slice_find(whole, ']') + 1;
		if (end > whole.length)
			return false;
	} else {
		end = slice_find(whole, ':');
	}
	*host = slice_make(whole.data, end);
	if (end == whole.length)
		return true;
	return whole.data[end] == ':' &&
	    read_port(slice_skip(whole, end + 1), port);
}

static struct slice
without_brackets(struct slice host)
{
	if (host.length > 2 && host.data[0] == '[')
		return slice_make(host.data + 1, host.length - 2);
	return host;
}

static bool
read_url(struct url *url, struct slice text, struct text *why)
{
	struct slice whole = text;
	size_t end;

	url->port = 80;
	url->tls = false;
	for (size_t i = 0; i + 2 < text.length; i++) {
		if (memcmp(text.data + i, "://", 3) != 0)
			continue;
		struct slice scheme = slice_make(text.data, i);

		url->tls = slice_equal_nocase(scheme, SLICE("https"));
		if (!url->tls && !slice_equal_nocase(scheme, SLICE("http")))
			break;
		url->port = url->tls ? 443 : 80;
		text = slice_skip(text, i + 3);
		break;
	}
	text.length = slice_find(text, '#');
	for (end = 0; end < text.length && text.data[end] != '/' &&
	     text.data[end] != '?';)
		end++;
	url->authority = slice_make(text.data, end);
	url->target = slice_skip(text, end);
	if (end == 0)
		return refuse(why, "the URL has no host: ", whole);
	if (slice_find(url->authority, '@') < end)
		return refuse(
		    why, "user and password are no part of it: ", whole);
	if (!split_port(url->authority, &url->host, &url->port))
		return refuse(why, "no host and port: ", url->authority);
	return true;
}

/* "Name: value", "Name;" (an empty value) and "Name:" (left out). */
static bool
push_header(
    struct text *head, struct slice header, bool *has_host, struct text *why)
{
	size_t end = slice_find(header, ':');
	struct slice value = SLICE("");

	if (has_line_end(header))
		return refuse(why, "a header is one line: ", header);
	if (end < header.length) {
		value = slice_trim(slice_skip(header, end + 1));
	} else if (header.length > 0 && header.data[end - 1] == ';') {
		end--;
	} else {
		return refuse(why, "a header is 'Name: value', not ", header);
	}
	struct slice name = slice_make(header.data, end);
	bool is_host = slice_equal_nocase(name, SLICE("host"));

	*has_host |= is_host;
	if (value.length == 0 && header.data[end] == ':')
		return true;
	text_push(head, name);
	text_push_string(head, ": ");
	text_push(head, value);
	text_push_string(head, "\r\n");
	return true;
}

static bool
push_head(struct text *head, const struct url *url, struct slice method,
    const char *const *headers, unsigned header_count, struct text *why)
{
	struct text fields;
	bool has_host = false, ok = true;

	text_init(&fields);
	for (unsigned i = 0; i < header_count && ok; i++)
		ok = push_header(
		    &fields, slice_from_string(headers[i]), &has_host, why);
	text_printf(head, "%.*s ", SLICE_ARGS(method));
	if (url->target.length == 0 || url->target.data[0] == '?')
		text_push_byte(head, '/');
	text_push(head, url->target);
	text_push_string(head, " HTTP/1.1\r\n");
	if (!has_host)
		text_printf(head, "Host: %.*s\r\n", SLICE_ARGS(url->authority));
	text_push(head, text_slice(&fields));
	text_push_string(head, "\r\n");
	text_fini(&fields);
	return ok;
}

bool
explain_request_make(struct explain_request *request, const char *url_text,
    const char *method, const char *const *headers, unsigned header_count,
    const char *address, struct text *why)
{
	struct net_address parsed;
	struct url url;

	text_init(&request->head);
	text_init(&request->address);
	text_init(&request->server_name);
	if (!read_url(&url, slice_from_string(url_text), why))
		return false;
	if (has_line_end(url.target) || has_line_end(url.authority))
		return refuse(why, "the URL is more than one line", SLICE(""));
	if (has_line_end(slice_from_string(method)))
		return refuse(
		    why, "the method is more than one line", SLICE(""));
	request->port = url.port;
	request->tls = url.tls;

	struct slice host = without_brackets(url.host);

	/* RFC 6066 3: an address is no server name. */
	if (url.tls && net_address_parse(host, 1, &parsed) != ERROR_OK)
		text_push(&request->server_name, host);
	if (address) {
		host = slice_from_string(address);
		/* An IPv6 address alone has colons too. */
		if (net_address_parse(host, 1, &parsed) != ERROR_OK &&
		    (!split_port(host, &host, &request->port) ||
		        net_address_parse(without_brackets(host), 1, &parsed) !=
		            ERROR_OK))
			return refuse(why,
			    "--address: an IP address, with or without a "
			    "port, is wanted, not ",
			    slice_from_string(address));
		host = without_brackets(host);
	}
	if (net_address_parse(host, 1, &parsed) == ERROR_OK)
		text_push(&request->address, host);
	return push_head(&request->head, &url, slice_from_string(method),
	    headers, header_count, why);
}

void
explain_request_fini(struct explain_request *request)
{
	text_fini(&request->head);
	text_fini(&request->address);
	text_fini(&request->server_name);
}
