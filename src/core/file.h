/* Small files, read whole: certificates, tokens, credentials. */
#ifndef YUMEN_CORE_FILE_H
#define YUMEN_CORE_FILE_H

#include "core/error.h"
#include "core/text.h"

/* Appends what the file has. LIMIT: more than bytes_max; else as open(2) and
 * read(2) say. What was read by then stays in out, for the caller to wipe where
 * it may be a secret. */
enum error file_read(
    const char *path, size_t bytes_max, struct text *out) must_check;

#endif
