/* Any bytes as a request's head: the same answer however they come; a head that
 * was read, written and read again is the same head, written as the same bytes.
 */
#include "wire/h1.h"

#include "core/must.h"
#include "h1_fuzz.h"
#include "wire/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the target that is in pieces is in one. */
static void
join_target(struct wire_head *head, struct text *target)
{
	if (slice_is_set(head->target))
		return;
	text_push(target, head->path);
	text_push_byte(target, '?');
	text_push(target, head->query);
	head->target = text_slice(target);
}

static void
check_head(struct wire_head *head)
{
	char scratch[WIRE_HOST_BYTES + 3];
	struct slice host;
	uint16_t port;
	fuzz_fields(head->fields, head->field_count);
	must(wire_is_token(head->method));
	must(!head->chunked || !head->has_content_length);
	must(!head->chunked || head->version_minor == 1);
	must((head->body == HEAD_BODY_UNTIL_END) == head->chunked);
	must((head->body == HEAD_BODY_LENGTH) == (head->content_length > 0));
	must(!slice_is_set(head->upgrade) || head->body == HEAD_BODY_NONE);
	must(wire_head_find(head, FIELD_EXPECT) == NULL);
	must(slice_is_set(head->authority) || head->version_minor == 0);
	if (!slice_is_set(head->authority))
		return;
	must(wire_authority_parse(head->authority, scratch, &host, &port) ==
	    ERROR_OK);
	must(slice_equal(
	    field_value(wire_head_find(head, FIELD_HOST)), head->authority));
}

/* Reads what was written of head; nothing but the version may be another. */
static void
read_again(struct wire_head *head, struct slice written, struct text *again)
{
	static struct feed feed;
	struct text first, second, target;
	text_init(&first);
	text_init(&second);
	text_init(&target);
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &fuzz_limits_again);
	ssize_t length = feed_bytes(&feed, written);
	if (!slice_is_set(head->authority)) {
		must(length == -ERROR_HTTP_BAD_HOST);
	} else {
		must(length == (ssize_t)written.length);
		join_target(head, &target);
		head->version_minor = 1;
		/* Expect is the client's to write. */
		head->expect_continue = false;
		dump_request(&first, head);
		dump_request(&second, &feed.head);
		must(slice_equal(text_slice(&first), text_slice(&second)));
		struct wire_h1_framing framing = {
		    .chunked = head->chunked, .close = !feed.head.keep_alive};
		text_advance(again,
		    wire_h1_request_write(text_reserve(again, written.length),
		        written.length, &feed.head, &framing));
		must(slice_equal(text_slice(again), written));
	}
	text_fini(&first);
	text_fini(&second);
	text_fini(&target);
}

static void
write_and_read(struct wire_head *head)
{
	static char out[8192];
	struct wire_h1_framing framing = {
	    .chunked = head->chunked, .close = !head->keep_alive};
	struct text again;
	text_init(&again);
	size_t length = wire_h1_request_write(out, sizeof(out), head, &framing);
	must(length > 0);
	must(wire_h1_request_write(out, length - 1, head, &framing) == 0);
	must(wire_h1_request_write(out, length, head, &framing) == length);
	read_again(head, slice_make(out, length), &again);
	text_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct feed feed;
	struct slice bytes = slice_make((const char *)data, size);
	fuzz_scans(bytes);
	ssize_t result = fuzz_feed(&feed, bytes, FEED_REQUEST, METHOD_GET);
	if (result > 0) {
		check_head(&feed.head);
		write_and_read(&feed.head);
	} else if (result < 0) {
		int status = wire_h1_status((enum error)(-result));
		must(status >= 400 && status < 600);
	}
	return 0;
}
