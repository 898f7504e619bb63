/* Sources on disk: which files are read, and when. The sink writes down what
 * came and went, a word each. */
#include "ctl/sources.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/limit.h"
#include "core/text.h"
#include "ctl/sources_priv.h"
#include "folder.h"

static struct ctl_files *files;
static struct ctl_sources *sources;
static struct text said;
static const atomic_bool stop;

static void
on_put(void *context, struct gw_object **object)
{
	(void)context;
	text_printf(&said, "+%.*s ", SLICE_ARGS((*object)->name));
	gw_object_free(object);
}

static void
on_remove(
    void *context, enum gw_kind kind, struct slice namespace, struct slice name)
{
	(void)context;
	(void)kind;
	(void)namespace;
	text_printf(&said, "-%.*s ", SLICE_ARGS(name));
}

static void
on_problem(void *context, const struct ctl_problem *problem)
{
	struct slice path = problem->file;

	(void)context;
	for (size_t i = path.length; i-- > 0 && problem->file.data[i] != '/';)
		path = slice_make(
		    problem->file.data + i, problem->file.length - i);
	text_printf(&said, "!%.*s ", SLICE_ARGS(path));
}

static int
set_up(void **state)
{
	static const struct ctl_sink sink = {
	    .put = on_put, .remove = on_remove, .tell = on_problem};

	(void)state;
	folder_make();
	text_init(&said);
	files = ctl_files_new(&sink);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ctl_sources_free(&sources);
	ctl_files_free(&files);
	text_fini(&said);
	folder_remove();
	return 0;
}

static void
expect(const char *words)
{
	assert_string_equal(said.data ? said.data : "", words);
	text_reset(&said);
	/* What was read is not read again. */
	ctl_sources_read_changed(sources, 1000);
	assert_int_equal(said.length, 0);
}

static void
open_sources(const char *const *paths, unsigned count, const char *words)
{
	assert_int_equal(
	    ctl_sources_new(files, paths, count, &stop, &sources), ERROR_OK);
	ctl_sources_read_all(sources);
	expect(words);
}

static void
expect_change(const char *words)
{
	ctl_sources_read_changed(sources, 1000);
	expect(words);
}

#define SERVICE(name) \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\n" \
	"spec: {ports: [{port: 80}]}\n"
/* One that differs, under the same name. */
#define SERVICE_2(name) \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\n" \
	"spec: {ports: [{port: 81}]}\n"

/* More than are parsed ahead at once: each tells for itself. */
static void
many_files_are_parsed_ahead(void **state)
{
	const char *path = folder_path("");

	(void)state;
	for (unsigned i = 10; i < 60; i++) {
		char name[16], content[256];

		snprintf(name, sizeof(name), "%u.yaml", i);
		snprintf(content, sizeof(content),
		    i == 30 ? "a: [\n"
		            : "apiVersion: v1\nkind: Service\n"
		              "metadata: {name: s%u}\n"
		              "spec: {ports: [{port: 80}]}\n",
		    i);
		folder_write(name, content);
	}
	folder_make_inner("folder.yaml");
	assert_int_equal(
	    ctl_sources_new(files, &path, 1, &stop, &sources), ERROR_OK);
	ctl_sources_read_all(sources);
	struct ctl_counts counts = ctl_files_counts(files);

	assert_int_equal(counts.files, 50);
	assert_int_equal(counts.objects, 49);
	assert_int_equal(counts.problems, 1);
	text_reset(&said);
	for (unsigned i = 10; i < 60; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u.yaml", i);
		folder_write(name, i == 40 ? SERVICE("t") : SERVICE("s"));
	}
	ctl_sources_read_changed(sources, 1000);
	counts = ctl_files_counts(files);
	assert_int_equal(counts.files, 50);
	assert_int_equal(counts.objects, 2);
	assert_int_equal(counts.problems, 48);
}

