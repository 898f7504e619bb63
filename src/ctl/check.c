/* Reads the files as `run` does, reconciles once, and gathers what admission
 * and the statuses say. A verdict knows only its object's place: the place of
 * the field is looked up in the file, which is read again for that. */
#include "ctl/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "ctl/once.h"
#include "gw/admit.h"
#include "gw/verdict.h"
#include "wire/tree_yaml.h"

#define ARENA_BYTES 4096

struct checking {
	struct ctl_checked *checked;
	struct ctl_once once;
	struct text *stored; /* NULL: not asked for */
	unsigned room;
};

static void
keep(struct checking *checking, struct slice file,
    const struct gw_finding *finding)
{
	struct ctl_checked *checked = checking->checked;
	struct arena *arena = &checked->arena;

	if (checked->problem_count == checking->room) {
		checking->room = checking->room ? checking->room * 2 : 16;
		checked->problems = memory_resize(checked->problems,
		    checking->room, sizeof(*checked->problems));
	}
	checked->problems[checked->problem_count++] = (struct ctl_problem){
	    .file = arena_copy(arena, file),
	    .finding = {.row = finding->row,
	        .line = finding->line,
	        .column = finding->column,
	        .object = arena_copy(arena, finding->object),
	        .field = arena_copy(arena, finding->field),
	        .reason = arena_copy(arena, finding->reason),
	        .text = arena_copy(arena, finding->text),
	        .fix = arena_copy(arena, finding->fix)},
	};
	enum gw_severity severity = ctl_check_severity(finding->row);

	checked->errors += severity == GW_ERROR;
	checked->warnings += severity == GW_WARNING;
}

/* ---- the files ---- */

static void
on_problem(void *context, const struct ctl_problem *problem)
{
	keep(context, problem->file, &problem->finding);
}

static void
on_stored(void *context, struct slice file, struct tree_node *document)
{
	struct checking *checking = context;

	text_printf(checking->stored, "---\n# Source: %.*s:%u\n",
	    SLICE_ARGS(file), document->line);
	wire_tree_yaml(checking->stored, document);
}

/* ---- the statuses ---- */

struct telling {
	struct checking *checking;
	struct slice file;
};

static void
on_verdict(void *context, const struct gw_finding *finding)
{
	struct telling *telling = context;

	/* Admission has told it. */
	if (finding->row != GW_FINDING_KIND_NOT_READ)
		keep(telling->checking, telling->file, finding);
}

/* Does a listener take it? */
static bool
is_served(const struct gw_route_status *status)
{
	for (uint32_t i = 0; status && i < status->parents_count; i++) {
		const struct gw_route_parent_status *parent =
		    &status->parents[i];

		for (uint32_t j = 0; j < parent->conditions_count; j++)
			if (slice_equal(parent->conditions[j].type,
			        SLICE("Accepted")) &&
			    slice_equal(
			        parent->conditions[j].status, SLICE("True")))
				return true;
	}
	return false;
}

static void
on_status(void *context, const struct gw_object *object, const void *status,
    struct gw_status_tag *tag)
{
	struct checking *checking = context;
	struct telling telling = {
	    .checking = checking, .file = gw_file_path(object->source.file)};

	(void)tag;
	gw_verdicts(checking->once.state, object, status, on_verdict, &telling);
	if (gw_kind_is_route(object->kind))
		checking->checked->routes_served += is_served(status);
}

static void
on_unit(
    void *context, struct slice name, struct slice bytes, struct gw_tag *tag)
{
	(void)tag;
	(void)context;
	(void)name;
	(void)bytes;
}

/* What has no status of ours says here what is wrong with it. */
static bool
on_object(void *context, const struct gw_object *object)
{
	struct checking *checking = context;

	checking->checked->routes += gw_kind_is_route(object->kind);
	if (gw_status_type(object->kind) == NULL)
		on_status(context, object, NULL, NULL);
	return true;
}

/* ---- places ---- */

static int
compare(const void *left, const void *right)
{
	const struct ctl_problem *a = left, *b = right;
	int by_file = slice_compare(a->file, b->file);

	if (by_file != 0)
		return by_file;
	if (a->finding.line != b->finding.line)
		return a->finding.line < b->finding.line ? -1 : 1;
	if (a->finding.column != b->finding.column)
		return a->finding.column < b->finding.column ? -1 : 1;
	if (a->finding.row != b->finding.row)
		return a->finding.row < b->finding.row ? -1 : 1;
	return slice_compare(a->finding.field, b->finding.field);
}

static void
sort(struct ctl_checked *checked)
{
	if (checked->problem_count > 1)
		qsort(checked->problems, checked->problem_count,
		    sizeof(*checked->problems), compare);
}

/* Admission warns of what is refused; where the status says so too, once is
 * enough. */
static void
drop_foretold(struct ctl_checked *checked)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < checked->problem_count; i++) {
		const struct gw_finding *next = i + 1 < checked->problem_count
		    ? &checked->problems[i + 1].finding
		    : NULL;
		const struct gw_finding *finding =
		    &checked->problems[i].finding;

		if (next && finding->row == GW_FINDING_REFUSED &&
		    next->row == GW_FINDING_RULE_REFUSED &&
		    finding->line == next->line &&
		    slice_equal(finding->field, next->field)) {
			checked->warnings--;
			continue;
		}
		checked->problems[kept++] = checked->problems[i];
	}
	checked->problem_count = kept;
}

