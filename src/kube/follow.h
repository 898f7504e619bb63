/* Following a resource: all of its objects, and then each change, for as long
 * as it lives. Lists in pages, watches with bookmarks, goes on where a watch
 * ended, and lists anew when the server has forgotten that place (410). Between
 * tries it waits, longer each time and at random.
 *
 * What it tells is what the server has, in order; nothing is told twice but
 * objects that a new list finds as they were. */
#ifndef YUMEN_KUBE_FOLLOW_H
#define YUMEN_KUBE_FOLLOW_H

#include "kube/call.h"
#include "kube/decode.h"
#include "wire/tree.h"

struct kube_follow;
enum kube_follow_trouble {
	KUBE_FOLLOW_NONE,
	KUBE_FOLLOW_MISSING, /* the server does not have the resource */
	KUBE_FOLLOW_DENIED, /* it does not let us */
	KUBE_FOLLOW_FAILED, /* it cannot be reached, or answers nonsense */
};
/* Trees last until the call returns, and are the callee's to change. */
struct kube_follow_handler {
	/* A list begins; what it does not tell of by its end is gone. It may
	 * begin again before it ends. */
	void (*on_begin)(struct kube_follow *follow);
	void (*on_end)(struct kube_follow *follow);
	void (*on_object)(struct kube_follow *follow, struct tree_node *object);
	void (*on_gone)(struct kube_follow *follow, struct tree_node *object);
	/* Of what is wrong now, when it changes. NONE: it is well again. */
	void (*on_trouble)(struct kube_follow *follow,
	    enum kube_follow_trouble trouble, struct slice why);
};

#define KUBE_FOLLOW_ROOTS 4

struct kube_follow_options {
	/* Where the resource may be: "/apis/g/v1/things", its versions in the
	 * order of preference. The first that the server has is taken. */
	const char *roots[KUBE_FOLLOW_ROOTS]; /* NULL: no more */
	const char *field_selector; /* or NULL */
	const char *label_selector; /* or NULL */
};

enum kube_follow_state {
	KUBE_FOLLOW_RESTING, /* until the timer */
	KUBE_FOLLOW_LISTING,
	KUBE_FOLLOW_WATCHING,
};

struct kube_follow {
	struct kube_client *client;
	const struct kube_follow_handler *handler;
	struct kube_follow_options options;
	struct kube_call call;
	struct kube_decoder decoder;
	struct net_timer timer;
	struct arena arena; /* of the object in hand */
	struct text version; /* how far all is known; empty: list */
	struct text next; /* the token of the next page; empty: the first */
	struct text target;
	uint64_t wait_ms; /* of the last wait */
	uint64_t began_ms; /* the watch */
	unsigned root; /* index in options.roots */
	unsigned missing; /* times in a row that no root was there */
	unsigned status;
	enum kube_follow_state state;
	enum kube_follow_trouble trouble;
	enum error error; /* found in what came */
	bool expired; /* the server has forgotten the place */
	bool listed; /* a list ended since it was last missing */
};

/* Texts of options are borrowed. It begins at once, from the loop. */
void kube_follow_init(struct kube_follow *follow, struct kube_client *client,
    const struct kube_follow_options *options,
    const struct kube_follow_handler *handler);
void kube_follow_fini(struct kube_follow *follow);
/* The root that is followed. */
const char *kube_follow_root(const struct kube_follow *follow);

#endif
