/* Whether addresses of Gateways answer. Each that is asked for is connected to,
 * at the ports in turn, every ADDRESS_TRY_MS until a connection opens, which is
 * closed at once. Whatever else comes of it is "not yet": what leads to pods
 * refuses, says that there is no way, or says nothing until it knows them. It
 * is not asked for longer than ADDRESS_ANSWER_MS: it may answer others, and
 * then is told all the same.
 */
#ifndef YUMEN_CTL_ANSWERS_H
#define YUMEN_CTL_ANSWERS_H

#include "gw/address.h"
#include "net/loop.h"

struct ctl_answers;
struct ctl_answers_options {
	struct net_loop *loop;
	/* An address of a Gateway ("namespace/name") answers, or is told all
	 * the same. Nothing may be asked for during it. */
	void (*on_answer)(
	    void *context, struct slice gateway, struct slice address);
	/* A Gateway that was asked for is not any more. */
	void (*on_over)(void *context, struct slice gateway);
	void *context;
};

struct ctl_answers *ctl_answers_new(const struct ctl_answers_options *options);
void ctl_answers_free(struct ctl_answers **answers);
/* What is asked for, in the place of what was: begin, each Gateway, end. What
 * was asked for before is not begun anew. */
void ctl_answers_begin(struct ctl_answers *answers);
void ctl_answers_ask(
    struct ctl_answers *answers, const struct gw_unproven *asked);
void ctl_answers_end(struct ctl_answers *answers);

#endif
