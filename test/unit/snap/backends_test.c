/* Backends: endpoints by service port, from several slices, in any order of
 * coming; external names and their addresses; serials that tell a change. */
#include "snap/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "world.h"

#define READY UNIT_ENDPOINT_READY
#define SERVING UNIT_ENDPOINT_SERVING
#define TERMINATING UNIT_ENDPOINT_TERMINATING

/* One route whose backends are all that these tests look at. */
static struct unit_backend wanted[] = {
    {.target = {"service/ns/web", 14}, .port = 80, .weight = 1},
    {.target = {"service/ns/web", 14}, .port = 443, .weight = 1},
    {.target = {"external/ns/api", 15}, .weight = 1},
};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

static void
put(struct snap_store *store, const char *name, const void *record)
{
	assert_int_equal(
	    world_put(store, slice_from_string(name), record), ERROR_OK);
}

static void
drop(struct snap_store *store, const char *name)
{
	snap_store_drop(store, slice_from_string(name));
}

static void
put_route(struct snap_store *store, unsigned backends)
{
	struct unit_rule rule = {.identity = SLICE("0"), .backends = wanted};
	struct unit_route route = {.rules = &rule, .rules_count = 1};

	rule.backends_count = backends;
	put(store, "route/HTTPRoute/ns/r", &route);
}

/* The ids are given in order to a store with this one route. */
static void
assert_backend(
    const struct snap_set *set, uint32_t id, bool exists, const char *expected)
{
	const struct snap_backend *backend = snap_set_backend(set, id);
	struct text text;

	assert_non_null(backend);
	assert_int_equal(backend->id, id);
	assert_int_equal(backend->exists, exists);
	assert_int_equal(backend->port, wanted[id].port);
	assert_true(slice_equal(backend->target, wanted[id].target));
	text_init(&text);
	for (uint32_t i = 0; i < backend->endpoint_count; i++) {
		const struct snap_endpoint *endpoint = &backend->endpoints[i];

		text_printf(&text, "%s%.*s:%u/%u", i ? " " : "",
		    SLICE_ARGS(endpoint->address), endpoint->port,
		    endpoint->conditions);
	}
	assert_string_equal(text.data ? text.data : "", expected);
	text_fini(&text);
}

static void
put_service(struct snap_store *store)
{
	struct unit_service_port ports[] = {
	    {.number = 443, .name = SLICE("tls")}, {.number = 80}};
	struct unit_service service = {.ports = ports, .ports_count = 2};

	put(store, "service/ns/web", &service);
}

/* An endpoint of up to two addresses each. */
static void
put_slice(struct snap_store *store, const char *name, const char *first,
    int64_t conditions, const char *second)
{
	struct unit_service_port ports[] = {
	    {.number = 8080, .name = SLICE("")},
	    {.number = 8443, .name = SLICE("tls")},
	    {.number = 0, .name = SLICE("tls")},
	    {.number = 9, .name = SLICE("other")},
	};
	struct slice a[] = {slice_from_string(first), SLICE("fd00::1")};
	struct slice b[] = {slice_from_string(second)};
	struct unit_endpoint endpoints[] = {
	    {.addresses = a, .addresses_count = 2, .conditions = conditions},
	    {.addresses_count = 0},
	    {.addresses = b,
	        .addresses_count = 1,
	        .conditions = READY | SERVING},
	};
	struct unit_endpoints slice = {.service = SLICE("service/ns/web"),
	    .ports = ports,
	    .ports_count = 4,
	    .endpoints = endpoints,
	    .endpoints_count = second ? 3 : 2};

	put(store, name, &slice);
}

