/* A try is one or two calls: read the Lease, and write it if it is ours, free
 * or left. Writes name the resourceVersion that was read, so that of two who
 * try at once one succeeds. Whoever leads stops when it could not renew for
 * KUBE_LEASE_RENEW_MS, which is before another may take it. */
#include "kube/lease.h"

#include "core/clock.h"
#include "core/limit.h"
#include "core/must.h"
#include "wire/tree_json.h"

enum step { STEP_READ, STEP_WRITE };

static void on_answer(struct kube_ask *ask, enum error error);
static void on_timer(struct net_timer *timer);
static void on_deadline(struct net_timer *timer);

void
kube_lease_init(struct kube_lease *lease, struct kube_client *client,
    const struct kube_lease_options *options)
{
	must(lease != NULL && client != NULL && options->on_change != NULL);
	*lease = (struct kube_lease){.client = client, .options = *options};
	kube_ask_init(&lease->ask, client, on_answer);
	net_timer_init(&lease->timer, on_timer);
	net_timer_init(&lease->deadline, on_deadline);
	text_init(&lease->target);
	text_init(&lease->body);
	text_init(&lease->holder);
	text_init(&lease->renewed);
	text_init(&lease->version);
	net_timer_set(kube_client_loop(client), &lease->timer, 1);
}

void
kube_lease_fini(struct kube_lease *lease)
{
	must(lease != NULL);
	kube_ask_fini(&lease->ask);
	net_timer_clear(&lease->timer);
	net_timer_clear(&lease->deadline);
	text_fini(&lease->target);
	text_fini(&lease->body);
	text_fini(&lease->holder);
	text_fini(&lease->renewed);
	text_fini(&lease->version);
}

/* ---- who leads ---- */

static uint64_t
now_ms(const struct kube_lease *lease)
{
	return net_loop_now_ms(kube_client_loop(lease->client));
}

static bool
is_ours(const struct kube_lease *lease)
{
	return slice_equal(text_slice(&lease->holder), lease->options.identity);
}

static void
tell(struct kube_lease *lease)
{
	struct slice holder = text_slice(&lease->holder);

	if (lease->leads != is_ours(lease))
		holder = lease->leads ? lease->options.identity : SLICE("");
	lease->options.on_change(lease->options.context, lease->leads, holder);
}

static void
set_leads(struct kube_lease *lease, bool leads)
{
	if (lease->leads == leads)
		return;
	lease->leads = leads;
	if (!leads)
		net_timer_clear(&lease->deadline);
	tell(lease);
}

static void
on_deadline(struct net_timer *timer)
{
	set_leads(container_of(timer, struct kube_lease, deadline), false);
}

static bool
may_be_taken(const struct kube_lease *lease)
{
	return lease->holder.length == 0 || is_ours(lease) ||
	    now_ms(lease) - lease->seen_ms >= LIMIT_VALUE_KUBE_LEASE_MS;
}

/* ---- calls ---- */

static void
ask(struct kube_lease *lease, const char *method, struct slice body)
{
	bool is_new = slice_equal(slice_from_string(method), SLICE("POST"));
	struct kube_request request = {
	    .method = method,
	    .body = body,
	    .silent_ms = LIMIT_VALUE_KUBE_LEASE_RENEW_MS / 2,
	};

	text_reset(&lease->target);
	text_printf(&lease->target,
	    "/apis/coordination.k8s.io/v1/namespaces/%.*s/leases%s%.*s",
	    SLICE_ARGS(lease->options.namespace), is_new ? "" : "/",
	    SLICE_ARGS(is_new ? SLICE("") : lease->options.name));
	request.target = text_slice(&lease->target);
	kube_ask_start(&lease->ask, &request);
}

static void
read_lease(struct kube_lease *lease)
{
	lease->step = STEP_READ;
	ask(lease, "GET", SLICE_NONE);
}

/* "2026-11-24T04:05:06.789000Z": a MicroTime. */
static void
push_now(struct text *out)
{
	char now[CLOCK_RFC3339_BYTES + 1];

	clock_format(clock_wall_ms(), now);
	now[CLOCK_RFC3339_BYTES - 1] = '\0';
	text_printf(out, "\"%s000Z\"", now);
}

