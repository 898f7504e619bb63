/* Who gets which address, through all of gw. */
#include "gw/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "world.h"

#define POOL(name, spec) \
	"apiVersion: metallb.io/v1beta1\n" \
	"kind: IPAddressPool\n" \
	"metadata: {name: " name ", namespace: metallb-system}\n" \
	"spec: {" spec "}\n---\n"
#define GATEWAY(name, rest, status) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: Gateway\n" \
	"metadata: {name: " name "}\n" \
	"spec: {gatewayClassName: yumen, listeners: [{name: http, " \
	"protocol: HTTP, port: 80}]" rest "}\n" status "---\n"
#define HAS(address) \
	"status: {addresses: [{type: IPAddress, value: " address "}]}\n"

static const struct gw_options cluster = {
    .namespaces_implied = true, .addressing = GW_ADDRESSING_CLUSTER};

/* The addresses of default/name, as "a b". */
static void
expect_of(const struct world *world, enum gw_kind kind, const char *name,
    const char *wanted)
{
	const struct gw_address *addresses;
	uint32_t count = gw_state_addresses(world->state, kind,
	    SLICE("default"), slice_from_string(name), &addresses);
	struct text text;

	text_init(&text);
	for (uint32_t i = 0; i < count; i++)
		text_printf(&text, "%s%.*s", i > 0 ? " " : "",
		    SLICE_ARGS(addresses[i].text));
	if (!slice_equal(text_slice(&text), slice_from_string(wanted)))
		fail_msg("%s: %.*s, not %s", name,
		    SLICE_ARGS(text_slice(&text)), wanted);
	text_fini(&text);
}

static void
expect(const struct world *world, const char *name, const char *wanted)
{
	expect_of(world, GW_GATEWAY, name, wanted);
}

static void
remove_object(struct world *world, const char *yaml)
{
	struct gw_object *object = world_object(slice_from_string(yaml));

	world_remove(world, object);
	world_reconcile(world);
	gw_object_free(&object);
}

static void
who_has_one_keeps_it(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world, POOL("p", "addresses: [10.0.0.0/30]"));
	world_apply(&world, GATEWAY("z", "", ""));
	expect(&world, "z", "10.0.0.0");
	/* older by name, and later */
	world_apply(&world, GATEWAY("a", "", ""));
	expect(&world, "a", "10.0.0.1");
	expect(&world, "z", "10.0.0.0");
	/* others come and go */
	world_apply(&world, GATEWAY("b", "", "") GATEWAY("c", "", ""));
	expect(&world, "c", "10.0.0.3");
	remove_object(&world, GATEWAY("z", "", ""));
	expect(&world, "c", "10.0.0.3");
	/* one that nobody has any more is given again */
	world_apply(&world, GATEWAY("x", "", ""));
	expect(&world, "x", "10.0.0.0");
	/* the pool gives no more by itself, which takes nothing away */
	world_apply(
	    &world, POOL("p", "addresses: [10.0.0.0/30], autoAssign: false"));
	expect(&world, "c", "10.0.0.3");
	/* what is in no pool any more is nobody's */
	world_apply(&world, POOL("p", "addresses: [10.0.0.0/31]"));
	expect(&world, "a", "10.0.0.1");
	expect(&world, "c", "");
	assert_true(world_has(world_status(&world, "Gateway default/c"),
	    "Programmed=False AddressNotAssigned"));
	remove_object(&world, POOL("p", "addresses: [10.0.0.0/31]"));
	expect(&world, "a", "");
	world_fini(&world);
}

static void
a_start_goes_by_what_they_have(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/30]")
	        GATEWAY("a", "", HAS("10.0.0.2")) GATEWAY("b", "", "")
	            GATEWAY("c", "", HAS("10.9.9.9"))
	                GATEWAY("d", "", HAS("10.0.0.2")));
	expect(&world, "a", "10.0.0.2");
	expect(&world, "b", "10.0.0.0");
	expect(&world, "c", "10.0.0.1");
	expect(&world, "d", "10.0.0.3");
	/* another replica, which leads, gave b another one and says so */
	remove_object(&world, GATEWAY("c", "", ""));
	world_apply(&world, GATEWAY("b", "", HAS("10.0.0.1")));
	expect(&world, "b", "10.0.0.1");
	/* a status that is none */
	world_apply(&world,
	    GATEWAY("b", "", "status: {addresses: 7}\n")
	        GATEWAY("a", "", "status: []\n")
	            GATEWAY("d", "", "status: {addresses: [{value: x}]}\n"));
	expect(&world, "a", "10.0.0.2");
	expect(&world, "b", "10.0.0.1");
	world_fini(&world);
}

