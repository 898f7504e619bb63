/* One run at a time: the program writes an ExecCredential to a pipe that the
 * loop watches, and its end is what it wrote. */
#include "kube/plugin_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "wire/tree_json.h"

extern char **environ;

struct kube_plugin_run {
	struct net_loop *loop;
	const struct kube_plugin *plugin;
	void (*on_done)(void *context);
	void *context;
	struct net_watch watch; /* fd -1: it does not run */
	struct net_timer timer;
	pid_t pid;
	struct text said;
	uint64_t tried_ms; /* when it last ended; 0: never */
	struct text token, certificate, key;
	bool good;
	int64_t expires; /* seconds since 1970; 0: it does not say */
};

static void
take_text(const struct tree_node *map, const char *key, struct text *out)
{
	const struct tree_node *node = wire_tree_get(map, key);

	text_wipe(out);
	if (node != NULL && node->kind == TREE_TEXT)
		text_push(out, node->text);
}

static void
take_credential(struct kube_plugin_run *run)
{
	struct arena arena;
	const struct tree_node *root, *status = NULL, *expires;

	arena_init(&arena, 4096);
	root = wire_tree_from_json(text_slice(&run->said), &arena);
	if (root != NULL && root->kind == TREE_MAP)
		status = wire_tree_get(root, "status");
	run->good = status != NULL && status->kind == TREE_MAP;
	if (run->good) {
		take_text(status, "token", &run->token);
		take_text(status, "clientCertificateData", &run->certificate);
		take_text(status, "clientKeyData", &run->key);
		run->good = run->token.length > 0 ||
		    (run->certificate.length > 0 && run->key.length > 0);
		expires = wire_tree_get(status, "expirationTimestamp");
		run->expires = 0;
		if (expires != NULL && expires->kind == TREE_TEXT)
			(void)clock_parse(expires->text, &run->expires);
	}
	arena_wipe(&arena);
}

