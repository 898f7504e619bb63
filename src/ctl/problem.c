/* Which event a problem is, and the fields that it has. */
#include "ctl/problem.h"

#include <limits.h>
#include <stdio.h>

#include "core/log.h"
#include "core/must.h"

#define FIELDS_MAX 8

static enum log_event
event_of(enum gw_finding_row row)
{
	switch (row) {
	case GW_FINDING_FILE_UNREADABLE:
		return LOG_FILE_UNREADABLE;
	case GW_FINDING_FILE_MALFORMED:
		return LOG_FILE_MALFORMED;
	case GW_FINDING_OBJECT_REPEATED:
		return LOG_OBJECT_REPEATED;
	default:
		break;
	}
	switch (gw_findings[row].severity) {
	case GW_ERROR:
		return LOG_OBJECT_REFUSED;
	case GW_WARNING:
		return LOG_OBJECT_DOUBTFUL;
	default:
		return LOG_OBJECT_IGNORED;
	}
}

void
ctl_problem_log(const struct ctl_problem *problem)
{
	must(problem != NULL);
	const struct gw_finding *finding = &problem->finding;
	struct log_field fields[FIELDS_MAX];
	char place[PATH_MAX + 32];
	unsigned count = 0;

	/* As compilers write it, so that terminals and editors find it. */
	if (finding->line > 0)
		snprintf(place, sizeof(place), "%.*s:%u:%u",
		    SLICE_ARGS(problem->file), finding->line, finding->column);
	else
		snprintf(
		    place, sizeof(place), "%.*s", SLICE_ARGS(problem->file));
	const struct log_field texts[] = {
	    LOG_STRING("place", place),
	    LOG_STRING("code", gw_findings[finding->row].code),
	    LOG_TEXT("object", finding->object),
	    LOG_TEXT("field", finding->field),
	    LOG_TEXT("why", finding->text),
	    LOG_TEXT("fix", finding->fix),
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value.length > 0)
			fields[count++] = texts[i];
	must(count <= FIELDS_MAX);
	log_event_fields(event_of(finding->row), fields, count);
}
