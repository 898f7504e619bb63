/* A line an address: "namespace/name address"; "namespace/name -" for who had
 * one and waits for another. */
#include "ctl/addresses.h"

#include "core/arena.h"
#include "core/file.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/map.h"
#include "core/memory.h"
#include "core/must.h"
#include "gw/address.h"
#include "net/address.h"

enum { ARENA_BYTES = 4096 };
#define HEAD \
	"# Which address of a pool each Gateway has, or - where it waits for " \
	"one: yumen reads it when it starts.\n"
#define WAITS "-"

/* What one had. */
struct had {
	struct had *next;
	struct slice address; /* or WAITS */
};

struct ctl_addresses {
	const char *path;
	struct arena arena; /* of what was read */
	struct map had; /* by Gateway: those that have not come yet */
	struct text text; /* what the file has */
	bool failed; /* told, since it could be written last */
};

static void
tell_failed(struct ctl_addresses *addresses, enum error error)
{
	if (!addresses->failed)
		log_event(LOG_ADDRESSES_FAILED,
		    LOG_STRING("path", addresses->path),
		    LOG_STRING("why", error_text(error)));
	addresses->failed = true;
}

/* False: it is nothing that was written here. */
static bool
read_line(struct ctl_addresses *addresses, struct slice line)
{
	struct net_address address;
	struct slice rest = line, name;

	if (line.length == 0 || line.data[0] == '#')
		return true;
	if (!slice_cut(&rest, ' ', &name) || !slice_is_set(rest) ||
	    slice_find(name, '/') == name.length)
		return false;
	if (!slice_equal(rest, SLICE(WAITS)) &&
	    net_address_parse(rest, 0, &address) != ERROR_OK)
		return false;
	struct had *had = arena_alloc(&addresses->arena, sizeof(*had));

	*had = (struct had){.next = map_get(&addresses->had, name),
	    .address = arena_copy(&addresses->arena, rest)};
	map_put(&addresses->had, arena_copy(&addresses->arena, name), had);
	return true;
}

/* The first such line; the others are read. */
static void
tell_line(const struct ctl_addresses *addresses, unsigned line)
{
	struct text place;

	text_init(&place);
	text_printf(&place, "%s:%u", addresses->path, line);
	log_event(LOG_ADDRESSES_FAILED, LOG_TEXT("path", text_slice(&place)),
	    LOG_STRING("why", "not \"namespace/name address\""));
	text_fini(&place);
}

static void
read_all(struct ctl_addresses *addresses)
{
	enum error error = file_read(
	    addresses->path, LIMIT_VALUE_ADDRESSES_BYTES, &addresses->text);
	struct slice rest = text_slice(&addresses->text), line;

	if (error != ERROR_OK) {
		text_reset(&addresses->text);
		if (error != ERROR_NOT_FOUND)
			tell_failed(addresses, error);
		return;
	}
	unsigned number = 0, bad = 0;
	while (slice_cut(&rest, '\n', &line)) {
		number++;
		if (!read_line(addresses, line) && bad == 0)
			bad = number;
	}
	if (bad > 0)
		tell_line(addresses, bad);
}

struct ctl_addresses *
ctl_addresses_new(const char *path)
{
	must(path != NULL);
	struct ctl_addresses *addresses = memory_zero(1, sizeof(*addresses));

	addresses->path = path;
	arena_init(&addresses->arena, ARENA_BYTES);
	map_init(&addresses->had);
	text_init(&addresses->text);
	read_all(addresses);
	return addresses;
}

void
ctl_addresses_free(struct ctl_addresses **addresses)
{
	struct ctl_addresses *old = *addresses;

	*addresses = NULL;
	if (old == NULL)
		return;
	map_fini(&old->had);
	arena_fini(&old->arena);
	text_fini(&old->text);
	memory_free(old);
}

void
ctl_addresses_recall(struct ctl_addresses *addresses, struct gw_state *state,
    struct slice namespace, struct slice name)
{
	must(addresses != NULL && state != NULL);
	struct text key;

	if (addresses->had.count == 0)
		return;
	text_init(&key);
	text_printf(&key, "%.*s/%.*s", SLICE_ARGS(namespace), SLICE_ARGS(name));
	for (const struct had *had =
	         map_remove(&addresses->had, text_slice(&key));
	     had != NULL; had = had->next)
		if (slice_equal(had->address, SLICE(WAITS)))
			gw_state_wait(state, namespace, name);
		else
			gw_state_hold(state, namespace, name, had->address);
	text_fini(&key);
}

/* ---- writing ---- */

struct writing {
	const struct gw_state *state;
	struct text text;
};

static void
write_line(
    struct writing *writing, const struct gw_object *gateway, struct slice what)
{
	if (writing->text.length == 0)
		text_push_string(&writing->text, HEAD);
	text_printf(&writing->text, "%.*s/%.*s %.*s\n",
	    SLICE_ARGS(gateway->namespace), SLICE_ARGS(gateway->name),
	    SLICE_ARGS(what));
}

static bool
write_gateway(void *context, const struct gw_object *gateway)
{
	struct writing *writing = context;
	const struct gw_address *addresses;
	uint32_t count = gw_state_addresses(writing->state, GW_GATEWAY,
	    gateway->namespace, gateway->name, &addresses);

	for (uint32_t i = 0; i < count; i++)
		if (slice_is_set(addresses[i].pool))
			write_line(writing, gateway, addresses[i].text);
	if (gw_state_waits(writing->state, gateway->namespace, gateway->name))
		write_line(writing, gateway, SLICE(WAITS));
	return true;
}

void
ctl_addresses_keep(
    struct ctl_addresses *addresses, const struct gw_state *state)
{
	must(addresses != NULL && state != NULL);
	struct writing writing = {.state = state};
	enum error error;

	text_init(&writing.text);
	gw_state_each(state, GW_GATEWAY, write_gateway, &writing);
	struct slice text = text_slice(&writing.text);

	/* Where no pool ever gave anything there is no file. */
	if (slice_equal(text, text_slice(&addresses->text))) {
		text_fini(&writing.text);
		return;
	}
	error = file_replace(addresses->path, 0600, text);
	text_fini(&addresses->text);
	addresses->text = writing.text;
	addresses->failed = addresses->failed && error != ERROR_OK;
	if (error == ERROR_OK)
		return;
	tell_failed(addresses, error);
	/* The next change tries again. */
	text_reset(&addresses->text);
}
