/* Which addresses of a Gateway in a cluster are asked for, and what its status
 * says of those that answer and those that do not, yet. */
#include "gw/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "world.h"

#define GATEWAY(status) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: Gateway\n" \
	"metadata: {name: web}\n" \
	"spec: {gatewayClassName: yumen, " \
	"listeners: [{name: http, protocol: HTTP, port: 80}]}\n" status \
	"---\n"
#define TOLD(addresses) "status: {addresses: [" addresses "]}\n"
#define SERVICE(spec, ingress) \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: web-yumen}\n" \
	"spec: {" spec "}\n" \
	"status: {loadBalancer: {ingress: [" ingress "]}}\n---\n"
#define PORTS \
	"ports: [{name: u, protocol: UDP, port: 53, nodePort: 30053}, " \
	"{name: a, protocol: TCP, port: 80, nodePort: 30080}, " \
	"{name: b, port: 443, nodePort: 30443}]"
#define BALANCED "type: LoadBalancer, clusterIP: 10.96.0.1, " PORTS
#define POD(ready) \
	"apiVersion: discovery.k8s.io/v1\n" \
	"kind: EndpointSlice\n" \
	"metadata: {name: web-yumen-x, " \
	"labels: {kubernetes.io/service-name: web-yumen}}\n" \
	"addressType: IPv4\n" \
	"endpoints: [{addresses: [10.0.0.1], conditions: {ready: " ready \
	"}}]\n---\n"
#define ONE "{ip: 192.0.2.1}"
#define TWO ONE ", {ip: \"2001:db8::1\"}"

static struct world world;

static int
set_up(void **state)
{
	static const struct gw_fleet_options fleet = {
	    .namespace = SLICE("yumen-system"),
	    .service = SLICE("yumen-controller"),
	    .port = 1,
	    .image = SLICE("yumen"),
	    .balancer_class = SLICE(GW_BALANCER_CLASS),
	};
	const struct gw_options options = {
	    .namespaces_implied = true,
	    .addressing = GW_ADDRESSING_CLUSTER,
	    .fleet = &fleet,
	};

	(void)state;
	world_init(&world, &options);
	gw_state_fleet_bundle(world.state, SLICE("bundle"));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	world_fini(&world);
	return 0;
}

static void
print_asked(void *context, const struct gw_unproven *asked)
{
	struct text *out = context;

	text_printf(out, "%.*s%s", SLICE_ARGS(asked->gateway),
	    asked->alone ? " alone" : "");
	for (uint32_t i = 0; i < asked->address_count; i++)
		text_printf(out, " %.*s", SLICE_ARGS(asked->addresses[i]));
	text_push_string(out, " at");
	for (uint32_t i = 0; i < asked->port_count; i++)
		text_printf(out, " %u", asked->ports[i]);
}

static void
expect_asked(const char *want)
{
	struct text text;

	text_init(&text);
	gw_state_each_unproven(world.state, print_asked, &text);
	assert_string_equal(text.length > 0 ? text.data : "", want);
	text_fini(&text);
}

/* Its addresses, and whether it is programmed. */
static void
expect_status(bool one, bool two, const char *programmed)
{
	struct slice status = world_status(&world, "Gateway default/web");

	assert_int_equal(world_has(status, "address IPAddress 192.0.2.1"), one);
	assert_int_equal(
	    world_has(status, "address IPAddress 2001:db8::1"), two);
	assert_true(world_has(status, programmed));
}

static void
answered(const char *address)
{
	gw_state_report_answer(
	    world.state, SLICE("default/web"), slice_from_string(address));
	world_reconcile(&world);
}

#define POOL(ranges) \
	"apiVersion: metallb.io/v1beta1\n" \
	"kind: IPAddressPool\n" \
	"metadata: {name: p, namespace: metallb-system}\n" \
	"spec: {addresses: [" ranges "]}\n---\n" \
	"apiVersion: metallb.io/v1beta1\n" \
	"kind: L2Advertisement\n" \
	"metadata: {name: p, namespace: metallb-system}\n---\n"
