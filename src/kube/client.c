/* What is shown to the server lies in files that others rotate: they are read
 * again when a connection is made, at most once in KUBE_CREDENTIAL_MS, and at
 * once after the server did not believe it. */
#include "kube/client.h"

#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "kube/client_priv.h"
#include "net/tls_system.h"

struct net_loop *
kube_client_loop(const struct kube_client *client)
{
	return client->loop;
}

const struct kube_access *
kube_client_access(const struct kube_client *client)
{
	return client->access;
}

struct random *
kube_client_random(struct kube_client *client)
{
	return &client->random;
}

uint64_t
kube_client_wait_ms(struct kube_client *client, uint64_t *wait_ms)
{
	*wait_ms = *wait_ms == 0 ? LIMIT_VALUE_KUBE_RETRY_MS : *wait_ms * 2;
	if (*wait_ms > LIMIT_VALUE_KUBE_RETRY_MAX_MS)
		*wait_ms = LIMIT_VALUE_KUBE_RETRY_MAX_MS;
	return *wait_ms / 2 +
	    random_below(&client->random, (uint32_t)(*wait_ms / 2) + 1);
}

/* ---- whom ---- */

static void
wake_waiting(struct kube_client *client)
{
	while (!list_is_empty(&client->waiting)) {
		struct kube_waiter *waiter = container_of(
		    client->waiting.next, struct kube_waiter, link);

		list_remove(&waiter->link);
		net_loop_defer(client->loop, waiter->task);
	}
}

void
kube_client_wait_for(struct kube_client *client, struct kube_waiter *waiter)
{
	list_remove(&waiter->link);
	list_insert(&client->waiting, &waiter->link);
}

static void
on_names(void *context, struct slice name, const struct net_address *addresses,
    unsigned count, enum error error)
{
	struct kube_client *client = context;

	(void)name;
	client->name_error = error;
	if (count > KUBE_ADDRESSES)
		count = KUBE_ADDRESSES;
	if (count > 0) {
		memcpy(
		    client->addresses, addresses, count * sizeof(addresses[0]));
		client->address_count = count;
		for (unsigned i = 0; i < count; i++)
			client->addresses[i].port = client->access->port;
	}
	wake_waiting(client);
}

enum error
kube_client_address(struct kube_client *client, struct net_address *address)
{
	if (client->address_count == 0)
		return client->name_error;
	*address =
	    client->addresses[client->next_address++ % client->address_count];
	return ERROR_OK;
}

static void
on_plugin(void *context)
{
	struct kube_client *client = context;

	client->token_ms = 0;
	if (client->tls != NULL)
		client->tls->read_ms = 0;
	wake_waiting(client);
}

/* ---- how ---- */

static bool
is_fresh(const struct kube_client *client, uint64_t read_ms)
{
	return read_ms != 0 &&
	    net_loop_now_ms(client->loop) - read_ms <
	    LIMIT_VALUE_KUBE_CREDENTIAL_MS;
}

static uint64_t
now_ms(const struct kube_client *client)
{
	uint64_t now = net_loop_now_ms(client->loop);

	return now > 0 ? now : 1;
}

void
kube_tls_unref(struct kube_tls **tls)
{
	struct kube_tls *old = *tls;

	*tls = NULL;
	if (old == NULL || --old->references > 0)
		return;
	if (old->how.trust != NULL)
		net_tls_trust_free(old->how.trust);
	if (old->how.identity != NULL)
		net_tls_identity_free(old->how.identity);
	memory_free(old);
}

static struct net_tls_trust *
system_trust(void)
{
	struct net_tls_system *system = net_tls_system_new();

	while (!net_tls_system_read(system, LIMIT_VALUE_SYSTEM_CERTIFICATES))
		;
	struct net_tls_trust *trust = net_tls_system_trust(system);

	net_tls_system_free(&system);
	return trust;
}

static enum error
read_trust(const struct kube_access *access, struct kube_tls *tls)
{
	struct crypt_certificates *authorities;
	struct crypt_fault fault;
	struct text pem;

	if (!kube_part_is_set(&access->authority)) {
		tls->how.trust = system_trust();
		return ERROR_OK;
	}
	text_init(&pem);
	enum error error = kube_part_read(&access->authority, &pem);

	if (error == ERROR_OK) {
		authorities = crypt_bundle_parse(text_slice(&pem), &fault);
		if (authorities == NULL) {
			error = ERROR_TLS_NO_CERTIFICATE;
		} else {
			tls->how.trust = net_tls_trust_new(authorities);
			crypt_certificates_free(authorities);
		}
	}
	text_fini(&pem);
	return error;
}

