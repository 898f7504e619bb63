/* yumen announcer: the addresses that a controller gives out, announced from
 * this node as one of many. One thread: signals, the admin server, the stream,
 * the links. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "announce/claims.h"
#include "cmd/announcing.h"
#include "cmd/controlled.h"
#include "cmd/heartbeat_keys.h"
#include "core/log.h"
#include "core/memory.h"
#include "net/link.h"
#include "stream/views.h"
#include "wire/beat.h"

#define PORT_DEFAULT 7947
#define LOOK_MS 1000
#define EVERY_INTERFACE "*"

struct announcing {
	struct process process;
	struct controlled to;
	struct feed *feed;
	struct announcer *announcer;
	struct announce_claims claims;
	struct heartbeat_keys keys;
	uint64_t port;
	struct net_timer deadline; /* of handing over */
	struct net_timer look; /* at the controller */
	uint64_t told_ms; /* when it was last there */
	bool announced, leaving;
	int status; /* to exit with */
};

static struct announcing *
of_process(struct process *process)
{
	return container_of(process, struct announcing, process);
}

/* By what it stands in elections: not at all before it has all claims. */
static void
tell_claims(struct announcing *announcing)
{
	uint64_t now_ms = net_loop_now_ms(announcing->process.loop);
	bool is_told =
	    now_ms - announcing->told_ms < LIMIT_VALUE_ANNOUNCE_OLD_MS;

	announcer_goes_by(announcing->announcer,
	    !announcing->claims.whole ? WIRE_BEAT_CLAIMS_NONE
	        : is_told             ? WIRE_BEAT_CLAIMS_NEW
	                              : WIRE_BEAT_CLAIMS_OLD);
}

static void
on_wake(struct process *process)
{
	struct announcing *announcing = of_process(process);

	if (announcing->to.stream == NULL)
		return;
	announce_claims_take(&announcing->claims);
	announce_claims_report(&announcing->claims);
	stream_client_wake(announcing->to.stream);
	if (!announcing->claims.whole || announcing->announced)
		return;
	announcing->announced = true;
	tell_claims(announcing);
	log_event(LOG_ANNOUNCE_READY,
	    LOG_NUMBER("claims", (int64_t)announcing->claims.known.count));
}

static void
on_change(void *context)
{
	struct announcing *announcing = context;

	announce_claims_report(&announcing->claims);
	if (announcing->leaving && !announcer_is_here(announcing->announcer))
		net_loop_stop(announcing->process.loop);
}

static void
on_deadline(struct net_timer *timer)
{
	net_loop_stop(
	    container_of(timer, struct announcing, deadline)->process.loop);
}

/* What it said is not heeded for ever when it is away; keys are changed. */
static void
on_look(struct net_timer *timer)
{
	struct announcing *announcing =
	    container_of(timer, struct announcing, look);
	struct net_loop *loop = announcing->process.loop;
	struct stream_client_facts facts;

	stream_client_facts(announcing->to.stream, &facts);
	if (facts.connected)
		announcing->told_ms = net_loop_now_ms(loop);
	announcer_fences(announcing->announcer,
	    net_loop_now_ms(loop) - announcing->told_ms <
	        LIMIT_VALUE_STREAM_SILENT_MS);
	tell_claims(announcing);
	heartbeat_keys_look(&announcing->keys);
	net_timer_set(loop, &announcing->look, LOOK_MS);
}

/* What is held here is handed over first, where another takes it. */
static void
on_stop(struct process *process, bool again)
{
	struct announcing *announcing = of_process(process);

	if (!again) {
		announcing->leaving = true;
		announcer_leave(announcing->announcer);
	}
	if (again || !announcer_is_here(announcing->announcer))
		net_loop_stop(process->loop);
	else
		net_timer_set(process->loop, &announcing->deadline,
		    LIMIT_VALUE_ANNOUNCE_LEAVE_MS);
}

static void
on_reopen(struct process *process)
{
	(void)process; /* no log of its own */
}

