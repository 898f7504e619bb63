/* The engine of TLS: libssl, over the stream below by a BIO of ours. It owns
 * each connection's SSL; it never touches a loop or a socket.
 *
 * OpenSSL's queue of errors is empty between calls: what fails here or in crypt
 * clears it, so that what succeeds need not. */
#include "net/tls_priv.h"

#include <openssl/err.h>

#include "core/clock.h"
#include "core/limit.h"
#include "core/must.h"
#include "core/reader.h"
#include "net/tls_openssl_priv.h"

enum { NAME_BYTES_MAX = 255 };

/* Flags are looked at only when a call has failed. */
static int
bio_read(BIO *bio, char *buffer, size_t size, size_t *length)
{
	enum error error =
	    net_tls_under_read(BIO_get_data(bio), buffer, size, length);
	if (likely(error == ERROR_OK))
		return 1;
	BIO_clear_retry_flags(bio);
	if (error == ERROR_AGAIN)
		BIO_set_retry_read(bio);
	return -1;
}

static int
bio_write(BIO *bio, const char *data, size_t length, size_t *written)
{
	struct net_tls *tls = BIO_get_data(bio);
	struct slice all = slice_make(data, length);

	/* Of TLS 1.2 it is in one flight with what the client waits for. */
	bool is_ticket = tls->wait &&
	    SSL_get_state(tls->ssl) == TLS_ST_SW_SESSION_TICKET &&
	    SSL_version(tls->ssl) == TLS1_3_VERSION;
	enum error error = is_ticket ? net_tls_under_keep(tls, all)
	                             : net_tls_under_write(tls, all);
	*written = length;
	if (likely(error == ERROR_OK))
		return 1;
	BIO_clear_retry_flags(bio);
	return -1;
}

static long
bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

void
net_tls_bio_init(BIO_METHOD *method)
{
	must(BIO_meth_set_read_ex(method, bio_read) &&
	    BIO_meth_set_write_ex(method, bio_write) &&
	    BIO_meth_set_ctrl(method, bio_control));
}

/* The host name of the extension (RFC 6066 3); what is malformed is refused by
 * libssl right after. */
static struct slice
server_name_of(SSL *ssl)
{
	const unsigned char *data;
	struct reader reader;
	size_t length;

	if (!SSL_client_hello_get0_ext(
	        ssl, TLSEXT_TYPE_server_name, &data, &length))
		return SLICE_NONE;
	reader_init(&reader, slice_make((const char *)data, length));
	uint16_t list = reader_u16(&reader);
	uint8_t kind = reader_u8(&reader);
	struct slice name = reader_bytes(&reader, reader_u16(&reader));
	bool good = reader.error == ERROR_OK && reader_left(&reader) == 0 &&
	    list + 2u == length && kind == TLSEXT_NAMETYPE_host_name &&
	    name.length > 0 && name.length <= NAME_BYTES_MAX &&
	    !memchr(name.data, 0, name.length);
	return good ? name : SLICE_NONE;
}

/* CVE-2025-23419: a session must not outlive what its peer had to show. */
static bool
set_session_context(
    SSL *ssl, struct slice session_context, struct slice server_name)
{
	uint8_t digest[CRYPT_SHA256_BYTES], length[2];
	struct slice parts[] = {slice_make((char *)length, sizeof(length)),
	    server_name, session_context};

	if (!slice_is_set(session_context)) {
		SSL_set_options(ssl, SSL_OP_NO_TICKET);
		SSL_set_num_tickets(ssl, 0);
	}
	length[0] = (uint8_t)(server_name.length >> 8);
	length[1] = (uint8_t)server_name.length;
	crypt_sha256(parts, 3, digest);
	return SSL_set_session_id_context(ssl, digest, sizeof(digest));
}

static bool
ask_clients(SSL *ssl, const struct net_tls_choice *choice)
{
	STACK_OF(X509_NAME) *names = NULL;
	int mode = SSL_VERIFY_PEER;

	if (choice->clients == NET_TLS_CLIENTS_ANY) {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		return true;
	}
	must(choice->trust);
	if (choice->clients == NET_TLS_CLIENTS_VALID)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_set_verify(ssl, mode, NULL);
	if (choice->trust->names) {
		names = SSL_dup_CA_list(choice->trust->names);
		if (!names)
			return false;
	}
	SSL_set_client_CA_list(ssl, names);
	return SSL_set1_verify_cert_store(ssl, choice->trust->store);
}

