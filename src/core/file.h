/* Small files, read and written whole: certificates, tokens, credentials. */
#ifndef YUMEN_CORE_FILE_H
#define YUMEN_CORE_FILE_H

#include "core/error.h"
#include "core/text.h"

/* Appends what the file has. LIMIT: more than bytes_max; else as open(2) and
 * read(2) say. What was read by then stays in out, for the caller to wipe where
 * it may be a secret. */
enum error file_read(
    const char *path, size_t bytes_max, struct text *out) must_check;
/* Puts a file of these bytes in the place of what is there, all at once: who
 * reads it meanwhile, or after a crash, has the old one or the new. */
enum error file_replace(
    const char *path, unsigned mode, struct slice bytes) must_check;

#endif
