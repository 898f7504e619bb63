/* Which problems of objects belong to an explanation. */
#include "cmd/explain_priv.h"

#include "cmd/look.h"

#define PROBLEMS_MAX 16

/* "HTTPRoute/default/web" */
static bool
is_route(const json_t *object, const char *route)
{
	struct text text;

	text_init(&text);
	text_printf(&text, "%s/%s/%s", look_text(object, "kind"),
	    look_text(object, "namespace"), look_text(object, "name"));
	bool same = slice_equal(text_slice(&text), slice_from_string(route));

	text_fini(&text);
	return same;
}

static void
add(json_t *list, const json_t *answer, const char *route)
{
	const json_t *objects = json_object_get(answer, "objects");

	for (size_t i = 0; i < json_array_size(objects); i++) {
		const json_t *object = json_array_get(objects, i);
		const json_t *problems = json_object_get(object, "problems");

		if (route[0] && !is_route(object, route))
			continue;
		for (size_t k = 0; k < json_array_size(problems) &&
		     json_array_size(list) < PROBLEMS_MAX;
		     k++) {
			json_t *one = json_copy(json_array_get(problems, k));

			json_object_set_new(one, "object",
			    json_sprintf("%s %s/%s", look_text(object, "kind"),
			        look_text(object, "namespace"),
			        look_text(object, "name")));
			json_array_append_new(list, one);
		}
	}
}

void
explain_add_problems(json_t *told, json_t *answer)
{
	const char *route = look_text(told, "route");
	const char *verdict = look_text(told, "verdict");
	json_t *list = json_array();

	/* What is no request is none of theirs; what is answered needs none. */
	if ((json_object_get(told, "request") ||
	        strcmp(verdict, "handshake") == 0 ||
	        strcmp(verdict, "nowhere") == 0) &&
	    (strcmp(verdict, "refused") == 0 ||
	        strcmp(verdict, "handshake") == 0 ||
	        strcmp(verdict, "depends") == 0 ||
	        strcmp(verdict, "nowhere") == 0))
		add(list, answer, route);
	json_object_set_new(told, "problems", list);
	json_decref(answer);
}
