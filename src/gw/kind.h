/* The kinds of objects: those that yumen reads (kind.def) and those that it
 * only shows (shown.def). */
#ifndef YUMEN_GW_KIND_H
#define YUMEN_GW_KIND_H

#include "core/record.h"

enum gw_kind {
#define GW_KIND(name, ...) GW_##name,
#include "gw/kind.def"
#undef GW_KIND
#define GW_SHOWN(name, ...) GW_##name,
#include "gw/shown.def"
#undef GW_SHOWN
	GW_KIND__COUNT
};

struct gw_kind_row {
	const char *group;
	const char *versions; /* "v1|v1beta1", the first is what we print */
	const char *kind;
	const char *plural; /* lower case */
	const char *short_names; /* "gtw|gw", or "" */
	bool namespaced;
	const struct record_type *type; /* of the whole object */
	bool read; /* else it is only shown: type has its metadata alone */
};
extern const struct gw_kind_row gw_kinds[GW_KIND__COUNT];

/* By kind, plural or short name, any case ("httproutes", "gtw"). */
bool gw_kind_parse(struct slice name, enum gw_kind *kind);

bool gw_kind_is_route(enum gw_kind kind);

/* Does yumen do what they ask? A BGPAdvertisement is read to tell that nothing
 * announces its pools. */
bool gw_kind_is_served(enum gw_kind kind);

#endif
