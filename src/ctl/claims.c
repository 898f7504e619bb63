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

	text_reset(&files->scratch);
	text_push_byte(&files->scratch, kind_byte);
	text_push(&files->scratch, namespace);
	text_push_byte(&files->scratch, '/');
	text_push(&files->scratch, name);
	struct slice key = text_slice(&files->scratch);
	struct ctl_claim *claim = map_get(&files->claims, key);

	if (claim != NULL)
		return claim;
	must(key.length <= UINT16_MAX);
	claim = memory_zero(1, sizeof(*claim) + key.length);
	memcpy(claim->key, key.data, key.length);
	claim->key_length = (uint16_t)key.length;
	claim->name_length = (uint16_t)name.length;
	claim->kind = (uint8_t)kind;
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

static void
unlink_item(struct ctl_item *item)
{
	struct ctl_item **at = &item->claim->first;

	while (*at != NULL && *at != item)
		at = &(*at)->next;
	if (*at != NULL)
		*at = item->next;
	item->next = NULL;
}

/* Few names stand in more than one place. */
void
ctl_claim_place(struct ctl_item *item)
{
	unlink_item(item);
	struct ctl_item **at = &item->claim->first;

	while (*at != NULL && compare_items(*at, item) <= 0)
		at = &(*at)->next;
	item->next = *at;
	*at = item;
}

void
ctl_claim_touch(struct ctl_files *files, struct ctl_claim *claim)
{
	if (claim->touched)
		return;
	claim->touched = true;
	if (files->touched_count == files->touched_room) {
		files->touched_room =
		    files->touched_room ? files->touched_room * 2 : 16;
		files->touched = memory_resize(files->touched,
		    files->touched_room, sizeof(*files->touched));
	}
	files->touched[files->touched_count++] = claim;
}

struct ctl_item *
ctl_claim_holder(const struct ctl_claim *claim)
{
	struct ctl_item *item = claim->first;

	while (item != NULL && !item->holds)
		item = item->next;
	return item;
}

void
ctl_item_forget(struct ctl_item *item)
{
	if (item->sleeps)
		gw_asleep_free(&item->asleep);
	else
		gw_object_free(&item->object);
	item->sleeps = false;
}

void
ctl_item_drop(struct ctl_files *files, struct ctl_item *item)
{
	struct ctl_claim *claim = item->claim;

	ctl_item_forget(item);
	ctl_problem_set(files, &item->refused, false);
	ctl_problem_set(files, &item->repeated, false);
	if (claim != NULL) {
		unlink_item(item);
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
	struct ctl_item *holder = ctl_claim_holder(claim);

	if (winner->object != NULL) {
		struct gw_object *object = winner->sleeps
		    ? gw_object_wake(
		          &winner->asleep, namespace_of(claim), name_of(claim))
		    : winner->object;

		winner->object = NULL;
		winner->sleeps = false;
		files->sink.put(files->sink.context, &object);
		must(object == NULL);
		files->counts.objects += !claim->held;
		claim->held = true;
		if (holder != NULL)
			holder->holds = false;
		winner->holds = true;
	} else if (holder != winner) {
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
	struct ctl_item *holder = ctl_claim_holder(claim);

	claim->held = false;
	if (holder != NULL)
		holder->holds = false;
	files->counts.objects--;
	files->sink.remove(files->sink.context, (enum gw_kind)claim->kind,
	    namespace_of(claim), name_of(claim));
}

static void
settle_claim(struct ctl_files *files, struct ctl_claim *claim)
{
	struct ctl_item *winner = NULL;

	for (struct ctl_item *item = claim->first; item != NULL;
	     item = item->next) {
		if (!item->good)
			continue;
		if (winner == NULL) {
			winner = item;
			hold(files, claim, item);
			continue;
		}
		ctl_item_forget(item);
		if (!item->repeated)
			tell_repeated(files, item, winner);
		ctl_problem_set(files, &item->repeated, true);
	}
	if (winner == NULL)
		let_go(files, claim);
	if (claim->first == NULL) {
		(void)map_remove(&files->claims, ctl_claim_key(claim));
		memory_free(claim);
	}
}

void
ctl_claims_settle(struct ctl_files *files)
{
	for (size_t i = 0; i < files->touched_count; i++) {
		files->touched[i]->touched = false;
		settle_claim(files, files->touched[i]);
	}
	memory_free(files->touched);
	files->touched = NULL;
	files->touched_count = files->touched_room = 0;
}
