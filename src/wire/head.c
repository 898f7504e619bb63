/* Heads: finding, adding and removing entries. An entry that is removed keeps
 * its place and loses its id, so that nothing moves. */
#include "wire/head.h"

#include "core/memory.h"
#include "core/must.h"

void
wire_head_reset(struct wire_head *head)
{
	must(head != NULL);
	memory_clear(head, offsetof(struct wire_head, fields));
}

struct field *
wire_head_find(struct wire_head *head, enum field_id id)
{
	must(head != NULL && id != FIELD_OTHER && id != FIELD_REMOVED);
	for (unsigned i = 0; i < head->field_count; i++)
		if (head->fields[i].id == id)
			return &head->fields[i];
	return NULL;
}

static bool
is_named(const struct field *field, enum field_id id, struct slice name)
{
	if (field->id != id)
		return false;
	return id != FIELD_OTHER || slice_equal_nocase(field_name(field), name);
}

struct field *
wire_head_find_name(struct wire_head *head, struct slice name)
{
	must(head != NULL);
	enum field_id id = wire_field_id(name);
	for (unsigned i = 0; i < head->field_count; i++)
		if (is_named(&head->fields[i], id, name))
			return &head->fields[i];
	return NULL;
}

bool
wire_head_add(struct wire_head *head, enum field_id id, struct slice name,
    struct slice value)
{
	must(head != NULL && id != FIELD_REMOVED);
	must(name.length > 0 && name.length <= UINT16_MAX);
	must(value.length <= UINT32_MAX);
	if (head->field_count >= HEAD_FIELDS_MAX)
		return false;
	head->fields[head->field_count++] = (struct field){
	    .name = name.data,
	    .value = value.data,
	    .value_length = (uint32_t)value.length,
	    .name_length = (uint16_t)name.length,
	    .id = (uint16_t)id,
	};
	return true;
}

bool
wire_head_add_field(struct wire_head *head, const struct field *field)
{
	must(head != NULL && field->id != FIELD_REMOVED);
	must(field->name_length > 0);
	if (head->field_count >= HEAD_FIELDS_MAX)
		return false;
	head->fields[head->field_count++] = *field;
	return true;
}

bool
wire_head_add_line(struct wire_head *head, const struct field *field)
{
	unsigned at = head->field_count;
	if (!wire_head_add_field(head, field))
		return false;
	if (head->made_count == 0) {
		head->made_first = (uint16_t)at;
		head->made_count = 1;
	}
	return true;
}

static void
remove_at(struct wire_head *head, unsigned i)
{
	head->fields[i].id = FIELD_REMOVED;
	wire_head_touch(head, i);
}

void
wire_head_remove(struct wire_head *head, enum field_id id)
{
	must(head != NULL && id != FIELD_OTHER);
	for (unsigned i = 0; i < head->field_count; i++)
		if (head->fields[i].id == id)
			remove_at(head, i);
}

void
wire_head_remove_name(struct wire_head *head, struct slice name)
{
	must(head != NULL);
	enum field_id id = wire_field_id(name);
	for (unsigned i = 0; i < head->field_count; i++)
		if (is_named(&head->fields[i], id, name))
			remove_at(head, i);
}