#define SERVICE(name, address) \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: " name "}\n" \
	"spec: {ports: [{port: 80}]}\n" \
	"status: {loadBalancer: {ingress: [{ip: " address "}]}}\n---\n"

static const struct gw_fleet_options fleet_options = {
    .namespace = {"yumen-system", 12},
    .service = {"yumen-controller", 16},
    .port = 1,
    .image = {"yumen", 5},
    .balancer_class = {GW_BALANCER_CLASS, sizeof(GW_BALANCER_CLASS) - 1},
};

/* One that nobody served when the last controller ended. */
static void
a_start_goes_by_services(void **unused)
{
	struct gw_options options = cluster;
	struct world world;

	(void)unused;
	options.fleet = &fleet_options;
	world_init(&world, &options);
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/30]") GATEWAY("a", "", "")
	        GATEWAY("b", "", "") SERVICE("b-yumen", "10.0.0.3")
	            SERVICE("a-yumen", "10.9.9.9"));
	expect(&world, "a", "10.0.0.0");
	expect(&world, "b", "10.0.0.3");
	world_fini(&world);
}

static void
an_edit_elsewhere_costs_nothing(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/30]") GATEWAY("a", "", "")
	        GATEWAY("b", "", ""));
	/* the same again, more of it, and its own status coming back */
	world_apply(&world, POOL("p", "addresses: [10.0.0.0/30]"));
	assert_int_equal(world.changes, 0);
	/* but what the pool says of itself */
	world_apply(&world, POOL("p", "addresses: [10.0.0.0/29]"));
	assert_int_equal(world.changes, 1);
	world_apply(&world, GATEWAY("a", "", HAS("10.0.0.0")));
	assert_int_equal(world.changes, 0);
	/* one that asks for another: its status, and no unit, for pods have
	 * every address */
	world_apply(
	    &world, GATEWAY("b", ", addresses: [{value: 10.0.0.7}]", ""));
	assert_int_equal(world.changes, 1);
	expect(&world, "b", "10.0.0.7");
	world_fini(&world);
}

/* Host-wide service is for who never had an address of a pool: that a pool
 * goes opens no port on every address. */
static void
a_pool_that_goes_opens_nothing(void **unused)
{
	static const struct gw_options host = {
	    .namespaces_implied = true, .addressing = GW_ADDRESSING_HOST};
	static const char pool[] = POOL("p", "addresses: [10.0.0.0/30]");
	struct gw_object *gateway =
	    world_object(slice_from_string(GATEWAY("b", "", "")));
	struct world world;

	(void)unused;
	world_init(&world, &host);
	world_apply(&world, pool);
	world_apply(&world, GATEWAY("b", "", ""));
	expect(&world, "b", "10.0.0.0");
	remove_object(&world, pool);
	expect(&world, "b", "");
	assert_true(world_has(world_status(&world, "Gateway default/b"),
	    "Programmed=False AddressNotAssigned"));
	/* nor does the next plan, nor a pool that is not for it */
	world_apply(&world, GATEWAY("c", "", ""));
	assert_true(world_has(world_status(&world, "Gateway default/c"),
	    "address IPAddress 0.0.0.0"));
	assert_false(world_has(
	    world_status(&world, "Gateway default/b"), "address IPAddress"));
	world_apply(
	    &world, POOL("m", "addresses: [10.1.0.0/30], autoAssign: false"));
	assert_false(world_has(
	    world_status(&world, "Gateway default/b"), "address IPAddress"));
	/* it is back */
	world_apply(&world, pool);
	expect(&world, "b", "10.0.0.0");
	/* it says otherwise, and then nothing again */
	remove_object(&world, pool);
	world_apply(
	    &world, GATEWAY("b", ", addresses: [{value: 0.0.0.0}]", ""));
	expect(&world, "b", "0.0.0.0");
	world_apply(&world, GATEWAY("b", "", ""));
	assert_true(world_has(world_status(&world, "Gateway default/b"),
	    "address IPAddress 0.0.0.0"));
	world_fini(&world);
	/* nor does a start without pools, nor the next */
	world_init(&world, &host);
	world_put(&world, &gateway);
	gw_state_hold(
	    world.state, SLICE("default"), SLICE("b"), SLICE("10.0.0.2"));
	world_reconcile(&world);
	assert_false(world_has(
	    world_status(&world, "Gateway default/b"), "address IPAddress"));
	world_apply(&world, GATEWAY("c", "", ""));
	assert_true(gw_state_waits(world.state, SLICE("default"), SLICE("b")));
	assert_false(gw_state_waits(world.state, SLICE("default"), SLICE("c")));
	world_fini(&world);
	gateway = world_object(slice_from_string(GATEWAY("b", "", "")));
	world_init(&world, &host);
	world_put(&world, &gateway);
	gw_state_wait(world.state, SLICE("default"), SLICE("b"));
	world_reconcile(&world);
	assert_false(world_has(
	    world_status(&world, "Gateway default/b"), "address IPAddress"));
	world_apply(&world, pool);
	expect(&world, "b", "10.0.0.0");
	assert_false(gw_state_waits(world.state, SLICE("default"), SLICE("b")));
	world_fini(&world);
}

