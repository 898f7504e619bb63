/* The system's authorities: what is found where, read how often, and that sets
 * of trust have the same certificates and no copies. */
#include "net/tls_system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/authority.h"
#include "core/must.h"
#include "net/tls_openssl_priv.h"

enum { PAIRS = 4 };

static char folder[] = "/tmp/yumen-system-XXXXXX";
static struct authority_pair pairs[PAIRS];

static const char *
path_of(const char *name)
{
	static char path[2][128];
	static unsigned turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

/* The pairs from first to the one before end. */
static void
write_file(const char *name, unsigned first, unsigned end, const char *more)
{
	FILE *file = fopen(path_of(name), "w");
	struct text text;

	must(file);
	text_init(&text);
	for (unsigned i = first; i < end; i++)
		authority_push_certificate(&pairs[i], &text);
	text_push_string(&text, more);
	must(fwrite(text.data, 1, text.length, file) == text.length);
	must(fclose(file) == 0);
	text_fini(&text);
}

static int
set_up(void **state)
{
	static const char *const subjects[PAIRS] = {"a", "b", "c", "d"};

	(void)state;
	for (unsigned i = 0; i < PAIRS; i++)
		pairs[i] =
		    authority_make(&(struct authority_wish){.key = "P-256",
		        .subject = subjects[i],
		        .is_authority = true});
	must(mkdtemp(folder) && mkdir(path_of("one"), 0700) == 0 &&
	    mkdir(path_of("two"), 0700) == 0);
	write_file("file.pem", 0, 2, "-----BEGIN JUNK-----\n");
	write_file("one/01234567.0", 1, 2, ""); /* known from the file */
	write_file("one/89abcdef.12", 2, 3, "");
	write_file("one/89abcdef.r0", 3, 4, ""); /* what was revoked */
	write_file("one/readme.0", 3, 4, "");
	write_file("one/89abcdef", 3, 4, "");
	write_file("two/00000000.0", 3, 4, "");
	write_file("two/00000000.1", 0, 0, "junk");
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = {"file.pem", "one/01234567.0",
	    "one/89abcdef.12", "one/89abcdef.r0", "one/readme.0",
	    "one/89abcdef", "two/00000000.0", "two/00000000.1"};

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(names[i]));
	rmdir(path_of("one"));
	rmdir(path_of("two"));
	rmdir(folder);
	for (unsigned i = 0; i < PAIRS; i++)
		authority_pair_free(&pairs[i]);
	return 0;
}

static struct net_tls_system *
open_system(const char *file, const char *folders)
{
	setenv("SSL_CERT_FILE", file, 1);
	setenv("SSL_CERT_DIR", folders, 1);
	return net_tls_system_new();
}

static X509 *
find(const struct net_tls_trust *trust, unsigned pair)
{
	const STACK_OF(X509_OBJECT) *all =
	    X509_STORE_get0_objects(trust->store);

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *x509 =
		    X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (X509_cmp(x509, pairs[pair].x509) == 0)
			return x509;
	}
	return NULL;
}

static void
expect(const char *file, const char *folders, const char *found)
{
	struct net_tls_system *system = open_system(file, folders);
	unsigned turns = 1;

	while (!net_tls_system_read(system, 1))
		assert_true(turns++ < 100);
	struct net_tls_trust *one = net_tls_system_trust(system);
	struct net_tls_trust *other = net_tls_system_trust(system);

	for (unsigned i = 0; i < PAIRS; i++) {
		assert_int_equal(
		    find(one, i) != NULL, strchr(found, "abcd"[i]) != NULL);
		assert_ptr_equal(find(one, i), find(other, i));
	}
	assert_int_equal(
	    sk_X509_OBJECT_num(X509_STORE_get0_objects(one->store)),
	    strlen(found));
	net_tls_trust_free(one);
	net_tls_system_free(&system);
	/* What was made from it stays. */
	assert_int_equal(
	    sk_X509_OBJECT_num(X509_STORE_get0_objects(other->store)),
	    strlen(found));
	net_tls_trust_free(other);
}

static void
test_places(void **state)
{
	char both[256];

	(void)state;
	snprintf(both, sizeof(both), "%s/one::%s/none:%s/two", folder, folder,
	    folder);
	expect(path_of("file.pem"), both, "abcd");
	expect(path_of("file.pem"), path_of("one"), "abc");
	expect(path_of("file.pem"), path_of("none"), "ab");
	expect(path_of("none"), path_of("two"), "d");
	expect(path_of("none"), path_of("none"), "");
	expect("", "", "");
}

/* Once: what changes in the file is another process's. */
static void
test_once(void **state)
{
	struct net_tls_system *system =
	    open_system(path_of("file.pem"), path_of("none"));

	(void)state;
	assert_true(net_tls_system_read(system, 1000));
	setenv("SSL_CERT_DIR", path_of("two"), 1);
	assert_true(net_tls_system_read(system, 1));
	struct net_tls_trust *trust = net_tls_system_trust(system);

	assert_non_null(find(trust, 0));
	assert_null(find(trust, 3));
	net_tls_trust_free(trust);
	net_tls_system_free(&system);
	/* One that nobody asked for. */
	system = open_system(path_of("file.pem"), path_of("one"));
	net_tls_system_free(&system);
	/* One that was left in the midst of it. */
	system = open_system(path_of("none"), path_of("one"));
	assert_false(net_tls_system_read(system, 3));
	net_tls_system_free(&system);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_once),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