static enum error
make_identity(
    struct kube_tls *tls, struct slice chain_pem, struct slice key_pem)
{
	struct crypt_fault fault;
	struct crypt_certificates *chain = crypt_chain_parse(chain_pem, &fault);
	struct crypt_key *key = crypt_key_parse(key_pem, &fault);

	if (chain != NULL && key != NULL)
		tls->how.identity = net_tls_identity_new(chain, key);
	if (chain != NULL)
		crypt_certificates_free(chain);
	crypt_key_free(key);
	return tls->how.identity != NULL ? ERROR_OK : ERROR_TLS_NO_CERTIFICATE;
}

static enum error
read_identity(const struct kube_client *client, struct kube_tls *tls)
{
	const struct kube_access *access = client->access;
	struct slice chain_pem, key_pem;
	struct text chain, key;
	enum error error;

	if (client->plugin != NULL &&
	    kube_plugin_identity(client->plugin, &chain_pem, &key_pem))
		return make_identity(tls, chain_pem, key_pem);
	if (!kube_part_is_set(&access->certificate))
		return ERROR_OK;
	text_init(&chain);
	text_init(&key);
	error = kube_part_read(&access->certificate, &chain);
	if (error == ERROR_OK)
		error = kube_part_read(kube_part_is_set(&access->key)
		        ? &access->key
		        : &access->certificate,
		    &key);
	if (error == ERROR_OK)
		error =
		    make_identity(tls, text_slice(&chain), text_slice(&key));
	text_wipe(&key);
	text_fini(&chain);
	return error;
}

static void
set_name(struct kube_tls *tls, const char *server_name)
{
	struct slice name = slice_from_string(server_name);
	struct net_address address;

	tls->name = (struct crypt_name){CRYPT_NAME_DNS, name};
	tls->how.server_name = server_name;
	tls->how.names = &tls->name;
	tls->how.name_count = 1;
	if (net_address_parse(name, 0, &address) != ERROR_OK)
		return;
	bool ip4 = address.family == AF_INET;

	memcpy(tls->address, address.ip + (ip4 ? 12 : 0), ip4 ? 4 : 16);
	tls->name = (struct crypt_name){CRYPT_NAME_IP,
	    slice_make((const char *)tls->address, ip4 ? 4 : 16)};
	tls->how.server_name = NULL;
}

static enum error
read_tls(struct kube_client *client)
{
	struct kube_tls *tls = memory_zero(1, sizeof(*tls));

	tls->references = 1;
	tls->read_ms = now_ms(client);
	tls->how.profile = client->profile;
	set_name(tls, client->access->server_name);
	enum error error = read_trust(client->access, tls);

	if (error == ERROR_OK)
		error = read_identity(client, tls);
	if (error != ERROR_OK) {
		kube_tls_unref(&tls);
		return error;
	}
	kube_tls_unref(&client->tls);
	client->tls = tls;
	return ERROR_OK;
}

enum error
kube_client_tls(struct kube_client *client, struct kube_tls **tls)
{
	*tls = NULL;
	if (client->access->plain)
		return ERROR_OK;
	if (client->plugin != NULL &&
	    !kube_plugin_is_ready(client->plugin, now_ms(client)))
		return ERROR_AGAIN;
	if (client->tls == NULL || !is_fresh(client, client->tls->read_ms)) {
		enum error error = read_tls(client);

		/* What is in the middle of being rotated is there soon. */
		if (error != ERROR_OK && client->tls == NULL)
			return error;
	}
	client->tls->references++;
	*tls = client->tls;
	return ERROR_OK;
}

