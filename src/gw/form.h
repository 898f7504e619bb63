/* The forms of values that the CRDs give as patterns: is this text one? Pure
 * predicates; lengths that the tables bound are not looked at again. */
#ifndef YUMEN_GW_FORM_H
#define YUMEN_GW_FORM_H

#include <stdbool.h>
#include <stdint.h>
#include "core/slice.h"

/* RFC 1123 label: lower-case letters, digits and '-', at most 63 bytes. */
bool gw_form_is_label(struct slice s);
/* RFC 1035 label: the same, beginning with a letter. */
bool gw_form_is_service(struct slice s);
/* RFC 1123 subdomain: labels of any length joined by '.', at most 253 bytes. */
bool gw_form_is_name(struct slice s);
/* A name, or empty for Kubernetes' own group. */
bool gw_form_is_group(struct slice s);
bool gw_form_is_kind(struct slice s);
/* "example.com/controller" */
bool gw_form_is_domain_path(struct slice s);
/* Keys and values of labels, and keys of annotations. */
bool gw_form_is_label_key(struct slice s);
bool gw_form_is_label_value(struct slice s);
/* "HTTP", "example.com/bar" */
bool gw_form_is_protocol(struct slice s);
/* Visible ASCII, with single blanks or tabs between. */
bool gw_form_is_header_value(struct slice s);

/* The name of a file, as keys of ConfigMaps and Secrets are. */
bool gw_form_is_file_name(struct slice s);
/* Base64 of RFC 4648 with padding; loosely: also empty, or on several lines. */
bool gw_form_is_base64(struct slice s, bool loosely);
/* A time of RFC 3339. */
bool gw_form_is_time(struct slice s);

#define GW_ADDRESS_BYTES 46
/* An IP address; writes its one canonical form to out (GW_ADDRESS_BYTES) and
 * the family, 4 or 6. */
bool gw_form_is_address(struct slice s, char *out, unsigned *family);
/* "10.0.0.0/8", "2001:db8::/32"; bits behind the prefix may be set. */
bool gw_form_is_prefix(struct slice s);
enum gw_scope {
	GW_SCOPE_WIDE, /* nothing special */
	GW_SCOPE_UNSPECIFIED,
	GW_SCOPE_LOOPBACK,
	GW_SCOPE_LINK,
	GW_SCOPE_LINK_MULTICAST,
};
/* How far an IP address reaches; one that is none is GW_SCOPE_WIDE. */
enum gw_scope gw_form_scope(struct slice s);
/* A duration of GEP-2257 in milliseconds. */
bool gw_form_is_duration(struct slice s, uint64_t *ms);
/* What is wrong with a path to match (Exact, PathPrefix), or NULL. Static. */
const char *gw_form_path_fault(struct slice path);

#endif
