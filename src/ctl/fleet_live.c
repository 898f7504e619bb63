/* What the API has of fleets, as watches and answers tell. What others say in
 * an object (its status, who manages which field) is not looked at. */
#include <stdio.h>

#include "core/log.h"
#include "core/memory.h"
#include "ctl/fleets_priv.h"

static void on_begin(struct kube_follow *follow);
static void on_end(struct kube_follow *follow);
static void on_object(struct kube_follow *follow, struct tree_node *object);
static void on_gone(struct kube_follow *follow, struct tree_node *object);
static void on_trouble(struct kube_follow *follow,
    enum kube_follow_trouble trouble, struct slice why);

static const struct kube_follow_handler follow_handler = {
    .on_begin = on_begin,
    .on_end = on_end,
    .on_object = on_object,
    .on_gone = on_gone,
    .on_trouble = on_trouble,
};

/* ---- one of them ---- */

bool
ctl_fleet_is_marked(
    const struct ctl_fleets *fleets, const struct tree_node *object)
{
	const struct ctl_fleets_options *options = &fleets->options;
	struct slice mark = wire_tree_text(
	    wire_tree_member(wire_tree_member(object, "metadata", TREE_MAP),
	        "labels", TREE_MAP),
	    GW_FLEET_MARK);
	char ours[GW_FLEET_NAME_BYTES + 1];

	for (uint32_t i = 0; i < options->controller_name_count; i++) {
		gw_fleet_mark(options->controller_names[i], ours);
		if (slice_equal(mark, slice_from_string(ours)))
			return true;
	}
	return false;
}

bool
ctl_fleet_is_ours(const struct ctl_fleet_row *row)
{
	return row->live_hash != 0 && row->owner != NULL &&
	    row->gateway != NULL &&
	    slice_equal(slice_from_string(row->owner),
	        ctl_fleet_gateway_key(row->gateway));
}

bool
ctl_fleet_is_given(const struct ctl_fleet_row *row)
{
	const char *live = row->live_given;

	return row->given == NULL ||
	    strcmp(row->given, live != NULL ? live : "") == 0;
}

/* The texts of this key in a list of maps, "a,b". */
static void
join(struct text *out, const struct tree_node *map, const char *list,
    const char *key)
{
	const struct tree_node *items = wire_tree_member(map, list, TREE_LIST);
	bool first = true;

	for (const struct tree_node *at = items != NULL ? items->child : NULL;
	     at != NULL; at = at->next) {
		text_printf(out, "%s%.*s", first ? "" : ",",
		    SLICE_ARGS(wire_tree_text(at, key)));
		first = false;
	}
}

static void
take_given(struct ctl_fleet_row *row, const struct tree_node *object)
{
	const struct tree_node *status =
	    wire_tree_member(object, "status", TREE_MAP);
	struct text given, interfaces;

	text_init(&given);
	text_init(&interfaces);
	if (row->row.kind == GW_MADE_SERVICE) {
		join(&given, wire_tree_member(status, "loadBalancer", TREE_MAP),
		    "ingress", "ip");
	} else if (row->row.kind == GW_MADE_L2STATUS) {
		join(&interfaces, status, "interfaces", "name");
		gw_l2_status(&given,
		    &(struct gw_l2_status){
		        .node = wire_tree_text(status, "node"),
		        .namespace = wire_tree_text(status, "serviceNamespace"),
		        .name = wire_tree_text(status, "serviceName"),
		        .interfaces = text_slice(&interfaces),
		    });
	}
	ctl_fleet_text(&row->live_given, text_slice(&given));
	text_fini(&interfaces);
	text_fini(&given);
}

/* Which fleet it says it is of. */
static void
take_owner(struct ctl_fleet_row *row, const struct tree_node *metadata)
{
	const struct tree_node *annotations =
	    wire_tree_member(metadata, "annotations", TREE_MAP);
	struct slice service = wire_tree_text(annotations, GW_FLEET_SERVICE);
	struct text text;

	text_init(&text);
	if (slice_is_set(service))
		text_printf(
		    &text, GW_FLEET_OF_SERVICE "%.*s", SLICE_ARGS(service));
	ctl_fleet_text(&row->owner,
	    slice_is_set(service)
	        ? text_slice(&text)
	        : wire_tree_text(annotations, GW_FLEET_GATEWAY));
	text_fini(&text);
}

