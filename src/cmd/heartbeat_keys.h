/* The file of --key-file: read at the start, and again from time to time, so
 * that keys are changed while it runs. */
#ifndef YUMEN_CMD_HEARTBEAT_KEYS_H
#define YUMEN_CMD_HEARTBEAT_KEYS_H

#include "announce/keys.h"

struct heartbeat_keys {
	struct announce_keys keys;
	const char *path;
	struct text seen; /* as of the last look */
	bool told; /* that it cannot be used */
};

/* False: told on stderr. */
bool heartbeat_keys_open(struct heartbeat_keys *keys, const char *path);
void heartbeat_keys_close(struct heartbeat_keys *keys);
/* Once a second: what is in it twice alike is taken, for it may be in the midst
 * of being written. What cannot be used is told, and changes nothing. */
void heartbeat_keys_look(struct heartbeat_keys *keys);

#endif
