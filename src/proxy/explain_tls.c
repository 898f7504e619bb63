/* What TLS does with a request that nobody sends: which listener the server
 * name chooses, and whether its handshake can succeed. */
#include "proxy/explain_priv.h"

#include "proxy/reading.h"

bool
explain_takes_hello(struct explaining *explaining, uint32_t socket,
    struct snap_decision *decision)
{
	char storage[PROXY_SERVER_NAME_BYTES];
	struct slice name =
	    proxy_read_server_name(explaining->explain->server_name, storage);

	snap_decide_sni(explaining->explain->set, socket, name, decision);
	return decision->listener_unit != NULL &&
	    decision->listener_unit->listener->protocol == UNIT_PROTOCOL_HTTPS;
}

/* How many of a listener's credentials are there, from number first on. */
static uint32_t
count_there(const struct explaining *explaining, uint32_t first, uint32_t count)
{
	const uint32_t *ids = explaining->hello.listener_unit->credential_ids;
	uint32_t there = 0;

	for (uint32_t i = first; i < first + count; i++)
		there += snap_set_credential(
		             explaining->explain->set, ids[i]) != NULL;
	return there;
}

bool
explain_handshake(struct explaining *explaining)
{
	const char *why = NULL;

	if (!explain_takes_hello(
	        explaining, explaining->socket.id, &explaining->hello)) {
		explaining->hello.listener_unit = NULL;
		why = "no listener of HTTPS on this address and port takes the "
		      "server name";
	} else {
		const struct unit_listener *listener =
		    explaining->hello.listener_unit->listener;

		if (count_there(explaining, 0, listener->certificates_count) ==
		    0)
			why = "none of the listener's certificates is there";
		else if (listener->client_validation == UNIT_CLIENTS_VALID &&
		    count_there(explaining, listener->certificates_count,
		        listener->authorities_count) == 0)
			why = "nobody is believed who could have signed the "
			      "certificate that a client must show";
	}
	if (!why)
		return true;
	explain_verdict(explaining->out, "handshake", 0, REASON_NONE);
	explain_member(explaining->out, "why", slice_from_string(why));
	return false;
}

void
explain_tls(struct explaining *explaining)
{
	static const char *const clients[] = {
	    [UNIT_CLIENTS_NONE] = "not asked for",
	    [UNIT_CLIENTS_VALID] = "required",
	    [UNIT_CLIENTS_INSECURE_FALLBACK] = "asked for",
	};
	const struct unit *unit = explaining->hello.listener_unit;
	struct text *out = explaining->out;

	text_push_string(out, ",\n \"tls\": {\"serverName\": ");
	text_push_json(out,
	    slice_is_set(explaining->explain->server_name)
	        ? explaining->explain->server_name
	        : SLICE(""));
	if (unit) {
		const struct unit_listener *listener = unit->listener;

		text_push_string(out, ", \"certificates\": [");
		for (uint32_t i = 0; i < listener->certificates_count; i++) {
			text_push_string(out, i > 0 ? ", " : "");
			text_push_json(out,
			    slice_skip(listener->certificates[i],
			        sizeof("certificate/") - 1));
		}
		text_printf(out, "], \"clientCertificate\": \"%s\"",
		    clients[listener->client_validation]);
	}
	text_push_byte(out, '}');
}
