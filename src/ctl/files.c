/* A file holds items, one a document; items with the same object name stand in
 * one claim, in the order of path and place. The first good item of a claim is
 * its holder: its object is the one that the sink has. Objects that do not
 * count are not kept; should one come to count, its file is read again.
 *
 * A document is known by the hash of what it says: one that is as it was is
 * neither admitted nor told of again. */
#include "ctl/files_priv.h"

#include "core/memory.h"
#include "core/must.h"
#include "gw/admit.h"
#include "wire/tree.h"

/* One reading of a file. */
struct reading {
	struct ctl_files *files;
	struct ctl_file *file;
	struct ctl_parsed *parsed;
	/* The file's items so far that may come again: the first of each hash,
	 * and by its place what comes after it. */
	struct map known;
	struct ctl_item **next_known;
	bool refused; /* during an admission: an error was found */
};

static struct ctl_file *get_file(struct ctl_files *files, struct slice path);
static void free_file(struct ctl_files *files, struct ctl_file *file);
static void tell_file(struct ctl_files *files, struct ctl_file *file,
    enum gw_finding_row row, uint32_t line, uint32_t column, struct slice text);
static void set_failed(
    struct ctl_files *files, struct ctl_file *file, bool failed);
static void take_documents(struct reading *reading);

struct ctl_files *
ctl_files_new(const struct ctl_sink *sink)
{
	must(sink != NULL && sink->put && sink->remove && sink->tell);
	struct ctl_files *files = memory_zero(1, sizeof(*files));

	files->sink = *sink;
	map_init(&files->files);
	map_init_keyed(&files->claims, ctl_claim_key);
	list_init(&files->wanted);
	text_init(&files->scratch);
	return files;
}

void
ctl_files_free(struct ctl_files **files)
{
	struct ctl_files *old = *files;
	struct slice key;
	void *value;

	*files = NULL;
	if (old == NULL)
		return;
	for (size_t at = 0; map_next(&old->files, &at, &key, &value);) {
		struct ctl_file *file = value;

		for (uint32_t i = 0; i < file->item_count; i++) {
			ctl_item_forget(file->items[i]);
			memory_free(file->items[i]);
		}
		memory_free(file->items);
		gw_file_unref(&file->name);
		memory_free(file);
	}
	for (size_t at = 0; map_next(&old->claims, &at, &key, &value);)
		memory_free(value);
	map_fini(&old->files);
	map_fini(&old->claims);
	memory_free(old->touched);
	text_fini(&old->scratch);
	memory_free(old);
}

void
ctl_files_put(struct ctl_files *files, struct slice path, struct slice bytes)
{
	struct ctl_parsed parsed;

	ctl_parse(&parsed, bytes);
	ctl_files_put_parsed(files, path, &parsed);
}

void
ctl_files_put_parsed(
    struct ctl_files *files, struct slice path, struct ctl_parsed *parsed)
{
	must(files != NULL && slice_is_set(path) && parsed != NULL);
	struct reading reading = {
	    .files = files, .file = get_file(files, path), .parsed = parsed};

	files->counts.reads++;
	list_remove(&reading.file->wanted);
	set_failed(files, reading.file, parsed->error != ERROR_OK);
	if (parsed->error == ERROR_OK)
		take_documents(&reading);
	else
		tell_file(files, reading.file, GW_FINDING_FILE_MALFORMED,
		    parsed->fault.line, parsed->fault.column,
		    slice_from_string(parsed->fault.text));
	ctl_parsed_fini(parsed);
}

void
ctl_files_fail(struct ctl_files *files, struct slice path, struct slice why)
{
	must(files != NULL && slice_is_set(path));
	struct ctl_file *file = get_file(files, path);

	files->counts.reads++;
	list_remove(&file->wanted);
	set_failed(files, file, true);
	tell_file(files, file, GW_FINDING_FILE_UNREADABLE, 0, 0, why);
}

void
ctl_files_remove(struct ctl_files *files, struct slice path)
{
	must(files != NULL && slice_is_set(path));
	struct ctl_file *file = map_remove(&files->files, path);

	if (file == NULL)
		return;
	files->counts.reads++;
	files->counts.files--;
	free_file(files, file);
}

void
ctl_files_settle(struct ctl_files *files)
{
	must(files != NULL);
	ctl_claims_settle(files);
}

struct slice
ctl_files_wanted(struct ctl_files *files)
{
	must(files != NULL);
	if (list_is_empty(&files->wanted))
		return SLICE_NONE;
	return container_of(files->wanted.next, struct ctl_file, wanted)->path;
}

struct ctl_counts
ctl_files_counts(const struct ctl_files *files)
{
	must(files != NULL);
	return files->counts;
}

static struct ctl_file *
get_file(struct ctl_files *files, struct slice path)
{
	struct ctl_file *file = map_get(&files->files, path);

	if (file != NULL)
		return file;
	file = memory_zero(1, sizeof(*file));
	file->name = gw_file_new(path);
	file->path = gw_file_path(file->name);
	list_init(&file->wanted);
	(void)map_put(&files->files, file->path, file);
	files->counts.files++;
	return file;
}

static void
free_file(struct ctl_files *files, struct ctl_file *file)
{
	set_failed(files, file, false);
	for (uint32_t i = 0; i < file->item_count; i++)
		ctl_item_drop(files, file->items[i]);
	list_remove(&file->wanted);
	memory_free(file->items);
	gw_file_unref(&file->name);
	memory_free(file);
}

static void
tell_file(struct ctl_files *files, struct ctl_file *file,
    enum gw_finding_row row, uint32_t line, uint32_t column, struct slice text)
{
	struct ctl_problem problem = {
	    .file = file->path,
	    .finding = {.row = row,
	        .line = line,
	        .column = column,
	        .text = text},
	};

