/* What agents report of units, and whose status tells of each. Owns the
 * reports; those that say nothing are not kept. What announcers say of claims
 * is in told.c. */
#include "core/memory.h"
#include "core/must.h"
#include "gw/state_priv.h"

static void
free_report(struct gw_report *report)
{
	text_fini(&report->why);
	text_fini(&report->refused);
	memory_free(report);
}

void
gw_reports_fini(struct gw_state *state)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&state->reports, &at, &key, &value);)
		free_report(value);
	map_fini(&state->reports);
}

static struct gw_report *
touch_report(struct gw_state *state, struct slice unit)
{
	struct gw_report *report = map_get(&state->reports, unit);

	if (report)
		return report;
	report = memory_zero(1, sizeof(*report) + unit.length + 1);
	memcpy(report->name, unit.data, unit.length);
	text_init(&report->why);
	text_init(&report->refused);
	map_put(&state->reports, slice_make(report->name, unit.length), report);
	return report;
}

/* "HTTPRoute" */
static bool
find_route_kind(struct slice word, enum gw_kind *kind)
{
	for (unsigned i = 0; i < GW_KIND__COUNT; i++)
		if (gw_route_row(i) &&
		    slice_equal(word, slice_from_string(gw_kinds[i].kind))) {
			*kind = i;
			return true;
		}
	return false;
}

/* The node whose status tells of a unit: "listener/ns/gateway/name" of the
 * Gateway, "listener/ns/gateway/ns/set/name" of the ListenerSet,
 * "route/HTTPRoute/ns/name" of the route. */
static struct gw_node *
node_of_unit(const struct gw_state *state, struct slice unit)
{
	struct slice rest = unit, word, namespace, name;
	enum gw_kind kind = GW_GATEWAY;

	if (!slice_cut(&rest, '/', &word))
		return NULL;
	bool route = slice_equal(word, SLICE("route"));

	if (route
	        ? !slice_cut(&rest, '/', &word) || !find_route_kind(word, &kind)
	        : !slice_equal(word, SLICE("listener")))
		return NULL;
	if (!slice_cut(&rest, '/', &namespace) || !slice_cut(&rest, '/', &name))
		return NULL;
	if (!route && slice_find(rest, '/') < rest.length) {
		kind = GW_LISTENERSET;
		slice_cut(&rest, '/', &namespace);
		slice_cut(&rest, '/', &name);
	}
	return gw_node_get(state, kind, namespace, name);
}

static void
drop_report(struct gw_state *state, struct slice unit)
{
	struct gw_report *report = map_remove(&state->reports, unit);

	if (report)
		free_report(report);
}

/* Reports that say nothing are not kept. */
static void
after_report(struct gw_state *state, struct gw_report *report)
{
	struct slice unit = slice_from_string(report->name);
	struct gw_node *node = node_of_unit(state, unit);
	bool claim = slice_starts_with(unit, SLICE("claim/"));

	if (claim)
		gw_announced_mark(state, slice_skip(unit, 6));
	if (node)
		gw_node_mark(state, node);
	if ((!node && !claim) ||
	    (report->error == ERROR_OK && report->refused.length == 0 &&
	        report->why.length == 0))
		drop_report(state, unit);
}

void
gw_state_report(struct gw_state *state, struct slice unit, enum error error,
    struct slice why)
{
	must(state != NULL && (unsigned)error < ERROR__COUNT);
	struct gw_report *report = touch_report(state, unit);

	report->error = error;
	text_reset(&report->why);
	text_push(&report->why, why);
	after_report(state, report);
}

void
gw_state_report_refused(
    struct gw_state *state, struct slice unit, struct slice why)
{
	must(state != NULL);
	struct gw_report *report = touch_report(state, unit);

	text_reset(&report->refused);
	text_push(&report->refused, why);
	after_report(state, report);
}

const struct gw_report *
gw_report_get(const struct gw_state *state, struct slice unit)
{
	return state->reports.count > 0 ? map_get(&state->reports, unit) : NULL;
}

void
gw_report_forget(struct gw_state *state, struct slice unit)
{
	gw_told_forget(state, unit);
	drop_report(state, unit);
}
