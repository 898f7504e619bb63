/* Text: bytes that grow, owned. For building; read it as a slice. */
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
/* Empty again, memory kept. */
void text_reset(struct text *text);
void text_push(struct text *text, struct slice s);
void text_push_string(struct text *text, const char *string);
void text_push_byte(struct text *text, char byte);
void text_push_number(struct text *text, uint64_t number);
void text_printf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
struct slice text_slice(const struct text *text);
/* The bytes, now the caller's to memory_free; text is empty after. */
char *text_take(struct text *text);

#endif
