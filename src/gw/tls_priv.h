/* Inside gw: TLS of listeners and backends as it is judged, and what that
 * depends on. */
#ifndef YUMEN_GW_TLS_PRIV_H
#define YUMEN_GW_TLS_PRIV_H

#include "gw/state_priv.h"

/* ---- tls.c, tls_option.c, tls_overlap.c ---- */
/* Are sessions with it resumed? */
static inline bool
gw_listener_has_tickets(const struct gw_listener_state *listener)
{
	return listener->tls.terminates &&
	    listener->protocol->unit == UNIT_PROTOCOL_HTTPS;
}
/* What tls.options of our domain say; false and why: one is not understood. */
bool gw_tls_options_take(const struct gw_listener_tls *tls, struct arena *arena,
    struct gw_tls_settings *settings, struct text *fault);
/* Sets listener->tls. owner: whose listener it is, and who refers to Secrets;
 * it has edges to all that it refers to. gateway: who says what clients must
 * show. */
void gw_tls_judge(struct gw_state *state, const struct gw_owner_node *gateway,
    const struct gw_node *owner, struct gw_listener_state *listener,
    struct arena *arena);
/* Can a handshake succeed? */
bool gw_tls_is_shown(const struct gw_listener_state *listener);
/* A certificate that owner shows backends; NULL: none, resolved says why. */
struct gw_node *gw_tls_judge_client_certificate(struct gw_state *state,
    const struct gw_node *owner, const struct gw_secret_reference *reference,
    struct slice path, struct arena *arena, struct gw_resolved *resolved);
void gw_tls_judge_backend(
    struct gw_state *state, struct gw_owner_node *gateway);
/* Does it let clients in whatever they show? */
bool gw_tls_is_insecure(const struct gw_gateway_spec *spec);
/* Sets overlap of listeners that share an address, whoever's they are. */
void gw_tls_overlaps_judge(struct arena *work, struct arena *arena,
    struct gw_listener_state *const *listeners, uint32_t count);
/* What that depends on, of one that is judged. */
uint64_t gw_tls_hash_names(const struct gw_listener_state *listener);
bool gw_authority_kind(
    struct slice group, struct slice kind, enum gw_kind *out);

/* ---- tls_edge.c ---- */
/* Of the listener of this number: the numbers go up, the Gateway's own edges
 * come last. */
void gw_tls_edges_add(struct gw_state *state, struct gw_tls_edges *edges,
    struct gw_node *user, const struct gw_listener *listener, uint16_t number);
void gw_tls_edges_add_gateway(struct gw_state *state,
    struct gw_tls_edges *edges, struct gw_node *user,
    const struct gw_gateway_tls *tls);
/* The authorities first. */
void gw_tls_edges_add_xbackend(struct gw_state *state,
    struct gw_tls_edges *edges, struct gw_node *user,
    const struct gw_xbackend_tls *tls);
void gw_tls_edges_free(struct gw_state *state, struct gw_tls_edges *edges);
/* Between begin and end, what is used of the edges of one listener (or of
 * GW_ALL_LISTENERS) is named; end makes those active and the others not. */
void gw_tls_edges_begin(struct gw_state *state);
void gw_tls_use(
    struct gw_state *state, struct gw_node *const *nodes, uint32_t count);
void gw_tls_edges_end(
    struct gw_state *state, struct gw_tls_edges *edges, uint16_t listener);

/* ---- gateway_tls.c: of a Gateway and its ListenerSets ---- */
void gw_owner_tls_init(struct gw_owner_node *owner);
void gw_owner_tls_fini(struct gw_owner_node *owner);
/* Forgets all: it is no more, or no Gateway takes it. */
void gw_owner_tls_clear(struct gw_state *state, struct gw_owner_node *owner);
/* What is at the other end of this edge of an owner's changed. */
void gw_owner_tls_note(const struct gw_edge *edge);
/* Of all, once it is known which listeners are served. */
void gw_gateway_judge_tls(
    struct gw_state *state, struct gw_owner_node *gateway);
/* Of the listeners that have something that changed. */
void gw_gateway_refresh_tls(
    struct gw_state *state, struct gw_owner_node *gateway);

#endif
