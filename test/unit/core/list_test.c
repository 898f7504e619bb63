/* Lists: order, removal, removal during a walk. */
#include "core/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct item {
	int number;
	struct list link;
};

static void
assert_numbers(const struct list *head, const int *wanted)
{
	LIST_FOR_EACH(at, head)
	assert_int_equal(
	    container_of(at, struct item, link)->number, *wanted++);
	assert_int_equal(*wanted, 0);
}

static void
test_list(void **state)
{
	struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	assert_numbers(&head, (int[]){0});
	list_insert(&head, &items[1].link);
	list_insert(&head, &items[2].link);
	list_insert(head.next, &items[0].link);
	assert_numbers(&head, (int[]){1, 2, 3, 0});
	list_remove(&items[1].link);
	assert_true(list_is_empty(&items[1].link));
	list_remove(&items[1].link); /* again: nothing happens */
	assert_numbers(&head, (int[]){1, 3, 0});
	LIST_FOR_EACH_SAFE(at, &head)
	list_remove(at);
	assert_true(list_is_empty(&head));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
