/* What the fields of a head mean together: how the body is framed (RFC 9112 6),
 * what the connection does next (9.3), Host (3.2), Upgrade and Expect. What has
 * a meaning between two hops only is taken out, its meaning in the members. The
 * one place where ambiguity about framing is refused, for both directions. */
#include "wire/h1_priv.h"

#include "core/limit.h"
#include "core/must.h"
#include "wire/host.h"

#define BIT(name) H1_BIT(FIELD_##name)

/* Digits of the largest 64-bit number that all of them can hold. */
#define LENGTH_DIGITS_MAX 18

/* What is never sent on as it came. Expect is here for requests alone, but says
 * nothing in a response. */
static const h1_set gone_fields =
    h1_hop_fields | h1_framing_fields | BIT(EXPECT);

/* Walks the members of all fields with one id, as if they were one list
 * (RFC 9110 5.3). */
struct members {
	const struct wire_head *head;
	unsigned next; /* entry */
	struct slice rest; /* of the entry before it */
	uint16_t id;
};

static bool
members_next(struct members *members, struct slice *member)
{
	const struct wire_head *head = members->head;
	while (!slice_cut(&members->rest, ',', member)) {
		if (members->next == head->field_count)
			return false;
		const struct field *field = &head->fields[members->next++];
		if (field->id == members->id)
			members->rest = field_value(field);
	}
	*member = slice_trim(*member);
	return true;
}

/* The first member that is this token, absent when none is. */
static struct slice
find_member(const struct wire_head *head, enum field_id id, struct slice token)
{
	struct members members = {.head = head, .id = (uint16_t)id};
	struct slice member;
	while (members_next(&members, &member))
		if (slice_equal_nocase(member, token))
			return member;
	return SLICE_NONE;
}

/* RFC 9112 7: exactly "chunked", once. Any other coding is one that we have
 * not; chunked that is not the last, or comes twice, frames nothing. */
static __attribute__((noinline)) enum error
check_transfer_encoding(const struct wire_head *head)
{
	struct members members = {.head = head, .id = FIELD_TRANSFER_ENCODING};
	struct slice member;
	bool chunked = false, other = false;
	while (members_next(&members, &member)) {
		if (chunked || !wire_is_token(member))
			return ERROR_HTTP_BAD_TRANSFER_ENCODING;
		chunked = slice_equal_nocase(member, SLICE("chunked"));
		other |= !chunked;
	}
	return other ? ERROR_HTTP_UNKNOWN_TRANSFER_CODING : ERROR_OK;
}

/* RFC 9112 6.1 to 6.3, as far as requests and responses agree: content_length
 * or chunked. */
static enum error
read_framing(struct wire_head *head, const struct h1_seen *seen)
{
	if (seen->once & BIT(TRANSFER_ENCODING)) {
		if (seen->once & BIT(CONTENT_LENGTH))
			return ERROR_HTTP_TWO_FRAMINGS;
		if (head->version_minor == 0)
			return ERROR_HTTP_BAD_TRANSFER_ENCODING;
		head->chunked = true;
		return check_transfer_encoding(head);
	}
	if (seen->again & BIT(CONTENT_LENGTH))
		return ERROR_HTTP_BAD_CONTENT_LENGTH;
	struct slice length =
	    field_value(wire_head_find(head, FIELD_CONTENT_LENGTH));
	if (length.length > LENGTH_DIGITS_MAX ||
	    !slice_to_number(length, UINT64_MAX, &head->content_length))
		return ERROR_HTTP_BAD_CONTENT_LENGTH;
	head->has_content_length = true;
	return ERROR_OK;
}

/* The body as the framing fields say. */
static void
set_body(struct wire_head *head)
{
	if (head->chunked)
		head->body = HEAD_BODY_UNTIL_END;
	else if (head->content_length > 0)
		head->body = HEAD_BODY_LENGTH;
}

/* What Connection said, beside names of fields. */
struct options {
	bool close, keep_alive, upgrade;
};

/* One option that is the name of a field: that field goes too (RFC 9110 7.6.1),
 * unless the message would be another one without it. */
