/* The kinds by their names, out of their table. */
#include "cmd/kinds.h"

#include "gw/object.h"

static void
print_kind(FILE *out, const struct gw_kind_row *row)
{
	struct slice rest = slice_from_string(row->short_names), name;

	fputs(row->plural, out);
	if (rest.length == 0)
		return;
	for (int i = 0; slice_cut(&rest, '|', &name); i++)
		fprintf(out, "%s%.*s", i > 0 ? ", " : " (", SLICE_ARGS(name));
	fputc(')', out);
}

void
kinds_print(FILE *out)
{
	for (int i = 0; i < GW_KIND__COUNT; i++) {
		fputs("  ", out);
		print_kind(out, &gw_kinds[i]);
		fputc('\n', out);
	}
}

void
kinds_print_line(FILE *out)
{
	for (int i = 0; i < GW_KIND__COUNT; i++) {
		fputs(i > 0 ? ", " : "", out);
		print_kind(out, &gw_kinds[i]);
	}
	fputc('\n', out);
}