#define ASKS(addresses) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: Gateway\n" \
	"metadata: {name: web}\n" \
	"spec: {gatewayClassName: yumen, addresses: [" addresses "], " \
	"listeners: [{name: http, protocol: HTTP, port: 80}]}\n---\n"
#define FAMILIES(policy, families) \
	SERVICE("type: LoadBalancer, loadBalancerClass: " GW_BALANCER_CLASS \
	        ", ipFamilyPolicy: " policy ", ipFamilies: [" families \
	        "], " PORTS, \
	    "")

static void
expect_given(const char *want)
{
	const struct gw_address *addresses;
	uint32_t count = gw_state_addresses(world.state, GW_GATEWAY,
	    SLICE("default"), SLICE("web"), &addresses);
	struct text text;

	text_init(&text);
	for (uint32_t i = 0; i < count; i++)
		text_printf(&text, "%s%.*s", i > 0 ? " " : "",
		    SLICE_ARGS(addresses[i].text));
	assert_string_equal(text.length > 0 ? text.data : "", want);
	text_fini(&text);
}

/* May any node announce the address of IPv6? */
static bool
is_announced(void)
{
	struct slice claim = world_unit(&world, "claim/2001:db8::1");

	return slice_is_set(claim) && !world_has(claim, "restricted: true");
}

static void
its_families(void **state)
{
	(void)state;
	world_apply(&world,
	    POOL("192.0.2.0/30, '2001:db8::/126'")
	        ASKS("{type: IPAddress}, {type: IPAddress}"));
	expect_given("192.0.2.0 2001:db8::1");
	/* of an older yumen, which the next one makes one of both: nothing is
	 * taken away, and nothing leads to the second yet */
	world_apply(&world, FAMILIES("SingleStack", "IPv4"));
	expect_given("192.0.2.0 2001:db8::1");
	assert_false(is_announced());
	world_apply(&world, FAMILIES("PreferDualStack", "IPv4, IPv6"));
	expect_given("192.0.2.0 2001:db8::1");
	assert_true(is_announced());
	/* a cluster of one */
	world_apply(&world, FAMILIES("PreferDualStack", "IPv4"));
	expect_given("192.0.2.0");
	assert_false(slice_is_set(world_unit(&world, "claim/2001:db8::1")));
	world_apply(&world, ASKS("{value: '2001:db8::2'}"));
	expect_given("");
	assert_true(world_has(world_status(&world, "Gateway default/web"),
	    "Services of this cluster are of IPv4 alone"));
	world_apply(&world, POOL("'2001:db8::/126'") GATEWAY(""));
	expect_given("");
	assert_true(world_has(world_status(&world, "Gateway default/web"),
	    "no pool has addresses of IPv4"));
	world_apply(&world, FAMILIES("PreferDualStack", "IPv6"));
	expect_given("2001:db8::1");
}

#define PROXY(family) \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\n" \
	"kind: EnvoyProxy\n" \
	"metadata: {name: p}\n" \
	"spec: {ipFamily: " family "}\n---\n"
#define OF_PROXY(status) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: Gateway\n" \
	"metadata: {name: web}\n" \
	"spec: {gatewayClassName: yumen, infrastructure: {parametersRef: " \
	"{group: gateway.envoyproxy.io, kind: EnvoyProxy, name: p}}, " \
	"listeners: [{name: http, protocol: HTTP, port: 80}]}\n" status \
	"---\n"

/* What leads to its Service stays until that is what it shall become, which a
 * cluster may refuse for good. */
