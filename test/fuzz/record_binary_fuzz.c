/* Any bytes as a binary record: refused, or a record whose encoding is read
 * again as the same record. */
#include <stdint.h>

#include "core/must.h"
#include "wire/record_binary.h"

#include "../unit/wire/record_sample.h"

#define RECORD_FILE "../test/unit/wire/record_sample.def"
#include "core/record_tables.h"
#undef RECORD_FILE

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, 4096);
	struct text first, second;
	text_init(&first);
	text_init(&second);
	void *record = NULL, *again = NULL;
	enum error error =
	    wire_record_decode(slice_make((const char *)data, size),
	        &sample_type, &arena, &record);
	must((error == ERROR_OK) == (record != NULL));
	if (error == ERROR_OK) {
		wire_record_encode(&first, &sample_type, record);
		error = wire_record_decode(
		    text_slice(&first), &sample_type, &arena, &again);
		must(error == ERROR_OK);
		wire_record_encode(&second, &sample_type, again);
		must(slice_equal(text_slice(&first), text_slice(&second)));
		must(first.length <= size);
	}
	arena_fini(&arena);
	text_fini(&first);
	text_fini(&second);
	return 0;
}