static void
test_service(void **state)
{
	struct snap_store *store = snap_store_new();
	const struct snap_set *set;
	uint64_t serial;

	(void)state;
	put_route(store, 2);
	set = snap_store_commit(store);
	assert_backend(set, 0, false, "");
	assert_null(snap_set_backend(set, 2));
	assert_null(snap_set_backend(set, SNAP_ID_NONE));

	/* Endpoints before their service. */
	put_slice(store, "endpoints/ns/1", "10.0.0.2", READY, "10.0.0.10");
	assert_backend(snap_store_commit(store), 0, false, "");
	put_service(store);
	set = snap_store_commit(store);
	assert_backend(set, 0, true, "10.0.0.10:8080/3 10.0.0.2:8080/1");
	assert_backend(set, 1, true, "10.0.0.10:8443/3 10.0.0.2:8443/1");
	serial = snap_set_backend(set, 0)->serial;

	/* A change that changes nothing here. */
	put_slice(store, "endpoints/ns/2", "10.0.0.10", SERVING, NULL);
	set = snap_store_commit(store);
	assert_int_equal(snap_set_backend(set, 0)->serial, serial);
	/* In two slices: the more hopeful word. */
	put_slice(store, "endpoints/ns/2", "10.0.0.2",
	    READY | SERVING | TERMINATING, NULL);
	set = snap_store_commit(store);
	assert_backend(set, 0, true, "10.0.0.10:8080/3 10.0.0.2:8080/7");
	assert_int_not_equal(snap_set_backend(set, 0)->serial, serial);

	drop(store, "endpoints/ns/1");
	assert_backend(snap_store_commit(store), 1, true, "10.0.0.2:8443/7");
	drop(store, "service/ns/web");
	drop(store, "endpoints/ns/2");
	set = snap_store_commit(store);
	assert_backend(set, 0, false, "");
	assert_backend(set, 1, false, "");
	snap_store_free(&store);
}

/* What is to be spoken to in TLS never is in plain text. */
static void
test_tls(void **state)
{
	struct snap_store *store = snap_store_new();
	struct unit_backend_tls tls = {.refused = SLICE("why")};
	struct unit_service_port ports[] = {
	    {.number = 80}, {.number = 443, .name = SLICE("tls"), .tls = &tls}};
	struct unit_service service = {.ports = ports, .ports_count = 2};
	struct unit_external external = {
	    .hostname = SLICE("x.test"), .port = 443, .tls = &tls};
	const struct snap_set *set;

	(void)state;
	put_route(store, 3);
	put_slice(store, "endpoints/ns/1", "10.0.0.2", READY, NULL);
	put(store, "service/ns/web", &service);
	put(store, "external/ns/api", &external);
	set = snap_store_commit(store);
	assert_backend(set, 0, true, "10.0.0.2:8080/1");
	assert_false(snap_set_backend(set, 0)->tls);
	assert_backend(set, 1, false, "10.0.0.2:8443/1");
	assert_non_null(snap_set_backend(set, 1)->tls);
	assert_true(
	    slice_equal(snap_set_backend(set, 1)->tls->refused, SLICE("why")));
	assert_backend(set, 2, false, "");
	assert_non_null(snap_set_backend(set, 2)->tls);
	ports[1].tls = NULL;
	put(store, "service/ns/web", &service);
	set = snap_store_commit(store);
	assert_backend(set, 1, true, "10.0.0.2:8443/1");
	assert_false(snap_set_backend(set, 1)->tls);
	snap_store_free(&store);
}

static void
put_authority(struct snap_store *store, const char *name, const char *bundle)
{
	struct unit_authority authority = {.bundle = slice_from_string(bundle)};

	put(store, name, &authority);
}

static struct slice ca[] = {
    {"authority/configmap/ns/a", 24}, {"authority/configmap/ns/b", 24}};

/* Each port of its own settings, which tests change. */
struct two_ports {
	struct unit_tls_name name;
	struct unit_backend_tls one, two;
	struct unit_service_port ports[2];
	struct unit_service service;
};

static void
two_ports_init(struct two_ports *ports)
{
	*ports = (struct two_ports){
	    .name = {.type = UNIT_TLS_NAME_URI, .value = SLICE("spiffe://x")},
	    .one = {.hostname = SLICE("one.test"),
	        .authorities = ca,
	        .authorities_count = 2},
	    .two = {.hostname = SLICE("two.test"),
	        .authorities = &ca[1],
	        .authorities_count = 1,
	        .names = &ports->name,
	        .names_count = 1},
	    .ports = {{.number = 80, .tls = &ports->one},
	        {.number = 443, .tls = &ports->two}},
	    .service = {.ports = ports->ports, .ports_count = 2},
	};
}

