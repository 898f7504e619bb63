/* Base64 of RFC 4648 section 4, with padding. */
#ifndef YUMEN_WIRE_BASE64_H
#define YUMEN_WIRE_BASE64_H

#include "core/text.h"

void wire_base64_push(struct text *out, struct slice bytes);
/* Line ends are passed over, and bits beyond the last byte. False: it is no
 * base64, and out has what came before. */
bool wire_base64_take(struct text *out, struct slice text);

#endif
