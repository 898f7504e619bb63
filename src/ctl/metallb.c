/* Two lists are followed, for its manifests and its chart label it differently;
 * a row for each Deployment that runs. Who may not read Deployments sees none.
 */
#include "ctl/metallb.h"

#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "ctl/row.h"
#include "kube/follow.h"

enum { WAYS = 2 };
#define ROOT "/apis/apps/v1/deployments"

static const char *const selectors[WAYS] = {
    "app=metallb,component=controller",
    "app.kubernetes.io/name=metallb,app.kubernetes.io/component=controller",
};

struct way {
	struct kube_follow follow;
	struct ctl_metallb *metallb;
	uint8_t number; /* of it; the kind of its rows */
	uint32_t epoch;
	bool whole;
};

struct ctl_metallb {
	struct ctl_metallb_options options;
	struct way ways[WAYS];
	struct map rows; /* struct ctl_row: Deployments that run */
	struct text told;
	bool is_told;
};

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

static struct way *
of_follow(struct kube_follow *follow)
{
	return container_of(follow, struct way, follow);
}

/* ---- what is told ---- */

/* The first by name. */
static void
write_what(const struct ctl_metallb *metallb, struct text *out)
{
	const struct ctl_row *first = NULL;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&metallb->rows, &at, &key, &value);)
		if (first == NULL || slice_compare(key, ctl_row_key(first)) < 0)
			first = value;
	if (first != NULL)
		text_printf(out, "Deployment %.*s/%.*s",
		    SLICE_ARGS(ctl_row_namespace(first)),
		    SLICE_ARGS(ctl_row_name(first)));
}

static void
tell(struct ctl_metallb *metallb)
{
	struct text what;

	if (!ctl_metallb_is_whole(metallb))
		return;
	text_init(&what);
	write_what(metallb, &what);
	bool same = slice_equal(text_slice(&what), text_slice(&metallb->told));

	if (!same && what.length > 0)
		log_event(LOG_METALLB_FOUND, LOG_TEXT("by", text_slice(&what)));
	else if (!same)
		log_event(LOG_METALLB_GONE,
		    LOG_TEXT("by", text_slice(&metallb->told)));
	if (!same || !metallb->is_told) {
		metallb->is_told = true;
		text_reset(&metallb->told);
		text_push(&metallb->told, text_slice(&what));
		metallb->options.on_change(
		    metallb->options.context, text_slice(&metallb->told));
	}
	text_fini(&what);
}

/* ---- Deployments ---- */

static void
drop(struct ctl_metallb *metallb, struct ctl_row *row)
{
	ctl_rows_remove(&metallb->rows, row);
	memory_free(row);
}

/* It is to have pods, whether it has them now or not. */
static bool
runs(const struct tree_node *object)
{
	const struct tree_node *replicas =
	    wire_tree_member(wire_tree_member(object, "spec", TREE_MAP),
	        "replicas", TREE_INTEGER);

	return replicas == NULL || replicas->integer > 0;
}

static void
note(struct way *way, const struct tree_node *object, bool there)
{
	struct ctl_metallb *metallb = way->metallb;
	struct slice name, namespace;
	struct ctl_row *row = NULL;

	if (ctl_row_names(object, &namespace, &name))
		row = there ? ctl_rows_make(&metallb->rows, sizeof(*row),
		                  way->number, namespace, name, NULL)
		            : ctl_rows_get(
		                  &metallb->rows, way->number, namespace, name);
	if (row == NULL)
		return;
	row->epoch = way->epoch;
	if (!there)
		drop(metallb, row);
}

static void
on_object(struct kube_follow *follow, struct tree_node *object)
{
	struct way *way = of_follow(follow);

	note(way, object, runs(object));
	tell(way->metallb);
}

static void
on_gone(struct kube_follow *follow, struct tree_node *object)
{
	struct way *way = of_follow(follow);

	note(way, object, false);
	tell(way->metallb);
}

static void
on_begin(struct kube_follow *follow)
{
	of_follow(follow)->epoch++;
}

static void
on_end(struct kube_follow *follow)
{
	struct way *way = of_follow(follow);
	struct ctl_metallb *metallb = way->metallb;
	size_t count;
	struct ctl_row **missed =
	    ctl_rows_missed(&metallb->rows, way->number, way->epoch, &count);

	for (size_t i = 0; i < count; i++)
		drop(metallb, missed[i]);
	memory_free(missed);
	way->whole = true;
	tell(metallb);
}

static void
on_trouble(struct kube_follow *follow, enum kube_follow_trouble trouble,
    struct slice why)
{
	struct way *way = of_follow(follow);

	if (trouble == KUBE_FOLLOW_NONE)
		return;
	if (trouble == KUBE_FOLLOW_DENIED)
		log_event(LOG_KUBE_KIND_DENIED,
		    LOG_STRING("kind", "Deployment"), LOG_TEXT("why", why));
	else
		log_event(LOG_KUBE_KIND_FAILED,
		    LOG_STRING("kind", "Deployment"), LOG_TEXT("why", why));
	/* What is not seen holds nobody up. */
	if (trouble == KUBE_FOLLOW_DENIED || trouble == KUBE_FOLLOW_MISSING) {
		way->whole = true;
		tell(way->metallb);
	}
}

/* ---- its life ---- */

struct ctl_metallb *
ctl_metallb_new(const struct ctl_metallb_options *options)
{
	must(options != NULL && options->on_change != NULL);
	struct ctl_metallb *metallb = memory_zero(1, sizeof(*metallb));

	metallb->options = *options;
	ctl_rows_init(&metallb->rows);
	text_init(&metallb->told);
	for (uint8_t i = 0; i < WAYS; i++) {
		struct kube_follow_options follow = {
		    .roots = {ROOT},
		    .label_selector = selectors[i],
		};

		metallb->ways[i].metallb = metallb;
		metallb->ways[i].number = i;
		kube_follow_init(&metallb->ways[i].follow, options->client,
		    &follow, &follow_handler);
	}
	return metallb;
}

void
ctl_metallb_free(struct ctl_metallb **metallb)
{
	struct ctl_metallb *old = *metallb;

	*metallb = NULL;
	if (old == NULL)
		return;
	for (unsigned i = 0; i < WAYS; i++)
		kube_follow_fini(&old->ways[i].follow);
	ctl_rows_fini(&old->rows);
	text_fini(&old->told);
	memory_free(old);
}

bool
ctl_metallb_is_whole(const struct ctl_metallb *metallb)
{
	must(metallb != NULL);
	for (unsigned i = 0; i < WAYS; i++)
		if (!metallb->ways[i].whole)
			return false;
	return true;
}
