/* The log of events, to stderr: one line each, key=value or JSON, names from
 * log.def. Pure rooms do not log. Safe from any thread: a line is one write.
 * At most LIMIT_LOG_LINES_PER_SECOND lines a second are written, the rest is
 * counted and told in one line. */
#ifndef YUMEN_CORE_LOG_H
#define YUMEN_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include "core/slice.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR
};

enum log_event {
#define LOG_EVENT(name, level, meaning) LOG_##name,
#include "core/log.def"
#undef LOG_EVENT
	LOG__COUNT
};

struct log_field {
	const char *key;
	struct slice value; /* of text; one that is absent is left out */
	int64_t number;
	bool is_text;
};
#define LOG_TEXT(k, s) \
	((struct log_field){.key = (k), .value = (s), .is_text = true})
#define LOG_STRING(k, s) \
	((struct log_field){ \
	    .key = (k), .value = slice_from_string(s), .is_text = true})
#define LOG_NUMBER(k, n) ((struct log_field){.key = (k), .number = (n)})

void log_set_level(enum log_level level);
void log_set_json(bool json);
bool log_level_parse(struct slice name, enum log_level *level);
void log_event_fields(
    enum log_event event, const struct log_field *fields, unsigned count);

/* log_event(LOG_RUN_READY, LOG_NUMBER("listeners", 2)); at least one field. */
#define log_event(event, ...) \
	log_event_fields((event), (const struct log_field[]){__VA_ARGS__}, \
	    sizeof((const struct log_field[]){__VA_ARGS__}) / \
	        sizeof(struct log_field))

#endif