static bool
apply_choice(struct net_tls *tls, const struct net_tls_choice *choice,
    struct slice server_name)
{
	SSL *ssl = tls->ssl;
	bool good = choice->identity_count > 0;
	struct net_tls_profile *profile =
	    choice->profile ? choice->profile : tls->profile;
	/* A second ClientHello may be chosen for otherwise. */
	struct net_tls_profile *before =
	    tls->wait->chosen ? tls->wait->chosen : tls->profile;

	if (tls->wait->chosen)
		SSL_certs_clear(ssl);
	if (!net_tls_profile_is_like(before, profile))
		good = good && net_tls_profile_switch(ssl, profile);
	net_tls_profile_apply_tickets(ssl, profile);
	net_tls_profile_ref(profile);
	if (tls->wait->chosen)
		net_tls_profile_unref(tls->wait->chosen);
	tls->wait->chosen = profile;
	for (unsigned i = 0; good && i < choice->identity_count; i++) {
		const struct net_tls_identity *it = choice->identities[i];
		good =
		    SSL_use_cert_and_key(ssl, it->x509, it->pkey, it->chain, 1);
	}
	return good && ask_clients(ssl, choice) &&
	    set_session_context(ssl, choice->session_context, server_name);
}

int
net_tls_on_client_hello(SSL *ssl, int *alert, void *context)
{
	struct net_tls *tls = tls_of(ssl);
	const struct net_tls_server *server = tls->wait->server;
	struct slice server_name = server_name_of(ssl);
	struct net_tls_choice choice = {0};

	(void)context;
	tls->wait->has_chosen = true;
	enum error error =
	    server->choose(server->context, server_name, &choice);
	if (error != ERROR_OK) {
		tls->error = (uint8_t)error;
		*alert = error == ERROR_TLS_NAME_REFUSED
		    ? SSL_AD_UNRECOGNIZED_NAME
		    : SSL_AD_HANDSHAKE_FAILURE;
		return SSL_CLIENT_HELLO_ERROR;
	}
	tls->tag = choice.tag;
	tls->wait->clients = choice.clients;
	if (apply_choice(tls, &choice, server_name))
		return SSL_CLIENT_HELLO_SUCCESS;
	tls->error = ERROR_TLS_FAILED;
	*alert = SSL_AD_INTERNAL_ERROR;
	return SSL_CLIENT_HELLO_ERROR;
}

int
net_tls_on_status(SSL *ssl, void *context)
{
	const struct net_tls_staple *staple =
	    net_tls_staple_of(SSL_get_certificate(ssl), clock_wall_ms() / 1000);
	unsigned char *copy;

	(void)context;
	if (!staple)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(staple->bytes, staple->length);
	must(copy &&
	    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)staple->length));
	return SSL_TLSEXT_ERR_OK;
}

static bool
has_wanted_name(const struct net_tls_client *client, X509 *x509)
{
	struct crypt_certificate *certificate =
	    crypt_certificate_from_x509(x509);
	bool found = false;

	for (unsigned i = 0; certificate && !found && i < client->name_count;
	     i++)
		found = crypt_certificate_has(certificate, client->names[i]);
	crypt_certificate_free(certificate);
	return found;
}

/* The first fault ends it, also where it is overlooked: a stranger's chain is
 * not worth its signatures. What was tried in vain stays in the queue of
 * errors. */
