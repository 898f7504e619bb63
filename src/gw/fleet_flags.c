/* What an EnvoyProxy asks of the proxies themselves, as flags of `yumen proxy`
 * and as what the kubelet does when a pod ends: it serves on for
 * minDrainDuration, so that whoever still sends to it is told of that
 * meanwhile, then ends what is open within drainTimeout. */
#include "gw/fleet_priv.h"
#include "gw/form.h"
#include "gw/template.h"

/* Where nothing is asked for. */
enum { SERVE_ON_S = 5, DRAIN_S = 30, SLACK_S = 10 };
/* What the flags take. */
enum { DRAIN_S_MAX = 86400, WORKERS_MAX = 256 };

static void
push_flag(struct arena *arena, struct tree_node *container, const char *flag,
    struct slice value)
{
	struct tree_node *list = wire_tree_get(container, "args");

	gw_tree_push(list,
	    gw_tree_text(arena,
	        arena_format(arena, "--%s=%.*s", flag, SLICE_ARGS(value))));
}

/* ---- how it ends ---- */

/* Rounded up. */
static int64_t
seconds_of(
    const struct tree_node *parameters, const char *path, int64_t unasked)
{
	const struct tree_node *node = gw_parameter(parameters, path);
	uint64_t ms;

	if (!node || !gw_form_is_duration(node->text, &ms))
		return unasked;
	return ms > DRAIN_S_MAX * 1000ull ? DRAIN_S_MAX
	                                  : (int64_t)((ms + 999) / 1000);
}

static void
lay_shutdown(const struct tree_node *parameters, struct arena *arena,
    struct tree_node *pod, struct tree_node *container)
{
	int64_t on_s =
	    seconds_of(parameters, "shutdown.minDrainDuration", SERVE_ON_S);
	int64_t drain_s =
	    seconds_of(parameters, "shutdown.drainTimeout", DRAIN_S);

	if (!gw_parameter(parameters, "shutdown"))
		return;
	push_flag(arena, container, "drain-timeout",
	    arena_format(arena, "%lld", (long long)drain_s));
	gw_tree_put(pod, SLICE("terminationGracePeriodSeconds"),
	    gw_tree_number(arena, on_s + drain_s + SLACK_S));
	if (on_s == 0)
		wire_tree_drop(container, "lifecycle");
	else
		gw_tree_put(
		    gw_tree_map(arena, container, "lifecycle.preStop.sleep"),
		    SLICE("seconds"), gw_tree_number(arena, on_s));
}

/* ---- how it runs ---- */

bool
gw_fleet_takes_workers(int64_t count)
{
	return count >= 1 && count <= WORKERS_MAX;
}

/* The nearest of ours. */
static const char *
level_of(const struct tree_node *node)
{
	static const char *const levels[][2] = {{"trace", "debug"},
	    {"debug", "debug"}, {"info", "info"}, {"warn", "warning"},
	    {"error", "error"}, {"critical", "error"}, {"off", "error"}};

	for (size_t i = 0; node && i < sizeof(levels) / sizeof(levels[0]); i++)
		if (slice_equal(node->text, slice_from_string(levels[i][0])))
			return levels[i][1];
	return NULL;
}

void
gw_fleet_lay_flags(const struct tree_node *parameters, struct arena *arena,
    struct tree_node *pod, struct tree_node *container)
{
	const struct tree_node *workers =
	    gw_parameter(parameters, "concurrency");
	const struct tree_node *silent =
	    gw_parameter(parameters, "telemetry.accessLog.disable");
	const char *level =
	    level_of(gw_parameter(parameters, "logging.level.default"));

	if (workers && gw_fleet_takes_workers(workers->integer))
		push_flag(arena, container, "workers", workers->text);
	if (level)
		push_flag(
		    arena, container, "log-level", slice_from_string(level));
	if (silent && silent->integer)
		push_flag(arena, container, "access-log", SLICE("off"));
	lay_shutdown(parameters, arena, pod, container);
}