bool
ctl_fleet_is_held(const struct ctl_fleet_row *row)
{
	return row->scaled && row->own_replicas != NULL;
}

static bool
says_replicas(const struct tree_node *manager)
{
	return wire_tree_member(wire_tree_member(wire_tree_member(manager,
	                                             "fieldsV1", TREE_MAP),
	                            "f:spec", TREE_MAP),
	           "f:replicas", TREE_MAP) != NULL;
}

/* What is applied without a field that nobody else has set loses it, and the
 * API's default, one, would be what a Deployment has until it is scaled. */
static void
take_replicas(struct ctl_fleet_row *row, const struct tree_node *object)
{
	const struct tree_node *managers =
	    wire_tree_member(wire_tree_member(object, "metadata", TREE_MAP),
	        "managedFields", TREE_LIST);
	const struct tree_node *replicas =
	    wire_tree_member(wire_tree_member(object, "spec", TREE_MAP),
	        "replicas", TREE_INTEGER);
	bool ours = false, others = false;

	for (const struct tree_node *at = managers ? managers->child : NULL;
	     at != NULL; at = at->next) {
		bool own = slice_equal(
		    wire_tree_text(at, "manager"), SLICE(CTL_FLEET_MANAGER));

		if (says_replicas(at))
			*(own ? &ours : &others) = true;
	}
	ctl_fleet_text(&row->own_replicas,
	    ours && !others && replicas != NULL ? replicas->text : SLICE_NONE);
}

uint64_t
ctl_fleet_hash(struct tree_node *object)
{
	struct tree_node *metadata =
	    wire_tree_member(object, "metadata", TREE_MAP);

	/* Items of lists do not say what they are, other answers do. */
	wire_tree_drop(object, "kind");
	wire_tree_drop(object, "apiVersion");
	wire_tree_drop(object, "status");
	if (metadata != NULL) {
		wire_tree_drop(metadata, "managedFields");
		wire_tree_drop(metadata, "resourceVersion");
		wire_tree_drop(metadata, "generation");
	}
	return wire_tree_hash(object);
}

void
ctl_fleet_live(struct ctl_fleets *fleets, struct ctl_fleet_row *row,
    struct tree_node *object)
{
	struct tree_node *metadata =
	    wire_tree_member(object, "metadata", TREE_MAP);
	uint64_t before = row->live_hash;
	bool given = ctl_fleet_is_given(row);

	if (metadata == NULL)
		return;
	take_owner(row, metadata);
	ctl_fleet_text(&row->uid, wire_tree_text(metadata, "uid"));
	take_given(row, object);
	if (row->row.kind == GW_MADE_DEPLOYMENT)
		take_replicas(row, object);
	ctl_fleet_take_up(fleets, row, object);
	row->live_hash = ctl_fleet_hash(object);
	if (!given && ctl_fleet_is_given(row))
		ctl_fleet_wake(fleets);
	if ((row->live_hash != before || ctl_fleet_is_given(row) != given) &&
	    !row->busy)
		ctl_fleet_due(fleets, row);
}

void
ctl_fleet_gone(struct ctl_fleets *fleets, struct ctl_fleet_row *row)
{
	row->live_hash = row->applied_hash = row->applied_live_hash = 0;
	ctl_fleet_take_up(fleets, row, NULL);
	ctl_fleet_text(&row->live_given, SLICE_NONE);
	ctl_fleet_text(&row->own_replicas, SLICE_NONE);
	ctl_fleet_text(&row->owner, SLICE_NONE);
	ctl_fleet_text(&row->uid, SLICE_NONE);
	ctl_fleet_due(fleets, row);
}

/* ---- watching ---- */

static struct ctl_fleet_follow *
of_follow(struct kube_follow *follow)
{
	return container_of(follow, struct ctl_fleet_follow, follow);
}

static struct ctl_fleet_row *
row_of(struct ctl_fleet_follow *followed, const struct tree_node *object,
    bool make)
{
	struct slice name, namespace;

	if (!ctl_row_names(object, &namespace, &name))
		return NULL;
	return make
	    ? ctl_fleet_row(followed->fleets, followed->kind, namespace, name)
	    : ctl_rows_get(
	          &followed->fleets->rows, followed->kind, namespace, name);
}

