/* What commands have in common that a controller elsewhere decides for: the
 * stream, and the flags that say where it comes from. */
#ifndef YUMEN_CMD_CONTROLLED_H
#define YUMEN_CMD_CONTROLLED_H

#include "cmd/process.h"
#include "snap/feed.h"
#include "stream/client.h"

struct controlled {
	/* By the command, before: */
	enum flag controller, ca, token_file, server_name, name_flag, copy;
	struct slice gateway; /* whose units it wants */
	/* From then on: */
	struct slice host;
	uint16_t port;
	char name[256];
	struct stream_client *stream;
};

/* False: told on stderr; the exit status is then 2. */
bool controlled_read_flags(
    struct controlled *controlled, const struct process *process);
/* False: told on stderr. */
bool controlled_open(struct controlled *controlled,
    const struct process *process, struct feed *feed);

#endif
