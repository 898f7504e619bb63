/* The life of an announcer: one a host, with its links and its claims. */
#include "announce/announcer.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "announce/announcer_priv.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "net/forward.h"
#include "net/route.h"

static void on_links_changed(struct net_link_monitor *monitor);
static void on_address(struct net_link_monitor *monitor,
    const struct net_address *address, bool added);
static void on_lost(struct net_link_monitor *monitor);

/* A name without a file, one a network namespace; gone with the process. */
static enum error
take_lock(int *fd)
{
	static const char name[] = "\0yumen-announcer";
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	memcpy(at.sun_path, name, sizeof(name) - 1);
	*fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return error_from_errno(errno);
	if (bind(*fd, (struct sockaddr *)&at,
	        (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	            sizeof(name) - 1)) == 0)
		return ERROR_OK;
	enum error error = error_from_errno(errno);
	close(*fd);
	return error;
}

static void
on_changed(struct net_task *task)
{
	struct announcer *announcer =
	    container_of(task, struct announcer, changed);
	announcer->options.on_change(announcer->options.context);
}

/* All that is to be announced is known: what another has left makes room. */
static enum error
begin(struct announcer *announcer)
{
	announcer->is_whole = true;
	if (announcer->has_peers)
		announce_rules_begin(announcer);
	enum error error = announce_routes_begin(announcer);
	/* A route that was left may have hidden that the host has it itself. */
	net_link_monitor_look(&announcer->monitor);
	return error;
}

enum error
announcer_new(
    const struct announcer_options *options, struct announcer **announcer)
{
	struct announcer *made = memory_zero(1, sizeof(*made));
	enum error error = take_lock(&made->lock);

	if (error != ERROR_OK) {
		memory_free(made);
		return error;
	}
	made->options = *options;
	made->has_peers = slice_is_set(options->node);
	must(!made->has_peers || options->keys->count > 0);
	net_task_init(&made->changed, on_changed);
	announce_rules_init(made);
	announce_routes_init(made);
	map_init(&made->claims);
	random_init(&made->random);
	metrics_init(&made->metrics);
	made->monitor.on_change = on_links_changed;
	made->monitor.on_address = on_address;
	made->monitor.on_lost = on_lost;
	error = net_link_monitor_open(&made->monitor, options->loop);
	/* Among others claims are looked for first: see announcer_goes_by. */
	if (error == ERROR_OK && !made->has_peers)
		error = begin(made);
	*announcer = made;
	if (error != ERROR_OK)
		announcer_free(announcer);
	return error;
}

enum error
announcer_add_link(struct announcer *announcer, const char *name)
{
	must(announcer->claims.count == 0);
	for (unsigned i = 0; i < announcer->link_count; i++)
		if (strcmp(announcer->links[i].link.name, name) == 0)
			return ERROR_OK;
	if (announcer->link_count == LIMIT_VALUE_ANNOUNCE_LINKS) {
		limit_hit(&announcer->metrics, LIMIT_ANNOUNCE_LINKS);
		return ERROR_LIMIT;
	}
	enum error error = announce_link_open(
	    &announcer->links[announcer->link_count], announcer, name);
	if (error == ERROR_OK)
		announcer->link_count++;
	return error;
}

enum error
announcer_claim(struct announcer *announcer, const struct unit_claim *unit)
{
	struct net_address address;

	enum error error = net_address_parse(unit->address, 0, &address);
	if (error != ERROR_OK)
		return error;
	struct announce_claim *claim =
	    map_get(&announcer->claims, announcer_key(address.ip));
	if (claim == NULL) {
		if (!announcer_has_room(announcer)) {
			limit_hit(
			    &announcer->metrics, LIMIT_ANNOUNCE_ADDRESSES);
			return ERROR_LIMIT;
		}
		claim = announce_claim_open(announcer, &address);
		map_put(&announcer->claims, announcer_key(claim->address.ip),
		    claim);
		if (claim->is_own)
			announcer_tell_own(announcer);
	}
	announce_claim_ask(claim, unit);
	net_loop_defer(announcer->options.loop, &announcer->changed);
	return ERROR_OK;
}

bool
announcer_has_room(const struct announcer *announcer)
{
	return announcer->claims.count < LIMIT_VALUE_ANNOUNCE_ADDRESSES;
}

void
announcer_release(
    struct announcer *announcer, const struct net_address *address)
{
	struct announce_claim *claim =
	    map_remove(&announcer->claims, announcer_key(address->ip));
	if (claim == NULL)
		return;
	bool was_own = claim->is_own, was_unable = claim->is_unable;
	announce_claim_give_up(claim);
	announce_claim_close(&claim);
	if (was_own)
		announcer_tell_own(announcer);
	if (was_unable)
		announcer_tell_unable(announcer);
	net_loop_defer(announcer->options.loop, &announcer->changed);
}

static void
push_mark(struct wire_beat_marks *marks, const struct announce_claim *claim)
{
	marks->items[marks->count++] =
	    announce_mark(slice_from_string(claim->text));
}

void
announcer_tell_own(struct announcer *announcer)
{
	struct wire_beat_marks own = {0};
	struct slice key;
	void *value;

	for (size_t at = 0; own.count < WIRE_BEAT_MARKS &&
	     map_next(&announcer->claims, &at, &key, &value);) {
		const struct announce_claim *claim = value;
		if (claim->is_own)
			push_mark(&own, claim);
	}
	for (unsigned i = 0; announcer->has_peers && i < announcer->link_count;
	     i++)
		announce_peers_own(&announcer->links[i].peers, &own);
}

