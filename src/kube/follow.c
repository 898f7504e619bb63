/* The states: resting until the timer; listing, a page a call; watching, until
 * the server ends it, which it does every few minutes. With a version it goes
 * on by a watch, without one by a list. */
#include "kube/follow.h"

#include "core/limit.h"
#include "core/must.h"
#include "wire/tree_json.h"

/* Times in a row that a resource was not there before what it had is gone: an
 * API server that starts does not know its CRDs yet. */
#define MISSING_MIN 3
/* A watch that lived for so long was well. */
#define WELL_MS 5000
#define JITTER_MS 200

static void on_timer(struct net_timer *timer);
static void on_status(struct kube_call *call, unsigned status);
static enum error on_body(struct kube_call *call, struct slice bytes);
static void on_done(struct kube_call *call, enum error error);
static void on_value(void *context, struct slice json);

static const struct kube_call_handler call_handler = {
    .on_status = on_status,
    .on_body = on_body,
    .on_done = on_done,
};

void
kube_follow_init(struct kube_follow *follow, struct kube_client *client,
    const struct kube_follow_options *options,
    const struct kube_follow_handler *handler)
{
	must(follow != NULL && client != NULL && handler != NULL);
	must(options != NULL && options->roots[0] != NULL);
	*follow = (struct kube_follow){
	    .client = client, .handler = handler, .options = *options};
	kube_call_init(&follow->call, client, &call_handler);
	kube_decoder_init(&follow->decoder, KUBE_LIST, on_value, follow);
	net_timer_init(&follow->timer, on_timer);
	arena_init(&follow->arena, 16384);
	text_init(&follow->version);
	text_init(&follow->next);
	text_init(&follow->target);
	net_timer_set(kube_client_loop(client), &follow->timer, 1);
}

void
kube_follow_fini(struct kube_follow *follow)
{
	must(follow != NULL);
	kube_call_fini(&follow->call);
	kube_decoder_fini(&follow->decoder);
	net_timer_clear(&follow->timer);
	arena_fini(&follow->arena);
	text_fini(&follow->version);
	text_fini(&follow->next);
	text_fini(&follow->target);
}

const char *
kube_follow_root(const struct kube_follow *follow)
{
	return follow->options.roots[follow->root];
}

/* ---- what is asked ---- */

static void
push_selector(struct text *target, const char *name, const char *selector)
{
	if (selector == NULL)
		return;
	text_push_string(target, name);
	kube_push_escaped(target, slice_from_string(selector));
}

static void
ask(struct kube_follow *follow, enum kube_body body, uint32_t silent_ms)
{
	const struct kube_follow_options *options = &follow->options;
	struct kube_request request = {
	    .method = "GET",
	    .silent_ms = silent_ms,
	};

	push_selector(
	    &follow->target, "&fieldSelector=", options->field_selector);
	push_selector(
	    &follow->target, "&labelSelector=", options->label_selector);
	request.target = text_slice(&follow->target);
	kube_decoder_reset(&follow->decoder, body);
	follow->status = 0;
	follow->error = ERROR_OK;
	follow->expired = false;
	kube_call_start(&follow->call, &request);
}

static void
list(struct kube_follow *follow)
{
	follow->state = KUBE_FOLLOW_LISTING;
	text_reset(&follow->target);
	text_printf(&follow->target, "%s?limit=%d", kube_follow_root(follow),
	    LIMIT_VALUE_KUBE_PAGE_OBJECTS);
	if (follow->next.length > 0) {
		text_push_string(&follow->target, "&continue=");
		kube_push_escaped(&follow->target, text_slice(&follow->next));
	} else {
		follow->handler->on_begin(follow);
	}
	ask(follow, KUBE_LIST, LIMIT_VALUE_KUBE_ANSWER_MS);
}

static void
watch(struct kube_follow *follow)
{
	struct random *random = kube_client_random(follow->client);
	struct net_loop *loop = kube_client_loop(follow->client);
	unsigned least_s = LIMIT_VALUE_KUBE_WATCH_MS / 1000;

	follow->state = KUBE_FOLLOW_WATCHING;
	follow->began_ms = net_loop_now_ms(loop);
	text_reset(&follow->target);
	text_printf(&follow->target,
	    "%s?watch=1&allowWatchBookmarks=true&timeoutSeconds=%u"
	    "&resourceVersion=",
	    kube_follow_root(follow), least_s + random_below(random, least_s));
	kube_push_escaped(&follow->target, text_slice(&follow->version));
	ask(follow, KUBE_EVENTS, LIMIT_VALUE_KUBE_SILENT_MS);
}

