/* A row an object that the API has, by kind and name, with hashes of what it
 * says and of what its status says: an object that comes as it was (a new list,
 * our own write of a status) costs a hash. */
#include "ctl/cluster_priv.h"

#include <stdio.h>

#include "core/limit.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "ctl/event_priv.h"
#include "gw/admit.h"
#include "gw/stored.h"
#include "wire/tree_json.h"

#define ARENA_BYTES 65536
#define SELECTOR_SECRETS \
	"type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token," \
	"type!=kubernetes.io/dockerconfigjson"

static void on_begin(struct kube_follow *follow);
static void on_end(struct kube_follow *follow);
static void on_object(struct kube_follow *follow, struct tree_node *object);
static void on_gone(struct kube_follow *follow, struct tree_node *object);
static void on_trouble(struct kube_follow *follow,
    enum kube_follow_trouble trouble, struct slice why);
static void on_lease(void *context, bool leads, struct slice holder);

static const struct kube_follow_handler follow_handler = {
    .on_begin = on_begin,
    .on_end = on_end,
    .on_object = on_object,
    .on_gone = on_gone,
    .on_trouble = on_trouble,
};

/* ---- rows ---- */

static void
set_refused(
    struct ctl_cluster *cluster, struct ctl_object_row *row, bool refused)
{
	if (row->refused == refused)
		return;
	row->refused = refused;
	cluster->counts.problems += refused ? 1 : -1u;
}

static void
drop_row(struct ctl_cluster *cluster, struct ctl_object_row *row)
{
	const struct ctl_sink *sink = &cluster->options.sink;

	set_refused(cluster, row, false);
	ctl_writes_forget(cluster->writes, row);
	if (row->admitted) {
		cluster->counts.objects--;
		sink->remove(sink->context, (enum gw_kind)row->row.kind,
		    ctl_row_namespace(&row->row), ctl_row_name(&row->row));
	}
	ctl_rows_remove(&cluster->rows, &row->row);
	memory_free(row);
}

/* ---- objects ---- */

static struct ctl_followed *
of_follow(struct kube_follow *follow)
{
	return container_of(follow, struct ctl_followed, follow);
}

/* Items of lists of Kubernetes' own kinds do not say what they are. */
static void
add_text(struct tree_node *object, struct tree_node *node, const char *key,
    struct slice text)
{
	if (wire_tree_get(object, key) != NULL)
		return;
	*node = (struct tree_node){.kind = TREE_TEXT,
	    .key = slice_from_string(key),
	    .text = text,
	    .next = object->child};
	object->child = node;
	object->count++;
}

/* "/apis/GROUP/VERSION/things" to GROUP/VERSION, "/api/v1/things" to v1. */
static struct slice
version_of(const char *root)
{
	struct slice version = slice_from_string(root);

	version = slice_skip(
	    version, slice_starts_with(version, SLICE("/apis/")) ? 6 : 5);
	while (version.length > 0 && version.data[version.length - 1] != '/')
		version.length--;
	if (version.length > 0)
		version.length--;
	return version;
}

static void
on_finding(void *context, const struct gw_finding *finding)
{
	struct ctl_cluster *cluster = context;
	const struct ctl_sink *sink = &cluster->options.sink;
	struct ctl_problem problem = {
	    .file = gw_file_path(cluster->file),
	    .finding = *finding,
	};

	/* What the API has let pass was told to who wrote it. */
	if (gw_findings[finding->row].severity != GW_ERROR)
		return;
	cluster->refused = true;
	sink->tell(sink->context, &problem);
}

static void
admit(struct ctl_cluster *cluster, struct ctl_object_row *row,
    struct tree_node *document)
{
	const struct ctl_sink *sink = &cluster->options.sink;
	struct gw_object *object;

	cluster->refused = false;
	object = gw_admit(
	    document, &cluster->arena, cluster->file, on_finding, cluster);
	arena_reset(&cluster->arena);
	set_refused(cluster, row, object == NULL);
	if (object == NULL)
		return;
	/* Only what yumen reads is kept; of a Secret that is less than the
	 * record has. */
	if (object->kind != GW_SECRET && object->kind != GW_ENVOYPROXY)
		gw_stored_drop(object);
	cluster->counts.objects += !row->admitted;
	row->admitted = true;
	sink->put(sink->context, &object);
}

bool
ctl_cluster_take_status(struct ctl_cluster *cluster, struct ctl_object_row *row,
    const struct tree_node *status)
{
	enum gw_kind kind = (enum gw_kind)row->row.kind;
	uint64_t before = row->status_hash;

	row->status_hash = ctl_merge_hash(kind, status, &cluster->ours);
	row->marked = kind == GW_SERVICE && ctl_merge_is_marked(status);
	return row->status_hash != before;
}

