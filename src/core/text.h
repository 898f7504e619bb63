/* Text: bytes that grow, owned. For building; read it as a slice. One that
 * grows leaves no copy behind, so that what holds a key is wiped by text_wipe.
 */
#ifndef YUMEN_CORE_TEXT_H
#define YUMEN_CORE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include "core/slice.h"

struct text {
	char *data; /* always NUL-terminated when not NULL */
	size_t length, capacity;
};

void text_init(struct text *text);
void text_fini(struct text *text);
/* Its memory is overwritten and freed; empty after. */
void text_wipe(struct text *text);
/* Empty again, memory kept. */
void text_reset(struct text *text);
void text_push(struct text *text, struct slice s);
void text_push_string(struct text *text, const char *string);
void text_push_byte(struct text *text, char byte);
void text_push_number(struct text *text, uint64_t number);
/* ASCII letters in lower case. */
void text_push_lower(struct text *text, struct slice s);
/* A JSON string with its quotes; what is not UTF-8 becomes U+FFFD. */
void text_push_json(struct text *text, struct slice s);
void text_printf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
/* Room for length more bytes, to be written by the caller and then taken in
 * with text_advance; never NULL. */
char *text_reserve(struct text *text, size_t length)
    __attribute__((returns_nonnull));
void text_advance(struct text *text, size_t length);
/* What is there so far: empty, never absent. */
struct slice text_slice(const struct text *text);
/* The bytes, now the caller's to memory_free; text is empty after. */
char *text_take(struct text *text);

#endif
