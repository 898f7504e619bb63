/* Maps: against a plain array, through growth and removal. */
#include "core/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "core/random.h"

enum { KEYS = 500 };
static char keys[KEYS][8];

static struct slice
key_of(unsigned i)
{
	snprintf(keys[i], sizeof(keys[i]), "k%u", i);
	return slice_from_string(keys[i]);
}

static void
test_empty(void **state)
{
	struct map map;
	size_t at = 0;
	struct slice key;
	void *value;

	(void)state;
	map_init(&map);
	assert_null(map_get(&map, SLICE("a")));
	assert_null(map_remove(&map, SLICE("a")));
	assert_false(map_next(&map, &at, &key, &value));
	map_fini(&map);
}

static void
test_replace(void **state)
{
	struct map map;
	char first[] = "key", second[] = "key";
	int one, two;
	size_t at = 0;
	struct slice key;
	void *value;

	(void)state;
	map_init(&map);
	assert_null(map_put(&map, slice_from_string(first), &one));
	assert_ptr_equal(map_put(&map, slice_from_string(second), &two), &one);
	assert_int_equal(map.count, 1);
	/* The first key's bytes may go now. */
	first[0] = 'x';
	assert_ptr_equal(map_get(&map, SLICE("key")), &two);
	assert_true(map_next(&map, &at, &key, &value));
	assert_ptr_equal(key.data, second);
	assert_false(map_next(&map, &at, &key, &value));
	assert_ptr_equal(map_remove(&map, SLICE("key")), &two);
	assert_int_equal(map.count, 0);
	/* The empty key is a key. */
	assert_null(map_put(&map, SLICE(""), &one));
	assert_ptr_equal(map_get(&map, SLICE_NONE), &one);
	map_fini(&map);
}

static void
check_all(const struct map *map, void *const model[KEYS])
{
	size_t at = 0, count = 0, walked = 0;
	struct slice key;
	void *value;

	for (unsigned i = 0; i < KEYS; i++) {
		assert_ptr_equal(map_get(map, key_of(i)), model[i]);
		count += model[i] != NULL;
	}
	while (map_next(map, &at, &key, &value)) {
		assert_ptr_equal(map_get(map, key), value);
		walked++;
	}
	assert_int_equal(map->count, count);
	assert_int_equal(walked, count);
}

static void
test_model(void **state)
{
	static int values[KEYS];
	void *model[KEYS] = {0};
	struct random random;
	struct map map;

	(void)state;
	map_init(&map);
	random_init_seed(&random, 1);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = random_below(&random, KEYS);
		/* Fuller in the first half, emptier in the second. */
		unsigned puts = step < 10000 ? 3 : 1;

		if (random_below(&random, 4) < puts) {
			assert_ptr_equal(
			    map_put(&map, key_of(i), &values[i]), model[i]);
			model[i] = &values[i];
		} else {
			assert_ptr_equal(map_remove(&map, key_of(i)), model[i]);
			model[i] = NULL;
		}
		if (step % 1000 == 0)
			check_all(&map, model);
	}
	check_all(&map, model);
	map_fini(&map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_replace),
	    cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