static void
folder_is_watched(void **state)
{
	const char *path = folder_path("");

	(void)state;
	folder_write("a.yaml", SERVICE("a"));
	folder_write("b.yml", SERVICE("b"));
	folder_write(".c.yaml", SERVICE("c"));
	folder_write("README.md", "not: [read");
	folder_make_inner("d");
	folder_write("d/e.json",
	    "{\"apiVersion\": \"v1\", \"kind\": \"Service\","
	    "\"metadata\": {\"name\": \"e\"}, \"spec\": "
	    "{\"ports\": [{\"port\": 1}]}}");
	assert_int_equal(
	    ctl_sources_new(files, &path, 1, &stop, &sources), ERROR_OK);
	ctl_sources_read_all(sources);
	assert_int_equal(ctl_files_counts(files).files, 3);
	assert_int_equal(ctl_files_counts(files).objects, 3);
	text_reset(&said);

	folder_write("a.yaml", SERVICE_2("a"));
	expect_change("+a ");
	folder_replace("a.yaml", SERVICE("a"));
	expect_change("+a ");
	folder_write("a.yaml", SERVICE("a"));
	folder_write("README.md", "still: [not read");
	expect_change("");
	folder_delete("b.yml");
	expect_change("-b ");
	folder_write("d/f.yaml", SERVICE("f"));
	expect_change("+f ");
	folder_make_inner("d/g");
	folder_write("d/g/h.yaml", SERVICE("h"));
	expect_change("+h ");
	folder_write("d/g/h.yaml", SERVICE_2("h"));
	expect_change("+h ");
	folder_rename("d/g", "g");
	expect_change("+h ");
	folder_write("g/h.yaml", SERVICE("h"));
	expect_change("+h ");
	folder_delete("g/h.yaml");
	folder_delete("g");
	expect_change("-h ");
	folder_write("a.yaml", "a: [\n");
	expect_change("!a.yaml ");
	folder_write("a.yaml", SERVICE("a"));
	expect_change("");
	assert_int_equal(ctl_files_counts(files).problems, 0);
}

/* Some editors rename the old file away before they write the new one. */
static void
renamed_away_is_not_gone_at_once(void **state)
{
	const char *path = folder_path("");

	(void)state;
	folder_write("a.yaml", SERVICE("a"));
	open_sources(&path, 1, "+a ");
	assert_int_equal(ctl_sources_deadline_ms(sources), 0);
	folder_rename("a.yaml", "a.yaml~");
	expect_change("");
	assert_int_equal(
	    ctl_sources_deadline_ms(sources), 1000 + LIMIT_VALUE_FILE_GONE_MS);
	folder_write("a.yaml", SERVICE_2("a"));
	expect_change("+a ");
	assert_int_equal(ctl_sources_deadline_ms(sources), 0);
	/* Gone for good, though everything is looked at meanwhile. */
	folder_rename("a.yaml", "b.txt");
	folder_make_inner("c");
	expect_change("");
	ctl_sources_read_changed(sources, 1000 + LIMIT_VALUE_FILE_GONE_MS);
	expect("-a ");
}

/* As kubelet does: ..data points to a folder, the names point into ..data. */
static void
config_map_is_swapped(void **state)
{
	const char *path = folder_path("");

	(void)state;
	folder_make_inner("..1");
	folder_write("..1/a.yaml", SERVICE("a"));
	folder_write("..1/b.yaml", SERVICE("b"));
	folder_link("..1", "..data");
	folder_link("..data/a.yaml", "a.yaml");
	folder_link("..data/b.yaml", "b.yaml");
	assert_int_equal(
	    ctl_sources_new(files, &path, 1, &stop, &sources), ERROR_OK);
	ctl_sources_read_all(sources);
	assert_int_equal(ctl_files_counts(files).objects, 2);
	text_reset(&said);

	folder_make_inner("..2");
	folder_write("..2/a.yaml", SERVICE_2("a"));
	folder_write("..2/b.yaml", SERVICE("b"));
	folder_link("..2", "..data_tmp");
	folder_rename("..data_tmp", "..data");
	folder_delete("..1/a.yaml");
	folder_delete("..1/b.yaml");
	folder_delete("..1");
	expect_change("+a ");
}

/* What an editor writes before it renames is no reason to look at all files;
 * where a link is, it could be what the link points to. */
static void
hidden_file_becomes_another(void **state)
{
	const char *path = folder_path("");

	(void)state;
	folder_write("a.yaml", SERVICE("a"));
	open_sources(&path, 1, "+a ");
	unsigned epoch = sources->epoch;

	folder_write(".new", SERVICE_2("a"));
	folder_rename(".new", "a.yaml");
	expect_change("+a ");
	assert_int_equal(sources->epoch, epoch);
	folder_write(".b", SERVICE("b"));
	folder_link(".b", "b.yaml");
	expect_change("+b ");
	folder_write(".new", SERVICE_2("b"));
	folder_rename(".new", ".b");
	expect_change("+b ");
	assert_int_not_equal(sources->epoch, epoch);
}

static void
one_file_is_watched(void **state)
{
	const char *path = folder_path("x.conf");

	(void)state;
	folder_write("x.conf", SERVICE("a"));
	folder_write("y.yaml", SERVICE("b"));
	open_sources(&path, 1, "+a ");
	folder_write("y.yaml", SERVICE_2("b"));
	expect_change("");
	folder_replace("x.conf", SERVICE_2("a"));
	expect_change("+a ");
	folder_delete("x.conf");
	expect_change("-a ");
	folder_write("x.conf", SERVICE("a"));
	expect_change("+a ");
}

