/* Of several controllers any serves a proxy, but only what the leader hears
 * reaches statuses: a controller that does not lead says who does, and the
 * proxy goes there, when it has all that this one has. It knows the leader by
 * name: one that could not be reached, or went away, is not gone to again for
 * STREAM_LEADER_MS, in which the others serve and another will lead.
 *
 * That is less than to pass confirmations on from one controller to another,
 * which would have to prove themselves, and know what the other's proxies hold;
 * and a leader that ends takes along no more than connections to it, which are
 * made to whichever controller there is, as at first. */
#include "core/hash.h"
#include "core/limit.h"
#include "stream/client_priv.h"

static void
on_due(struct net_timer *timer)
{
	struct stream_client *client =
	    container_of(timer, struct stream_client, leader.due);

	/* Otherwise it hears of it again when it is served. */
	if (client->state != STREAM_CLIENT_LIVE)
		return;
	client->leader.used = client->leader.leaving = true;
	stream_link_end(&client->stream, ERROR_CLOSED);
}

void
stream_client_init_leader(struct stream_client *client)
{
	net_timer_init(&client->leader.due, on_due);
}

void
stream_client_lead(
    struct stream_client *client, const struct stream_leader *told)
{
	struct stream_client_leader *leader = &client->leader;
	uint64_t now_ms = net_loop_now_ms(client->options.loop);
	uint64_t name = hash_bytes(told->name), wait_ms = 0;
	struct net_address address;

	net_timer_clear(&leader->due);
	/* It leads itself, or nobody that is known. */
	if (net_address_parse_port(told->address, &address) != ERROR_OK)
		return;
	if (leader->has_failed && leader->failed == name &&
	    now_ms - leader->failed_ms < LIMIT_VALUE_STREAM_LEADER_MS)
		wait_ms =
		    leader->failed_ms + LIMIT_VALUE_STREAM_LEADER_MS - now_ms;
	/* Who says so does not lead, any more. */
	leader->used = false;
	leader->address = address;
	leader->name = name;
	/* Not all of them at once. */
	net_timer_set(client->options.loop, &leader->due,
	    wait_ms + 1 +
	        random_below(&client->random, LIMIT_VALUE_STREAM_RETRY_MS));
}

bool
stream_client_left(struct stream_client *client)
{
	struct stream_client_leader *leader = &client->leader;

	net_timer_clear(&leader->due);
	if (leader->leaving) {
		leader->leaving = false;
		return true;
	}
	if (leader->used) {
		leader->used = false;
		leader->has_failed = true;
		leader->failed = leader->name;
		leader->failed_ms = net_loop_now_ms(client->options.loop);
	}
	return false;
}
