/* Credentials in a set: found by the numbers that a listener has of them, in
 * whatever order they and their listeners come and go; sockets of TLS. */
#include "snap/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "world.h"

static struct slice certificates[] = {
    {"certificate/ns/a", 16}, {"certificate/ns/b", 16}};
static struct slice authorities[] = {{"authority/configmap/ns/c", 24}};

static void
put_listener(struct snap_store *store, const char *name, unsigned protocol)
{
	struct unit_listener listener = {.port = 443,
	    .protocol = protocol,
	    .certificates = certificates,
	    .certificates_count = 2,
	    .authorities = authorities,
	    .authorities_count = 1};

	assert_int_equal(
	    world_put(store, slice_from_string(name), &listener), ERROR_OK);
}

static void
put_certificate(struct snap_store *store, unsigned at, const char *key)
{
	struct unit_certificate certificate = {
	    .chain = SLICE("chain"), .key = slice_from_string(key)};

	assert_int_equal(
	    world_put(store, certificates[at], &certificate), ERROR_OK);
}

static const struct unit *
found(const struct snap_store *store, const struct snap_set *set,
    const char *listener, unsigned at)
{
	const struct unit *unit =
	    snap_store_unit(store, slice_from_string(listener));

	assert_non_null(unit);
	return snap_set_credential(set, unit->credential_ids[at]);
}

static const struct snap_set *
commit(struct snap_store *store)
{
	const struct snap_set *set = snap_store_commit(store);

	snap_store_quiet(store, snap_set_number(set), NULL, 0);
	return set;
}

static void
test_found(void **state)
{
	struct snap_store *store = snap_store_new();
	struct unit_authority authority = {.bundle = SLICE("bundle")};
	const struct snap_set *set, *old;
	const struct unit *unit;

	(void)state;
	put_certificate(store, 0, "1");
	put_listener(store, "listener/l", UNIT_PROTOCOL_HTTPS);
	set = commit(store);
	unit = found(store, set, "listener/l", 0);
	assert_true(slice_equal(unit->name, certificates[0]));
	assert_null(found(store, set, "listener/l", 1));
	assert_null(found(store, set, "listener/l", 2));
	assert_null(snap_set_credential(set, 1000));

	/* One changes, others come: the numbers stay. */
	put_certificate(store, 0, "2");
	put_certificate(store, 1, "3");
	assert_int_equal(
	    world_put(store, authorities[0], &authority), ERROR_OK);
	old = set;
	set = snap_store_commit(store);
	assert_true(slice_equal(
	    found(store, set, "listener/l", 0)->certificate->key, SLICE("2")));
	assert_true(slice_equal(
	    found(store, set, "listener/l", 1)->certificate->key, SLICE("3")));
	assert_true(
	    slice_equal(found(store, set, "listener/l", 2)->authority->bundle,
	        SLICE("bundle")));
	/* The old set has the old ones, as long as it lives. */
	assert_true(slice_equal(
	    found(store, old, "listener/l", 0)->certificate->key, SLICE("1")));
	assert_null(found(store, old, "listener/l", 1));
	snap_store_quiet(store, snap_set_number(set), NULL, 0);

	put_listener(store, "listener/m", UNIT_PROTOCOL_HTTPS);
	snap_store_drop(store, SLICE("listener/l"));
	snap_store_drop(store, certificates[0]);
	set = commit(store);
	assert_null(found(store, set, "listener/m", 0));
	assert_non_null(found(store, set, "listener/m", 1));
	put_certificate(store, 0, "4");
	set = commit(store);
	assert_true(slice_equal(
	    found(store, set, "listener/m", 0)->certificate->key, SLICE("4")));
	assert_false(snap_store_has_garbage(store));
	snap_store_free(&store);
}

/* A port that changes from plain text to TLS is another socket. */
static void
test_sockets(void **state)
{
	struct snap_store *store = snap_store_new();
	const struct snap_socket *sockets;
	const struct snap_set *set;
	uint32_t id;

	(void)state;
	put_listener(store, "listener/l", UNIT_PROTOCOL_HTTP);
	set = commit(store);
	assert_int_equal(snap_set_sockets(set, &sockets), 1);
	assert_false(sockets[0].tls);
	id = sockets[0].id;
	put_listener(store, "listener/l", UNIT_PROTOCOL_HTTPS);
	set = commit(store);
	assert_int_equal(snap_set_sockets(set, &sockets), 1);
	assert_true(sockets[0].tls);
	assert_int_equal(sockets[0].port, 443);
	assert_int_not_equal(sockets[0].id, id);
	put_listener(store, "listener/m", UNIT_PROTOCOL_HTTP);
	put_listener(store, "listener/n", UNIT_PROTOCOL_TCP);
	put_listener(store, "listener/o", UNIT_PROTOCOL_UDP);
	set = commit(store);
	assert_int_equal(snap_set_sockets(set, &sockets), 4);
	assert_false(sockets[0].tls);
	assert_int_equal(sockets[0].flow, 0);
	assert_int_equal(sockets[1].flow, UNIT_PROTOCOL_TCP);
	assert_int_equal(sockets[2].flow, UNIT_PROTOCOL_UDP);
	assert_true(sockets[3].tls);
	snap_store_free(&store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_found),
	    cmocka_unit_test(test_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
