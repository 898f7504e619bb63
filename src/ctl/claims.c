/* Claims: the items of one object name, in the order of path and place. The
 * first good one is the holder: its object is the one that the sink has.
 * Objects that do not count are not kept; should one come to count, its file is
 * read again. */
#include "ctl/files_priv.h"

#include "core/memory.h"
#include "core/must.h"

void
ctl_problem_set(struct ctl_files *files, bool *mark, bool value)
{
	if (*mark == value)
		return;
	*mark = value;
	files->counts.problems += value ? 1 : -1u;
}

struct slice
ctl_claim_key(const void *value)
{
	const struct ctl_claim *claim = value;

	return slice_make(claim->key, claim->key_length);
}

static struct slice
name_of(const struct ctl_claim *claim)
{
	return slice_make(claim->key + claim->key_length - claim->name_length,
	    claim->name_length);
}

static struct slice
namespace_of(const struct ctl_claim *claim)
{
	return slice_make(
	    claim->key + 1, claim->key_length - claim->name_length - 2);
}

struct ctl_claim *
ctl_claim_get(struct ctl_files *files, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	char kind_byte = (char)(1 + kind);

	must(name.length <= UINT16_MAX);
	text_reset(&files->scratch);
	text_push_byte(&files->scratch, kind_byte);
	text_push(&files->scratch, namespace);
	text_push_byte(&files->scratch, '/');
	text_push(&files->scratch, name);
	struct slice key = text_slice(&files->scratch);
	struct ctl_claim *claim = map_get(&files->claims, key);

	if (claim != NULL)
		return claim;
	claim = memory_zero(1, sizeof(*claim) + key.length);
	memcpy(claim->key, key.data, key.length);
	claim->key_length = (uint32_t)key.length;
	claim->name_length = (uint16_t)name.length;
	claim->kind = (uint8_t)kind;
	list_init(&claim->items);
	(void)map_add(&files->claims, claim);
	return claim;
}

static int
compare_items(const struct ctl_item *a, const struct ctl_item *b)
{
	int order = slice_compare(a->file->path, b->file->path);

	if (order != 0 || a->place == b->place)
		return order;
	return a->place < b->place ? -1 : 1;
}

/* From the end: the documents of a file come in order. */
void
ctl_claim_place(struct ctl_item *item)
{
	struct list *head = &item->claim->items, *at;

	list_remove(&item->in_claim);
	for (at = head->previous; at != head; at = at->previous)
		if (compare_items(
		        item, container_of(at, struct ctl_item, in_claim)) >= 0)
			break;
	list_insert(at->next, &item->in_claim);
}

void
ctl_claim_touch(struct ctl_files *files, struct ctl_claim *claim)
{
	if (claim->touched)
		return;
	claim->touched = true;
	claim->next_touched = files->touched;
	files->touched = claim;
}

static void
forget_object(struct ctl_item *item)
{
	gw_object_free(&item->object);
	gw_asleep_free(&item->asleep);
}

void
ctl_item_drop(struct ctl_files *files, struct ctl_item *item)
{
	struct ctl_claim *claim = item->claim;

	forget_object(item);
	ctl_problem_set(files, &item->refused, false);
	ctl_problem_set(files, &item->repeated, false);
	if (claim != NULL) {
		list_remove(&item->in_claim);
		if (claim->holder == item)
			claim->holder = NULL;
		ctl_claim_touch(files, claim);
	}
	memory_free(item);
}

static void
tell_repeated(struct ctl_files *files, const struct ctl_item *item,
    const struct ctl_item *first)
{
	const struct ctl_claim *claim = item->claim;

	text_reset(&files->scratch);
	text_printf(&files->scratch, "%s %.*s%s%.*s",
	    gw_kinds[claim->kind].kind, SLICE_ARGS(namespace_of(claim)),
	    namespace_of(claim).length ? "/" : "", SLICE_ARGS(name_of(claim)));
	size_t object_bytes = files->scratch.length;
	text_printf(&files->scratch, "is left out: %.*s:%u has it too",
	    SLICE_ARGS(first->file->path), first->line);
	struct slice said = text_slice(&files->scratch);
	struct ctl_problem problem = {
	    .file = item->file->path,
	    .finding = {.row = GW_FINDING_OBJECT_REPEATED,
	        .line = item->line,
	        .column = item->column,
	        .object = slice_make(said.data, object_bytes),
	        .text = slice_skip(said, object_bytes)},
	};

	files->sink.tell(files->sink.context, &problem);
}

/* Makes winner the claim's holder: with the object that was just admitted, or
 * by having its file read again, until when all stays as it is. */
static void
hold(struct ctl_files *files, struct ctl_claim *claim, struct ctl_item *winner)
{
	if (winner->asleep != NULL)
		winner->object = gw_object_wake(&winner->asleep);
	if (winner->object != NULL) {
		files->sink.put(files->sink.context, &winner->object);
		must(winner->object == NULL);
		files->counts.objects += !claim->held;
		claim->held = true;
		claim->holder = winner;
	} else if (claim->holder != winner) {
		winner->hash = 0;
		list_remove(&winner->file->wanted);
		list_insert(&files->wanted, &winner->file->wanted);
	}
	ctl_problem_set(files, &winner->repeated, false);
}

static void
let_go(struct ctl_files *files, struct ctl_claim *claim)
{
	if (!claim->held)
		return;
	claim->held = false;
	claim->holder = NULL;
	files->counts.objects--;
	files->sink.remove(files->sink.context, (enum gw_kind)claim->kind,
	    namespace_of(claim), name_of(claim));
}

static void
settle_claim(struct ctl_files *files, struct ctl_claim *claim)
{
	struct ctl_item *winner = NULL;

	LIST_FOR_EACH(at, &claim->items)
	{
		struct ctl_item *item =
		    container_of(at, struct ctl_item, in_claim);

		if (!item->good)
			continue;
		if (winner == NULL) {
			winner = item;
			hold(files, claim, item);
			continue;
		}
		forget_object(item);
		if (!item->repeated)
			tell_repeated(files, item, winner);
		ctl_problem_set(files, &item->repeated, true);
	}
	if (winner == NULL)
		let_go(files, claim);
	if (list_is_empty(&claim->items)) {
		(void)map_remove(&files->claims, ctl_claim_key(claim));
		memory_free(claim);
	}
}

void
ctl_claims_settle(struct ctl_files *files)
{
	while (files->touched != NULL) {
		struct ctl_claim *claim = files->touched;

		files->touched = claim->next_touched;
		claim->touched = false;
		settle_claim(files, claim);
	}
}
