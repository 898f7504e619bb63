/* Fuzz: a body of the Kubernetes API, taken apart in one piece and byte by
 * byte, as each of its kinds: both tell the same values, end the same way, and
 * what is told is no larger than it may be. What is JSON says the same after it
 * was written out and read again. */
#include <stdint.h>

#include "core/hash.h"
#include "core/must.h"
#include "kube/decode.h"
#include "wire/tree_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUE_BYTES = 4096, REST_BYTES = 1024 };

struct seen {
	struct hash hash;
	unsigned count;
};

static void
check_json(struct slice json)
{
	struct text first, second;
	struct arena arena;

	arena_init(&arena, 4096);
	text_init(&first);
	text_init(&second);
	struct tree_node *tree = wire_tree_from_json(json, &arena);

	if (tree != NULL) {
		wire_tree_json(&first, tree);
		tree = wire_tree_from_json(text_slice(&first), &arena);
		must(tree != NULL);
		wire_tree_json(&second, tree);
		must(slice_equal(text_slice(&first), text_slice(&second)));
	}
	text_fini(&first);
	text_fini(&second);
	arena_fini(&arena);
}

static void
on_value(void *context, struct slice json)
{
	struct seen *seen = context;

	must(json.length <= VALUE_BYTES && json.length >= 2);
	must(json.data[0] == '{');
	hash_push(&seen->hash, json);
	if (seen->count++ == 0)
		check_json(json);
}

static uint64_t
run(enum kube_body body, struct slice bytes, size_t step)
{
	struct kube_decoder decoder;
	struct seen seen = {.count = 0};
	enum error error = ERROR_OK;

	hash_init(&seen.hash);
	kube_decoder_init(&decoder, body, on_value, &seen);
	decoder.value_bytes_max = VALUE_BYTES;
	decoder.rest_bytes_max = REST_BYTES;
	while (bytes.length > 0 && error == ERROR_OK) {
		size_t length = bytes.length < step ? bytes.length : step;

		error =
		    kube_decoder_feed(&decoder, slice_make(bytes.data, length));
		bytes = slice_skip(bytes, length);
	}
	must(error == ERROR_OK || kube_decoder_end(&decoder) == error);
	error = kube_decoder_end(&decoder);
	if (error == ERROR_OK)
		hash_push(&seen.hash, text_slice(&decoder.rest));
	hash_push_number(&seen.hash, error);
	kube_decoder_fini(&decoder);
	return hash_take(&seen.hash);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_make((const char *)data, size);
	static const enum kube_body bodies[] = {
	    KUBE_WHOLE, KUBE_LIST, KUBE_EVENTS};

	for (unsigned i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		uint64_t whole = run(bodies[i], bytes, size + 1);

		must(run(bodies[i], bytes, 1) == whole);
		must(run(bodies[i], bytes, 7) == whole);
	}
	return 0;
}
