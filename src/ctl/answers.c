/* Owns what is asked for: an ask an address, in the Gateway it is of. An ask
 * waits for its time, or for its turn when many try at once, or for what comes
 * of a connect; its timer is of whichever it is. */
#include "ctl/answers.h"

#include "core/list.h"
#include "core/log.h"
#include "core/map.h"
#include "core/memory.h"
#include "core/metric.h"
#include "core/must.h"
#include "net/stream.h"

struct ctl_answers {
	struct ctl_answers_options options;
	struct metrics metrics;
	struct list gateways; /* asked_gateway.link */
	struct map by_name;
	struct list turns; /* ask.turn, the first first */
	unsigned trying;
};

struct asked_gateway {
	struct list link;
	struct list asks; /* ask.link */
	struct ctl_answers *answers;
	uint16_t *ports;
	uint32_t port_count;
	bool wanted; /* since begin */
	uint32_t name_length;
	char name[]; /* "namespace/name" */
};

struct ask {
	struct list link, turn;
	struct asked_gateway *gateway;
	struct net_stream stream;
	struct net_timer timer;
	uint64_t until_ms;
	unsigned tries;
	enum error last; /* what came of the last one */
	bool wanted; /* since begin */
	bool trying; /* the stream is open */
	uint32_t address_length;
	char address[];
};

static void on_time(struct net_timer *timer);

static struct slice
gateway_name(const void *gateway)
{
	const struct asked_gateway *one = gateway;

	return slice_make(one->name, one->name_length);
}

static struct slice
address_of(const struct ask *ask)
{
	return slice_make(ask->address, ask->address_length);
}

struct ctl_answers *
ctl_answers_new(const struct ctl_answers_options *options)
{
	must(options != NULL && options->loop != NULL &&
	    options->on_answer != NULL && options->on_over != NULL);
	struct ctl_answers *made = memory_zero(1, sizeof(*made));

	made->options = *options;
	metrics_init(&made->metrics);
	list_init(&made->gateways);
	list_init(&made->turns);
	map_init_keyed(&made->by_name, gateway_name);
	return made;
}

/* ---- one try ---- */

static uint64_t
left_ms(const struct ask *ask)
{
	uint64_t now_ms = net_loop_now_ms(ask->gateway->answers->options.loop);

	return ask->until_ms > now_ms ? ask->until_ms - now_ms : 0;
}

/* The timer is for so long, or until it is asked for no longer. */
static void
wait_for(struct ask *ask, uint64_t wait_ms)
{
	uint64_t most_ms = left_ms(ask);

	net_timer_set(ask->gateway->answers->options.loop, &ask->timer,
	    wait_ms < most_ms ? wait_ms : most_ms);
}

static void
conclude(struct ask *ask)
{
	struct ctl_answers *answers = ask->gateway->answers;

	net_timer_clear(&ask->timer);
	answers->options.on_answer(answers->options.context,
	    gateway_name(ask->gateway), address_of(ask));
}

static void
give_up(struct ask *ask)
{
	limit_hit(&ask->gateway->answers->metrics, LIMIT_ADDRESS_ANSWER_MS);
	log_event(LOG_ADDRESS_UNPROVEN,
	    LOG_TEXT("gateway", gateway_name(ask->gateway)),
	    LOG_TEXT("address", address_of(ask)),
	    LOG_STRING("why", error_text(ask->last)));
	conclude(ask);
}

static void
after_try(struct ask *ask, enum error error)
{
	struct metrics *metrics = &ask->gateway->answers->metrics;

	ask->last = error;
	if (error == ERROR_OK) {
		metric_add(metrics, METRIC_ADDRESS_TRIES_ANSWERED, 1);
		conclude(ask);
		return;
	}
	metric_add(metrics, METRIC_ADDRESS_TRIES_FAILED, 1);
	wait_for(ask, LIMIT_VALUE_ADDRESS_TRY_MS);
}

/* Whoever waits for a turn has it now. */
static void
close_try(struct ask *ask)
{
	struct ctl_answers *answers = ask->gateway->answers;

	if (!ask->trying)
		return;
	net_stream_close(&ask->stream);
	ask->trying = false;
	answers->trying--;
	if (list_is_empty(&answers->turns))
		return;
	struct ask *next = container_of(answers->turns.next, struct ask, turn);

	list_remove(&next->turn);
	net_timer_set(answers->options.loop, &next->timer, 0);
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct ask *ask = container_of(watch, struct ask, stream.watch);

	net_stream_note(&ask->stream, events);
	enum error error = net_stream_connected(&ask->stream);

	if (error == ERROR_AGAIN)
		return;
	close_try(ask);
	after_try(ask, error);
}

static void
wait_for_turn(struct ask *ask)
{
	struct ctl_answers *answers = ask->gateway->answers;

	limit_hit(&answers->metrics, LIMIT_ADDRESS_TRIES);
	list_insert(&answers->turns, &ask->turn);
	wait_for(ask, UINT64_MAX);
}

static void
try(struct ask *ask)
{
	struct asked_gateway *gateway = ask->gateway;
	struct ctl_answers *answers = gateway->answers;
	uint16_t port = gateway->ports[ask->tries % gateway->port_count];
	struct net_address address;

	if (answers->trying >= LIMIT_VALUE_ADDRESS_TRIES) {
		wait_for_turn(ask);
		return;
	}
	ask->tries++;
	enum error error = net_address_parse(address_of(ask), port, &address);

	if (error == ERROR_OK)
		error = net_stream_connect(
		    &ask->stream, answers->options.loop, &address, on_ready);
	if (error != ERROR_OK) {
		after_try(ask, error);
		return;
	}
	ask->trying = true;
	answers->trying++;
	wait_for(ask, LIMIT_VALUE_ADDRESS_CONNECT_MS);
}

