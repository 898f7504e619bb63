/* Patterns, by PCRE2: translated to machine code where the system lets us have
 * such pages, interpreted otherwise; the limits hold both ways. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "snap/pattern_priv.h"

#include <pcre2.h>

#include "core/memory.h"
#include "core/must.h"

/* RE2's meaning, as Envoy's users know it: '$' is the very end, '.' a character
 * (not a byte) that ends no line. Bytes that are no UTF-8 fit nothing. */
#define OPTIONS \
	(PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY | \
	    PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C)
#define STACK_START_BYTES 32768
/* Of one request: so many that reach a limit, and no pattern is tried more. */
#define RUNAWAYS_MAX 10

struct snap_pattern {
	pcre2_code *code;
	uint32_t references;
	bool translated;
	uint32_t length;
	char text[];
};

struct snap_matcher {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	snap_limit_fn on_limit;
	void *limit_context;
	char room[SNAP_MATCHER_BYTES];
};

/* NULL: *number and *offset say why. */
static pcre2_code *
compile(struct slice text, int *number, PCRE2_SIZE *offset)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);

	must(context != NULL);
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);

	pcre2_code *code =
	    pcre2_compile((PCRE2_SPTR)(text.length > 0 ? text.data : ""),
	        text.length, OPTIONS, number, offset, context);

	pcre2_compile_context_free(context);
	return code;
}

enum error
snap_pattern_check(struct slice text, struct text *fault)
{
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	int number;

	must(fault != NULL);
	if (text.length > LIMIT_VALUE_PATTERN_TEXT_BYTES) {
		text_printf(fault, "longer than %d bytes",
		    LIMIT_VALUE_PATTERN_TEXT_BYTES);
		return ERROR_LIMIT;
	}

	pcre2_code *code = compile(text, &number, &offset);

	if (code) {
		pcre2_code_free(code);
		return ERROR_OK;
	}
	if (pcre2_get_error_message(number, message, sizeof(message)) < 0)
		message[0] = '\0';
	text_printf(
	    fault, "%s, at byte %zu", (const char *)message, (size_t)offset);
	return ERROR_INVALID;
}

void
snap_patterns_init(struct snap_patterns *patterns)
{
	map_init(&patterns->by_text);
}

static void
pattern_free(struct snap_pattern *pattern)
{
	pcre2_code_free(pattern->code);
	memory_free(pattern);
}

void
snap_patterns_fini(struct snap_patterns *patterns)
{
	struct slice text;
	void *pattern;

	for (size_t at = 0; map_next(&patterns->by_text, &at, &text, &pattern);)
		pattern_free(pattern);
	map_fini(&patterns->by_text);
}

static struct slice
text_of(const struct snap_pattern *pattern)
{
	return slice_make(pattern->text, pattern->length);
}

enum error
snap_pattern_ref(struct snap_patterns *patterns, struct slice text,
    struct snap_pattern **pattern)
{
	struct snap_pattern *made = map_get(&patterns->by_text, text);
	PCRE2_SIZE offset;
	int number;

	if (made) {
		made->references++;
		*pattern = made;
		return ERROR_OK;
	}
	if (text.length > LIMIT_VALUE_PATTERN_TEXT_BYTES)
		return ERROR_LIMIT;

	pcre2_code *code = compile(text, &number, &offset);

	if (!code)
		return ERROR_INVALID;
	made = memory_zero(1, sizeof(*made) + text.length);
	made->code = code;
	made->references = 1;
	made->translated = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
	made->length = (uint32_t)text.length;
	if (text.length > 0)
		memcpy(made->text, text.data, text.length);
	map_put(&patterns->by_text, text_of(made), made);
	*pattern = made;
	return ERROR_OK;
}

void
snap_pattern_unref(struct snap_patterns *patterns, struct snap_pattern *pattern)
{
	must(pattern->references > 0);
	if (--pattern->references > 0)
		return;
	map_remove(&patterns->by_text, text_of(pattern));
	pattern_free(pattern);
}

struct snap_matcher *
snap_matcher_new(snap_limit_fn on_limit, void *context)
{
	struct snap_matcher *matcher = memory_alloc(sizeof(*matcher));

	matcher->on_limit = on_limit;
	matcher->limit_context = context;
	matcher->data = pcre2_match_data_create(1, NULL);
	matcher->context = pcre2_match_context_create(NULL);
	matcher->stack = pcre2_jit_stack_create(
	    STACK_START_BYTES, LIMIT_VALUE_PATTERN_BYTES, NULL);
	must(matcher->data && matcher->context && matcher->stack);
	pcre2_set_match_limit(matcher->context, LIMIT_VALUE_PATTERN_STEPS);
	pcre2_set_heap_limit(
	    matcher->context, LIMIT_VALUE_PATTERN_BYTES / 1024);
	pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
	return matcher;
}

void
snap_matcher_free(struct snap_matcher **matcher)
{
	struct snap_matcher *old = *matcher;

	*matcher = NULL;
	if (!old)
		return;
	pcre2_jit_stack_free(old->stack);
	pcre2_match_context_free(old->context);
	pcre2_match_data_free(old->data);
	memory_free(old);
}

char *
snap_matcher_room(struct snap_matcher *matcher)
{
	return matcher->room;
}

static void
note_limit(const struct snap_matcher *matcher, enum limit limit)
{
	if (matcher->on_limit)
		matcher->on_limit(matcher->limit_context, limit);
}

static int
run(const struct snap_pattern *pattern, struct slice text,
    struct snap_matcher *matcher)
{
	PCRE2_SPTR subject = (PCRE2_SPTR)(text.length > 0 ? text.data : "");

	return pattern->translated
	    ? pcre2_jit_match(pattern->code, subject, text.length, 0, 0,
	          matcher->data, matcher->context)
	    : pcre2_match(pattern->code, subject, text.length, 0, 0,
	          matcher->data, matcher->context);
}

bool
snap_pattern_fits(const struct snap_pattern *pattern, struct slice text,
    struct snap_matcher *matcher, uint32_t *tries)
{
	must(matcher != NULL);
	if (*tries >= LIMIT_VALUE_PATTERN_TRIES) {
		note_limit(matcher, LIMIT_PATTERN_TRIES);
		return false;
	}

	int result = run(pattern, text, matcher);

	if (result >= 0 || result == PCRE2_ERROR_NOMATCH) {
		*tries += 1;
		return result >= 0;
	}
	*tries += LIMIT_VALUE_PATTERN_TRIES / RUNAWAYS_MAX;
	note_limit(matcher,
	    result == PCRE2_ERROR_MATCHLIMIT ? LIMIT_PATTERN_STEPS
	                                     : LIMIT_PATTERN_BYTES);
	return false;
}