static struct ctl_object_row *
row_of(struct ctl_followed *followed, const struct tree_node *object, bool make)
{
	struct ctl_cluster *cluster = followed->cluster;
	struct slice name, namespace;
	struct ctl_object_row *row;
	bool is_new;

	if (!ctl_row_names(object, &namespace, &name))
		return NULL;
	if (!make)
		return ctl_rows_get(
		    &cluster->rows, followed->kind, namespace, name);
	row = ctl_rows_make(&cluster->rows, sizeof(*row), followed->kind,
	    namespace, name, &is_new);
	if (is_new)
		list_init(&row->due);
	return row;
}

static void
on_object(struct kube_follow *follow, struct tree_node *object)
{
	struct ctl_followed *followed = of_follow(follow);
	struct ctl_cluster *cluster = followed->cluster;
	struct ctl_object_row *row = row_of(followed, object, true);
	struct tree_node nodes[2];

	if (row == NULL)
		return;
	row->row.epoch = followed->epoch;
	ctl_row_told(&row->row, ctl_row_version(object));
	if (gw_status_type(followed->kind) != NULL &&
	    ctl_cluster_take_status(
	        cluster, row, wire_tree_get(object, "status")))
		ctl_writes_due(cluster->writes, row);
	ctl_trim(object, followed->kind);
	uint64_t hash = wire_tree_hash(object);

	if (hash == row->hash)
		return;
	row->hash = hash;
	add_text(object, &nodes[0], "kind",
	    slice_from_string(gw_kinds[followed->kind].kind));
	add_text(object, &nodes[1], "apiVersion",
	    version_of(kube_follow_root(follow)));
	admit(cluster, row, object);
	cluster->options.on_change(cluster->options.context);
}

static void
on_gone(struct kube_follow *follow, struct tree_node *object)
{
	struct ctl_followed *followed = of_follow(follow);
	struct ctl_object_row *row = row_of(followed, object, false);

	if (row == NULL)
		return;
	drop_row(followed->cluster, row);
	followed->cluster->options.on_change(
	    followed->cluster->options.context);
}

/* ---- lists ---- */

static void
on_begin(struct kube_follow *follow)
{
	of_follow(follow)->epoch++;
}

/* What this list has not had is gone. */
static void
sweep(struct ctl_followed *followed)
{
	struct ctl_cluster *cluster = followed->cluster;
	size_t count;
	struct ctl_row **missed = ctl_rows_missed(
	    &cluster->rows, followed->kind, followed->epoch, &count);

	for (size_t i = 0; i < count; i++)
		drop_row(cluster,
		    container_of(missed[i], struct ctl_object_row, row));
	memory_free(missed);
}

static void
look_whether_whole(struct ctl_cluster *cluster)
{
	cluster->whole = ctl_metallb_is_whole(cluster->metallb);
	for (unsigned i = 0; i < cluster->followed_count; i++)
		cluster->whole &= cluster->followed[i].whole;
	cluster->options.on_change(cluster->options.context);
}

static void
set_whole(struct ctl_followed *followed)
{
	followed->whole = true;
	look_whether_whole(followed->cluster);
}

static void
on_metallb(void *context, struct slice what)
{
	struct ctl_cluster *cluster = context;

	cluster->options.on_metallb(cluster->options.context, what);
	look_whether_whole(cluster);
}

static void
on_end(struct kube_follow *follow)
{
	struct ctl_followed *followed = of_follow(follow);

	sweep(followed);
	set_whole(followed);
}

static void
on_trouble(struct kube_follow *follow, enum kube_follow_trouble trouble,
    struct slice why)
{
	struct ctl_followed *followed = of_follow(follow);
	const struct gw_kind_row *row = &gw_kinds[followed->kind];

	switch (trouble) {
	case KUBE_FOLLOW_NONE:
		if (followed->told_missing)
			log_event(LOG_KUBE_KIND_FOUND,
			    LOG_STRING("kind", row->kind),
			    LOG_STRING("path", kube_follow_root(follow)));
		followed->told_missing = false;
		return;
	case KUBE_FOLLOW_MISSING:
		log_event(LOG_KUBE_KIND_MISSING, LOG_STRING("kind", row->kind),
		    LOG_STRING("group", row->group),
		    LOG_STRING("versions", row->versions));
		break;
	case KUBE_FOLLOW_DENIED:
		log_event(LOG_KUBE_KIND_DENIED, LOG_STRING("kind", row->kind),
		    LOG_TEXT("why", why));
		break;
	case KUBE_FOLLOW_FAILED:
		log_event(LOG_KUBE_KIND_FAILED, LOG_STRING("kind", row->kind),
		    LOG_TEXT("why", why));
		return;
	}
	followed->told_missing = true;
	if (trouble == KUBE_FOLLOW_MISSING)
		set_whole(followed);
	else
		net_timer_set(followed->cluster->options.loop,
		    &followed->cluster->patience, LIMIT_VALUE_KUBE_DENIED_MS);
}

