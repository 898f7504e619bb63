/* Any bytes as a response's head, to GET, HEAD and CONNECT: the same answer
 * however they come; a head that was read, written and read again is the same
 * head. */
#include "wire/h1.h"

#include "core/must.h"
#include "h1_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_head(const struct wire_head *head, enum method_id method)
{
	bool tunnel = head->status == 101 ||
	    (method == METHOD_CONNECT && head->status / 100 == 2);
	bool bodiless = head->status / 100 == 1 || head->status == 204 ||
	    head->status == 304 || method == METHOD_HEAD;
	fuzz_fields(head->fields, head->field_count);
	must(head->status >= 100 && head->status <= 999);
	must(!head->chunked || !head->has_content_length);
	must((head->body == HEAD_BODY_TUNNEL) == tunnel);
	must(tunnel || !bodiless || head->body == HEAD_BODY_NONE);
	must(!head->chunked || head->body == HEAD_BODY_UNTIL_END);
	/* Nobody says where it ends but the end. */
	must(head->body != HEAD_BODY_UNTIL_END || head->chunked ||
	    !head->keep_alive);
	must((head->status == 101) == slice_is_set(head->upgrade));
}

static void
write_and_read(struct wire_head *head, enum method_id method)
{
	static char out[8192];
	static struct feed feed;
	struct wire_h1_framing framing = {
	    .chunked = head->chunked, .close = !head->keep_alive};
	struct text first, second;
	text_init(&first);
	text_init(&second);
	size_t length =
	    wire_h1_response_write(out, sizeof(out), head, &framing);
	must(length > 0);
	feed_init(&feed, FEED_RESPONSE, method, &fuzz_limits_again);
	must(feed_bytes(&feed, slice_make(out, length)) == (ssize_t)length);
	head->version_minor = 1;
	head->te_trailers = false;
	dump_response(&first, head);
	dump_response(&second, &feed.head);
	must(slice_equal(text_slice(&first), text_slice(&second)));
	text_fini(&first);
	text_fini(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct feed feed;
	static const enum method_id methods[] = {
	    METHOD_GET, METHOD_HEAD, METHOD_CONNECT};
	struct slice bytes = slice_make((const char *)data, size);
	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		ssize_t result =
		    fuzz_feed(&feed, bytes, FEED_RESPONSE, methods[i]);
		if (result <= 0)
			continue;
		check_head(&feed.head, methods[i]);
		write_and_read(&feed.head, methods[i]);
	}
	return 0;
}
