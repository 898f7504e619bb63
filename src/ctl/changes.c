/* A counter, and a ring of what was removed: what is there knows its own
 * number. */
#include "ctl/changes.h"

#include "core/must.h"

void
ctl_changes_init(struct ctl_changes *changes, uint64_t first)
{
	must(changes != NULL);
	*changes = (struct ctl_changes){.last = first, .forgotten = first};
	for (unsigned i = 0; i < CTL_GONE_MAX; i++)
		text_init(&changes->gone[i].names);
}

void
ctl_changes_fini(struct ctl_changes *changes)
{
	must(changes != NULL);
	for (unsigned i = 0; i < CTL_GONE_MAX; i++)
		text_fini(&changes->gone[i].names);
}

uint64_t
ctl_changes_next(struct ctl_changes *changes)
{
	must(changes != NULL);
	return ++changes->last;
}

void
ctl_changes_remove(struct ctl_changes *changes, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(changes != NULL);
	struct ctl_gone *gone =
	    &changes->gone[changes->gone_count++ % CTL_GONE_MAX];

	if (changes->gone_count > CTL_GONE_MAX)
		changes->forgotten = gone->change;
	gone->change = ctl_changes_next(changes);
	gone->kind = kind;
	gone->namespace_length = (uint32_t) namespace.length;
	text_reset(&gone->names);
	text_push(&gone->names, namespace);
	text_push_byte(&gone->names, '\0');
	text_push(&gone->names, name);
}

bool
ctl_changes_know(const struct ctl_changes *changes, uint64_t after)
{
	must(changes != NULL);
	return after >= changes->forgotten && after <= changes->last;
}

const struct ctl_gone *
ctl_changes_gone(const struct ctl_changes *changes, unsigned index)
{
	must(changes != NULL);
	uint64_t count = changes->gone_count;
	uint64_t first = count > CTL_GONE_MAX ? count - CTL_GONE_MAX : 0;

	if (first + index >= count)
		return NULL;
	return &changes->gone[(first + index) % CTL_GONE_MAX];
}