static void
on_time(struct net_timer *timer)
{
	struct ask *ask = container_of(timer, struct ask, timer);
	bool late = left_ms(ask) == 0, trying = ask->trying;

	list_remove(&ask->turn);
	close_try(ask);
	if (trying)
		after_try(ask, ERROR_TIMEOUT);
	if (late)
		give_up(ask);
	else if (!trying)
		try(ask);
}

/* ---- what is asked for ---- */

static void
free_ask(struct ask *ask)
{
	list_remove(&ask->link);
	list_remove(&ask->turn);
	net_timer_clear(&ask->timer);
	close_try(ask);
	memory_free(ask);
}

static void
free_gateway(struct asked_gateway *gateway)
{
	while (!list_is_empty(&gateway->asks))
		free_ask(container_of(gateway->asks.next, struct ask, link));
	list_remove(&gateway->link);
	map_remove(&gateway->answers->by_name, gateway_name(gateway));
	memory_free(gateway->ports);
	memory_free(gateway);
}

void
ctl_answers_free(struct ctl_answers **answers)
{
	struct ctl_answers *old = *answers;

	*answers = NULL;
	if (old == NULL)
		return;
	while (!list_is_empty(&old->gateways))
		free_gateway(container_of(
		    old->gateways.next, struct asked_gateway, link));
	map_fini(&old->by_name);
	metrics_fini(&old->metrics);
	memory_free(old);
}

void
ctl_answers_begin(struct ctl_answers *answers)
{
	must(answers != NULL);
	LIST_FOR_EACH(at, &answers->gateways)
	container_of(at, struct asked_gateway, link)->wanted = false;
}

static struct asked_gateway *
touch_gateway(struct ctl_answers *answers, struct slice name)
{
	struct asked_gateway *gateway = map_get(&answers->by_name, name);

	if (gateway != NULL)
		return gateway;
	gateway = memory_zero(1, sizeof(*gateway) + name.length);
	gateway->answers = answers;
	gateway->name_length = (uint32_t)name.length;
	memcpy(gateway->name, name.data, name.length);
	list_init(&gateway->asks);
	list_insert(&answers->gateways, &gateway->link);
	(void)map_add(&answers->by_name, gateway);
	return gateway;
}

static void
set_ports(struct asked_gateway *gateway, const struct gw_unproven *asked)
{
	size_t bytes = asked->port_count * sizeof(*gateway->ports);

	memory_free(gateway->ports);
	gateway->ports = memory_alloc(bytes);
	memcpy(gateway->ports, asked->ports, bytes);
	gateway->port_count = asked->port_count;
}

static struct ask *
find_ask(struct asked_gateway *gateway, struct slice address)
{
	LIST_FOR_EACH(at, &gateway->asks)
	{
		struct ask *ask = container_of(at, struct ask, link);

		if (slice_equal(address_of(ask), address))
			return ask;
	}
	return NULL;
}

static struct ask *
new_ask(struct asked_gateway *gateway, struct slice address)
{
	struct ask *ask = memory_zero(1, sizeof(*ask) + address.length);

	ask->gateway = gateway;
	ask->address_length = (uint32_t)address.length;
	memcpy(ask->address, address.data, address.length);
	ask->until_ms = net_loop_now_ms(gateway->answers->options.loop) +
	    LIMIT_VALUE_ADDRESS_ANSWER_MS;
	ask->last = ERROR_TIMEOUT;
	list_init(&ask->turn);
	list_insert(&gateway->asks, &ask->link);
	net_timer_init(&ask->timer, on_time);
	try(ask);
	return ask;
}

static void
drop_unwanted(struct asked_gateway *gateway)
{
	LIST_FOR_EACH_SAFE(at, &gateway->asks)
	{
		struct ask *ask = container_of(at, struct ask, link);

		if (!ask->wanted)
			free_ask(ask);
	}
}

void
ctl_answers_ask(struct ctl_answers *answers, const struct gw_unproven *asked)
{
	must(answers != NULL && asked->address_count > 0 &&
	    asked->port_count > 0);
	struct asked_gateway *gateway = touch_gateway(answers, asked->gateway);

	gateway->wanted = true;
	set_ports(gateway, asked);
	LIST_FOR_EACH(at, &gateway->asks)
	container_of(at, struct ask, link)->wanted = false;
	for (uint32_t i = 0; i < asked->address_count; i++) {
		struct slice address = asked->addresses[i];
		struct ask *ask = find_ask(gateway, address);

		if (ask == NULL)
			ask = new_ask(gateway, address);
		ask->wanted = true;
	}
	drop_unwanted(gateway);
}

void
ctl_answers_end(struct ctl_answers *answers)
{
	must(answers != NULL);
	const struct ctl_answers_options *options = &answers->options;

	LIST_FOR_EACH_SAFE(at, &answers->gateways)
	{
		struct asked_gateway *gateway =
		    container_of(at, struct asked_gateway, link);

		if (gateway->wanted)
			continue;
		options->on_over(options->context, gateway_name(gateway));
		free_gateway(gateway);
	}
}
