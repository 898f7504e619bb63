/* The radix tree, held against a plain list: puts and removals in random order,
 * look-ups and walks of keys that are and are not there, old roots that must
 * stay as they were until limbo lets them go. */
#include "snap/radix_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/random.h"

#define KEY_MAX 12
#define PLAIN_MAX 200

struct entry {
	char key[KEY_MAX];
	size_t length;
	enum snap_radix_place place;
	int *value;
};

/* The same, as a list. */
struct plain {
	struct entry entries[PLAIN_MAX];
	unsigned count;
};

static int numbers[PLAIN_MAX];

/* Keys of few letters, the boundary among them, share much. */
static void
make_key(struct random *random, struct entry *entry)
{
	static const char letters[] = "ab.";

	entry->length = random_below(random, KEY_MAX + 1);
	for (size_t i = 0; i < entry->length; i++)
		entry->key[i] = letters[random_below(random, 3)];
	entry->place =
	    random_below(random, 2) ? SNAP_RADIX_EXACT : SNAP_RADIX_PREFIX;
}

static struct slice
key_of(const struct entry *entry)
{
	return slice_make(entry->key, entry->length);
}

static struct entry *
plain_find(struct plain *plain, const struct entry *wanted)
{
	for (unsigned i = 0; i < plain->count; i++) {
		struct entry *entry = &plain->entries[i];

		if (entry->place == wanted->place &&
		    slice_equal(key_of(entry), key_of(wanted)))
			return entry;
	}
	return NULL;
}

static void
plain_put(struct plain *plain, const struct entry *wanted)
{
	struct entry *entry = plain_find(plain, wanted);

	if (entry && wanted->value)
		*entry = *wanted;
	else if (entry)
		*entry = plain->entries[--plain->count];
	else if (wanted->value)
		plain->entries[plain->count++] = *wanted;
}

static unsigned
plain_walk(
    struct plain *plain, struct slice key, bool ends_count, const void **hits)
{
	unsigned count = 0;

	/* The shortest key first, an exact one last. */
	for (size_t length = 0; length <= key.length; length++) {
		struct entry wanted = {
		    .length = length, .place = SNAP_RADIX_PREFIX};
		struct entry *found;

		if (length > KEY_MAX)
			break;
		if (length > 0 &&
		    (length < key.length ? key.data[length] != '.'
		                         : !ends_count))
			continue;
		if (length > 0)
			memcpy(wanted.key, key.data, length);
		found = plain_find(plain, &wanted);
		if (found)
			hits[count++] = found->value;
	}
	if (key.length <= KEY_MAX) {
		struct entry wanted = {
		    .length = key.length, .place = SNAP_RADIX_EXACT};
		struct entry *found;

		if (key.length > 0)
			memcpy(wanted.key, key.data, key.length);
		found = plain_find(plain, &wanted);
		if (found)
			hits[count++] = found->value;
	}
	return count;
}

static void
assert_same(
    struct random *random, const struct snap_radix *root, struct plain *plain)
{
	const void *hits[SNAP_RADIX_HITS], *expected[SNAP_RADIX_HITS];

	for (unsigned i = 0; i < 30; i++) {
		struct entry asked;
		struct entry *found;
		bool ends_count = random_below(random, 2);
		unsigned count;

		make_key(random, &asked);
		found = plain_find(plain, &asked);
		assert_ptr_equal(
		    snap_radix_get(root, key_of(&asked), asked.place),
		    found ? found->value : NULL);
		count = snap_radix_walk(
		    root, key_of(&asked), '.', ends_count, hits);
		assert_int_equal(count,
		    plain_walk(plain, key_of(&asked), ends_count, expected));
		for (unsigned j = 0; j < count; j++)
			assert_ptr_equal(hits[j], expected[j]);
	}
}

/* Children in order, nothing that leads nowhere, nothing that could be shorter.
 */
static unsigned
assert_shape(const struct snap_radix *node, bool is_root)
{
	const uint8_t *firsts = snap_radix_firsts(node);
	unsigned values = (node->values[0] != NULL) + (node->values[1] != NULL);

	assert_true(values > 0 || node->child_count > 1);
	assert_true(is_root || node->label_length > 0);
	for (unsigned i = 0; i < node->child_count; i++) {
		assert_true(i == 0 || firsts[i - 1] < firsts[i]);
		assert_int_equal(
		    (uint8_t)snap_radix_label(node->children[i]).data[0],
		    firsts[i]);
		values += assert_shape(node->children[i], false);
	}
	return values;
}

