/* RequestRedirect: answers with a Location that is made of the request and of
 * what the filter changes in it. */
#include <stdio.h>
#include "core/must.h"
#include "proxy/answer.h"
#include "proxy/filter_priv.h"
#include "proxy/request.h"
#include "proxy/worker_priv.h"

static struct slice
trim_slash(struct slice s)
{
	if (s.length > 0 && s.data[s.length - 1] == '/')
		s.length--;
	return s;
}

struct slice
proxy_path_replace_prefix(struct arena *arena, struct slice path,
    struct slice prefix, struct slice replacement)
{
	prefix = trim_slash(prefix);
	replacement = trim_slash(replacement);
	must(slice_starts_with(path, prefix));
	struct slice rest = slice_skip(path, prefix.length);
	if (replacement.length + rest.length == 0)
		return SLICE("/");
	char *out = arena_alloc(arena, replacement.length + rest.length);
	if (replacement.length > 0)
		memcpy(out, replacement.data, replacement.length);
	if (rest.length > 0)
		memcpy(out + replacement.length, rest.data, rest.length);
	return slice_make(out, replacement.length + rest.length);
}

static struct slice
new_path(struct arena *arena, const struct proxy_redirect *redirect,
    const struct unit_filter *filter)
{
	switch ((enum unit_path_change)filter->path_change) {
	case UNIT_PATH_REPLACE_FULL:
		return filter->path.length > 0 ? filter->path : SLICE("/");
	case UNIT_PATH_REPLACE_PREFIX:
		return proxy_path_replace_prefix(
		    arena, redirect->path, redirect->prefix, filter->path);
	case UNIT_PATH_KEEP:
		break;
	}
	return redirect->path;
}

/* Gateway API, HTTPRequestRedirectFilter.port: what is given; else the port
 * that belongs to a given scheme; else the listener's. */
static unsigned
new_port(const struct proxy_redirect *redirect,
    const struct unit_filter *filter, bool secure)
{
	if (filter->port > 0)
		return (unsigned)filter->port;
	if (filter->scheme.length > 0)
		return secure ? 443 : 80;
	return redirect->port;
}

struct slice
proxy_redirect_location(struct arena *arena,
    const struct proxy_redirect *redirect, const struct unit_filter *filter)
{
	bool secure = filter->scheme.length > 0
	    ? slice_equal(filter->scheme, SLICE("https"))
	    : redirect->secure;
	struct slice host =
	    filter->hostname.length > 0 ? filter->hostname : redirect->host;
	struct slice path = new_path(arena, redirect, filter);
	const char *mark = slice_is_set(redirect->query) ? "?" : "";
	/* An HTTP/1.0 client that named no host gets a relative reference. */
	if (host.length == 0)
		return arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(path), mark,
		    SLICE_ARGS(redirect->query));
	unsigned port = new_port(redirect, filter, secure);
	char port_text[8] = "";
	if (port != (secure ? 443 : 80))
		snprintf(port_text, sizeof(port_text), ":%u", port & 0xffff);
	return arena_format(arena, "%s://%.*s%s%.*s%s%.*s",
	    secure ? "https" : "http", SLICE_ARGS(host), port_text,
	    SLICE_ARGS(path), mark, SLICE_ARGS(redirect->query));
}

enum proxy_verdict
proxy_filter_redirect(
    struct proxy_request *request, const struct unit_filter *filter)
{
	struct http_exchange *exchange = request->exchange;
	struct proxy_redirect redirect = {
	    .secure = request->socket->service.secure,
	    .host = request->host,
	    .port = request->socket->port,
	    .path = request->path,
	    .query = request->query,
	};
	if (request->match && request->match->path_type == UNIT_PATH_PREFIX)
		redirect.prefix = request->match->path;
	struct slice location =
	    proxy_redirect_location(&exchange->arena, &redirect, filter);
	struct field field = {.name = "Location",
	    .name_length = sizeof("Location") - 1,
	    .value = location.data,
	    .value_length = (uint32_t)location.length,
	    .id = FIELD_LOCATION};
	request->reason = REASON_REDIRECT;
	http_exchange_answer(exchange,
	    filter->status > 0 ? (uint16_t)filter->status : 302, &field, 1,
	    SLICE(""));
	return PROXY_ANSWERED;
}
