/* The set: all units of one generation and the indexes over them, immutable and
 * persistent: a change copies one path. The store makes sets, in the control
 * thread; workers read them.
 *
 * Lifetimes: a worker reads the current set within one turn of its loop and
 * keeps no pointer into it across turns, but for routes that a request in
 * flight holds by snap_hold. After a worker has taken a newer set it has passed
 * a quiet point for older ones; the store frees what only older sets used when
 * all workers have, and units when no worker holds them besides. */
#ifndef YUMEN_SNAP_SET_H
#define YUMEN_SNAP_SET_H

#include "snap/feed.h"
#include "snap/ids.h"
#include "snap/rule_ids.h"
#include "snap/unit.h"

struct snap_set; /* immutable */
struct snap_store; /* control thread */

/* How many requests of one worker hold each unit, by unit slot. Owned by the
 * worker, grown by the store, read by the store. */
struct snap_holds;
struct snap_holds *snap_holds_new(struct snap_store *store);
/* Of a worker that ends before its store, whose end frees the others. */
void snap_holds_free(struct snap_holds **holds);
void snap_hold(struct snap_holds *holds, const struct unit *unit);
void snap_release(struct snap_holds *holds, const struct unit *unit);

/* An endpoint as the balancer wants it. */
struct snap_endpoint {
	struct slice address; /* an IP address */
	uint16_t port;
	uint8_t conditions; /* enum unit_endpoint_condition */
};
/* A backend: (service or external, port), with all its endpoints. */
struct snap_backend {
	uint64_t serial; /* differs whenever the content may differ */
	uint32_t id;
	struct slice target; /* "service/ns/name" */
	uint16_t port;
	bool datagrams; /* the port is one of UDP */
	/* The unit and its port are there, and may be spoken to. */
	bool exists;
	bool is_plain; /* ... in plain text, as most are */
	const struct snap_backend_tls *tls; /* NULL: in plain text */
	const struct snap_endpoint
	    *endpoints; /* sorted by address, port; unique */
	uint32_t endpoint_count;
};
/* How one is spoken to in TLS. */
#define SNAP_TLS_KEY_BYTES 32
struct snap_backend_tls {
	struct slice refused; /* why it must not be; else empty */
	struct slice hostname; /* SNI; its name when there are no names */
	const struct unit_tls_name *names;
	const uint32_t *authority_ids; /* for snap_set_credential */
	uint32_t name_count, authority_count;
	/* That it is shown, whatever the listener's is; or NONE. */
	uint32_t certificate_id;
	bool system;
	/* Of whom is believed, by what the authorities say; and of all. */
	uint8_t trust_key[SNAP_TLS_KEY_BYTES], key[SNAP_TLS_KEY_BYTES];
};

struct snap_store *snap_store_new(void);
void snap_store_free(struct snap_store **store);

/* Put or drop units; takes effect with commit. A put of equal bytes is free. On
 * an error the unit that was there stays: what snap_unit_new says, and INVALID
 * when a pattern cannot be compiled. */
enum error snap_store_put(
    struct snap_store *store, struct slice name, struct slice bytes) must_check;
void snap_store_drop(struct snap_store *store, struct slice name);
/* The addresses of a hostname, for external backends that name it (agent:
 * names). addresses are IP addresses. */
void snap_store_resolve(struct snap_store *store, struct slice hostname,
    const struct slice *addresses, unsigned count);
/* The hostnames that external units name; context sees each once. */
void snap_store_hostnames(const struct snap_store *store,
    void (*fn)(void *context, struct slice hostname), void *context);
/* The set with all changes so far. Borrowed: current until the next commit,
 * then alive until snap_store_quiet passes it. */
const struct snap_set *snap_store_commit(struct snap_store *store);
struct feed_generation snap_store_generation(const struct snap_store *store);

/* Sets are numbered from 1 as committed. */
uint64_t snap_set_number(const struct snap_set *set);
/* All workers have taken set number or a newer one: free what is older. Call
 * again later, with the same number, while snap_store_has_garbage. */
void snap_store_quiet(struct snap_store *store, uint64_t number,
    struct snap_holds *const *holds, unsigned workers);
bool snap_store_has_garbage(const struct snap_store *store);

/* Lookups in a set, by workers. */
const struct snap_backend *snap_set_backend(
    const struct snap_set *set, uint32_t id);
/* The certificate, authority or tickets of such a number; NULL while there are
 * none. */
const struct unit *snap_set_credential(const struct snap_set *set, uint32_t id);
/* The number of the certificate that a listener's backends are shown; false:
 * none is. Good as long as the unit is held. */
bool snap_listener_certificate(const struct unit *listener, uint32_t *id);
/* The same of its tickets. */
bool snap_listener_tickets(const struct unit *listener, uint32_t *id);
/* The listener of a snap_decision.listener_id; NULL when it is gone. */
const struct unit *snap_set_listener(const struct snap_set *set, uint32_t id);
/* Lookups by the control thread. */
const struct unit *snap_store_unit(
    const struct snap_store *store, struct slice name);
bool snap_store_next(
    const struct snap_store *store, size_t *at, const struct unit **unit);
/* Numbers of listeners and of their rules, for metrics. */
const struct snap_rule_ids *snap_store_rule_ids(const struct snap_store *store);

#endif
