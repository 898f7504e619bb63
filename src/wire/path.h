/* The canonical path: the one form that is matched AND forwarded. Unreserved
 * characters are decoded, other escapes keep their %XX with upper-case digits,
 * "." and ".." segments are removed (also as %2e, and with ;parameters),
 * %2F and %5C stay opaque. Empty segments ("//") stay.
 *
 * Refused is what two readers could take for different paths: characters that
 * RFC 3986 does not allow in a path (nor does Gateway API in one to match, so
 * that "|" would pass by a rule for "%7C"), "\" among them; and a dot segment
 * that is one only for who decodes %2F, %5C or %3B ("/a/..%2Fb", "/a/..%3Bx").
 */
#ifndef YUMEN_WIRE_PATH_H
#define YUMEN_WIRE_PATH_H

#include <stdbool.h>
#include "core/error.h"
#include "core/slice.h"

/* *canonical is raw itself when it has no escape and no dot segment (the common
 * case, one scan), else written to out (raw.length bytes suffice).
 * HTTP_BAD_PATH: does not start with '/', a character that is not allowed, bad
 * escape, %00, or climbs over the root. */
enum error wire_path_canonical(
    struct slice raw, char *out, struct slice *canonical) must_check;
/* Is prefix a prefix of path by whole segments? A trailing '/' of the prefix is
 * ignored: "/v2" and "/v2/" both fit "/v2", "/v2/" and "/v2/x", not "/v2x". */
bool wire_path_has_prefix(struct slice path, struct slice prefix);
/* The first value of a query parameter, exact and case-sensitive; as written
 * with %XX and '+' decoded into out (query.length bytes). False when absent. */
bool wire_query_get(
    struct slice query, struct slice name, char *out, struct slice *value);

#endif