/* The others need not wait for what we may not read. */
static void
on_patience(struct net_timer *timer)
{
	struct ctl_cluster *cluster =
	    container_of(timer, struct ctl_cluster, patience);

	for (unsigned i = 0; i < cluster->followed_count; i++)
		if (cluster->followed[i].follow.trouble == KUBE_FOLLOW_DENIED)
			cluster->followed[i].whole = true;
	look_whether_whole(cluster);
}

/* ---- who leads ---- */

static void
set_leads(struct ctl_cluster *cluster, bool leads)
{
	cluster->leads = leads;
	if (leads)
		ctl_writes_lead(cluster->writes);
	if (cluster->fleets != NULL)
		ctl_fleets_lead(cluster->fleets, leads);
}

static void
on_lease(void *context, bool leads, struct slice holder)
{
	struct ctl_cluster *cluster = context;

	log_event(leads ? LOG_KUBE_LEADS : LOG_KUBE_LEADS_NOT,
	    LOG_TEXT("leader", holder));
	cluster->options.on_leader(
	    cluster->options.context, leads, leads ? SLICE("") : holder);
	set_leads(cluster, leads);
}

void
ctl_cluster_reconciled(struct ctl_cluster *cluster)
{
	must(cluster != NULL);
	if (cluster->fleets != NULL)
		ctl_fleets_told(cluster->fleets,
		    ctl_cluster_lists(cluster, GW_GATEWAY) &&
		        ctl_cluster_lists(cluster, GW_GATEWAYCLASS),
		    ctl_cluster_lists(cluster, GW_SERVICE));
	if (cluster->reconciled)
		return;
	cluster->reconciled = true;
	ctl_writes_all_due(cluster->writes);
}

void
ctl_cluster_status(struct ctl_cluster *cluster, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(cluster != NULL);
	struct ctl_object_row *row =
	    ctl_rows_get(&cluster->rows, kind, namespace, name);

	if (row != NULL)
		ctl_writes_due(cluster->writes, row);
}

void
ctl_cluster_fleet(struct ctl_cluster *cluster, const struct gw_fleet *fleet)
{
	must(cluster != NULL && cluster->fleets != NULL);
	ctl_fleets_put(cluster->fleets, fleet);
}

bool
ctl_cluster_leave(struct ctl_cluster *cluster)
{
	must(cluster != NULL);
	cluster->leads = false;
	if (cluster->fleets != NULL)
		ctl_fleets_lead(cluster->fleets, false);
	if (!cluster->has_lease)
		return false;
	if (!cluster->lease.releasing)
		return kube_lease_release(&cluster->lease);
	return !kube_lease_is_released(&cluster->lease);
}

/* ---- its life ---- */

/* The kind's roots, in its own block of memory. */
static void
follow_kind(struct ctl_cluster *cluster, enum gw_kind kind)
{
	struct ctl_followed *followed =
	    &cluster->followed[cluster->followed_count++];
	const struct gw_kind_row *row = &gw_kinds[kind];
	struct slice versions = slice_from_string(row->versions), version;
	struct kube_follow_options options = {
	    .field_selector = kind == GW_SECRET ? SELECTOR_SECRETS : NULL,
	};
	size_t offsets[KUBE_FOLLOW_ROOTS];
	unsigned count = 0;
	struct text text;

	followed->cluster = cluster;
	followed->kind = kind;
	text_init(&text);
	while (
	    count < KUBE_FOLLOW_ROOTS && slice_cut(&versions, '|', &version)) {
		offsets[count++] = text.length;
		text_printf(&text, "/%s%s/%.*s/%s",
		    row->group[0] != '\0' ? "apis/" : "api", row->group,
		    SLICE_ARGS(version), row->plural);
		text_push_byte(&text, '\0');
	}
	followed->roots = text_take(&text);
	for (unsigned i = 0; i < count; i++)
		options.roots[i] = followed->roots + offsets[i];
	kube_follow_init(
	    &followed->follow, cluster->client, &options, &follow_handler);
}

static void
on_fleet_word(void *context, struct slice namespace, struct slice name,
    enum gw_fleet_word word, struct slice what)
{
	const struct ctl_cluster_options *options =
	    &((const struct ctl_cluster *)context)->options;

	options->on_fleet_word(options->context, namespace, name, word, what);
}