static enum error
read_token(struct kube_client *client)
{
	const struct kube_part *part = &client->access->token;
	struct slice of_plugin = client->plugin != NULL
	    ? kube_plugin_token(client->plugin)
	    : SLICE_NONE;
	struct text read;

	if (!slice_is_set(of_plugin) && !kube_part_is_set(part)) {
		client->token_ms = now_ms(client);
		return ERROR_OK;
	}
	text_init(&read);
	enum error error = ERROR_OK;

	if (slice_is_set(of_plugin))
		text_push(&read, of_plugin);
	else
		error = kube_part_read(part, &read);
	while (
	    read.length > 0 && (unsigned char)read.data[read.length - 1] <= ' ')
		read.length--;
	/* It goes into a field of a head. */
	for (size_t i = 0; error == ERROR_OK && i < read.length; i++)
		if (read.data[i] <= ' ' || read.data[i] == 0x7f)
			error = ERROR_INVALID;
	if (error == ERROR_OK) {
		text_wipe(&client->token);
		text_push(&client->token, text_slice(&read));
		client->token_ms = now_ms(client);
	}
	text_wipe(&read);
	return error;
}

enum error
kube_client_token(struct kube_client *client, struct slice *token)
{
	enum error error = ERROR_OK;

	*token = SLICE_NONE;
	if (client->plugin != NULL &&
	    !kube_plugin_is_ready(client->plugin, now_ms(client)))
		return ERROR_AGAIN;
	if (!is_fresh(client, client->token_ms))
		error = read_token(client);
	if (client->token.length > 0) {
		*token = text_slice(&client->token);
		return ERROR_OK;
	}
	return error;
}

void
kube_client_doubt(struct kube_client *client)
{
	client->token_ms = 0;
	if (client->tls != NULL)
		client->tls->read_ms = 0;
	if (client->plugin != NULL)
		kube_plugin_doubt(client->plugin, now_ms(client));
}

void
kube_client_tell(struct kube_client *client, enum error error)
{
	const struct kube_access *access = client->access;

	if (client->told_down == (error != ERROR_OK))
		return;
	client->told_down = error != ERROR_OK;
	if (error == ERROR_OK)
		log_event(LOG_KUBE_UP, LOG_STRING("server", access->host),
		    LOG_NUMBER("port", access->port));
	else
		log_event(LOG_KUBE_DOWN, LOG_STRING("server", access->host),
		    LOG_NUMBER("port", access->port),
		    LOG_STRING("why", error_text(error)));
}

/* ---- its life ---- */

static enum error
open_all(struct kube_client *client)
{
	static const struct net_tls_settings settings = {
	    .version_min = NET_TLS_1_2,
	    .wipes = true,
	};
	const struct kube_access *access = client->access;
	struct slice host = slice_from_string(access->host);
	const char *wrong;
	enum error error = ERROR_OK;

	if (!access->plain)
		error = net_tls_profile_new(
		    &settings, &client->metrics, &client->profile, &wrong);
	if (error != ERROR_OK)
		return error;
	if (access->plugin != NULL)
		client->plugin = kube_plugin_run_new(
		    client->loop, access->plugin, on_plugin, client);
	if (net_address_parse(host, access->port, &client->addresses[0]) ==
	    ERROR_OK) {
		client->address_count = 1;
		return ERROR_OK;
	}
	client->name_error = ERROR_AGAIN;
	client->names = net_names_new(client->loop, on_names, client);
	if (client->names == NULL)
		return ERROR_SYSTEM;
	net_names_watch(client->names, host);
	return ERROR_OK;
}

enum error
kube_client_new(struct net_loop *loop, const struct kube_access *access,
    struct kube_client **client)
{
	must(loop != NULL && access != NULL && client != NULL);
	struct kube_client *made = memory_zero(1, sizeof(*made));

	made->loop = loop;
	made->access = access;
	metrics_init(&made->metrics);
	random_init(&made->random);
	text_init(&made->token);
	list_init(&made->waiting);
	enum error error = open_all(made);

	if (error != ERROR_OK)
		kube_client_free(&made);
	*client = made;
	return error;
}

void
kube_client_free(struct kube_client **client)
{
	struct kube_client *old = *client;

	*client = NULL;
	if (old == NULL)
		return;
	must(list_is_empty(&old->waiting));
	if (old->names != NULL)
		net_names_free(old->names);
	if (old->plugin != NULL)
		kube_plugin_run_free(&old->plugin);
	kube_tls_unref(&old->tls);
	if (old->profile != NULL) {
		net_tls_profile_cut(old->profile);
		net_tls_profile_unref(old->profile);
	}
	text_wipe(&old->token);
	metrics_fini(&old->metrics);
	memory_free(old);
}
