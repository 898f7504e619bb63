/* A head as one line of text, for tables of tests and for comparing two heads:
 *
 *	GET /a?b [/a][b] at host 1.1 keep body=length:5 | name=value | ...
 *
 * Method, target (or path?query where it is in pieces), path and query,
 * authority, version, what the connection does next, the body, other members,
 * then the entries that are left. Absent slices print as "-". */
#ifndef YUMEN_TEST_HEAD_DUMP_H
#define YUMEN_TEST_HEAD_DUMP_H

#include "core/text.h"
#include "wire/head.h"

static inline void
dump_slice(struct text *out, struct slice s)
{
	if (slice_is_set(s))
		text_push(out, s);
	else
		text_push_byte(out, '-');
}

static inline void
dump_members(struct text *out, const struct wire_head *head)
{
	static const char *const bodies[] = {
	    "none", "length", "until-end", "tunnel"};
	text_printf(out, " 1.%u %s body=%s", head->version_minor,
	    head->keep_alive ? "keep" : "close", bodies[head->body]);
	if (head->has_content_length)
		text_printf(
		    out, ":%llu", (unsigned long long)head->content_length);
	if (head->chunked)
		text_push_string(out, " chunked");
	if (head->expect_continue)
		text_push_string(out, " expect");
	if (head->te_trailers)
		text_push_string(out, " te");
	if (slice_is_set(head->upgrade)) {
		text_push_string(out, " upgrade=");
		text_push(out, head->upgrade);
	}
}

static inline void
dump_fields(struct text *out, const struct field *fields, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (fields[i].id == FIELD_REMOVED)
			continue;
		text_push_string(out, " | ");
		text_push(out, field_name(&fields[i]));
		text_push_byte(out, '=');
		text_push(out, field_value(&fields[i]));
	}
}

static inline void
dump_request(struct text *out, const struct wire_head *head)
{
	text_push(out, head->method);
	text_push_byte(out, ' ');
	dump_slice(out, head->target);
	text_push_string(out, " [");
	dump_slice(out, head->path);
	text_push_string(out, "][");
	dump_slice(out, head->query);
	text_push_string(out, "] at ");
	dump_slice(out, head->authority);
	dump_members(out, head);
	dump_fields(out, head->fields, head->field_count);
}

static inline void
dump_response(struct text *out, const struct wire_head *head)
{
	text_printf(out, "%u ", head->status);
	dump_slice(out, head->reason);
	dump_members(out, head);
	dump_fields(out, head->fields, head->field_count);
}

#endif
