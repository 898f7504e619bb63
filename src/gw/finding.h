/* Findings: what is wrong with an object, or will be once it is served. One
 * vocabulary for the log of `run`, for `check` and for `help CODE`; the rows
 * are in finding.def. */
#ifndef YUMEN_GW_FINDING_H
#define YUMEN_GW_FINDING_H

#include <stdint.h>
#include "core/slice.h"

enum gw_severity { GW_INFO, GW_WARNING, GW_ERROR };

/* How far an object came: is it YAML, is it an object, does it hang together
 * with the others. */
enum gw_stage {
	GW_STAGE_SYNTAX,
	GW_STAGE_ADMISSION,
	GW_STAGE_REFERENCE,
	GW_STAGE_POLICY,
};

enum gw_finding_row {
#define GW_FINDING(name, code, severity, help) GW_FINDING_##name,
#include "gw/finding.def"
#undef GW_FINDING
	GW_FINDING__COUNT
};

extern const char *const gw_severity_texts[]; /* "info", "warning", "error" */
extern const char *const gw_stage_texts[]; /* "syntax", "admission", ... */

struct gw_finding_text {
	const char *code; /* "YM0107": stable for ever */
	const char *help; /* what it means and what to do */
	enum gw_severity severity;
	enum gw_stage stage;
};
extern const struct gw_finding_text gw_findings[GW_FINDING__COUNT];

/* What is to say about an object; slices live as long as the call. */
struct gw_finding {
	enum gw_finding_row row;
	uint32_t line, column;
	struct slice object; /* "HTTPRoute default/web" */
	/* "spec.rules[0].matches[0].path.value", or empty */
	struct slice field;
	struct slice reason; /* of the condition that it makes, or absent */
	struct slice text;
	struct slice fix; /* or absent */
};
typedef void (*gw_finding_fn)(void *context, const struct gw_finding *finding);

/* By its code, any case; GW_FINDING__COUNT when there is none. */
enum gw_finding_row gw_finding_parse(struct slice code);

#endif