static void
go_on(struct kube_follow *follow)
{
	if (follow->version.length > 0)
		watch(follow);
	else
		list(follow);
}

static void
on_timer(struct net_timer *timer)
{
	go_on(container_of(timer, struct kube_follow, timer));
}

static void
rest(struct kube_follow *follow, uint64_t ms)
{
	follow->state = KUBE_FOLLOW_RESTING;
	net_timer_set(kube_client_loop(follow->client), &follow->timer, ms);
}

static void
rest_longer(struct kube_follow *follow)
{
	rest(follow, kube_client_wait_ms(follow->client, &follow->wait_ms));
}

static void
tell_trouble(struct kube_follow *follow, enum kube_follow_trouble trouble,
    struct slice why)
{
	if (follow->trouble == trouble)
		return;
	follow->trouble = trouble;
	follow->handler->on_trouble(follow, trouble, why);
}

/* ---- what comes ---- */

static void
set_text(struct text *text, struct slice value)
{
	text_reset(text);
	text_push(text, value);
}

/* An event's object says how far we are; what says nothing is an error. */
static bool
take_version(struct kube_follow *follow, const struct tree_node *object)
{
	struct slice version = wire_tree_text(
	    wire_tree_member(object, "metadata", TREE_MAP), "resourceVersion");

	if (version.length == 0) {
		follow->error = ERROR_INVALID;
		return false;
	}
	set_text(&follow->version, version);
	return true;
}

/* The server ends the watch with a Status. */
static void
take_error(struct kube_follow *follow, const struct tree_node *status)
{
	const struct tree_node *code =
	    status->kind == TREE_MAP ? wire_tree_get(status, "code") : NULL;

	follow->expired = code != NULL && code->kind == TREE_INTEGER &&
	    (code->integer == 410 || code->integer == 404);
	follow->error = ERROR_UNSUPPORTED;
}

static void
take_event(struct kube_follow *follow, struct tree_node *event)
{
	struct slice type = wire_tree_text(event, "type");
	struct tree_node *object =
	    event->kind == TREE_MAP ? wire_tree_get(event, "object") : NULL;

	if (object == NULL)
		follow->error = ERROR_INVALID;
	else if (slice_equal(type, SLICE("ERROR")))
		take_error(follow, object);
	else if (!take_version(follow, object))
		return;
	else if (slice_equal(type, SLICE("DELETED")))
		follow->handler->on_gone(follow, object);
	else if (!slice_equal(type, SLICE("BOOKMARK")))
		follow->handler->on_object(follow, object);
}

static void
on_value(void *context, struct slice json)
{
	struct kube_follow *follow = context;

	if (follow->error != ERROR_OK)
		return;
	struct tree_node *tree = wire_tree_from_json(json, &follow->arena);

	if (tree == NULL)
		follow->error = ERROR_INVALID;
	else if (follow->state == KUBE_FOLLOW_WATCHING)
		take_event(follow, tree);
	else
		follow->handler->on_object(follow, tree);
	arena_wipe(&follow->arena); /* Secrets are among what comes */
}

static void
on_status(struct kube_call *call, unsigned status)
{
	struct kube_follow *follow =
	    container_of(call, struct kube_follow, call);

	follow->status = status;
	if (status != 200) {
		kube_decoder_reset(&follow->decoder, KUBE_WHOLE);
		return;
	}
	if (follow->state == KUBE_FOLLOW_WATCHING)
		tell_trouble(follow, KUBE_FOLLOW_NONE, SLICE_NONE);
}

static enum error
on_body(struct kube_call *call, struct slice bytes)
{
	struct kube_follow *follow =
	    container_of(call, struct kube_follow, call);
	enum error error = kube_decoder_feed(&follow->decoder, bytes);

	/* What else than 200 says may be any text. */
	if (follow->status != 200)
		return ERROR_OK;
	return error != ERROR_OK ? error : follow->error;
}

/* ---- how it ended ---- */

/* The message of a Status, or what there is. */
static struct slice
message_of(struct kube_follow *follow, enum error error)
{
	const struct tree_node *tree;
	struct slice message = SLICE_NONE;

	if (error != ERROR_OK)
		return slice_from_string(error_text(error));
	tree = wire_tree_from_json(
	    text_slice(&follow->decoder.rest), &follow->arena);
	message = wire_tree_text(tree, "message");
	if (slice_is_set(message))
		return message;
	return arena_format(&follow->arena, "status %u", follow->status);
}

