/* Files and what they hold: which object counts, what stays when a file or an
 * object is bad, what is told. A sink writes all down, a line each. */
#include "ctl/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/text.h"

struct world {
	struct ctl_files *files;
	struct text said;
};

static void
on_put(void *context, struct gw_object **object)
{
	struct world *world = context;

	text_printf(&world->said, "put %s %.*s/%.*s of %.*s:%u\n",
	    gw_kinds[(*object)->kind].kind, SLICE_ARGS((*object)->namespace),
	    SLICE_ARGS((*object)->name),
	    SLICE_ARGS(gw_file_path((*object)->source.file)),
	    (*object)->source.line);
	gw_object_free(object);
}

static void
on_remove(
    void *context, enum gw_kind kind, struct slice namespace, struct slice name)
{
	struct world *world = context;

	text_printf(&world->said, "remove %s %.*s/%.*s\n", gw_kinds[kind].kind,
	    SLICE_ARGS(namespace), SLICE_ARGS(name));
}

static void
on_problem(void *context, const struct ctl_problem *problem)
{
	static const char *const words[] = {"ignored", "doubtful", "refused"};
	const struct gw_finding *finding = &problem->finding;
	const char *word = words[gw_findings[finding->row].severity];
	struct world *world = context;

	if (finding->row == GW_FINDING_FILE_UNREADABLE)
		word = "unreadable";
	else if (finding->row == GW_FINDING_FILE_MALFORMED)
		word = "malformed";
	else if (finding->row == GW_FINDING_OBJECT_REPEATED)
		word = "repeated";
	text_printf(&world->said, "%s %.*s:%u %.*s%s%.*s\n", word,
	    SLICE_ARGS(problem->file), finding->line,
	    SLICE_ARGS(finding->object), finding->field.length > 0 ? " " : "",
	    SLICE_ARGS(finding->field));
}

static int
set_up(void **state)
{
	static struct world world;
	struct ctl_sink sink = {
	    .context = &world,
	    .put = on_put,
	    .remove = on_remove,
	    .tell = on_problem,
	};

	world = (struct world){.files = ctl_files_new(&sink)};
	text_init(&world.said);
	*state = &world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	ctl_files_free(&world->files);
	text_fini(&world->said);
	return 0;
}

/* What was said since the last time must be this. */
static void
expect(
    struct world *world, const char *said, unsigned objects, unsigned problems)
{
	ctl_files_settle(world->files);
	struct ctl_counts counts = ctl_files_counts(world->files);

	assert_string_equal(world->said.data ? world->said.data : "", said);
	assert_int_equal(counts.objects, objects);
	assert_int_equal(counts.problems, problems);
	text_reset(&world->said);
}

static void
put(struct world *world, const char *path, const char *bytes)
{
	ctl_files_put(
	    world->files, slice_from_string(path), slice_from_string(bytes));
	ctl_files_settle(world->files);
}

#define SERVICE(name, port) \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\n" \
	"spec: {ports: [{port: " port "}]}\n---\n"

static void
objects_come_and_go(void **state)
{
	struct world *world = *state;

	put(world, "f", SERVICE("a", "1") SERVICE("b", "2"));
	expect(world,
	    "put Service default/a of f:1\nput Service default/b of f:6\n", 2,
	    0);
	/* The same again, and an order that is another one: nothing. */
	put(world, "f", SERVICE("a", "1") SERVICE("b", "2"));
	put(world, "f", "# b first\n" SERVICE("b", "2") SERVICE("a", "1"));
	expect(world, "", 2, 0);
	put(world, "f", SERVICE("b", "3") SERVICE("a", "1"));
	expect(world, "put Service default/b of f:1\n", 2, 0);
	put(world, "f", SERVICE("b", "3"));
	expect(world, "remove Service default/a\n", 1, 0);
	ctl_files_remove(world->files, SLICE("f"));
	expect(world, "remove Service default/b\n", 0, 0);
	ctl_files_remove(world->files, SLICE("f"));
	expect(world, "", 0, 0);
	assert_int_equal(ctl_files_counts(world->files).files, 0);
}

