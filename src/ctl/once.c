/* The files go into a state of reconcile's as ctl's do, all at once. */
#include "ctl/once.h"

#include "core/clock.h"
#include "core/must.h"
#include "ctl/sources.h"

static void
on_put(void *context, struct gw_object **object)
{
	struct ctl_once *once = context;

	gw_state_put(once->state, object);
}

static void
on_remove(
    void *context, enum gw_kind kind, struct slice namespace, struct slice name)
{
	struct ctl_once *once = context;

	gw_state_remove(once->state, kind, namespace, name);
}

static void
on_problem(void *context, const struct ctl_problem *problem)
{
	struct ctl_once *once = context;

	once->on_problem(once->context, problem);
}

static void
on_stored(void *context, struct slice file, struct tree_node *document)
{
	struct ctl_once *once = context;

	once->on_stored(once->context, file, document);
}

static enum error
read_files(struct ctl_once *once)
{
	static const atomic_bool never = false;
	struct ctl_sink sink = {
	    .stays_awake = true,
	    .context = once,
	    .put = on_put,
	    .remove = on_remove,
	    .tell = on_problem,
	    .stored = once->on_stored ? on_stored : NULL,
	};
	struct ctl_files *files = ctl_files_new(&sink);
	struct ctl_sources *sources = NULL;
	enum error error = ctl_sources_new(
	    files, once->paths, once->path_count, &never, &sources);

	if (error == ERROR_OK) {
		ctl_sources_read_all(sources);
		once->counts = ctl_files_counts(files);
		ctl_sources_free(&sources);
	}
	ctl_files_free(&files);
	return error;
}

enum error
ctl_once_run(struct ctl_once *once)
{
	must(once->path_count > 0 && once->on_problem != NULL);
	once->state = NULL;
	for (once->failed = 0; once->failed < once->path_count;
	     once->failed++) {
		enum error error = ctl_source_probe(once->paths[once->failed]);

		if (error != ERROR_OK)
			return error;
	}
	once->options.once = true;
	once->state = gw_state_new(&once->options);
	gw_state_clock(once->state, clock_wall_ms() / 1000);
	enum error error = read_files(once);

	if (error == ERROR_OK)
		gw_state_reconcile(once->state, &once->output);
	else
		ctl_once_fini(once);
	return error;
}

void
ctl_once_fini(struct ctl_once *once)
{
	if (once->state != NULL)
		gw_state_free(&once->state);
}
