/* The two codecs behind wire/neighbour.h. */
#ifndef YUMEN_WIRE_NEIGHBOUR_PRIV_H
#define YUMEN_WIRE_NEIGHBOUR_PRIV_H

#include "core/reader.h"
#include "wire/neighbour.h"

#define FRAME_HEAD_BYTES 14
enum { ETHERTYPE_ARP = 0x0806, ETHERTYPE_IPV6 = 0x86dd };

/* What stands behind the frame's head; neighbour->to is set already, and
 * hardware to the frame's source. */
enum error wire_arp_decode(
    struct reader *in, struct wire_neighbour *neighbour) must_check;
enum error wire_ndp_decode(
    struct slice packet, struct wire_neighbour *neighbour) must_check;
/* The whole frame. */
unsigned wire_arp_encode(const struct wire_neighbour *neighbour, char *out);
unsigned wire_ndp_encode(const struct wire_neighbour *neighbour, char *out);
/* The frame's head at out; returns what comes behind it. */
char *wire_frame_head(const uint8_t to[WIRE_HARDWARE_BYTES],
    const uint8_t from[WIRE_HARDWARE_BYTES], uint16_t ethertype, char *out);

#endif
