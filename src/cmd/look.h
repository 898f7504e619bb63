/* Looking into the JSON of answers, whose members may be missing or of another
 * type: then there is nothing. */
#ifndef YUMEN_CMD_LOOK_H
#define YUMEN_CMD_LOOK_H

#include <jansson.h>
#include <string.h>

#include "core/text.h"

static inline const char *
look_text(const json_t *object, const char *key)
{
	const char *string = json_string_value(json_object_get(object, key));

	return string ? string : "";
}

static inline const json_t *
look_at(const json_t *object, const char *first, const char *second)
{
	return json_object_get(json_object_get(object, first), second);
}

static inline json_int_t
look_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* NULL when there is none of this type. */
static inline const json_t *
look_condition(const json_t *conditions, const char *type)
{
	for (size_t i = 0; i < json_array_size(conditions); i++) {
		const json_t *condition = json_array_get(conditions, i);

		if (strcmp(look_text(condition, "type"), type) == 0)
			return condition;
	}
	return NULL;
}

static inline bool
look_is_true(const json_t *conditions, const char *type)
{
	return strcmp(look_text(look_condition(conditions, type), "status"),
	           "True") == 0;
}

/* A list of texts as "a,b". */
static inline void
look_push_list(struct text *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		text_push_string(out, i > 0 ? "," : "");
		text_push_string(out, s ? s : "");
	}
}

#endif
