/* Keys of a file, which may be written anew at any time. */
#include "cmd/heartbeat_keys.h"

#include <stdio.h>

#include "core/file.h"
#include "core/log.h"

#define FILE_BYTES_MAX 4096

static const char *
why_not(enum error error)
{
	return error == ERROR_INVALID
	    ? "a key of 16 bytes at least is wanted, or two, a line each"
	    : error_text(error);
}

/* What is read is in seen. */
static enum error
read_file(struct heartbeat_keys *keys)
{
	text_wipe(&keys->seen);
	text_init(&keys->seen);
	return file_read(keys->path, FILE_BYTES_MAX, &keys->seen);
}

bool
heartbeat_keys_open(struct heartbeat_keys *keys, const char *path)
{
	*keys = (struct heartbeat_keys){.path = path};
	announce_keys_init(&keys->keys);
	text_init(&keys->seen);
	if (path == NULL) {
		fputs("yumen announcer: name the file of the key that all "
		      "announcers have: --key-file FILE\n",
		    stderr);
		return false;
	}
	enum error error = read_file(keys);

	if (error == ERROR_OK)
		error =
		    announce_keys_take(&keys->keys, text_slice(&keys->seen));
	if (error == ERROR_OK)
		return true;
	fprintf(stderr, "yumen announcer: --key-file %s: %s\n", path,
	    why_not(error));
	return false;
}

void
heartbeat_keys_close(struct heartbeat_keys *keys)
{
	announce_keys_fini(&keys->keys);
	text_wipe(&keys->seen);
}

static void
take(struct heartbeat_keys *keys)
{
	char mark[9];

	announce_keys_mark(&keys->keys, mark);
	log_event(LOG_ANNOUNCE_KEYS,
	    LOG_NUMBER("count", (int64_t)keys->keys.count),
	    LOG_STRING("first", mark));
}

void
heartbeat_keys_look(struct heartbeat_keys *keys)
{
	struct text before = keys->seen;

	text_init(&keys->seen);
	enum error error = read_file(keys);
	bool same = slice_equal(text_slice(&before), text_slice(&keys->seen));
	bool known =
	    slice_equal(text_slice(&keys->seen), text_slice(&keys->keys.text));

	text_wipe(&before);
	if (error == ERROR_OK && !same)
		return;
	if (error == ERROR_OK && !known)
		error =
		    announce_keys_take(&keys->keys, text_slice(&keys->seen));
	if (error == ERROR_OK && !known)
		take(keys);
	if (error != ERROR_OK && !keys->told)
		log_event(LOG_ANNOUNCE_KEYS_FAILED,
		    LOG_STRING("file", keys->path),
		    LOG_STRING("why", why_not(error)));
	keys->told = error != ERROR_OK;
}
