/* yumen schema: the JSON Schema of a kind, for editors, out of the tables that
 * objects are judged by. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/command.h"
#include "core/must.h"
#include "core/text.h"
#include "gw/schema.h"
#include "wire/nearest.h"

static bool
is_one_of(struct slice list, struct slice name)
{
	struct slice one;

	while (list.length > 0 && slice_cut(&list, '|', &one))
		if (slice_equal_nocase(one, name))
			return true;
	return false;
}

static bool
is_called(const struct gw_schema *schema, struct slice name)
{
	return slice_equal_nocase(slice_from_string(schema->kind), name) ||
	    slice_equal_nocase(slice_from_string(schema->plural), name) ||
	    is_one_of(slice_from_string(schema->short_names), name);
}

/* "v1" before "v1beta2" before "v1beta1" before "v1alpha3". */
static bool
is_better(const char *version, const char *than)
{
	size_t digits = strcspn(version + 1, "ab") + 1;
	size_t others = strcspn(than + 1, "ab") + 1;
	bool final = version[digits] == '\0', other = than[others] == '\0';

	if (final != other)
		return final;
	return strcmp(version, than) > 0;
}

static void
print_kinds(void)
{
	struct gw_schema schema;

	for (unsigned i = 0; gw_schema_at(i, &schema); i++)
		printf("%-21s  %s%s%s\n", schema.kind, schema.group,
		    schema.group[0] ? "/" : "", schema.version);
}

/* False: there is none, which is told. */
static bool
find(const char *kind, const char *version, struct gw_schema *found)
{
	struct wire_nearest nearest;
	struct gw_schema schema;

	*found = (struct gw_schema){0};
	wire_nearest_init(&nearest, slice_from_string(kind));
	for (unsigned i = 0; gw_schema_at(i, &schema); i++) {
		wire_nearest_feed(&nearest, slice_from_string(schema.plural));
		if (!is_called(&schema, slice_from_string(kind)) ||
		    (version && strcmp(version, schema.version) != 0))
			continue;
		if (!found->kind || is_better(schema.version, found->version))
			*found = schema;
	}
	if (found->kind)
		return true;
	fprintf(stderr, "yumen schema: no kind '%s'%s%s", kind,
	    version ? " of version " : "", version ? version : "");
	if (slice_is_set(nearest.best))
		fprintf(
		    stderr, "; did you mean %.*s?\n", SLICE_ARGS(nearest.best));
	else
		fputs("; `yumen schema` lists them\n", stderr);
	return false;
}

int
command_schema(const struct flags *flags)
{
	const char *version =
	    flags->argument_count > 1 ? flags->arguments[1] : NULL;
	struct gw_schema schema;
	struct text out;

	if (flags->argument_count == 0) {
		print_kinds();
		return 0;
	}
	if (!find(flags->arguments[0], version, &schema))
		return 2;
	text_init(&out);
	gw_schema_write(&out, &schema);
	json_t *tree = json_loadb(out.data, out.length, 0, NULL);

	must(tree != NULL);
	json_dumpf(tree, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(tree);
	text_fini(&out);
	return 0;
}
