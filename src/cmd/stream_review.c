/* A few reviews at once; those that wait stand in line, and not longer than a
 * stranger may. Tokens are wiped. */
#include "cmd/stream_review.h"

#include "core/limit.h"
#include "core/list.h"
#include "core/memory.h"
#include "core/must.h"
#include "stream/views.h"
#include "wire/tree_json.h"

enum { SLOTS = 4 };
#define TARGET "/apis/authentication.k8s.io/v1/tokenreviews"
#define USER_PREFIX SLICE("system:serviceaccount:")
#define POD_NAME "authentication.kubernetes.io/pod-name"
#define NODE_NAME "authentication.kubernetes.io/node-name"

static void on_answer(struct kube_ask *ask, enum error error);

/* A claim that is looked into. */
struct review {
	struct list link; /* in waiting, while it does */
	uint64_t peer;
	struct text name; /* that the proxy goes by */
	struct text body; /* of the request: it has the token */
};

struct slot {
	struct kube_ask ask;
	struct stream_reviews *reviews;
	struct review *review; /* NULL: it is free */
};

struct stream_reviews {
	struct stream_reviews_options options;
	struct slot slots[SLOTS];
	struct list waiting;
	unsigned waiting_count;
};

static void
free_review(struct review *review)
{
	list_remove(&review->link);
	text_wipe(&review->body);
	text_fini(&review->name);
	memory_free(review);
}

static void
begin(struct slot *slot, struct review *review)
{
	struct kube_request request = {
	    .method = "POST",
	    .target = SLICE(TARGET),
	    .body = text_slice(&review->body),
	    .silent_ms = LIMIT_VALUE_STREAM_HELLO_MS,
	};

	list_remove(&review->link);
	slot->review = review;
	kube_ask_start(&slot->ask, &request);
}

static void
begin_next(struct stream_reviews *reviews)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (reviews->slots[i].review != NULL ||
		    list_is_empty(&reviews->waiting))
			continue;
		reviews->waiting_count--;
		begin(&reviews->slots[i],
		    container_of(reviews->waiting.next, struct review, link));
	}
}

void
stream_reviews_judge(
    struct stream_reviews *reviews, const struct stream_claim *claim)
{
	must(reviews != NULL && claim != NULL);
	struct review *review = memory_zero(1, sizeof(*review));

	list_init(&review->link);
	text_init(&review->name);
	text_init(&review->body);
	review->peer = claim->peer;
	text_push(&review->name, claim->name);
	/* It is not moved, so that no copy is left behind. */
	(void)text_reserve(&review->body, 6 * claim->token.length + 512);
	text_push_string(&review->body,
	    "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":"
	    "\"TokenReview\",\"spec\":{\"audiences\":[\"" GW_FLEET_AUDIENCE
	    "\"],\"token\":");
	text_push_json(&review->body, claim->token);
	text_push_string(&review->body, "}}");
	if (reviews->waiting_count == LIMIT_VALUE_STREAM_STRANGERS) {
		reviews->waiting_count--;
		free_review(
		    container_of(reviews->waiting.next, struct review, link));
	}
	list_insert(&reviews->waiting, &review->link);
	reviews->waiting_count++;
	begin_next(reviews);
}

/* ---- what the API server says ---- */

static bool
has_text(const struct tree_node *list, struct slice text)
{
	for (const struct tree_node *at = list != NULL ? list->child : NULL;
	     at != NULL; at = at->next)
		if (at->kind == TREE_TEXT && slice_equal(at->text, text))
			return true;
	return false;
}

/* "system:serviceaccount:namespace:name" to "namespace/name" */
static bool
account_of(const struct tree_node *user, struct text *account)
{
	struct slice rest = wire_tree_text(user, "username"), namespace;

	if (!slice_starts_with(rest, USER_PREFIX))
		return false;
	rest = slice_skip(rest, USER_PREFIX.length);
	if (!slice_cut(&rest, ':', &namespace) || !slice_is_set(rest))
		return false;
	text_printf(
	    account, "%.*s/%.*s", SLICE_ARGS(namespace), SLICE_ARGS(rest));
	return true;
}

/* A proxy goes by its pod's name, an announcer by its node's: neither may be
 * taken for another. Why not; or NULL, and gateway has whose it is. */
