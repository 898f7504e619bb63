/* Inside snap: the store, which keeps what is in force by name and builds the
 * next set from it. Control thread only.
 *
 * Two kinds of memory: what sets are made of is in limbo's hands; the states
 * here are the store's own, changed in place. Numbers (of backends, rules,
 * listeners) belong to the route units that use them and fall free with the
 * units, so that a request that holds its unit may use them to its end. */
#ifndef YUMEN_SNAP_STORE_PRIV_H
#define YUMEN_SNAP_STORE_PRIV_H

#include "core/list.h"
#include "core/map.h"
#include "snap/pattern_priv.h"
#include "snap/set_priv.h"

/* A listener by name, there or only named by routes. */
struct snap_listener_state {
	uint32_t id; /* in rule_ids */
	uint32_t references; /* route units that name it, and its own unit */
	const struct unit *unit; /* NULL: not there */
	uint32_t name_length;
	char name[]; /* "listener/..." */
};

/* An address and port that listeners are on, which speak TLS or do not. */
struct snap_socket_state {
	uint32_t id;
	uint32_t references; /* listeners on it */
	uint16_t port;
	bool tls;
	enum unit_protocol flow;
	uint32_t address_length, name_length;
	char name[]; /* "address:port", and " tls", " tcp" or " udp" */
};

/* What backends point to: a Service or an external name, by unit name; there,
 * or only named by routes or endpoints. */
struct snap_target {
	const struct unit *unit; /* NULL: not there */
	struct list backends; /* snap_backend_state.of_target */
	const struct unit **endpoints; /* units */
	uint32_t endpoints_count, endpoints_capacity;
	struct snap_hostname *hostname; /* of an external unit */
	struct snap_use *uses; /* a credential each */
	uint32_t use_count;
	struct list of_hostname;
	uint32_t name_length;
	char name[];
};

/* A credential that a target is spoken to with. */
struct snap_use {
	struct list link; /* of the credential's users */
	struct snap_target *target;
};

/* A target at a port, as rules name it. */
struct snap_backend_state {
	struct list of_target;
	struct list dirty; /* in the store's list, when to be built anew */
	struct snap_target *target;
	uint32_t id;
	uint32_t references; /* of rules of route units */
	uint16_t port;
	bool datagrams;
};

/* A name that external units have, and its addresses as far as is known. */
struct snap_hostname {
	struct list targets; /* snap_target.of_hostname */
	struct list idle; /* in the store's list, when it may have no target */
	struct slice *addresses; /* one block with their bytes */
	uint32_t address_count;
	uint32_t name_length;
	char name[];
};

struct snap_retired {
	struct unit *unit;
	uint64_t last; /* number of the last set that has it */
};

struct snap_store {
	struct snap_limbo limbo;
	struct snap_set *current; /* NULL before the first commit */
	/* what the next set will have */
	struct snap_array sockets, listeners, backends, credentials;
	struct snap_sockets *socket_list;
	bool changed, sockets_changed;
	struct feed_generation generation;

	struct map units; /* name -> struct unit */
	struct snap_retired
	    *retired; /* units that were replaced, oldest first */
	size_t retired_count, retired_capacity;

	uint32_t *free_slots; /* unit slots */
	uint32_t free_slot_count, slot_limit, slot_capacity;
	struct list holds;

	struct map listener_states; /* name -> struct snap_listener_state */
	struct snap_rule_ids *rule_ids; /* of listeners and rules */
	struct map socket_states; /* name -> struct snap_socket_state */
	struct snap_ids *socket_ids; /* by the same names */

	struct snap_ids *credential_ids; /* by names of units */
	struct list **users; /* of a credential, by its number; snap_use */
	uint32_t users_capacity;
	struct snap_patterns patterns;
	struct map targets; /* name -> struct snap_target */
	struct map hostnames; /* name -> struct snap_hostname */
	struct snap_ids *backend_ids; /* "target port" */
	struct snap_backend_state **backend_states; /* by id */
	uint32_t backend_states_capacity;
	struct list dirty_backends, idle_hostnames;
	uint64_t serial;
};

/* listeners.c */
void snap_listeners_init(struct snap_store *store);
void snap_listeners_fini(struct snap_store *store);
/* The state of a listener by name, one reference more. */
struct snap_listener_state *snap_listener_ref(
    struct snap_store *store, struct slice name);
void snap_listener_unref(
    struct snap_store *store, struct snap_listener_state *state);
/* The name as its state has it, which somebody refers to. */
struct slice snap_listener_name(
    const struct snap_store *store, struct slice name);
/* A listener unit comes (old NULL), changes, or goes (unit NULL). */
void snap_listener_replace(
    struct snap_store *store, const struct unit *old, const struct unit *unit);
