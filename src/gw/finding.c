/* The rows of finding.def. A code's first two digits are its stage. */
#include "gw/finding.h"

#define STAGE_OF(code) \
	((code)[2] != '0'          ? GW_STAGE_POLICY \
	        : (code)[3] == '0' ? GW_STAGE_SYNTAX \
	        : (code)[3] < '5'  ? GW_STAGE_ADMISSION \
	        : (code)[3] == '5' ? GW_STAGE_REFERENCE \
	                           : GW_STAGE_POLICY)

const char *const gw_severity_texts[] = {
    [GW_INFO] = "info", [GW_WARNING] = "warning", [GW_ERROR] = "error"};
const char *const gw_stage_texts[] = {
    [GW_STAGE_SYNTAX] = "syntax",
    [GW_STAGE_ADMISSION] = "admission",
    [GW_STAGE_REFERENCE] = "reference",
    [GW_STAGE_POLICY] = "policy",
};

const struct gw_finding_text gw_findings[GW_FINDING__COUNT] = {
#define GW_FINDING(name, code, severity, help) \
	[GW_FINDING_##name] = {code, help, GW_##severity, STAGE_OF(code)},
#include "gw/finding.def"
#undef GW_FINDING
};

enum gw_finding_row
gw_finding_parse(struct slice code)
{
	for (unsigned row = 0; row < GW_FINDING__COUNT; row++)
		if (slice_equal_nocase(
		        code, slice_from_string(gw_findings[row].code)))
			return (enum gw_finding_row)row;
	return GW_FINDING__COUNT;
}
