/* Whole plans, in words: pools and requests, and what each gets or is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "addr/plan.h"

enum { MAX = 8 };

struct scene {
	struct arena arena;
	struct addr_pool pools[MAX];
	struct addr_request requests[MAX];
	struct addr_plan plan;
	struct addr_outcome *outcomes;
};

static void
begin(struct scene *scene)
{
	*scene = (struct scene){0};
	arena_init(&scene->arena, 1024);
	scene->plan.pools = scene->pools;
	scene->plan.requests = scene->requests;
}

static struct addr_pool *
add_pool(struct scene *scene, const char *name, const char *range)
{
	struct addr_pool *pool = &scene->pools[scene->plan.pool_count++];
	struct addr_range *ranges =
	    arena_zero(&scene->arena, 1, sizeof(*ranges));

	assert_null(addr_range_parse(slice_from_string(range), ranges));
	*pool = (struct addr_pool){.name = slice_from_string(name),
	    .ranges = ranges,
	    .range_count = 1,
	    .auto_assign = true};
	return pool;
}

static struct addr_request *
add_request(struct scene *scene, const char *name)
{
	struct addr_request *request =
	    &scene->requests[scene->plan.request_count++];

	*request = (struct addr_request){.name = slice_from_string(name)};
	return request;
}

static const struct addr_ip *
ip_of(struct scene *scene, const char *text)
{
	struct addr_ip *ip = arena_zero(&scene->arena, 1, sizeof(*ip));

	assert_true(addr_ip_parse(slice_from_string(text), ip));
	return ip;
}

static void
make(struct scene *scene)
{
	scene->outcomes = addr_plan_make(&scene->plan, &scene->arena);
}

static void
check_ip(const struct scene *scene, uint32_t request, uint32_t at,
    const char *wanted)
{
	const struct addr_outcome *outcome = &scene->outcomes[request];
	char out[ADDR_IP_BYTES];

	assert_true(at < outcome->count);
	assert_int_equal(outcome->items[at].fault, ADDR_GOOD);
	assert_string_equal(
	    addr_ip_print(&outcome->items[at].ip, out).data, wanted);
}

static void
check_fault(const struct scene *scene, uint32_t request, enum addr_fault fault,
    const char *message)
{
	const struct addr_outcome *outcome = &scene->outcomes[request];
	bool named = scene->requests[request].named_count > 0;

	assert_int_equal(
	    named ? outcome->items[0].fault : outcome->fault, fault);
	assert_string_equal(
	    named ? outcome->items[0].message.data : outcome->message.data,
	    message);
}

static void
end(struct scene *scene)
{
	arena_fini(&scene->arena);
}

static void
test_lowest_first(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "first", "192.168.50.100-192.168.50.200");
	add_request(&scene, "Gateway a/a");
	add_request(&scene, "Gateway a/b");
	struct addr_request *third = add_request(&scene, "Gateway a/c");
	third->named = ip_of(&scene, "192.168.50.100");
	third->named_count = 1;
	make(&scene);
	check_ip(&scene, 0, 0, "192.168.50.101");
	check_ip(&scene, 1, 0, "192.168.50.102");
	check_ip(&scene, 2, 0, "192.168.50.100");
	end(&scene);
}

static void
test_held_is_kept(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "first", "10.0.0.0/30");
	add_request(&scene, "Gateway a/a");
	struct addr_request *held = add_request(&scene, "Gateway a/b");
	held->held = ip_of(&scene, "10.0.0.0");
	held->held_count = 1;
	struct addr_request *rival = add_request(&scene, "Gateway a/c");
	rival->named = ip_of(&scene, "10.0.0.0");
	rival->named_count = 1;
	make(&scene);
	check_ip(&scene, 0, 0, "10.0.0.1");
	check_ip(&scene, 1, 0, "10.0.0.0");
	check_fault(&scene, 2, ADDR_TAKEN,
	    "10.0.0.0 is taken by Gateway a/b; name another, or let both share "
	    "it by one allow-shared-ip");
	end(&scene);
}

static void
test_pools_in_turn(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "all", "10.0.0.0/32");
	struct addr_pool *later = add_pool(&scene, "later", "10.0.1.0/32");
	later->chosen = true;
	struct addr_pool *sooner = add_pool(&scene, "sooner", "10.0.2.0/32");
	sooner->chosen = true;
	sooner->priority = 10;
	struct addr_pool *manual = add_pool(&scene, "manual", "10.0.3.0/32");
	manual->auto_assign = false;
	for (int i = 0; i < 4; i++)
		add_request(&scene, "Gateway a/a");
	struct addr_request *asks = add_request(&scene, "Gateway a/b");
	asks->pool = SLICE("manual");
	make(&scene);
	check_ip(&scene, 0, 0, "10.0.2.0");
	check_ip(&scene, 1, 0, "10.0.1.0");
	check_ip(&scene, 2, 0, "10.0.0.0");
	check_fault(&scene, 3, ADDR_EXHAUSTED,
	    "pool \"sooner\", like each other one, has no address left; add "
	    "some to its addresses, or remove who does not need one");
	check_ip(&scene, 4, 0, "10.0.3.0");
	end(&scene);
}

static void
test_sharing(void **state)
{
	static const struct addr_port http = {SLICE("TCP"), 80};
	static const struct addr_port https = {SLICE("TCP"), 443};
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "first", "10.0.0.0/24");
	add_request(&scene, "Service a/a");
	for (int i = 0; i < 3; i++) {
		struct addr_request *request =
		    add_request(&scene, "Service a/b");

		request->share = SLICE("key");
		request->ports = i == 1 ? &https : &http;
		request->port_count = 1;
	}
	struct addr_request *clash = add_request(&scene, "Service a/c");
	clash->share = SLICE("key");
	clash->ports = &http;
	clash->port_count = 1;
	clash->named = ip_of(&scene, "10.0.0.9");
	clash->named_count = 1;
	make(&scene);
	check_ip(&scene, 0, 0, "10.0.0.0");
	check_ip(&scene, 1, 0, "10.0.0.1");
	check_ip(&scene, 2, 0, "10.0.0.1");
	check_ip(&scene, 3, 0, "10.0.0.2");
	check_ip(&scene, 4, 0, "10.0.0.9");
	end(&scene);
}

static void
test_families(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "four", "10.0.0.0/24");
	struct addr_pool *both = add_pool(&scene, "two", "10.1.0.0/24");
	struct addr_range *ranges =
	    arena_zero(&scene.arena, 2, sizeof(*ranges));
	assert_null(addr_range_parse(SLICE("10.1.0.0/24"), &ranges[0]));
	assert_null(addr_range_parse(SLICE("fd00::/64"), &ranges[1]));
	both->ranges = ranges;
	both->range_count = 2;
	add_request(&scene, "Gateway a/a")->want = ADDR_BOTH;
	add_request(&scene, "Gateway a/b")->want = ADDR_IPV6;
	struct addr_request *third = add_request(&scene, "Gateway a/c");
	third->want = ADDR_BOTH_IF_CAN;
	third->pool = SLICE("four");
	struct addr_request *fourth = add_request(&scene, "Gateway a/d");
	fourth->want = ADDR_IPV6;
	fourth->pool = SLICE("four");
	struct addr_request *fifth = add_request(&scene, "Gateway a/e");
	fifth->want = ADDR_IPV4;
	fifth->named = ip_of(&scene, "fd00::9");
	fifth->named_count = 1;
	make(&scene);
	check_ip(&scene, 0, 0, "10.1.0.0");
	check_ip(&scene, 0, 1, "fd00::1");
	check_ip(&scene, 1, 0, "fd00::2");
	check_ip(&scene, 2, 0, "10.0.0.0");
	assert_int_equal(scene.outcomes[2].count, 1);
	assert_int_equal(scene.outcomes[2].fault, ADDR_GOOD);
	check_fault(&scene, 3, ADDR_FAMILY_MISSING,
	    "no pool has addresses of IPv6; add some to an IPAddressPool");
	assert_int_equal(
	    scene.outcomes[4].items[0].fault, ADDR_OF_OTHER_FAMILY);
	end(&scene);
}

/* Who wishes both and can have one has the first of its families, if any pool
 * has it. */
