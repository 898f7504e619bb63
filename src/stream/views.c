/* Views as counts: a unit is in a view as often as something there leads to it.
 * What is counted goes down from listeners and routes to what they name, three
 * steps at most, so that nothing here is deep. The bytes of units are owned
 * here, keys among them, and wiped. */
#include "stream/views_priv.h"

#include "core/memory.h"
#include "core/must.h"
#include "snap/secret.h"

static struct slice
name_of(const struct stream_entry *entry)
{
	return slice_make(entry->name, entry->name_length);
}

struct stream_views *
stream_views_new(void)
{
	struct stream_views *views = memory_zero(1, sizeof(*views));

	map_init(&views->entries);
	map_init(&views->views);
	list_init(&views->changed);
	list_init(&views->all);
	return views;
}

static void
free_entry(struct stream_entry *entry)
{
	if (entry->bytes != NULL && snap_unit_is_secret(entry->kind))
		memory_wipe(entry->bytes, entry->bytes_length);
	memory_free(entry->bytes);
	stream_links_fini(&entry->held);
	stream_links_fini(&entry->roots);
	stream_links_fini(&entry->riders);
	stream_links_fini(&entry->members);
	memory_free(entry);
}

void
stream_views_free(struct stream_views **views)
{
	struct stream_views *old = *views;
	struct slice name;
	void *value;

	*views = NULL;
	if (old == NULL)
		return;
	for (size_t at = 0; map_next(&old->entries, &at, &name, &value);) {
		struct stream_entry *entry = value;

		for (uint32_t i = 0; i < entry->members.count; i++)
			memory_free(entry->members.items[i]);
		free_entry(entry);
	}
	LIST_FOR_EACH_SAFE(at, &old->all)
	memory_free(container_of(at, struct stream_view, all));
	map_fini(&old->entries);
	map_fini(&old->views);
	memory_free(old);
}

/* ---- views ---- */

struct stream_view *
stream_view_ref(struct stream_views *views, struct slice gateway)
{
	struct stream_view *view = map_get(&views->views, gateway);

	if (view == NULL) {
		must(gateway.length > 0 && gateway.length <= UINT32_MAX);
		view = memory_zero(1, sizeof(*view) + gateway.length);
		view->views = views;
		view->name_length = (uint32_t)gateway.length;
		memcpy(view->name, gateway.data, gateway.length);
		list_init(&view->line);
		list_init(&view->gone);
		list_init(&view->cursors);
		list_init(&view->changed);
		list_insert(&views->all, &view->all);
		map_put(&views->views, stream_view_name(view), view);
	}
	view->references++;
	return view;
}

void
stream_view_unref(struct stream_view **view)
{
	struct stream_view *old = *view;

	*view = NULL;
	must(old->references > 0);
	if (--old->references > 0)
		return;
	must(list_is_empty(&old->cursors) && list_is_empty(&old->line));
	list_remove(&old->changed);
	list_remove(&old->all);
	map_remove(&old->views->views, stream_view_name(old));
	memory_free(old);
}

struct slice
stream_view_name(const struct stream_view *view)
{
	return slice_make(view->name, view->name_length);
}

struct feed_generation
stream_view_generation(const struct stream_view *view, unsigned kinds)
{
	struct feed_generation sum = {0};

	for (unsigned kind = 0; kind < UNIT__COUNT; kind++) {
		struct unit_digest one = {0};

		if ((kinds & 1u << kind) == 0)
			continue;
		memcpy(one.bytes, view->generations[kind].bytes,
		    sizeof(view->generations[kind].bytes));
		feed_generation_add(&sum, &one);
	}
	return sum;
}

bool
stream_view_is_served(const struct stream_view *view)
{
	return view->listeners > 0;
}

void **
stream_view_mark(struct stream_view *view)
{
	return &view->mark;
}

struct stream_view *
stream_views_take_changed(struct stream_views *views)
{
	if (list_is_empty(&views->changed))
		return NULL;
	struct stream_view *view =
	    container_of(views->changed.next, struct stream_view, changed);

	list_remove(&view->changed);
	return view;
}

struct stream_view *
stream_views_each(struct stream_views *views, struct stream_view *after)
{
	struct list *next = after != NULL ? after->all.next : views->all.next;

	if (next == &views->all)
		return NULL;
	return container_of(next, struct stream_view, all);
}

/* ---- places in views ---- */

static bool
is_visible(const struct stream_member *member)
{
	return member->count > 0 && member->entry->bytes != NULL;
}

static struct stream_member *
following(const struct stream_member *member)
{
	if (member->link.next == &member->view->line)
		return NULL;
	return container_of(member->link.next, struct stream_member, link);
}

static void
step_over(const struct stream_member *member)
{
	LIST_FOR_EACH(at, &member->view->cursors)
	{
		struct stream_cursor *cursor =
		    container_of(at, struct stream_cursor, link);

		if (cursor->next == member)
			cursor->next = following(member);
	}
}

static void
take_out(struct stream_member *member)
{
	if (!list_is_empty(&member->link))
		step_over(member);
	list_remove(&member->link);
	list_remove(&member->gone);
}

/* Something about it has changed: it goes to the end of the line. */
void
stream_member_touch(struct stream_member *member)
{
	struct stream_view *view = member->view;

	take_out(member);
	member->serial = ++view->views->serial;
	if (list_is_empty(&view->changed))
		list_insert(&view->views->changed, &view->changed);
	/* Nobody is there to be told that it is gone. */
	if (!is_visible(member) && list_is_empty(&view->cursors))
		return;
	list_insert(&view->line, &member->link);
	if (!is_visible(member))
		list_insert(&view->gone, &member->gone);
	LIST_FOR_EACH(at, &view->cursors)
	{
		struct stream_cursor *cursor =
		    container_of(at, struct stream_cursor, link);

		if (cursor->next == NULL)
			cursor->next = member;
	}
}