static bool
read_flags(struct announcing *announcing)
{
	const struct flags *flags = announcing->process.flags;

	if (flags->counts[FLAG_ANNOUNCER_INTERFACE] == 0) {
		fputs("yumen announcer: name the interfaces that addresses are "
		      "announced on: --interface NAME\n",
		    stderr);
		return false;
	}
	announcing->to.gateway = STREAM_ANNOUNCERS;
	if (!controlled_read_flags(&announcing->to, &announcing->process) ||
	    !flags_number(flags, FLAG_ANNOUNCER_PORT, PORT_DEFAULT, 1,
	        UINT16_MAX, &announcing->port) ||
	    !process_read_flags(&announcing->process))
		return false;
	size_t length = strlen(announcing->to.name);
	if (length > 0 && length <= WIRE_BEAT_NODE_BYTES)
		return true;
	fprintf(stderr,
	    "yumen announcer: --node: a name of 1 to %d bytes is wanted\n",
	    WIRE_BEAT_NODE_BYTES);
	return false;
}

static bool
tell(const struct announcing *announcing, const char *interface,
    enum error error)
{
	bool takes =
	    flags_value(announcing->process.flags, FLAG_ANNOUNCER_TAKE) != NULL;
	const char *why = announcing_why_not(error);
	struct net_address address;

	if (error == ERROR_DENIED)
		why = announcing_lacks(interface != NULL, takes);
	if (error == ERROR_NOT_FOUND &&
	    net_address_parse(slice_from_string(interface), 0, &address) ==
	        ERROR_OK)
		why = "no interface has this address; `ip addr` lists those "
		      "that there are";
	if (error == ERROR_LIMIT)
		why = "these are more interfaces than one announcer has; name "
		      "those that addresses are announced on";
	fprintf(stderr, "yumen announcer: %s%s: %s\n",
	    interface != NULL ? "--interface " : "not announcing",
	    interface != NULL ? interface : "", why);
	return false;
}

static bool
add_link(struct announcing *announcing, const char *name)
{
	struct net_address address;
	char found[IF_NAMESIZE];

	if (net_address_parse(slice_from_string(name), 0, &address) ==
	        ERROR_OK &&
	    net_link_of(&address, found))
		name = found;
	enum error error = announcer_add_link(announcing->announcer, name);
	return error == ERROR_OK || tell(announcing, name, error);
}

/* Those that lead out, as they are now. */
static bool
add_links(struct announcing *announcing)
{
	char names[LIMIT_VALUE_ANNOUNCE_LINKS][IF_NAMESIZE];
	unsigned count = net_link_outer(names, LIMIT_VALUE_ANNOUNCE_LINKS);

	if (count == 0)
		return tell(announcing, EVERY_INTERFACE, ERROR_NOT_FOUND);
	if (count > LIMIT_VALUE_ANNOUNCE_LINKS)
		return tell(announcing, EVERY_INTERFACE, ERROR_LIMIT);
	for (unsigned i = 0; i < count; i++)
		if (!add_link(announcing, names[i]))
			return false;
	return true;
}

static bool
open_announcer(struct announcing *announcing)
{
	const struct flags *flags = announcing->process.flags;
	struct announcer_options options = {
	    .loop = announcing->process.loop,
	    .takes = flags_value(flags, FLAG_ANNOUNCER_TAKE) != NULL,
	    .node = slice_from_string(announcing->to.name),
	    .keys = &announcing->keys.keys,
	    .port = (uint16_t)announcing->port,
	    .on_change = on_change,
	    .context = announcing,
	};
	enum error error = announcer_new(&options, &announcing->announcer);

	if (error != ERROR_OK)
		return tell(announcing, NULL, error);
	for (unsigned i = 0; i < flags->counts[FLAG_ANNOUNCER_INTERFACE]; i++) {
		const char *name = flags->values[FLAG_ANNOUNCER_INTERFACE][i];

		if (!(strcmp(name, EVERY_INTERFACE) == 0
		            ? add_links(announcing)
		            : add_link(announcing, name)))
			return false;
	}
	return true;
}

