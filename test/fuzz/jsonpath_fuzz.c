/* Any bytes as a template over a small object: what is malformed is said so,
 * what is not prints, and a list of columns is read to its end. */
#include "cmd/get_columns.h"

#include "core/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char object[] = "{\"a\":{\"b\":\"x\",\"c.d\":1},\"l\":[{\"t\":"
                             "\"A\",\"s\":true},{\"t\":\"B\"}]}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice template = slice_make((const char *)data, size);
	json_t *whole = json_loads(object, 0, NULL);
	struct get_columns columns;
	struct text out, why;

	must(whole != NULL);
	text_init(&out);
	text_init(&why);
	struct jsonpath *path = jsonpath_new(template, &why);

	must((path == NULL) == (why.length > 0));
	if (path)
		jsonpath_push(&out, path, whole);
	jsonpath_free(&path);
	text_reset(&why);
	bool ok = get_columns_init(&columns, template, &why);

	must(ok == (why.length == 0) && (!ok || columns.count > 0));
	if (ok)
		get_columns_print(&out, &columns, json_object_get(whole, "l"));
	get_columns_fini(&columns);
	text_fini(&out);
	text_fini(&why);
	json_decref(whole);
	return 0;
}