static void
on_object(struct kube_follow *follow, struct tree_node *object)
{
	struct ctl_fleet_follow *followed = of_follow(follow);
	struct ctl_fleet_row *row = row_of(followed, object, true);

	if (row == NULL)
		return;
	row->row.epoch = followed->epoch;
	ctl_row_told(&row->row, ctl_row_version(object));
	ctl_fleet_live(followed->fleets, row, object);
}

static void
on_gone(struct kube_follow *follow, struct tree_node *object)
{
	struct ctl_fleet_follow *followed = of_follow(follow);
	struct ctl_fleet_row *row = row_of(followed, object, false);

	if (row == NULL)
		return;
	ctl_row_told(&row->row, ctl_row_version(object));
	ctl_fleet_gone(followed->fleets, row);
}

static void
on_begin(struct kube_follow *follow)
{
	of_follow(follow)->epoch++;
}

static void
set_whole(struct ctl_fleet_follow *followed)
{
	struct ctl_fleets *fleets = followed->fleets;

	followed->whole = true;
	fleets->whole = true;
	for (unsigned i = 0; i < GW_MADE__COUNT; i++)
		fleets->whole &= fleets->follows[i].whole;
	ctl_fleet_go(fleets);
}

static void
on_end(struct kube_follow *follow)
{
	struct ctl_fleet_follow *followed = of_follow(follow);
	struct ctl_fleets *fleets = followed->fleets;
	size_t count;
	struct ctl_row **missed = ctl_rows_missed(
	    &fleets->rows, followed->kind, followed->epoch, &count);

	for (size_t i = 0; i < count; i++) {
		struct ctl_fleet_row *row =
		    container_of(missed[i], struct ctl_fleet_row, row);

		ctl_row_told(&row->row, text_slice(&follow->version));
		if (row->live_hash != 0)
			ctl_fleet_gone(fleets, row);
	}
	memory_free(missed);
	set_whole(followed);
}

static void
on_trouble(struct kube_follow *follow, enum kube_follow_trouble trouble,
    struct slice why)
{
	struct ctl_fleet_follow *followed = of_follow(follow);
	const char *kind = gw_made_rows[followed->kind].kind;
	bool missing = trouble == KUBE_FOLLOW_MISSING;

	if (followed->missing != missing) {
		followed->missing = missing;
		ctl_fleets_look(followed->fleets);
	}
	if (trouble == KUBE_FOLLOW_DENIED)
		log_event(LOG_KUBE_KIND_DENIED, LOG_STRING("kind", kind),
		    LOG_TEXT("why", why));
	else if (trouble != KUBE_FOLLOW_NONE)
		log_event(LOG_KUBE_KIND_FAILED, LOG_STRING("kind", kind),
		    LOG_TEXT("why", why));
	/* What is not seen may be written all the same. */
	if (trouble == KUBE_FOLLOW_DENIED || trouble == KUBE_FOLLOW_MISSING)
		set_whole(followed);
}

void
ctl_fleet_follow(struct ctl_fleets *fleets, enum gw_made kind)
{
	struct ctl_fleet_follow *followed = &fleets->follows[kind];
	const struct gw_made_row *row = &gw_made_rows[kind];
	struct kube_follow_options options = {
	    .roots = {followed->root},
	    .label_selector = fleets->selector.data,
	};

	followed->fleets = fleets;
	followed->kind = kind;
	snprintf(followed->root, sizeof(followed->root), "/%s%s/%s/%s%.*s%s",
	    row->group[0] != '\0' ? "apis/" : "api", row->group, row->version,
	    row->own ? "namespaces/" : "",
	    row->own ? (int)fleets->options.namespace.length : 0,
	    row->own ? fleets->options.namespace.data : "",
	    row->own ? "/" : "");
	snprintf(followed->root + strlen(followed->root),
	    sizeof(followed->root) - strlen(followed->root), "%s", row->plural);
	kube_follow_init(&followed->follow, fleets->options.client, &options,
	    &follow_handler);
}
