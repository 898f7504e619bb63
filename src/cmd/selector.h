/* Label selectors, as kubectl takes them: a=b,c!=d,e in (f,g),h notin (i),j,!k.
 */
#ifndef YUMEN_CMD_SELECTOR_H
#define YUMEN_CMD_SELECTOR_H

#include <jansson.h>

#include "core/slice.h"

/* Does a map of labels satisfy the selector? False, and *valid too, where it is
 * none. */
bool selector_matches(struct slice selector, const json_t *labels, bool *valid);

#endif
