/* What an event means for the sources. A file's own event reads that file; all
 * that has to do with folders, links and names that begin with a dot (a mounted
 * ConfigMap swaps ..data) looks at everything, which costs a stat a file. */
#include "ctl/sources_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"

static void on_event(struct ctl_sources *sources, const struct ctl_event *event,
    uint64_t now_ms);
static void remove_gone(struct ctl_sources *sources, uint64_t now_ms);

enum error
ctl_source_probe(const char *path)
{
	must(path != NULL);
	if (strcmp(path, "-") == 0)
		return ERROR_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return error_from_errno(errno);
	close(fd);
	return ERROR_OK;
}

enum error
ctl_sources_new(struct ctl_files *files, const char *const *paths,
    unsigned count, const atomic_bool *stop, struct ctl_sources **sources)
{
	must(files != NULL && sources != NULL && stop != NULL);
	struct ctl_sources *made = memory_zero(1, sizeof(*made));
	enum error error = ctl_watch_open(&made->watch);

	if (error != ERROR_OK) {
		memory_free(made);
		return error;
	}
	made->files = files;
	made->stop = stop;
	made->sources =
	    memory_zero(count > 0 ? count : 1, sizeof(*made->sources));
	made->source_count = count;
	for (unsigned i = 0; i < count; i++)
		made->sources[i].path = paths[i];
	map_init(&made->folders);
	map_init(&made->watches);
	map_init(&made->entries);
	list_init(&made->queue);
	list_init(&made->going);
	text_init(&made->scratch);
	text_init(&made->left);
	*sources = made;
	return ERROR_OK;
}

void
ctl_sources_free(struct ctl_sources **sources)
{
	struct ctl_sources *old = *sources;
	struct slice key;
	void *value;

	*sources = NULL;
	if (old == NULL)
		return;
	ctl_watch_close(&old->watch);
	for (size_t at = 0; map_next(&old->folders, &at, &key, &value);)
		memory_free(value);
	for (size_t at = 0; map_next(&old->entries, &at, &key, &value);)
		memory_free(value);
	map_fini(&old->folders);
	map_fini(&old->watches);
	map_fini(&old->entries);
	text_wipe(&old->scratch);
	text_fini(&old->left);
	memory_free(old->sources);
	memory_free(old);
}

int
ctl_sources_fd(const struct ctl_sources *sources)
{
	must(sources != NULL);
	return sources->watch.fd;
}

void
ctl_sources_read_all(struct ctl_sources *sources)
{
	must(sources != NULL);
	ctl_sources_scan(sources);
	ctl_entries_read(sources);
}

void
ctl_sources_read_changed(struct ctl_sources *sources, uint64_t now_ms)
{
	must(sources != NULL);
	struct ctl_event event;

	/* A folder that changes without an end must not keep us here: after so
	 * many events looking at everything is cheaper, and misses none. */
	unsigned left = LIMIT_VALUE_FOLDER_FILES;

	while (left > 0 && ctl_watch_take(&sources->watch, &event)) {
		on_event(sources, &event, now_ms);
		left--;
	}
	sources->is_stale |= left == 0;
	remove_gone(sources, now_ms);
	if (sources->is_stale)
		ctl_sources_scan(sources);
	ctl_entries_read(sources);
}

uint64_t
ctl_sources_deadline_ms(const struct ctl_sources *sources)
{
	must(sources != NULL);
	if (list_is_empty(&sources->going))
		return 0;
	return container_of(sources->going.next, struct ctl_entry, going)
	    ->gone_ms;
}

static void
remove_gone(struct ctl_sources *sources, uint64_t now_ms)
{
	LIST_FOR_EACH_SAFE(at, &sources->going)
	{
		struct ctl_entry *entry =
		    container_of(at, struct ctl_entry, going);

		if (entry->gone_ms > now_ms)
			return;
		/* It is looked at, not just dropped: it may be back. */
		list_remove(&entry->going);
		ctl_entry_queue(sources, entry, false);
	}
}

static struct ctl_folder *
folder_of(const struct ctl_sources *sources, int watch)
{
	return map_get(
	    &sources->watches, slice_make((const char *)&watch, sizeof(watch)));
}

/* folder/name, in scratch. */
static struct slice
join(struct ctl_sources *sources, const struct ctl_folder *folder,
    struct slice name)
{
	text_reset(&sources->scratch);
	text_push(&sources->scratch, folder->path);
	text_push_byte(&sources->scratch, '/');
	text_push(&sources->scratch, name);
	return text_slice(&sources->scratch);
}

static bool
is_link(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 &&
	    (S_ISLNK(stat.st_mode) || stat.st_nlink > 1);
}

/* Something happened to a file that is, or shall be, read. */
static void
on_file(struct ctl_sources *sources, struct slice path, enum ctl_change change,
    uint64_t now_ms)
{
	struct ctl_entry *entry = ctl_entry_get(sources, path);

	if (entry == NULL)
		return;
	if (change == CTL_MOVED_OUT) {
		list_remove(&entry->going);
		entry->gone_ms = now_ms + LIMIT_VALUE_FILE_GONE_MS;
		list_insert(&sources->going, &entry->going);
		return;
	}
	bool link = is_link(entry->storage);

	sources->has_links |= link;
	/* A plain file that was just made is read when it was written. */
	if (change == CTL_MADE && !link)
		return;
	list_remove(&entry->going);
	ctl_entry_queue(sources, entry, change != CTL_DELETED);
}

/* The source that is this name in this folder, or NULL. */
static const struct ctl_source *
source_of(const struct ctl_sources *sources, const struct ctl_folder *folder,
    struct slice name)
{
	for (unsigned i = 0; i < sources->source_count; i++)
		if (sources->sources[i].parent == folder &&
		    slice_equal(sources->sources[i].name, name))
			return &sources->sources[i];
	return NULL;
}

static void
on_event(
    struct ctl_sources *sources, const struct ctl_event *event, uint64_t now_ms)
{
	struct ctl_folder *folder = folder_of(sources, event->folder);
	bool is_hidden = event->name.length > 0 && event->name.data[0] == '.';

	if (event->change == CTL_EVENTS_LOST)
		sources->is_stale = true;
	if (folder == NULL)
		return;
	const struct ctl_source *source =
	    source_of(sources, folder, event->name);

	if (event->change == CTL_FOLDER_GONE || event->is_folder ||
	    folder->twin_epoch == sources->epoch)
		sources->is_stale = true;
	else if (source != NULL && !source->is_folder)
		on_file(sources, slice_from_string(source->path), event->change,
		    now_ms);
	else if (source != NULL)
		sources->is_stale = true;
	else if (is_hidden)
		/* What is read may lead through it, by a link: the ..data of a
		 * volume. Else it is what editors write before they rename. */
		sources->is_stale |=
		    sources->has_links && event->change != CTL_WRITTEN;
	else if (!folder->is_content)
		return;
	else if (ctl_name_is_read(event->name))
		on_file(sources, join(sources, folder, event->name),
		    event->change, now_ms);
	else
		/* A link to a folder is, or was, none to the kernel. */
		sources->is_stale |=
		    map_get(&sources->folders,
		        join(sources, folder, event->name)) != NULL ||
		    is_link(sources->scratch.data);
}
