/* Gateways that share an address, by their ports. */
#include "gw/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "gw/address.h"
#include "world.h"

#define POOL \
	"apiVersion: metallb.io/v1beta1\n" \
	"kind: IPAddressPool\n" \
	"metadata: {name: p, namespace: metallb-system}\n" \
	"spec: {addresses: [10.0.0.0/30]}\n---\n"
#define SHARES(name, port) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: Gateway\n" \
	"metadata: {name: " name "}\n" \
	"spec:\n" \
	"  gatewayClassName: yumen\n" \
	"  allowedListeners: {namespaces: {from: Same}}\n" \
	"  infrastructure: {annotations: {metallb.io/allow-shared-ip: k}}\n" \
	"  listeners: [{name: http, protocol: HTTP, port: " port "}]\n---\n"
#define SET(port) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: ListenerSet\n" \
	"metadata: {name: s}\n" \
	"spec:\n" \
	"  parentRef: {name: a}\n" \
	"  listeners: [{name: more, protocol: HTTP, port: " port "}]\n---\n"

static const struct gw_options cluster = {.namespaces_implied = true,
    .carries = GW_CARRY_UDP,
    .addressing = GW_ADDRESSING_CLUSTER};

static void
expect(const struct world *world, const char *name, const char *wanted)
{
	const struct gw_address *had;

	assert_int_equal(gw_state_addresses(world->state, GW_GATEWAY,
	                     SLICE("default"), slice_from_string(name), &had),
	    1);
	assert_true(slice_equal(had->text, slice_from_string(wanted)));
}

/* A port that comes by a ListenerSet is its Gateway's: of two that share an
 * address the younger moves. */
static void
sets_bring_ports(void **unused)
{
	struct gw_object *set;
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world, POOL);
	world_apply(&world, SHARES("a", "80") SHARES("b", "81"));
	expect(&world, "a", "10.0.0.0");
	expect(&world, "b", "10.0.0.0");
	world_apply(&world, SET("82"));
	expect(&world, "b", "10.0.0.0");
	world_apply(&world, SET("81"));
	expect(&world, "a", "10.0.0.0");
	expect(&world, "b", "10.0.0.1");
	/* who comes anew shares again, once it is gone */
	set = world_object(slice_from_string(SET("81")));
	world_remove(&world, set);
	gw_object_free(&set);
	world_reconcile(&world);
	world_apply(&world, SHARES("c", "81"));
	expect(&world, "b", "10.0.0.1");
	expect(&world, "c", "10.0.0.0");
	world_fini(&world);
}

#define SET_OF(name, listeners) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: ListenerSet\n" \
	"metadata: {name: " name "}\n" \
	"spec: {parentRef: {name: a}, listeners: [" listeners "]}\n---\n"

/* Nobody is served where a listener is refused: its port takes nothing. */
static void
refused_listeners_have_no_ports(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world, POOL);
	world_apply(&world, SHARES("a", "80") SHARES("b", "81"));
	world_apply(&world,
	    SET_OF("s",
	        "{name: odd, protocol: example.com/odd, port: 81}, "
	        "{name: good, protocol: HTTP, port: 82}"));
	expect(&world, "a", "10.0.0.0");
	expect(&world, "b", "10.0.0.0");
	world_apply(&world, SHARES("c", "82"));
	expect(&world, "c", "10.0.0.1");
	world_fini(&world);
}

/* As they come: not in order, many of one port. */
static void
ports_are_told_by_number(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world, POOL);
	world_apply(&world,
	    SHARES("a", "90") SET_OF("s",
	        "{name: a, protocol: HTTP, port: 85}, "
	        "{name: b, protocol: HTTP, port: 90, hostname: b.example}, "
	        "{name: c, protocol: HTTP, port: 82}, "
	        "{name: d, protocol: HTTP, port: 85, hostname: d.example}, "
	        "{name: e, protocol: UDP, port: 83}"));
	/* of another protocol, and between */
	world_apply(&world, SHARES("e", "83"));
	expect(&world, "e", "10.0.0.0");
	world_apply(&world, SHARES("f", "84"));
	expect(&world, "f", "10.0.0.0");
	world_apply(&world, SHARES("b", "82"));
	expect(&world, "b", "10.0.0.1");
	world_apply(&world, SHARES("c", "85"));
	expect(&world, "c", "10.0.0.1");
	world_apply(&world, SHARES("d", "90"));
	expect(&world, "d", "10.0.0.1");
	world_fini(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sets_bring_ports),
	    cmocka_unit_test(refused_listeners_have_no_ports),
	    cmocka_unit_test(ports_are_told_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
