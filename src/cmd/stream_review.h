/* Who may use the controller's stream in a cluster: a proxy shows the token of
 * its pod's ServiceAccount, for our audience and bound to the pod, of which the
 * API server says whether it is good (TokenReview); whose proxies the account's
 * are, ctl knows. An announcer does the same with an account that all of them
 * have, bound to its node. */
#ifndef YUMEN_CMD_STREAM_REVIEW_H
#define YUMEN_CMD_STREAM_REVIEW_H

#include "ctl/ctl.h"
#include "kube/ask.h"
#include "stream/server.h"

struct stream_reviews;
/* Who is asked for whose an account is. */
struct stream_reviews_options {
	struct kube_client *client;
	struct stream_server *server;
	struct ctl *const *ctl; /* NULL in it: not yet */
	struct slice announcers; /* their account, "namespace/name"; borrowed */
};
struct stream_reviews *stream_reviews_new(
    const struct stream_reviews_options *options);
void stream_reviews_free(struct stream_reviews **reviews);
/* Answers with stream_server_judged, later. */
void stream_reviews_judge(
    struct stream_reviews *reviews, const struct stream_claim *claim);

#endif
