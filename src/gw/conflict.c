/* Conflicts: which listeners of a Gateway's list, its own and those of its
 * ListenerSets, rule each other out. Two of one owner are both refused: nobody
 * can say which was meant. Of two owners' the one whose owner comes first
 * stands: the Gateway, then the older ListenerSet, then the first by name. */
#include "core/must.h"
#include "gw/state_priv.h"

struct holder {
	const struct gw_owner_node *owner;
	const struct gw_listener_state *listener;
};

/* What is taken of a Gateway. Keyed by its bytes, and a hostname's behind it
 * where family is not ANY. */
enum { FAMILY_ANY = -1 };
struct place {
	const struct gw_owner_node *gateway;
	int64_t port;
	int64_t family;
};

/* The first listener of each family on a port of a Gateway. */
struct port {
	struct holder first[GW_FAMILY__COUNT];
};

static enum gw_family
family_of(const struct gw_listener_state *listener)
{
	return listener->protocol ? listener->protocol->family
	                          : GW_FAMILY_OTHER;
}

/* Why listeners of two families cannot share a port, or NULL. */
static const char *
find_family_conflict(enum gw_family a, enum gw_family b)
{
	return a == b || a == GW_FAMILY_UDP || b == GW_FAMILY_UDP
	    ? NULL
	    : "ProtocolConflict";
}

/* Why two of one family and hostname cannot: they have no hostname at all, or
 * the same. */
static const char *
name_hostname_conflict(enum gw_family family)
{
	return family == GW_FAMILY_TCP || family == GW_FAMILY_UDP
	    ? "ListenerConflict"
	    : "HostnameConflict";
}

static const char *
find_conflict(
    const struct gw_listener_state *a, const struct gw_listener_state *b)
{
	enum gw_family left = family_of(a), right = family_of(b);

	if (a->spec->port != b->spec->port)
		return NULL;
	if (left == right && slice_equal(a->spec->hostname, b->spec->hostname))
		return name_hostname_conflict(left);
	return find_family_conflict(left, right);
}

/* ---- among those of one owner ---- */

static void
judge_among_own(struct gw_owner_node *owner, struct gw_listener_state *listener)
{
	for (uint32_t i = 0; i < owner->listener_count; i++) {
		const struct gw_listener_state *other = &owner->listeners[i];
		const struct gw_listener *spec = other->spec;
		const char *conflict = NULL;

		if (other != listener && !other->lost)
			conflict = find_conflict(listener, other);
		if (!conflict)
			continue;
		listener->conflict = listener->refused = conflict;
		listener->message = arena_format(&owner->arena,
		    "conflicts with listener \"%.*s\" (protocol %.*s, port "
		    "%lld, hostname \"%.*s\"): neither is served",
		    SLICE_ARGS(spec->name), SLICE_ARGS(spec->protocol),
		    (long long)spec->port, SLICE_ARGS(spec->hostname));
		return;
	}
}

/* ---- with those of owners that come first ---- */

static struct slice
make_key(struct arena *arena, const struct gw_owner_node *owner,
    const struct gw_listener_state *listener, int64_t family)
{
	struct slice hostname =
	    family == FAMILY_ANY ? SLICE("") : listener->spec->hostname;
	struct place *place =
	    arena_zero(arena, 1, sizeof(*place) + hostname.length);

	*place = (struct place){.gateway = owner->gateway,
	    .port = listener->spec->port,
	    .family = family};
	if (hostname.length > 0)
		memcpy(place + 1, hostname.data, hostname.length);
	return slice_make(
	    (const char *)place, sizeof(*place) + hostname.length);
}

static const struct holder *
find_rival(struct gw_state *state, const struct map *taken,
    const struct gw_owner_node *owner, const struct gw_listener_state *listener,
    const char **conflict)
{
	enum gw_family family = family_of(listener);
	const struct port *port =
	    map_get(taken, make_key(&state->work, owner, listener, FAMILY_ANY));

	for (unsigned i = 0; port && i < GW_FAMILY__COUNT; i++) {
		*conflict = find_family_conflict(family, (enum gw_family)i);
		if (*conflict && port->first[i].owner)
			return &port->first[i];
	}
	*conflict = name_hostname_conflict(family);
	return map_get(taken, make_key(&state->work, owner, listener, family));
}

/* Of an owner elsewhere no more is told than whose the place is. */
static void
judge_with_first(struct gw_state *state, const struct map *taken,
    struct gw_owner_node *owner, struct gw_listener_state *listener)
{
	const char *conflict;
	const struct holder *rival =
	    find_rival(state, taken, owner, listener, &conflict);

	if (!rival)
		return;
	listener->lost = true;
	listener->conflict = listener->refused = conflict;
	listener->message = arena_format(&owner->arena,
	    "conflicts with listener \"%.*s\" (protocol %.*s, port %lld) of "
	    "%s %.*s, which comes first",
	    SLICE_ARGS(rival->listener->spec->name),
	    SLICE_ARGS(rival->listener->spec->protocol),
	    (long long)rival->listener->spec->port,
	    gw_kinds[rival->owner->node.kind].kind,
	    SLICE_ARGS(gw_node_key(&rival->owner->node)));
}

static void
take(struct gw_state *state, struct map *taken,
    const struct gw_owner_node *owner, const struct gw_listener_state *listener)
{
	enum gw_family family = family_of(listener);
	struct slice key = make_key(&state->work, owner, listener, FAMILY_ANY);
	struct port *port = map_get(taken, key);
	struct holder *holder = arena_alloc(&state->work, sizeof(*holder));

	*holder = (struct holder){.owner = owner, .listener = listener};
	if (!port) {
		port = arena_zero(&state->work, 1, sizeof(*port));
		map_put(taken, key, port);
	}
	if (!port->first[family].owner)
		port->first[family] = *holder;
	key = make_key(&state->work, owner, listener, family);
	if (!map_get(taken, key))
		map_put(taken, key, holder);
}

void
gw_conflicts_judge(
    struct gw_state *state, struct map *taken, struct gw_owner_node *owner)
{
	must(owner->gateway != NULL);
	struct gw_listener_state *listeners = owner->listeners;
	uint32_t count = owner->listener_count;

	for (uint32_t i = 0; i < count; i++)
		judge_with_first(state, taken, owner, &listeners[i]);
	for (uint32_t i = 0; i < count; i++)
		if (!listeners[i].lost)
			judge_among_own(owner, &listeners[i]);
	for (uint32_t i = 0; i < count; i++)
		if (!listeners[i].lost)
			take(state, taken, owner, &listeners[i]);
}