static enum error
remove_nominated(struct wire_head *head, enum field_id id, struct slice name)
{
	if (id == FIELD_HOST || id == FIELD_CONTENT_LENGTH ||
	    id == FIELD_TRANSFER_ENCODING)
		return ERROR_HTTP_BAD_CONNECTION;
	/* What goes anyway stays until it was read. */
	if (!(gone_fields & H1_BIT(id)))
		wire_head_remove_name(head, name);
	return ERROR_OK;
}

static enum error
read_connection(struct wire_head *head, struct options *options)
{
	struct members members = {.head = head, .id = FIELD_CONNECTION};
	struct slice member;
	unsigned count = 0;
	while (members_next(&members, &member)) {
		if (++count > LIMIT_VALUE_CONNECTION_OPTIONS)
			return ERROR_HTTP_TOO_MANY_OPTIONS;
		if (member.length == 0)
			continue;
		if (!wire_is_token(member))
			return ERROR_HTTP_BAD_CONNECTION;
		enum field_id id = wire_field_id(member);
		if (id == FIELD_KEEP_ALIVE) {
			options->keep_alive = true;
		} else if (id == FIELD_UPGRADE) {
			options->upgrade = true;
		} else if (slice_equal_nocase(member, SLICE("close"))) {
			options->close = true;
		} else {
			enum error error = remove_nominated(head, id, member);
			if (error != ERROR_OK)
				return error;
		}
	}
	return ERROR_OK;
}

/* Connection, and with it Upgrade and keep_alive. websocket is the only
 * protocol that is let through; HTTP/1.0 has no Upgrade (RFC 9110 7.8). */
static enum error
read_hop(struct wire_head *head, const struct h1_seen *seen)
{
	struct options options = {0};
	if (seen->once & BIT(CONNECTION)) {
		enum error error = read_connection(head, &options);
		if (error != ERROR_OK)
			return error;
	}
	head->keep_alive =
	    !options.close && (head->version_minor > 0 || options.keep_alive);
	if (head->version_minor == 0)
		return ERROR_OK;
	if (options.upgrade)
		head->upgrade =
		    find_member(head, FIELD_UPGRADE, SLICE("websocket"));
	if (seen->once & BIT(TE))
		head->te_trailers = slice_is_set(
		    find_member(head, FIELD_TE, SLICE("trailers")));
	return ERROR_OK;
}

/* Take out what is no part of the message any more. */
static void
remove_fields(struct wire_head *head, const struct h1_seen *seen)
{
	if ((seen->once & gone_fields) == 0)
		return;
	for (unsigned i = 0; i < head->field_count; i++) {
		if (H1_BIT(head->fields[i].id) & gone_fields) {
			head->fields[i].id = FIELD_REMOVED;
			wire_head_touch(head, i);
		}
	}
}

static set_apart enum error
check_authority(struct slice authority, bool needs_port)
{
	char scratch[WIRE_HOST_BYTES + 3];
	struct slice host;
	uint16_t port;
	enum error error =
	    wire_authority_parse(authority, scratch, &host, &port);
	return needs_port && port == 0 ? ERROR_HTTP_BAD_HOST : error;
}

/* The target had an authority of its own: it takes the place of Host
 * (RFC 9112 3.2.2). That of CONNECT has a port (RFC 9110 9.3.6). */
static enum error
replace_host(struct wire_head *head, struct field *host)
{
	enum error error =
	    check_authority(head->authority, head->method_id == METHOD_CONNECT);
	if (error != ERROR_OK)
		return error;
	if (host == NULL) {
		wire_head_add(head, FIELD_HOST, wire_field_name(FIELD_HOST),
		    head->authority);
		return ERROR_OK;
	}
	head->plain_host = false;
	host->value = head->authority.data;
	host->value_length = (uint32_t)head->authority.length;
	wire_head_touch(head, (unsigned)(host - head->fields));
	return ERROR_OK;
}

/* RFC 9112 3.2 */
static enum error
read_host(struct wire_head *head, const struct h1_seen *seen)
{
	struct field *host = NULL;
	if (seen->again & BIT(HOST))
		return ERROR_HTTP_BAD_HOST;
	if (likely(seen->once & BIT(HOST))) {
		host = wire_head_find(head, FIELD_HOST);
		head->plain_host =
		    wire_is_plain_host(field_value(host), head->method.data);
		enum error error = likely(head->plain_host)
		    ? ERROR_OK
		    : check_authority(field_value(host), false);
		if (error != ERROR_OK)
			return error;
	} else if (head->version_minor > 0) {
		return ERROR_HTTP_BAD_HOST;
	}
	if (unlikely(slice_is_set(head->authority)))
		return replace_host(head, host);
	if (host != NULL)
		head->authority = field_value(host);
	return ERROR_OK;
}