static void
write_lease(struct kube_lease *lease)
{
	const struct kube_lease_options *options = &lease->options;
	struct text *body = &lease->body;
	bool is_new = lease->version.length == 0;
	bool takes = !is_ours(lease) || is_new;

	lease->step = STEP_WRITE;
	lease->asked_ms = now_ms(lease);
	text_reset(body);
	text_push_string(body,
	    "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
	    "\"metadata\":{\"name\":");
	text_push_json(body, options->name);
	text_push_string(body, ",\"namespace\":");
	text_push_json(body, options->namespace);
	if (!is_new) {
		text_push_string(body, ",\"resourceVersion\":");
		text_push_json(body, text_slice(&lease->version));
	}
	text_push_string(body, "},\"spec\":{\"holderIdentity\":");
	text_push_json(body, lease->releasing ? SLICE("") : options->identity);
	text_printf(body, ",\"leaseDurationSeconds\":%d,\"renewTime\":",
	    lease->releasing ? 1 : LIMIT_VALUE_KUBE_LEASE_MS / 1000);
	push_now(body);
	if (takes) {
		text_push_string(body, ",\"acquireTime\":");
		push_now(body);
	}
	text_printf(body, ",\"leaseTransitions\":%lld}}",
	    (long long)(lease->transitions + (takes && !is_new)));
	ask(lease, is_new ? "POST" : "PUT", text_slice(body));
}

static void
on_timer(struct net_timer *timer)
{
	read_lease(container_of(timer, struct kube_lease, timer));
}

static void
rest(struct kube_lease *lease)
{
	struct random *random = kube_client_random(lease->client);

	if (lease->releasing)
		return;
	net_timer_set(kube_client_loop(lease->client), &lease->timer,
	    LIMIT_VALUE_KUBE_LEASE_RETRY_MS * 3 / 4 +
	        random_below(random, LIMIT_VALUE_KUBE_LEASE_RETRY_MS / 4));
}

static bool
set_text(struct text *text, struct slice value)
{
	if (slice_equal(text_slice(text), value))
		return false;
	text_reset(text);
	text_push(text, value);
	return true;
}

/* What the Lease says. False: it is none. */
static bool
take(struct kube_lease *lease)
{
	const struct tree_node *root, *metadata, *spec, *number;
	struct arena arena;
	bool changed, other;

	arena_init(&arena, 4096);
	root = kube_ask_object(&lease->ask, &arena);
	metadata = wire_tree_member(root, "metadata", TREE_MAP);
	spec = wire_tree_member(root, "spec", TREE_MAP);
	(void)set_text(
	    &lease->version, wire_tree_text(metadata, "resourceVersion"));
	changed = set_text(&lease->renewed, wire_tree_text(spec, "renewTime"));
	other =
	    set_text(&lease->holder, wire_tree_text(spec, "holderIdentity"));
	if (changed || other)
		lease->seen_ms = now_ms(lease);
	number = wire_tree_member(spec, "leaseTransitions", TREE_INTEGER);
	lease->transitions = number != NULL ? number->integer : 0;
	arena_fini(&arena);
	if (other && !lease->leads && !is_ours(lease))
		tell(lease);
	return lease->version.length > 0;
}

static void
on_read(struct kube_lease *lease)
{
	if (lease->ask.status == 404) {
		text_reset(&lease->version);
		text_reset(&lease->holder);
		text_reset(&lease->renewed);
		lease->transitions = 0;
		write_lease(lease);
		return;
	}
	if (lease->ask.status != 200 || !take(lease)) {
		rest(lease);
		return;
	}
	if (lease->leads && !is_ours(lease))
		set_leads(lease, false);
	if (may_be_taken(lease))
		write_lease(lease);
	else
		rest(lease);
}

static void
on_written(struct kube_lease *lease)
{
	if (kube_ask_is_good(&lease->ask) && take(lease) && is_ours(lease)) {
		uint64_t end_ms =
		    lease->asked_ms + LIMIT_VALUE_KUBE_LEASE_RENEW_MS;
		uint64_t at_ms = now_ms(lease);

		net_timer_set(kube_client_loop(lease->client), &lease->deadline,
		    end_ms > at_ms ? end_ms - at_ms : 1);
		set_leads(lease, true);
	}
	rest(lease);
}

static void
on_answer(struct kube_ask *ask, enum error error)
{
	struct kube_lease *lease = container_of(ask, struct kube_lease, ask);

	if (lease->releasing)
		return;
	if (error != ERROR_OK)
		rest(lease);
	else if (lease->step == STEP_READ)
		on_read(lease);
	else
		on_written(lease);
}

bool
kube_lease_release(struct kube_lease *lease)
{
	must(lease != NULL);
	bool led = lease->leads;

	net_timer_clear(&lease->timer);
	lease->releasing = true;
	set_leads(lease, false);
	if (!led)
		return false;
	/* What is under way would be written with what ours replaces. */
	if (!kube_ask_is_free(&lease->ask))
		kube_ask_close(&lease->ask);
	write_lease(lease);
	return true;
}

bool
kube_lease_is_released(const struct kube_lease *lease)
{
	must(lease != NULL);
	return kube_ask_is_free(&lease->ask);
}
