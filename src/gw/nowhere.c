/* Why an address is announced from nowhere: what keeps which nodes from it, and
 * what would help, for people. */
#include "core/text.h"
#include "gw/address_priv.h"
#include "gw/state_priv.h"

enum { NAMES_TOLD = 3 };

static uint32_t
count_barred(const struct gw_placement *placement, enum gw_bar why)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < placement->count; i++)
		count += placement->bars[i] == why;
	return count;
}

/* "node a", "nodes a and b", "nodes a, b, c and 4 more". */
static void
push_nodes(
    struct text *text, const struct gw_placement *placement, enum gw_bar why)
{
	uint32_t all = count_barred(placement, why), told = 0;
	uint32_t room = all > NAMES_TOLD ? NAMES_TOLD : all;

	text_push_string(text, all == 1 ? "node" : "nodes");
	for (uint32_t i = 0; i < placement->count && told < room; i++) {
		if (placement->bars[i] != why)
			continue;
		const char *before = told == 0 ? " "
		    : told == all - 1          ? " and "
		                               : ", ";
		text_printf(
		    text, "%s%.*s", before, SLICE_ARGS(placement->names[i]));
		told++;
	}
	if (all > room)
		text_printf(text, " and %u more", all - room);
}

/* Of one alone its name, else what stands for one. */
static struct slice
name_of(const struct gw_placement *placement, enum gw_bar why)
{
	for (uint32_t i = 0; i < placement->count; i++)
		if (placement->bars[i] == why &&
		    count_barred(placement, why) == 1)
			return placement->names[i];
	return SLICE("NAME");
}

static const char *
locality(const struct gw_placement *placement)
{
	return placement->state->forwards ? "--announcers-forward"
	                                  : "externalTrafficPolicy Local";
}

static void
push_reason(
    struct text *text, const struct gw_placement *placement, enum gw_bar why)
{
	bool one = count_barred(placement, why) == 1;

	if (why == GW_BAR_UNSELECTED)
		text_push_string(
		    text, "no L2Advertisement of its pool selects ");
	else if (why == GW_BAR_NO_ENDPOINT)
		text_push_string(text, "no pod that serves it is on ");
	push_nodes(text, placement, why);
	switch (why) {
	case GW_BAR_EXCLUDED:
		text_printf(text,
		    " %s the label " GW_EXCLUDE_LABEL
		    ", which kubeadm gives to control planes: take it off "
		    "(kubectl label node %.*s " GW_EXCLUDE_LABEL
		    "-), or give the controller --ignore-exclude-lb",
		    one ? "has" : "have", SLICE_ARGS(name_of(placement, why)));
		break;
	case GW_BAR_NETWORK:
		text_printf(text,
		    " %s NetworkUnavailable: the network plugin has not set "
		    "%s up",
		    one ? "says" : "say", one ? "it" : "them");
		break;
	case GW_BAR_UNSELECTED:
		text_push_string(text, " (nodeSelectors)");
		break;
	case GW_BAR_NO_ENDPOINT:
		text_printf(text, " (%s)", locality(placement));
		break;
	case GW_BAR_NONE:
	case GW_BAR__COUNT:
		break;
	}
}

static void
push_reasons(struct text *text, const struct gw_placement *placement)
{
	size_t empty = text->length;

	for (unsigned why = GW_BAR__COUNT - 1; why > GW_BAR_NONE; why--) {
		if (count_barred(placement, why) == 0)
			continue;
		if (text->length > empty)
			text_push_string(text, "; ");
		push_reason(text, placement, why);
	}
}

/* Where no node is known by name. */
static void
push_unknown(struct text *text, const struct gw_placement *placement)
{
	if (placement->is_local)
		text_printf(text, "no pod serves it (%s)", locality(placement));
	else
		text_push_string(
		    text, "there is no Node for nodeSelectors to select");
}

struct slice
gw_placement_tell(
    const struct gw_placement *placement, const struct unit_claim *claim)
{
	struct text text;

	if (!claim->restricted || claim->nodes_count > 0)
		return SLICE_NONE;
	text_init(&text);
	text_push_string(&text, "no node may announce it: ");
	if (!placement->leads)
		text_push_string(&text, GW_LACKS_FAMILY);
	else if (placement->count == 0)
		push_unknown(&text, placement);
	else
		push_reasons(&text, placement);
	struct slice told = arena_copy(placement->arena, text_slice(&text));
	text_fini(&text);
	return told;
}

struct slice
gw_placement_tell_nodes(
    const struct gw_placement *placement, const struct unit_claim *claim)
{
	struct text text;

	if (!claim->restricted || claim->nodes_count == 0)
		return SLICE("");
	text_init(&text);
	push_nodes(&text, placement, GW_BAR_NONE);
	struct slice told = arena_copy(placement->arena, text_slice(&text));
	text_fini(&text);
	return told;
}
