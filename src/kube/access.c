/* Reads a kubeconfig as far as a program has use for it: no passwords, no
 * helpers of clouds that are no plugins, and no server whose certificate nobody
 * looks at. */
#include "kube/access.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "wire/base64.h"
#include "wire/tree.h"

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount/"
#define PORT_MAX 65535

enum error
kube_part_read(const struct kube_part *part, struct text *out)
{
	must(part != NULL && out != NULL);
	if (part->path != NULL)
		return file_read(part->path, LIMIT_VALUE_PEM_BYTES, out);
	text_push(out, part->bytes);
	return ERROR_OK;
}

static void
wipe(struct kube_part *part)
{
	union {
		const char *read;
		char *write;
	} bytes = {.read = part->bytes.data};

	if (bytes.read != NULL)
		memory_wipe(bytes.write, part->bytes.length);
}

void
kube_access_fini(struct kube_access *access)
{
	must(access != NULL);
	wipe(&access->key);
	wipe(&access->token);
	arena_fini(&access->arena);
}

static const char *
keep(struct kube_access *access, struct slice text)
{
	return arena_copy(&access->arena, text).data;
}

/* ---- the pod's own ---- */

bool
kube_access_is_in_cluster(void)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");

	return host != NULL && host[0] != '\0' && port != NULL &&
	    port[0] != '\0';
}

enum error
kube_access_in_cluster(struct kube_access *access, struct text *why)
{
	must(access != NULL && why != NULL && kube_access_is_in_cluster());
	struct text namespace;
	uint64_t port;

	*access = (struct kube_access){.prefix = SLICE("")};
	arena_init(&access->arena, 1024);
	access->host =
	    keep(access, slice_from_string(getenv("KUBERNETES_SERVICE_HOST")));
	access->server_name = access->host;
	access->authority.path = POD_FOLDER "ca.crt";
	access->token.path = POD_FOLDER "token";
	access->namespace = SLICE("default");
	if (!slice_to_number(
	        slice_from_string(getenv("KUBERNETES_SERVICE_PORT")), PORT_MAX,
	        &port)) {
		text_push_string(why, "KUBERNETES_SERVICE_PORT is no port");
		return ERROR_INVALID;
	}
	access->port = (uint16_t)port;
	text_init(&namespace);
	if (file_read(POD_FOLDER "namespace", 256, &namespace) == ERROR_OK &&
	    namespace.length > 0)
		access->namespace =
		    arena_copy(&access->arena, text_slice(&namespace));
	text_fini(&namespace);
	return ERROR_OK;
}

/* ---- a kubeconfig ---- */

struct reading {
	struct kube_access *access;
	struct slice folder;
	struct text *why;
	const struct tree_node *root;
	struct arena arena; /* of the tree */
};

static struct slice
text_of(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = map != NULL && map->kind == TREE_MAP
	    ? wire_tree_get(map, key)
	    : NULL;

	return node != NULL && node->kind == TREE_TEXT && node->text.length > 0
	    ? node->text
	    : SLICE_NONE;
}

static bool
is_true(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = wire_tree_get(map, key);

	return node != NULL && node->kind == TREE_BOOL && node->integer != 0;
}

/* In the list (clusters, users, contexts) what stands by this name under key
 * (cluster, user, context). */
static const struct tree_node *
find(struct reading *reading, const char *list_name, const char *key,
    struct slice name)
{
	const struct tree_node *list = wire_tree_get(reading->root, list_name);

	for (const struct tree_node *at = list != NULL ? list->child : NULL;
	     at != NULL; at = at->next) {
		const struct tree_node *found =
		    at->kind == TREE_MAP ? wire_tree_get(at, key) : NULL;

		if (found != NULL && found->kind == TREE_MAP &&
		    slice_equal(text_of(at, "name"), name))
			return found;
	}
	text_printf(
	    reading->why, "it has no %s \"%.*s\"", key, SLICE_ARGS(name));
	return NULL;
}

static const char *
keep_path(struct reading *reading, struct slice path)
{
	struct arena *arena = &reading->access->arena;

	if (path.data[0] == '/' || reading->folder.length == 0)
		return arena_copy(arena, path).data;
	return arena_format(
	    arena, "%.*s/%.*s", SLICE_ARGS(reading->folder), SLICE_ARGS(path))
	    .data;
}