/* It has ended, or its time is over. */
static void
end(struct kube_plugin_run *run, bool whole)
{
	int status = 0;
	uint64_t now_ms = net_loop_now_ms(run->loop);

	net_loop_remove(run->loop, &run->watch);
	close(run->watch.fd);
	run->watch.fd = -1;
	net_timer_clear(&run->timer);
	/* Whoever has closed its output has nothing to do any more. */
	if (!whole)
		(void)kill(run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	run->tried_ms = now_ms > 0 ? now_ms : 1;
	run->good = false;
	if (whole && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		take_credential(run);
	text_wipe(&run->said);
	if (!run->good)
		log_event(LOG_KUBE_PLUGIN_FAILED,
		    LOG_STRING("program", run->plugin->arguments[0]),
		    LOG_NUMBER("status",
		        WIFEXITED(status) ? WEXITSTATUS(status) : -1));
	run->on_done(run->context);
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct kube_plugin_run *run =
	    container_of(watch, struct kube_plugin_run, watch);

	(void)events;
	while (run->said.length < LIMIT_VALUE_KUBE_REST_BYTES) {
		char *room = text_reserve(&run->said, 4096);
		ssize_t got = read(run->watch.fd, room, 4096);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			end(run, got == 0);
			return;
		}
		text_advance(&run->said, (size_t)got);
	}
	end(run, false);
}

static void
on_timer(struct net_timer *timer)
{
	end(container_of(timer, struct kube_plugin_run, timer), false);
}

/* What the program is told, as the protocol has it. */
static char **
make_settings(const struct kube_plugin *plugin, struct text *info)
{
	unsigned count = 0, own = 0;
	char **settings;

	while (environ[count] != NULL)
		count++;
	while (plugin->settings[own] != NULL)
		own++;
	settings = memory_zero(count + own + 2, sizeof(*settings));
	text_printf(info,
	    "KUBERNETES_EXEC_INFO={\"apiVersion\":\"%s\",\"kind\":"
	    "\"ExecCredential\",\"spec\":{\"interactive\":false}}",
	    plugin->api_version);
	settings[0] = info->data;
	for (unsigned i = 0; i < own; i++)
		memcpy(&settings[1 + i], &plugin->settings[i],
		    sizeof(settings[0]));
	memcpy(settings + 1 + own, environ, count * sizeof(*settings));
	return settings;
}

static int
spawn(struct kube_plugin_run *run, int output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	struct text info;
	char **settings;
	char *const *arguments;

	text_init(&info);
	settings = make_settings(run->plugin, &info);
	memcpy(&arguments, &run->plugin->arguments, sizeof(arguments));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(
	    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	/* Signals are blocked in this thread, and not for the program. */
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	int failed = posix_spawnp(&run->pid, arguments[0], &actions,
	    &attributes, arguments, settings);

	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	memory_free(settings);
	text_fini(&info);
	return failed;
}

static void
start(struct kube_plugin_run *run)
{
	int ends[2];
	enum error error = ERROR_OK;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return;
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	int failed = spawn(run, ends[1]);

	close(ends[1]);
	if (failed == 0) {
		run->watch.fd = ends[0];
		error = net_loop_add(run->loop, &run->watch);
		if (error == ERROR_OK) {
			net_timer_set(
			    run->loop, &run->timer, LIMIT_VALUE_KUBE_PLUGIN_MS);
			return;
		}
		(void)kill(run->pid, SIGKILL);
		(void)waitpid(run->pid, NULL, 0);
	}
	run->watch.fd = -1;
	close(ends[0]);
	run->tried_ms = net_loop_now_ms(run->loop);
	log_event(LOG_KUBE_PLUGIN_FAILED,
	    LOG_STRING("program", run->plugin->arguments[0]),
	    LOG_STRING(
	        "why", failed != 0 ? strerror(failed) : error_text(error)));
}

struct kube_plugin_run *
kube_plugin_run_new(struct net_loop *loop, const struct kube_plugin *plugin,
    void (*on_done)(void *context), void *context)
{
	must(loop != NULL && plugin != NULL && on_done != NULL);
	struct kube_plugin_run *run = memory_zero(1, sizeof(*run));

	run->loop = loop;
	run->plugin = plugin;
	run->on_done = on_done;
	run->context = context;
	run->watch.fd = -1;
	run->watch.on_ready = on_ready;
	net_timer_init(&run->timer, on_timer);
	text_init(&run->said);
	text_init(&run->token);
	text_init(&run->certificate);
	text_init(&run->key);
	return run;
}

void
kube_plugin_run_free(struct kube_plugin_run **run)
{
	struct kube_plugin_run *old = *run;

	*run = NULL;
	if (old->watch.fd >= 0) {
		net_loop_remove(old->loop, &old->watch);
		close(old->watch.fd);
		(void)kill(old->pid, SIGKILL);
		(void)waitpid(old->pid, NULL, 0);
	}
	net_timer_clear(&old->timer);
	struct text *texts[] = {
	    &old->said, &old->token, &old->certificate, &old->key};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		text_wipe(texts[i]);
	memory_free(old);
}

bool
kube_plugin_is_ready(struct kube_plugin_run *run, uint64_t now_ms)
{
	if (run->good &&
	    (run->expires == 0 || clock_wall_ms() / 1000 < run->expires))
		return true;
	if (run->watch.fd < 0 &&
	    (run->tried_ms == 0 ||
	        now_ms - run->tried_ms >= LIMIT_VALUE_KUBE_RETRY_MAX_MS))
		start(run);
	return false;
}

void
kube_plugin_doubt(struct kube_plugin_run *run, uint64_t now_ms)
{
	/* One that was just made is not made better by another. */
	if (now_ms - run->tried_ms >= LIMIT_VALUE_KUBE_RETRY_MAX_MS)
		run->good = false;
}

struct slice
kube_plugin_token(const struct kube_plugin_run *run)
{
	return run->token.length > 0 ? text_slice(&run->token) : SLICE_NONE;
}

bool
kube_plugin_identity(const struct kube_plugin_run *run,
    struct slice *certificate_pem, struct slice *key_pem)
{
	*certificate_pem = text_slice(&run->certificate);
	*key_pem = text_slice(&run->key);
	return run->certificate.length > 0 && run->key.length > 0;
}