#define GIVEN(address) \
	"status: {loadBalancer: {ingress: [{ip: " address "}]}}\n"
#define BALANCER(name, rest) \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: " name "}\n" \
	"spec: {ports: [{port: 80}], " rest "}\n---\n"
#define BALANCED "type: LoadBalancer, loadBalancerClass: yumen.dev/lb"
#define FAMILIES(policy, families) \
	BALANCED ", ipFamilyPolicy: " policy ", ipFamilies: [" families "]"

/* As MetalLB's own tests have it: an address is free again when a Service is
 * not to be balanced any more. */
static void
a_service_changes_its_type(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/32]") BALANCER("a", BALANCED));
	world_apply(&world, BALANCER("b", BALANCED));
	expect_of(&world, GW_SERVICE, "a", "10.0.0.0");
	expect_of(&world, GW_SERVICE, "b", "");
	world_apply(&world, BALANCER("a", "type: ClusterIP"));
	expect_of(&world, GW_SERVICE, "a", "");
	expect_of(&world, GW_SERVICE, "b", "10.0.0.0");
	world_fini(&world);
}

/* The same of two families: a second address comes when its pool has one; to a
 * pool that has both only who must have both moves; and policies change. */
static void
families_come_and_go(void **unused)
{
	static const char four[] = POOL("p", "addresses: [10.0.0.0/30]");
	static const char both[] =
	    POOL("p", "addresses: [10.0.0.0/30, 'fd00::/126']");
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world, four);
	world_apply(
	    &world, BALANCER("s", FAMILIES("PreferDualStack", "IPv4, IPv6")));
	expect_of(&world, GW_SERVICE, "s", "10.0.0.0");
	/* a pool that has both, and comes first by name */
	world_apply(
	    &world, POOL("dual", "addresses: [10.1.0.0/30, 'fd01::/126']"));
	expect_of(&world, GW_SERVICE, "s", "10.0.0.0");
	/* its own becomes one of both */
	world_apply(&world, both);
	expect_of(&world, GW_SERVICE, "s", "10.0.0.0 fd00::1");
	/* and of one again: it keeps what it may */
	world_apply(&world, four);
	expect_of(&world, GW_SERVICE, "s", "10.0.0.0");
	/* that both are needed moves it to where both are, for good */
	world_apply(
	    &world, BALANCER("s", FAMILIES("RequireDualStack", "IPv4, IPv6")));
	expect_of(&world, GW_SERVICE, "s", "10.1.0.0 fd01::1");
	assert_true(world_has(world_status(&world, "Service default/s"),
	    "AddressesAssigned=True"));
	world_apply(&world,
	    GIVEN("10.0.0.0")
	        BALANCER("s", FAMILIES("RequireDualStack", "IPv4, IPv6")));
	expect_of(&world, GW_SERVICE, "s", "10.1.0.0 fd01::1");
	world_apply(&world, both);
	expect_of(&world, GW_SERVICE, "s", "10.1.0.0 fd01::1");
	world_apply(
	    &world, BALANCER("s", FAMILIES("PreferDualStack", "IPv4, IPv6")));
	expect_of(&world, GW_SERVICE, "s", "10.1.0.0 fd01::1");
	world_apply(&world, BALANCER("s", FAMILIES("SingleStack", "IPv6")));
	expect_of(&world, GW_SERVICE, "s", "fd01::1");
	world_apply(
	    &world, BALANCER("s", FAMILIES("RequireDualStack", "IPv6, IPv4")));
	expect_of(&world, GW_SERVICE, "s", "10.1.0.0 fd01::1");
	/* no pool has both any more: it keeps what it may, and says so, until
	 * one does */
	world_apply(&world, four);
	world_apply(&world, POOL("dual", "addresses: [10.1.0.0/30]"));
	expect_of(&world, GW_SERVICE, "s", "10.1.0.0");
	assert_true(world_has(world_status(&world, "Service default/s"),
	    "AddressesAssigned=False AddressNotAssigned"));
	world_apply(&world, both);
	expect_of(&world, GW_SERVICE, "s", "10.0.0.0 fd00::1");
	world_fini(&world);
}

