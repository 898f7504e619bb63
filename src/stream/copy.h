/* A proxy's copy of what it serves, in a file (mode 0600; meant for a folder in
 * memory, for there are keys in it), so that a restarted container serves from
 * it at once. Frames of the stream: who it is of, then puts, drops and commits
 * as they came; written anew, and put in the old one's place at once, when most
 * of it is stale. A tail without a commit is left out; a whole whose digests do
 * not make the generation that its commit names is not used at all. */
#ifndef YUMEN_STREAM_COPY_H
#define YUMEN_STREAM_COPY_H

#include "core/error.h"
#include "snap/feed.h"
#include "stream/table.h"

struct stream_copy;
/* Reads path into the table, which is empty. OK, also when nothing is there;
 * otherwise what is there is of no use, why says it, and it is written anew
 * with the first commit. */
enum error stream_copy_open(const char *path, struct slice gateway,
    struct stream_table *table, struct stream_copy **copy,
    const char **why) must_check;
void stream_copy_close(struct stream_copy **copy);
/* There is a file that is of use. */
bool stream_copy_is_there(const struct stream_copy *copy);
/* It is of no use any more. */
void stream_copy_drop(struct stream_copy *copy);
/* All that the table has, as changes of the batch. An error: unreadable. */
enum error stream_copy_put_all(const struct stream_copy *copy,
    const struct stream_table *table, struct feed_batch *batch) must_check;
/* What the batch changed is in force; the table has it already. An error: there
 * is no copy any more, and the next batch must bring all that the table has. */
enum error stream_copy_append(struct stream_copy *copy,
    struct stream_table *table, const struct feed_batch *batch) must_check;

#endif
