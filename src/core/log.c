/* The log of events. Owns the process's log settings and the count of lines in
 * this second; a line is built first and written with one write(2). */
#include "core/log.h"

#include <stdatomic.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/limit.h"
#include "core/must.h"
#include "core/text.h"

static const struct {
	const char *name;
	enum log_level level;
} events[LOG__COUNT] = {
#define LOG_EVENT(name, level, meaning) \
	[LOG_##name] = {#name, LOG_LEVEL_##level},
#include "core/log.def"
#undef LOG_EVENT
};

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};
enum { LEVELS = sizeof(level_names) / sizeof(level_names[0]) };

static _Atomic enum log_level level_min = LOG_LEVEL_INFO;
static atomic_bool as_json;
/* The second that lines are counted in, above 32 bits of how many it had. */
static _Atomic uint64_t window;

void
log_set_level(enum log_level level)
{
	must((unsigned)level < LEVELS);
	atomic_store(&level_min, level);
}

void
log_set_json(bool json)
{
	atomic_store(&as_json, json);
}

bool
log_level_parse(struct slice name, enum log_level *level)
{
	for (unsigned i = 0; i < LEVELS; i++)
		if (slice_equal(name, slice_from_string(level_names[i]))) {
			*level = (enum log_level)i;
			return true;
		}
	return false;
}

/* "RUN_READY" is run.ready. */
static void
push_event_name(struct text *line, struct slice name)
{
	struct slice area;

	if (slice_cut(&name, '_', &area)) {
		text_push_lower(line, area);
		if (slice_is_set(name)) {
			text_push_byte(line, '.');
			text_push_lower(line, name);
		}
	}
}

static bool
needs_quotes(struct slice value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.data[i];

		if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' ||
		    byte == '\\')
			return true;
	}
	return value.length == 0;
}

static void
push_key(struct text *line, const char *key, bool json)
{
	if (json)
		text_push_byte(line, line->length == 0 ? '{' : ',');
	else if (line->length > 0)
		text_push_byte(line, ' ');
	if (json)
		text_push_json(line, slice_from_string(key));
	else
		text_push_string(line, key);
	text_push_byte(line, json ? ':' : '=');
}

static void
push_text(struct text *line, const char *key, struct slice value, bool json)
{
	push_key(line, key, json);
	if (value.length > LIMIT_VALUE_LOG_VALUE_BYTES)
		value.length = LIMIT_VALUE_LOG_VALUE_BYTES;
	if (json || needs_quotes(value))
		text_push_json(line, value);
	else
		text_push(line, value);
}

static void
push_number(struct text *line, const char *key, int64_t number, bool json)
{
	push_key(line, key, json);
	if (number < 0)
		text_push_byte(line, '-');
	text_push_number(
	    line, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void
write_line(int64_t wall_ms, enum log_event event,
    const struct log_field *fields, unsigned count)
{
	bool json = atomic_load_explicit(&as_json, memory_order_relaxed);
	char time[CLOCK_RFC3339_BYTES + 1];
	struct text line, name;

	text_init(&line);
	text_init(&name);
	clock_format(wall_ms, time);
	push_event_name(&name, slice_from_string(events[event].name));
	push_text(&line, "time", slice_make(time, CLOCK_RFC3339_BYTES), json);
	push_text(&line, "level",
	    slice_from_string(level_names[events[event].level]), json);
	push_text(&line, "event", text_slice(&name), json);
	for (unsigned i = 0; i < count; i++) {
		const struct log_field *field = &fields[i];

		if (!field->is_text)
			push_number(&line, field->key, field->number, json);
		else if (slice_is_set(field->value))
			push_text(&line, field->key, field->value, json);
	}
	text_push_string(&line, json ? "}\n" : "\n");
	/* Nobody is left to tell when standard error is gone. */
	ssize_t written = write(STDERR_FILENO, line.data, line.length);

	(void)written;
	text_fini(&name);
	text_fini(&line);
}

/* Count one line in this second. True when it may be written; *suppressed is
 * then how many of the second before were not. */
static bool
count_line(int64_t wall_ms, uint64_t *suppressed)
{
	uint64_t second = (uint64_t)(wall_ms / 1000) & UINT32_MAX;
	uint64_t before = atomic_load(&window), after, lines;

	do {
		lines = before >> 32 == second ? before & UINT32_MAX : 0;
		after = second << 32 | (lines + 1);
	} while (!atomic_compare_exchange_weak(&window, &before, after));

	*suppressed = 0;
	if (before >> 32 != second &&
	    (before & UINT32_MAX) > LIMIT_VALUE_LOG_LINES_PER_SECOND)
		*suppressed =
		    (before & UINT32_MAX) - LIMIT_VALUE_LOG_LINES_PER_SECOND;
	return lines < LIMIT_VALUE_LOG_LINES_PER_SECOND;
}

void
log_event_fields(
    enum log_event event, const struct log_field *fields, unsigned count)
{
	uint64_t suppressed;

	must((unsigned)event < LOG__COUNT);
	if (events[event].level <
	    atomic_load_explicit(&level_min, memory_order_relaxed))
		return;

	int64_t wall_ms = clock_wall_ms();

	if (!count_line(wall_ms, &suppressed))
		return;
	if (suppressed > 0)
		write_line(wall_ms, LOG_LOG_SUPPRESSED,
		    &LOG_NUMBER("lines", (int64_t)suppressed), 1);
	write_line(wall_ms, event, fields, count);
}