#define UNCLASSED \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: plain}\n" \
	"spec: {type: LoadBalancer, ports: [{port: 80}]}\n---\n"

/* A MetalLB that comes takes nothing away from who has it, but what is its own
 * to serve; the next one gets nothing of its pools. */
static void
a_metallb_comes_and_goes(void **unused)
{
	static const struct gw_options options = {.namespaces_implied = true,
	    .addressing = GW_ADDRESSING_CLUSTER,
	    .takes_unclassed = true};
	const struct gw_address *addresses;
	struct world world;

	(void)unused;
	world_init(&world, &options);
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/29]") GATEWAY("a", "", "")
	        UNCLASSED);
	expect(&world, "a", "10.0.0.0");
	assert_int_equal(gw_state_addresses(world.state, GW_SERVICE,
	                     SLICE("default"), SLICE("plain"), &addresses),
	    1);
	gw_state_metallb(world.state, SLICE("Deployment m/c"));
	world_reconcile(&world);
	expect(&world, "a", "10.0.0.0");
	assert_true(world_has(
	    world_status(&world, "Gateway default/a"), "Deployment m/c"));
	assert_false(
	    slice_is_set(world_status(&world, "Service default/plain")));
	assert_int_equal(gw_state_addresses(world.state, GW_SERVICE,
	                     SLICE("default"), SLICE("plain"), &addresses),
	    0);
	world_apply(&world, GATEWAY("b", "", ""));
	expect(&world, "b", "");
	assert_true(world_has(
	    world_status(&world, "Gateway default/b"), "AddressNotAssigned"));
	/* the same again is no change */
	gw_state_metallb(world.state, SLICE("Deployment m/c"));
	world_reconcile(&world);
	assert_int_equal(world.changes, 0);
	gw_state_metallb(world.state, SLICE(""));
	world_reconcile(&world);
	expect(&world, "a", "10.0.0.0");
	expect(&world, "b", "10.0.0.1");
	assert_false(world_has(
	    world_status(&world, "Gateway default/a"), "Deployment m/c"));
	assert_true(
	    slice_is_set(world_status(&world, "Service default/plain")));
	world_fini(&world);
}

/* What a load balancer beside us gives is given to nobody here, from then on
 * and until it lets go of it. */
