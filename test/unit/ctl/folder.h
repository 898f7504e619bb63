/* A folder of the test's own, and what editors and kubelets do in it. */
#ifndef YUMEN_TEST_CTL_FOLDER_H
#define YUMEN_TEST_CTL_FOLDER_H

/* Makes it; all names below are in it. */
void folder_make(void);
/* Removes it with all that is in it. */
void folder_remove(void);
/* Its path, with /name behind it unless name is "". Valid for 127
 * more calls. */
const char *folder_path(const char *name);

/* Writes in place, as a shell's > does. */
void folder_write(const char *name, const char *bytes);
/* Writes beside it and renames over it, as most editors do. */
void folder_replace(const char *name, const char *bytes);
void folder_rename(const char *from, const char *to);
void folder_delete(const char *name);
void folder_make_inner(const char *name);
void folder_link(const char *to, const char *name);

#endif