/* A node announces a Service: in the words of MetalLB's speakers. */
static void
on_made(
    void *context, enum gw_made kind, struct slice service, struct slice given)
{
	struct ctl_cluster *cluster = context;
	struct tree_node *status = wire_tree_from_json(given, &cluster->arena);
	struct slice name = service, namespace;
	const struct gw_object *object;
	struct text text;

	if (kind != GW_MADE_L2STATUS || !slice_cut(&name, '/', &namespace))
		return;
	object =
	    gw_state_get(cluster->options.state, GW_SERVICE, namespace, name);
	if (object != NULL && status != NULL) {
		struct ctl_event *event = ctl_event_new(
		    GW_SERVICE, namespace, name, object->metadata->uid);

		text_init(&text);
		text_printf(&text,
		    "announcing from node \"%.*s\" with protocol \"layer2\"",
		    SLICE_ARGS(wire_tree_text(status, "node")));
		ctl_event_say(
		    event, false, SLICE("nodeAssigned"), text_slice(&text));
		text_fini(&text);
		ctl_writes_event(cluster->writes, event);
	}
	arena_reset(&cluster->arena);
}

static struct ctl_fleets *
open_fleets(struct ctl_cluster *cluster)
{
	const struct ctl_cluster_options *options = &cluster->options;

	return ctl_fleets_new(&(struct ctl_fleets_options){
	    .loop = options->loop,
	    .client = cluster->client,
	    .controller_names = options->controller_names,
	    .controller_name_count = options->controller_name_count,
	    .namespace = options->access->namespace,
	    .on_word = on_fleet_word,
	    .on_made = on_made,
	    .context = cluster,
	});
}

static void
begin(struct ctl_cluster *cluster)
{
	const struct ctl_cluster_options *options = &cluster->options;
	struct kube_lease_options lease = {
	    .namespace = options->access->namespace,
	    .name = options->lease,
	    .identity = options->identity,
	    .on_change = on_lease,
	    .context = cluster,
	};

	cluster->writes = ctl_writes_new(cluster);
	for (unsigned kind = 0; kind < GW_KIND__COUNT; kind++)
		if (gw_kinds[kind].read)
			follow_kind(cluster, kind);
	cluster->metallb = ctl_metallb_new(
	    &(struct ctl_metallb_options){.client = cluster->client,
	        .on_change = on_metallb,
	        .context = cluster});
	if (options->has_fleets)
		cluster->fleets = open_fleets(cluster);
	cluster->has_lease = slice_is_set(options->lease);
	set_leads(cluster, !cluster->has_lease);
	if (cluster->has_lease)
		kube_lease_init(&cluster->lease, cluster->client, &lease);
}

enum error
ctl_cluster_new(
    const struct ctl_cluster_options *options, struct ctl_cluster **cluster)
{
	must(options != NULL && options->controller_name_count > 0);
	struct ctl_cluster *made = memory_zero(1, sizeof(*made));
	char server[300];

	made->options = *options;
	made->ours.names = options->controller_names;
	made->ours.count = options->controller_name_count;
	ctl_rows_init(&made->rows);
	net_timer_init(&made->patience, on_patience);
	arena_init(&made->arena, ARENA_BYTES);
	snprintf(server, sizeof(server), "%s:%u", options->access->host,
	    options->access->port);
	made->file = gw_file_new(slice_from_string(server));
	enum error error =
	    kube_client_new(options->loop, options->access, &made->client);

	if (error == ERROR_OK)
		begin(made);
	else
		ctl_cluster_free(&made);
	*cluster = made;
	return error;
}

void
ctl_cluster_free(struct ctl_cluster **cluster)
{
	struct ctl_cluster *old = *cluster;

	*cluster = NULL;
	if (old == NULL)
		return;
	for (unsigned i = 0; i < old->followed_count; i++) {
		kube_follow_fini(&old->followed[i].follow);
		memory_free(old->followed[i].roots);
	}
	net_timer_clear(&old->patience);
	if (old->has_lease)
		kube_lease_fini(&old->lease);
	if (old->writes != NULL)
		ctl_writes_free(&old->writes);
	ctl_fleets_free(&old->fleets);
	ctl_metallb_free(&old->metallb);
	if (old->client != NULL)
		kube_client_free(&old->client);
	ctl_rows_fini(&old->rows);
	gw_file_unref(&old->file);
	arena_fini(&old->arena);
	memory_free(old);
}

bool
ctl_cluster_is_whole(const struct ctl_cluster *cluster)
{
	must(cluster != NULL);
	return cluster->whole;
}

struct ctl_counts
ctl_cluster_counts(const struct ctl_cluster *cluster)
{
	must(cluster != NULL);
	return cluster->counts;
}