static void
what_others_give_is_taken(void **unused)
{
#define OTHERS(status) \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: others}\n" \
	"spec: {type: LoadBalancer, loadBalancerClass: example.com/lb, " \
	"ports: " \
	"[{port: 80}]}\n" status "---\n"
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/30]") OTHERS(GIVEN("10.0.0.0")));
	world_apply(&world, GATEWAY("a", "", ""));
	expect(&world, "a", "10.0.0.1");
	/* of a controller that the Gateway had before, which still has it */
	world_apply(&world, GATEWAY("b", "", HAS("10.0.0.0")));
	expect(&world, "b", "10.0.0.2");
	world_apply(&world, GATEWAY("b", "", HAS("10.0.0.2")));
	/* one that is ours stays so */
	world_apply(&world, OTHERS(GIVEN("10.0.0.1")));
	expect(&world, "a", "10.0.0.1");
	world_apply(
	    &world, GATEWAY("c", ", addresses: [{value: 10.0.0.0}]", ""));
	expect(&world, "c", "10.0.0.0");
	world_apply(&world, OTHERS(GIVEN("10.0.0.3")));
	world_apply(&world, GATEWAY("d", "", ""));
	expect(&world, "d", "");
	remove_object(&world, OTHERS(""));
	expect(&world, "d", "10.0.0.3");
	world_fini(&world);
}

#define PARAMETERS(class) \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\n" \
	"kind: EnvoyProxy\n" \
	"metadata: {name: x}\n" \
	"spec: {provider: {type: Kubernetes, kubernetes: " \
	"{envoyService: {loadBalancerClass: " class "}}}}\n---\n"
#define BY_PARAMETERS \
	", infrastructure: {parametersRef: {group: gateway.envoyproxy.io, " \
	"kind: EnvoyProxy, name: x}}"
#define FLEETS(name, class, status) \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: " name "-yumen, labels: {yumen.dev/controller: " \
	"x}}\n" \
	"spec: {type: LoadBalancer, loadBalancerClass: " class ", ports: " \
	                                                       "[{port: " \
	                                                       "80}]}" \
	                                                       "\n" status \
	                                                       "---\n"

/* The class of a Service cannot be changed: what is asked for otherwise now it
 * still has, and until it has let go of it nobody else does. */
static void
a_service_keeps_what_it_has(void **unused)
{
	static const char pool[] = POOL("p", "addresses: [10.0.0.0/31]");
	static const char has[] =
	    FLEETS("a", "yumen.dev/lb", GIVEN("10.0.0.0"));
	struct gw_options options = cluster;
	struct world world;

	(void)unused;
	options.fleet = &fleet_options;
	world_init(&world, &options);
	world_apply(&world, pool);
	world_apply(&world, PARAMETERS("yumen.dev/lb"));
	world_apply(&world, GATEWAY("a", BY_PARAMETERS, ""));
	expect(&world, "a", "10.0.0.0");
	world_apply(&world, has);
	world_apply(&world, PARAMETERS("example.com/lb"));
	expect(&world, "a", "");
	world_apply(&world, GATEWAY("b", "", "") GATEWAY("c", "", ""));
	expect(&world, "b", "10.0.0.1");
	expect(&world, "c", "");
	/* who asks again has it again */
	world_apply(&world, PARAMETERS("yumen.dev/lb"));
	expect(&world, "a", "10.0.0.0");
	world_apply(&world, PARAMETERS("example.com/lb"));
	expect(&world, "c", "");
	/* it lets go of it */
	world_apply(&world, FLEETS("a", "yumen.dev/lb", ""));
	expect(&world, "c", "10.0.0.0");
	world_fini(&world);
	/* one that starts meanwhile gives the same, until it is gone */
	world_init(&world, &options);
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/31]") PARAMETERS("example.com/lb")
	        GATEWAY("a", BY_PARAMETERS, "")
	            GATEWAY("b", "", HAS("10.0.0.1")) GATEWAY("c", "", "")
	                FLEETS("a", "yumen.dev/lb", GIVEN("10.0.0.0")));
	expect(&world, "b", "10.0.0.1");
	expect(&world, "c", "");
	remove_object(&world, has);
	expect(&world, "c", "10.0.0.0");
	world_fini(&world);
}

/* A Gateway whose Service is another than before keeps its address, which the
 * one before still has; also one that starts goes by that. */
static void
who_changes_its_service_keeps_it(void **unused)
{
	static const char before[] =
	    FLEETS("before", "yumen.dev/lb", GIVEN("10.0.0.1"));
	struct gw_options options = cluster;
	struct world world;

	(void)unused;
	options.fleet = &fleet_options;
	world_init(&world, &options);
	world_apply(&world, POOL("p", "addresses: [10.0.0.0/31]"));
	world_apply(&world, before);
	world_apply(&world, GATEWAY("a", "", HAS("10.0.0.1")));
	expect(&world, "a", "10.0.0.1");
	remove_object(&world, before);
	expect(&world, "a", "10.0.0.1");
	world_fini(&world);
}