static void
other_families(void **state)
{
	(void)state;
	world_apply(&world,
	    POOL("192.0.2.0/30, '2001:db8::/126'") PROXY("IPv4") OF_PROXY(""));
	expect_given("192.0.2.0");
	world_apply(&world, FAMILIES("SingleStack", "IPv4"));
	world_apply(&world, PROXY("IPv6"));
	expect_given("192.0.2.0");
	world_apply(&world, PROXY("DualStack"));
	expect_given("192.0.2.0");
	world_apply(&world, FAMILIES("RequireDualStack", "IPv4, IPv6"));
	expect_given("192.0.2.0 2001:db8::1");
	world_apply(&world, PROXY("IPv6"));
	expect_given("192.0.2.0 2001:db8::1");
	assert_true(is_announced());
	world_apply(&world, FAMILIES("SingleStack", "IPv6"));
	expect_given("2001:db8::1");
	/* one that is to come is what is asked for */
	gw_state_remove(
	    world.state, GW_SERVICE, SLICE("default"), SLICE("web-yumen"));
	world_apply(&world, PROXY("IPv4"));
	expect_given("192.0.2.0");
	/* nor does another controller take it away */
	world_fini(&world);
	set_up(NULL);
	world_apply(&world,
	    POOL("192.0.2.0/30, '2001:db8::/126'") PROXY("IPv6") OF_PROXY(
	        TOLD("{value: 192.0.2.3}")) FAMILIES("SingleStack", "IPv4"));
	expect_given("192.0.2.3");
}

#define SHARER(name, port) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: Gateway\n" \
	"metadata: {name: " name "}\n" \
	"spec:\n" \
	"  gatewayClassName: yumen\n" \
	"  infrastructure: {annotations: {metallb.io/allow-shared-ip: k}}\n" \
	"  listeners: [{name: http, protocol: HTTP, port: " port \
	"}]\n" TOLD("{value: '2001:db8::1'}") "---\n"
#define SHARERS(name, families) \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: " name "-yumen}\n" \
	"spec: {type: LoadBalancer, " \
	"loadBalancerClass: " GW_BALANCER_CLASS ", " \
	"ipFamilyPolicy: SingleStack, ipFamilies: [" families "], " PORTS \
	"}\nstatus: {loadBalancer: {ingress: [{ip: '2001:db8::1'}]}}\n---\n"
#define LACKS "the Service has none of its family"

static bool
is_told(const char *gateway)
{
	return world_has(world_status(&world, gateway), LACKS);
}

/* Who shares an address of a family that its Service has not silences nobody
 * else there. */
static void
shared_families(void **state)
{
	(void)state;
	world_apply(&world,
	    POOL("'2001:db8::/126'") SHARER("a", "80") SHARER("b", "81"));
	world_apply(&world, SHARERS("a", "IPv6") SHARERS("b", "IPv4"));
	assert_true(world_has(
	    world_unit(&world, "claim/2001:db8::1"), "Gateway/default/b"));
	assert_true(is_announced());
	assert_false(is_told("Gateway default/a"));
	assert_true(is_told("Gateway default/b"));
	world_apply(&world, SHARERS("a", "IPv4") SHARERS("b", "IPv6"));
	assert_true(is_announced());
	assert_true(is_told("Gateway default/a"));
	assert_false(is_told("Gateway default/b"));
	world_apply(&world, SHARERS("b", "IPv4"));
	assert_false(is_announced());
	assert_true(is_told("Gateway default/a"));
	assert_true(is_told("Gateway default/b"));
}

static void
a_first_address(void **state)
{
	(void)state;
	world_apply(&world, GATEWAY("") SERVICE(BALANCED, ONE) POD("false"));
	expect_asked("");
	expect_status(false, false, "Programmed=False Pending");
	world_apply(&world, POD("true"));
	expect_asked("default/web alone 192.0.2.1 at 80 443");
	/* what will be true when it answers */
	expect_status(true, false, "Programmed=True");
	answered("192.0.2.1");
	expect_asked("");
	assert_int_equal(world.changes, 0);
	/* told, it is not asked for again, whatever becomes of pods */
	world_apply(&world, GATEWAY(TOLD("{value: 192.0.2.1}")) POD("false"));
	world_apply(&world, POD("true"));
	expect_asked("");
	expect_status(true, false, "Programmed=True");
	/* nor by another controller */
	world_fini(&world);
	set_up(NULL);
	world_apply(&world,
	    GATEWAY(TOLD("{value: 192.0.2.1}")) SERVICE(BALANCED, ONE)
	        POD("true"));
	expect_asked("");
}