/* RFC 9110 10.1.1: ignored in HTTP/1.0, and where no body will come. */
static enum error
read_expect(struct wire_head *head, const struct h1_seen *seen)
{
	if (head->version_minor == 0)
		return ERROR_OK;
	struct slice value = field_value(wire_head_find(head, FIELD_EXPECT));
	if (seen->again & BIT(EXPECT) ||
	    !slice_equal_nocase(value, SLICE("100-continue")))
		return ERROR_HTTP_BAD_EXPECT;
	head->expect_continue = head->body != HEAD_BODY_NONE;
	return ERROR_OK;
}

/* RFC 6455 4.1: a GET, and what follows it are frames. A body between the two
 * has been used to smuggle requests. */
static enum error
check_upgrade(struct wire_head *head)
{
	if (!slice_is_set(head->upgrade))
		return ERROR_OK;
	if (head->body != HEAD_BODY_NONE)
		return ERROR_HTTP_BAD_UPGRADE;
	if (head->method_id != METHOD_GET)
		head->upgrade = SLICE_NONE;
	return ERROR_OK;
}

enum error
h1_request_meaning(struct wire_head *head, const struct h1_seen *seen)
{
	enum error error = read_host(head, seen);
	if (unlikely(error != ERROR_OK))
		return error;
	head->keep_alive = head->version_minor > 0;
	if (likely((seen->once & gone_fields) == 0))
		return ERROR_OK;
	if (seen->once & h1_framing_fields) {
		error = read_framing(head, seen);
		if (error != ERROR_OK)
			return error;
		set_body(head);
	}
	error = read_hop(head, seen);
	if (error == ERROR_OK && seen->once & BIT(EXPECT))
		error = read_expect(head, seen);
	if (error == ERROR_OK)
		error = check_upgrade(head);
	remove_fields(head, seen);
	return error;
}

/* RFC 9112 6.3, in its order. */
static enum error
set_response_body(
    struct wire_head *head, const struct h1_seen *seen, enum method_id method)
{
	bool framed = seen->once & h1_framing_fields;
	if (head->status == 101 ||
	    (method == METHOD_CONNECT && head->status / 100 == 2)) {
		/* Framing is without meaning, and must not be sent on. */
		head->body = HEAD_BODY_TUNNEL;
		head->has_content_length = false;
		head->chunked = false;
	} else if (head->status / 100 == 1 || head->status == 204) {
		/* RFC 9110 8.6, RFC 9112 6.1: they say nothing of a body. A
		 * length of zero is a habit of servers; a body after it would
		 * be taken for the next response. */
		if (head->chunked)
			return ERROR_HTTP_BAD_TRANSFER_ENCODING;
		if (head->content_length > 0)
			return ERROR_HTTP_BAD_CONTENT_LENGTH;
		head->has_content_length = false;
	} else if (method == METHOD_HEAD || head->status == 304) {
		head->chunked = false;
	} else if (framed) {
		set_body(head);
	} else {
		head->body = HEAD_BODY_UNTIL_END;
		head->keep_alive = false;
	}
	return ERROR_OK;
}

enum error
h1_response_meaning(
    struct wire_head *head, const struct h1_seen *seen, enum method_id method)
{
	enum error error = ERROR_OK;
	head->keep_alive = head->version_minor > 0;
	if (seen->once & h1_framing_fields)
		error = read_framing(head, seen);
	if (error == ERROR_OK && seen->once & h1_hop_fields)
		error = read_hop(head, seen);
	if (error == ERROR_OK)
		error = set_response_body(head, seen, method);
	if (error != ERROR_OK)
		return error;
	/* RFC 9110 15.2.2: it says to what; only what could be asked for. */
	if (head->status == 101) {
		if (!slice_is_set(head->upgrade))
			return ERROR_HTTP_BAD_UPGRADE;
	} else {
		head->upgrade = SLICE_NONE;
	}
	remove_fields(head, seen);
	return ERROR_OK;
}
