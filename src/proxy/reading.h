/* How a request is read, the same for the workers and for who explains: its
 * host, its canonical path, whether its method is served at all, where a chosen
 * backend leads. Functions of their arguments; inline, as every request goes
 * through them. */
#ifndef YUMEN_PROXY_READING_H
#define YUMEN_PROXY_READING_H

#include "core/must.h"
#include "snap/decide.h"
#include "wire/host.h"
#include "wire/path.h"

/* storage has room for WIRE_HOST_BYTES + 3; *host stays absent without one. */
static inline enum error
proxy_read_host(const struct wire_head *head, char *storage, struct slice *host)
{
	uint16_t port;
	if (likely(head->plain_host)) {
		*host = head->authority;
		return ERROR_OK;
	}
	if (head->authority.length == 0)
		return ERROR_OK;
	return wire_authority_parse(head->authority, storage, host, &port);
}

#define PROXY_SERVER_NAME_BYTES 255

/* An SNI in lower case, without a trailing dot, in out; absent: there is none.
 */
static inline struct slice
proxy_read_server_name(struct slice name, char out[PROXY_SERVER_NAME_BYTES])
{
	if (name.length == 0 || name.length > PROXY_SERVER_NAME_BYTES)
		return SLICE_NONE;
	if (name.data[name.length - 1] == '.')
		name.length--;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];
		out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return slice_make(out, name.length);
}

/* The canonical path, in scratch where it is not the head's own. "*" goes where
 * "/" does: RFC 9112 3.2.4 has it stand for a URI without a path. */
static inline enum error
proxy_read_path(const struct wire_head *head, char *scratch, size_t capacity,
    struct slice *path)
{
	if (head->path.length + head->query.length > capacity)
		return ERROR_HTTP_TARGET_TOO_LONG;
	if (unlikely(head->method_id == METHOD_OPTIONS &&
	        slice_equal(head->path, SLICE("*")))) {
		*path = SLICE("/");
		return ERROR_OK;
	}
	return wire_path_canonical(head->path, scratch, path);
}

/* The status for a method that is never served, or 0. A gateway is no forward
 * proxy (CONNECT), and what TRACE would echo holds fields that are none of the
 * client's. */
static inline int
proxy_method_refusal(enum method_id method)
{
	return method == METHOD_CONNECT ? 405
	    : method == METHOD_TRACE    ? 501
	                                : 0;
}

/* RFC 9110 7.6.2: the field that counts hops, and how many are left; NULL: it
 * does not count. */
static inline struct field *
proxy_read_max_forwards(struct wire_head *head, uint64_t *left)
{
	struct field *field = wire_head_find(head, FIELD_MAX_FORWARDS);
	return field && slice_to_number(field_value(field), UINT32_MAX, left)
	    ? field
	    : NULL;
}

/* NONE: *backend is where the backendRef leads. */
static inline enum reason
proxy_find_backend(const struct snap_set *set,
    const struct unit_backend *chosen, uint32_t id,
    const struct snap_backend **backend)
{
	if (unlikely(chosen->refused.length > 0))
		return REASON_REF_NOT_RESOLVED;
	*backend = snap_set_backend(set, id);
	if (unlikely(!*backend || !(*backend)->exists))
		return *backend && (*backend)->tls ? REASON_TLS_REFUSED
		                                   : REASON_REF_NOT_RESOLVED;
	return REASON_NONE;
}

/* The number of the certificate that a backend of TLS is shown: the one that it
 * asks for itself, else that of the listener's Gateway; NONE: none. */
static inline uint32_t
proxy_shown_certificate(
    const struct snap_backend_tls *tls, const struct unit *listener)
{
	uint32_t id = tls->certificate_id;
	if (listener && id == SNAP_ID_NONE)
		(void)snap_listener_certificate(listener, &id);
	return id;
}

/* Ready endpoints get requests; where there is none, those that still serve
 * while they end, as kube-proxy does (ProxyTerminatingEndpoints). */
static const uint8_t proxy_candidate_conditions[] = {
    UNIT_ENDPOINT_READY, UNIT_ENDPOINT_SERVING | UNIT_ENDPOINT_TERMINATING};

#endif
