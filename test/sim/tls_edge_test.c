/* What the seeds of tls_test.c do not come by: time, floods, and the memory of
 * a connection at rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/limit.h"
#include "sim/loop.h"
#include "tls/end.h"

static struct tls_keys keys;

struct rig {
	struct net_loop *loop;
	struct metrics metrics;
	struct net_tls_profile *profile;
	struct net_tls_server server;
	struct tls_end end;
	struct sim_pipe *pipe;
};

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	(void)context;
	(void)server_name;
	choice->identities = keys.servers;
	choice->identity_count = 1;
	return ERROR_OK;
}

static void
rig_init(struct rig *rig)
{
	static const struct net_tls_settings settings;
	const char *wrong;

	*rig = (struct rig){.loop = sim_loop_new(1)};
	metrics_init(&rig->metrics);
	assert_int_equal(net_tls_profile_new(
	                     &settings, &rig->metrics, &rig->profile, &wrong),
	    ERROR_OK);
	rig->server =
	    (struct net_tls_server){.profile = rig->profile, .choose = choose};
	rig->pipe = sim_pipe_new(rig->loop);
	tls_end_init(&rig->end);
	assert_int_equal(
	    net_tls_accept(&rig->end.stream, rig->loop, sim_pipe_fd(rig->pipe),
	        tls_end_on_ready, &rig->server),
	    ERROR_OK);
	sim_loop_settle(rig->loop);
}

static void
rig_fini(struct rig *rig)
{
	tls_end_fini(&rig->end);
	net_tls_profile_unref(rig->profile);
	net_loop_free(rig->loop);
	metrics_fini(&rig->metrics);
}

static unsigned
hits(const struct rig *rig, enum limit limit)
{
	return (unsigned)atomic_load(&rig->metrics.limit_hits[limit]);
}

/* One that says nothing, and one that stops in its hello. */
static void
test_slow(void **state)
{
	static const struct slice begun[] = {SLICE(""), SLICE("\26\3\1\2\0\1")};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct rig rig;

		rig_init(&rig);
		sim_pipe_feed(rig.pipe, begun[i]);
		sim_loop_settle(rig.loop);
		sim_loop_pass(rig.loop, LIMIT_VALUE_TLS_HANDSHAKE_MS - 1);
		assert_false(tls_end_is_over(&rig.end));
		sim_loop_pass(rig.loop, 2 * NET_TIMER_TICK_MS);
		assert_true(tls_end_is_over(&rig.end));
		assert_int_equal(rig.end.error, ERROR_TIMEOUT);
		assert_int_equal(hits(&rig, LIMIT_TLS_HANDSHAKE_MS), 1);
		assert_int_equal(sim_loop_pending_count(rig.loop), 0);
		rig_fini(&rig);
	}
}

/* A hello that never ends: its length says 128 KiB. */
static void
test_flood(void **state)
{
	struct rig rig;
	struct text record;

	(void)state;
	rig_init(&rig);
	text_init(&record);
	text_push(&record, SLICE("\26\3\1\100\0\1\1\377\0"));
	memset(text_reserve(&record, 16380), 0, 16380);
	text_advance(&record, 16380);
	for (unsigned i = 0; i < 16 && !tls_end_is_over(&rig.end); i++) {
		sim_pipe_feed(rig.pipe, text_slice(&record));
		sim_loop_settle(rig.loop);
	}
	assert_true(tls_end_is_over(&rig.end));
	assert_false(rig.end.is_up);
	assert_true(rig.end.error == ERROR_LIMIT ||
	    rig.end.error == ERROR_TLS_BAD_HELLO);
	text_fini(&record);
	rig_fini(&rig);
}

/* An end before the handshake is a cut one. */
static void
test_end(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	sim_pipe_end(rig.pipe);
	sim_loop_settle(rig.loop);
	assert_true(tls_end_is_over(&rig.end));
	assert_int_equal(rig.end.error, ERROR_RESET);
	rig_fini(&rig);
}

static int
set_up(void **state)
{
	(void)state;
	tls_keys_init(&keys, false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_keys_fini(&keys);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_slow),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
