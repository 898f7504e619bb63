/* What a unit leads to, by the names that stand in it. Owns nothing. */
#include "stream/views_priv.h"

/* "listener/<namespace>/<gateway>/...": namespace and gateway, or absent. */
static struct slice
gateway_of(struct slice listener)
{
	struct slice rest = listener, kind, namespace, gateway;

	if (!slice_cut(&rest, '/', &kind) ||
	    !slice_cut(&rest, '/', &namespace) ||
	    !slice_cut(&rest, '/', &gateway) || !slice_is_set(rest) ||
	    !slice_equal(kind, SLICE("listener")))
		return SLICE_NONE;
	return slice_make(
	    namespace.data, namespace.length + 1 + gateway.length);
}

static void
tell_root(const struct stream_reach *reach, struct slice listener)
{
	struct slice gateway = gateway_of(listener);

	if (slice_is_set(gateway))
		reach->root(reach->context, gateway);
}

static void
tell_held(
    const struct stream_reach *reach, const struct slice *names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		reach->held(reach->context, names[i]);
}

static void
tell_tls(const struct stream_reach *reach, const struct unit_backend_tls *tls)
{
	if (tls != NULL)
		tell_held(reach, tls->authorities, tls->authorities_count);
}

static void
reach_listener(const struct unit *unit, const struct stream_reach *reach)
{
	const struct unit_listener *listener = unit->listener;

	tell_root(reach, unit->name);
	tell_held(reach, listener->certificates, listener->certificates_count);
	tell_held(reach, listener->authorities, listener->authorities_count);
	if (listener->tickets.length > 0)
		tell_held(reach, &listener->tickets, 1);
	if (listener->backend_certificate.length > 0)
		tell_held(reach, &listener->backend_certificate, 1);
}

static void
reach_route(const struct unit_route *route, const struct stream_reach *reach)
{
	for (uint32_t i = 0; i < route->listeners_count; i++)
		tell_root(reach, route->listeners[i]);
	for (uint32_t i = 0; i < route->rules_count; i++) {
		const struct unit_rule *rule = &route->rules[i];

		for (uint32_t j = 0; j < rule->backends_count; j++)
			if (rule->backends[j].target.length > 0)
				tell_held(reach, &rule->backends[j].target, 1);
	}
}

void
stream_reach(const struct unit *unit, const struct stream_reach *reach)
{
	switch (unit->kind) {
	case UNIT_LISTENER:
		reach_listener(unit, reach);
		return;
	case UNIT_ROUTE:
		reach_route(unit->route, reach);
		return;
	case UNIT_SERVICE:
		for (uint32_t i = 0; i < unit->service->ports_count; i++)
			tell_tls(reach, unit->service->ports[i].tls);
		return;
	case UNIT_ENDPOINTS:
		if (unit->endpoints->service.length > 0)
			reach->rides(reach->context, unit->endpoints->service);
		return;
	case UNIT_EXTERNAL:
		tell_tls(reach, unit->external->tls);
		return;
	case UNIT_CERTIFICATE:
	case UNIT_AUTHORITY:
	case UNIT_TICKETS:
		return;
	case UNIT_CLAIM:
		reach->root(reach->context, STREAM_ANNOUNCERS);
		return;
	case UNIT__COUNT:
		return;
	}
}
