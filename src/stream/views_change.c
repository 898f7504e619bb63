/* A unit comes, changes or goes: its arrows are drawn anew, the new ones before
 * the old ones are taken away, so that what both lead to does not move. */
#include "core/memory.h"
#include "core/must.h"
#include "snap/secret.h"
#include "stream/views_priv.h"

#define LINKS_MIN 4

void
stream_links_push(struct stream_links *links, void *item)
{
	if (links->count == links->capacity) {
		links->capacity =
		    links->capacity > 0 ? links->capacity * 2 : LINKS_MIN;
		links->items = memory_resize(
		    links->items, links->capacity, sizeof(links->items[0]));
	}
	links->items[links->count++] = item;
}

void
stream_links_remove(struct stream_links *links, const void *item)
{
	for (uint32_t i = 0; i < links->count; i++)
		if (links->items[i] == item) {
			links->items[i] = links->items[--links->count];
			return;
		}
}

void
stream_links_fini(struct stream_links *links)
{
	memory_free(links->items);
	*links = (struct stream_links){0};
}

static bool
has(const struct stream_links *links, const void *item)
{
	for (uint32_t i = 0; i < links->count; i++)
		if (links->items[i] == item)
			return true;
	return false;
}

/* The arrows that a unit's record has. */
struct drawing {
	struct stream_views *views;
	enum unit_kind kind; /* of what they begin at */
	struct stream_links held, roots;
	struct stream_entry *rides;
};

/* NULL: a name of no kind that is known here. */
static struct stream_entry *
get_entry(struct stream_views *views, struct slice name)
{
	struct stream_entry *entry = map_get(&views->entries, name);
	enum unit_kind kind;

	if (entry != NULL)
		return entry;
	if (!snap_unit_kind(name, &kind) || name.length > UINT32_MAX)
		return NULL;
	entry = memory_zero(1, sizeof(*entry) + name.length);
	entry->kind = kind;
	entry->name_length = (uint32_t)name.length;
	memcpy(entry->name, name.data, name.length);
	map_put(&views->entries, slice_make(entry->name, entry->name_length),
	    entry);
	return entry;
}

/* Arrows lead from lower to higher only: there is no way round. */
static unsigned
depth_of(enum unit_kind kind)
{
	switch (kind) {
	case UNIT_LISTENER:
	case UNIT_ROUTE:
	case UNIT_CLAIM:
		return 0;
	case UNIT_SERVICE:
	case UNIT_EXTERNAL:
		return 1;
	case UNIT_ENDPOINTS:
	case UNIT_CERTIFICATE:
	case UNIT_AUTHORITY:
	case UNIT_TICKETS:
	case UNIT__COUNT:
		break;
	}
	return 2;
}

static void
on_held(void *context, struct slice name)
{
	struct drawing *drawing = context;
	enum unit_kind kind;

	if (!snap_unit_kind(name, &kind) ||
	    depth_of(kind) <= depth_of(drawing->kind))
		return;
	struct stream_entry *entry = get_entry(drawing->views, name);

	if (has(&drawing->held, entry))
		return;
	entry->holders++;
	stream_links_push(&drawing->held, entry);
}

static void
on_root(void *context, struct slice gateway)
{
	struct drawing *drawing = context;
	struct stream_view *view = stream_view_ref(drawing->views, gateway);

	if (has(&drawing->roots, view))
		stream_view_unref(&view);
	else
		stream_links_push(&drawing->roots, view);
}

static void
on_rides(void *context, struct slice name)
{
	struct drawing *drawing = context;
	enum unit_kind kind;

	if (snap_unit_kind(name, &kind) && kind == UNIT_SERVICE)
		drawing->rides = get_entry(drawing->views, name);
}

/* Every view that an entry is in: fn on another entry. */
static void
in_all_views(const struct stream_entry *of, struct stream_entry *entry,
    void (*fn)(struct stream_entry *, struct stream_view *))
{
	for (uint32_t i = 0; i < of->members.count; i++) {
		const struct stream_member *member = of->members.items[i];

		if (member->count > 0)
			fn(entry, member->view);
	}
}

static void
draw_rides(struct stream_entry *entry, struct stream_entry *rides)
{
	struct stream_entry *old = entry->rides;

	if (old == rides)
		return;
	entry->rides = rides;
	if (rides != NULL) {
		stream_links_push(&rides->riders, entry);
		in_all_views(rides, entry, stream_member_ref);
	}
	if (old != NULL) {
		in_all_views(old, entry, stream_member_unref);
		stream_links_remove(&old->riders, entry);
	}
}