static const char *
judge_account(const struct slot *slot, struct slice account,
    const struct tree_node *extra, struct text *gateway)
{
	const struct stream_reviews_options *options = &slot->reviews->options;
	struct slice name = text_slice(&slot->review->name);

	if (slice_equal(account, options->announcers)) {
		text_push(gateway, STREAM_ANNOUNCERS);
		return has_text(
		           wire_tree_member(extra, NODE_NAME, TREE_LIST), name)
		    ? NULL
		    : "the token is not bound to a pod on the node of this "
		      "name";
	}
	if (!has_text(wire_tree_member(extra, POD_NAME, TREE_LIST), name))
		return "the token is not bound to the pod of this name";
	return *options->ctl != NULL &&
	        ctl_account_gateway(*options->ctl, account, gateway)
	    ? NULL
	    : "the token's account is no Gateway's, or not yet";
}

/* For another audience, expired, of a pod that is gone: the API server says. */
static const char *
tell_unknown(const struct tree_node *status, struct text *told)
{
	struct slice error = wire_tree_text(status, "error");

	text_push_string(told, "the cluster does not know the token");
	if (error.length > 0)
		text_printf(told, ": %.*s", SLICE_ARGS(error));
	return told->data;
}

/* As judge_account, from all that the API server says; told: room for it. */
static const char *
judge(const struct slot *slot, const struct tree_node *answer,
    struct text *gateway, struct text *told)
{
	const struct tree_node *status =
	    wire_tree_member(answer, "status", TREE_MAP);
	const struct tree_node *user =
	    wire_tree_member(status, "user", TREE_MAP);
	const struct tree_node *good =
	    wire_tree_member(status, "authenticated", TREE_BOOL);
	const struct tree_node *extra =
	    wire_tree_member(user, "extra", TREE_MAP);
	struct text account;
	const char *why;

	if (good == NULL || !good->integer)
		return tell_unknown(status, told);
	if (!has_text(wire_tree_member(status, "audiences", TREE_LIST),
	        SLICE(GW_FLEET_AUDIENCE)))
		return "the token is for another audience";
	text_init(&account);
	why = account_of(user, &account)
	    ? judge_account(slot, text_slice(&account), extra, gateway)
	    : "the token is no ServiceAccount's";
	text_fini(&account);
	return why;
}

static void
on_answer(struct kube_ask *ask, enum error error)
{
	struct slot *slot = container_of(ask, struct slot, ask);
	struct stream_reviews *reviews = slot->reviews;
	const char *why = "the cluster cannot be asked about the token";
	struct text gateway, told;
	struct arena arena;

	text_init(&gateway);
	text_init(&told);
	arena_init(&arena, 8192);
	if (error == ERROR_OK && ask->status == 201)
		why =
		    judge(slot, kube_ask_object(ask, &arena), &gateway, &told);
	stream_server_judged(reviews->options.server, slot->review->peer,
	    why == NULL ? text_slice(&gateway) : SLICE_NONE, why);
	text_fini(&told);
	text_fini(&gateway);
	arena_wipe(&arena);
	free_review(slot->review);
	slot->review = NULL;
	begin_next(reviews);
}

/* ---- its life ---- */

struct stream_reviews *
stream_reviews_new(const struct stream_reviews_options *options)
{
	must(options != NULL && options->client != NULL);
	struct stream_reviews *reviews = memory_zero(1, sizeof(*reviews));

	reviews->options = *options;
	list_init(&reviews->waiting);
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &reviews->slots[i];

		slot->reviews = reviews;
		kube_ask_init(&slot->ask, options->client, on_answer);
	}
	return reviews;
}

void
stream_reviews_free(struct stream_reviews **reviews)
{
	struct stream_reviews *old = *reviews;

	*reviews = NULL;
	if (old == NULL)
		return;
	for (unsigned i = 0; i < SLOTS; i++) {
		kube_ask_fini(&old->slots[i].ask);
		if (old->slots[i].review != NULL)
			free_review(old->slots[i].review);
	}
	LIST_FOR_EACH_SAFE(at, &old->waiting)
	{
		free_review(container_of(at, struct review, link));
	}
	memory_free(old);
}
