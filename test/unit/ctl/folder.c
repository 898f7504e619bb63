/* A folder below TMPDIR or /tmp. */
#include "folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/must.h"

/* How many calls a path stays valid. */
#define PATHS 128

static char root[200];

void
folder_make(void)
{
	const char *above = getenv("TMPDIR");

	(void)snprintf(root, sizeof(root), "%s/yumen-ctl-XXXXXX",
	    above != NULL ? above : "/tmp");
	must(mkdtemp(root) == root);
}

static int
remove_one(const char *path, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat;
	(void)type;
	(void)at;
	return remove(path);
}

void
folder_remove(void)
{
	int failed = nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	must(!failed);
}

const char *
folder_path(const char *name)
{
	static char paths[PATHS][512];
	static unsigned next;
	char *path = paths[next++ % PATHS];

	(void)snprintf(path, sizeof(paths[0]), "%s%s%s", root,
	    name[0] != '\0' ? "/" : "", name);
	return path;
}

void
folder_write(const char *name, const char *bytes)
{
	FILE *file = fopen(folder_path(name), "w");

	must(file != NULL);
	int failed = fputs(bytes, file) < 0 || fclose(file) != 0;

	must(!failed);
}

void
folder_replace(const char *name, const char *bytes)
{
	folder_write(".new~", bytes);
	folder_rename(".new~", name);
}

void
folder_rename(const char *from, const char *to)
{
	int failed = rename(folder_path(from), folder_path(to));

	must(!failed);
}

void
folder_delete(const char *name)
{
	int failed = remove(folder_path(name));

	must(!failed);
}

void
folder_make_inner(const char *name)
{
	int failed = mkdir(folder_path(name), 0700);

	must(!failed);
}

void
folder_link(const char *to, const char *name)
{
	int failed = symlink(to, folder_path(name));

	must(!failed);
}
