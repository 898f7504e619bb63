/* The look at everything: goes through the folders of all sources, watches each
 * before it is listed, so that nothing falls between, and removes what was not
 * found again. */
#include "ctl/sources_priv.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"

/* A folder on the way to where we are, to see links that lead back up. */
struct way {
	const struct way *up;
	dev_t device;
	ino_t inode;
	unsigned depth;
};

static void scan_source(struct ctl_sources *sources, struct ctl_source *source);
static void scan_folder(
    struct ctl_sources *sources, struct slice path, const struct way *up);
static void remove_unfound(struct ctl_sources *sources);

bool
ctl_name_is_read(struct slice name)
{
	return name.length > 0 && name.data[0] != '.' &&
	    (slice_ends_with(name, SLICE(".yaml")) ||
	        slice_ends_with(name, SLICE(".yml")) ||
	        slice_ends_with(name, SLICE(".json")));
}

void
ctl_sources_scan(struct ctl_sources *sources)
{
	must(sources != NULL);
	sources->epoch++;
	sources->is_stale = false;
	sources->too_many = false;
	sources->has_links = false;
	map_fini(&sources->watches);
	map_init(&sources->watches);
	for (unsigned i = 0; i < sources->source_count; i++)
		scan_source(sources, &sources->sources[i]);
	remove_unfound(sources);
}

static struct ctl_folder *
get_folder(struct ctl_sources *sources, struct slice path)
{
	struct ctl_folder *folder = map_get(&sources->folders, path);

	if (folder != NULL)
		return folder;
	folder = memory_zero(1, sizeof(*folder) + path.length + 1);
	memcpy(folder->storage, path.data, path.length);
	folder->path = slice_make(folder->storage, path.length);
	folder->watch = -1;
	(void)map_put(&sources->folders, folder->path, folder);
	return folder;
}

static struct slice
watch_key(const int *watch)
{
	return slice_make((const char *)watch, sizeof(*watch));
}

/* A watch that is no longer this folder's; another may have it by now, which is
 * known at the end of the look. */
static void
leave_watch(struct ctl_sources *sources, struct ctl_folder *folder)
{
	if (folder->watch >= 0)
		text_push(&sources->left, watch_key(&folder->watch));
	folder->watch = -1;
}

static void
remove_left(struct ctl_sources *sources)
{
	struct slice left = text_slice(&sources->left);
	int watch;

	for (; left.length > 0; left = slice_skip(left, sizeof(watch))) {
		memcpy(&watch, left.data, sizeof(watch));
		if (map_get(&sources->watches, watch_key(&watch)) == NULL)
			ctl_watch_remove(&sources->watch, watch);
	}
	text_reset(&sources->left);
}

/* The folder of this path, watched: it may be another one than it was. */
static struct ctl_folder *
find_folder(struct ctl_sources *sources, struct slice path)
{
	struct ctl_folder *folder = get_folder(sources, path);
	int watch = -1;

	if (folder->epoch == sources->epoch)
		return folder;
	folder->epoch = sources->epoch;
	folder->is_content = false;
	enum error error =
	    ctl_watch_add(&sources->watch, folder->storage, &watch);

	if (error != ERROR_OK && error != ERROR_NOT_FOUND && !folder->is_told)
		log_event(LOG_FILES_NOT_WATCHED,
		    LOG_TEXT("folder", folder->path),
		    LOG_STRING("why", error_text(error)));
	folder->is_told = error != ERROR_OK;
	if (watch != folder->watch)
		leave_watch(sources, folder);
	folder->watch = watch;
	if (error != ERROR_OK)
		return folder;
	struct ctl_folder *other =
	    map_get(&sources->watches, watch_key(&watch));

	if (other != NULL)
		other->twin_epoch = sources->epoch;
	else
		(void)map_put(
		    &sources->watches, watch_key(&folder->watch), folder);
	return folder;
}

/* A path without slashes at its end, and the folder that it is in. */
static void
split_path(const char *whole, struct slice *path, struct slice *parent,
    struct slice *name)
{
	*path = slice_from_string(whole);
	while (path->length > 1 && path->data[path->length - 1] == '/')
		path->length--;
	size_t slash = path->length;

	while (slash > 0 && path->data[slash - 1] != '/')
		slash--;
	*name = slice_skip(*path, slash);
	if (slash == 0)
		*parent = SLICE(".");
	else
		*parent = slice_make(path->data, slash > 1 ? slash - 1 : 1);
}

static void
find_entry(struct ctl_sources *sources, struct slice path)
{
	struct ctl_entry *entry = ctl_entry_get(sources, path);

	if (entry == NULL)
		return;
	entry->epoch = sources->epoch;
	ctl_entry_queue(sources, entry, false);
}