static void
test_first_family(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "a-four", "10.0.0.0/24");
	add_pool(&scene, "b-six", "fd00::/127");
	for (int i = 0; i < 3; i++)
		add_request(&scene, "Service a/six")->want =
		    ADDR_BOTH_IF_CAN_SIX;
	add_request(&scene, "Service a/four")->want = ADDR_BOTH_IF_CAN;
	make(&scene);
	check_ip(&scene, 0, 0, "fd00::");
	check_ip(&scene, 1, 0, "fd00::1");
	check_ip(&scene, 2, 0, "10.0.0.0");
	check_ip(&scene, 3, 0, "10.0.0.1");
	for (int i = 0; i < 4; i++)
		assert_int_equal(scene.outcomes[i].count, 1);
	end(&scene);
}

static void
add_dual(
    struct scene *scene, const char *name, const char *four, const char *six)
{
	struct addr_pool *pool = add_pool(scene, name, four);
	struct addr_range *ranges =
	    arena_zero(&scene->arena, 2, sizeof(*ranges));

	ranges[0] = pool->ranges[0];
	assert_null(addr_range_parse(slice_from_string(six), &ranges[1]));
	pool->ranges = ranges;
	pool->range_count = 2;
}

static struct addr_request *
add_holder(struct scene *scene, const char *name, const char *address)
{
	struct addr_request *request = add_request(scene, name);

	request->held = ip_of(scene, address);
	request->held_count = 1;
	return request;
}

