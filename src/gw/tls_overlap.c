/* OverlappingTLSConfig: listeners of one port between whose TLS a client that
 * shares connections among names cannot tell. Each name is looked up, so that
 * many listeners cost their own number. */
#include "core/hash.h"
#include "core/map.h"
#include "gw/tls_priv.h"

/* Who has a name on a port: two listeners are enough to tell of. */
struct owners {
	struct gw_listener_state *first, *second;
};

struct overlaps {
	struct arena *work, *arena;
	struct map hosts, names; /* struct owners, by "port name" */
};

static struct slice
key_of(const struct overlaps *overlaps,
    const struct gw_listener_state *listener, const char *star,
    struct slice name)
{
	return arena_format(overlaps->work, "%lld %s%.*s",
	    (long long)listener->spec->port, star, SLICE_ARGS(name));
}

static void
note(struct overlaps *overlaps, struct map *map,
    struct gw_listener_state *listener, struct slice name)
{
	struct slice key = key_of(overlaps, listener, "", name);
	struct owners *owners = map_get(map, key);

	if (!owners) {
		owners = arena_zero(overlaps->work, 1, sizeof(*owners));
		map_put(map, key, owners);
	}
	if (!owners->first)
		owners->first = listener;
	else if (owners->first != listener && !owners->second)
		owners->second = listener;
}

/* A certificate says more than a hostname; the first that is found stays. */
static void
mark(struct overlaps *overlaps, struct gw_listener_state *listener,
    const char *reason, const char *what, struct slice mine,
    const struct gw_listener_state *other, const char *star, struct slice its)
{
	if (listener->overlap && strcmp(listener->overlap, reason) <= 0)
		return;
	listener->overlap = reason;
	listener->overlap_message = arena_format(overlaps->arena,
	    "%s \"%.*s\" overlaps with \"%s%.*s\" of listener \"%.*s\": a "
	    "client may use one connection for both",
	    what, SLICE_ARGS(mine), star, SLICE_ARGS(its),
	    SLICE_ARGS(other->spec->name));
}

static void
look(struct overlaps *overlaps, struct map *map,
    struct gw_listener_state *listener, struct slice mine, const char *star,
    struct slice its)
{
	bool host = map == &overlaps->hosts;
	const char *reason =
	    host ? "OverlappingHostnames" : "OverlappingCertificates";
	const char *what = host ? "hostname" : "the certificate's name";
	struct owners *owners =
	    map_get(map, key_of(overlaps, listener, star, its));
	struct gw_listener_state *other = NULL;

	if (owners)
		other =
		    owners->first != listener ? owners->first : owners->second;
	if (!other)
		return;
	mark(overlaps, listener, reason, what, mine, other, star, its);
	mark(overlaps, other, reason, what,
	    arena_format(overlaps->work, "%s%.*s", star, SLICE_ARGS(its)),
	    listener, "", mine);
}

static struct slice
skip_label(struct slice name)
{
	size_t dot = slice_find(name, '.');

	return dot < name.length ? slice_skip(name, dot + 1) : SLICE("");
}

static void
look_up(struct overlaps *overlaps, struct gw_listener_state *listener)
{
	struct slice host = listener->spec->hostname;

	if (host.length > 0)
		look(overlaps, &overlaps->hosts, listener, host, "", SLICE(""));
	for (struct slice rest =
	         slice_starts_with(host, SLICE("*.")) ? skip_label(host) : host;
	     (rest = skip_label(rest)).length > 0;)
		look(overlaps, &overlaps->hosts, listener, host, "*.", rest);
	for (uint32_t i = 0; i < listener->tls.certificate_count; i++) {
		const struct gw_secret_node *secret =
		    (const void *)listener->tls.certificates[i];

		for (uint32_t j = 0; j < secret->name_count; j++) {
			struct slice name = secret->names[j];

			look(overlaps, &overlaps->names, listener, name, "",
			    name);
			if (!slice_starts_with(name, SLICE("*.")))
				look(overlaps, &overlaps->names, listener, name,
				    "*.", skip_label(name));
		}
	}
}

/* Listeners that conflict are not served: there is nothing to mix up. */
static bool
is_candidate(const struct gw_listener_state *listener)
{
	return listener->tls.terminates && !listener->refused;
}

void
gw_tls_overlaps_judge(struct arena *work, struct arena *arena,
    struct gw_listener_state *const *listeners, uint32_t count)
{
	struct overlaps overlaps = {.work = work, .arena = arena};

	map_init(&overlaps.hosts);
	map_init(&overlaps.names);
	for (uint32_t i = 0; i < count; i++) {
		listeners[i]->overlap = NULL;
		if (!is_candidate(listeners[i]))
			continue;
		note(&overlaps, &overlaps.hosts, listeners[i],
		    listeners[i]->spec->hostname);
		for (uint32_t j = 0; j < listeners[i]->tls.certificate_count;
		     j++) {
			const struct gw_secret_node *secret =
			    (const void *)listeners[i]->tls.certificates[j];

			for (uint32_t k = 0; k < secret->name_count; k++)
				note(&overlaps, &overlaps.names, listeners[i],
				    secret->names[k]);
		}
	}
	for (uint32_t i = 0; i < count; i++)
		if (is_candidate(listeners[i]))
			look_up(&overlaps, listeners[i]);
	map_fini(&overlaps.hosts);
	map_fini(&overlaps.names);
}

uint64_t
gw_tls_hash_names(const struct gw_listener_state *listener)
{
	struct hash hash;

	hash_init(&hash);
	for (uint32_t i = 0; i < listener->tls.certificate_count; i++) {
		const struct gw_secret_node *secret =
		    (const void *)listener->tls.certificates[i];

		for (uint32_t j = 0; j < secret->name_count; j++)
			hash_push(&hash, secret->names[j]);
	}
	return hash_take(&hash);
}