/* Each has the settings of its port, and the numbers of its authorities. */
static void
test_tls_settings(void **state)
{
	struct snap_store *store = snap_store_new();
	struct two_ports ports;
	const struct snap_backend_tls *tls;
	const struct snap_set *set;

	(void)state;
	two_ports_init(&ports);
	put_route(store, 2);
	put(store, "service/ns/web", &ports.service);
	put_authority(store, "authority/configmap/ns/b", "b");
	set = snap_store_commit(store);
	assert_backend(set, 0, true, "");
	assert_backend(set, 1, true, "");
	tls = snap_set_backend(set, 0)->tls;
	assert_true(slice_equal(tls->hostname, SLICE("one.test")));
	assert_int_equal(tls->authority_count, 2);
	assert_null(snap_set_credential(set, tls->authority_ids[0]));
	assert_true(slice_equal(
	    snap_set_credential(set, tls->authority_ids[1])->name, ca[1]));
	tls = snap_set_backend(set, 1)->tls;
	assert_int_equal(tls->authority_count, 1);
	assert_true(slice_equal(
	    snap_set_credential(set, tls->authority_ids[0])->name, ca[1]));
	assert_int_equal(tls->name_count, 1);
	assert_true(slice_equal(tls->names[0].value, SLICE("spiffe://x")));
	snap_store_free(&store);
}

/* Whose serials have changed with the next set: a bit each. */
static unsigned
commit_changed(struct snap_store *store, uint64_t serials[2])
{
	const struct snap_set *set = snap_store_commit(store);
	unsigned changed = 0;

	for (unsigned i = 0; i < 2; i++) {
		uint64_t serial = snap_set_backend(set, i)->serial;

		changed |= (serials[i] != serial) << i;
		serials[i] = serial;
	}
	return changed;
}

/* Another serial as soon as settings or an authority say something else, and
 * only then. */
static void
test_tls_serials(void **state)
{
	struct snap_store *store = snap_store_new();
	struct two_ports ports;
	uint64_t serials[2] = {0};

	(void)state;
	two_ports_init(&ports);
	put_route(store, 2);
	put(store, "service/ns/web", &ports.service);
	put_authority(store, "authority/configmap/ns/b", "b");
	assert_int_equal(commit_changed(store, serials), 3);
	put_authority(store, "authority/configmap/ns/a", "a");
	put_authority(store, "authority/configmap/ns/other", "o");
	assert_int_equal(commit_changed(store, serials), 1);
	put_authority(store, "authority/configmap/ns/b", "c");
	assert_int_equal(commit_changed(store, serials), 3);
	ports.name.value = SLICE("spiffe://y");
	put(store, "service/ns/web", &ports.service);
	assert_int_equal(commit_changed(store, serials), 2);
	ports.one.authorities_count = 1;
	put(store, "service/ns/web", &ports.service);
	assert_int_equal(commit_changed(store, serials), 1);
	put_authority(store, "authority/configmap/ns/b", "d");
	assert_int_equal(commit_changed(store, serials), 2);
	drop(store, "authority/configmap/ns/a");
	assert_int_equal(commit_changed(store, serials), 1);
	snap_store_free(&store);
}

/* A port that the service does not have. */
static void
test_missing_port(void **state)
{
	struct snap_store *store = snap_store_new();
	struct unit_service_port port = {.number = 8000};
	struct unit_service service = {.ports = &port, .ports_count = 1};
	const struct snap_set *set;

	(void)state;
	put_slice(store, "endpoints/ns/1", "10.0.0.2", READY, NULL);
	put(store, "service/ns/web", &service);
	put_route(store, 2);
	set = snap_store_commit(store);
	assert_backend(set, 0, false, "");
	assert_backend(set, 1, false, "");
	snap_store_free(&store);
}

static void
on_hostname(void *context, struct slice hostname)
{
	struct text *text = context;

	text_push(text, hostname);
	text_push_byte(text, ' ');
}

static void
assert_hostnames(const struct snap_store *store, const char *expected)
{
	struct text text;

	text_init(&text);
	snap_store_hostnames(store, on_hostname, &text);
	assert_string_equal(text.data ? text.data : "", expected);
	text_fini(&text);
}