/* Of more than are named all count as such: nobody needs to know which. */
void
announcer_tell_unable(struct announcer *announcer)
{
	struct wire_beat_marks unable = {
	    .more = announcer->unable_count > WIRE_BEAT_MARKS};
	struct slice key;
	void *value;

	for (size_t at = 0; !unable.more &&
	     unable.count < announcer->unable_count &&
	     map_next(&announcer->claims, &at, &key, &value);) {
		const struct announce_claim *claim = value;
		if (claim->is_unable)
			push_mark(&unable, claim);
	}
	for (unsigned i = 0; announcer->has_peers && i < announcer->link_count;
	     i++)
		announce_peers_unable(&announcer->links[i].peers, &unable);
}

/* One that is there is the host's own from now on, though we hold it, or though
 * our route for it comes first. */
static void
on_address(struct net_link_monitor *monitor, const struct net_address *address,
    bool added)
{
	struct announcer *announcer =
	    container_of(monitor, struct announcer, monitor);
	struct announce_claim *claim =
	    map_get(&announcer->claims, announcer_key(address->ip));

	if (claim != NULL)
		announce_claim_own(
		    claim, added || net_route_local(address) == NET_LOCAL_HOST);
}

/* Is what was the host's own still? */
static void
on_lost(struct net_link_monitor *monitor)
{
	struct announcer *announcer =
	    container_of(monitor, struct announcer, monitor);
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&announcer->claims, &at, &key, &value);) {
		struct announce_claim *claim = value;
		if (claim->is_own)
			announce_claim_own(claim,
			    net_route_local(&claim->address) == NET_LOCAL_HOST);
	}
}

static void
on_links_changed(struct net_link_monitor *monitor)
{
	struct announcer *announcer =
	    container_of(monitor, struct announcer, monitor);
	for (unsigned i = 0; i < announcer->link_count; i++)
		announce_link_look(&announcer->links[i]);
}

enum error
announcer_state(const struct announcer *announcer,
    const struct net_address *address, struct text *why)
{
	const struct announce_claim *claim =
	    map_get(&announcer->claims, announcer_key(address->ip));

	return claim == NULL ? ERROR_NOT_FOUND
	                     : announce_claim_state(claim, why);
}

void
announcer_tell(const struct announcer *announcer,
    const struct net_address *address, struct text *interfaces,
    struct text *rival)
{
	const struct announce_claim *claim =
	    map_get(&announcer->claims, announcer_key(address->ip));

	if (claim != NULL)
		announce_claim_tell(claim, interfaces, rival);
}

void
announcer_decide(struct announcer *announcer)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&announcer->claims, &at, &key, &value);)
		announce_claim_decide(value);
}

void
announcer_goes_by(struct announcer *announcer, enum wire_beat_claims claims)
{
	/* Before it stands in an election: what it wins is served by then. */
	if (claims != WIRE_BEAT_CLAIMS_NONE && !announcer->is_whole &&
	    begin(announcer) != ERROR_OK)
		log_event(LOG_ANNOUNCE_FAILED,
		    LOG_STRING("error", "routes that were left are not known"));
	for (unsigned i = 0; announcer->has_peers && i < announcer->link_count;
	     i++)
		announce_peers_claims(&announcer->links[i].peers, claims);
	/* Whom something was left to may not claim it any more. */
	if (claims == WIRE_BEAT_CLAIMS_OLD)
		announcer_decide(announcer);
}

void
announcer_fences(struct announcer *announcer, bool heeded)
{
	if (announcer->unfenced == !heeded)
		return;
	announcer->unfenced = !heeded;
	announcer_decide(announcer);
	net_loop_defer(announcer->options.loop, &announcer->changed);
}

void
announcer_leave(struct announcer *announcer)
{
	announcer->is_leaving = true;
	for (unsigned i = 0; announcer->has_peers && i < announcer->link_count;
	     i++)
		announce_peers_leave(&announcer->links[i].peers);
}

bool
announcer_is_here(const struct announcer *announcer)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&announcer->claims, &at, &key, &value);)
		if (((const struct announce_claim *)value)->is_here)
			return true;
	return false;
}

void
announcer_free(struct announcer **announcer)
{
	struct announcer *old = *announcer;
	struct slice key;
	void *value;
	bool some_stay = false, routes_stay = false;

	*announcer = NULL;
	if (old == NULL)
		return;
	for (size_t at = 0; map_next(&old->claims, &at, &key, &value);) {
		struct announce_claim *claim = value;
		if (announce_claim_stays(claim)) {
			some_stay = true;
			routes_stay = routes_stay || claim->has_route;
		} else {
			announce_claim_give_up(claim);
		}
		announce_claim_close(&claim);
	}
	map_fini(&old->claims);
	announce_rules_fini(old, some_stay || !old->is_whole);
	announce_routes_fini(old);
	net_task_cancel(old->options.loop, &old->changed);
	net_link_monitor_close(&old->monitor);
	for (unsigned i = 0; i < old->link_count; i++) {
		/* Whoever takes what stays shall be answered for alone. */
		if (routes_stay)
			old->links[i].link.is_hushed = false;
		announce_link_close(&old->links[i]);
	}
	metrics_fini(&old->metrics);
	close(old->lock);
	memory_free(old);
}