/* Who is to keep what it has keeps both if it has both, else gets one. */
static void
test_as_held(void **state)
{
	struct scene scene;
	struct addr_ip both[2];

	(void)state;
	begin(&scene);
	add_dual(&scene, "two", "10.1.0.0/30", "fd01::/126");
	for (int i = 0; i < 3; i++)
		add_request(&scene, "Gateway a/a")->want = ADDR_AS_HELD;
	both[0] = *ip_of(&scene, "10.1.0.2");
	both[1] = *ip_of(&scene, "fd01::2");
	scene.requests[0].held = both;
	scene.requests[0].held_count = 2;
	scene.requests[1].held = ip_of(&scene, "fd01::3");
	scene.requests[1].held_count = 1;
	make(&scene);
	check_ip(&scene, 0, 0, "10.1.0.2");
	check_ip(&scene, 0, 1, "fd01::2");
	check_ip(&scene, 1, 0, "fd01::3");
	assert_int_equal(scene.outcomes[1].count, 1);
	check_ip(&scene, 2, 0, "10.1.0.0");
	assert_int_equal(scene.outcomes[2].count, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(scene.outcomes[i].fault, ADDR_GOOD);
	end(&scene);
}

/* Who must have both, and has one of a pool that has no other, moves to a pool
 * of both, and what it had is another's. Who wishes both stays. */
static void
test_both_moves(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "four", "10.0.0.0/30");
	add_dual(&scene, "last", "10.2.0.0/32", "fd02::/128");
	add_dual(&scene, "two", "10.1.0.0/32", "fd01::/128");
	add_holder(&scene, "Service a/a", "10.0.0.1")->want = ADDR_BOTH;
	add_holder(&scene, "Service a/b", "10.0.0.0")->want = ADDR_BOTH_IF_CAN;
	add_holder(&scene, "Service a/c", "10.0.0.2");
	struct addr_request *named = add_request(&scene, "Service a/d");
	named->named = ip_of(&scene, "10.0.0.1");
	named->named_count = 1;
	add_holder(&scene, "Service a/e", "10.1.0.0")->want = ADDR_BOTH;
	add_holder(&scene, "Service a/f", "10.0.0.3")->want = ADDR_BOTH;
	make(&scene);
	check_ip(&scene, 0, 0, "10.2.0.0");
	check_ip(&scene, 0, 1, "fd02::");
	check_ip(&scene, 1, 0, "10.0.0.0");
	assert_int_equal(scene.outcomes[1].count, 1);
	check_ip(&scene, 2, 0, "10.0.0.2");
	check_ip(&scene, 3, 0, "10.0.0.1");
	check_ip(&scene, 4, 0, "10.1.0.0");
	check_ip(&scene, 4, 1, "fd01::");
	/* nothing is left: it keeps what it has */
	check_ip(&scene, 5, 0, "10.0.0.3");
	assert_int_equal(scene.outcomes[5].count, 1);
	check_fault(&scene, 5, ADDR_EXHAUSTED,
	    "pool \"last\", like each other one, has no address of IPv4 and "
	    "IPv6 both left; add some to its addresses, or remove who does "
	    "not need one");
	end(&scene);
}

