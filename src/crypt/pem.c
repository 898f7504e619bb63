/* Reads PEM line by line. Strict where a block could be misread, lenient about
 * what is around blocks: `openssl x509 -text` and browsers' exports write it.
 */
#include "crypt/pem.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"

void
crypt_pem_init(struct crypt_pem *pem, struct slice text)
{
	*pem = (struct crypt_pem){.rest = text, .next_line = 1};
}

void
crypt_pem_fini(struct crypt_pem *pem)
{
	memory_wipe(pem->bytes, pem->used_bytes);
	memory_free(pem->bytes);
	*pem = (struct crypt_pem){0};
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next line without its end and trailing blanks. */
static bool
take_line(struct crypt_pem *pem, struct slice *line)
{
	if (pem->rest.length == 0)
		return false;
	size_t end = slice_find(pem->rest, '\n');

	*line = slice_make(pem->rest.data, end);
	pem->rest = slice_skip(
	    pem->rest, end < pem->rest.length ? end + 1 : pem->rest.length);
	pem->next_line++;
	while (line->length > 0 && is_blank(line->data[line->length - 1]))
		line->length--;
	return true;
}

/* "-----BEGIN label-----" */
static bool
is_boundary(struct slice line, struct slice word, struct slice *label)
{
	static const struct slice dashes = SLICE("-----");

	if (line.length < word.length + dashes.length ||
	    !slice_starts_with(line, word) || !slice_ends_with(line, dashes))
		return false;
	*label = slice_make(
	    line.data + word.length, line.length - word.length - dashes.length);
	return slice_find(*label, '-') == label->length;
}

static bool
is_begin(struct slice line, struct slice *label)
{
	return is_boundary(line, SLICE("-----BEGIN "), label);
}

static bool
is_end(struct slice line, struct slice *label)
{
	return is_boundary(line, SLICE("-----END "), label);
}

static enum error
fail(struct crypt_fault *fault, enum crypt_problem problem, unsigned line)
{
	*fault = (struct crypt_fault){.problem = problem, .line = line};
	return ERROR_INVALID;
}

/* Go behind a bad block, but not over the next one. */
static void
skip_block(struct crypt_pem *pem)
{
	struct slice line, label;
	struct crypt_pem before = *pem;

	while (take_line(pem, &line)) {
		if (is_end(line, &label))
			return;
		if (is_begin(line, &label)) {
			pem->rest = before.rest;
			pem->next_line = before.next_line;
			return;
		}
		before = *pem;
	}
}

static int
base64_value(char byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	if (byte == '+')
		return 62;
	return byte == '/' ? 63 : -1;
}

struct base64 {
	uint32_t bits;
	unsigned count; /* characters of this group of four */
	unsigned padding;
};

static bool
decode(struct crypt_pem *pem, struct base64 *state, struct slice line)
{
	for (size_t i = 0; i < line.length; i++) {
		char byte = line.data[i];
		int value = base64_value(byte);

		if (is_blank(byte))
			continue;
		if (byte == '=' && state->count >= 2 && state->padding < 2) {
			state->padding++;
			value = 0;
		} else if (value < 0 || state->padding > 0) {
			return false;
		}
		state->bits = state->bits << 6 | (uint32_t)value;
		if (++state->count < 4)
			continue;
		for (unsigned j = 0; j < 3 - state->padding; j++)
			pem->bytes[pem->length++] =
			    (uint8_t)(state->bits >> (16 - 8 * j));
		state->count = 0;
	}
	return true;
}

/* Nothing may follow a padded group; a padded group is whole. */
static bool
is_whole(const struct base64 *state)
{
	return state->count == 0;
}

/* Headers (RFC 1421 4.6) end with an empty line. */
static void
take_headers(struct crypt_pem *pem)
{
	struct slice rest = pem->rest, line;
	unsigned line_number = pem->next_line;
	bool any = false;

	while (take_line(pem, &line)) {
		if (slice_find(line, ':') == line.length) {
			if (any && line.length == 0)
				return;
			break;
		}
		if (slice_starts_with(line, SLICE("Proc-Type:")) &&
		    slice_ends_with(line, SLICE("ENCRYPTED")))
			pem->encrypted = true;
		any = true;
		rest = pem->rest;
		line_number = pem->next_line;
	}
	pem->rest = rest;
	pem->next_line = line_number;
}

static enum error
take_body(struct crypt_pem *pem, struct crypt_fault *fault)
{
	struct base64 state = {0};
	struct slice line, label;
	enum error error = ERROR_OK;
	struct crypt_pem before;

	pem->length = 0;
	pem->encrypted = false;
	take_headers(pem);
	for (before = *pem; take_line(pem, &line); before = *pem) {
		if (slice_starts_with(line, SLICE("-----"))) {
			if (is_end(line, &label) &&
			    slice_equal(label, pem->label))
				goto out;
			pem->rest = before.rest;
			pem->next_line = before.next_line;
			error = fail(fault,
			    is_begin(line, &label) ? CRYPT_PEM_UNENDED
			                           : CRYPT_PEM_BOUNDARY,
			    is_begin(line, &label) ? pem->line
			                           : pem->next_line);
			break;
		}
		if (pem->encrypted || decode(pem, &state, line))
			continue;
		error = fail(fault, CRYPT_PEM_BASE64, pem->next_line - 1);
		break;
	}
	if (error == ERROR_OK)
		error = fail(fault, CRYPT_PEM_UNENDED, pem->line);
out:
	if (pem->length > pem->used_bytes)
		pem->used_bytes = pem->length;
	if (error == ERROR_OK && !pem->encrypted &&
	    (!is_whole(&state) || pem->length == 0))
		return fail(fault, CRYPT_PEM_BASE64, pem->next_line - 1);
	if (error != ERROR_OK)
		skip_block(pem);
	return error;
}

enum error
crypt_pem_next(struct crypt_pem *pem, struct crypt_fault *fault)
{
	struct slice line;

	if (pem->rest.length > LIMIT_VALUE_PEM_BYTES) {
		pem->rest = SLICE_NONE;
		return fail(fault, CRYPT_TOO_LARGE, 0);
	}
	if (!pem->bytes)
		pem->bytes = memory_alloc(pem->rest.length / 4 * 3 + 4);
	while (take_line(pem, &line)) {
		if (!slice_starts_with(line, SLICE("-----")))
			continue;
		pem->line = pem->next_line - 1;
		if (is_begin(line, &pem->label))
			return take_body(pem, fault);
		return fail(fault, CRYPT_PEM_BOUNDARY, pem->line);
	}
	return ERROR_NOT_FOUND;
}
