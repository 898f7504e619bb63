/* Which event a problem is, and the fields that it has. */
#include "ctl/problem.h"

#include <limits.h>
#include <stdio.h>

#include "core/log.h"
#include "core/must.h"

#define FIELDS_MAX 8

static const enum log_event events[] = {
    [CTL_FILE_UNREADABLE] = LOG_FILE_UNREADABLE,
    [CTL_FILE_MALFORMED] = LOG_FILE_MALFORMED,
    [CTL_OBJECT_REFUSED] = LOG_OBJECT_REFUSED,
    [CTL_OBJECT_DOUBTFUL] = LOG_OBJECT_DOUBTFUL,
    [CTL_OBJECT_IGNORED] = LOG_OBJECT_IGNORED,
    [CTL_OBJECT_REPEATED] = LOG_OBJECT_REPEATED,
};

void
ctl_problem_log(const struct ctl_problem *problem)
{
	must(problem != NULL);
	struct log_field fields[FIELDS_MAX];
	char place[PATH_MAX + 32];
	unsigned count = 0;
	struct slice code = slice_from_string(problem->code);

	/* As compilers write it, so that terminals and editors find it. */
	if (problem->line > 0)
		snprintf(place, sizeof(place), "%.*s:%u:%u",
		    SLICE_ARGS(problem->file), problem->line, problem->column);
	else
		snprintf(
		    place, sizeof(place), "%.*s", SLICE_ARGS(problem->file));
	fields[count++] = LOG_STRING("place", place);
	const struct log_field texts[] = {
	    LOG_TEXT("code", code),
	    LOG_TEXT("object", problem->object),
	    LOG_TEXT("field", problem->field),
	    LOG_TEXT("why", problem->text),
	    LOG_TEXT("fix", problem->fix),
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value.length > 0)
			fields[count++] = texts[i];
	must(count <= FIELDS_MAX);
	log_event_fields(events[problem->kind], fields, count);
}
