/* Who gets which address, through all of gw: over thousands of random histories
 * no address is ever two Gateways', nobody loses one without cause, and a
 * process that starts anew gives the same. */
#include "gw/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "addr/ip.h"
#include "core/memory.h"
#include "core/random.h"
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

/* ---- histories ---- */

enum { HISTORIES = 3000, STEPS = 14, POOLS = 3, GATEWAYS = 6 };
/* From this one on they are Services, in a cluster. */
enum { FIRST_SERVICE = 4 };

struct model {
	struct random random;
	struct text pools[POOLS], gateways[GATEWAYS]; /* YAML, or empty */
	bool shares[GATEWAYS], names[GATEWAYS];
	bool has_services;
};

/* What each has, as bits of a small universe: 10.0.0.0-15, fd00::0-15. */
struct having {
	uint32_t bits[GATEWAYS];
};

static const char *
pick(struct model *model, const char *const *words, uint32_t count)
{
	return words[random_below(&model->random, count)];
}
#define PICK(model, ...) \
	pick((model), (const char *const[]){__VA_ARGS__}, \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void
make_pool(struct model *model, unsigned at)
{
	text_reset(&model->pools[at]);
	if (random_below(&model->random, 5) == 0)
		return;
	text_printf(&model->pools[at],
	    "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\n"
	    "metadata: {name: p%u, namespace: metallb-system}\n"
	    "spec: {addresses: [%s]%s%s}\n---\n",
	    at,
	    PICK(model, "10.0.0.0/30", "10.0.0.2-10.0.0.6, 'fd00::/126'",
	        "10.0.0.8/30", "'fd00::3-fd00::5'", "10.0.0.9/32"),
	    PICK(model, "", "", ", autoAssign: false", ", avoidBuggyIPs: true"),
	    PICK(model, "", "", ", serviceAllocation: {priority: 5}",
	        ", serviceAllocation: {namespaces: [other]}"));
}

static void
make_gateway(struct model *model, unsigned at)
{
	struct text *out = &model->gateways[at];
	unsigned way = random_below(&model->random, 8);

	text_reset(out);
	model->shares[at] = way == 4 || way == 5;
	model->names[at] = way < 3;
	if (random_below(&model->random, 4) == 0)
		return;
	text_printf(out,
	    "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
	    "metadata: {name: g%u, creationTimestamp: "
	    "\"2026-01-0%uT00:00:00Z\"}\nspec:\n  gatewayClassName: yumen\n"
	    "  listeners: [{name: http, protocol: HTTP, port: %u}]\n",
	    at, 1 + random_below(&model->random, 2),
	    model->shares[at] ? 80 + at : 80);
	if (way < 2)
		text_printf(out, "  addresses: [{value: 10.0.0.%u}%s]\n",
		    random_below(&model->random, 12),
		    PICK(model, "", ", {value: 'fd00::3'}",
		        ", {type: IPAddress}"));
	else if (way == 2)
		text_printf(out,
		    "  infrastructure: {annotations: "
		    "{metallb.io/loadBalancerIPs: '10.0.0.%u'}}\n",
		    random_below(&model->random, 12));
	else if (way == 3)
		text_push_string(out,
		    "  addresses: [{type: IPAddress}, {type: IPAddress}]\n");
	else if (way == 4 || way == 5)
		text_printf(out,
		    "  infrastructure: {annotations: "
		    "{metallb.io/allow-shared-ip: k%s}}\n",
		    PICK(model, "", ", metallb.io/address-pool: p1"));
}

static void
make_service(struct model *model, unsigned at)
{
	struct text *out = &model->gateways[at];

	text_reset(out);
	if (random_below(&model->random, 4) == 0)
		return;
	model->shares[at] = random_below(&model->random, 2) == 0;
	text_printf(out,
	    "apiVersion: v1\nkind: Service\nmetadata: {name: g%u, "
	    "creationTimestamp: \"2026-01-0%uT00:00:00Z\"%s}\n"
	    "spec: {type: %s, loadBalancerClass: yumen.dev/lb, "
	    "ports: [{port: %u}]%s}\n",
	    at, 1 + random_below(&model->random, 2),
	    model->shares[at] ? ", annotations: {metallb.io/allow-shared-ip: k}"
	                      : "",
	    "LoadBalancer", model->shares[at] ? 80 + at : 80,
	    PICK(model, "", ", loadBalancerIP: 10.0.0.3",
	        ", ipFamilies: [IPv6]",
	        ", ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv4, "
	        "IPv6]",
	        ", externalTrafficPolicy: Local, selector: {a: b}"));
}

static enum gw_kind
kind_of(const struct model *model, unsigned at)
{
	return model->has_services && at >= FIRST_SERVICE ? GW_SERVICE
	                                                  : GW_GATEWAY;
}

static void
read_having(
    const struct model *model, const struct world *world, struct having *having)
{
	*having = (struct having){0};
	for (unsigned i = 0; i < GATEWAYS; i++) {
		const struct gw_address *addresses;
		char name[] = {'g', (char)('0' + i)};
		uint32_t count =
		    gw_state_addresses(world->state, kind_of(model, i),
		        SLICE("default"), slice_make(name, 2), &addresses);

		for (uint32_t j = 0; j < count; j++) {
			struct addr_ip ip;

			assert_true(addr_ip_parse(addresses[j].text, &ip));
			having->bits[i] |= UINT32_C(1)
			    << ((unsigned)(ip.number & 15) +
			           (ip.family == 6 ? 16 : 0));
		}
	}
}

/* has: what its status says that it has. */
static void
put(struct world *world, const struct text *yaml, enum gw_kind kind,
    uint32_t has)
{
	bool gateway = kind == GW_GATEWAY;
	struct gw_object *object;
	struct text told;

	if (yaml->length == 0)
		return;
	text_init(&told);
	text_push(&told, slice_make(yaml->data, yaml->length));
	if (has > 0)
		text_push_string(&told,
		    gateway ? "status:\n  addresses:\n"
		            : "status:\n  loadBalancer:\n    ingress:\n");
	for (unsigned i = 0; i < 32; i++)
		if (has >> i & 1)
			text_printf(&told,
			    i < 16 ? "    - {%s: '10.0.0.%u'}\n"
			           : "    - {%s: 'fd00::%x'}\n",
			    gateway ? "type: IPAddress, value" : "ip", i & 15);
	object = world_object(text_slice(&told));
	world_put(world, &object);
	text_fini(&told);
}

/* Another process, which reads all of it, in whatever order. */
static void
start_anew(struct model *model, const struct gw_options *options,
    const struct having *having, struct having *anew)
{
	struct world world;
	unsigned first = random_below(&model->random, GATEWAYS);
	bool pools_first = random_below(&model->random, 2) == 0;

	world_init(&world, options);
	for (unsigned i = 0; pools_first && i < POOLS; i++)
		put(&world, &model->pools[i], GW_IPADDRESSPOOL, 0);
	for (unsigned i = 0; i < GATEWAYS; i++) {
		unsigned at = (first + i) % GATEWAYS;

		put(&world, &model->gateways[at], kind_of(model, at),
		    having->bits[at]);
	}
	for (unsigned i = 0; !pools_first && i < POOLS; i++)
		put(&world, &model->pools[i], GW_IPADDRESSPOOL, 0);
	world_reconcile(&world);
	read_having(model, &world, anew);
	world_fini(&world);
}

/* An address of two is one that both name, each by itself, on one host, or that
 * both share by a key. */
static void
expect_apart(const struct model *model, const struct gw_options *options,
    const struct having *having)
{
	bool host = options->addressing == GW_ADDRESSING_HOST;

	for (unsigned i = 0; i < GATEWAYS; i++)
		for (unsigned j = 0; j < i; j++)
			assert_true((having->bits[i] & having->bits[j]) == 0 ||
			    (model->shares[i] && model->shares[j]) ||
			    (host && model->names[i] && model->names[j]));
}

static bool
must_have_both(const struct model *model, unsigned at)
{
	return model->gateways[at].length > 0 &&
	    strstr(model->gateways[at].data, "RequireDualStack") != NULL;
}

static bool
has_both(uint32_t bits)
{
	return (bits & UINT16_MAX) != 0 && bits >> 16 != 0;
}

static void
step(struct model *model, struct world *world, const struct gw_options *options,
    struct having *having)
{
	struct having before = *having, anew;
	unsigned at = random_below(&model->random, GATEWAYS + 1);
	struct text *yaml = at < GATEWAYS
	    ? &model->gateways[at]
	    : &model->pools[random_below(&model->random, POOLS)];
	struct gw_object *object =
	    yaml->length > 0 ? world_object(text_slice(yaml)) : NULL;

	if (at < GATEWAYS && kind_of(model, at) == GW_SERVICE)
		make_service(model, at);
	else if (at < GATEWAYS)
		make_gateway(model, at);
	else
		make_pool(model, (unsigned)(yaml - model->pools));
	if (yaml->length == 0 && object)
		world_remove(world, object);
	put(world, yaml, GW_IPADDRESSPOOL, 0);
	world_reconcile(world);
	read_having(model, world, having);
	if (object)
		gw_object_free(&object);
	expect_apart(model, options, having);
	/* Another Gateway's change takes nothing away, but what both shared
	 * before and only one can have now, and from who must have two what it
	 * had alone. */
	for (unsigned i = 0; at < GATEWAYS && i < GATEWAYS; i++)
		assert_true(i == at ||
		    (must_have_both(model, i) && has_both(having->bits[i]) &&
		        !has_both(before.bits[i])) ||
		    (before.bits[i] & ~having->bits[i] & ~before.bits[at]) ==
		        0);
	start_anew(model, options, having, &anew);
	assert_memory_equal(having, &anew, sizeof(anew));
}

static void
run_history(uint64_t seed)
{
	const struct gw_options options = {
	    .namespaces_implied = true,
	    .addressing = seed % 2 ? GW_ADDRESSING_CLUSTER : GW_ADDRESSING_HOST,
	};
	struct model *model = memory_zero(1, sizeof(*model));
	struct having having = {0};
	struct world world;

	random_init_seed(&model->random, seed);
	model->has_services = seed % 2;
	world_init(&world, &options);
	make_pool(model, 0);
	put(&world, &model->pools[0], GW_IPADDRESSPOOL, 0);
	for (unsigned i = 0; i < STEPS; i++)
		step(model, &world, &options, &having);
	world_fini(&world);
	for (unsigned i = 0; i < POOLS; i++)
		text_fini(&model->pools[i]);
	for (unsigned i = 0; i < GATEWAYS; i++)
		text_fini(&model->gateways[i]);
	memory_free(model);
}

static void
histories(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= HISTORIES; seed++)
		run_history(seed);
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
	    cmocka_unit_test(histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
