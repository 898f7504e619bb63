/* What the files of ctl/files share: items, the documents of a file, and
 * claims, the items of one object name. */
#ifndef YUMEN_CTL_FILES_PRIV_H
#define YUMEN_CTL_FILES_PRIV_H

#include "core/list.h"
#include "core/map.h"
#include "core/text.h"
#include "ctl/files.h"

struct ctl_claim {
	struct ctl_item *first; /* item.next */
	uint16_t key_length, name_length;
	uint8_t kind; /* enum gw_kind */
	bool held; /* the sink has an object of this name */
	bool touched;
	char key[]; /* the kind in a byte, "namespace/name" */
};

struct ctl_item {
	struct ctl_item *next; /* in claim */
	struct ctl_file *file;
	struct ctl_claim *claim; /* NULL: it names no object that yumen reads */
	union { /* admitted in this round */
		struct gw_object *object;
		struct gw_asleep *asleep;
	};
	uint64_t hash; /* of the document; 0: to be admitted again */
	uint32_t place, line, column;
	bool sleeps : 1; /* what was admitted */
	bool holds : 1; /* its object is the one that counts */
	bool good : 1; /* a version of it could count, or does */
	bool kept : 1; /* during a read: it is in the new content too */
	bool refused; /* this version was not admitted */
	bool repeated; /* another one counts */
};

struct ctl_file {
	struct list wanted; /* in files.wanted, or empty */
	struct gw_file *name; /* a reference */
	struct slice path; /* in it */
	struct ctl_item **items;
	uint32_t item_count;
	bool failed; /* unreadable or malformed, as it is now */
};

struct ctl_files {
	struct ctl_sink sink;
	struct map files; /* by path */
	struct map claims; /* by key */
	struct ctl_claim **touched; /* to be settled */
	size_t touched_count, touched_room;
	struct list wanted;
	struct ctl_counts counts;
	struct text scratch;
};

/* For the map of claims. */
struct slice ctl_claim_key(const void *claim);
/* Sets a mark that counts as a problem. */
void ctl_problem_set(struct ctl_files *files, bool *mark, bool value);

/* The claim of a name, made when new. */
struct ctl_claim *ctl_claim_get(struct ctl_files *files, enum gw_kind kind,
    struct slice namespace, struct slice name);
/* Puts item where it belongs among the items of its claim. */
void ctl_claim_place(struct ctl_item *item);
/* The claim is to be settled: its items, or their order, are not what they
 * were. */
void ctl_claim_touch(struct ctl_files *files, struct ctl_claim *claim);
/* Decides what counts in each touched claim, and tells the sink. */
void ctl_claims_settle(struct ctl_files *files);
/* The one that holds it, or NULL. */
struct ctl_item *ctl_claim_holder(const struct ctl_claim *claim);
/* What was admitted does not count. */
void ctl_item_forget(struct ctl_item *item);
/* The item is gone from its file: it leaves its claim and is freed. */
void ctl_item_drop(struct ctl_files *files, struct ctl_item *item);

#endif
