/* A small random world of listeners, routes, requests and ClientHellos, and
 * what decide() says of it. reference.c has the slow, obvious answer. */
#ifndef YUMEN_TEST_SNAP_WORLD_H
#define YUMEN_TEST_SNAP_WORLD_H

#include "core/random.h"
#include "snap/decide.h"

#define WORLD_LISTENERS 6
#define WORLD_ROUTES 20

struct world_route {
	struct unit_route unit;
	struct slice kind, namespace, name;
};

struct world {
	struct arena arena;
	struct random random;
	uint64_t seed; /* for messages */
	/* NULL: not there */
	struct unit_listener *listeners[WORLD_LISTENERS];
	struct world_route *routes[WORLD_ROUTES];
	unsigned routes_used; /* how many of them there may be */
	struct snap_matcher *matcher;
};

/* One listener or route: what it is from now on, NULL: gone. */
struct world_edit {
	bool of_listener;
	unsigned number;
	struct unit_listener *listener;
	struct world_route *route;
};

void world_init(struct world *world, uint64_t seed);
void world_fini(struct world *world);
unsigned world_below(struct world *world, unsigned bound);
/* Add, change or remove one thing, in the world and in the store. */
struct world_edit world_choose(struct world *world);
void world_apply(struct world *world, const struct world_edit *edit,
    struct snap_store *store);
/* Both. */
void world_edit(struct world *world, struct snap_store *store);
/* Put everything that is there. */
void world_load(const struct world *world, struct snap_store *store);

struct slice world_listener_name(struct arena *arena, unsigned number);
struct slice world_route_name(
    struct arena *arena, const struct world_route *route);

struct world_request {
	bool is_hello; /* request.host is its server name */
	bool tls; /* on a socket of TLS; a hello is */
	struct slice address;
	uint16_t port;
	struct field fields[5];
	char scratch[64];
	struct snap_request request;
};
void world_ask(struct world *world, struct world_request *asked);

/* The answer as text: "" without a listener, "listener" without a route,
 * "listener route rule match" otherwise. reference.c. */
void world_expect(const struct world *world, const struct world_request *asked,
    struct text *answer);
void world_decide(const struct snap_set *set, struct world_request *asked,
    struct text *answer);

/* Put a record under a name; what put says. */
enum error world_put(
    struct snap_store *store, struct slice name, const void *record);
/* The name of a rule's or listener's number, "" when it has none; valid until
 * the next call. */
const char *world_rule_name(const struct snap_store *store, uint32_t id);
/* The number of the socket, or SNAP_ID_NONE. */
uint32_t world_socket(
    const struct snap_set *set, struct slice address, uint16_t port, bool tls);

#endif
