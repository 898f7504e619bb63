/* A question: a call (kube/call.h) whose answer is one value that is held until
 * it is whole. Embedded by its owner. */
#ifndef YUMEN_KUBE_ASK_H
#define YUMEN_KUBE_ASK_H

#include "kube/call.h"
#include "kube/decode.h"
#include "wire/tree.h"

struct kube_ask {
	struct kube_call call;
	struct kube_decoder decoder;
	unsigned status; /* of the answer; 0: there is none */
	/* The answer is whole, or why there is none. The next question may be
	 * asked at once, and takes this answer's place. */
	void (*on_answer)(struct kube_ask *ask, enum error error);
};

void kube_ask_init(struct kube_ask *ask, struct kube_client *client,
    void (*on_answer)(struct kube_ask *ask, enum error error));
/* None may be under way. request->silent_ms: 0: KUBE_ANSWER_MS. */
void kube_ask_start(struct kube_ask *ask, const struct kube_request *request);
static inline bool
kube_ask_is_free(const struct kube_ask *ask)
{
	return kube_call_is_free(&ask->call);
}
/* What was answered, as it came; lasts until the next question. */
struct slice kube_ask_text(const struct kube_ask *ask);
/* The same, read; its texts are the answer's own. NULL: it is no JSON object.
 */
struct tree_node *kube_ask_object(
    const struct kube_ask *ask, struct arena *arena);
/* 200, 201 or 202. */
bool kube_ask_is_good(const struct kube_ask *ask);
/* What is under way is given up, without on_answer. */
void kube_ask_close(struct kube_ask *ask);
/* Closed; its memory may go. */
void kube_ask_fini(struct kube_ask *ask);

#endif
