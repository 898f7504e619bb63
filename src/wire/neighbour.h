/* What neighbours on a link ask and tell each other, who has an address and
 * where: ARP (RFC 826) for IPv4, neighbour solicitation and advertisement (RFC
 * 4861 7) for IPv6, as one value, from and to whole Ethernet frames. Pure. */
#ifndef YUMEN_WIRE_NEIGHBOUR_H
#define YUMEN_WIRE_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>
#include "core/error.h"
#include "core/slice.h"

#define WIRE_HARDWARE_BYTES 6
#define WIRE_HARDWARE_TEXT 18 /* "aa:bb:cc:dd:ee:ff" and NUL */
#define WIRE_IP_BYTES 16 /* IPv4 as ::ffff:a.b.c.d */
/* The longest frame that _encode writes. */
#define WIRE_NEIGHBOUR_FRAME_BYTES 86

struct wire_neighbour {
	bool is_tell; /* that subject is at hardware; else it asks where */
	bool is_ipv6;
	/* IPv6 tells alone: it answers an ask; caches shall take it over what
	 * they have (RFC 4861 4.4, S and O). */
	bool is_solicited, overrides;
	uint8_t subject[WIRE_IP_BYTES];
	/* Who asks; all zero: one that has no address yet and wants subject (a
	 * probe, RFC 5227 2.1.1, RFC 4862 5.4.2). Of a tell: who is told; all
	 * zero: everybody. */
	uint8_t other[WIRE_IP_BYTES];
	uint8_t hardware[WIRE_HARDWARE_BYTES]; /* where the sender is */
	uint8_t to[WIRE_HARDWARE_BYTES]; /* who gets the frame */
};

extern const uint8_t wire_hardware_everybody[WIRE_HARDWARE_BYTES];

/* UNSUPPORTED: another protocol, or a message of these two that is neither an
 * ask nor a tell. TRUNCATED, INVALID: what a host must drop silently (RFC 4861
 * 7.1.1, 7.1.2: hop limit, checksum, options; ARP of other sizes; a sender that
 * is a group). */
enum error wire_neighbour_decode(
    struct slice frame, struct wire_neighbour *neighbour) must_check;
/* Returns the length. An ask goes to everybody, or to the group of its subject
 * (RFC 4291 2.7.1), whatever `to` says. */
unsigned wire_neighbour_encode(const struct wire_neighbour *neighbour,
    char out[WIRE_NEIGHBOUR_FRAME_BYTES]);
/* Does it say that ip is where its sender is? An ask does of who asks, so that
 * a tell for everybody may come as an ask for oneself (RFC 5227 3). */
bool wire_neighbour_claims(
    const struct wire_neighbour *neighbour, const uint8_t ip[WIRE_IP_BYTES]);
/* Does its sender look whether ip is free, to take it? */
bool wire_neighbour_probes(
    const struct wire_neighbour *neighbour, const uint8_t ip[WIRE_IP_BYTES]);

bool wire_ip_is_zero(const uint8_t ip[WIRE_IP_BYTES]);
bool wire_ip_is_ipv4(const uint8_t ip[WIRE_IP_BYTES]);
/* The group that whoever asks for ip sends to: ff02::1:ff and its last three
 * bytes. */
void wire_ip_group(
    const uint8_t ip[WIRE_IP_BYTES], uint8_t group[WIRE_IP_BYTES]);
void wire_hardware_format(
    const uint8_t hardware[WIRE_HARDWARE_BYTES], char out[WIRE_HARDWARE_TEXT]);

#endif
