/* Answers that yumen makes itself, and the one table that says which reason an
 * error is. It never decides that there is to be an answer. */
#include "proxy/answer.h"

#include "core/must.h"

struct answer_text {
	struct slice proxy_status, body;
};

/* RFC 9209: "yumen" is this hop's name, error= the word of the reason. */
static const struct answer_text texts[REASON__COUNT] = {
#define REASON(name, word, status, meaning) \
	[REASON_##name] = { \
	    SLICE("yumen; error=" word), SLICE(word ": " meaning "\n")},
#include "snap/reason.def"
#undef REASON
};

/* Where RFC 9209 has one word for several reasons. */
static struct slice
proxy_status(enum reason reason)
{
#define CERTIFICATE "yumen; error=tls_certificate_error; details="
	switch (reason) {
	case REASON_TLS_CERTIFICATE_UNTRUSTED:
		return SLICE(CERTIFICATE "untrusted");
	case REASON_TLS_CERTIFICATE_EXPIRED:
		return SLICE(CERTIFICATE "expired");
	case REASON_TLS_CERTIFICATE_NAME:
		return SLICE(CERTIFICATE "name");
	default:
		return texts[reason].proxy_status;
	}
#undef CERTIFICATE
}

struct error_reasons {
	uint8_t connect, backend, client;
};

static const struct error_reasons reasons[ERROR__COUNT] = {
#define REASON_OF(error, connect, backend, client) \
	[ERROR_##error] = {REASON_##connect, REASON_##backend, REASON_##client},
#include "proxy/reason_of.def"
#undef REASON_OF
};

enum reason
proxy_reason_of(enum error error, enum proxy_place place)
{
	must(error > ERROR_OK && error < ERROR__COUNT);
	const struct error_reasons *row = &reasons[error];
	uint8_t reason = row->client;
	if (place == PROXY_PLACE_CONNECT)
		reason = row->connect;
	else if (place == PROXY_PLACE_BACKEND)
		reason = row->backend;
	return reason != REASON_NONE ? (enum reason)reason : REASON_INTERNAL;
}

/* Who asks what is malformed or ambiguous may mean something else by what
 * follows too: its connection ends with the answer. */
static bool
is_distrusted(enum reason reason)
{
	return reason == REASON_HTTP_REQUEST_ERROR ||
	    reason == REASON_HTTP_REQUEST_TOO_LARGE ||
	    reason == REASON_HTTP_REQUEST_TIMEOUT;
}

void
proxy_answer(struct http_exchange *exchange, enum reason reason)
{
	proxy_answer_with(exchange, reason, reason_rows[reason].status, NULL);
}

static struct field
make_field(enum field_id id, struct slice name, struct slice value)
{
	return (struct field){.name = name.data,
	    .name_length = (uint16_t)name.length,
	    .value = value.data,
	    .value_length = (uint32_t)value.length,
	    .id = id};
}

void
proxy_answer_with(struct http_exchange *exchange, enum reason reason,
    uint16_t status, const struct field *field)
{
	must(reason > REASON_NONE && reason < REASON__COUNT);
	must(status >= 200 && status <= 599);
	struct field fields[3] = {
	    make_field(FIELD_OTHER, SLICE("Content-Type"),
	        SLICE("text/plain; charset=utf-8")),
	    make_field(FIELD_PROXY_STATUS, SLICE("Proxy-Status"),
	        proxy_status(reason)),
	};
	unsigned count = 2;
	if (field)
		fields[count++] = *field;
	if (is_distrusted(reason))
		exchange->server->closing = true;
	http_exchange_answer(
	    exchange, status, fields, count, texts[reason].body);
}