static void
lists_are_unpacked(void **state)
{
	struct world *world = *state;

	put(world, "f.json",
	    "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n"
	    "{\"apiVersion\": \"v1\", \"kind\": \"Service\",\n"
	    " \"metadata\": {\"name\": \"a\", \"namespace\": \"x\"},\n"
	    " \"spec\": {\"ports\": [{\"port\": 1}]}}\n"
	    "]}\n");
	expect(world, "put Service x/a of f.json:2\n", 1, 0);
}

static void
malformed_file_keeps_its_objects(void **state)
{
	struct world *world = *state;

	put(world, "f", SERVICE("a", "1"));
	put(world, "g", SERVICE("b", "1"));
	text_reset(&world->said);
	put(world, "f", SERVICE("a", "2") "a: [\n");
	expect(world, "malformed f:7 \n", 2, 1);
	put(world, "g", SERVICE("b", "2"));
	expect(world, "put Service default/b of g:1\n", 2, 1);
	put(world, "f", SERVICE("a", "2"));
	expect(world, "put Service default/a of f:1\n", 2, 0);
	ctl_files_fail(world->files, SLICE("f"), SLICE("no"));
	expect(world, "unreadable f:0 \n", 2, 1);
	ctl_files_remove(world->files, SLICE("f"));
	expect(world, "remove Service default/a\n", 1, 0);
	put(world, "h", "\t");
	expect(world, "malformed h:1 \n", 1, 1);
}

static void
refused_object_keeps_its_last_version(void **state)
{
	struct world *world = *state;

	put(world, "f", SERVICE("a", "1") SERVICE("b", "1"));
	text_reset(&world->said);
	put(world, "f", SERVICE("a", "x") SERVICE("b", "2"));
	expect(world,
	    "refused f:4 Service default/a spec.ports[0].port\n"
	    "put Service default/b of f:6\n",
	    2, 1);
	/* Told once, as long as it stays as it is. */
	put(world, "f", SERVICE("a", "x") SERVICE("b", "3"));
	expect(world, "put Service default/b of f:6\n", 2, 1);
	put(world, "f", SERVICE("a", "y") SERVICE("b", "3"));
	expect(
	    world, "refused f:4 Service default/a spec.ports[0].port\n", 2, 1);
	put(world, "f", SERVICE("a", "5") SERVICE("b", "3"));
	expect(world, "put Service default/a of f:1\n", 2, 0);
	put(world, "f", SERVICE("a", "x") SERVICE("b", "3"));
	text_reset(&world->said);
	put(world, "f", SERVICE("b", "3"));
	expect(world, "remove Service default/a\n", 1, 0);
	/* One that was never good leaves nothing. */
	put(world, "f", SERVICE("c", "x"));
	expect(world,
	    "refused f:4 Service default/c spec.ports[0].port\n"
	    "remove Service default/b\n",
	    0, 1);
	put(world, "f", "just text\n");
	assert_int_equal(ctl_files_counts(world->files).problems, 1);
	assert_int_equal(ctl_files_counts(world->files).objects, 0);
}

