/* yumen controller: ctl, and the stream to its proxies; it serves no traffic.
 * This thread is the control loop: signals, the admin server, the stream. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/controller_cluster.h"
#include "cmd/deciding.h"
#include "cmd/process.h"
#include "cmd/stream_identity.h"
#include "cmd/stream_page.h"
#include "cmd/stream_review.h"
#include "cmd/stream_secret.h"
#include "core/log.h"

struct controller {
	struct process process;
	struct feed *feed;
	struct deciding deciding;
	struct stream_server *stream;
	struct stream_identity identity;
	struct stream_page page;
	struct controller_cluster cluster;
	struct kube_client *client; /* of this thread; NULL: none */
	struct stream_secret secret;
	struct stream_reviews *reviews;
	char host[256];
};

static struct controller *
of_process(struct process *process)
{
	return container_of(process, struct controller, process);
}

static void
take_leader(struct controller *controller)
{
	struct text leader;

	text_init(&leader);
	ctl_leader(controller->deciding.ctl, &leader);
	stream_server_lead(controller->stream, text_slice(&leader),
	    controller_cluster_address(text_slice(&leader)));
	text_fini(&leader);
}

static void
on_wake(struct process *process)
{
	struct controller *controller = of_process(process);

	if (controller->stream != NULL)
		stream_server_wake(controller->stream);
	if (controller->deciding.ctl != NULL) {
		ctl_wake(controller->deciding.ctl);
		take_leader(controller);
	}
}

static void
on_reopen(struct process *process)
{
	(void)process;
}

/* The proxies serve on and come back to the next one. */
static void
on_stop(struct process *process, bool again)
{
	(void)again;
	net_loop_stop(process->loop);
}

static void
judge(void *context, const struct stream_claim *claim)
{
	struct controller *controller = context;

	if (controller->reviews != NULL) {
		stream_reviews_judge(controller->reviews, claim);
		return;
	}
	stream_tokens_judge(controller->stream,
	    flags_value(
	        controller->process.flags, FLAG_CONTROLLER_STREAM_TOKENS),
	    claim);
}

static bool
read_flags(struct controller *controller)
{
	const struct flags *flags = controller->process.flags;
	static const struct {
		enum flag flag;
		const char *wanted;
	} needed[] = {
	    {FLAG_CONTROLLER_STREAM_LISTEN,
	        "name the address that proxies connect to: --stream-listen"},
	    {FLAG_CONTROLLER_STREAM_AUTHORITY,
	        "name the folder of the stream's authority: "
	        "--stream-authority"},
	    {FLAG_CONTROLLER_STREAM_TOKENS,
	        "name the file of the proxies' tokens: --stream-tokens"},
	};

	if (!process_read_flags(&controller->process) ||
	    !controller_cluster_read(&controller->cluster, flags))
		return false;
	for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (flags->counts[needed[i].flag] > 0 ||
		    (i > 0 && controller->cluster.makes_proxies))
			continue;
		fprintf(stderr, "yumen controller: %s\n", needed[i].wanted);
		return false;
	}
	return true;
}

/* The names that the certificate has. */
static void
add_names(struct controller *controller)
{
	const struct flags *flags = controller->process.flags;
	unsigned count = flags->counts[FLAG_CONTROLLER_STREAM_NAME];

	if (controller->cluster.makes_proxies)
		stream_identity_name(
		    &controller->identity, controller->cluster.server_name);
	for (unsigned i = 0; i < count; i++)
		stream_identity_name(&controller->identity,
		    flags->values[FLAG_CONTROLLER_STREAM_NAME][i]);
	if (count > 0)
		return;
	stream_identity_name(&controller->identity, "localhost");
	stream_identity_name(&controller->identity, "127.0.0.1");
	stream_identity_name(&controller->identity, "::1");
	if (gethostname(controller->host, sizeof(controller->host) - 1) == 0)
		stream_identity_name(&controller->identity, controller->host);
}

static bool
listen_all(struct controller *controller)
{
	const struct flags *flags = controller->process.flags;

	for (unsigned i = 0; i < flags->counts[FLAG_CONTROLLER_STREAM_LISTEN];
	     i++) {
		const char *value =
		    flags->values[FLAG_CONTROLLER_STREAM_LISTEN][i];
		struct net_address address;
		char text[NET_ADDRESS_TEXT];

		if (!command_address(value, "--stream-listen", &address))
			return false;
		enum error error =
		    stream_server_listen(controller->stream, &address);

		if (error != ERROR_OK) {
			fprintf(stderr,
			    "yumen controller: --stream-listen %s: %s\n", value,
			    error_text(error));
			return false;
		}
		net_address_format(&address, text);
		log_event(LOG_STREAM_LISTENING, LOG_STRING("address", text));
	}
	return true;
}

