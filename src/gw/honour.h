/* What of a route's rule yumen does not honour yet: the one place that
 * says so, for admission (which warns) and reconcile (which refuses). As
 * features come, rows go from here. */
#ifndef YUMEN_GW_HONOUR_H
#define YUMEN_GW_HONOUR_H

#include "core/text.h"
#include "gw/object.h"

struct gw_honour {
	const char *refused; /* why the rule answers 500: text, or NULL */
	const char *ignored[2]; /* fields that only have no effect */
	unsigned ignored_count;
	char text[192];
};

/* All of it but the matches (rules of other kinds of routes: gw_object.route).
 */
void gw_honour_rule(const struct gw_http_rule *rule, struct gw_honour *honour);
/* Can a unit say this match? If not, fault gets why: it alone is left out. */
bool gw_honour_match(const struct gw_http_match *match, struct text *fault);
/* The same of a GRPCRoute's. */
bool gw_honour_call(const struct gw_grpc_match *match, struct text *fault);
/* What is wrong with a selector, which then selects nothing; or NULL. Static.
 */
const char *gw_honour_selector_fault(const struct gw_label_selector *selector);
/* Parameters that other controllers read: taken, without effect for now. Others
 * are not understood at all. */
bool gw_honour_knows_parameters(struct slice group, struct slice kind);

#endif
