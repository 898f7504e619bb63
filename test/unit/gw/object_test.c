#include "gw/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "gw/schema.h"

static void
kinds_are_found(void **unused)
{
	static const struct {
		const char *name;
		enum gw_kind kind;
	} rows[] = {
	    {"HTTPRoute", GW_HTTPROUTE},
	    {"httproutes", GW_HTTPROUTE},
	    {"HTTPROUTE", GW_HTTPROUTE},
	    {"gtw", GW_GATEWAY},
	    {"gateways", GW_GATEWAY},
	    {"gc", GW_GATEWAYCLASS},
	    {"svc", GW_SERVICE},
	    {"ns", GW_NAMESPACE},
	    {"refgrant", GW_REFERENCEGRANT},
	    {"xbackends", GW_XBACKEND},
	    {"endpointslice", GW_ENDPOINTSLICE},
	    {"cm", GW_CONFIGMAP},
	    {"ipaddresspool", GW_IPADDRESSPOOL},
	    {"eproxy", GW_ENVOYPROXY},
	};
	enum gw_kind kind;

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(
		    gw_kind_parse(slice_from_string(rows[i].name), &kind));
		assert_int_equal(kind, rows[i].kind);
	}
	assert_false(gw_kind_parse(SLICE("pods"), &kind));
	assert_false(gw_kind_parse(SLICE(""), &kind));
	assert_false(gw_kind_parse(SLICE_NONE, &kind));
}

/* What encode and digests rest on. */
static void
check_table(const struct record_type *type)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];

		if (field->number != 0 && field->number <= last)
			fail_msg("%s.%s: numbers must rise", type->name,
			    field->name);
		if (field->number != 0)
			last = field->number;
		for (uint32_t j = 0; j < i; j++)
			assert_string_not_equal(
			    field->name, type->fields[j].name);
		if (field->sub)
			check_table(field->sub);
	}
}

static void
tables_are_sound(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < GW_KIND__COUNT; i++) {
		check_table(gw_kinds[i].type);
	}
	check_table(&gw_gatewayclass_status_type);
	check_table(&gw_gateway_status_type);
	check_table(&gw_route_status_type);
}

static bool
has_version(const struct gw_kind_row *row, const char *version)
{
	struct slice rest = slice_from_string(row->versions), one;

	while (slice_cut(&rest, '|', &one))
		if (slice_equal(one, slice_from_string(version)))
			return true;
	return false;
}

/* Every kind that is judged has one row, which says what its schema says. */
static void
kinds_have_schemas(void **unused)
{
	unsigned rows[GW_KIND__COUNT] = {0};
	struct gw_schema schema;

	(void)unused;
	for (unsigned i = 0; gw_schema_at(i, &schema); i++) {
		unsigned found = 0;

		for (unsigned k = 0; k < GW_KIND__COUNT; k++) {
			const struct gw_kind_row *row = &gw_kinds[k];

			if (strcmp(row->kind, schema.kind) != 0 ||
			    strcmp(row->group, schema.group) != 0)
				continue;
			found++;
			rows[k] += has_version(row, schema.version);
			assert_string_equal(row->plural, schema.plural);
			assert_string_equal(
			    row->short_names, schema.short_names);
			assert_int_equal(row->namespaced, schema.namespaced);
		}
		if (found != 1)
			fail_msg("%s: %u rows", schema.kind, found);
	}
	for (unsigned k = 0; k < GW_KIND__COUNT; k++)
		if (rows[k] == 0)
			fail_msg("%s: no schema", gw_kinds[k].kind);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_are_found),
	    cmocka_unit_test(tables_are_sound),
	    cmocka_unit_test(kinds_have_schemas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
