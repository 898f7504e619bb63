/* What a change costs and tells. */
#include "gw/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "world.h"

#define GATEWAY(name, rest) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: Gateway\n" \
	"metadata: {name: " name "}\n" \
	"spec: {gatewayClassName: yumen, " rest "}\n---\n"
#define ROUTE(name, rest) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: HTTPRoute\n" \
	"metadata: {name: " name "}\n" \
	"spec: {parentRefs: [{name: eg}], " rest "}\n---\n"
#define SERVICE(name, port) \
	"apiVersion: v1\n" \
	"kind: Service\n" \
	"metadata: {name: " name "}\n" \
	"spec: {ports: [{port: " port "}]}\n---\n"
#define SLICE_OF(service, address) \
	"apiVersion: discovery.k8s.io/v1\n" \
	"kind: EndpointSlice\n" \
	"metadata: {name: " service "-1, " \
	"labels: {kubernetes.io/service-name: " service "}}\n" \
	"addressType: IPv4\n" \
	"ports: [{port: 8080}]\n" \
	"endpoints: [{addresses: [" address "]}]\n---\n"
#define HTTP "listeners: [{name: http, protocol: HTTP, port: 80}]"
#define TO(service) "rules: [{backendRefs: [{name: " service ", port: 80}]}]"

#define AUTHORITIES(name, bundle) \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\n" \
	"data: {ca.crt: \"" bundle "\"}\n---\n"
#define POLICY(name, service, authorities) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: BackendTLSPolicy\n" \
	"metadata: {name: " name "}\n" \
	"spec:\n" \
	"  targetRefs: [{group: '', kind: Service, name: " service "}]\n" \
	"  validation:\n" \
	"    hostname: a.example\n" \
	"    caCertificateRefs:\n" \
	"    - {group: '', kind: ConfigMap, name: " authorities "}\n---\n"

static void
remove_object(struct world *world, const char *yaml)
{
	struct gw_object *object = world_object(slice_from_string(yaml));

	world_remove(world, object);
	world_reconcile(world);
	gw_object_free(&object);
}

static void
a_change_tells_what_differs(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, NULL);
	world_apply(&world,
	    GATEWAY("eg", HTTP) ROUTE("a", TO("a")) ROUTE("b", TO("b"))
	        SERVICE("a", "80") SLICE_OF("a", "10.0.0.1"));
	/* listener, two routes, service, slice; Gateway, two routes */
	assert_int_equal(world.changes, 8);
	world_reconcile(&world);
	assert_int_equal(world.changes, 0);

	/* the same again */
	world_apply(&world, ROUTE("a", TO("a")) SERVICE("a", "80"));
	assert_int_equal(world.changes, 0);
	/* one route's unit, its status is the same */
	world_apply(&world, ROUTE("a", "hostnames: [a.example], " TO("a")));
	assert_int_equal(world.changes, 1);
	/* the slice alone */
	world_apply(&world, SLICE_OF("a", "10.0.0.2"));
	assert_int_equal(world.changes, 1);
	/* a Service comes: it, and the unit and status of its one route */
	world_apply(&world, SERVICE("b", "80"));
	assert_int_equal(world.changes, 3);
	/* a Service that nobody refers to */
	world_apply(&world, SERVICE("c", "80") SLICE_OF("c", "10.0.0.3"));
	assert_int_equal(world.changes, 0);
	/* one more route: unit, status, the Gateway's count, and c's units */
	world_apply(&world, ROUTE("c", TO("c")));
	assert_int_equal(world.changes, 5);
	remove_object(&world, ROUTE("c", TO("c")));
	assert_int_equal(world.changes, 4);
	assert_false(slice_is_set(world_unit(&world, "service/default/c")));
	world_fini(&world);
}