static void
test_external(void **state)
{
	struct snap_store *store = snap_store_new();
	struct unit_external external = {
	    .hostname = SLICE("api.test"), .port = 443};
	struct slice addresses[] = {
	    SLICE("192.0.2.2"), SLICE("192.0.2.1"), SLICE("192.0.2.2")};
	const struct snap_set *set;

	(void)state;
	put_route(store, 3);
	assert_backend(snap_store_commit(store), 2, false, "");
	/* Nobody asked for it. */
	snap_store_resolve(store, SLICE("api.test"), addresses, 1);
	assert_hostnames(store, "");

	put(store, "external/ns/api", &external);
	put(store, "external/ns/copy", &external);
	assert_hostnames(store, "api.test ");
	assert_backend(snap_store_commit(store), 2, true, "");
	snap_store_resolve(store, SLICE("api.test"), addresses, 3);
	set = snap_store_commit(store);
	assert_backend(set, 2, true, "192.0.2.1:443/3 192.0.2.2:443/3");
	/* The same answer makes no new set. */
	snap_store_resolve(store, SLICE("api.test"), addresses, 3);
	assert_ptr_equal(snap_store_commit(store), set);

	/* Addresses stay while a unit of the same batch has the name. */
	drop(store, "external/ns/copy");
	drop(store, "external/ns/api");
	external.port = 80;
	put(store, "external/ns/api", &external);
	assert_backend(
	    snap_store_commit(store), 2, true, "192.0.2.1:80/3 192.0.2.2:80/3");
	external.hostname = SLICE("b.test");
	put(store, "external/ns/api", &external);
	assert_hostnames(store, "b.test ");
	assert_backend(snap_store_commit(store), 2, true, "");
	drop(store, "external/ns/api");
	assert_hostnames(store, "");
	assert_backend(snap_store_commit(store), 2, false, "");
	snap_store_free(&store);
}

/* A backend goes with the last route unit that names it, when that is freed. */
static void
test_references(void **state)
{
	struct snap_store *store = snap_store_new();
	const struct snap_set *set;

	(void)state;
	put_service(store);
	put_route(store, 2);
	set = snap_store_commit(store);
	put_route(store, 1);
	set = snap_store_commit(store);
	assert_non_null(snap_set_backend(set, 1));
	snap_store_quiet(store, 2, NULL, 0);
	/* Not a reason for a new set, but the next one is without it. */
	assert_ptr_equal(snap_store_commit(store), set);
	assert_non_null(snap_set_backend(set, 1));
	assert_false(snap_store_has_garbage(store));
	drop(store, "service/ns/web");
	set = snap_store_commit(store);
	assert_null(snap_set_backend(set, 1));
	assert_backend(set, 0, false, "");
	snap_store_free(&store);
}

/* Random slices of random services: what comes of edits is what a fresh store
 * makes of the same units. */
#define SERVICES 3
#define SLICES 6
#define AUTHORITIES 3

struct content {
	struct arena arena;
	struct random random;
	struct unit_service *services[SERVICES];
	struct unit_endpoints *slices[SLICES];
	unsigned bundles[AUTHORITIES]; /* in bundles[] */
};

static struct slice
any_port_name(struct content *content)
{
	return random_below(&content->random, 2) ? SLICE("a") : SLICE_NONE;
}

static const char *const bundles[] = {NULL, "x", "y"};

static struct unit_backend_tls *
any_tls(struct content *content)
{
	static struct slice names[AUTHORITIES] = {
	    {"authority/a0", 12}, {"authority/a1", 12}, {"authority/a2", 12}};
	struct unit_backend_tls *tls;
	unsigned first = random_below(&content->random, AUTHORITIES);

	if (random_below(&content->random, 2))
		return NULL;
	tls = arena_zero(&content->arena, 1, sizeof(*tls));
	tls->hostname = SLICE("a.test");
	tls->authorities = &names[first];
	tls->authorities_count =
	    1 + random_below(&content->random, AUTHORITIES - first);
	return tls;
}

static void
apply_authority(
    struct snap_store *store, const struct content *content, unsigned number)
{
	const char *bundle = bundles[content->bundles[number]];
	char name[32];

	snprintf(name, sizeof(name), "authority/a%u", number);
	if (bundle)
		put_authority(store, name, bundle);
	else
		drop(store, name);
}

static void
change_service(struct content *content, unsigned number)
{
	struct unit_service *service =
	    arena_zero(&content->arena, 1, sizeof(*service));

	service->ports_count = 1 + random_below(&content->random, 2);
	service->ports = arena_zero(
	    &content->arena, service->ports_count, sizeof(*service->ports));
	for (uint32_t i = 0; i < service->ports_count; i++) {
		service->ports[i].number = 1 + i;
		service->ports[i].name = any_port_name(content);
		service->ports[i].tls = any_tls(content);
	}
	content->services[number] =
	    random_below(&content->random, 4) ? service : NULL;
}

