/* Messages in memory: how they are framed, and how a reflected body comes from
 * where it lies. */
#include "http/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/must.h"

/* The server's stream: a body that is there in one piece. */
struct fake {
	struct http_stream stream;
	struct slice body;
};

static unsigned
fake_peek(struct http_stream *stream, struct slice *slices, unsigned count)
{
	struct fake *fake = container_of(stream, struct fake, stream);
	must(count > 0);
	slices[0] = fake->body;
	return fake->body.length > 0;
}

static void
fake_consume(struct http_stream *stream, size_t length)
{
	struct fake *fake = container_of(stream, struct fake, stream);
	fake->body = slice_skip(fake->body, length);
	if (fake->body.length == 0)
		http_stream_set_in(stream, HTTP_IN_END);
}

static const struct http_stream_ops fake_ops = {
    .name = "fake",
    .peek = fake_peek,
    .consume = fake_consume,
};

struct setting {
	struct net_loop *loop;
	struct metrics metrics;
	struct http_worker worker;
	struct wire_head request;
	struct fake server;
	struct http_exchange exchange;
};

static int
set_up(void **state)
{
	static struct setting setting;
	setting.loop = net_loop_new();
	must(setting.loop);
	metrics_init(&setting.metrics);
	must(http_worker_init(
	         &setting.worker, setting.loop, &setting.metrics) == ERROR_OK);
	wire_head_reset(&setting.request);
	setting.request.method_id = METHOD_GET;
	setting.server =
	    (struct fake){.stream = {.ops = &fake_ops, .in = HTTP_IN_END}};
	setting.exchange = (struct http_exchange){
	    .worker = &setting.worker,
	    .server = &setting.server.stream,
	    .request = &setting.request,
	};
	*state = &setting;
	return 0;
}

static int
tear_down(void **state)
{
	struct setting *setting = *state;
	http_worker_fini(&setting->worker);
	metrics_fini(&setting->metrics);
	net_loop_free(setting->loop);
	return 0;
}

static void
release(struct http_stream *stream)
{
	stream->ops->release(stream, ERROR_OK);
}

static void
test_framing(void **state)
{
	static const struct {
		enum method_id method;
		uint16_t status;
		unsigned length;
		enum head_body body;
		bool has_length;
	} cases[] = {
	    {METHOD_GET, 200, 5, HEAD_BODY_LENGTH, true},
	    {METHOD_GET, 200, 0, HEAD_BODY_NONE, true},
	    {METHOD_HEAD, 200, 5, HEAD_BODY_NONE, true},
	    {METHOD_GET, 204, 0, HEAD_BODY_NONE, false},
	    {METHOD_GET, 304, 5, HEAD_BODY_NONE, false},
	    {METHOD_POST, 404, 5, HEAD_BODY_LENGTH, true},
	};
	struct setting *setting = *state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setting->request.method_id = cases[i].method;
		struct http_stream *stream =
		    http_message_answer(&setting->exchange, cases[i].status,
		        NULL, 0, slice_make("hello", cases[i].length));
		const struct wire_head *head = stream->head;
		assert_true(http_message_is(stream));
		assert_false(http_message_reflects(stream));
		assert_int_equal(head->status, cases[i].status);
		assert_int_equal(head->body, cases[i].body);
		assert_int_equal(head->has_content_length, cases[i].has_length);
		if (cases[i].has_length)
			assert_int_equal(head->content_length, cases[i].length);
		assert_int_equal(stream->in,
		    cases[i].body == HEAD_BODY_NONE ? HTTP_IN_END
		                                    : HTTP_IN_BODY);
		release(stream);
	}
}

static void
test_body(void **state)
{
	struct setting *setting = *state;
	struct slice slices[2];
	struct http_stream *stream = http_message_answer(
	    &setting->exchange, 200, NULL, 0, SLICE("hello"));
	assert_int_equal(stream->ops->peek(stream, slices, 2), 1);
	assert_true(slice_equal(slices[0], SLICE("hello")));
	stream->ops->consume(stream, 2);
	assert_int_equal(stream->in, HTTP_IN_BODY);
	assert_int_equal(stream->ops->peek(stream, slices, 2), 1);
	assert_true(slice_equal(slices[0], SLICE("llo")));
	stream->ops->consume(stream, 3);
	assert_int_equal(stream->in, HTTP_IN_END);
	assert_int_equal(stream->ops->peek(stream, slices, 2), 0);
	release(stream);
}

/* What the request brings is thrown away, and its end is taken. */
static void
test_request_is_dropped(void **state)
{
	struct setting *setting = *state;
	struct slice body = SLICE("whatever");
	struct http_stream *stream = http_message_answer(
	    &setting->exchange, 200, NULL, 0, SLICE("hello"));
	assert_int_equal(
	    stream->ops->send_head(stream, &setting->request), ERROR_OK);
	assert_int_equal(stream->ops->send_body(stream, &body, 1), 8);
	stream->ops->flush(stream);
	assert_int_equal(stream->out, HTTP_OUT_BODY);
	assert_int_equal(stream->ops->send_end(stream, NULL), ERROR_OK);
	stream->ops->flush(stream);
	assert_int_equal(stream->out, HTTP_OUT_END);
	release(stream);
}

static void
test_reflect(void **state)
{
	struct setting *setting = *state;
	struct slice slices[2], body = SLICE("request");
	setting->request.method_id = METHOD_POST;
	setting->request.body = HEAD_BODY_LENGTH;
	setting->request.content_length = body.length;
	setting->server.stream.in = HTTP_IN_BODY;
	setting->server.stream.expects_continue = true;
	setting->server.body = body;
	struct http_stream *stream = http_message_reflect(
	    &setting->exchange, 200, NULL, 0, SLICE("first "));
	stream->exchange = &setting->exchange;
	assert_true(http_message_reflects(stream));
	/* RFC 9110 8.6: no length in a 1xx. */
	assert_int_equal(stream->in, HTTP_IN_INTERIM);
	assert_int_equal(stream->head->status, 100);
	assert_false(stream->head->has_content_length);
	stream->ops->take_interim(stream);
	assert_int_equal(stream->in, HTTP_IN_BODY);
	assert_int_equal(stream->head->status, 200);
	assert_true(stream->head->has_content_length);
	assert_int_equal(stream->head->content_length, 6 + body.length);

	assert_int_equal(stream->ops->peek(stream, slices, 2), 1);
	assert_true(slice_equal(slices[0], SLICE("first ")));
	stream->ops->consume(stream, 6);
	/* It stays with the request until it is read from here. */
	assert_int_equal(stream->ops->send_body(stream, &body, 1), 0);
	assert_int_equal(stream->ops->peek(stream, slices, 2), 1);
	assert_ptr_equal(slices[0].data, body.data);
	stream->ops->consume(stream, body.length);
	assert_int_equal(stream->in, HTTP_IN_END);
	assert_int_equal(setting->server.body.length, 0);
	assert_int_equal(setting->exchange.request_body_bytes, body.length);
	release(stream);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_framing),
	    TEST(test_body),
	    TEST(test_request_is_dropped),
	    TEST(test_reflect),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