static void
a_policy_costs_what_hangs_on_it(void **unused)
{
	const struct gw_options options = {
	    .namespaces_implied = true, .carries = GW_CARRY_BACKEND_TLS};
	struct world world;

	(void)unused;
	world_init(&world, &options);
	world_apply(&world,
	    GATEWAY("eg", HTTP) ROUTE("a", TO("a")) ROUTE("b", TO("b"))
	        SERVICE("a", "80") SERVICE("b", "80")
	            AUTHORITIES("ca", AUTHORITY) AUTHORITIES("no", "no"));
	/* its Service and status, and the authority that it leads to */
	world_apply(&world, POLICY("p", "a", "ca"));
	assert_int_equal(world.changes, 3);
	/* the bundle alone */
	world_apply(&world, AUTHORITIES("ca", AUTHORITY AUTHORITY));
	assert_int_equal(world.changes, 1);
	/* what no policy refers to, and a policy that nothing leads to */
	world_apply(&world, AUTHORITIES("no", "none"));
	assert_int_equal(world.changes, 0);
	world_apply(&world, POLICY("q", "c", "ca"));
	assert_int_equal(world.changes, 1);
	/* broken: the authority and the Service go, the route tells why in its
	 * unit and status, and so do both policies */
	world_apply(&world, AUTHORITIES("ca", "broken"));
	assert_int_equal(world.changes, 6);
	assert_false(slice_is_set(world_unit(&world, "service/default/a")));
	/* healed: all of it comes back */
	world_apply(&world, AUTHORITIES("ca", AUTHORITY));
	assert_int_equal(world.changes, 6);
	/* one that loses says so, and nothing else changes */
	world_apply(&world, POLICY("z", "a", "ca"));
	assert_int_equal(world.changes, 1);
	/* the winner goes: its heir's status, for the Service is told the same
	 */
	remove_object(&world, POLICY("p", "a", "ca"));
	assert_int_equal(world.changes, 1);
	world_fini(&world);
}

static void
slices_follow_their_label(void **unused)
{
	static const char moved[] =
	    "apiVersion: discovery.k8s.io/v1\n"
	    "kind: EndpointSlice\n"
	    "metadata: {name: a-1, labels: {kubernetes.io/service-name: b}}\n"
	    "addressType: IPv4\nports: []\nendpoints: []\n";
	struct world world;

	(void)unused;
	world_init(&world, NULL);
	world_apply(&world,
	    GATEWAY("eg", HTTP) ROUTE("a", TO("a")) SERVICE("a", "80")
	        SERVICE("b", "80") SLICE_OF("a", "10.0.0.1"));
	assert_true(world_has(
	    world_unit(&world, "endpoints/default/a-1"), "service/default/a"));
	world_apply(&world, moved);
	assert_false(slice_is_set(world_unit(&world, "endpoints/default/a-1")));
	world_apply(&world, ROUTE("a", TO("b")));
	assert_true(world_has(
	    world_unit(&world, "endpoints/default/a-1"), "service/default/b"));
	remove_object(&world, SERVICE("b", "80"));
	assert_false(slice_is_set(world_unit(&world, "endpoints/default/a-1")));
	world_fini(&world);
}

static void
reports_are_of_the_present_unit(void **unused)
{
	const struct slice unit = SLICE("listener/default/eg/http");
	struct world world;

	(void)unused;
	world_init(&world, NULL);
	world_apply(&world, GATEWAY("eg", HTTP));
	gw_state_report(world.state, unit, ERROR_IN_USE, SLICE("nginx has it"));
	world_reconcile(&world);
	assert_int_equal(world.changes, 1);
	assert_true(world_has(world_status(&world, "Gateway default/eg"),
	    "Programmed=False PortUnavailable @1: listener \"http\": nginx has "
	    "it"));
	/* said again, nothing is told */
	gw_state_report(world.state, unit, ERROR_IN_USE, SLICE("nginx has it"));
	world_reconcile(&world);
	assert_int_equal(world.changes, 0);
	/* another port is another matter */
	world_apply(&world,
	    GATEWAY(
	        "eg", "listeners: [{name: http, protocol: HTTP, port: 81}]"));
	assert_false(world_has(
	    world_status(&world, "Gateway default/eg"), "Programmed=False"));
	gw_state_report_refused(world.state, unit, SLICE("no"));
	world_reconcile(&world);
	assert_true(world_has(world_status(&world, "Gateway default/eg"),
	    "Programmed=False Invalid"));
	gw_state_report_refused(world.state, unit, SLICE_NONE);
	gw_state_report(world.state, unit, ERROR_OK, SLICE_NONE);
	world_reconcile(&world);
	assert_false(world_has(
	    world_status(&world, "Gateway default/eg"), "Programmed=False"));
	/* of what is not there, and of odd names */
	gw_state_report(
	    world.state, SLICE("listener/x/y/z"), ERROR_DENIED, SLICE_NONE);
	gw_state_report_refused(world.state, SLICE("route"), SLICE("no"));
	gw_state_report_refused(world.state, SLICE(""), SLICE("no"));
	gw_state_report_refused(
	    world.state, SLICE("service/default/a"), SLICE("no"));
	world_reconcile(&world);
	assert_int_equal(world.changes, 0);
	world_fini(&world);
}