	files->sink.tell(files->sink.context, &problem);
}

static void
set_failed(struct ctl_files *files, struct ctl_file *file, bool failed)
{
	ctl_problem_set(files, &file->failed, failed);
}

/* The items of a file, by its documents. */

static struct slice
hash_key(const uint64_t *hash)
{
	return slice_make((const char *)hash, sizeof(*hash));
}

static struct slice
item_hash(const void *value)
{
	return hash_key(&((const struct ctl_item *)value)->hash);
}

/* The file's items by the hash of their documents. */
static void
index_items(struct reading *reading)
{
	const struct ctl_file *file = reading->file;

	map_init_keyed(&reading->known, item_hash);
	reading->next_known =
	    memory_zero(file->item_count + 1, sizeof(*reading->next_known));
	for (uint32_t i = file->item_count; i-- > 0;) {
		struct ctl_item *item = file->items[i];

		item->kept = false;
		if (item->hash != 0)
			reading->next_known[i] = map_add(&reading->known, item);
	}
}

static struct ctl_item *
take_known(struct reading *reading, uint64_t hash)
{
	struct ctl_item *item = map_remove(&reading->known, hash_key(&hash));

	if (item != NULL && reading->next_known[item->place] != NULL)
		(void)map_add(
		    &reading->known, reading->next_known[item->place]);
	return item;
}

static struct ctl_item *admit_document(struct reading *reading,
    const struct ctl_document *document, uint32_t place);

/* Where others have the same name, its new place may decide. */
static void
place_item(struct ctl_files *files, struct ctl_item *item)
{
	if (item->claim == NULL)
		return;
	ctl_claim_place(item);
	if (item->claim->first->next != NULL)
		ctl_claim_touch(files, item->claim);
}

static void
take_documents(struct reading *reading)
{
	struct ctl_file *file = reading->file;
	uint32_t count = reading->parsed->count;
	struct ctl_item **items =
	    memory_zero(count > 0 ? count : 1, sizeof(*items));

	index_items(reading);
	for (uint32_t i = 0; i < count; i++) {
		const struct ctl_document *document =
		    &reading->parsed->documents[i];

		items[i] = take_known(reading, document->hash);
		if (items[i] == NULL)
			items[i] = admit_document(reading, document, i);
		items[i]->kept = true;
		items[i]->place = i;
		items[i]->line = document->root->line;
		items[i]->column = document->root->column;
		place_item(reading->files, items[i]);
	}
	map_fini(&reading->known);
	memory_free(reading->next_known);
	for (uint32_t i = 0; i < file->item_count; i++)
		if (!file->items[i]->kept)
			ctl_item_drop(reading->files, file->items[i]);
	memory_free(file->items);
	file->items = items;
	file->item_count = count;
}

/* Admission of one document. */

static void
on_finding(void *context, const struct gw_finding *finding)
{
	struct reading *reading = context;
	struct ctl_problem problem = {
	    .file = reading->file->path,
	    .finding = *finding,
	};

	if (gw_findings[finding->row].severity == GW_ERROR)
		reading->refused = true;
	reading->files->sink.tell(reading->files->sink.context, &problem);
}

static struct slice
text_in(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = wire_tree_get(map, key);

	return node != NULL && node->kind == TREE_TEXT ? node->text
	                                               : SLICE_NONE;
}

/* The claim that a document which was not admitted would have, or NULL. */
static struct ctl_claim *
claim_of_refused(struct ctl_files *files, const struct tree_node *document)
{
	const struct tree_node *metadata = wire_tree_get(document, "metadata");
	struct slice kind_name = text_in(document, "kind");
	enum gw_kind kind;

	if (metadata == NULL || !slice_is_set(kind_name) ||
	    !gw_kind_parse(kind_name, &kind))
		return NULL;
	struct slice name = text_in(metadata, "name");
	struct slice namespace = text_in(metadata, "namespace");

	if (name.length == 0)
		return NULL;
	if (!gw_kinds[kind].namespaced)
	namespace = SLICE("");
	else if (namespace.length == 0) namespace = SLICE("default");
	return ctl_claim_get(files, kind, namespace, name);
}

static struct ctl_item *
admit_document(struct reading *reading, const struct ctl_document *document,
    uint32_t place)
{
	struct ctl_files *files = reading->files;
	struct ctl_item *item = memory_zero(1, sizeof(*item));

	item->file = reading->file;
	item->hash = document->hash;
	item->place = place;
	reading->refused = false;
	item->object = gw_admit(document->root, &reading->parsed->arena,
	    reading->file->name, on_finding, reading);
	if (!reading->refused && files->sink.stored)
		files->sink.stored(
		    files->sink.context, reading->file->path, document->root);
	if (item->object != NULL) {
		item->good = true;
		item->claim = ctl_claim_get(files, item->object->kind,
		    item->object->namespace, item->object->name);
		/* Until all files are read there may be many. */
		if (!files->sink.stays_awake) {
			struct gw_asleep *asleep =
			    gw_object_sleep(&item->object);

			item->sleeps = asleep != NULL;
			if (item->sleeps)
				item->asleep = asleep;
		}
	} else if (reading->refused) {
		ctl_problem_set(files, &item->refused, true);
		item->claim = claim_of_refused(files, document->root);
		/* The version before it, if that is in this file and counts,
		 * stays and is this item's from now on. */
		struct ctl_item *holder =
		    item->claim ? ctl_claim_holder(item->claim) : NULL;

		item->good = item->holds = holder != NULL &&
		    holder->file == item->file && !holder->kept;
		if (item->holds)
			holder->holds = false;
	}
	if (item->claim != NULL)
		ctl_claim_touch(files, item->claim);
	return item;
}