static void
scan_source(struct ctl_sources *sources, struct ctl_source *source)
{
	struct slice path, parent;
	struct stat stat_now;

	if (strcmp(source->path, "-") == 0) {
		find_entry(sources, SLICE("-"));
		return;
	}
	split_path(source->path, &path, &parent, &source->name);
	source->parent = find_folder(sources, parent);
	if (lstat(source->path, &stat_now) != 0 || S_ISLNK(stat_now.st_mode))
		sources->has_links = true;
	if (stat(source->path, &stat_now) == 0)
		source->is_folder = S_ISDIR(stat_now.st_mode);
	else if (errno == ENOENT || errno == ENOTDIR)
		return;
	if (source->is_folder)
		scan_folder(sources, path, NULL);
	else
		find_entry(sources, slice_from_string(source->path));
}

static bool
leads_back(const struct way *way)
{
	for (const struct way *up = way->up; up != NULL; up = up->up)
		if (up->device == way->device && up->inode == way->inode)
			return true;
	return false;
}

/* Of a folder that cannot be listed what is known stays. */
static void
keep_entries(struct ctl_sources *sources, const struct ctl_folder *folder)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&sources->entries, &at, &key, &value);)
		if (key.length > folder->path.length &&
		    slice_starts_with(key, folder->path) &&
		    key.data[folder->path.length] == '/')
			((struct ctl_entry *)value)->epoch = sources->epoch;
}

static void
scan_name(struct ctl_sources *sources, const struct ctl_folder *folder,
    const struct dirent *found, const struct way *way)
{
	struct slice name = slice_from_string(found->d_name);
	struct stat stat_now;
	struct text path;

	if (name.data[0] == '.')
		return;
	text_init(&path);
	text_push(&path, folder->path);
	text_push_byte(&path, '/');
	text_push(&path, name);
	bool is_folder = found->d_type == DT_DIR;

	sources->has_links |=
	    found->d_type == DT_LNK || found->d_type == DT_UNKNOWN;
	if (found->d_type == DT_LNK || found->d_type == DT_UNKNOWN)
		is_folder = stat(path.data, &stat_now) == 0 &&
		    S_ISDIR(stat_now.st_mode);
	if (is_folder)
		scan_folder(sources, text_slice(&path), way);
	else if (ctl_name_is_read(name))
		find_entry(sources, text_slice(&path));
	text_fini(&path);
}

/* As deep as LIMIT_FOLDER_DEPTH. */
static void
scan_folder(
    struct ctl_sources *sources, struct slice path, const struct way *up)
{
	struct way way = {.up = up, .depth = up ? up->depth + 1 : 0};
	struct ctl_folder *folder;
	struct stat stat_now;
	struct dirent *found;

	if (way.depth > LIMIT_VALUE_FOLDER_DEPTH)
		return;
	folder = find_folder(sources, path);
	DIR *listing = opendir(folder->storage);

	if (listing == NULL || fstat(dirfd(listing), &stat_now) != 0) {
		if (errno != ENOENT) {
			log_event(LOG_FILE_UNREADABLE,
			    LOG_TEXT("file", folder->path),
			    LOG_STRING("why", strerror(errno)));
			keep_entries(sources, folder);
		}
		if (listing != NULL)
			closedir(listing);
		return;
	}
	folder->is_content = true;
	way.device = stat_now.st_dev;
	way.inode = stat_now.st_ino;
	if (!leads_back(&way))
		while ((found = readdir(listing)) != NULL)
			scan_name(sources, folder, found, &way);
	closedir(listing);
}

/* What this look has not found. A map must not change while it is walked, so
 * what is to go is gathered first. */
static void
remove_unfound(struct ctl_sources *sources)
{
	struct ctl_folder **folders =
	    memory_zero(sources->folders.count + 1, sizeof(*folders));
	unsigned count = 0;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&sources->folders, &at, &key, &value);)
		if (((struct ctl_folder *)value)->epoch != sources->epoch)
			folders[count++] = value;
	for (unsigned i = 0; i < count; i++) {
		leave_watch(sources, folders[i]);
		(void)map_remove(&sources->folders, folders[i]->path);
		memory_free(folders[i]);
	}
	memory_free(folders);
	remove_left(sources);
	/* Reading an entry that is not there removes it. */
	for (size_t at = 0; map_next(&sources->entries, &at, &key, &value);) {
		struct ctl_entry *entry = value;

		if (entry->epoch != sources->epoch)
			ctl_entry_queue(sources, entry, false);
	}
}
