/* A key or two, and what each of them seals and opens. */
#include "announce/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define OLD "the key that was here first"
#define NEW "the key that comes after it"

static void
test_lines(void **state)
{
	static const struct {
		const char *text;
		unsigned count; /* 0: refused */
	} rows[] = {
	    {OLD, 1},
	    {OLD "\n", 1},
	    {OLD "\n\n\n", 1},
	    {"\n" OLD, 1},
	    {OLD "\n" NEW, 2},
	    {OLD "\n\n" NEW "\n", 2},
	    {"", 0},
	    {"\n", 0},
	    {"sixteen bytes...", 1},
	    {"fifteen bytes..", 0},
	    {OLD "\nshort\n", 0},
	    {OLD "\n" NEW "\n" OLD, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct announce_keys keys;

		announce_keys_init(&keys);
		assert_int_equal(
		    announce_keys_take(&keys, slice_from_string(rows[i].text)),
		    rows[i].count > 0 ? ERROR_OK : ERROR_INVALID);
		assert_int_equal(keys.count, rows[i].count);
		announce_keys_fini(&keys);
	}
}

static void
test_refused_change_nothing(void **state)
{
	struct announce_keys keys;

	(void)state;
	announce_keys_init(&keys);
	assert_int_equal(announce_keys_take(&keys, SLICE(OLD)), ERROR_OK);
	assert_int_equal(
	    announce_keys_take(&keys, SLICE("short")), ERROR_INVALID);
	assert_int_equal(keys.count, 1);
	assert_true(slice_equal(keys.keys[0], SLICE(OLD)));
	announce_keys_fini(&keys);
}

/* Does what one seals another open? */
static bool
hears(const char *speaker, const char *hearer)
{
	struct announce_keys of_speaker, of_hearer;
	char seal[WIRE_BEAT_SEAL_BYTES];
	struct slice body = SLICE("a beat");

	announce_keys_init(&of_speaker);
	announce_keys_init(&of_hearer);
	assert_int_equal(
	    announce_keys_take(&of_speaker, slice_from_string(speaker)),
	    ERROR_OK);
	assert_int_equal(
	    announce_keys_take(&of_hearer, slice_from_string(hearer)),
	    ERROR_OK);
	announce_keys_seal(&of_speaker, body, seal);
	struct slice sealed = slice_make(seal, sizeof(seal));
	bool hears = announce_keys_open(&of_hearer, body, sealed);

	assert_false(announce_keys_open(&of_hearer, SLICE("a Beat"), sealed));
	seal[sizeof(seal) - 1] ^= 1;
	assert_false(announce_keys_open(&of_hearer, body, sealed));
	announce_keys_fini(&of_speaker);
	announce_keys_fini(&of_hearer);
	return hears;
}

/* In this order nobody is ever unheard, whoever is first to have the next. */
static void
test_rotation(void **state)
{
	static const char *const steps[] = {
	    OLD, OLD "\n" NEW, NEW "\n" OLD, NEW};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(hears(steps[i], steps[i]));
		if (i == 3)
			continue;
		assert_true(hears(steps[i], steps[i + 1]));
		assert_true(hears(steps[i + 1], steps[i]));
	}
	assert_false(hears(OLD, NEW));
	assert_false(hears(NEW, OLD));
	/* Only the first seals. */
	assert_false(hears(NEW "\n" OLD, OLD));
	assert_false(hears(OLD "\n" NEW, NEW));
}

static void
test_mark(void **state)
{
	struct announce_keys keys;
	char old[9], both[9], new[9];

	(void)state;
	announce_keys_init(&keys);
	assert_int_equal(announce_keys_take(&keys, SLICE(OLD "\n")), ERROR_OK);
	announce_keys_mark(&keys, old);
	assert_int_equal(
	    announce_keys_take(&keys, SLICE(OLD "\n" NEW)), ERROR_OK);
	announce_keys_mark(&keys, both);
	assert_int_equal(announce_keys_take(&keys, SLICE(NEW)), ERROR_OK);
	announce_keys_mark(&keys, new);
	assert_string_equal(old, both);
	assert_string_not_equal(old, new);
	announce_keys_fini(&keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_refused_change_nothing),
	    cmocka_unit_test(test_rotation),
	    cmocka_unit_test(test_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