/* name-data, in base64, comes before name, a file. */
static bool
read_part(struct reading *reading, const struct tree_node *map,
    const char *name, struct kube_part *part)
{
	struct slice path = text_of(map, name), data;
	struct text bytes;
	char key[64];
	bool good = true;

	snprintf(key, sizeof(key), "%s-data", name);
	data = text_of(map, key);
	if (slice_is_set(data)) {
		text_init(&bytes);
		good = wire_base64_take(&bytes, data);
		part->bytes =
		    arena_copy(&reading->access->arena, text_slice(&bytes));
		text_wipe(&bytes);
		if (!good)
			text_printf(reading->why, "%s is no base64", key);
	} else if (slice_is_set(path)) {
		part->path = keep_path(reading, path);
	}
	return good;
}

/* https://HOST[:PORT][/PREFIX] */
static bool
read_server(struct reading *reading, struct slice url)
{
	struct kube_access *access = reading->access;
	struct slice host, port = SLICE_NONE;
	uint64_t number;

	access->plain = slice_starts_with(url, SLICE("http://"));
	if (!access->plain && !slice_starts_with(url, SLICE("https://")))
		return false;
	url = slice_skip(url, access->plain ? 7 : 8);
	host = slice_make(url.data, slice_find(url, '/'));
	access->prefix =
	    arena_copy(&access->arena, slice_skip(url, host.length));
	while (slice_ends_with(access->prefix, SLICE("/")))
		access->prefix.length--;
	number = access->plain ? 80 : 443;
	if (host.length > 0 && host.data[0] == '[') {
		size_t end = slice_find(host, ']');

		if (end == host.length)
			return false;
		port = slice_skip(host, end + 1);
		host = slice_make(host.data + 1, end - 1);
		if (port.length > 0 && port.data[0] != ':')
			return false;
	} else if (slice_find(host, ':') < host.length) {
		port = slice_skip(host, slice_find(host, ':'));
		host.length -= port.length;
	}
	if (host.length == 0 ||
	    (port.length > 0 &&
	        (!slice_to_number(slice_skip(port, 1), PORT_MAX, &number) ||
	            number == 0)))
		return false;
	access->host = keep(access, host);
	access->port = (uint16_t)number;
	return true;
}

static bool
read_cluster(struct reading *reading, const struct tree_node *cluster)
{
	struct kube_access *access = reading->access;
	struct slice name = text_of(cluster, "tls-server-name");

	if (!read_server(reading, text_of(cluster, "server"))) {
		text_push_string(reading->why, "server is no URL");
		return false;
	}
	if (is_true(cluster, "insecure-skip-tls-verify")) {
		text_push_string(reading->why,
		    "insecure-skip-tls-verify is not done: name the authority "
		    "of the server's certificate");
		return false;
	}
	if (slice_is_set(text_of(cluster, "proxy-url"))) {
		text_push_string(reading->why, "proxy-url is not supported");
		return false;
	}
	access->server_name =
	    slice_is_set(name) ? keep(access, name) : access->host;
	return read_part(
	    reading, cluster, "certificate-authority", &access->authority);
}

static unsigned
count_of(const struct tree_node *list)
{
	return list != NULL && list->kind == TREE_LIST ? list->count : 0;
}

static bool
read_plugin(struct reading *reading, const struct tree_node *map)
{
	struct kube_access *access = reading->access;
	struct arena *arena = &access->arena;
	struct kube_plugin *plugin = arena_zero(arena, 1, sizeof(*plugin));
	struct slice command = text_of(map, "command");
	const struct tree_node *list = wire_tree_get(map, "args");
	unsigned count = 0;

	if (!slice_is_set(command)) {
		text_push_string(reading->why, "exec has no command");
		return false;
	}
	/* As a shell would: a name without a slash is looked for in PATH. */
	bool is_name = slice_find(command, '/') == command.length;

	plugin->arguments =
	    arena_zero(arena, count_of(list) + 2, sizeof(*plugin->arguments));
	plugin->arguments[count++] = is_name ? arena_copy(arena, command).data
	                                     : keep_path(reading, command);
	if (count_of(list) > 0)
		for (const struct tree_node *at = list->child; at != NULL;
		     at = at->next)
			plugin->arguments[count++] =
			    arena_format(arena, "%.*s", SLICE_ARGS(at->text))
			        .data;
	list = wire_tree_get(map, "env");
	count = 0;
	plugin->settings =
	    arena_zero(arena, count_of(list) + 1, sizeof(*plugin->settings));
	if (count_of(list) > 0)
		for (const struct tree_node *at = list->child; at != NULL;
		     at = at->next)
			plugin->settings[count++] = arena_format(arena,
			    "%.*s=%.*s", SLICE_ARGS(text_of(at, "name")),
			    SLICE_ARGS(text_of(at, "value")))
			                                .data;
	plugin->api_version = keep(access, text_of(map, "apiVersion"));
	if (plugin->api_version == NULL)
		plugin->api_version = "client.authentication.k8s.io/v1";
	access->plugin = plugin;
	return true;
}

