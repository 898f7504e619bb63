/* The statuses are shown as they are once every worker serves the files. */
#include "cmd/planned.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/memory.h"
#include "ctl/certificates.h"

static void
on_unit(
    void *context, struct slice name, struct slice bytes, struct gw_tag *tag)
{
	struct planned *planned = context;

	(void)tag;
	if (!slice_is_set(bytes)) {
		snap_store_drop(planned->store, name);
		return;
	}
	enum error error = snap_store_put(planned->store, name, bytes);

	if (error != ERROR_OK)
		fprintf(stderr, "yumen %s: %.*s is not served: %s\n",
		    planned->command, SLICE_ARGS(name), error_text(error));
}

static void
on_status(void *context, const struct gw_object *object, const void *status,
    struct gw_status_tag *tag)
{
	struct planned *planned = context;

	ctl_statuses_put(planned->statuses, object, status, tag);
}

static void
on_problem(void *context, const struct ctl_problem *problem)
{
	struct planned *planned = context;

	if (gw_findings[problem->finding.row].severity == GW_ERROR)
		planned->problems++;
}

static void
show_statuses(struct planned *planned)
{
	struct feed_generation generation =
	    snap_store_generation(planned->store);

	int64_t wall_ms = clock_wall_ms();

	ctl_statuses_offer(planned->statuses, &generation, 0, wall_ms);
	ctl_statuses_confirm(planned->statuses, &generation, wall_ms);
}

bool
planned_make(struct planned *planned, const char *command,
    const char *const *paths, unsigned path_count,
    const char *const *controller_names, unsigned controller_name_count)
{
	struct slice *names =
	    memory_zero(controller_name_count + 1, sizeof(*names));
	struct ctl_once *once = &planned->once;

	*planned =
	    (struct planned){.command = command, .store = snap_store_new()};
	ctl_changes_init(&planned->changes, 0);
	planned->statuses = ctl_statuses_new(&planned->changes);
	for (unsigned i = 0; i < controller_name_count; i++)
		names[i] = slice_from_string(controller_names[i]);
	*once = (struct ctl_once){
	    .paths = paths,
	    .path_count = path_count,
	    .options =
	        {
	            .controller_names = names,
	            .controller_name_count = controller_name_count,
	            .namespaces_implied = true,
	            .carries = CTL_CARRIES,
	        },
	    .output = {.context = planned,
	        .on_unit = on_unit,
	        .on_status = on_status},
	    .on_problem = on_problem,
	    .context = planned,
	};
	enum error error = ctl_once_run(once);

	memory_free(names);
	if (error == ERROR_OK) {
		planned->set = snap_store_commit(planned->store);
		show_statuses(planned);
		return true;
	}
	fprintf(stderr, "yumen %s: %s: %s\n", command,
	    once->failed < path_count ? paths[once->failed] : "cannot read",
	    error_text(error));
	planned_fini(planned);
	return false;
}

void
planned_fini(struct planned *planned)
{
	ctl_once_fini(&planned->once);
	ctl_statuses_free(&planned->statuses);
	ctl_changes_fini(&planned->changes);
	snap_store_free(&planned->store);
}

static void
write_unit(const struct planned *planned, struct slice name, struct text *out)
{
	const struct unit *unit = snap_store_unit(planned->store, name);

	if (unit != NULL)
		snap_unit_dump(out, unit);
	else
		text_push_string(out, "{}");
}

bool
planned_page(struct planned *planned, struct slice target, struct text *out)
{
	const struct ctl_view view = {
	    planned->once.state, planned->statuses, &planned->changes};
	struct slice query = target, path;
	bool some = slice_cut(&query, '?', &path);
	ctl_write_fn write = NULL;

	if (some && slice_equal(path, SLICE("/api/v1/units")) &&
	    slice_starts_with(query, SLICE("name="))) {
		write_unit(planned, slice_skip(query, 5), out);
		return true;
	}
	if (slice_equal(path, SLICE("/api/v1/objects")))
		write = ctl_objects_write;
	else if (slice_equal(path, SLICE("/api/v1/problems")))
		write = ctl_problems_write;
	else if (slice_equal(path, SLICE("/api/v1/certificates")))
		write = ctl_certificates_write;
	if (!some || write == NULL)
		return false;
	struct ctl_query *asked = ctl_query_new(query, write);

	if (asked == NULL)
		return false;
	(void)write(out, &view, asked);
	ctl_query_free(&asked);
	return true;
}

void
planned_tell_problems(const struct planned *planned)
{
	if (planned->problems > 0)
		fprintf(stderr,
		    "yumen %s: %u problem%s in the files; `yumen check` "
		    "tells %s\n",
		    planned->command, planned->problems,
		    planned->problems == 1 ? "" : "s",
		    planned->problems == 1 ? "it" : "them");
}
