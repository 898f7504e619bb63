/* The end of a TLS connection that tests drive. */
#include "tls/end.h"

#include <time.h>

#include "core/must.h"

enum { READ_BYTES = 4096, READ_BYTES_MAX = 65536 };

void
tls_end_init(struct tls_end *end)
{
	*end = (struct tls_end){0};
	text_init(&end->out);
	text_init(&end->in);
}

void
tls_end_fini(struct tls_end *end)
{
	net_stream_close(&end->stream);
	text_fini(&end->out);
	text_fini(&end->in);
}

static void
stop(struct tls_end *end, enum error error)
{
	end->error = error;
	if (error != ERROR_CLOSED || end->is_shut)
		net_stream_close(&end->stream);
}

static void
receive(struct tls_end *end)
{
	static char buffer[READ_BYTES_MAX];
	size_t size = end->read_bytes ? end->read_bytes : READ_BYTES;

	must(size <= sizeof(buffer));
	while (end->stream.ops && end->stream.readable && !end->error) {
		size_t length;
		enum error error =
		    net_stream_read(&end->stream, buffer, size, &length);

		if (error == ERROR_OK)
			text_push(&end->in, slice_make(buffer, length));
		else if (error != ERROR_AGAIN)
			stop(end, error);
	}
}

/* Two parts, so that they are put together. */
static void
transmit(struct tls_end *end)
{
	while (end->stream.ops && end->stream.writable &&
	    end->sent < end->out.length) {
		size_t left = end->out.length - end->sent, length;
		size_t first = left < 3 ? left : left / 3;
		struct iovec parts[] = {
		    {end->out.data + end->sent, first},
		    {end->out.data + end->sent + first, left - first},
		};
		enum error error =
		    net_stream_write(&end->stream, parts, 2, &length);

		if (error == ERROR_OK)
			end->sent += length;
		else if (error != ERROR_AGAIN)
			stop(end, error);
	}
	bool is_sent = end->stream.ops && end->sent == end->out.length;
	if (is_sent && end->closes) {
		stop(end, ERROR_CLOSED);
		net_stream_close(&end->stream);
	} else if (is_sent && end->ends && !end->is_shut) {
		end->is_shut = true;
		enum error error = net_stream_shutdown(&end->stream);

		if (error != ERROR_OK || end->error == ERROR_CLOSED)
			stop(end, error != ERROR_OK ? error : ERROR_CLOSED);
	}
}

void
tls_end_act(struct tls_end *end)
{
	if (!end->is_up || !end->stream.ops)
		return;
	if (!end->stops_reading)
		receive(end);
	transmit(end);
}

void
tls_end_on_ready(struct net_watch *watch, unsigned events)
{
	struct tls_end *end = container_of(watch, struct tls_end, stream.watch);

	net_stream_note(&end->stream, events);
	if (!end->is_up) {
		enum error error = net_stream_connected(&end->stream);
		char byte;
		size_t length;

		must(error != ERROR_AGAIN);
		/* A server's side learns by reading that it failed. */
		if (error == ERROR_OK && (events & NET_FAILED))
			error =
			    net_stream_read(&end->stream, &byte, 1, &length);
		if (error != ERROR_OK) {
			stop(end, error);
			return;
		}
		end->is_up = true;
		net_tls_facts(&end->stream, &end->facts);
		/* Texts of facts go with the stream. */
		must(net_stream_is_tls(&end->stream));
	}
	tls_end_act(end);
}

bool
tls_end_is_over(const struct tls_end *end)
{
	return !end->stream.ops;
}

static struct net_tls_identity *
identity_of(const struct authority_wish *wish)
{
	struct authority_pair pair = authority_make(wish);
	struct crypt_fault fault;
	struct text text;

	text_init(&text);
	authority_push_certificate(&pair, &text);
	struct crypt_certificates *chain =
	    crypt_chain_parse(text_slice(&text), &fault);
	text_reset(&text);
	authority_push_key(&pair, AUTHORITY_PKCS8, &text);
	struct crypt_key *key = crypt_key_parse(text_slice(&text), &fault);
	must(chain && key);
	struct net_tls_identity *identity = net_tls_identity_new(chain, key);
	must(identity);
	crypt_certificates_free(chain);
	crypt_key_free(key);
	text_fini(&text);
	authority_pair_free(&pair);
	return identity;
}

static struct net_tls_trust *
trust_of(const struct authority_pair *pair)
{
	struct crypt_fault fault;
	struct text text;

	text_init(&text);
	authority_push_certificate(pair, &text);
	struct crypt_certificates *bundle =
	    crypt_bundle_parse(text_slice(&text), &fault);
	must(bundle);
	struct net_tls_trust *trust = net_tls_trust_new(bundle);
	crypt_certificates_free(bundle);
	text_fini(&text);
	return trust;
}

void
tls_keys_init(struct tls_keys *keys, bool with_rsa)
{
	static const char *const kinds[] = {"ED25519", "P-256", "RSA"};
	static const char *const dns[] = {"a.example", "*.b.example", NULL};
	struct authority_wish root = {
	    .key = "ED25519", .subject = "root", .is_authority = true};
	struct authority_wish wish = {
	    .subject = "server", .dns = dns, .uri = "spiffe://server"};

	*keys = (struct tls_keys){0};
	keys->root = authority_make(&root);
	root.subject = "other";
	keys->other = authority_make(&root);
	keys->trust = trust_of(&keys->root);
	keys->other_trust = trust_of(&keys->other);
	wish.issuer = &keys->root;
	for (unsigned i = 0; i < TLS_KEY__COUNT; i++) {
		wish.key = kinds[i];
		if (i != TLS_RSA || with_rsa)
			keys->servers[i] = identity_of(&wish);
	}
	wish.key = "ED25519";
	wish.not_after = time(NULL) - 60;
	keys->expired = identity_of(&wish);
	wish = (struct authority_wish){.key = "ED25519",
	    .subject = "client",
	    .uri = "spiffe://client",
	    .issuer = &keys->root};
	keys->client = identity_of(&wish);
	wish.issuer = &keys->other;
	keys->stranger = identity_of(&wish);
}

void
tls_keys_fini(struct tls_keys *keys)
{
	for (unsigned i = 0; i < TLS_KEY__COUNT; i++)
		net_tls_identity_free(keys->servers[i]);
	net_tls_identity_free(keys->expired);
	net_tls_identity_free(keys->client);
	net_tls_identity_free(keys->stranger);
	net_tls_trust_free(keys->trust);
	net_tls_trust_free(keys->other_trust);
	authority_pair_free(&keys->root);
	authority_pair_free(&keys->other);
}
