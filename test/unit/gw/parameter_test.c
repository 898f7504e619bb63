/* The rows of gw/parameter.def say what becomes of each field that EnvoyProxies
 * have, and of no other. */
#include "gw/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "wire/tree_json.h"

static const char *const rows[] = {
#define GW_PARAMETER(path, what) path,
#define GW_PARAMETER_IGNORED(path, why) path,
#include "gw/parameter.def"
#undef GW_PARAMETER
#undef GW_PARAMETER_IGNORED
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct world {
	struct arena arena;
	struct tree_node *spec; /* its JSON Schema */
};

static int
set_up(void **state)
{
	static struct world world;
	struct gw_schema schema;
	struct text json;

	arena_init(&world.arena, 65536);
	text_init(&json);
	assert_true(gw_schema_find(SLICE("gateway.envoyproxy.io"),
	    SLICE("v1alpha1"), SLICE("EnvoyProxy"), &schema));
	gw_schema_write(&json, &schema);
	world.spec = wire_tree_member(
	    wire_tree_member(
	        wire_tree_from_json(
	            arena_copy(&world.arena, text_slice(&json)), &world.arena),
	        "properties", TREE_MAP),
	    "spec", TREE_MAP);
	assert_non_null(world.spec);
	text_fini(&json);
	*state = &world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	arena_fini(&world->arena);
	return 0;
}

static bool
is_below(struct slice path, struct slice other)
{
	return path.length > other.length && slice_starts_with(path, other) &&
	    path.data[other.length] == '.';
}

/* A field that has none itself is said by a row, or by one above it. */
static void
check_fields(struct world *world, struct tree_node *schema, struct slice path)
{
	const struct tree_node *fields =
	    wire_tree_member(schema, "properties", TREE_MAP);
	bool opened = path.length == 0;

	for (size_t i = 0; i < ROWS; i++) {
		struct slice row = slice_from_string(rows[i]);

		if (slice_equal(row, path) || is_below(path, row))
			return;
		opened = opened || is_below(row, path);
	}
	if (!opened || !fields)
		fail_msg(
		    "no row says what becomes of spec.%.*s", SLICE_ARGS(path));
	for (struct tree_node *at = fields->child; at; at = at->next)
		check_fields(world, at,
		    arena_format(&world->arena, "%.*s%s%.*s", SLICE_ARGS(path),
		        path.length > 0 ? "." : "", SLICE_ARGS(at->key)));
}

static void
each_field_has_a_row(void **state)
{
	struct world *world = *state;

	check_fields(world, world->spec, SLICE(""));
}

static struct tree_node *
field(struct tree_node *schema, struct slice name)
{
	struct tree_node *fields =
	    wire_tree_member(schema, "properties", TREE_MAP);
	struct tree_node *at = fields ? fields->child : NULL;

	while (at && !slice_equal(at->key, name))
		at = at->next;
	/* A map of any keys. */
	return at ? at
	          : wire_tree_member(schema, "additionalProperties", TREE_MAP);
}

static void
each_row_has_a_field(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ROWS; i++) {
		struct tree_node *at = world->spec;
		struct slice rest = slice_from_string(rows[i]), name;

		while (at && slice_cut(&rest, '.', &name))
			at = field(at, name);
		if (!at)
			fail_msg("there is no spec.%s", rows[i]);
	}
}

static void
each_row_is_one(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ROWS; i++)
		for (size_t j = 0; j < ROWS; j++)
			if (i != j)
				assert_string_not_equal(rows[i], rows[j]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        each_field_has_a_row, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
	        each_row_has_a_field, set_up, tear_down),
	    cmocka_unit_test(each_row_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