/* -f current, a link that a deployment moves from one folder to the next. */
static void
link_to_folder_is_moved(void **state)
{
	const char *path = folder_path("current");

	(void)state;
	folder_make_inner("1");
	folder_write("1/a.yaml", SERVICE("a"));
	folder_make_inner("2");
	folder_write("2/a.yaml", SERVICE_2("a"));
	folder_write("2/b.yaml", SERVICE("b"));
	folder_link("1", "current");
	open_sources(&path, 1, "+a ");
	folder_link("2", "next");
	folder_rename("next", "current");
	ctl_sources_read_changed(sources, 1000);
	assert_int_equal(ctl_files_counts(files).objects, 2);
	text_reset(&said);
	folder_write("2/b.yaml", SERVICE_2("b"));
	expect_change("+b ");
	folder_write("1/a.yaml", SERVICE("x"));
	expect_change("");
}

static void
link_that_leads_back_ends(void **state)
{
	const char *path = folder_path("");

	(void)state;
	folder_make_inner("a");
	folder_link("..", "a/up");
	folder_link(".", "a/here");
	folder_link("nowhere", "a/dangling.yaml");
	folder_write("a/b.yaml", SERVICE("b"));
	open_sources(&path, 1, "+b ");
	assert_int_equal(ctl_files_counts(files).files, 1);
	folder_write("a/b.yaml", SERVICE_2("b"));
	expect_change("+b ");
}

static void
folder_goes_and_comes_back(void **state)
{
	const char *path = folder_path("f");

	(void)state;
	folder_make_inner("f");
	folder_write("f/a.yaml", SERVICE("a"));
	open_sources(&path, 1, "+a ");
	folder_delete("f/a.yaml");
	folder_delete("f");
	expect_change("-a ");
	folder_make_inner("f");
	folder_write("f/b.yaml", SERVICE("b"));
	expect_change("+b ");
	folder_write("f/b.yaml", SERVICE_2("b"));
	expect_change("+b ");
}

static void
second_file_takes_over(void **state)
{
	const char *path = folder_path("");

	(void)state;
	folder_write("a.yaml", SERVICE("x"));
	folder_write("b.yaml", SERVICE_2("x"));
	assert_int_equal(
	    ctl_sources_new(files, &path, 1, &stop, &sources), ERROR_OK);
	ctl_sources_read_all(sources);
	assert_int_equal(ctl_files_counts(files).problems, 1);
	text_reset(&said);
	folder_delete("a.yaml");
	expect_change("+x ");
	assert_int_equal(ctl_files_counts(files).problems, 0);
}

static void
what_is_no_file_is_told_once(void **state)
{
	const char *path = folder_path("");

	(void)state;
	assert_int_equal(mkfifo(folder_path("a.yaml"), 0600), 0);
	open_sources(&path, 1, "!a.yaml ");
	folder_make_inner("b");
	expect_change("");
	folder_delete("a.yaml");
	expect_change("");
	assert_int_equal(ctl_files_counts(files).problems, 0);
}

/* Nothing of it is kept: its objects count before those of files. */
static void
input_is_read_once(void **state)
{
	const char *paths[] = {folder_path(""), "-"};
	int input = dup(STDIN_FILENO), ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], SERVICE("a"), sizeof(SERVICE("a")) - 1),
	    sizeof(SERVICE("a")) - 1);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	folder_write("a.yaml", SERVICE_2("a") "---\n" SERVICE("b"));
	assert_int_equal(
	    ctl_sources_new(files, paths, 2, &stop, &sources), ERROR_OK);
	ctl_sources_read_all(sources);
	assert_int_equal(ctl_files_counts(files).problems, 1);
	assert_int_equal(ctl_files_counts(files).objects, 2);
	text_reset(&said);
	ctl_sources_read_all(sources);
	expect("");
	folder_write("a.yaml", "");
	expect_change("-b ");
	dup2(input, STDIN_FILENO);
	close(input);
}

static void
paths_are_probed(void **state)
{
	(void)state;
	folder_write("a", "");
	assert_int_equal(ctl_source_probe(folder_path("a")), ERROR_OK);
	assert_int_equal(ctl_source_probe(folder_path("")), ERROR_OK);
	assert_int_equal(ctl_source_probe("-"), ERROR_OK);
	assert_int_equal(ctl_source_probe(folder_path("b")), ERROR_NOT_FOUND);
	if (geteuid() == 0)
		return;
	chmod(folder_path("a"), 0);
	assert_int_equal(ctl_source_probe(folder_path("a")), ERROR_DENIED);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(many_files_are_parsed_ahead),
	    TEST(folder_is_watched),
	    TEST(renamed_away_is_not_gone_at_once),
	    TEST(config_map_is_swapped),
	    TEST(hidden_file_becomes_another),
	    TEST(one_file_is_watched),
	    TEST(link_to_folder_is_moved),
	    TEST(link_that_leads_back_ends),
	    TEST(folder_goes_and_comes_back),
	    TEST(second_file_takes_over),
	    TEST(what_is_no_file_is_told_once),
	    TEST(input_is_read_once),
	    TEST(paths_are_probed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
