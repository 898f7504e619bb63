/* Inside gw/cel: what checks share. A check looks at one node, self; the words
 * of its row say which fields and values it looks for. It returns NULL, or the
 * node that people should look at: the culprit below self, or self. */
#ifndef YUMEN_GW_CEL_PRIV_H
#define YUMEN_GW_CEL_PRIV_H

#include "gw/cel.h"

struct gw_cel_rule;
typedef const struct tree_node *gw_cel_check(
    const struct tree_node *self, const struct gw_cel_rule *rule);

struct gw_cel_rule {
	gw_cel_check *check;
	enum gw_finding_row finding;
	const char *first, *second, *third, *fourth, *fifth;
	enum gw_pattern pattern;
};

#define GW_CEL(name, text, finding, check, ...) gw_cel_check gw_cel_##check;
#include "gw/cel.def"
#undef GW_CEL

/* has(self.key) */
static inline bool
gw_cel_has(const struct tree_node *self, const char *key)
{
	return wire_tree_get(self, key) != NULL;
}

/* The text of self.key, or absent. */
static inline struct slice
gw_cel_text(const struct tree_node *self, const char *key)
{
	const struct tree_node *node = wire_tree_get(self, key);

	return node ? node->text : SLICE_NONE;
}

/* self.key == value; false also where there is no such field. */
static inline bool
gw_cel_is(const struct tree_node *self, const char *key, const char *value)
{
	struct slice text = gw_cel_text(self, key);

	return slice_is_set(text) &&
	    slice_equal(text, slice_from_string(value));
}

/* Both are there and equal, or neither is. */
bool gw_cel_same(
    const struct tree_node *a, const struct tree_node *b, const char *key);
/* The same, an empty text or 0 being as good as none. */
bool gw_cel_same_or_empty(
    const struct tree_node *a, const struct tree_node *b, const char *key);
bool gw_cel_is_empty(const struct tree_node *self, const char *key);
/* duration(text) in nanoseconds; false when it is none. */
bool gw_cel_duration(struct slice text, int64_t *nanoseconds);

#define GW_CEL_EACH(item, list) \
	for (const struct tree_node *item = (list)->child; item; \
	     item = item->next)

#endif