/* What the next set has under its number, made so that it may be written. */
struct snap_listener *snap_listener_writable(
    struct snap_store *store, struct snap_listener_state *state);
/* The list of sockets, made anew where it changed. */
void snap_listeners_commit(struct snap_store *store);

/* backends.c */
void snap_backends_init(struct snap_store *store);
void snap_backends_fini(struct snap_store *store);
/* The number of a backend, one reference more. */
uint32_t snap_backend_ref(struct snap_store *store, struct slice target,
    uint16_t port, bool datagrams);
void snap_backend_unref(struct snap_store *store, uint32_t id);
/* The name of its target, as long as it is referred to. */
struct slice snap_backend_target(const struct snap_store *store, uint32_t id);
/* A service, endpoints or external unit comes, changes or goes. */
void snap_backends_replace(
    struct snap_store *store, const struct unit *old, const struct unit *unit);
/* All backends of a target are to be built anew. */
void snap_target_mark(
    struct snap_store *store, const struct snap_target *target);
/* What a credential says has changed. */
void snap_backends_mark_users(struct snap_store *store, uint32_t credential);
/* Build the backends whose parts changed. */
void snap_backends_commit(struct snap_store *store);

/* hostnames.c */
void snap_hostnames_init(struct snap_store *store);
void snap_hostnames_fini(struct snap_store *store);
/* The name that a target has from now on; absent: none. */
void snap_target_name(
    struct snap_store *store, struct snap_target *target, struct slice name);
/* Names that nothing has any more go. */
void snap_hostnames_commit(struct snap_store *store);

/* backend_tls.c: a unit's record of TLS, with the numbers of its authorities.
 */
struct snap_tls_source {
	const struct unit_backend_tls *record;
	const uint32_t *authority_ids;
	uint32_t certificate_id;
	uint8_t trust_key[SNAP_TLS_KEY_BYTES], key[SNAP_TLS_KEY_BYTES];
};
void snap_tls_source_init(struct snap_tls_source *source,
    const struct snap_store *store, const struct unit_backend_tls *record,
    const uint32_t *authority_ids);
bool snap_tls_is_same(
    const struct snap_backend_tls *tls, const struct snap_tls_source *source);
/* The copy of a set, in so many bytes. */
size_t snap_tls_copy_bytes(const struct snap_tls_source *source);
const struct snap_backend_tls *snap_tls_copy(
    const struct snap_tls_source *source, void *memory);
/* The target's unit has changed, and with it the credentials it uses. */
void snap_target_use(struct snap_store *store, struct snap_target *target);
/* The targets that use a credential. */
void snap_credential_users(struct snap_store *store, uint32_t id,
    void (*fn)(struct snap_store *store, const struct snap_target *target));
void snap_credential_users_fini(struct snap_store *store);

/* credentials.c: certificates and authorities, by the numbers that units have
 * of them, whether they are there or not. */
void snap_credentials_init(struct snap_store *store);
void snap_credentials_fini(struct snap_store *store);
/* How many a unit names, or one backend of it: authorities, then a certificate.
 */
uint32_t snap_credentials_count(const struct unit *unit);
uint32_t snap_credentials_of_backend(const struct unit_backend_tls *tls);
/* A unit's numbers, from its coming until it is freed. */
void snap_credentials_ref(struct snap_store *store, struct unit *unit);
void snap_credentials_unref(struct snap_store *store, const struct unit *unit);
/* A certificate or authority unit comes, changes or goes. */
void snap_credential_replace(
    struct snap_store *store, struct unit *old, struct unit *unit);

/* plan.c: a route unit, made ready to be indexed. Its numbers are referenced
 * from _new to _release. */
struct snap_plan {
	struct snap_listener_state **listeners; /* as the route's */
	struct snap_rule *rules; /* as the route's */
	struct snap_match *matches; /* of all rules */
	uint32_t *rule_ids; /* [listener * rules_count + rule] */
	uint32_t match_count;
	enum unit_route_kind kind;
};
/* Of a unit borrowed from bytes, which it owns then. INVALID or LIMIT: a
 * pattern cannot be compiled; the unit has no plan then. */
enum error snap_plan_make(
    struct snap_store *store, struct unit *unit, struct slice bytes) must_check;
void snap_plan_release(struct snap_store *store, const struct unit *unit);

/* index.c: a planned route's entries, into or out of the listeners' trees. */
void snap_index_add(struct snap_store *store, const struct unit *unit);
void snap_index_remove(struct snap_store *store, const struct unit *unit);
/* Frees a listener's tree of hosts. */
void snap_index_free(struct snap_radix *hosts);

/* holds.c */
/* All workers' tables get a place for every slot. */
void snap_holds_grow(struct snap_store *store);
uint32_t snap_holds_count(const struct snap_holds *holds, uint32_t slot);
void snap_holds_fini(struct snap_store *store);

#endif
