/* A file's bytes, parsed: its documents as trees, lists unpacked, each with the
 * hash of what it says. It knows nothing of other files, so any thread may make
 * one. */
#ifndef YUMEN_CTL_PARSED_H
#define YUMEN_CTL_PARSED_H

#include "wire/tree.h"

struct ctl_document {
	struct tree_node *root; /* in the arena */
	uint64_t hash; /* wire_tree_hash */
};

struct ctl_parsed {
	struct arena arena; /* of the trees, and of what follows from them */
	struct ctl_document *documents;
	uint32_t count, room;
	enum error error; /* OK, else there are no documents: see fault */
	struct tree_fault fault;
	bool is_secret; /* Secrets are, or may be, among them */
};

/* bytes: borrowed for the call. */
void ctl_parse(struct ctl_parsed *parsed, struct slice bytes);
void ctl_parsed_fini(struct ctl_parsed *parsed);

#endif
