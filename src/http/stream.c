/* The states of a stream: their legal moves, held in one place for every codec,
 * and the wake that is a codec's only call to its exchange. */
#include "http/stream.h"

#include "core/must.h"
#include "http/exchange.h"

#define BIT(state) (1u << (state))

static const unsigned in_moves[] = {
    [HTTP_IN_WAIT] = BIT(HTTP_IN_INTERIM) | BIT(HTTP_IN_BODY) |
        BIT(HTTP_IN_END) | BIT(HTTP_IN_FAILED),
    [HTTP_IN_INTERIM] = BIT(HTTP_IN_WAIT) | BIT(HTTP_IN_FAILED),
    [HTTP_IN_BODY] = BIT(HTTP_IN_END) | BIT(HTTP_IN_FAILED),
    [HTTP_IN_END] = BIT(HTTP_IN_BODY) | BIT(HTTP_IN_FAILED),
    [HTTP_IN_FAILED] = 0,
};

static const unsigned out_moves[] = {
    [HTTP_OUT_HEAD] = BIT(HTTP_OUT_BODY) | BIT(HTTP_OUT_FAILED),
    [HTTP_OUT_BODY] = BIT(HTTP_OUT_END) | BIT(HTTP_OUT_FAILED),
    [HTTP_OUT_END] = BIT(HTTP_OUT_BODY) | BIT(HTTP_OUT_FAILED),
    [HTTP_OUT_FAILED] = 0,
};

void
http_stream_set_in(struct http_stream *stream, enum http_in in)
{
	must(in_moves[stream->in] & BIT(in));
	stream->in = in;
}

void
http_stream_set_out(struct http_stream *stream, enum http_out out)
{
	must(out_moves[stream->out] & BIT(out));
	stream->out = out;
}

void
http_stream_fail_in(struct http_stream *stream, enum error error)
{
	must(error != ERROR_OK && error != ERROR_AGAIN);
	if (stream->in == HTTP_IN_FAILED)
		return;
	http_stream_set_in(stream, HTTP_IN_FAILED);
	if (stream->failure == ERROR_OK)
		stream->failure = error;
}

void
http_stream_fail_out(struct http_stream *stream, enum error error)
{
	must(error != ERROR_OK && error != ERROR_AGAIN);
	if (stream->out == HTTP_OUT_FAILED)
		return;
	http_stream_set_out(stream, HTTP_OUT_FAILED);
	if (stream->failure == ERROR_OK)
		stream->failure = error;
}

void
http_stream_wake(struct http_stream *stream)
{
	if (stream->exchange)
		http_exchange_wake(stream->exchange);
}
