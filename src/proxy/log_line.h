/* A line of the access log as values, and the two ways to write it. Pure. */
#ifndef YUMEN_PROXY_LOG_LINE_H
#define YUMEN_PROXY_LOG_LINE_H

#include "core/clock.h"
#include "core/limit.h"
#include "core/slice.h"

#define LOG_LINE_ABSENT INT64_MIN

/* Absent or empty texts are left out. */
struct proxy_log_line {
	int64_t wall_ms;
#define NAME(key) struct slice key;
#define TEXT(key) struct slice key;
#define NUMBER(key) int64_t key;
#include "proxy/log_line.def"
#undef NAME
#undef TEXT
#undef NUMBER
};

/* Room for any line: each text is cut to LIMIT_ACCESS_LOG_VALUE_BYTES as it is
 * written, and the rest (keys, numbers, time) is within the last addend. */
enum {
	PROXY_LOG_LINE_TEXTS = 0
#define NAME(key) +1
#define TEXT(key) +1
#define NUMBER(key)
#include "proxy/log_line.def"
#undef NAME
#undef TEXT
#undef NUMBER
	,
	PROXY_LOG_LINE_BYTES =
	    PROXY_LOG_LINE_TEXTS * LIMIT_VALUE_ACCESS_LOG_VALUE_BYTES + 1024,
};

/* The second that was written last: most lines share it. */
struct proxy_log_clock {
	int64_t second;
	char text[CLOCK_RFC3339_BYTES + 1];
};

/* Write a line, with its end, to out (PROXY_LOG_LINE_BYTES); returns its
 * length. One JSON object, or key=value with quotes where they are needed. */
size_t proxy_log_line_json(char *out, const struct proxy_log_line *line,
    struct proxy_log_clock *clock);
size_t proxy_log_line_text(char *out, const struct proxy_log_line *line,
    struct proxy_log_clock *clock);

#endif