void
stream_entry_forget_if_idle(
    struct stream_views *views, struct stream_entry *entry)
{
	if (entry->bytes != NULL || entry->holders > 0 ||
	    entry->members.count > 0 || entry->riders.count > 0)
		return;
	map_remove(&views->entries, name_of(entry));
	free_entry(entry);
}

static void
free_member(struct stream_member *member)
{
	struct stream_entry *entry = member->entry;
	struct stream_views *views = member->view->views;

	take_out(member);
	stream_links_remove(&entry->members, member);
	memory_free(member);
	stream_entry_forget_if_idle(views, entry);
}

/* Of what is gone everybody has heard. */
static void
forget_gone(struct stream_view *view)
{
	LIST_FOR_EACH_SAFE(at, &view->gone)
	{
		struct stream_member *member =
		    container_of(at, struct stream_member, gone);

		if (member->count == 0)
			free_member(member);
		else
			take_out(member);
	}
}

static struct stream_member *
find(const struct stream_entry *entry, const struct stream_view *view)
{
	for (uint32_t i = 0; i < entry->members.count; i++) {
		struct stream_member *member = entry->members.items[i];

		if (member->view == view)
			return member;
	}
	return NULL;
}

bool
stream_view_has(const struct stream_view *view, struct slice name)
{
	const struct stream_entry *entry = map_get(&view->views->entries, name);
	const struct stream_member *member =
	    entry != NULL ? find(entry, view) : NULL;

	return member != NULL && is_visible(member);
}

void
stream_member_count(struct stream_member *member, bool in)
{
	struct stream_entry *entry = member->entry;
	struct feed_generation *sum = &member->view->generations[entry->kind];

	if (in)
		feed_generation_add(sum, &entry->digest);
	else
		feed_generation_remove(sum, &entry->digest);
}

void
stream_member_ref(struct stream_entry *entry, struct stream_view *view)
{
	struct stream_member *member = find(entry, view);

	if (member == NULL) {
		member = memory_zero(1, sizeof(*member));
		member->entry = entry;
		member->view = view;
		list_init(&member->link);
		list_init(&member->gone);
		stream_links_push(&entry->members, member);
	}
	if (member->count++ > 0)
		return;
	if (entry->bytes != NULL) {
		stream_member_count(member, true);
		stream_member_touch(member);
	}
	for (uint32_t i = 0; i < entry->held.count; i++)
		stream_member_ref(entry->held.items[i], view);
	for (uint32_t i = 0; i < entry->riders.count; i++)
		stream_member_ref(entry->riders.items[i], view);
}

void
stream_member_unref(struct stream_entry *entry, struct stream_view *view)
{
	struct stream_member *member = find(entry, view);

	must(member != NULL && member->count > 0);
	if (--member->count > 0)
		return;
	for (uint32_t i = 0; i < entry->held.count; i++)
		stream_member_unref(entry->held.items[i], view);
	for (uint32_t i = 0; i < entry->riders.count; i++)
		stream_member_unref(entry->riders.items[i], view);
	if (entry->bytes != NULL) {
		stream_member_count(member, false);
		stream_member_touch(member);
	}
	if (list_is_empty(&member->link))
		free_member(member);
}

/* ---- units ---- */

uint64_t
stream_views_serial(const struct stream_views *views)
{
	return views->serial;
}

bool
stream_views_next(
    const struct stream_views *views, size_t *at, struct slice *name)
{
	void *value;

	while (map_next(&views->entries, at, name, &value))
		if (((const struct stream_entry *)value)->bytes != NULL)
			return true;
	return false;
}

void
stream_view_each(const struct stream_view *view,
    void (*fn)(void *context, const struct unit_digest *digest), void *context)
{
	LIST_FOR_EACH(at, &view->line)
	{
		const struct stream_member *member =
		    container_of(at, struct stream_member, link);

		if (is_visible(member))
			fn(context, &member->entry->digest);
	}
}

/* ---- cursors ---- */

void
stream_cursor_open(struct stream_cursor *cursor, struct stream_view *view)
{
	cursor->view = view;
	list_insert(&view->cursors, &cursor->link);
	cursor->next = list_is_empty(&view->line)
	    ? NULL
	    : container_of(view->line.next, struct stream_member, link);
}

void
stream_cursor_skip_all(struct stream_cursor *cursor)
{
	cursor->next = NULL;
}

/* Once nobody has more to read, what is gone may be forgotten. */
static void
look_at_end(struct stream_view *view)
{
	LIST_FOR_EACH(at, &view->cursors)
	if (container_of(at, struct stream_cursor, link)->next != NULL)
		return;
	forget_gone(view);
}

void
stream_cursor_close(struct stream_cursor *cursor)
{
	if (cursor->view == NULL)
		return;
	list_remove(&cursor->link);
	look_at_end(cursor->view);
	*cursor = (struct stream_cursor){0};
}

bool
stream_cursor_next(struct stream_cursor *cursor, struct stream_change *change)
{
	const struct stream_member *member = cursor->next;

	if (member == NULL) {
		look_at_end(cursor->view);
		return false;
	}
	const struct stream_entry *entry = member->entry;

	cursor->next = following(member);
	*change = (struct stream_change){
	    .name = name_of(entry),
	    .kind = entry->kind,
	    .serial = member->serial,
	    .digest = entry->digest,
	};
	if (is_visible(member))
		change->bytes = slice_make(entry->bytes, entry->bytes_length);
	return true;
}
