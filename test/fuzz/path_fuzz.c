/* Any bytes as a path: refused, or a canonical path that is its own canonical
 * path, has no dot segment and no escape that stands for itself; what precedes
 * a '?' is the path, what follows a query. */
#include "wire/path.h"

#include <stdint.h>
#include <stdlib.h>
#include "core/must.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *
block_new(size_t length)
{
	void *block = malloc(length > 0 ? length : 1);
	must(block != NULL);
	return block;
}

/* The canonical form of bytes, in a block of exactly as many bytes as they are;
 * false when they are refused. */
static bool
canonical_text(struct slice raw, struct text *text)
{
	struct slice canonical;
	char *out = block_new(raw.length);
	enum error error = wire_path_canonical(raw, out, &canonical);
	must(error == ERROR_OK || error == ERROR_HTTP_BAD_PATH);
	if (error == ERROR_OK) {
		must(canonical.length > 0 && canonical.length <= raw.length);
		text_push(text, canonical);
	}
	free(out);
	return error == ERROR_OK;
}

static void
check_segment(struct slice segment)
{
	struct slice name;
	if (!slice_cut(&segment, ';', &name))
		return;
	must(!slice_equal(name, SLICE(".")) && !slice_equal(name, SLICE("..")));
}

static unsigned
upper_hex(char digit)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = memchr(digits, digit, 16);
	must(at != NULL);
	return (unsigned)(at - digits);
}

/* Escapes that are left: not of unreserved bytes or NUL, in upper case. */
static void
check_escape(const char *at)
{
	unsigned byte = upper_hex(at[1]) << 4 | upper_hex(at[2]);
	must(byte != 0);
	must(!(byte >= '0' && byte <= '9') && !(byte >= 'A' && byte <= 'Z') &&
	    !(byte >= 'a' && byte <= 'z') && strchr("-._~", (int)byte) == NULL);
}

static void
check_canonical(struct slice path)
{
	struct slice rest = path, segment;
	must(path.data[0] == '/');
	while (slice_cut(&rest, '/', &segment))
		check_segment(segment);
	for (size_t i = 0; i < path.length; i++) {
		unsigned char byte = (unsigned char)path.data[i];
		must(byte > ' ' && byte < 0x7f);
		must(strchr("\"#<>?[\\]^`{|}", byte) == NULL);
		must(byte != '%' || i + 2 < path.length);
		if (byte == '%')
			check_escape(path.data + i);
	}
	must(wire_path_has_prefix(path, path));
	must(wire_path_has_prefix(path, SLICE("/")));
}

static void
check_query(struct slice query)
{
	struct slice rest = query, part, value;
	char *out = block_new(query.length);
	for (unsigned i = 0; i < 8 && slice_cut(&rest, '&', &part); i++) {
		struct slice name =
		    slice_make(part.data, slice_find(part, '='));
		if (wire_query_get(query, name, out, &value))
			must(value.length <= query.length);
	}
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_make((const char *)data, size);
	size_t question = slice_find(bytes, '?');
	struct text text, again;
	text_init(&text);
	text_init(&again);
	if (canonical_text(slice_make(bytes.data, question), &text)) {
		check_canonical(text_slice(&text));
		must(canonical_text(text_slice(&text), &again));
		must(slice_equal(text_slice(&text), text_slice(&again)));
	}
	if (question < size)
		check_query(slice_skip(bytes, question + 1));
	text_fini(&text);
	text_fini(&again);
	return 0;
}