int
net_tls_on_chain(X509_STORE_CTX *context, void *unused)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    context, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct net_tls *tls = tls_of(ssl);
	const struct net_tls_wait *wait = tls->wait;
	bool good = X509_verify_cert(context) > 0;

	(void)unused;
	must(wait);
	ERR_clear_error();
	if (X509_STORE_CTX_get_error(context) == X509_V_ERR_CERT_CHAIN_TOO_LONG)
		limit_hit(
		    tls->profile->shared.metrics, LIMIT_CHAIN_CERTIFICATES);
	if (!wait->client)
		return good || wait->clients == NET_TLS_CLIENTS_ASKED;
	if (!good ||
	    has_wanted_name(wait->client, X509_STORE_CTX_get0_cert(context)))
		return good;
	X509_STORE_CTX_set_error(context, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

static void
open_client(SSL *ssl, const struct net_tls_client *client)
{
	bool good = true;

	SSL_set_connect_state(ssl);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	good = SSL_set1_verify_cert_store(ssl, client->trust->store);
	if (client->server_name)
		good = good &&
		    SSL_set_tlsext_host_name(
		        ssl, (void *)(uintptr_t)client->server_name);
	if (client->identity)
		good = good &&
		    SSL_use_cert_and_key(ssl, client->identity->x509,
		        client->identity->pkey, client->identity->chain, 1);
	must(good); /* but for memory, what is set was asked before */
	if (client->session) {
		SSL_clear_options(ssl, SSL_OP_NO_TICKET);
		if (client->session->newest)
			(void)SSL_set_session(ssl, client->session->newest);
	}
	ERR_clear_error();
}

void
net_tls_engine_open(struct net_tls *tls)
{
	SSL *ssl = SSL_new(tls->profile->context);
	BIO *bio = BIO_new(tls->profile->method);

	must(ssl && bio);
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	tls->ssl = ssl;
	if (tls->is_client)
		open_client(ssl, tls->wait->client);
	else
		SSL_set_accept_state(ssl);
}

/* Without this libssl takes the session for broken and its tickets too. */
void
net_tls_engine_free(struct net_tls *tls)
{
	if (!tls->ssl)
		return;
	if (tls->error == ERROR_OK || tls->error == ERROR_RESET)
		SSL_set_shutdown(
		    tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(tls->ssl);
	tls->ssl = NULL;
}

/* Why the peer's certificate was not accepted. */
static enum error
error_of_verdict(long verdict)
{
	switch (verdict) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
		return ERROR_TLS_CERTIFICATE_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return ERROR_TLS_CERTIFICATE_EXPIRED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return ERROR_TLS_CERTIFICATE_UNTRUSTED;
	default:
		return ERROR_TLS_CERTIFICATE_REFUSED;
	}
}

/* What libssl's reason means; before is it said before a ClientHello was
 * understood. */
static enum error
error_of_reason(const SSL *ssl, int reason, bool before)
{
	if (reason >= SSL_AD_REASON_OFFSET)
		return ERROR_TLS_ALERT;
	switch (reason) {
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		return error_of_verdict(SSL_get_verify_result(ssl));
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return ERROR_TLS_CERTIFICATE_MISSING;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_APPLICATION_PROTOCOL:
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
		return ERROR_TLS_NOTHING_SHARED;
	default:
		return before ? ERROR_TLS_BAD_HELLO : ERROR_TLS_FAILED;
	}
}

/* Why a call of libssl did not do it. */
static enum error
why(struct net_tls *tls, int result)
{
	int code = SSL_get_error(tls->ssl, result);

	if (tls->error == ERROR_OK) {
		if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
			return ERROR_AGAIN;
		if (code == SSL_ERROR_ZERO_RETURN) {
			tls->is_ended = true;
			return ERROR_CLOSED;
		}
		bool before =
		    tls->wait && !tls->is_client && !tls->wait->has_chosen;
		tls->error = (uint8_t)error_of_reason(
		    tls->ssl, ERR_GET_REASON(ERR_peek_last_error()), before);
	}
	ERR_clear_error();
	return tls->error;
}

enum error
net_tls_engine_handshake(struct net_tls *tls)
{
	int result = SSL_do_handshake(tls->ssl);

	if (result != 1)
		return why(tls, result);
	/* A ticket that TLS 1.2 renewed is told by no callback. */
	if (tls->session && SSL_session_reused(tls->ssl) &&
	    SSL_version(tls->ssl) == TLS1_2_VERSION) {
		SSL_SESSION_free(tls->session->newest);
		tls->session->newest = SSL_get1_session(tls->ssl);
	}
	tls->silent_bytes = 0;
	return ERROR_OK;
}

enum error
net_tls_engine_read(
    struct net_tls *tls, char *buffer, size_t size, size_t *length)
{
	size_t total = 0, got;
	enum error error = ERROR_OK;

	while (total < size && error == ERROR_OK) {
		/* A call less where it is known to find nothing. */
		if (total > 0 && !tls->under.readable &&
		    !SSL_has_pending(tls->ssl))
			break;
		if (tls->error != ERROR_OK) {
			error = tls->error;
		} else if (SSL_read_ex(
		               tls->ssl, buffer + total, size - total, &got)) {
			total += got;
			tls->silent_bytes = 0;
		} else {
			error = why(tls, 0);
		}
	}
	*length = total;
	return error;
}

enum error
net_tls_engine_write(struct net_tls *tls, struct slice data, size_t *written)
{
	size_t length;

	*written = 0;
	while (tls->error == ERROR_OK && *written < data.length) {
		if (!SSL_write_ex(tls->ssl, data.data + *written,
		        data.length - *written, &length))
			return why(tls, 0);
		/* Less than a record of ours where the peer asked for small
		 * ones (RFC 6066 4). */
		*written += length;
	}
	return tls->error;
}

void
net_tls_engine_close_notify(struct net_tls *tls)
{
	if (tls->error != ERROR_OK || SSL_shutdown(tls->ssl) >= 0)
		return;
	(void)why(tls, -1);
}

bool
net_tls_engine_holds_input(const struct net_tls *tls)
{
	return SSL_has_pending(tls->ssl);
}

bool
net_tls_engine_peek(struct net_tls *tls)
{
	char byte;
	size_t got;

	if (tls->error != ERROR_OK || SSL_peek_ex(tls->ssl, &byte, 1, &got))
		return true;
	return why(tls, 0) != ERROR_AGAIN;
}

bool
net_tls_engine_is_resumed(const struct net_tls *tls)
{
	return SSL_session_reused(tls->ssl);
}

void
net_tls_facts(const struct net_stream *stream, struct net_tls_facts *facts)
{
	must(stream->tls && stream->tls->ssl && !stream->tls->wait);
	const SSL *ssl = stream->tls->ssl;
	const unsigned char *protocol;
	unsigned length;
	long fault = SSL_get_verify_result(ssl);

	SSL_get0_alpn_selected(ssl, &protocol, &length);
	*facts = (struct net_tls_facts){
	    .version =
	        SSL_version(ssl) == TLS1_3_VERSION ? NET_TLS_1_3 : NET_TLS_1_2,
	    .cipher = SSL_get_cipher_name(ssl),
	    .protocol = slice_make((const char *)protocol, length),
	    .server_name = slice_from_string(
	        SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)),
	    .resumed = SSL_session_reused(ssl),
	    .has_peer = SSL_get0_peer_certificate(ssl) != NULL,
	};
	if (facts->has_peer && fault != X509_V_OK)
		facts->peer_fault = X509_verify_cert_error_string(fault);
}

uint64_t
net_tls_tag(const struct net_stream *stream)
{
	must(stream->tls && !stream->tls->wait);
	return stream->tls->tag;
}

bool
net_tls_peer_der(const struct net_stream *stream, struct text *out)
{
	must(stream->tls && stream->tls->ssl);
	const SSL *ssl = stream->tls->ssl;
	X509 *x509 = SSL_get0_peer_certificate(ssl);
	unsigned char *at;
	int length;

	if (!x509 || SSL_get_verify_result(ssl) != X509_V_OK)
		return false;
	length = i2d_X509(x509, NULL);
	if (length <= 0)
		return false;
	at = (unsigned char *)text_reserve(out, (size_t)length);
	must(i2d_X509(x509, &at) == length);
	text_advance(out, (size_t)length);
	return true;
}

struct crypt_certificate *
net_tls_peer(const struct net_stream *stream)
{
	must(stream->tls && stream->tls->ssl);
	X509 *x509 = SSL_get0_peer_certificate(stream->tls->ssl);

	return x509 ? crypt_certificate_from_x509(x509) : NULL;
}
