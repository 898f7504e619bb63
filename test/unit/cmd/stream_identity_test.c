/* When a certificate of the stream's authority is shown anew. */
#include "cmd/stream_identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/clock.h"
#include "net/tls.h"
#include "stream/authority.h"

/* ---- a server that counts ---- */

static unsigned shown;

void
stream_server_show(
    struct stream_server *server, struct net_tls_identity *identity)
{
	(void)server;
	assert_non_null(identity);
	net_tls_identity_free(identity);
	shown++;
}

void
stream_server_judged(struct stream_server *server, uint64_t peer,
    struct slice gateway, const char *why)
{
	(void)server;
	(void)peer;
	(void)gateway;
	(void)why;
}

/* ---- the cases ---- */

static void
take(struct stream_identity *identity, const struct text *state, unsigned want)
{
	assert_int_equal(
	    stream_identity_take(identity, text_slice(state)), ERROR_OK);
	assert_int_equal(shown, want);
}

static void
test_another_authority(void **state)
{
	struct stream_identity identity = {.name_count = 0};
	int64_t now = clock_wall_ms() / 1000;
	struct text first, second;

	(void)state;
	text_init(&first);
	text_init(&second);
	assert_true(stream_authority_renew(SLICE(""), now, &first));
	assert_true(stream_authority_renew(SLICE(""), now, &second));
	stream_identity_name(&identity, "controller.test");
	shown = 0;
	take(&identity, &first, 1);
	take(&identity, &first, 1);
	/* It was replaced: nobody believes what the first has signed. */
	take(&identity, &second, 2);
	take(&identity, &second, 2);
	/* Half of its life is over. */
	identity.issued -= STREAM_SERVER_LIFE / 2 + 1;
	take(&identity, &second, 3);
	text_wipe(&first);
	text_wipe(&second);
}

/* What cannot sign leaves what is shown as it is, and is tried again. */
static void
test_no_authority(void **state)
{
	struct stream_identity identity = {.name_count = 0};

	(void)state;
	stream_identity_name(&identity, "controller.test");
	shown = 0;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
		    stream_identity_take(&identity, SLICE("nothing")),
		    ERROR_INVALID);
	assert_int_equal(shown, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_another_authority),
	    cmocka_unit_test(test_no_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
