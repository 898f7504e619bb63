/* What the files of ctl/sources share. */
#ifndef YUMEN_CTL_SOURCES_PRIV_H
#define YUMEN_CTL_SOURCES_PRIV_H

#include <sys/stat.h>

#include "core/list.h"
#include "core/map.h"
#include "core/text.h"
#include "ctl/ahead.h"
#include "ctl/sources.h"
#include "ctl/watch.h"

struct ctl_source {
	const char *path;
	struct slice name; /* the last part of path, for events of its folder */
	struct ctl_folder *parent;
	bool is_folder; /* as of the last look */
};

struct ctl_folder {
	struct slice path; /* behind this struct, with a NUL */
	int watch; /* -1: not watched */
	unsigned epoch; /* of the last look that found it */
	unsigned twin_epoch; /* of the last that found it by another path too */
	bool is_content; /* its files are read, not only a source's own name */
	bool is_told; /* that it cannot be watched */
	char storage[];
};

/* What a file was when it was read. */
struct ctl_identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct ctl_entry {
	struct list queued; /* in sources.queue, or empty */
	struct list going; /* in sources.going, or empty */
	struct slice path; /* behind this struct, with a NUL */
	struct ctl_identity identity;
	uint64_t hash; /* of its bytes */
	int64_t read_ms; /* wall time; 0: it was not read, or in vain */
	uint64_t gone_ms; /* when going: gone for good from then on */
	unsigned epoch;
	bool force; /* read it though it looks as it did */
	const char *failure; /* as it was told, or NULL */
	char storage[];
};

struct ctl_sources {
	struct ctl_files *files;
	const atomic_bool *stop;
	struct ctl_watch watch;
	struct ctl_source *sources;
	unsigned source_count;
	struct map folders; /* by path */
	struct map watches; /* by number: folder */
	struct text left; /* numbers of watches, during a look */
	struct map entries; /* by path */
	struct list queue; /* entries to look at */
	struct ctl_ahead *ahead; /* while many are looked at, or NULL */
	struct list going; /* entries that were renamed away, oldest first */
	unsigned epoch;
	bool is_stale; /* all must be looked at */
	bool has_links; /* some name is, or was since the last look, a link */
	bool too_many; /* told so in this look */
	bool input_read;
	struct text scratch; /* for paths and bytes */
};

/* The entry of a path, made when new; NULL beyond LIMIT_FOLDER_FILES. */
struct ctl_entry *ctl_entry_get(struct ctl_sources *sources, struct slice path);
void ctl_entry_queue(
    struct ctl_sources *sources, struct ctl_entry *entry, bool force);
/* Look at what is queued, and what the files want again. */
void ctl_entries_read(struct ctl_sources *sources);
/* The file is gone. */
void ctl_entry_remove(struct ctl_sources *sources, struct ctl_entry *entry);

/* Names that are read: *.yaml, *.yml, *.json; none that begins with a dot. */
bool ctl_name_is_read(struct slice name);
/* Find the files of all sources, queue them, watch their folders, remove what
 * is no longer there. */
void ctl_sources_scan(struct ctl_sources *sources);

#endif