static void
change_slice(struct content *content, unsigned number)
{
	struct arena *arena = &content->arena;
	struct unit_endpoints *slice = arena_zero(arena, 1, sizeof(*slice));
	struct unit_service_port *port = arena_zero(arena, 1, sizeof(*port));

	slice->service = arena_format(
	    arena, "service/s%u", random_below(&content->random, SERVICES));
	port->number = 8000 + random_below(&content->random, 2);
	port->name = any_port_name(content);
	slice->ports = port;
	slice->ports_count = 1;
	slice->endpoints_count = random_below(&content->random, 4);
	slice->endpoints = arena_zero(
	    arena, slice->endpoints_count, sizeof(*slice->endpoints));
	for (uint32_t i = 0; i < slice->endpoints_count; i++) {
		struct unit_endpoint *endpoint = &slice->endpoints[i];
		struct slice *address = arena_zero(arena, 1, sizeof(*address));

		*address = arena_format(
		    arena, "10.0.0.%u", random_below(&content->random, 5));
		endpoint->addresses = address;
		endpoint->addresses_count = 1;
		endpoint->conditions = random_below(&content->random, 8);
	}
	content->slices[number] =
	    random_below(&content->random, 4) ? slice : NULL;
}

static void
apply(struct snap_store *store, const char *kind, unsigned number,
    const void *record)
{
	char name[32];

	snprintf(name, sizeof(name), "%s/s%u", kind, number);
	if (record)
		put(store, name, record);
	else
		drop(store, name);
}

static void
put_all_routes(struct snap_store *store)
{
	struct unit_backend backends[SERVICES * 2];
	char names[SERVICES][16];
	struct unit_rule rule = {
	    .backends = backends, .backends_count = SERVICES * 2};
	struct unit_route route = {.rules = &rule, .rules_count = 1};

	for (unsigned i = 0; i < SERVICES * 2; i++) {
		snprintf(names[i / 2], sizeof(names[0]), "service/s%u", i / 2);
		backends[i] = (struct unit_backend){
		    .target = slice_from_string(names[i / 2]),
		    .port = 1 + i % 2};
	}
	put(store, "route/HTTPRoute/ns/all", &route);
}

static void
assert_equal_sets(
    uint64_t seed, const struct snap_set *a, const struct snap_set *b)
{
	for (uint32_t id = 0; id < SERVICES * 2; id++) {
		const struct snap_backend *left = snap_set_backend(a, id);
		const struct snap_backend *right = snap_set_backend(b, id);
		bool equal = left->exists == right->exists &&
		    left->endpoint_count == right->endpoint_count &&
		    (left->tls != NULL) == (right->tls != NULL) &&
		    (!left->tls ||
		        memcmp(left->tls->key, right->tls->key,
		            sizeof(left->tls->key)) == 0);

		for (uint32_t i = 0; equal && i < left->endpoint_count; i++)
			equal = slice_equal(left->endpoints[i].address,
			            right->endpoints[i].address) &&
			    left->endpoints[i].port ==
			        right->endpoints[i].port &&
			    left->endpoints[i].conditions ==
			        right->endpoints[i].conditions;
		if (!equal)
			fail_msg(
			    "seed %lu: backend %u", (unsigned long)seed, id);
	}
}

static void
test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct content content = {.services = {NULL}};
		struct snap_store *store = snap_store_new();

		arena_init(&content.arena, 4096);
		random_init_seed(&content.random, seed);
		put_all_routes(store);
		for (unsigned step = 0; step < 40; step++) {
			struct snap_store *fresh = snap_store_new();
			unsigned number = random_below(&content.random, SLICES);

			change_slice(&content, number);
			apply(
			    store, "endpoints", number, content.slices[number]);
			number = random_below(&content.random, SERVICES);
			if (random_below(&content.random, 3) == 0) {
				change_service(&content, number);
				apply(store, "service", number,
				    content.services[number]);
			}
			number = random_below(&content.random, AUTHORITIES);
			content.bundles[number] =
			    random_below(&content.random, 3);
			apply_authority(store, &content, number);
			for (unsigned i = 0; i < AUTHORITIES; i++)
				apply_authority(fresh, &content, i);
			for (unsigned i = 0; i < SLICES; i++)
				apply(fresh, "endpoints", i, content.slices[i]);
			put_all_routes(fresh);
			for (unsigned i = 0; i < SERVICES; i++)
				apply(fresh, "service", i, content.services[i]);
			assert_equal_sets(seed, snap_store_commit(store),
			    snap_store_commit(fresh));
			snap_store_free(&fresh);
		}
		arena_fini(&content.arena);
		snap_store_free(&store);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_service),
	    cmocka_unit_test(test_tls),
	    cmocka_unit_test(test_tls_settings),
	    cmocka_unit_test(test_tls_serials),
	    cmocka_unit_test(test_missing_port),
	    cmocka_unit_test(test_external),
	    cmocka_unit_test(test_references),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