static void
fail(struct kube_follow *follow, enum error error)
{
	bool denied = error == ERROR_OK &&
	    (follow->status == 401 || follow->status == 403);

	tell_trouble(follow, denied ? KUBE_FOLLOW_DENIED : KUBE_FOLLOW_FAILED,
	    message_of(follow, error));
	arena_reset(&follow->arena);
	rest_longer(follow);
}

/* None of the roots may be there; then it is asked for now and then. */
static void
try_next_root(struct kube_follow *follow)
{
	bool is_last = follow->root + 1 >= KUBE_FOLLOW_ROOTS ||
	    follow->options.roots[follow->root + 1] == NULL;

	text_reset(&follow->version);
	text_reset(&follow->next);
	if (!is_last) {
		follow->root++;
		list(follow);
		return;
	}
	follow->root = 0;
	follow->missing++;
	if (follow->listed && follow->missing < MISSING_MIN) {
		rest_longer(follow);
		return;
	}
	/* A list that has nothing. */
	if (follow->listed) {
		follow->handler->on_begin(follow);
		follow->handler->on_end(follow);
	}
	follow->listed = false;
	tell_trouble(
	    follow, KUBE_FOLLOW_MISSING, SLICE("the server does not have it"));
	rest(follow,
	    LIMIT_VALUE_KUBE_MISSING_MS / 2 +
	        random_below(kube_client_random(follow->client),
	            LIMIT_VALUE_KUBE_MISSING_MS / 2));
}

/* False: it is no list. */
static bool
take_list(struct kube_follow *follow)
{
	const struct tree_node *root = wire_tree_from_json(
	    text_slice(&follow->decoder.rest), &follow->arena);
	struct slice version = wire_tree_text(
	    wire_tree_member(root, "metadata", TREE_MAP), "resourceVersion");

	if (version.length > 0) {
		set_text(&follow->next,
		    wire_tree_text(wire_tree_member(root, "metadata", TREE_MAP),
		        "continue"));
		if (follow->next.length == 0)
			set_text(&follow->version, version);
	}
	arena_reset(&follow->arena);
	return version.length > 0;
}

static void
on_list_done(struct kube_follow *follow, enum error error)
{
	if (error == ERROR_OK && follow->status == 404) {
		try_next_root(follow);
		return;
	}
	if (error == ERROR_OK && follow->status == 200)
		error = kube_decoder_end(&follow->decoder);
	if (error == ERROR_OK && follow->status == 200 && !take_list(follow))
		error = ERROR_INVALID;
	if (error != ERROR_OK || follow->status != 200) {
		/* The first page comes again: a later one's token may be what
		 * the server does not take any more. */
		text_reset(&follow->next);
		fail(follow, error);
		return;
	}
	follow->missing = 0;
	if (follow->next.length > 0) {
		list(follow);
		return;
	}
	follow->listed = true;
	follow->wait_ms = 0;
	tell_trouble(follow, KUBE_FOLLOW_NONE, SLICE_NONE);
	follow->handler->on_end(follow);
	watch(follow);
}

static void
on_watch_done(struct kube_follow *follow, enum error error)
{
	struct net_loop *loop = kube_client_loop(follow->client);
	uint64_t lived_ms = net_loop_now_ms(loop) - follow->began_ms;
	bool is_well = follow->status == 200 && lived_ms >= WELL_MS;

	if (is_well)
		follow->wait_ms = 0;
	if (follow->status == 410 || follow->status == 404 || follow->expired ||
	    error == ERROR_INVALID || error == ERROR_LIMIT) {
		/* From the start: what is between is not known any more. */
		text_reset(&follow->version);
		text_reset(&follow->next);
		rest_longer(follow);
	} else if (is_well) {
		rest(follow,
		    1 +
		        random_below(
		            kube_client_random(follow->client), JITTER_MS));
	} else if (error == ERROR_OK && follow->status == 200) {
		rest_longer(follow);
	} else {
		fail(follow, error);
	}
}

static void
on_done(struct kube_call *call, enum error error)
{
	struct kube_follow *follow =
	    container_of(call, struct kube_follow, call);

	if (follow->state == KUBE_FOLLOW_WATCHING)
		on_watch_done(follow, error);
	else
		on_list_done(follow, error);
}