#define OLD_MAX 6

static void
run(uint64_t seed)
{
	struct random random;
	struct snap_limbo limbo;
	struct snap_radix *root = NULL;
	struct plain plain = {.count = 0};
	struct {
		uint64_t number;
		struct snap_radix *root;
		struct plain plain;
	} old[OLD_MAX];
	unsigned old_count = 0;

	random_init_seed(&random, seed);
	snap_limbo_init(&limbo);
	for (unsigned step = 0; step < 300; step++) {
		struct entry entry;

		make_key(&random, &entry);
		entry.value = plain.count < PLAIN_MAX &&
		        random_below(&random, 5) > (step / 100) % 2 * 2
		    ? &numbers[random_below(&random, PLAIN_MAX)]
		    : NULL;
		if (!entry.value && plain.count > 0 && random_below(&random, 2))
			entry =
			    plain.entries[random_below(&random, plain.count)];
		if (random_below(&random, 3) == 0)
			entry.value = NULL;
		root = snap_radix_put(
		    &limbo, root, key_of(&entry), entry.place, entry.value);
		plain_put(&plain, &entry);
		assert_int_equal(
		    root ? assert_shape(root, true) : 0, plain.count);
		if (random_below(&random, 4) > 0)
			continue;
		assert_same(&random, root, &plain);
		for (unsigned i = 0; i < old_count; i++)
			assert_same(&random, old[i].root, &old[i].plain);
		limbo.current++;
		if (old_count == OLD_MAX) {
			/* The two oldest have no reader any more. */
			snap_limbo_release(&limbo, old[2].number);
			memmove(old, old + 2, sizeof(old) - 2 * sizeof(old[0]));
			old_count -= 2;
		}
		old[old_count].number = limbo.current;
		old[old_count].root = root;
		old[old_count++].plain = plain;
	}
	while (plain.count > 0) {
		const struct entry *entry = &plain.entries[--plain.count];

		root = snap_radix_put(
		    &limbo, root, key_of(entry), entry->place, NULL);
	}
	assert_null(root);
	limbo.current++;
	snap_limbo_release(&limbo, limbo.current);
	assert_false(snap_limbo_has_garbage(&limbo));
	snap_limbo_fini(&limbo);
}

static void
test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++)
		run(seed);
}

/* All 256 children, all lengths of labels. */
static void
test_wide_and_deep(void **state)
{
	static char key[SNAP_RADIX_KEY_BYTES];
	struct snap_limbo limbo;
	struct snap_radix *root = NULL;
	const void *hits[SNAP_RADIX_HITS];

	(void)state;
	snap_limbo_init(&limbo);
	memset(key, '/', sizeof(key));
	for (size_t length = 0; length <= sizeof(key); length++)
		root = snap_radix_put(&limbo, root, slice_make(key, length),
		    SNAP_RADIX_PREFIX, &numbers[1]);
	root = snap_radix_put(&limbo, root, slice_make(key, sizeof(key)),
	    SNAP_RADIX_EXACT, &numbers[2]);
	assert_int_equal(snap_radix_walk(root, slice_make(key, sizeof(key)),
	                     '/', true, hits),
	    SNAP_RADIX_HITS);
	assert_ptr_equal(hits[SNAP_RADIX_HITS - 1], &numbers[2]);
	for (unsigned byte = 0; byte < 256; byte++) {
		char one = (char)byte;

		if (one != '/')
			root = snap_radix_put(&limbo, root, slice_make(&one, 1),
			    SNAP_RADIX_EXACT, &numbers[byte % PLAIN_MAX]);
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		char one = (char)byte;

		if (one != '/')
			assert_ptr_equal(
			    snap_radix_get(
			        root, slice_make(&one, 1), SNAP_RADIX_EXACT),
			    &numbers[byte % PLAIN_MAX]);
	}
	assert_int_equal(root->child_count, 256);
	snap_radix_free(root, NULL);
	snap_limbo_fini(&limbo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_wide_and_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
