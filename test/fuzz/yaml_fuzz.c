/* Any bytes as YAML or JSON: a tree or a fault with a place, never more than
 * its bounds; and any tree as a record, which printed and read again is the
 * same. */
#include <stdint.h>

#include "core/limit.h"
#include "core/must.h"
#include "wire/record_tree.h"

#include "../unit/wire/record_sample.h"

#define RECORD_FILE "../test/unit/wire/record_sample.def"
#include "core/record_tables.h"
#undef RECORD_FILE

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct arena arena;
	uint32_t faults;
	const struct sample *sample;
};

static void
check_node(const struct tree_node *node, unsigned depth)
{
	must(depth <= LIMIT_VALUE_FILE_DEPTH + 1);
	must(node->line > 0 && node->column > 0);
	if (node->kind == TREE_TEXT)
		must(slice_is_set(node->text));
	uint32_t count = 0;
	for (const struct tree_node *at = node->child; at; at = at->next) {
		if (node->kind == TREE_MAP)
			must(slice_is_set(at->key) && at->key_line > 0);
		check_node(at, depth + 1);
		count++;
	}
	must(count == node->count);
	must(count == 0 || node->kind == TREE_MAP || node->kind == TREE_LIST);
}

static bool
on_document(void *context, struct tree_node *root)
{
	struct run *run = context;
	check_node(root, 0);
	run->sample =
	    wire_record_from_tree(root, &sample_type, &run->arena, NULL);
	return run->sample == NULL;
}

/* Reads bytes, and what was read printed in one of two ways. */
static void
read_again(const struct sample *sample, bool as_yaml)
{
	struct text printed, again;
	text_init(&printed);
	text_init(&again);
	if (as_yaml)
		wire_record_to_yaml(&printed, &sample_type, sample, 0);
	else
		wire_record_to_json(&printed, &sample_type, sample);
	struct run run = {0};
	arena_init(&run.arena, 4096);
	struct tree_fault fault;
	enum error error = wire_tree_parse(
	    text_slice(&printed), &run.arena, on_document, &run, &fault);
	must(error == ERROR_OK && run.sample != NULL);
	if (as_yaml)
		wire_record_to_yaml(&again, &sample_type, run.sample, 0);
	else
		wire_record_to_json(&again, &sample_type, run.sample);
	must(slice_equal(text_slice(&printed), text_slice(&again)));
	arena_fini(&run.arena);
	text_fini(&printed);
	text_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {0};
	arena_init(&run.arena, 4096);
	struct tree_fault fault;
	enum error error = wire_tree_parse(slice_make((const char *)data, size),
	    &run.arena, on_document, &run, &fault);
	if (error != ERROR_OK)
		must(fault.line > 0 && fault.column > 0 &&
		    fault.text[0] != '\0');
	if (run.sample != NULL) {
		read_again(run.sample, true);
		read_again(run.sample, false);
	}
	arena_fini(&run.arena);
	return 0;
}
