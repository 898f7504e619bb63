/* Folders under inotify: what changed in which. Owns the descriptor; knows
 * nothing of what the folders are for. */
#ifndef YUMEN_CTL_WATCH_H
#define YUMEN_CTL_WATCH_H

#include <stdint.h>
#include "core/error.h"
#include "core/slice.h"

enum ctl_change {
	CTL_WRITTEN, /* a file was closed after writing, or its mode changed */
	CTL_MOVED_IN, /* a name is there by a rename, whole */
	CTL_MADE, /* a name is there; a plain file may still be written */
	CTL_DELETED,
	CTL_MOVED_OUT,
	CTL_FOLDER_GONE, /* the folder itself went or moved; no name */
	CTL_EVENTS_LOST, /* there were too many: look at everything; no folder
	                  */
};

struct ctl_event {
	enum ctl_change change;
	int folder; /* as ctl_watch_add gave it */
	struct slice name; /* in the folder; valid until the next call */
	bool is_folder;
};

struct ctl_watch {
	int fd; /* readable when events have come; edges are enough */
	uint32_t at, length; /* of buffer, what is still to be told */
	char buffer[16384] __attribute__((aligned(8)));
};

enum error ctl_watch_open(struct ctl_watch *watch) must_check;
void ctl_watch_close(struct ctl_watch *watch);
/* Watch the folder at path; the same number again for one that is watched
 * already. LIMIT: the kernel's bound. */
enum error ctl_watch_add(
    struct ctl_watch *watch, const char *path, int *folder) must_check;
void ctl_watch_remove(struct ctl_watch *watch, int folder);
/* The next thing that happened; false when there is none yet. */
bool ctl_watch_take(struct ctl_watch *watch, struct ctl_event *event);

#endif