static void
classes_come_and_go(void **unused)
{
	static const char class[] =
	    "apiVersion: gateway.networking.k8s.io/v1\n"
	    "kind: GatewayClass\n"
	    "metadata: {name: yumen}\n"
	    "spec: {controllerName: yumen.dev/gateway-controller}\n";
	static const char foreign[] =
	    "apiVersion: gateway.networking.k8s.io/v1\n"
	    "kind: GatewayClass\n"
	    "metadata: {name: yumen}\n"
	    "spec: {controllerName: example.com/other}\n";
	const struct slice name = SLICE("yumen.dev/gateway-controller");
	const struct gw_options options = {
	    .controller_names = &name, .controller_name_count = 1};
	struct world world;

	(void)unused;
	world_init(&world, &options);
	world_apply(&world, class);
	world_apply(&world, GATEWAY("eg", HTTP) ROUTE("a", TO("a")));
	assert_true(slice_is_set(world_status(&world, "Gateway default/eg")));
	world_apply(&world, foreign);
	/* taken back: class, Gateway; the route has no parent any more */
	assert_false(slice_is_set(world_status(&world, "Gateway default/eg")));
	assert_false(slice_is_set(world_status(&world, "GatewayClass yumen")));
	assert_false(
	    slice_is_set(world_unit(&world, "route/HTTPRoute/default/a")));
	assert_int_equal(world_status(&world, "HTTPRoute default/a").length, 0);
	remove_object(&world, foreign);
	/* the built-in one */
	assert_true(slice_is_set(world_status(&world, "Gateway default/eg")));
	world_fini(&world);
}

static bool
gather(void *context, const struct gw_object *object)
{
	struct text *out = context;

	text_printf(out, "%.*s/%.*s ", SLICE_ARGS(object->namespace),
	    SLICE_ARGS(object->name));
	return !slice_equal(object->name, SLICE("stop"));
}

static void
objects_are_found_in_order(void **unused)
{
	static const char *const metadata[] = {"{name: b, namespace: a}",
	    "{name: a, namespace: a-b}", "{name: a, namespace: a}",
	    "{name: stop, namespace: b}", "{name: z, namespace: z}"};
	struct world world;
	struct text text;

	(void)unused;
	world_init(&world, NULL);
	text_init(&text);
	for (size_t i = 0; i < sizeof(metadata) / sizeof(metadata[0]); i++) {
		text_reset(&text);
		text_printf(&text,
		    "apiVersion: v1\nkind: Service\nmetadata: %s\n"
		    "spec: {ports: [{port: 80}]}\n",
		    metadata[i]);
		world_apply(&world, text.data);
	}
	text_reset(&text);
	gw_state_each(world.state, GW_SERVICE, gather, &text);
	assert_string_equal(text.data, "a/a a/b a-b/a b/stop ");
	text_fini(&text);

	const struct gw_object *object =
	    gw_state_get(world.state, GW_SERVICE, SLICE("a"), SLICE("b"));

	assert_non_null(object);
	assert_true(slice_equal(object->name, SLICE("b")));
	assert_null(
	    gw_state_get(world.state, GW_SERVICE, SLICE("a"), SLICE("x")));
	assert_null(
	    gw_state_get(world.state, GW_GATEWAY, SLICE("a"), SLICE("b")));
	gw_state_remove(world.state, GW_SERVICE, SLICE("a"), SLICE("x"));
	world_fini(&world);
}
int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_change_tells_what_differs),
	    cmocka_unit_test(a_policy_costs_what_hangs_on_it),
	    cmocka_unit_test(slices_follow_their_label),
	    cmocka_unit_test(reports_are_of_the_present_unit),
	    cmocka_unit_test(classes_come_and_go),
	    cmocka_unit_test(objects_are_found_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