static bool
read_user(struct reading *reading, const struct tree_node *user)
{
	struct kube_access *access = reading->access;
	struct slice token = text_of(user, "token"),
	             file = text_of(user, "tokenFile");
	const struct tree_node *plugin = wire_tree_get(user, "exec");

	if (slice_is_set(file))
		access->token.path = keep_path(reading, file);
	else if (slice_is_set(token))
		access->token.bytes = arena_copy(&access->arena, token);
	if (plugin != NULL && plugin->kind == TREE_MAP &&
	    !read_plugin(reading, plugin))
		return false;
	return read_part(
	           reading, user, "client-certificate", &access->certificate) &&
	    read_part(reading, user, "client-key", &access->key);
}

static bool
read_all(struct reading *reading, struct slice name)
{
	struct slice namespace;
	const struct tree_node *context, *cluster, *user;

	if (!slice_is_set(name))
		name = text_of(reading->root, "current-context");
	if (!slice_is_set(name)) {
		text_push_string(reading->why,
		    "it has no current-context: name one with --context");
		return false;
	}
	context = find(reading, "contexts", "context", name);
	if (context == NULL)
		return false;
	cluster =
	    find(reading, "clusters", "cluster", text_of(context, "cluster"));
	if (cluster == NULL || !read_cluster(reading, cluster))
		return false;
	namespace = text_of(context, "namespace");
	reading->access->namespace = slice_is_set(namespace)
	    ? arena_copy(&reading->access->arena, namespace)
	    : SLICE("default");
	if (!slice_is_set(text_of(context, "user")))
		return true;
	user = find(reading, "users", "user", text_of(context, "user"));
	return user != NULL && read_user(reading, user);
}

static bool
on_document(void *context, struct tree_node *root)
{
	struct reading *reading = context;

	reading->root = root;
	return false;
}

enum error
kube_access_parse(struct kube_access *access, struct slice text,
    struct slice folder, const char *context, struct text *why)
{
	must(access != NULL && why != NULL);
	struct reading reading = {
	    .access = access, .folder = folder, .why = why};
	struct tree_fault fault = {.line = 0};
	enum error error;

	*access = (struct kube_access){.prefix = SLICE("")};
	arena_init(&access->arena, 4096);
	arena_init(&reading.arena, 4096);
	error = wire_tree_parse(
	    text, &reading.arena, on_document, &reading, &fault);
	if (reading.root == NULL || reading.root->kind != TREE_MAP) {
		text_printf(why, "it is no kubeconfig: %s",
		    error != ERROR_OK ? fault.text : "a map was expected");
		error = ERROR_INVALID;
	} else {
		error = read_all(&reading, slice_from_string(context))
		    ? ERROR_OK
		    : ERROR_INVALID;
	}
	arena_wipe(&reading.arena);
	if (error != ERROR_OK)
		kube_access_fini(access);
	return error;
}

enum error
kube_access_read(struct kube_access *access, const char *path,
    const char *context, struct text *why)
{
	must(access != NULL && path != NULL && why != NULL);
	struct slice folder = slice_from_string(path);
	struct text text;

	while (folder.length > 0 && folder.data[folder.length - 1] != '/')
		folder.length--;
	if (folder.length > 1)
		folder.length--;
	text_init(&text);
	enum error error = file_read(path, LIMIT_VALUE_KUBE_REST_BYTES, &text);

	if (error != ERROR_OK)
		text_push_string(why, error_text(error));
	else
		error = kube_access_parse(
		    access, text_slice(&text), folder, context, why);
	text_wipe(&text);
	return error;
}
