/* Keys by lines; seals by HMAC-SHA-256. */
#include "announce/keys.h"

#include <stdio.h>
#include <string.h>

#include "core/must.h"
#include "crypt/digest.h"

void
announce_keys_init(struct announce_keys *keys)
{
	*keys = (struct announce_keys){0};
	text_init(&keys->text);
}

void
announce_keys_fini(struct announce_keys *keys)
{
	text_wipe(&keys->text);
	keys->count = 0;
}

enum error
announce_keys_take(struct announce_keys *keys, struct slice text)
{
	struct announce_keys made;
	struct slice rest, line;

	announce_keys_init(&made);
	text_push(&made.text, text);
	rest = text_slice(&made.text);
	bool good = true;
	while (good && slice_cut(&rest, '\n', &line)) {
		if (line.length == 0)
			continue;
		good = line.length >= ANNOUNCE_KEY_BYTES_MIN &&
		    made.count < ANNOUNCE_KEYS;
		if (good)
			made.keys[made.count++] = line;
	}
	if (!good || made.count == 0) {
		announce_keys_fini(&made);
		return ERROR_INVALID;
	}
	announce_keys_fini(keys);
	*keys = made;
	return ERROR_OK;
}

static void
seal_by(struct slice key, struct slice body, uint8_t digest[CRYPT_SHA256_BYTES])
{
	crypt_hmac_sha256(key, &body, 1, digest);
}

void
announce_keys_seal(const struct announce_keys *keys, struct slice body,
    char seal[WIRE_BEAT_SEAL_BYTES])
{
	uint8_t digest[CRYPT_SHA256_BYTES];

	must(keys->count > 0);
	seal_by(keys->keys[0], body, digest);
	memcpy(seal, digest, WIRE_BEAT_SEAL_BYTES);
}

/* The same time for every seal. */
static bool
opens(struct slice key, struct slice body, struct slice seal)
{
	uint8_t wanted[CRYPT_SHA256_BYTES];
	unsigned differ = 0;

	seal_by(key, body, wanted);
	for (unsigned i = 0; i < WIRE_BEAT_SEAL_BYTES; i++)
		differ |= wanted[i] ^ (uint8_t)seal.data[i];
	return differ == 0;
}

bool
announce_keys_open(
    const struct announce_keys *keys, struct slice body, struct slice seal)
{
	must(seal.length == WIRE_BEAT_SEAL_BYTES);
	for (unsigned i = 0; i < keys->count; i++)
		if (opens(keys->keys[i], body, seal))
			return true;
	return false;
}

void
announce_keys_mark(const struct announce_keys *keys, char mark[9])
{
	uint8_t digest[CRYPT_SHA256_BYTES];

	must(keys->count > 0);
	seal_by(keys->keys[0], SLICE("yumen key of heartbeats"), digest);
	snprintf(mark, 9, "%02x%02x%02x%02x", digest[0], digest[1], digest[2],
	    digest[3]);
}