static void
show_live(void *context, struct http_exchange *exchange, struct slice query)
{
	(void)context;
	(void)query;
	admin_answer(
	    exchange, 200, "text/plain; charset=utf-8", SLICE("live\n"));
}

static void
show_ready(void *context, struct http_exchange *exchange, struct slice query)
{
	const struct announcing *announcing = context;
	bool ready = announcing->announced && !announcing->leaving;
	struct stream_client_facts facts;
	struct text body;

	(void)query;
	text_init(&body);
	stream_client_facts(announcing->to.stream, &facts);
	if (ready)
		text_push_string(&body, "ready\n");
	else if (announcing->leaving)
		text_push_string(&body, "what is held is handed over\n");
	else
		text_printf(&body, "not all claims are there yet%s%s\n",
		    facts.why != NULL ? "; the controller: " : "",
		    facts.why != NULL ? facts.why : "");
	admin_answer(exchange, ready ? 200 : 503, "text/plain; charset=utf-8",
	    text_slice(&body));
	text_fini(&body);
}

static void
register_pages(struct announcing *announcing)
{
	struct admin *admin = announcing->process.server;

	admin_add_page(admin, "/livez", "200 while the process runs", show_live,
	    announcing);
	admin_add_page(admin, "/readyz",
	    "200 when all claims are there and nothing is handed over",
	    show_ready, announcing);
}

static bool
open_all(struct announcing *announcing)
{
	struct process *process = &announcing->process;

	if (!process_open(process))
		return false;
	register_pages(announcing);
	net_timer_init(&announcing->deadline, on_deadline);
	net_timer_init(&announcing->look, on_look);
	announcing->feed = feed_new();
	feed_on_offer(announcing->feed, process_wake, process);
	feed_on_reply(announcing->feed, process_wake, process);
	if (!open_announcer(announcing))
		return false;
	announce_claims_init(
	    &announcing->claims, announcing->announcer, announcing->feed);
	if (!controlled_open(&announcing->to, process, announcing->feed))
		return false;
	announcing->told_ms = net_loop_now_ms(process->loop);
	net_timer_set(process->loop, &announcing->look, LOOK_MS);
	return true;
}

static void
close_all(struct announcing *announcing)
{
	admin_free(&announcing->process.server);
	stream_client_free(&announcing->to.stream);
	if (announcing->claims.feed != NULL)
		announce_claims_fini(&announcing->claims);
	announcer_free(&announcing->announcer);
	if (announcing->feed != NULL)
		feed_free(announcing->feed);
	process_close(&announcing->process);
	heartbeat_keys_close(&announcing->keys);
}

int
command_announcer(const struct flags *flags)
{
	struct announcing announcing = {
	    .process = {.flags = flags,
	        .command = "yumen announcer",
	        .log_level = FLAG_ANNOUNCER_LOG_LEVEL,
	        .log_format = FLAG_ANNOUNCER_LOG_FORMAT,
	        .socket = FLAG_ANNOUNCER_SOCKET,
	        .admin = FLAG_ANNOUNCER_ADMIN,
	        .on_stop = on_stop,
	        .on_reopen = on_reopen,
	        .on_wake = on_wake},
	    .to = {.controller = FLAG_ANNOUNCER_CONTROLLER,
	        .ca = FLAG_ANNOUNCER_CA,
	        .token_file = FLAG_ANNOUNCER_TOKEN_FILE,
	        .server_name = FLAG_ANNOUNCER_SERVER_NAME,
	        .name_flag = FLAG_ANNOUNCER_NODE,
	        .copy = FLAG_ANNOUNCER_COPY},
	    .status = 1,
	};

	if (!read_flags(&announcing) ||
	    !heartbeat_keys_open(
	        &announcing.keys, flags_value(flags, FLAG_ANNOUNCER_KEY_FILE)))
		return 2;
	if (open_all(&announcing) &&
	    net_loop_run(announcing.process.loop) == ERROR_OK) {
		announcing.status = 0;
		log_event(LOG_RUN_STOPPED, LOG_NUMBER("pid", getpid()));
	}
	close_all(&announcing);
	return announcing.status;
}
