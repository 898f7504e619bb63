/* Who gets which address, over thousands of random histories: no address is
 * ever two Gateways', nobody loses one without cause, and a process that starts
 * anew gives the same. */
#include "gw/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "addr/ip.h"
#include "core/memory.h"
#include "core/random.h"
#include "world.h"

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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