/* Who has moved, and is still said to have what it had, stays; what was shared
 * is the others' still, and what nobody shares any more is free. */
static void
test_both_moved(void **state)
{
	static const struct addr_port http = {SLICE("TCP"), 80};
	static const struct addr_port https = {SLICE("TCP"), 443};
	const struct addr_port *ports[] = {&http, &https, &http, &https};
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "four", "10.0.0.0/30");
	add_dual(&scene, "two", "10.2.0.0/30", "fd02::/126");
	struct addr_request *moved = add_request(&scene, "Service a/a");
	struct addr_ip *held = arena_zero(&scene.arena, 3, sizeof(*held));
	held[0] = *ip_of(&scene, "10.0.0.2");
	held[1] = *ip_of(&scene, "fd02::3");
	held[2] = *ip_of(&scene, "10.2.0.3");
	moved->want = ADDR_BOTH;
	moved->held = held;
	moved->held_count = 3;
	add_holder(&scene, "Service a/b", "10.0.0.0")->want = ADDR_BOTH;
	add_holder(&scene, "Service a/c", "10.0.0.0");
	add_holder(&scene, "Service a/d", "10.0.0.1")->want = ADDR_BOTH;
	add_request(&scene, "Service a/e");
	for (uint32_t i = 0; i < 4; i++) {
		scene.requests[1 + i].share =
		    i < 2 ? SLICE("key") : SLICE("other");
		scene.requests[1 + i].ports = ports[i];
		scene.requests[1 + i].port_count = 1;
	}
	make(&scene);
	check_ip(&scene, 0, 0, "10.2.0.3");
	check_ip(&scene, 0, 1, "fd02::3");
	check_ip(&scene, 1, 0, "10.2.0.0");
	check_ip(&scene, 1, 1, "fd02::1");
	check_ip(&scene, 2, 0, "10.0.0.0");
	check_ip(&scene, 3, 0, "10.2.0.1");
	check_ip(&scene, 3, 1, "fd02::2");
	check_ip(&scene, 4, 0, "10.0.0.1");
	end(&scene);
}

/* Who names what another gives up in the same plan has it, though it had it
 * before as well: it is not free. */
static void
test_both_moves_from_named(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "four", "10.0.0.0/30");
	add_dual(&scene, "two", "10.2.0.0/30", "fd02::/126");
	/* They shared it until now. */
	add_holder(&scene, "Service a/a", "10.0.0.0")->want = ADDR_BOTH;
	struct addr_request *named =
	    add_holder(&scene, "Gateway a/b", "10.0.0.0");
	named->named = ip_of(&scene, "10.0.0.0");
	named->named_count = 1;
	named->share = SLICE("key");
	add_request(&scene, "Service a/c");
	make(&scene);
	check_ip(&scene, 0, 0, "10.2.0.0");
	check_ip(&scene, 0, 1, "fd02::1");
	check_ip(&scene, 1, 0, "10.0.0.0");
	check_ip(&scene, 2, 0, "10.0.0.1");
	end(&scene);
}

