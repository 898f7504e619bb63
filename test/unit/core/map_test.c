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

static struct slice
key_of_value(const void *value)
{
	return slice_from_string(value);
}

static void
check_model(struct map *map)
{
	void *model[KEYS] = {0};
	struct random random;

	random_init_seed(&random, 1);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = random_below(&random, KEYS);
		struct slice key = key_of(i);
		/* Fuller in the first half, emptier in the second. */
		unsigned puts = step < 10000 ? 3 : 1;

		if (random_below(&random, 4) >= puts) {
			assert_ptr_equal(map_remove(map, key), model[i]);
			model[i] = NULL;
			continue;
		}
		assert_ptr_equal(map->key_of != NULL
		        ? map_add(map, keys[i])
		        : map_put(map, key, keys[i]),
		    model[i]);
		model[i] = keys[i];
		if (step % 1000 == 0)
			check_all(map, model);
	}
	check_all(map, model);
}

static void
test_model(void **state)
{
	struct map map;

	(void)state;
	map_init(&map);
	check_model(&map);
	map_fini(&map);
}

static void
test_values_that_know_their_keys(void **state)
{
	struct map map;

	(void)state;
	map_init_keyed(&map, key_of_value);
	check_model(&map);
	map_fini(&map);
	assert_null(map_get(&map, SLICE("k1")));
	assert_null(map_add(&map, keys[1]));
	assert_ptr_equal(map_get(&map, SLICE("k1")), keys[1]);
	map_fini(&map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_replace),
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_values_that_know_their_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
