/* JSON as YAML: what is written reads back as the same value, texts as texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <yaml.h>
#include "cmd/get_priv.h"

static char *
print(json_t *items)
{
	struct text out;

	text_init(&out);
	get_yaml(&out, items);
	text_push_byte(&out, '\0');
	return text_take(&out);
}

static void
test_form(void **state)
{
	json_t *items = json_loads("[{\"kind\":\"Gateway\",\"m\":5,\"t\":\"5\","
	                           "\"b\":true,\"s\":\"true\",\"z\":null,"
	                           "\"list\":[\"a\",{\"b\":[]}],\"e\":{}},"
	                           "{\"kind\":\"Other\"}]",
	    0, NULL);
	char *text;

	(void)state;
	assert_non_null(items);
	text = print(items);
	assert_string_equal(text,
	    "kind: Gateway\nm: 5\nt: \"5\"\nb: true\ns: \"true\"\nz: null\n"
	    "list:\n- a\n- b: []\ne: {}\n---\nkind: Other\n");
	free(text);
	json_decref(items);
}

/* Is this scalar plain, and would a reader of YAML 1.1 or 1.2 take it for
 * something else than a text? */
static bool
misleads(const yaml_event_t *event)
{
	static const char *const words[] = {"", "~", "null", "true", "false",
	    "yes", "no", "on", "off", "y", "n", ".inf", ".nan", "<<", "="};
	const char *value = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return strchr("0123456789+-.", value[0]) != NULL;
}

/* Every text reads back byte by byte, and as a text. */
static void
test_texts(void **state)
{
	static const char *const texts[] = {"", " ", "a", " a", "a ", "a: b",
	    "a #b", "#a", "- a", "-", "?", ":", "{", "}", "[a]", "&a", "*a",
	    "!a", "|", ">", "%a", "@a", "`a", "'", "\"", "\\", "a\nb", "a\n",
	    "\n", "\t", "a\tb", "true", "True", "TRUE", "no", "NO", "On", "off",
	    "y", "N", "null", "Null", "~", "1", "01", "0x1f", "1e3", ".5", "+1",
	    "-1", "1_000", "12:30:45", "2026-01-01", "1.0", ".inf", "-.Inf",
	    ".NAN", "=", "<<", "---", "...", "--- a",
	    "\xe7\x8e\x89\xe9\x97\xa8", "\xc2\x85", "\xe2\x80\xa8", "\x01",
	    "\x7f", "\xef\xbb\xbf", "a\rb", "key: [1, 2]\n  x: y\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *items = json_pack("[[s]]", texts[i]);
		char *text = print(items);
		yaml_parser_t parser;
		yaml_event_t event;
		unsigned found = 0;

		assert_true(yaml_parser_initialize(&parser));
		yaml_parser_set_input_string(
		    &parser, (const unsigned char *)text, strlen(text));
		for (bool end = false; !end;) {
			if (!yaml_parser_parse(&parser, &event))
				fail_msg(
				    "%zu: %s in %s", i, parser.problem, text);
			end = event.type == YAML_STREAM_END_EVENT;
			if (event.type == YAML_SCALAR_EVENT) {
				found++;
				assert_string_equal(
				    (const char *)event.data.scalar.value,
				    texts[i]);
				if (misleads(&event))
					fail_msg("'%s' is bare", texts[i]);
			}
			yaml_event_delete(&event);
		}
		assert_int_equal(found, 1);
		yaml_parser_delete(&parser);
		free(text);
		json_decref(items);
	}
}

static void
test_nothing(void **state)
{
	json_t *items = json_array();
	char *text = print(items);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	json_decref(items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_form),
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
