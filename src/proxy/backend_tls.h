/* TLS towards the backends of one worker: what a connection to one is opened
 * with, made at first use from what the set says. Who is believed and the
 * certificate that is shown are shared by all backends that have the same; none
 * of it changes: settings that differ are others. */
#ifndef YUMEN_PROXY_BACKEND_TLS_H
#define YUMEN_PROXY_BACKEND_TLS_H

#include "net/tls_system.h"
#include "snap/set.h"

struct proxy_backends_tls; /* what they share */
/* system: all of it is read before a set asks for it. */
struct proxy_backends_tls *proxy_backends_tls_new(
    struct metrics *metrics, const struct net_tls_system *system);
/* When all settings are freed and all connections closed; what those still had
 * to send is cut. */
void proxy_backends_tls_free(struct proxy_backends_tls **shared);

struct proxy_backend_tls {
	struct proxy_backends_tls *shared;
	uint8_t key[SNAP_TLS_KEY_BYTES]; /* of the set's settings */
	/* The unit of the certificate that is shown, by number and content;
	 * NONE: none is. */
	uint32_t certificate_id;
	struct unit_digest certificate;
	/* Without a session. trust NULL: no authority can be read, so that
	 * nobody would be believed. */
	struct net_tls_client client;
	bool is_usable; /* there is somebody to believe, and what to show */
	struct proxy_shared *trust, *identity;
	struct arena arena;
};
struct proxy_backend_tls *proxy_backend_tls_new(
    struct proxy_backends_tls *shared, const struct snap_set *set,
    const struct snap_backend_tls *settings, uint32_t certificate_id);
void proxy_backend_tls_free(struct proxy_backend_tls **tls);
/* Is it made of these settings? */
bool proxy_backend_tls_is(const struct proxy_backend_tls *tls,
    const struct snap_backend_tls *settings);
/* Is this the certificate that it shows, and says what it said then? */
bool proxy_backend_tls_shows(const struct proxy_backend_tls *tls,
    const struct snap_set *set, uint32_t certificate_id);

/* Of an endpoint: what its connections are opened with, and the session that
 * the next one resumes. */
struct proxy_endpoint_tls {
	struct net_tls_client client;
	struct net_tls_session session;
};
struct proxy_endpoint_tls *proxy_endpoint_tls_new(
    const struct proxy_backend_tls *tls);
void proxy_endpoint_tls_free(struct proxy_endpoint_tls **tls);

#endif
