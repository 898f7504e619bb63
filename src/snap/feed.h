/* The feed: the one seam between ctl, which decides, and agent, which serves.
 * ctl offers batches of changes to units; a batch ends in a commit that names
 * the generation, the digest of all units then in force. The agent confirms a
 * generation when every worker serves it, refuses units that it cannot take
 * (and serves the rest), and reports what only it can know. A large batch comes
 * in parts, so that the agent builds while ctl still judges.
 *
 * Within one process batches and replies are handed over by pointer; on the
 * stream they are the same values, encoded. */
#ifndef YUMEN_SNAP_FEED_H
#define YUMEN_SNAP_FEED_H

#include "core/list.h"
#include "snap/unit.h"

struct feed_generation {
	uint8_t bytes[16]; /* sum of all units' digests, 128 bits, wrapping: the
	                    * same whatever the order */
};
/* 32 hex digits and NUL. */
void feed_generation_format(
    const struct feed_generation *generation, char out[33]);
void feed_generation_add(
    struct feed_generation *generation, const struct unit_digest *digest);
void feed_generation_remove(
    struct feed_generation *generation, const struct unit_digest *digest);
bool feed_generation_equal(
    const struct feed_generation *a, const struct feed_generation *b);

struct feed_change {
	struct slice name;
	struct slice bytes; /* absent: drop the unit */
};

/* A batch owns all of its slices (arena). */
struct feed_batch {
	struct list link;
	struct arena arena;
	struct feed_change *changes;
	uint32_t count;
	struct feed_generation generation; /* after this batch; of no part */
	bool part; /* more of it follows: none of it is served before the rest,
	            * whose last is no part */
	bool whole; /* the first: units not named in it do not exist; a part
	             * never is, its last may be, before all others */
};
struct feed_batch *feed_batch_new(void);
void feed_batch_free(struct feed_batch **batch);
/* Copies name and bytes. */
void feed_batch_put(
    struct feed_batch *batch, struct slice name, struct slice bytes);
void feed_batch_drop(struct feed_batch *batch, struct slice name);

/* How an announcer fares with an address that is claimed. */
struct feed_claim {
	/* OK: it is announced here, or by another node; else why it is not */
	enum error error;
	struct slice why; /* for people */
	struct slice node; /* whose word it is; empty: there is one only */
	/* On which it is announced here: "eth0,eth1"; empty: on none. */
	struct slice interfaces;
	/* Another machine that has it too: its hardware address, or empty. */
	struct slice rival;
};

enum feed_reply_kind {
	FEED_CONFIRM, /* every worker serves this generation, but for the
	               * Gateways that are waited for; with a name: those of
	               * that Gateway do too */
	FEED_WAIT, /* the Gateway of this name is waited for, from this
	            * generation on: why says for whom */
	FEED_REFUSE, /* this unit is left out: why says it */
	FEED_REPORT, /* state of a named thing: see subject and why */
	FEED_CLAIM, /* state of a claim with one announcer */
};
struct feed_reply {
	struct list link;
	enum feed_reply_kind kind;
	struct feed_generation generation; /* CONFIRM, WAIT */
	/* REFUSE, REPORT, CLAIM: the unit; CONFIRM, WAIT: "namespace/name" */
	struct slice name;
	enum error
	    error; /* REPORT on a listener: OK it is bound, else why not */
	struct slice why; /* for people */
	struct feed_claim claim; /* CLAIM, whose error and why are these */
	char storage[]; /* all texts */
};
struct feed_reply *feed_reply_new(
    enum feed_reply_kind kind, struct slice name, struct slice why);
struct feed_reply *feed_reply_new_claim(
    struct slice name, const struct feed_claim *claim);
/* Of REFUSE, REPORT and CLAIM: more than that all is well? */
bool feed_reply_says(const struct feed_reply *reply);
void feed_reply_free(struct feed_reply **reply);

/* A mailbox between two threads: any thread posts, one takes. */
struct feed;
struct feed *feed_new(void);
void feed_free(struct feed *feed);
/* Called after something was posted to that side, from the posting thread: wake
 * your loop there and do no more. Set before the first post. */
void feed_on_offer(struct feed *feed, void (*wake)(void *), void *context);
void feed_on_reply(struct feed *feed, void (*wake)(void *), void *context);
void feed_offer(struct feed *feed, struct feed_batch **batch);
void feed_answer(struct feed *feed, struct feed_reply **reply);
/* NULL when there is none. */
struct feed_batch *feed_take_offer(struct feed *feed);
struct feed_reply *feed_take_reply(struct feed *feed);

#endif
