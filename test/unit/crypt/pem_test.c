/* PEM: what is read, what is refused and on which line. */
#include "crypt/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Each block as "label@line=bytes;", each fault as "!label@line;". */
static void
assert_read(const char *text, const char *wanted)
{
	struct crypt_fault fault;
	struct crypt_pem pem;
	struct text got;
	enum error error;

	text_init(&got);
	text_push_string(&got, "");
	crypt_pem_init(&pem, slice_from_string(text));
	while ((error = crypt_pem_next(&pem, &fault)) != ERROR_NOT_FOUND) {
		if (error == ERROR_OK && pem.encrypted)
			text_printf(&got, "encrypted@%u;", pem.line);
		else if (error == ERROR_OK)
			text_printf(&got, "%.*s@%u=%.*s;",
			    SLICE_ARGS(pem.label), pem.line, (int)pem.length,
			    (const char *)pem.bytes);
		else
			text_printf(&got, "!%s@%u;",
			    crypt_problem_label(fault.problem), fault.line);
	}
	crypt_pem_fini(&pem);
	assert_string_equal(got.data ? got.data : "", wanted);
	text_fini(&got);
}

#define B "-----BEGIN A-----\n"
#define E "-----END A-----\n"

static void
test_read(void **state)
{
	(void)state;
	assert_read("", "");
	assert_read("nothing\nhere", "");
	assert_read(B "aGVsbG8=\n" E, "A@1=hello;");
	assert_read(B "aGVsbG8=\n-----END A-----", "A@1=hello;");
	assert_read("-----BEGIN A-----\r\naGVs\r\nbG8=\r\n"
	            "-----END A-----\r\n",
	    "A@1=hello;");
	assert_read(B "  aG Vs\nbG\n8=\n\n" E, "A@1=hello;");
	assert_read("Certificate:\n    Data:\n" B "aGk=\n" E
	            "more\n-----BEGIN B C-----\nYg==\n-----END B C-----\n",
	    "A@3=hi;B C@7=b;");
	assert_read(B "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES,00\n\n?\n" E,
	    "encrypted@1;");
	assert_read(B "Comment: x\n\naGk=\n" E, "A@1=hi;");
	assert_read(B "Comment: x\naGk=\n" E, "A@1=hi;");
}

static void
test_refused(void **state)
{
	(void)state;
	assert_read(B E, "!pem_base64@2;");
	assert_read(B "aGk\n" E, "!pem_base64@3;");
	assert_read(B "aGk=\n?\n" E, "!pem_base64@3;");
	assert_read(B "a===\n" E, "!pem_base64@2;");
	assert_read(B "aGk=aGk=\n" E, "!pem_base64@2;");
	assert_read(B "====\n" E, "!pem_base64@2;");
	assert_read(B "aGk=\n", "!pem_unended@1;");
	assert_read(B, "!pem_unended@1;");
	assert_read(E, "!pem_boundary@1;");
	assert_read(
	    "-----BEGIN A----\naGk=\n" E, "!pem_boundary@1;!pem_boundary@3;");
	assert_read(B "aGk=\n-----END B-----\n", "!pem_boundary@3;");
	assert_read("-----BEGIN -----", "!pem_unended@1;");
}

/* A bad block takes nothing else with it. */
static void
test_goes_on(void **state)
{
	(void)state;
	assert_read(B "?\naGk=\n" E B "aGk=\n" E, "!pem_base64@2;A@5=hi;");
	assert_read(B "aGk=\n" B "aGk=\n" E, "!pem_unended@1;A@3=hi;");
	assert_read(B "?\n" B "aGk=\n" E, "!pem_base64@2;A@3=hi;");
	assert_read(
	    B "aGk=\n-----END\n" E B "aGk=\n" E, "!pem_boundary@3;A@5=hi;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
