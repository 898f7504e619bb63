/* The body goes into a decoder that keeps it whole and bounds it. */
#include "kube/ask.h"

#include "core/limit.h"
#include "core/must.h"
#include "wire/tree_json.h"

static void on_status(struct kube_call *call, unsigned status);
static enum error on_body(struct kube_call *call, struct slice bytes);
static void on_done(struct kube_call *call, enum error error);

static const struct kube_call_handler call_handler = {
    .on_status = on_status,
    .on_body = on_body,
    .on_done = on_done,
};

static struct kube_ask *
of_call(struct kube_call *call)
{
	return container_of(call, struct kube_ask, call);
}

static void
on_status(struct kube_call *call, unsigned status)
{
	of_call(call)->status = status;
}

static enum error
on_body(struct kube_call *call, struct slice bytes)
{
	return kube_decoder_feed(&of_call(call)->decoder, bytes);
}

static void
on_done(struct kube_call *call, enum error error)
{
	struct kube_ask *ask = of_call(call);

	ask->on_answer(ask, error);
}

void
kube_ask_init(struct kube_ask *ask, struct kube_client *client,
    void (*on_answer)(struct kube_ask *ask, enum error error))
{
	must(ask != NULL && on_answer != NULL);
	*ask = (struct kube_ask){.on_answer = on_answer};
	kube_call_init(&ask->call, client, &call_handler);
	kube_decoder_init(&ask->decoder, KUBE_WHOLE, NULL, NULL);
	ask->decoder.rest_bytes_max = LIMIT_VALUE_KUBE_OBJECT_BYTES;
}

void
kube_ask_start(struct kube_ask *ask, const struct kube_request *request)
{
	must(ask != NULL && request != NULL);
	struct kube_request asked = *request;

	if (asked.silent_ms == 0)
		asked.silent_ms = LIMIT_VALUE_KUBE_ANSWER_MS;
	ask->status = 0;
	kube_decoder_reset(&ask->decoder, KUBE_WHOLE);
	kube_call_start(&ask->call, &asked);
}

struct slice
kube_ask_text(const struct kube_ask *ask)
{
	return text_slice(&ask->decoder.rest);
}

struct tree_node *
kube_ask_object(const struct kube_ask *ask, struct arena *arena)
{
	struct tree_node *root = wire_tree_from_json(kube_ask_text(ask), arena);

	return root != NULL && root->kind == TREE_MAP ? root : NULL;
}

bool
kube_ask_is_good(const struct kube_ask *ask)
{
	return ask->status >= 200 && ask->status <= 202;
}

void
kube_ask_close(struct kube_ask *ask)
{
	kube_call_close(&ask->call);
}

void
kube_ask_fini(struct kube_ask *ask)
{
	kube_call_fini(&ask->call);
	kube_decoder_fini(&ask->decoder);
}
