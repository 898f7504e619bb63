/* inotify's events, one at a time and in words of ours. */
#include "ctl/watch.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/must.h"

#define WATCHED \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | \
	    IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | \
	    IN_ONLYDIR)

enum error
ctl_watch_open(struct ctl_watch *watch)
{
	must(watch != NULL);
	watch->at = watch->length = 0;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return watch->fd < 0 ? error_from_errno(errno) : ERROR_OK;
}

void
ctl_watch_close(struct ctl_watch *watch)
{
	must(watch != NULL);
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

enum error
ctl_watch_add(struct ctl_watch *watch, const char *path, int *folder)
{
	must(watch != NULL && path != NULL && folder != NULL);
	*folder = inotify_add_watch(watch->fd, path, WATCHED);
	if (*folder >= 0)
		return ERROR_OK;
	return errno == ENOSPC ? ERROR_LIMIT : error_from_errno(errno);
}

void
ctl_watch_remove(struct ctl_watch *watch, int folder)
{
	must(watch != NULL);
	/* It fails when the kernel has dropped the watch with its folder. */
	(void)inotify_rm_watch(watch->fd, folder);
}

static enum ctl_change
change_of(uint32_t mask)
{
	if (mask & IN_Q_OVERFLOW)
		return CTL_EVENTS_LOST;
	if (mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED))
		return CTL_FOLDER_GONE;
	if (mask & IN_MOVED_TO)
		return CTL_MOVED_IN;
	if (mask & IN_MOVED_FROM)
		return CTL_MOVED_OUT;
	if (mask & IN_DELETE)
		return CTL_DELETED;
	if (mask & IN_CREATE)
		return CTL_MADE;
	return CTL_WRITTEN;
}

static bool
fill(struct ctl_watch *watch)
{
	ssize_t got;

	do
		got = read(watch->fd, watch->buffer, sizeof(watch->buffer));
	while (got < 0 && errno == EINTR);
	watch->at = 0;
	watch->length = got > 0 ? (uint32_t)got : 0;
	return got > 0;
}

bool
ctl_watch_take(struct ctl_watch *watch, struct ctl_event *event)
{
	must(watch != NULL && event != NULL);
	if (watch->at == watch->length && !fill(watch))
		return false;
	/* The kernel gives whole events, each aligned as the struct is. */
	const struct inotify_event *raw =
	    (const void *)(watch->buffer + watch->at);

	must(watch->at + sizeof(*raw) + raw->len <= watch->length);
	watch->at += (uint32_t)(sizeof(*raw) + raw->len);
	*event = (struct ctl_event){
	    .change = change_of(raw->mask),
	    .folder = raw->wd,
	    .name = raw->len > 0 ? slice_from_string(raw->name) : SLICE(""),
	    .is_folder = (raw->mask & IN_ISDIR) != 0,
	};
	return true;
}
