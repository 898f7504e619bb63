/* The stream's authorities: made, believed before they sign, and gone when they
 * have ended; at every day of five years a server is believed by whoever read
 * the bundle within the last week. */
#include "stream/authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/must.h"
#include "crypt/certificate.h"

#define DAY 86400

static bool
is_signed_by(struct slice chain_pem, struct slice bundle_pem)
{
	struct crypt_fault fault;
	struct crypt_certificates *chain = crypt_chain_parse(chain_pem, &fault);
	struct crypt_certificates *bundle =
	    crypt_bundle_parse(bundle_pem, &fault);
	bool found = false;

	assert_non_null(chain);
	assert_non_null(bundle);
	for (unsigned i = 0; i < bundle->count; i++)
		found = found ||
		    crypt_is_issued_by(chain->items[0], bundle->items[i]);
	crypt_certificates_free(chain);
	crypt_certificates_free(bundle);
	return found;
}

static void
test_years(void **state)
{
	const struct crypt_name names[] = {{CRYPT_NAME_DNS, SLICE("c.test")}};
	int64_t begin = 1800000000;
	struct text now_state, next, old_bundle, bundle;
	unsigned made = 0;

	(void)state;
	text_init(&now_state);
	text_init(&old_bundle);
	for (int64_t day = 0; day < 5 * 365; day++) {
		int64_t now = begin + day * DAY;
		struct text chain, key;

		text_init(&next);
		text_init(&chain);
		text_init(&key);
		text_init(&bundle);
		if (stream_authority_renew(text_slice(&now_state), now, &next))
			made++;
		text_reset(&now_state);
		text_push(&now_state, text_slice(&next));
		stream_authority_bundle(text_slice(&now_state), &bundle);
		if (day % 7 == 0) {
			assert_int_equal(
			    stream_authority_issue(text_slice(&now_state),
			        names, 1, now, &chain, &key),
			    ERROR_OK);
			assert_true(is_signed_by(
			    text_slice(&chain), text_slice(&bundle)));
			/* A week ago it was believed already. */
			if (day > 0)
				assert_true(is_signed_by(text_slice(&chain),
				    text_slice(&old_bundle)));
			text_reset(&old_bundle);
			text_push(&old_bundle, text_slice(&bundle));
		}
		text_fini(&next);
		text_fini(&chain);
		text_fini(&key);
		text_fini(&bundle);
	}
	/* Made some twice a year, and forgotten as often. */
	assert_in_range(made, 15, 25);
	text_fini(&now_state);
	text_fini(&old_bundle);
}

static void
test_garbage(void **state)
{
	const struct crypt_name names[] = {{CRYPT_NAME_DNS, SLICE("c.test")}};
	struct text made, chain, key;

	(void)state;
	text_init(&made);
	text_init(&chain);
	text_init(&key);
	assert_int_equal(stream_authority_issue(SLICE("nonsense"), names, 1,
	                     1800000000, &chain, &key),
	    ERROR_INVALID);
	assert_true(
	    stream_authority_renew(SLICE("nonsense"), 1800000000, &made));
	assert_false(
	    stream_authority_renew(text_slice(&made), 1800000000, &chain));
	text_fini(&made);
	text_fini(&chain);
	text_fini(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_years),
	    cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