static void
other_kinds_are_ignored(void **state)
{
	struct world *world = *state;

	put(world, "f",
	    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n");
	assert_non_null(strstr(world->said.data, "ignored f:"));
	text_reset(&world->said);
	expect(world, "", 0, 0);
}

static void
unknown_field_is_told_once(void **state)
{
	struct world *world = *state;
	static const char yaml[] =
	    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
	    "metadata: {name: a}\nspec: {hostname: [x]}\n";

	put(world, "f", yaml);
	expect(world,
	    "doubtful f:4 HTTPRoute default/a spec.hostname\n"
	    "put HTTPRoute default/a of f:1\n",
	    1, 0);
	put(world, "f", yaml);
	expect(world, "", 1, 0);
}

static void
first_path_wins(void **state)
{
	struct world *world = *state;

	put(world, "m", SERVICE("a", "1"));
	expect(world, "put Service default/a of m:1\n", 1, 0);
	put(world, "z", SERVICE("a", "2"));
	expect(world, "repeated z:1 Service default/a\n", 1, 1);
	/* One that comes before takes over. */
	put(world, "b", SERVICE("a", "3"));
	expect(world,
	    "put Service default/a of b:1\nrepeated m:1 Service default/a\n", 1,
	    2);
	put(world, "z", SERVICE("a", "4"));
	expect(world, "repeated z:1 Service default/a\n", 1, 2);
	assert_false(slice_is_set(ctl_files_wanted(world->files)));
	/* It goes: what is next is wanted again; until then nothing changes. */
	ctl_files_remove(world->files, SLICE("b"));
	expect(world, "", 1, 1);
	assert_true(slice_equal(ctl_files_wanted(world->files), SLICE("m")));
	put(world, "m", SERVICE("a", "1"));
	expect(world, "put Service default/a of m:1\n", 1, 1);
	assert_false(slice_is_set(ctl_files_wanted(world->files)));
	/* Wanted, but meanwhile it is not admitted: then the one after it. */
	ctl_files_remove(world->files, SLICE("m"));
	expect(world, "", 1, 0);
	put(world, "z", SERVICE("a", "x"));
	expect(world,
	    "refused z:4 Service default/a spec.ports[0].port\n"
	    "remove Service default/a\n",
	    0, 1);
	assert_false(slice_is_set(ctl_files_wanted(world->files)));
}

/* From one file to another within a round: it is never gone. */
static void
object_moves(void **state)
{
	struct world *world = *state;

	put(world, "f", SERVICE("a", "1"));
	put(world, "g", SERVICE("b", "1"));
	text_reset(&world->said);
	ctl_files_put(world->files, SLICE("f"), SLICE(""));
	ctl_files_put(world->files, SLICE("g"),
	    SLICE(SERVICE("a", "1") SERVICE("b", "1")));
	expect(world, "put Service default/a of g:1\n", 2, 0);
	ctl_files_put(world->files, SLICE("h"), SLICE(SERVICE("b", "1")));
	ctl_files_put(world->files, SLICE("g"), SLICE(SERVICE("a", "1")));
	expect(world, "put Service default/b of h:1\n", 2, 0);
	ctl_files_remove(world->files, SLICE("h"));
	ctl_files_put(world->files, SLICE("i"), SLICE(SERVICE("b", "1")));
	expect(world, "put Service default/b of i:1\n", 2, 0);
}

static void
twice_in_one_file(void **state)
{
	struct world *world = *state;

	put(world, "f", SERVICE("a", "1") SERVICE("a", "2"));
	expect(world,
	    "put Service default/a of f:1\nrepeated f:6 Service default/a\n", 1,
	    1);
	put(world, "f", SERVICE("a", "2") SERVICE("a", "1"));
	assert_true(slice_equal(ctl_files_wanted(world->files), SLICE("f")));
	text_reset(&world->said);
	put(world, "f", SERVICE("a", "2") SERVICE("a", "1"));
	expect(world, "put Service default/a of f:1\n", 1, 1);
	put(world, "f", SERVICE("a", "2"));
	expect(world, "", 1, 0);
	put(world, "f", SERVICE("a", "2") SERVICE("a", "2"));
	expect(world, "repeated f:6 Service default/a\n", 1, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(objects_come_and_go),
	    TEST(lists_are_unpacked),
	    TEST(malformed_file_keeps_its_objects),
	    TEST(refused_object_keeps_its_last_version),
	    TEST(other_kinds_are_ignored),
	    TEST(unknown_field_is_told_once),
	    TEST(first_path_wins),
	    TEST(object_moves),
	    TEST(twice_in_one_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