static bool
is_verdict(const struct ctl_problem *problem)
{
	return gw_findings[problem->finding.row].stage == GW_STAGE_REFERENCE;
}

struct placing {
	struct ctl_problem *problems; /* of one file */
	unsigned count;
};

/* Problems whose place is this object's get that of their field. */
static void
on_item(void *context, struct tree_node *item)
{
	struct placing *placing = context;

	for (unsigned i = 0; i < placing->count; i++) {
		struct gw_finding *finding = &placing->problems[i].finding;

		if (!is_verdict(&placing->problems[i]) ||
		    finding->line != item->line ||
		    finding->column != item->column)
			continue;
		const struct tree_node *at = wire_tree_at(item, finding->field);

		finding->line = at->line;
		finding->column = at->column;
	}
}

static bool
on_document(void *context, struct tree_node *root)
{
	gw_admit_documents(root, on_item, context);
	return true;
}

static bool
read_again(struct slice path, struct text *bytes)
{
	char block[16384];
	ssize_t got = 0;
	/* The arena ends copies with a NUL. */
	int fd = open(path.data, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	while (bytes->length <= LIMIT_VALUE_FILE_BYTES &&
	    (got = read(fd, block, sizeof(block))) > 0)
		text_push(bytes, slice_make(block, (size_t)got));
	close(fd);
	return got == 0;
}

static void
place_file(struct placing *placing)
{
	struct tree_fault fault;
	struct arena arena;
	struct text bytes;

	text_init(&bytes);
	arena_init(&arena, ARENA_BYTES);
	/* What cannot be looked up keeps the place of its object. */
	if (read_again(placing->problems[0].file, &bytes))
		(void)!wire_tree_parse(
		    text_slice(&bytes), &arena, on_document, placing, &fault);
	arena_fini(&arena);
	text_fini(&bytes);
}

static void
place_all(struct ctl_checked *checked)
{
	unsigned first = 0;

	while (first < checked->problem_count) {
		struct placing placing = {&checked->problems[first], 0};
		bool wanted = false;

		while (first < checked->problem_count &&
		    slice_equal(checked->problems[first].file,
		        placing.problems[0].file)) {
			wanted |= is_verdict(&checked->problems[first]);
			placing.count++;
			first++;
		}
		if (wanted)
			place_file(&placing);
	}
}

enum error
ctl_check(const char *const *paths, unsigned count,
    const struct gw_options *options, struct ctl_checked *checked,
    struct text *stored, unsigned *failed)
{
	must(count > 0 && options != NULL && checked != NULL);
	struct checking checking = {
	    .checked = checked,
	    .stored = stored,
	    .once =
	        {
	            .paths = paths,
	            .path_count = count,
	            .options = *options,
	            .output = {.context = &checking,
	                .on_unit = on_unit,
	                .on_status = on_status},
	            .on_problem = on_problem,
	            .on_stored = stored ? on_stored : NULL,
	            .context = &checking,
	        },
	};
	struct ctl_once *once = &checking.once;

	*checked = (struct ctl_checked){0};
	arena_init(&checked->arena, ARENA_BYTES);
	enum error error = ctl_once_run(once);

	if (error == ERROR_OK) {
		checked->files = once->counts.files;
		checked->objects = once->counts.objects;
		for (unsigned i = 0; i < GW_KIND__COUNT; i++)
			gw_state_each(once->state, i, on_object, &checking);
		sort(checked);
		place_all(checked);
		sort(checked);
		drop_foretold(checked);
	} else {
		*failed = once->failed;
		ctl_checked_free(checked);
	}
	ctl_once_fini(once);
	return error;
}

void
ctl_checked_free(struct ctl_checked *checked)
{
	memory_free(checked->problems);
	arena_fini(&checked->arena);
	*checked = (struct ctl_checked){0};
}

enum gw_severity
ctl_check_severity(enum gw_finding_row row)
{
	return row == GW_FINDING_FIELD_UNKNOWN ? GW_ERROR
	                                       : gw_findings[row].severity;
}

void
ctl_member_write(struct text *out, const char *name, struct slice value)
{
	text_printf(out, ", \"%s\": ", name);
	text_push_json(out, slice_is_set(value) ? value : SLICE(""));
}

void
ctl_finding_write(struct text *out, const struct gw_finding *finding)
{
	const struct gw_finding_text *row = &gw_findings[finding->row];

	text_printf(out,
	    "\"code\": \"%s\", \"severity\": \"%s\", \"stage\": \"%s\"",
	    row->code, gw_severity_texts[ctl_check_severity(finding->row)],
	    gw_stage_texts[row->stage]);
	ctl_member_write(out, "object", finding->object);
	ctl_member_write(out, "field", finding->field);
	ctl_member_write(out, "reason", finding->reason);
	ctl_member_write(out, "message", finding->text);
	ctl_member_write(out, "fix", finding->fix);
}