static void
test_avoided(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "first", "10.0.0.255-10.0.1.1")->avoid_buggy = true;
	add_request(&scene, "Gateway a/a");
	add_request(&scene, "Gateway a/b");
	struct addr_request *third = add_request(&scene, "Gateway a/c");
	third->named = ip_of(&scene, "10.0.1.0");
	third->named_count = 1;
	make(&scene);
	check_ip(&scene, 0, 0, "10.0.1.1");
	check_fault(&scene, 1, ADDR_EXHAUSTED,
	    "pool \"first\" has no address left; add some to its addresses, or "
	    "remove who does not need one");
	check_fault(&scene, 2, ADDR_AVOIDED,
	    "10.0.1.0 ends in .0 or .255, which pool \"first\" avoids "
	    "(avoidBuggyIPs); name another");
	end(&scene);
}

static struct addr_request *
add_naming(struct scene *scene, const char *name, const char *address)
{
	struct addr_request *request = add_request(scene, name);

	request->named = ip_of(scene, address);
	request->named_count = 1;
	return request;
}

/* What nobody can be reached at is given to nobody, nor kept; what all routers
 * of a link answer for stays with who had it. */
static void
test_unusable(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_dual(&scene, "all", "0.0.0.0/0", "fd00::/126");
	add_holder(&scene, "Gateway a/a", "0.0.0.0");
	add_holder(&scene, "Gateway a/b", "fd00::");
	add_naming(&scene, "Gateway a/c", "fd00::");
	add_naming(&scene, "Gateway a/d", "224.0.0.7");
	add_naming(&scene, "Gateway a/e", "127.0.0.5");
	add_request(&scene, "Gateway a/f")->want = ADDR_IPV6;
	make(&scene);
	check_ip(&scene, 0, 0, "1.0.0.0");
	check_ip(&scene, 1, 0, "fd00::");
	check_fault(&scene, 2, ADDR_UNUSABLE,
	    "fd00:: is the first of a prefix of pool \"all\", for which all "
	    "routers of the link answer; name another");
	check_fault(&scene, 3, ADDR_UNUSABLE,
	    "224.0.0.7 is of multicast, so that nobody can be reached there; "
	    "name another");
	check_fault(&scene, 4, ADDR_UNUSABLE,
	    "127.0.0.5 is of loopback, and each machine's own, so that nobody "
	    "can be reached there; name another");
	check_ip(&scene, 5, 0, "fd00::1");
	const struct addr_count *counts =
	    addr_plan_count(&scene.plan, scene.outcomes, &scene.arena);
	assert_int_equal(counts[0].given[0], 1);
	/* without 0/8, 127/8, and 224/3, and what is given */
	assert_int_equal(
	    counts[0].left[0], ((INT64_C(256) - 2 - 32) << 24) - 1);
	assert_int_equal(counts[0].given[1], 2);
	assert_int_equal(counts[0].left[1], 2);
	/* on one host loopback is as good */
	scene.plan.loopback = true;
	make(&scene);
	check_ip(&scene, 4, 0, "127.0.0.5");
	end(&scene);
}

static bool
fits_none_but_first(void *context, const struct addr_pool *pool,
    const struct addr_request *request)
{
	(void)context;
	(void)request;
	return slice_equal(pool->name, SLICE("open"));
}

static void
test_refusals(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_request(&scene, "Gateway a/a");
	make(&scene);
	check_fault(&scene, 0, ADDR_NO_POOLS,
	    "there is no IPAddressPool to take an address from; add one");
	add_pool(&scene, "closed", "10.0.0.0/24");
	scene.plan.fits = fits_none_but_first;
	struct addr_request *second = add_request(&scene, "Gateway a/b");
	second->pool = SLICE("none");
	struct addr_request *third = add_request(&scene, "Gateway a/c");
	third->named = ip_of(&scene, "10.0.0.1");
	third->named_count = 1;
	struct addr_request *fourth = add_request(&scene, "Gateway a/d");
	fourth->named = ip_of(&scene, "10.9.0.1");
	fourth->named_count = 1;
	make(&scene);
	check_fault(&scene, 0, ADDR_POOL_NOT_FOR,
	    "no pool is for Gateway a/a: let it in by a pool's "
	    "serviceAllocation");
	check_fault(&scene, 1, ADDR_POOL_UNKNOWN,
	    "there is no IPAddressPool \"none\", which is asked for; add it, "
	    "or name one that is there");
	check_fault(&scene, 2, ADDR_POOL_NOT_FOR,
	    "10.0.0.1 is of pool \"closed\", which is not for Gateway a/c: let "
	    "it in by the pool's serviceAllocation");
	check_fault(&scene, 3, ADDR_IN_NO_POOL,
	    "10.9.0.1 is in no pool; add it to the addresses of an "
	    "IPAddressPool, or name one that is in a pool");
	add_pool(&scene, "open", "10.1.0.0/24")->auto_assign = false;
	make(&scene);
	check_fault(&scene, 0, ADDR_POOL_MANUAL,
	    "every pool has autoAssign: false; name a pool by the annotation "
	    "metallb.io/address-pool, or an address");
	end(&scene);
}

