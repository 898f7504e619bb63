/* A key is the kind in a byte, the namespace, '/', the name. */
#include "ctl/row.h"

#include "core/memory.h"
#include "core/must.h"
#include "core/text.h"

static struct slice
key_of(const void *row)
{
	return ctl_row_key(row);
}

bool
ctl_row_names(
    const struct tree_node *object, struct slice *namespace, struct slice *name)
{
	const struct tree_node *metadata =
	    wire_tree_member(object, "metadata", TREE_MAP);

	*name = wire_tree_text(metadata, "name");
	*namespace = wire_tree_text(metadata, "namespace");
	return name->length > 0;
}

struct slice
ctl_row_version(const struct tree_node *object)
{
	return wire_tree_text(
	    wire_tree_member(object, "metadata", TREE_MAP), "resourceVersion");
}

/* 0: it is none. */
static uint64_t
version_number(struct slice version)
{
	uint64_t number;

	return slice_to_number(version, UINT64_MAX, &number) ? number : 0;
}

void
ctl_row_told(struct ctl_row *row, struct slice version)
{
	row->version = version_number(version);
}

bool
ctl_row_is_past(const struct ctl_row *row, const struct tree_node *object)
{
	uint64_t number = version_number(ctl_row_version(object));

	return number != 0 && number < row->version;
}

struct slice
ctl_row_key(const struct ctl_row *row)
{
	return slice_make((const char *)row + row->key_at, row->key_length);
}

struct slice
ctl_row_namespace(const struct ctl_row *row)
{
	return slice_make((const char *)row + row->key_at + 1,
	    row->key_length - row->name_length - 2);
}

struct slice
ctl_row_name(const struct ctl_row *row)
{
	return slice_make((const char *)row + row->key_at + row->key_length -
	        row->name_length,
	    row->name_length);
}

void
ctl_rows_init(struct map *rows)
{
	map_init_keyed(rows, key_of);
}

void
ctl_rows_fini(struct map *rows)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(rows, &at, &key, &value);)
		memory_free(value);
	map_fini(rows);
}

static void
make_key(
    struct text *key, uint8_t kind, struct slice namespace, struct slice name)
{
	text_init(key);
	text_push_byte(key, (char)(1 + kind));
	text_push(key, namespace);
	text_push_byte(key, '/');
	text_push(key, name);
}

void *
ctl_rows_get(const struct map *rows, uint8_t kind, struct slice namespace,
    struct slice name)
{
	struct ctl_row *row;
	struct text key;

	make_key(&key, kind, namespace, name);
	row = map_get(rows, text_slice(&key));
	text_fini(&key);
	return row;
}

void *
ctl_rows_make(struct map *rows, size_t size, uint8_t kind,
    struct slice namespace, struct slice name, bool *is_new)
{
	must(size >= sizeof(struct ctl_row) && size <= UINT16_MAX);
	struct ctl_row *row;
	struct text key;
	bool made = false;

	make_key(&key, kind, namespace, name);
	row = map_get(rows, text_slice(&key));
	if (row == NULL && key.length <= UINT16_MAX) {
		row = memory_zero(1, size + key.length);
		row->key_at = (uint16_t)size;
		row->key_length = (uint16_t)key.length;
		row->name_length = (uint16_t)name.length;
		row->kind = kind;
		memcpy((char *)row + size, key.data, key.length);
		(void)map_add(rows, row);
		made = true;
	}
	text_fini(&key);
	if (is_new != NULL)
		*is_new = made;
	return row;
}

void
ctl_rows_remove(struct map *rows, const struct ctl_row *row)
{
	(void)map_remove(rows, ctl_row_key(row));
}

struct ctl_row **
ctl_rows_missed(
    const struct map *rows, uint8_t kind, uint32_t epoch, size_t *count)
{
	struct ctl_row **missed = NULL;
	size_t found = 0, room = 0;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(rows, &at, &key, &value);) {
		struct ctl_row *row = value;

		if (row->kind != kind || row->epoch == epoch)
			continue;
		if (found == room) {
			room = room != 0 ? room * 2 : 64;
			missed = memory_resize(missed, room, sizeof(*missed));
		}
		missed[found++] = row;
	}
	*count = found;
	return missed;
}
