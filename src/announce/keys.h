/* The keys that heartbeats are sealed with. There may be two, so that a key is
 * changed while all announcers run: the first seals what goes out, either opens
 * what comes in. */
#ifndef YUMEN_ANNOUNCE_KEYS_H
#define YUMEN_ANNOUNCE_KEYS_H

#include "core/text.h"
#include "wire/beat.h"

#define ANNOUNCE_KEYS 2
#define ANNOUNCE_KEY_BYTES_MIN 16

struct announce_keys {
	struct text text; /* as it was taken */
	struct slice keys[ANNOUNCE_KEYS]; /* in text */
	unsigned count;
};

void announce_keys_init(struct announce_keys *keys);
/* Wiped. */
void announce_keys_fini(struct announce_keys *keys);
/* A key a line, one or two; empty lines are passed over. INVALID: none, too
 * many, or one that is too short; all is then as before. */
enum error announce_keys_take(
    struct announce_keys *keys, struct slice text) must_check;

void announce_keys_seal(const struct announce_keys *keys, struct slice body,
    char seal[WIRE_BEAT_SEAL_BYTES]);
bool announce_keys_open(
    const struct announce_keys *keys, struct slice body, struct slice seal);
/* The first one, by a few digits that people can compare from node to node. */
void announce_keys_mark(const struct announce_keys *keys, char mark[9]);

#endif
