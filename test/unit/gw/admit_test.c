#include "gw/admit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "world.h"

#define ROUTE(metadata, spec) \
	"apiVersion: gateway.networking.k8s.io/v1\n" \
	"kind: HTTPRoute\n" \
	"metadata: {name: web, " metadata "}\n" \
	"spec: {" spec "}\n"

static struct gw_object *
admit(const char *yaml)
{
	return world_object(slice_from_string(yaml));
}

static void
objects_are_filled_in(void **unused)
{
	struct gw_object *object =
	    admit(ROUTE("creationTimestamp: \"1970-01-02T00:00:01Z\"", ""));

	(void)unused;
	assert_int_equal(object->kind, GW_HTTPROUTE);
	assert_true(slice_equal(object->namespace, SLICE("default")));
	assert_true(slice_equal(object->name, SLICE("web")));
	assert_int_equal(object->created, 86401);
	assert_int_equal(object->generation, 1);
	assert_true(
	    slice_equal(gw_file_path(object->source.file), SLICE("test.yaml")));
	assert_int_equal(object->source.line, 1);
	assert_int_equal(object->source.column, 1);
	gw_object_free(&object);
	assert_null(object);

	object = admit("apiVersion: v1\nkind: Namespace\n"
	               "metadata: {name: a, namespace: b}\n");
	assert_int_equal(object->namespace.length, 0);
	gw_object_free(&object);
}

/* Only what reconcile reads changes a digest, and only the spec its own. */
static void
digests(void **unused)
{
	static const struct {
		const char *yaml;
		bool same, same_spec;
	} rows[] = {
	    {ROUTE("annotations: {a: b}", ""), true, true},
	    {ROUTE("resourceVersion: \"5\", uid: x", ""), true, true},
	    {ROUTE("managedFields: [{a: b}]", ""), true, true},
	    {ROUTE("labels: {a: b}", ""), false, true},
	    {ROUTE("generation: 2", ""), false, true},
	    {ROUTE("namespace: default", ""), false, true},
	    {ROUTE("", "parentRefs: [{name: eg}]"), false, false},
	    {ROUTE("", "rules: [{name: a}]"), false, false},
	    /* what a cluster fills in */
	    {ROUTE("", "rules: [{}]"), true, true},
	};
	struct gw_object *plain = admit(ROUTE("", ""));

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gw_object *other = admit(rows[i].yaml);

		assert_int_equal(plain->digest == other->digest, rows[i].same);
		assert_int_equal(plain->spec_digest == other->spec_digest,
		    rows[i].same_spec);
		gw_object_free(&other);
	}
	gw_object_free(&plain);

	/* A default that is written out says nothing new. */
	struct gw_object *a = admit(ROUTE("", "parentRefs: [{name: eg}]"));
	struct gw_object *b =
	    admit(ROUTE("", "parentRefs: [{kind: Gateway, name: eg}]"));

	assert_true(a->digest == b->digest);
	gw_object_free(&a);
	gw_object_free(&b);
}

/* An EndpointSlice has no field called spec. */
static void
digests_without_spec(void **unused)
{
	static const char slice[] =
	    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	    "metadata: {name: a}\naddressType: IPv4\nports: []\n"
	    "endpoints: [{addresses: [10.0.0.1]}]\n";
	static const char other[] =
	    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	    "metadata: {name: a}\naddressType: IPv4\nports: []\n"
	    "endpoints: [{addresses: [10.0.0.2]}]\n";
	struct gw_object *a = admit(slice), *b = admit(other);

	(void)unused;
	assert_false(a->spec_digest == b->spec_digest);
	gw_object_free(&a);
	gw_object_free(&b);
}

static void
generations_count_specs(void **unused)
{
	struct gw_object *first = admit(ROUTE("", ""));
	struct gw_object *same = admit(ROUTE("labels: {a: b}", ""));
	struct gw_object *changed = admit(ROUTE("", "rules: [{name: a}]"));
	struct gw_object *told =
	    admit(ROUTE("generation: 7", "rules: [{name: a}]"));
	struct gw_object *after = admit(ROUTE("", ""));

	(void)unused;
	gw_object_succeed(first, NULL);
	assert_int_equal(first->generation, 1);
	gw_object_succeed(same, first);
	assert_int_equal(same->generation, 1);
	gw_object_succeed(changed, same);
	assert_int_equal(changed->generation, 2);
	gw_object_succeed(told, changed);
	assert_int_equal(told->generation, 7);
	gw_object_succeed(after, told);
	assert_int_equal(after->generation, 8);
	gw_object_free(&first);
	gw_object_free(&same);
	gw_object_free(&changed);
	gw_object_free(&told);
	gw_object_free(&after);
}

static void
nobody_needs_to_listen(void **unused)
{
	struct world world;

	(void)unused;
	world_init(&world, NULL);
	struct world_objects objects =
	    world_admit(&world, SLICE("kind: HTTPRoute\n"));

	assert_int_equal(objects.count, 0);
	assert_true(world_has(text_slice(&world.findings), "YM0102 error 1:1"));
	world_objects_fini(&objects);

	struct tree_node text = {.kind = TREE_TEXT};
	struct arena arena;

	arena_init(&arena, 256);
	assert_null(gw_admit(&text, &arena, NULL, NULL, NULL));
	arena_fini(&arena);
	world_fini(&world);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects_are_filled_in),
	    cmocka_unit_test(digests),
	    cmocka_unit_test(digests_without_spec),
	    cmocka_unit_test(generations_count_specs),
	    cmocka_unit_test(nobody_needs_to_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
