/* TLS of yumen echo: one chain and key for whatever name is asked for. */
#include "cmd/echo_priv.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/memory.h"

struct echo_tls {
	struct net_tls_server server;
	struct net_tls_identity *identity;
	struct net_tls_trust *trust; /* NULL: clients are not asked */
};

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	const struct echo_tls *tls = context;

	(void)server_name;
	choice->identities = &tls->identity;
	choice->identity_count = 1;
	choice->trust = tls->trust;
	choice->clients =
	    tls->trust ? NET_TLS_CLIENTS_ASKED : NET_TLS_CLIENTS_ANY;
	return ERROR_OK;
}

static bool
read_file(const char *path, struct text *text)
{
	enum error error = file_read(path, LIMIT_VALUE_PEM_BYTES, text);

	if (error == ERROR_OK)
		return true;
	fprintf(stderr, "yumen echo: %s: cannot be read: %s\n", path,
	    error_text(error));
	return false;
}

static void
tell(const char *path, const struct crypt_fault *fault)
{
	struct text text;

	text_init(&text);
	crypt_fault_print(fault, &text);
	fprintf(stderr, "yumen echo: %s: %s\n", path, text.data);
	text_fini(&text);
}

/* A chain that has expired is served, and told of: one tries that out too. */
static struct net_tls_identity *
read_identity(const char *chain_path, const char *key_path)
{
	struct net_tls_identity *identity = NULL;
	struct crypt_certificates *chain = NULL;
	struct crypt_key *key = NULL;
	struct crypt_fault fault;
	struct text pem;

	text_init(&pem);
	if (!read_file(chain_path, &pem))
		goto out;
	chain = crypt_chain_parse(text_slice(&pem), &fault);
	if (!chain) {
		tell(chain_path, &fault);
		goto out;
	}
	text_reset(&pem);
	if (!read_file(key_path, &pem))
		goto out;
	key = crypt_key_parse(text_slice(&pem), &fault);
	if (!key) {
		tell(key_path, &fault);
		goto out;
	}
	crypt_chain_check(chain, key, clock_wall_ms() / 1000, &fault);
	if (fault.problem != CRYPT_NONE)
		tell(chain_path, &fault);
	if (fault.problem != CRYPT_KEY_MISMATCH)
		identity = net_tls_identity_new(chain, key);
out:
	text_wipe(&pem);
	crypt_key_free(key);
	crypt_certificates_free(chain);
	return identity;
}

static struct net_tls_trust *
read_trust(const char *path)
{
	struct net_tls_trust *trust = NULL;
	struct crypt_fault fault;
	struct text pem;

	text_init(&pem);
	if (read_file(path, &pem)) {
		struct crypt_certificates *bundle =
		    crypt_bundle_parse(text_slice(&pem), &fault);

		if (fault.problem != CRYPT_NONE)
			tell(path, &fault);
		if (bundle)
			trust = net_tls_trust_new(bundle);
		crypt_certificates_free(bundle);
	}
	text_fini(&pem);
	return trust;
}

bool
echo_tls_open(
    const struct flags *flags, struct metrics *metrics, struct echo_tls **tls)
{
	static const struct net_tls_settings settings = {
	    .protocols = SLICE("\10http/1.1")};
	const char *chain = flags_value(flags, FLAG_ECHO_CERTIFICATE);
	const char *key = flags_value(flags, FLAG_ECHO_KEY);
	const char *authority = flags_value(flags, FLAG_ECHO_CLIENT_AUTHORITY);
	const char *wrong;

	*tls = NULL;
	if (!chain && !key && !authority)
		return true;
	if (!chain) {
		fprintf(stderr,
		    "yumen echo: --key and --client-authority need "
		    "--certificate\n");
		return false;
	}
	struct echo_tls *made = memory_zero(1, sizeof(*made));

	made->identity = read_identity(chain, key ? key : chain);
	if (authority)
		made->trust = read_trust(authority);
	made->server.choose = choose;
	made->server.context = made;
	if (made->identity && (made->trust || !authority) &&
	    net_tls_profile_new(&settings, metrics, &made->server.profile,
	        &wrong) == ERROR_OK) {
		*tls = made;
		return true;
	}
	echo_tls_free(made);
	return false;
}

void
echo_tls_free(struct echo_tls *tls)
{
	if (!tls)
		return;
	if (tls->server.profile)
		net_tls_profile_unref(tls->server.profile);
	net_tls_identity_free(tls->identity);
	net_tls_trust_free(tls->trust);
	memory_free(tls);
}

const struct net_tls_server *
echo_tls_server(const struct echo_tls *tls)
{
	return &tls->server;
}

static void
describe_peer(
    const struct net_stream *stream, const char *fault, struct text *out)
{
	struct crypt_certificate *peer = net_tls_peer(stream);
	struct text subject;

	if (!peer)
		return;
	text_init(&subject);
	crypt_certificate_subject(peer, &subject);
	text_push_string(out, ",\"client\":");
	echo_json_string(out, text_slice(&subject));
	text_push_string(out, ",\"clientFault\":");
	echo_json_string(out, slice_from_string(fault ? fault : ""));
	text_fini(&subject);
	crypt_certificate_free(peer);
}

void
echo_tls_describe(const struct net_stream *stream, struct text *out)
{
	struct net_tls_facts facts;

	net_tls_facts(stream, &facts);
	text_printf(out, ",\"tls\":{\"version\":\"%s\",\"cipher\":\"%s\"",
	    facts.version == NET_TLS_1_3 ? "1.3" : "1.2", facts.cipher);
	text_push_string(out, ",\"serverName\":");
	echo_json_string(out, facts.server_name);
	text_push_string(out, ",\"protocol\":");
	echo_json_string(out, facts.protocol);
	describe_peer(stream, facts.peer_fault, out);
	text_push_byte(out, '}');
}