static void
draw(struct stream_entry *entry, const struct drawing *now)
{
	struct stream_links held = entry->held, roots = entry->roots;
	struct stream_entry *rides = entry->rides;
	struct stream_views *views = now->views;

	entry->held = now->held;
	entry->roots = now->roots;
	for (uint32_t i = 0; i < now->held.count; i++)
		in_all_views(entry, now->held.items[i], stream_member_ref);
	for (uint32_t i = 0; i < held.count; i++)
		in_all_views(entry, held.items[i], stream_member_unref);
	for (uint32_t i = 0; i < now->roots.count; i++)
		stream_member_ref(entry, now->roots.items[i]);
	for (uint32_t i = 0; i < roots.count; i++)
		stream_member_unref(entry, roots.items[i]);
	draw_rides(entry, now->rides);
	for (uint32_t i = 0; i < held.count; i++) {
		struct stream_entry *one = held.items[i];

		one->holders--;
		stream_entry_forget_if_idle(views, one);
	}
	for (uint32_t i = 0; i < roots.count; i++) {
		struct stream_view *view = roots.items[i];

		stream_view_unref(&view);
	}
	if (rides != NULL)
		stream_entry_forget_if_idle(views, rides);
	stream_links_fini(&held);
	stream_links_fini(&roots);
}

/* bytes absent: it goes. */
static void
set_bytes(struct stream_entry *entry, struct slice bytes,
    const struct unit_digest *digest)
{
	char *old = entry->bytes;
	uint32_t old_length = entry->bytes_length;

	for (uint32_t i = 0; old != NULL && i < entry->members.count; i++) {
		struct stream_member *member = entry->members.items[i];

		if (member->count > 0)
			stream_member_count(member, false);
	}
	entry->bytes = NULL;
	if (slice_is_set(bytes)) {
		entry->bytes = memory_alloc(bytes.length + 1);
		entry->bytes_length = (uint32_t)bytes.length;
		if (bytes.length > 0)
			memcpy(entry->bytes, bytes.data, bytes.length);
		entry->digest = *digest;
	}
	for (uint32_t i = 0; i < entry->members.count; i++) {
		struct stream_member *member = entry->members.items[i];

		if (member->count == 0)
			continue;
		if (entry->bytes != NULL)
			stream_member_count(member, true);
		stream_member_touch(member);
	}
	if (old != NULL && snap_unit_is_secret(entry->kind))
		memory_wipe(old, old_length);
	memory_free(old);
}

static void
count_listener(const struct drawing *drawing, int by)
{
	if (drawing->kind != UNIT_LISTENER)
		return;
	for (uint32_t i = 0; i < drawing->roots.count; i++) {
		struct stream_view *view = drawing->roots.items[i];

		view->listeners += (unsigned)by;
	}
}

enum error
stream_views_put(
    struct stream_views *views, struct slice name, struct slice bytes)
{
	struct unit *unit;
	enum error error = snap_unit_new(name, bytes, &unit);

	if (error != ERROR_OK)
		return error;
	struct stream_entry *entry = get_entry(views, name);
	struct drawing drawing = {.views = views, .kind = unit->kind};
	struct stream_reach reach = {&drawing, on_held, on_root, on_rides};

	must(entry != NULL);
	if (entry->bytes != NULL &&
	    memcmp(&entry->digest, &unit->digest, sizeof(unit->digest)) == 0) {
		snap_unit_free(&unit);
		return ERROR_OK;
	}
	/* Nobody takes it away meanwhile. */
	entry->holders++;
	stream_reach(unit, &reach);
	/* A listener's Gateway is in its name: it is the same as before. */
	if (entry->bytes == NULL)
		count_listener(&drawing, 1);
	set_bytes(entry, bytes, &unit->digest);
	draw(entry, &drawing);
	entry->holders--;
	snap_unit_free(&unit);
	return ERROR_OK;
}

void
stream_views_drop(struct stream_views *views, struct slice name)
{
	struct stream_entry *entry = map_get(&views->entries, name);
	struct drawing none = {.views = views};

	if (entry == NULL || entry->bytes == NULL)
		return;
	struct drawing old = {.kind = entry->kind, .roots = entry->roots};

	count_listener(&old, -1);
	entry->holders++;
	set_bytes(entry, SLICE_NONE, NULL);
	draw(entry, &none);
	entry->holders--;
	stream_entry_forget_if_idle(views, entry);
}
