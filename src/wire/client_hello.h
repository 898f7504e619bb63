/* The ClientHello of TLS, from the raw bytes of a connection: who is asked for
 * (SNI, RFC 6066 3) and which protocols are offered (ALPN, RFC 7301), so that a
 * connection can be routed that is not ours to terminate. It may lie in many
 * records. */
#ifndef YUMEN_WIRE_CLIENT_HELLO_H
#define YUMEN_WIRE_CLIENT_HELLO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/error.h"
#include "core/text.h"

struct wire_client_hello {
	/* Once whole; in the raw bytes, or in joined. */
	struct slice server_name; /* as sent; absent: no SNI */
	struct slice protocols; /* ALPN's list, checked; absent: none offered */
	uint16_t version; /* legacy_version: 0x0303 also for TLS 1.3 */
	bool has_tls13; /* supported_versions has it */

	struct text joined; /* the message, where records cut it */
	size_t at; /* of the raw bytes: the record that has not come whole */
	size_t message_bytes; /* of the handshake message that came so far */
};

void wire_client_hello_init(struct wire_client_hello *hello);
void wire_client_hello_fini(struct wire_client_hello *hello);
/* raw: all that came on the connection so far, from its first byte. The number
 * of bytes of the records that the message is in; 0: more is wanted; -TLS_BAD_
 * HELLO: it is none; -LIMIT: longer than LIMIT_CLIENT_HELLO_BYTES. What does
 * not begin as TLS is told from its first bytes. */
ssize_t wire_client_hello_feed(
    struct wire_client_hello *hello, struct slice raw);
/* Is that protocol ("h2", "acme-tls/1") among those offered? */
bool wire_client_hello_offers(
    const struct wire_client_hello *hello, struct slice protocol);

#endif
