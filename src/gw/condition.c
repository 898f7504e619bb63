/* Statuses: conditions in the making, and what a status is while its generation
 * is not served yet. */
#include "core/must.h"
#include "gw/output_priv.h"
#include "wire/record_binary.h"

void
gw_conditions_init(struct gw_conditions *conditions, struct arena *arena,
    const struct gw_object *object)
{
	*conditions = (struct gw_conditions){
	    .items = arena_zero(
	        arena, GW_CONDITIONS_MAX, sizeof(*conditions->items)),
	    .generation = object->generation,
	};
}

void
gw_conditions_add(struct gw_conditions *conditions, const char *type,
    const char *status, const char *reason, struct slice message)
{
	must(conditions->count < GW_CONDITIONS_MAX);
	struct slice name = slice_from_string(type);
	uint32_t at = conditions->count++;

	for (;
	     at > 0 && slice_compare(conditions->items[at - 1].type, name) > 0;
	     at--)
		conditions->items[at] = conditions->items[at - 1];
	conditions->items[at] = (struct gw_condition){
	    .type = name,
	    .status = slice_from_string(status),
	    .reason = slice_from_string(reason),
	    .message = slice_is_set(message) ? message : SLICE(""),
	    .observed_generation = conditions->generation,
	};
}

const struct record_type *
gw_status_type(enum gw_kind kind)
{
	switch (kind) {
	case GW_GATEWAYCLASS:
		return &gw_gatewayclass_status_type;
	case GW_GATEWAY:
		return &gw_gateway_status_type;
	case GW_LISTENERSET:
		return &gw_listenerset_status_type;
	case GW_HTTPROUTE:
	case GW_GRPCROUTE:
	case GW_TLSROUTE:
	case GW_TCPROUTE:
	case GW_UDPROUTE:
		return &gw_route_status_type;
	case GW_BACKENDTLSPOLICY:
		return &gw_policy_status_type;
	case GW_SERVICE:
		return &gw_balancer_status_type;
	case GW_IPADDRESSPOOL:
		return &gw_pool_status_type;
	case GW_REFERENCEGRANT:
	case GW_XBACKEND:
	case GW_ENDPOINTSLICE:
	case GW_CONFIGMAP:
	case GW_CLUSTERTRUSTBUNDLE:
	case GW_SECRET:
	case GW_NAMESPACE:
	case GW_NODE:
	default:
		break;
	}
	return NULL;
}

static void
set_pending(
    struct gw_condition *conditions, uint32_t count, struct slice message)
{
	for (uint32_t i = 0; i < count; i++) {
		struct gw_condition *condition = &conditions[i];

		if (!slice_equal(condition->type, SLICE("Programmed")) ||
		    !slice_equal(condition->status, SLICE("True")))
			continue;
		condition->status = SLICE("False");
		condition->reason = SLICE("Pending");
		condition->message = message;
	}
}

static void
set_listeners_pending(
    struct gw_listener_status *listeners, uint32_t count, struct slice message)
{
	for (uint32_t i = 0; i < count; i++)
		set_pending(listeners[i].conditions,
		    listeners[i].conditions_count, message);
}

void *
gw_status_pending(enum gw_kind kind, const void *status,
    const struct gw_told_addresses *told, struct slice message,
    struct arena *arena)
{
	const struct record_type *type = gw_status_type(kind);
	struct text bytes;
	void *copy = NULL;

	must(type != NULL && status != NULL);
	text_init(&bytes);
	wire_record_encode(&bytes, type, status);

	enum error error =
	    wire_record_decode(text_slice(&bytes), type, arena, &copy);

	text_fini(&bytes);
	must(error == ERROR_OK);
	struct slice why = arena_copy(arena, message);

	if (kind == GW_GATEWAY) {
		struct gw_gateway_status *gateway = copy;

		gateway->addresses = told ? told->addresses : NULL;
		gateway->addresses_count = told ? told->addresses_count : 0;
		set_pending(
		    gateway->conditions, gateway->conditions_count, why);
		set_listeners_pending(
		    gateway->listeners, gateway->listeners_count, why);
	} else if (kind == GW_LISTENERSET) {
		struct gw_listenerset_status *set = copy;

		set_pending(set->conditions, set->conditions_count, why);
		set_listeners_pending(
		    set->listeners, set->listeners_count, why);
	}
	return copy;
}
