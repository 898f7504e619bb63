/* Errors to reasons, and what yumen's own answers say. */
#include "proxy/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What was answered last, instead of the http room. */
static struct {
	uint16_t status;
	unsigned field_count;
	struct field fields[4];
	struct slice body;
} answered;

void
http_exchange_answer(struct http_exchange *exchange, uint16_t status,
    const struct field *fields, unsigned field_count, struct slice body)
{
	(void)exchange;
	assert_true(field_count <= 4);
	answered.status = status;
	answered.field_count = field_count;
	memcpy(answered.fields, fields, field_count * sizeof(*fields));
	answered.body = body;
}

static void
test_reasons(void **state)
{
	static const struct {
		enum error error;
		enum proxy_place place;
		enum reason reason;
	} cases[] = {
	    {ERROR_REFUSED, PROXY_PLACE_CONNECT, REASON_CONNECTION_REFUSED},
	    {ERROR_RESET, PROXY_PLACE_CONNECT, REASON_CONNECTION_REFUSED},
	    {ERROR_TIMEOUT, PROXY_PLACE_CONNECT, REASON_CONNECTION_TIMEOUT},
	    {ERROR_UNREACHABLE, PROXY_PLACE_CONNECT,
	        REASON_DESTINATION_UNROUTABLE},
	    {ERROR_LIMIT, PROXY_PLACE_CONNECT, REASON_CONNECTION_LIMIT},
	    {ERROR_CANCELLED, PROXY_PLACE_CONNECT, REASON_NO_ENDPOINT},
	    {ERROR_SYSTEM, PROXY_PLACE_CONNECT, REASON_INTERNAL},
	    {ERROR_CLOSED, PROXY_PLACE_BACKEND, REASON_CONNECTION_TERMINATED},
	    {ERROR_RESET, PROXY_PLACE_BACKEND, REASON_CONNECTION_TERMINATED},
	    {ERROR_TIMEOUT, PROXY_PLACE_BACKEND, REASON_HTTP_RESPONSE_TIMEOUT},
	    {ERROR_HTTP_BODY_INCOMPLETE, PROXY_PLACE_BACKEND,
	        REASON_HTTP_RESPONSE_INCOMPLETE},
	    {ERROR_HTTP_TWO_FRAMINGS, PROXY_PLACE_BACKEND,
	        REASON_HTTP_PROTOCOL_ERROR},
	    {ERROR_HTTP_BAD_CHUNK, PROXY_PLACE_BACKEND,
	        REASON_HTTP_PROTOCOL_ERROR},
	    {ERROR_CLOSED, PROXY_PLACE_CLIENT, REASON_CLIENT_CLOSED},
	    {ERROR_TIMEOUT, PROXY_PLACE_CLIENT, REASON_HTTP_REQUEST_TIMEOUT},
	    {ERROR_HTTP_BAD_CHUNK, PROXY_PLACE_CLIENT,
	        REASON_HTTP_REQUEST_ERROR},
	    {ERROR_HTTP_HEAD_TOO_LARGE, PROXY_PLACE_CLIENT,
	        REASON_HTTP_REQUEST_TOO_LARGE},
	    {ERROR_NO_MEMORY, PROXY_PLACE_CLIENT, REASON_INTERNAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    proxy_reason_of(cases[i].error, cases[i].place),
		    cases[i].reason);
}

/* Each error of HTTP's own has a row: none is taken for a fault of ours. */
static void
test_every_http_error(void **state)
{
	(void)state;
	for (enum error error = ERROR_HTTP_BAD_REQUEST_LINE;
	     error <= ERROR_HTTP_UNEXPECTED_RESPONSE; error++) {
		assert_int_not_equal(proxy_reason_of(error, PROXY_PLACE_CLIENT),
		    REASON_INTERNAL);
		assert_int_not_equal(
		    proxy_reason_of(error, PROXY_PLACE_BACKEND),
		    REASON_INTERNAL);
	}
}

static void
test_answer(void **state)
{
	struct http_stream server = {0};
	struct http_exchange exchange = {.server = &server};

	(void)state;
	proxy_answer(&exchange, REASON_NO_ROUTE);
	assert_false(server.closing);
	assert_int_equal(answered.status, 404);
	assert_int_equal(answered.field_count, 2);
	assert_true(slice_equal(
	    field_value(&answered.fields[1]), SLICE("yumen; error=no_route")));
	assert_int_equal(answered.fields[1].id, FIELD_PROXY_STATUS);
	assert_true(slice_starts_with(answered.body, SLICE("no_route: ")));
	assert_true(slice_ends_with(answered.body, SLICE("\n")));
	for (unsigned reason = REASON_NONE + 1; reason < REASON__COUNT;
	     reason++) {
		proxy_answer(&exchange, (enum reason)reason);
		assert_int_equal(answered.status, reason_rows[reason].status);
		assert_true(slice_ends_with(field_value(&answered.fields[1]),
		                reason_rows[reason].word) ||
		    slice_starts_with(field_value(&answered.fields[1]),
		        SLICE("yumen; error=tls_certificate_error; details=")));
	}
}

static void
test_answer_with(void **state)
{
	struct http_stream server = {0};
	struct http_exchange exchange = {.server = &server};
	struct field allow = {.name = "Allow",
	    .name_length = 5,
	    .value = "GET",
	    .value_length = 3};

	(void)state;
	proxy_answer_with(&exchange, REASON_HTTP_REQUEST_ERROR, 405, &allow);
	assert_int_equal(answered.status, 405);
	assert_int_equal(answered.field_count, 3);
	assert_true(
	    slice_equal(field_value(&answered.fields[2]), SLICE("GET")));
	/* What else such a client sends is not read. */
	assert_true(server.closing);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reasons),
	    cmocka_unit_test(test_every_http_error),
	    cmocka_unit_test(test_answer),
	    cmocka_unit_test(test_answer_with),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
