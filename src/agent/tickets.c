/* The keys of session tickets: made here, given to every worker, so that a
 * client that comes back to another one is known; a new one seals from then on,
 * the older ones open what they have sealed for as long as that is of use. They
 * are bytes of one size (name, cipher, mac), newest first: a unit can carry
 * them when several processes are to know each other's tickets. */
#include "agent/agent_priv.h"

#include <assert.h>
#include <sys/random.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"

static_assert(sizeof(struct net_tls_ticket_key) == 80, "it has no padding");

void
agent_tickets_give(struct agent *agent, struct proxy_worker *worker)
{
	proxy_worker_set_ticket_keys(
	    worker, agent->ticket_keys, agent->ticket_key_count);
}

static void
rotate(struct agent *agent)
{
	struct net_tls_ticket_key *keys = agent->ticket_keys;
	ssize_t got;

	memmove(&keys[1], &keys[0],
	    (NET_TLS_TICKET_KEYS_MAX - 1) * sizeof(keys[0]));
	got = getrandom(&keys[0], sizeof(keys[0]), 0);
	/* Up to 256 bytes come whole, once the kernel is seeded. */
	must(got == sizeof(keys[0]));
	if (agent->ticket_key_count < NET_TLS_TICKET_KEYS_MAX)
		agent->ticket_key_count++;
	for (unsigned i = 0; agent->workers && i < agent->options.workers; i++)
		agent_tickets_give(agent, agent->workers[i]);
	net_timer_set(
	    agent->options.loop, &agent->rotation, LIMIT_VALUE_TICKET_KEY_MS);
}

static void
on_rotation(struct net_timer *timer)
{
	rotate(container_of(timer, struct agent, rotation));
}

void
agent_tickets_open(struct agent *agent)
{
	net_timer_init(&agent->rotation, on_rotation);
	rotate(agent);
}

void
agent_tickets_close(struct agent *agent)
{
	net_timer_clear(&agent->rotation);
	memory_wipe(agent->ticket_keys, sizeof(agent->ticket_keys));
}