/* What a pool holds costs nothing: this would not end otherwise. */
static void
test_large_pools(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "everything", "::/0");
	add_pool(&scene, "eight", "10.0.0.0/8");
	add_request(&scene, "Gateway a/a")->want = ADDR_BOTH_IF_CAN;
	add_request(&scene, "Gateway a/b")->want = ADDR_IPV4;
	struct addr_request *last = add_request(&scene, "Gateway a/c");
	last->named = ip_of(&scene, "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	last->named_count = 1;
	make(&scene);
	check_ip(&scene, 0, 0, "10.0.0.0");
	check_ip(&scene, 1, 0, "10.0.0.1");
	check_ip(&scene, 2, 0, "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	const struct addr_count *counts =
	    addr_plan_count(&scene.plan, scene.outcomes, &scene.arena);
	assert_int_equal(counts[0].given[1], 1);
	assert_int_equal(counts[0].left[1], INT64_MAX - 1);
	assert_int_equal(counts[1].given[0], 2);
	assert_int_equal(counts[1].left[0], (1 << 24) - 2);
	scene.pools[1].avoid_buggy = true;
	make(&scene);
	counts = addr_plan_count(&scene.plan, scene.outcomes, &scene.arena);
	assert_int_equal(counts[1].given[0], 2);
	assert_int_equal(counts[1].left[0], (1 << 24) - 2 * (1 << 16) - 2);
	end(&scene);
}

/* What others have is taken, but for what somebody here had before. */
static void
test_others(void **state)
{
	struct addr_request others[2] = {
	    {.name = SLICE("Service o/a")}, {.name = SLICE("Service o/b")}};
	struct scene scene;

	(void)state;
	begin(&scene);
	add_pool(&scene, "first", "10.0.0.0/29");
	others[0].named = ip_of(&scene, "10.0.0.0");
	others[1].named = ip_of(&scene, "10.0.0.3");
	others[0].named_count = others[1].named_count = 1;
	scene.plan.others = others;
	scene.plan.other_count = 2;
	add_request(&scene, "Gateway a/free");
	struct addr_request *held = add_request(&scene, "Gateway a/held");
	held->held = ip_of(&scene, "10.0.0.3");
	held->held_count = 1;
	struct addr_request *named = add_request(&scene, "Gateway a/named");
	named->named = ip_of(&scene, "10.0.0.0");
	named->named_count = 1;
	named->share = SLICE("key");
	make(&scene);
	check_ip(&scene, 0, 0, "10.0.0.1");
	check_ip(&scene, 1, 0, "10.0.0.3");
	assert_int_equal(scene.outcomes[2].items[0].fault, ADDR_TAKEN);
	end(&scene);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lowest_first),
	    cmocka_unit_test(test_held_is_kept),
	    cmocka_unit_test(test_pools_in_turn),
	    cmocka_unit_test(test_sharing),
	    cmocka_unit_test(test_families),
	    cmocka_unit_test(test_first_family),
	    cmocka_unit_test(test_as_held),
	    cmocka_unit_test(test_both_moves),
	    cmocka_unit_test(test_both_moved),
	    cmocka_unit_test(test_both_moves_from_named),
	    cmocka_unit_test(test_avoided),
	    cmocka_unit_test(test_unusable),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_large_pools),
	    cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