/* What another load balancer gave to the Service that a Gateway has still is
 * not ours, though the Gateway asks us now. */
static void
what_others_gave_is_not_held(void **unused)
{
	struct gw_options options = cluster;
	struct world world;

	(void)unused;
	options.fleet = &fleet_options;
	world_init(&world, &options);
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/30]") FLEETS(
	        "a", "example.com/lb", GIVEN("10.0.0.2")) GATEWAY("a", "", ""));
	expect(&world, "a", "10.0.0.0");
	world_fini(&world);
	/* nor does it let it have one of a MetalLB's pools */
	world_init(&world, &options);
	gw_state_metallb(world.state, SLICE("Deployment m/c"));
	world_apply(&world,
	    POOL("p", "addresses: [10.0.0.0/30]") FLEETS(
	        "a", "example.com/lb", GIVEN("10.9.9.9")) GATEWAY("a", "", ""));
	expect(&world, "a", "");
	world_fini(&world);
}

static bool
is_told_addresses(const struct world *world)
{
	struct text text;
	bool told;

	text_init(&text);
	world_print(world, &text);
	told = world_has(text_slice(&text), "  addresses: \n");
	text_fini(&text);
	return told;
}

/* To have none of us yet is not to have them of another. */
static void
what_is_nobodys_to_say_is_told(void **unused)
{
	struct gw_fleet_options fleet = fleet_options;
	struct gw_options options = cluster;
	struct world world;

	(void)unused;
	fleet.balancer_class = SLICE_NONE;
	options.fleet = &fleet;
	options.takes_unclassed = true;
	world_init(&world, &options);
	gw_state_fleet_bundle(world.state, SLICE("bundle"));
	world_apply(&world, GATEWAY("a", "", ""));
	assert_true(is_told_addresses(&world));
	gw_state_metallb(world.state, SLICE("Deployment m/c"));
	world_reconcile(&world);
	assert_false(is_told_addresses(&world));
	gw_state_metallb(world.state, SLICE(""));
	world_reconcile(&world);
	assert_true(is_told_addresses(&world));
	world_fini(&world);
}

/* What is of a pool that nobody gives of but us. */
static void
what_it_gives(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, &cluster);
	assert_false(gw_state_gives(world.state, SLICE("10.0.0.1")));
	world_apply(&world, POOL("p", "addresses: [10.0.0.0/30]"));
	assert_true(gw_state_gives(world.state, SLICE("10.0.0.1")));
	assert_false(gw_state_gives(world.state, SLICE("10.0.0.4")));
	assert_false(gw_state_gives(world.state, SLICE("")));
	assert_true(slice_is_set(
	    world_status(&world, "IPAddressPool metallb-system/p")));
	gw_state_metallb(world.state, SLICE("Deployment m/c"));
	assert_false(gw_state_gives(world.state, SLICE("10.0.0.1")));
	world_reconcile(&world);
	assert_false(slice_is_set(
	    world_status(&world, "IPAddressPool metallb-system/p")));
	world_fini(&world);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_has_one_keeps_it),
	    cmocka_unit_test(a_start_goes_by_what_they_have),
	    cmocka_unit_test(a_start_goes_by_services),
	    cmocka_unit_test(an_edit_elsewhere_costs_nothing),
	    cmocka_unit_test(a_pool_that_goes_opens_nothing),
	    cmocka_unit_test(a_service_changes_its_type),
	    cmocka_unit_test(families_come_and_go),
	    cmocka_unit_test(a_metallb_comes_and_goes),
	    cmocka_unit_test(what_others_give_is_taken),
	    cmocka_unit_test(a_service_keeps_what_it_has),
	    cmocka_unit_test(who_changes_its_service_keeps_it),
	    cmocka_unit_test(what_others_gave_is_not_held),
	    cmocka_unit_test(what_is_nobodys_to_say_is_told),
	    cmocka_unit_test(what_it_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
