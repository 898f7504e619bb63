/* Each CEL rule's check, on values that it takes and values that it refuses. */
#include "gw/cel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "gw/cel_priv.h"

struct row {
	enum gw_cel rule;
	const char *name, *yaml;
	bool holds;
};

static const struct row rows[] = {
#define HOLDS(name, yaml) {GW_CEL_##name, #name, yaml, true},
#define BREAKS(name, yaml) {GW_CEL_##name, #name, yaml, false},
#include "cel_case.def"
#undef HOLDS
#undef BREAKS
};

static bool
on_document(void *context, struct tree_node *root)
{
	*(struct tree_node **)context = root;
	return true;
}

static const struct tree_node *
parse(const char *yaml, struct arena *arena)
{
	struct tree_node *root = NULL;
	struct tree_fault fault;

	if (wire_tree_parse(slice_from_string(yaml), arena, on_document, &root,
	        &fault) != ERROR_OK ||
	    root == NULL)
		fail_msg("%s: %s", yaml, fault.text);
	return root;
}

static bool
is_below(const struct tree_node *self, const struct tree_node *node)
{
	if (self == node)
		return true;
	for (const struct tree_node *at = self->child; at; at = at->next)
		if (is_below(at, node))
			return true;
	return false;
}

static void
rules_say_what_cel_says(void **unused)
{
	unsigned held[GW_CEL__COUNT] = {0}, broke[GW_CEL__COUNT] = {0};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct arena arena;

		arena_init(&arena, 4096);
		const struct tree_node *self = parse(row->yaml, &arena);
		const struct tree_node *broken = gw_cel_broken(row->rule, self);

		if ((broken == NULL) != row->holds)
			fail_msg("%s of %s %s", row->name, row->yaml,
			    row->holds ? "is broken" : "holds");
		if (broken && !is_below(self, broken))
			fail_msg("%s of %s: elsewhere", row->name, row->yaml);
		(row->holds ? held : broke)[row->rule]++;
		arena_fini(&arena);
	}
	for (unsigned rule = 0; rule < GW_CEL__COUNT; rule++)
		if (rule != GW_CEL_IMMUTABLE &&
		    (held[rule] == 0 || broke[rule] == 0))
			fail_msg("rule %u has no row that holds, or none that "
			         "breaks",
			    rule);
}

/* As Go's time.ParseDuration. */
static void
durations(void **unused)
{
	static const struct {
		const char *text;
		bool good;
		int64_t ns;
	} durations[] = {
	    {"0", true, 0},
	    {"1ns", true, 1},
	    {"1us", true, 1000},
	    {"1\302\265s", true, 1000},
	    {"1\316\274s", true, 1000},
	    {"1.5ms", true, 1500000},
	    {".5s", true, 500000000},
	    {"1.s", true, 1000000000},
	    {"1h2m3s", true, 3723000000000},
	    {"-1s", true, -1000000000},
	    {"+1s", true, 1000000000},
	    {"2562047h", true, 9223369200000000000},
	    {"2562048h", false, 0},
	    {"99999999999999999999s", false, 0},
	    {"", false, 0},
	    {"-", false, 0},
	    {"1", false, 0},
	    {"s", false, 0},
	    {".s", false, 0},
	    {"1d", false, 0},
	    {"1s ", false, 0},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		int64_t ns;
		bool good =
		    gw_cel_duration(slice_from_string(durations[i].text), &ns);

		if (good != durations[i].good ||
		    (good && ns != durations[i].ns))
			fail_msg("%s: %d, %lld", durations[i].text, good,
			    (long long)ns);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules_say_what_cel_says),
	    cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
