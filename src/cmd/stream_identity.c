/* The files of the stream's authority and of tokens. */
#include "cmd/stream_identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/memory.h"
#include "crypt/certificate.h"
#include "net/address.h"
#include "stream/authority.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define RENEWAL_MS 3600000

void
stream_identity_name(struct stream_identity *identity, const char *text)
{
	struct slice name = slice_from_string(text);
	unsigned at = identity->name_count;
	struct net_address address;

	if (at == STREAM_IDENTITY_NAMES || name.length == 0)
		return;
	identity->names[at] = (struct crypt_name){CRYPT_NAME_DNS, name};
	if (net_address_parse(name, 0, &address) == ERROR_OK) {
		bool ip4 = address.family == AF_INET;
		char *bytes = (char *)identity->addresses[at];

		memcpy(bytes, address.ip + (ip4 ? 12 : 0), ip4 ? 4 : 16);
		identity->names[at] = (struct crypt_name){
		    CRYPT_NAME_IP, slice_make(bytes, ip4 ? 4 : 16)};
	}
	identity->name_count++;
}

static void
path_of(
    const struct stream_identity *identity, const char *name, char out[4096])
{
	snprintf(out, 4096, "%s/%s", identity->folder, name);
}

/* The state, from the file or new, and the bundle beside it. */
static enum error
open_authority(struct stream_identity *identity, struct text *state)
{
	char path[4096], bundle_path[4096];
	struct text old, bundle;

	path_of(identity, "authority.pem", path);
	path_of(identity, "ca.pem", bundle_path);
	text_init(&old);
	text_init(&bundle);
	enum error error = file_read(path, FILE_BYTES_MAX, &old);

	if (error == ERROR_NOT_FOUND)
		error = ERROR_OK;
	if (error == ERROR_OK &&
	    stream_authority_renew(
	        text_slice(&old), clock_wall_ms() / 1000, state))
		error = file_replace(path, 0600, text_slice(state));
	if (error == ERROR_OK) {
		stream_authority_bundle(text_slice(state), &bundle);
		error = file_replace(bundle_path, 0644, text_slice(&bundle));
	}
	text_wipe(&old);
	text_fini(&bundle);
	return error;
}

static enum error
show_new(struct stream_identity *identity, struct slice state)
{
	struct text chain, key;
	struct crypt_fault fault;
	int64_t now = clock_wall_ms() / 1000;

	text_init(&chain);
	text_init(&key);
	enum error error = stream_authority_issue(
	    state, identity->names, identity->name_count, now, &chain, &key);

	if (error == ERROR_OK) {
		struct crypt_certificates *parsed =
		    crypt_chain_parse(text_slice(&chain), &fault);
		struct crypt_key *parsed_key =
		    crypt_key_parse(text_slice(&key), &fault);
		struct net_tls_identity *shown =
		    net_tls_identity_new(parsed, parsed_key);

		crypt_certificates_free(parsed);
		crypt_key_free(parsed_key);
		if (shown != NULL) {
			stream_server_show(identity->server, shown);
			identity->issued = now;
			identity->issued_of = hash_bytes(state);
		} else {
			error = ERROR_TLS_NO_CERTIFICATE;
		}
	}
	text_fini(&chain);
	text_wipe(&key);
	return error;
}

enum error
stream_identity_take(struct stream_identity *identity, struct slice state)
{
	int64_t age = clock_wall_ms() / 1000 - identity->issued;

	/* Whoever reads the bundle from now on may not believe the last. */
	if (identity->issued_of == hash_bytes(state) &&
	    age <= STREAM_SERVER_LIFE / 2)
		return ERROR_OK;
	return show_new(identity, state);
}

static enum error
renew(struct stream_identity *identity)
{
	struct text state;

	text_init(&state);
	enum error error = open_authority(identity, &state);

	if (error == ERROR_OK)
		error = stream_identity_take(identity, text_slice(&state));
	text_wipe(&state);
	return error;
}

static void
on_renewal(struct net_timer *timer)
{
	struct stream_identity *identity =
	    container_of(timer, struct stream_identity, renewal);
	enum error error = renew(identity);

	if (error != ERROR_OK)
		log_event(LOG_STREAM_AUTHORITY_FAILED,
		    LOG_STRING("folder", identity->folder),
		    LOG_STRING("why", error_text(error)));
	net_timer_set(identity->loop, timer, RENEWAL_MS);
}

bool
stream_identity_open(struct stream_identity *identity)
{
	net_timer_init(&identity->renewal, on_renewal);
	(void)mkdir(identity->folder, 0700);
	enum error error = renew(identity);

	if (error != ERROR_OK) {
		fprintf(stderr, "yumen controller: --stream-authority %s: %s\n",
		    identity->folder, error_text(error));
		return false;
	}
	net_timer_set(identity->loop, &identity->renewal, RENEWAL_MS);
	return true;
}

void
stream_identity_close(struct stream_identity *identity)
{
	if (identity->renewal.on_expire != NULL)
		net_timer_clear(&identity->renewal);
}

/* ---- tokens ---- */

/* The same time for every token of a length. */
static bool
is_same(struct slice a, struct slice b)
{
	unsigned char differ = 0;

	if (a.length != b.length || a.length == 0)
		return false;
	for (size_t i = 0; i < a.length; i++)
		differ |= (unsigned char)(a.data[i] ^ b.data[i]);
	return differ == 0;
}

/* "TOKEN NAMESPACE/NAME"; the Gateway, or absent. */
static struct slice
gateway_of_line(struct slice line, struct slice token)
{
	struct slice first, rest = slice_trim(line);

	if (rest.length == 0 || rest.data[0] == '#')
		return SLICE_NONE;
	size_t end = 0;

	while (end < rest.length && rest.data[end] != ' ' &&
	    rest.data[end] != '\t')
		end++;
	first = slice_make(rest.data, end);
	rest = slice_trim(slice_skip(rest, end));
	return is_same(first, token) && rest.length > 0 ? rest : SLICE_NONE;
}

void
stream_tokens_judge(struct stream_server *server, const char *path,
    const struct stream_claim *claim)
{
	struct slice rest, line, found = SLICE_NONE, one;
	struct text file;

	text_init(&file);
	enum error error = file_read(path, FILE_BYTES_MAX, &file);

	rest = text_slice(&file);
	/* A token may be good for several Gateways: the one that is asked for.
	 */
	while (error == ERROR_OK && slice_cut(&rest, '\n', &line)) {
		one = gateway_of_line(line, claim->token);
		if (slice_is_set(one) &&
		    (!slice_is_set(found) || slice_equal(one, claim->gateway)))
			found = one;
	}
	stream_server_judged(server, claim->peer, found,
	    error == ERROR_OK ? "the token is not known: none of the "
	                        "controller's --stream-tokens"
	                      : "the controller cannot read its tokens");
	text_wipe(&file);
}