/* What is known to answer does not wait for another. */
static void
a_second_address(void **state)
{
	(void)state;
	world_apply(&world,
	    GATEWAY(TOLD("{value: 192.0.2.1}")) SERVICE(BALANCED, TWO)
	        POD("true"));
	expect_asked("default/web 2001:db8::1 at 80 443");
	expect_status(true, false, "Programmed=True");
	answered("2001:db8::1");
	expect_asked("");
	expect_status(true, true, "Programmed=True");
	world_apply(&world, GATEWAY(""));
	expect_asked("default/web 192.0.2.1 at 80 443");
	expect_status(false, true, "Programmed=True");
}

/* Pods that went before it was told are others when they come back. */
static void
an_answer_is_of_pods(void **state)
{
	(void)state;
	world_apply(&world, GATEWAY("") SERVICE(BALANCED, TWO) POD("true"));
	expect_asked("default/web alone 192.0.2.1 2001:db8::1 at 80 443");
	expect_status(true, true, "Programmed=True");
	answered("192.0.2.1");
	expect_asked("default/web 2001:db8::1 at 80 443");
	expect_status(true, false, "Programmed=True");
	world_apply(&world, POD("false"));
	expect_asked("");
	expect_status(false, false, "Programmed=False Pending");
	world_apply(&world, POD("true"));
	expect_asked("default/web alone 192.0.2.1 2001:db8::1 at 80 443");
	/* its Service loses one */
	answered("192.0.2.1");
	world_apply(&world, SERVICE(BALANCED, "{ip: \"2001:db8::1\"}"));
	expect_asked("default/web alone 2001:db8::1 at 80 443");
	world_apply(&world, SERVICE(BALANCED, TWO));
	expect_asked("default/web alone 192.0.2.1 2001:db8::1 at 80 443");
	/* words about who is not there */
	gw_state_report_answer(
	    world.state, SLICE("default/none"), SLICE("192.0.2.1"));
	gw_state_report_answer(world.state, SLICE("web"), SLICE("192.0.2.1"));
	world_reconcile(&world);
	expect_asked("default/web alone 192.0.2.1 2001:db8::1 at 80 443");
	/* and it goes itself */
	gw_state_remove(
	    world.state, GW_GATEWAY, SLICE("default"), SLICE("web"));
	world_reconcile(&world);
	expect_asked("");
}

/* Names, and what has no port of TCP: as soon as a pod is ready. */
static void
what_cannot_be_asked_for(void **state)
{
	(void)state;
	world_apply(&world,
	    GATEWAY("") SERVICE(BALANCED, "{hostname: web.test}, " ONE)
	        POD("true"));
	expect_asked("default/web alone 192.0.2.1 at 80 443");
	assert_true(world_has(world_status(&world, "Gateway default/web"),
	    "address Hostname web.test"));
	expect_status(true, false, "Programmed=True");
	world_apply(&world, SERVICE(BALANCED, "{hostname: web.test}"));
	expect_asked("");
	expect_status(false, false, "Programmed=True");
	world_apply(&world,
	    SERVICE("type: LoadBalancer, clusterIP: 10.96.0.1, "
	            "ports: [{protocol: UDP, port: 53}]",
	        ONE));
	expect_asked("");
	expect_status(true, false, "Programmed=True");
}

/* Where there is no load balancer. */
static void
other_services(void **state)
{
	(void)state;
	world_apply(&world,
	    GATEWAY("") SERVICE(
	        "type: ClusterIP, clusterIP: 192.0.2.1, ports: [{port: 80}]",
	        "") POD("true"));
	expect_asked("default/web alone 192.0.2.1 at 80");
	world_apply(&world,
	    "apiVersion: v1\nkind: Node\nmetadata: {name: node}\n"
	    "status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n"
	    "---\n" SERVICE(
	        "type: NodePort, clusterIP: 10.96.0.1, " PORTS, ""));
	expect_asked("default/web alone 192.0.2.1 at 30080 30443");
	expect_status(true, false, "Programmed=True");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
	    TEST(a_first_address),
	    TEST(a_second_address),
	    TEST(an_answer_is_of_pods),
	    TEST(what_cannot_be_asked_for),
	    TEST(other_services),
	    TEST(its_families),
	    TEST(other_families),
	    TEST(shared_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
