/* Arguments to a selection, and a selection held against objects. */
#include "cmd/select.h"

#include <string.h>

#include "cmd/ask.h"
#include "cmd/look.h"
#include "cmd/selector.h"
#include "wire/nearest.h"

/* "httproutes.v1.gateway.networking.k8s.io": the version may be left out. */
static bool
is_of_group(enum gw_kind kind, struct slice group)
{
	struct slice own = slice_from_string(gw_kinds[kind].group);
	struct slice versions = slice_from_string(gw_kinds[kind].versions);
	struct slice rest = group, first, version;

	if (slice_equal(group, own))
		return true;
	if (!slice_cut(&rest, '.', &first))
		return false;
	while (slice_cut(&versions, '|', &version))
		if (slice_equal(version, first))
			return slice_equal(
			    slice_is_set(rest) ? rest : SLICE(""), own);
	return false;
}

static void
no_kind(const char *command, struct slice name)
{
	struct wire_nearest nearest;

	wire_nearest_init(&nearest, name);
	wire_nearest_feed(&nearest, SLICE("proxies"));
	wire_nearest_feed(&nearest, SLICE("certificates"));
	for (int i = 0; i < GW_KIND__COUNT; i++)
		wire_nearest_feed(
		    &nearest, slice_from_string(gw_kinds[i].plural));
	fprintf(stderr, "yumen %s: no kind '%.*s'", command, SLICE_ARGS(name));
	if (slice_is_set(nearest.best))
		fprintf(
		    stderr, "; did you mean %.*s?\n", SLICE_ARGS(nearest.best));
	else
		fprintf(stderr, "; yumen help %s lists them\n", command);
}

bool
select_kind(const char *command, struct slice name, enum gw_kind *kind)
{
	struct slice group = name, first;

	if (slice_cut(&group, '.', &first) && gw_kind_parse(first, kind) &&
	    (!slice_is_set(group) || is_of_group(*kind, group)))
		return true;
	no_kind(command, name);
	return false;
}

static void
add_kind(struct selection *selection, enum gw_kind kind)
{
	if (selection->is_asked[kind])
		return;
	selection->is_asked[kind] = true;
	selection->kinds[selection->kind_count++] = kind;
}

static bool
add_kinds(struct selection *selection, struct slice list)
{
	struct slice name;
	enum gw_kind kind;

	if (slice_equal(list, SLICE("all"))) {
		selection->all_kinds = true;
		for (unsigned i = 0; i < GW_KIND__COUNT; i++)
			add_kind(selection, i);
		return true;
	}
	while (slice_is_set(list) && slice_cut(&list, ',', &name)) {
		if (!select_kind(selection->command, name, &kind))
			return false;
		add_kind(selection, kind);
	}
	return true;
}

static bool
add_name(struct selection *selection, enum gw_kind kind, const char *name)
{
	if (!ask_check_name(selection->command, name))
		return false;
	selection->names[selection->name_count].kind = kind;
	selection->names[selection->name_count++].name = name;
	return true;
}

static bool
usage(const struct selection *selection, const char *why)
{
	fprintf(stderr,
	    "yumen %s: %s\nTry: yumen %s gateways, yumen %s httproute/NAME, "
	    "yumen help %s\n",
	    selection->command, why, selection->command, selection->command,
	    selection->command);
	return false;
}

/* "KIND/NAME ..." */
static bool
parse_pairs(
    struct selection *selection, const char *const *arguments, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct slice rest = slice_from_string(arguments[i]), name;
		enum gw_kind kind;

		if (strchr(arguments[i], '/') == NULL)
			return usage(selection,
			    "KIND/NAME cannot stand beside names without "
			    "kinds");
		(void)slice_cut(&rest, '/', &name);
		if (!select_kind(selection->command, name, &kind) ||
		    !add_name(selection, kind, rest.data))
			return false;
		add_kind(selection, kind);
	}
	return true;
}

bool
select_parse(struct selection *selection, const char *command,
    const char *const *arguments, unsigned count)
{
	bool valid;

	selection->command = command;
	if (count == 0)
		return usage(selection, "name a kind");
	if (selection->namespace &&
	    !ask_check_name(command, selection->namespace))
		return false;
	if (selection->selector) {
		(void)selector_matches(
		    slice_from_string(selection->selector), NULL, &valid);
		if (!valid)
			return usage(selection,
			    "-l: labels are wanted as a=b,c!=d,e in (f,g),h");
	}
	if (strchr(arguments[0], '/') != NULL)
		return parse_pairs(selection, arguments, count);
	if (!add_kinds(selection, slice_from_string(arguments[0])))
		return false;
	if (count > 1 && selection->kind_count > 1)
		return usage(
		    selection, "names of several kinds are written KIND/NAME");
	for (unsigned i = 1; i < count; i++)
		if (!add_name(selection, selection->kinds[0], arguments[i]))
			return false;
	return true;
}

void
select_push_target(const struct selection *selection, struct text *out)
{
	text_push_string(out, "/api/v1/objects?kind=");
	for (unsigned i = 0; i < selection->kind_count; i++)
		text_printf(out, "%s%s", i > 0 ? "," : "",
		    gw_kinds[selection->kinds[i]].plural);
	if (selection->namespace)
		text_printf(out, "&namespace=%s", selection->namespace);
	if (selection->name_count == 1)
		text_printf(out, "&name=%s", selection->names[0].name);
}

enum gw_kind
select_kind_of(const json_t *object)
{
	const char *kind = look_text(object, "kind");
	struct slice group = slice_from_string(look_text(object, "apiVersion"));
	size_t slash = slice_find(group, '/');
	unsigned i = 0;

	group.length = slash < group.length ? slash : 0;
	while (i < GW_KIND__COUNT &&
	    (strcmp(gw_kinds[i].kind, kind) != 0 ||
	        !slice_equal(group, slice_from_string(gw_kinds[i].group))))
		i++;
	return i;
}

static bool
is_named(const struct selection *selection, unsigned name, enum gw_kind kind,
    const json_t *metadata)
{
	return selection->names[name].kind == kind &&
	    strcmp(selection->names[name].name, look_text(metadata, "name")) ==
	    0;
}

bool
select_takes(const struct selection *selection, const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");
	enum gw_kind kind = select_kind_of(object);
	bool taken = selection->name_count == 0, valid;

	if (kind == GW_KIND__COUNT || !selection->is_asked[kind])
		return false;
	for (unsigned i = 0; i < selection->name_count; i++)
		taken |= is_named(selection, i, kind, metadata);
	return taken &&
	    (selection->selector == NULL ||
	        selector_matches(slice_from_string(selection->selector),
	            json_object_get(metadata, "labels"), &valid));
}

bool
select_is_among(
    const struct selection *selection, unsigned name, const json_t *items)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *one = json_array_get(items, i);

		if (is_named(selection, name, select_kind_of(one),
		        json_object_get(one, "metadata")))
			return true;
	}
	return false;
}
