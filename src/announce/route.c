/* The local routes by which the host takes what comes for the claims that it
 * holds. They may be taken away by others (`ip route flush`), or by the kernel
 * (`ip link set lo down`): they are looked at from time to time, and put back.
 * What the kernel does not take is tried again, also where the address was left
 * to another node meanwhile: that it could be taken is what makes it come back.
 */
#include "announce/announcer_priv.h"

#include "core/log.h"

/* What is decided of the claim may be another thing now; not here, for it may
 * be in the midst of being decided. */
static void
note(struct announce_claim *claim, enum error error)
{
	struct announcer *announcer = claim->announcer;

	if (claim->error == error)
		return;
	claim->error = error;
	if (error != ERROR_OK)
		log_event(LOG_ANNOUNCE_FAILED,
		    LOG_STRING("address", claim->text),
		    LOG_STRING("error", error_text(error)));
	net_loop_defer(announcer->options.loop, &announcer->routes.decide);
}

static void
wait_longer(struct announce_claim *claim)
{
	claim->retry_wait_ms = claim->retry_wait_ms == 0
	    ? LIMIT_VALUE_ROUTE_RETRY_MS
	    : 2 * claim->retry_wait_ms;
	if (claim->retry_wait_ms > LIMIT_VALUE_ROUTE_RETRY_MAX_MS)
		claim->retry_wait_ms = LIMIT_VALUE_ROUTE_RETRY_MAX_MS;
	claim->retry_ms =
	    announcer_now_ms(claim->announcer) + claim->retry_wait_ms;
}

/* True: it was not there, and is now. */
static bool
take(struct announce_claim *claim)
{
	bool was_there;
	enum error error = net_route_add_local(&claim->address, &was_there);

	claim->has_route = error == ERROR_OK;
	if (claim->has_route)
		claim->retry_wait_ms = 0;
	else
		wait_longer(claim);
	note(claim, error);
	return claim->has_route && !was_there;
}

/* Another's that is as good may be there in its place. */
static void
put_back(struct announce_claim *claim)
{
	if (take(claim))
		log_event(LOG_ANNOUNCE_ROUTE_LOST,
		    LOG_STRING("address", claim->text));
}

static void
try_again(struct announce_claim *claim)
{
	if (announcer_now_ms(claim->announcer) < claim->retry_ms)
		return;
	take(claim);
	if (!claim->is_here)
		announce_claim_drop_route(claim);
}

static void
on_seen(void *context, const struct net_address *address)
{
	struct announcer *announcer = context;
	struct announce_claim *claim =
	    map_get(&announcer->claims, announcer_key(address->ip));

	if (claim != NULL)
		claim->is_route_seen = true;
}

static void
on_look(struct net_timer *timer)
{
	struct announcer *announcer =
	    container_of(timer, struct announcer, routes.timer);
	struct slice key;
	void *value;

	bool known = net_route_each_local(on_seen, announcer) == ERROR_OK;
	for (size_t at = 0; map_next(&announcer->claims, &at, &key, &value);) {
		struct announce_claim *claim = value;

		if (claim->error != ERROR_OK)
			try_again(claim);
		else if (claim->has_route && known && !claim->is_route_seen)
			put_back(claim);
		claim->is_route_seen = false;
	}
	net_timer_set(
	    announcer->options.loop, timer, LIMIT_VALUE_ROUTE_LOOK_MS);
}

static void
on_decide(struct net_task *task)
{
	struct announcer *announcer =
	    container_of(task, struct announcer, routes.decide);

	announcer_decide(announcer);
	net_loop_defer(announcer->options.loop, &announcer->changed);
}

void
announce_routes_init(struct announcer *announcer)
{
	net_timer_init(&announcer->routes.timer, on_look);
	net_task_init(&announcer->routes.decide, on_decide);
}

/* What may be held here keeps what was left until that is known. */
static bool
on_left(void *context, const struct net_address *address)
{
	struct announcer *announcer = context;
	struct announce_claim *claim =
	    map_get(&announcer->claims, announcer_key(address->ip));

	if (claim == NULL || !announcer->options.takes)
		return false;
	claim->has_route = true;
	return true;
}

/* Also by one that takes nothing itself, where it may. */
enum error
announce_routes_begin(struct announcer *announcer)
{
	enum error error = net_route_sweep_local(on_left, announcer);

	return error == ERROR_DENIED && !announcer->options.takes ? ERROR_OK
	                                                          : error;
}

void
announce_routes_fini(struct announcer *announcer)
{
	net_timer_clear(&announcer->routes.timer);
	net_task_cancel(announcer->options.loop, &announcer->routes.decide);
}

void
announce_claim_take_route(struct announce_claim *claim)
{
	struct announcer *announcer = claim->announcer;

	if (!announcer->options.takes)
		return;
	take(claim);
	if (!net_timer_is_set(&announcer->routes.timer))
		net_timer_set(announcer->options.loop, &announcer->routes.timer,
		    LIMIT_VALUE_ROUTE_LOOK_MS);
}

void
announce_claim_drop_route(struct announce_claim *claim)
{
	/* A route that stays is swept by the next start. */
	if (claim->has_route &&
	    net_route_remove_local(&claim->address) != ERROR_OK)
		log_event(LOG_ANNOUNCE_FAILED,
		    LOG_STRING("address", claim->text),
		    LOG_STRING("error", "a route was not removed"));
	claim->has_route = false;
}

void
announce_claim_shed_route(struct announce_claim *claim)
{
	if (!claim->has_route || claim->is_here || announce_claim_stays(claim))
		return;
	for (unsigned i = 0; i < claim->count; i++)
		if (announce_place_is_open(&claim->places[i]))
			return;
	announce_claim_drop_route(claim);
}
