/* Kubeconfigs: what is taken of them, and what is refused. */
#include "kube/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define CONFIG(cluster, user) \
	"apiVersion: v1\nkind: Config\ncurrent-context: a\n" \
	"contexts:\n- {name: a, context: {cluster: c, user: u}}\n" \
	"- {name: b, context: {cluster: c, user: u, namespace: mine}}\n" \
	"clusters:\n- {name: x, cluster: {server: 'https://no'}}\n" \
	"- {name: c, cluster: {" cluster "}}\n" \
	"users:\n- {name: u, user: {" user "}}\n"

static enum error
parse(struct kube_access *access, const char *config, const char *context,
    struct text *why)
{
	return kube_access_parse(
	    access, slice_from_string(config), SLICE("/etc/k"), context, why);
}

static void
test_good(void **state)
{
	struct kube_access access;
	struct text why;

	(void)state;
	text_init(&why);
	assert_int_equal(
	    parse(&access,
	        CONFIG("server: 'https://[fd00::1]:6443/k8s/a/', "
	               "certificate-authority: ca.crt, tls-server-name: kube",
	            "client-certificate-data: Zm9v, client-key: /abs/key, "
	            "tokenFile: t"),
	        "b", &why),
	    ERROR_OK);
	assert_string_equal(access.host, "fd00::1");
	assert_int_equal(access.port, 6443);
	assert_false(access.plain);
	assert_true(slice_equal(access.prefix, SLICE("/k8s/a")));
	assert_string_equal(access.server_name, "kube");
	assert_string_equal(access.authority.path, "/etc/k/ca.crt");
	assert_true(slice_equal(access.certificate.bytes, SLICE("foo")));
	assert_string_equal(access.key.path, "/abs/key");
	assert_string_equal(access.token.path, "/etc/k/t");
	assert_true(slice_equal(access.namespace, SLICE("mine")));
	assert_null(access.plugin);
	kube_access_fini(&access);
	text_fini(&why);
}

static void
test_plugin(void **state)
{
	struct kube_access access;
	struct text why;

	(void)state;
	text_init(&why);
	assert_int_equal(
	    parse(&access,
	        CONFIG("server: 'http://127.0.0.1'",
	            "exec: {command: ./get, args: [-x, '1'], env: [{name: A, "
	            "value: b}], apiVersion: v}"),
	        NULL, &why),
	    ERROR_OK);
	assert_true(access.plain);
	assert_int_equal(access.port, 80);
	assert_true(slice_equal(access.namespace, SLICE("default")));
	assert_string_equal(access.plugin->arguments[0], "/etc/k/./get");
	assert_string_equal(access.plugin->arguments[1], "-x");
	assert_string_equal(access.plugin->arguments[2], "1");
	assert_null(access.plugin->arguments[3]);
	assert_string_equal(access.plugin->settings[0], "A=b");
	assert_null(access.plugin->settings[1]);
	kube_access_fini(&access);
	text_fini(&why);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *config, *context, *why;
	} rows[] = {
	    {"[]", NULL, "it is no kubeconfig"},
	    {"a: [", NULL, "it is no kubeconfig"},
	    {"{}", NULL, "current-context"},
	    {CONFIG("server: 'https://a'", "token: t"), "z",
	        "no context \"z\""},
	    {CONFIG("server: 'ftp://a'", "token: t"), NULL, "no URL"},
	    {CONFIG("server: 'https://a:0'", "token: t"), NULL, "no URL"},
	    {CONFIG("server: 'https://'", "token: t"), NULL, "no URL"},
	    {CONFIG("server: 'https://a', insecure-skip-tls-verify: true",
	         "token: t"),
	        NULL, "insecure-skip-tls-verify"},
	    {CONFIG("server: 'https://a', proxy-url: 'http://p'", "token: t"),
	        NULL, "proxy-url"},
	    {CONFIG("server: 'https://a', certificate-authority-data: '%'",
	         "token: t"),
	        NULL, "no base64"},
	    {CONFIG("server: 'https://a'", "exec: {args: []}"), NULL,
	        "no command"},
	};
	struct kube_access access;
	struct text why;

	(void)state;
	text_init(&why);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_reset(&why);
		assert_int_equal(
		    parse(&access, rows[i].config, rows[i].context, &why),
		    ERROR_INVALID);
		if (strstr(why.data, rows[i].why) == NULL)
			fail_msg("row %zu: %s", i, why.data);
	}
	text_fini(&why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_plugin),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