/* The cluster says who the stream is, and who its proxies are. */
static bool
open_cluster_identity(struct controller *controller)
{
	struct stream_reviews_options options = {
	    .server = controller->stream, .ctl = &controller->deciding.ctl};
	enum error error = kube_client_new(controller->process.loop,
	    &controller->cluster.access, &controller->client);

	if (error != ERROR_OK) {
		fprintf(stderr, "yumen controller: %s\n", error_text(error));
		return false;
	}
	options.client = controller->client;
	options.announcers = slice_from_string(controller->cluster.announcers);
	controller->reviews = stream_reviews_new(&options);
	stream_secret_open(
	    &controller->secret, controller->client, &controller->identity);
	return true;
}

static bool
open_stream(struct controller *controller)
{
	struct process *process = &controller->process;
	struct stream_server_options options = {
	    .loop = process->loop,
	    .feed = controller->feed,
	    .judge = judge,
	    .context = controller,
	};
	enum error error = stream_server_new(&options, &controller->stream);

	if (error != ERROR_OK) {
		fprintf(stderr, "yumen controller: stream: %s\n",
		    error_text(error));
		return false;
	}
	controller->identity.loop = process->loop;
	controller->identity.server = controller->stream;
	controller->identity.folder =
	    flags_value(process->flags, FLAG_CONTROLLER_STREAM_AUTHORITY);
	add_names(controller);
	stream_page_register(
	    &controller->page, controller->stream, process->server);
	if (!controller->cluster.makes_proxies)
		return stream_identity_open(&controller->identity) &&
		    listen_all(controller);
	return open_cluster_identity(controller) && listen_all(controller);
}

static bool
open_ctl(struct controller *controller)
{
	struct deciding *deciding = &controller->deciding;
	struct ctl_options *options = &deciding->options;

	deciding_init(deciding, &controller->process, controller->feed);
	if (controller->cluster.used) {
		options->cluster = &controller->cluster.access;
		options->lease = controller->cluster.lease;
		options->identity =
		    slice_from_string(controller->cluster.identity);
		options->stream_secret = controller->cluster.makes_proxies;
		if (controller->cluster.makes_proxies) {
			options->gw.fleet = &controller->cluster.fleet;
			options->gw.carries |= GW_CARRY_FLEETS;
		}
		options->gw.namespaces_implied = false;
		options->gw.classes_told = true;
		options->gw.addressing = GW_ADDRESSING_CLUSTER;
		options->gw.takes_unclassed =
		    controller->process.flags
		        ->counts[FLAG_CONTROLLER_UNCLASSED] > 0;
		options->gw.forwards =
		    controller->process.flags
		        ->counts[FLAG_CONTROLLER_ANNOUNCERS_FORWARD] > 0;
		options->gw.takes_excluded =
		    controller->process.flags
		        ->counts[FLAG_CONTROLLER_IGNORE_EXCLUDE_LB] > 0;
		options->gw.pool_namespaces =
		    controller->cluster.pool_namespaces;
		options->gw.pool_namespace_count = CONTROLLER_POOL_NAMESPACES;
		if (options->gw.controller_name_count == 0) {
			deciding->controller_names[0] = SLICE(GW_CONTROLLER);
			options->gw.controller_name_count = 1;
		}
	}
	return deciding_open(deciding, &controller->process);
}

static bool
open_all(struct controller *controller)
{
	struct process *process = &controller->process;

	if (!process_open(process))
		return false;
	controller->feed = feed_new();
	feed_on_offer(controller->feed, process_wake, process);
	return open_stream(controller) && open_ctl(controller);
}

static void
close_all(struct controller *controller)
{
	/* ctl first: it has exchanges of the admin server in hand. */
	ctl_free(&controller->deciding.ctl);
	admin_free(&controller->process.server);
	stream_identity_close(&controller->identity);
	stream_secret_close(&controller->secret);
	stream_reviews_free(&controller->reviews);
	if (controller->client != NULL)
		kube_client_free(&controller->client);
	stream_server_free(&controller->stream);
	if (controller->feed != NULL)
		feed_free(controller->feed);
	process_close(&controller->process);
	controller_cluster_fini(&controller->cluster);
}

int
command_controller(const struct flags *flags)
{
	static struct controller controller;
	int status = 1;

	controller.process = (struct process){
	    .flags = flags,
	    .command = "yumen controller",
	    .log_level = FLAG_CONTROLLER_LOG_LEVEL,
	    .log_format = FLAG_CONTROLLER_LOG_FORMAT,
	    .socket = FLAG_CONTROLLER_SOCKET,
	    .admin = FLAG_CONTROLLER_ADMIN,
	    .on_stop = on_stop,
	    .on_reopen = on_reopen,
	    .on_wake = on_wake,
	};
	controller.deciding.file = FLAG_CONTROLLER_FILE;
	controller.deciding.controller_name = FLAG_CONTROLLER_CONTROLLER_NAME;
	controller.deciding.addresses = FLAG_CONTROLLER_ADDRESSES;
	/* One heap each for ctl and the server, which allocate together where
	 * much changes. */
	mallopt(M_ARENA_MAX, 2);
	if (!read_flags(&controller))
		return 2;
	if (open_all(&controller) &&
	    net_loop_run(controller.process.loop) == ERROR_OK) {
		status = 0;
		log_event(LOG_RUN_STOPPED, LOG_NUMBER("pid", getpid()));
	}
	close_all(&controller);
	return status;
}
