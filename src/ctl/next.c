/* Blocks of those that wait; all go when none is in use. */
#include "ctl/next_priv.h"

#include "core/memory.h"
#include "core/must.h"
#include "wire/record_binary.h"

enum { BLOCK_COUNT = 512 };
struct ctl_next_block {
	struct ctl_next_block *next;
	struct ctl_next items[BLOCK_COUNT];
};

void
ctl_nexts_init(struct ctl_nexts *nexts)
{
	*nexts = (struct ctl_nexts){.count = 0};
	list_init(&nexts->free);
}

static void
free_blocks(struct ctl_nexts *nexts)
{
	while (nexts->blocks != NULL) {
		struct ctl_next_block *block = nexts->blocks;

		nexts->blocks = block->next;
		memory_free(block);
	}
	list_init(&nexts->free);
}

void
ctl_nexts_fini(struct ctl_nexts *nexts)
{
	must(nexts->count == 0);
	free_blocks(nexts);
}

static void
add_block(struct ctl_nexts *nexts)
{
	struct ctl_next_block *block = memory_zero(1, sizeof(*block));

	block->next = nexts->blocks;
	nexts->blocks = block;
	for (unsigned i = 0; i < BLOCK_COUNT; i++)
		list_insert(&nexts->free, &block->items[i].waiting);
}

struct ctl_next *
ctl_nexts_take(struct ctl_nexts *nexts)
{
	if (list_is_empty(&nexts->free))
		add_block(nexts);
	struct ctl_next *next =
	    container_of(nexts->free.next, struct ctl_next, waiting);

	list_remove(&next->waiting);
	*next = (struct ctl_next){.offer = 0};
	list_init(&next->waiting);
	nexts->count++;
	return next;
}

void
ctl_nexts_give(struct ctl_nexts *nexts, struct ctl_next *next)
{
	must(next->status == NULL);
	list_remove(&next->waiting);
	memory_free(next->gateway);
	memory_free(next->object);
	list_insert(&nexts->free, &next->waiting);
	if (--nexts->count == 0)
		free_blocks(nexts);
}

/* ---- Gateways ---- */

static struct ctl_next_gateway *
make_gateway(struct slice namespace, struct slice name, struct slice told)
{
	size_t length = namespace.length + 1 + name.length;
	struct ctl_next_gateway *made =
	    memory_alloc(sizeof(*made) + length + 1 + told.length);

	memcpy(made->name, namespace.data, namespace.length);
	made->name[namespace.length] = '/';
	memcpy(made->name + namespace.length + 1, name.data, name.length);
	made->name[length] = '\0';
	if (told.length > 0)
		memcpy(made->name + length + 1, told.data, told.length);
	made->told = slice_make(made->name + length + 1, told.length);
	return made;
}

void
ctl_next_set_gateway(struct ctl_next *next, const struct gw_object *object)
{
	must(object->kind == GW_GATEWAY || object->kind == GW_LISTENERSET);
	struct slice namespace = object->namespace, name = object->name;
	struct text told;

	text_init(&told);
	if (object->kind == GW_LISTENERSET) {
		const struct gw_object_reference *parent =
		    object->listenerset->spec != NULL
		    ? object->listenerset->spec->parent_ref
		    : NULL;

		name = parent != NULL ? parent->name : SLICE_NONE;
		if (parent != NULL && parent->namespace.length > 0)
		namespace = parent->namespace;
	} else if (object->told_addresses != NULL) {
		wire_record_encode(
		    &told, &gw_told_addresses_type, object->told_addresses);
	}
	memory_free(next->gateway);
	next->gateway = NULL;
	if (name.length > 0)
		next->gateway =
		    make_gateway(namespace, name, text_slice(&told));
	text_fini(&told);
}

const struct gw_told_addresses *
ctl_next_told(const struct ctl_next *next,
    const struct gw_gateway_status *shown, struct arena *arena)
{
	struct gw_told_addresses *told;
	void *decoded = NULL;

	if (shown != NULL) {
		told = arena_zero(arena, 1, sizeof(*told));
		told->addresses = shown->addresses;
		told->addresses_count = shown->addresses_count;
		return told;
	}
	if (next->gateway == NULL || next->gateway->told.length == 0)
		return NULL;
	must(wire_record_decode(next->gateway->told, &gw_told_addresses_type,
	         arena, &decoded) == ERROR_OK);
	return decoded;
}
