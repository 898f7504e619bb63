/* Fuzz: a name, a newline and bytes, as a unit that came over a stream. What is
 * accepted says the same after it was written out and read again, and may be
 * dumped and put into a store. */
#include <stdint.h>
#include <stdlib.h>

#include "core/must.h"
#include "snap/set.h"
#include "wire/record_binary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_round_trip(const struct unit *unit)
{
	struct text first, second;
	struct unit *again;
	enum error error;

	text_init(&first);
	text_init(&second);
	wire_record_encode(&first, snap_unit_type(unit->kind), unit->record);
	/* What was filled in may make it larger than what is taken. */
	error = snap_unit_new(unit->name, text_slice(&first), &again);
	must(error == ERROR_OK || error == ERROR_LIMIT);
	if (error == ERROR_OK) {
		wire_record_encode(
		    &second, snap_unit_type(again->kind), again->record);
		must(slice_equal(text_slice(&first), text_slice(&second)));
		snap_unit_free(&again);
	}
	text_reset(&first);
	snap_unit_dump(&first, unit);
	must(first.length > 0);
	text_fini(&first);
	text_fini(&second);
}

static void
check_store(struct slice name, struct slice bytes)
{
	struct snap_store *store = snap_store_new();
	const struct snap_set *set;

	enum error error = snap_store_put(store, name, bytes);

	/* Whether patterns can be compiled only the store says. */
	must(error == ERROR_OK || error == ERROR_INVALID);
	snap_store_commit(store);
	snap_store_drop(store, name);
	set = snap_store_commit(store);
	snap_store_quiet(store, snap_set_number(set), NULL, 0);
	must(!snap_store_has_garbage(store));
	snap_store_free(&store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_make((const char *)data, size);
	size_t end = slice_find(input, '\n');
	struct slice name = slice_make(input.data, end);
	struct slice bytes = slice_skip(input, end < size ? end + 1 : end);
	struct unit *unit;

	if (snap_unit_new(name, bytes, &unit) != ERROR_OK)
		return 0;
	check_round_trip(unit);
	/* A route may ask for a million entries, which takes its time. */
	if (unit->kind != UNIT_ROUTE ||
	    unit->route->listeners_count * unit->route->hostnames_count < 64)
		check_store(name, bytes);
	snap_unit_free(&unit);
	return 0;
}
