/* What the kernel tells of a folder, in our words. */
#include "ctl/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/text.h"
#include "folder.h"

static struct ctl_watch watch;

static int
set_up(void **state)
{
	(void)state;
	folder_make();
	return ctl_watch_open(&watch) != ERROR_OK;
}

static int
tear_down(void **state)
{
	(void)state;
	ctl_watch_close(&watch);
	folder_remove();
	return 0;
}

static void
expect(int folder, const char *events)
{
	static const char *const words[] = {
	    "written", "in", "made", "deleted", "out", "gone", "lost"};
	struct ctl_event event;
	struct text said;

	text_init(&said);
	text_push_string(&said, "");
	while (ctl_watch_take(&watch, &event)) {
		assert_int_equal(event.folder, folder);
		text_printf(&said, "%s%s%.*s%s ", words[event.change],
		    event.name.length > 0 ? ":" : "", SLICE_ARGS(event.name),
		    event.is_folder ? "/" : "");
	}
	assert_string_equal(said.data ? said.data : "", events);
	text_fini(&said);
}

static void
events_of_a_folder(void **state)
{
	int folder, again;

	(void)state;
	assert_int_equal(
	    ctl_watch_add(&watch, folder_path(""), &folder), ERROR_OK);
	assert_int_equal(
	    ctl_watch_add(&watch, folder_path(""), &again), ERROR_OK);
	assert_int_equal(folder, again);
	expect(folder, "");
	folder_write("a", "1");
	expect(folder, "made:a written:a ");
	folder_replace("a", "2");
	expect(folder, "made:.new~ written:.new~ out:.new~ in:a ");
	folder_make_inner("b");
	expect(folder, "made:b/ ");
	folder_link("a", "c");
	expect(folder, "made:c ");
	folder_delete("b");
	folder_delete("a");
	expect(folder, "deleted:b/ deleted:a ");
	ctl_watch_remove(&watch, folder);
	folder_write("a", "3");
	expect(folder, "gone ");
}

static void
folder_that_goes(void **state)
{
	int folder;

	(void)state;
	folder_make_inner("b");
	assert_int_equal(
	    ctl_watch_add(&watch, folder_path("b"), &folder), ERROR_OK);
	folder_rename("b", "d");
	expect(folder, "gone ");
	folder_delete("d");
	expect(folder, "gone gone ");
	assert_int_equal(
	    ctl_watch_add(&watch, folder_path("b"), &folder), ERROR_NOT_FOUND);
	ctl_watch_remove(&watch, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        events_of_a_folder, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
	        folder_that_goes, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
