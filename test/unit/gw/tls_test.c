/* TLS of listeners as Secrets come, change and go, and as time passes: what a
 * change costs, that it heals, and that a state which was changed many times
 * says what a new one says. */
#include "gw/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "authority/authority.h"
#include "core/memory.h"
#include "core/random.h"
#include "world.h"

#define NOW 1780272000 /* 2026-06-01 */
#define DAY 86400
#define GATEWAY "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"

enum { PEMS = 6 };
struct pem {
	struct text chain, key;
};
/* 0, 1: good; 2: expires in ten days; 3: has expired; 4: is valid in five days;
 * 5: another key. */
static struct pem pems[PEMS];

static int
make_pems(void **unused)
{
	static const int64_t times[PEMS][2] = {
	    {-50, 300}, {-40, 400}, {-80, 10}, {-90, -1}, {5, 300}, {-50, 300}};
	static const char *const names[PEMS][2] = {{"a.example"}, {"*.example"},
	    {"c.example"}, {"d.example"}, {"e.example"}, {"f.example"}};

	(void)unused;
	for (unsigned i = 0; i < PEMS; i++) {
		struct authority_pair pair =
		    authority_make(&(struct authority_wish){.key = "P-256",
		        .subject = "test",
		        .dns = names[i],
		        .not_before = NOW + times[i][0] * DAY,
		        .not_after = NOW + times[i][1] * DAY});

		authority_push_certificate(&pair, &pems[i].chain);
		authority_push_key(&pair, AUTHORITY_PKCS8, &pems[i].key);
		authority_pair_free(&pair);
	}
	text_reset(&pems[5].key);
	text_push(&pems[5].key, text_slice(&pems[0].key));
	return 0;
}

static int
free_pems(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < PEMS; i++) {
		text_fini(&pems[i].chain);
		text_fini(&pems[i].key);
	}
	return 0;
}

static void
push_block(struct text *out, const char *key, const struct text *text)
{
	struct slice rest = text_slice(text), line;

	text_printf(out, "  %s: |\n", key);
	while (slice_cut(&rest, '\n', &line))
		if (line.length > 0)
			text_printf(out, "    %.*s\n", SLICE_ARGS(line));
}

static void
push_secret(struct text *out, const char *namespace, unsigned name,
    const struct pem *pem)
{
	text_printf(out,
	    "apiVersion: v1\nkind: Secret\nmetadata: {name: x%u, namespace: "
	    "%s}\ntype: kubernetes.io/tls\nstringData:\n",
	    name, namespace);
	push_block(out, "tls.crt", &pem->chain);
	push_block(out, "tls.key", &pem->key);
}

static void
apply_secret(struct world *world, unsigned name, const struct pem *pem)
{
	struct text yaml;

	text_init(&yaml);
	push_secret(&yaml, "default", name, pem);
	world_apply(world, yaml.data);
	text_fini(&yaml);
}

static void
push_gateway(struct text *out, unsigned name, unsigned port)
{
	text_printf(out,
	    GATEWAY "metadata: {name: g%u}\nspec:\n  gatewayClassName: yumen\n"
	            "  listeners:\n"
	            "  - {name: http, port: %u, protocol: HTTP}\n"
	            "  - {name: https, port: %u, protocol: HTTPS, tls: "
	            "{certificateRefs: [{name: x%u}]}}\n---\n",
	    name, port, port + 1, name);
}

static void
begin(struct world *world)
{
	static const struct gw_options options = {.namespaces_implied = true,
	    .carries = GW_CARRY_HTTPS | GW_CARRY_TLS};

	world_init(world, &options);
	gw_state_clock(world->state, NOW);
}

enum { MANY = 300 };

static void
a_secret_costs_its_own(void **unused)
{
	struct world world;
	struct text yaml;

	(void)unused;
	begin(&world);
	text_init(&yaml);
	for (unsigned i = 0; i < MANY; i++) {
		push_gateway(&yaml, i, 1000 + 2 * i);
		push_secret(&yaml, "default", i, &pems[0]);
		text_push_string(&yaml, "---\n");
	}
	world_apply(&world, yaml.data);
	/* of each: two listeners, the certificate, the status */
	assert_int_equal(world.changes, 4 * MANY);
	apply_secret(&world, 7, &pems[1]);
	assert_int_equal(world.changes, 1); /* the certificate */
	apply_secret(&world, 7, &pems[3]);
	/* it goes, and the listener and the status say so */
	assert_int_equal(world.changes, 3);
	apply_secret(&world, MANY, &pems[0]);
	assert_int_equal(world.changes, 0); /* nobody refers to it */
	text_fini(&yaml);
	world_fini(&world);
}

static void
assert_says(struct world *world, const char *part)
{
	struct slice status = world_status(world, "Gateway default/g0");

	if (!world_has(status, part))
		fail_msg("no \"%s\" in\n%.*s", part, SLICE_ARGS(status));
}

static void
it_heals(void **unused)
{
	struct world world;
	struct text yaml;

	(void)unused;
	begin(&world);
	text_init(&yaml);
	push_gateway(&yaml, 0, 80);
	world_apply(&world, yaml.data);
	assert_says(&world, "there is no Secret default/x0");
	assert_true(
	    slice_is_set(world_unit(&world, "listener/default/g0/http")));
	assert_true(
	    slice_is_set(world_unit(&world, "listener/default/g0/https")));
	apply_secret(&world, 0, &pems[5]);
	assert_says(&world, "does not belong to the first certificate");
	apply_secret(&world, 0, &pems[0]);
	assert_false(
	    world_has(world_status(&world, "Gateway default/g0"), "=False"));
	assert_true(world_has(world_unit(&world, "listener/default/g0/https"),
	    "certificate/default/x0"));
	apply_secret(&world, 0, &pems[3]);
	assert_says(&world, "InvalidCertificateRef");
	assert_false(
	    slice_is_set(world_unit(&world, "certificate/default/x0")));
	text_fini(&yaml);
	world_fini(&world);
}

struct heard {
	unsigned count;
	enum gw_certificate_health health;
	bool used;
	int64_t not_after;
	struct text told;
};

static void
on_certificate(void *context, const struct gw_certificate *certificate)
{
	struct heard *heard = context;

	heard->count++;
	heard->health = certificate->health;
	heard->used = certificate->used;
	heard->not_after = certificate->not_after;
	text_reset(&heard->told);
	text_push(&heard->told, certificate->told);
}

static void
on_nothing_unit(
    void *context, struct slice name, struct slice bytes, struct gw_tag *tag)
{
	(void)tag;
	(void)context;
	(void)name;
	(void)bytes;
}

static void
on_nothing_status(void *context, const struct gw_object *object,
    const void *status, struct gw_status_tag *tag)
{
	(void)context;
	(void)tag;
	(void)object;
	(void)status;
}

static unsigned
hear(struct world *world, struct heard *heard)
{
	const struct gw_output output = {.context = heard,
	    .on_unit = on_nothing_unit,
	    .on_status = on_nothing_status,
	    .on_certificate = on_certificate};

	heard->count = 0;
	gw_state_reconcile(world->state, &output);
	return heard->count;
}

static void
put_secret(struct world *world, unsigned name, const struct pem *pem)
{
	struct text yaml;

	text_init(&yaml);
	push_secret(&yaml, "default", name, pem);
	struct gw_object *object = world_object(text_slice(&yaml));

	world_put(world, &object);
	text_fini(&yaml);
}

static void
time_passes(void **unused)
{
	struct world world;
	struct heard heard = {0};
	struct text yaml;

	(void)unused;
	begin(&world);
	text_init(&yaml);
	push_gateway(&yaml, 0, 80);
	struct gw_object *object = world_object(text_slice(&yaml));

	world_put(&world, &object);
	put_secret(&world, 0, &pems[4]);
	assert_int_equal(hear(&world, &heard), 1);
	assert_int_equal(heard.health, GW_CERTIFICATE_NOT_YET_VALID);
	assert_int_equal(gw_state_clock_due(world.state), NOW + 5 * DAY);
	gw_state_clock(world.state, NOW + 5 * DAY - 1);
	assert_int_equal(hear(&world, &heard), 0);
	gw_state_clock(world.state, NOW + 5 * DAY);
	assert_int_equal(hear(&world, &heard), 1);
	assert_int_equal(heard.health, GW_CERTIFICATE_GOOD);
	/* 295 days: three weeks before its end */
	assert_int_equal(gw_state_clock_due(world.state), NOW + 279 * DAY);
	gw_state_clock(world.state, NOW + 280 * DAY);
	assert_int_equal(hear(&world, &heard), 1);
	assert_int_equal(heard.health, GW_CERTIFICATE_EXPIRING);
	assert_true(heard.used);
	assert_true(world_has(text_slice(&heard.told), "renew it"));
	assert_int_equal(heard.not_after, NOW + 300 * DAY);
	gw_state_clock(world.state, NOW + 300 * DAY);
	assert_int_equal(hear(&world, &heard), 0);
	gw_state_clock(world.state, NOW + 300 * DAY + 1);
	assert_int_equal(hear(&world, &heard), 1);
	assert_int_equal(heard.health, GW_CERTIFICATE_EXPIRED);
	/* The renewed one heals it. */
	put_secret(&world, 0, &pems[1]);
	assert_int_equal(hear(&world, &heard), 1);
	assert_int_equal(heard.health, GW_CERTIFICATE_GOOD);
	text_fini(&heard.told);
	text_fini(&yaml);
	world_fini(&world);
}

static void
all_are_seen(void **unused)
{
	struct world world;
	struct heard heard = {0};

	(void)unused;
	begin(&world);
	apply_secret(&world, 0, &pems[0]);
	apply_secret(&world, 1, &pems[3]);
	world_apply(&world,
	    "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n"
	    "stringData: {password: a}\n");
	gw_state_each_certificate(world.state, on_certificate, &heard);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.health, GW_CERTIFICATE_EXPIRED);
	assert_false(heard.used);
	text_fini(&heard.told);
	world_fini(&world);
}

/* ---- incremental equals whole ---- */

enum { SEEDS = 6, EDITS = 150, NAMES = 4 };
enum kind {
	MODEL_GATEWAY,
	MODEL_SET,
	MODEL_SECRET,
	MODEL_CONFIGMAP,
	MODEL_GRANT,
	KINDS
};
static const struct {
	const char *version, *kind;
} kinds[KINDS] = {{"gateway.networking.k8s.io/v1", "Gateway"},
    {"gateway.networking.k8s.io/v1", "ListenerSet"}, {"v1", "Secret"},
    {"v1", "ConfigMap"}, {"gateway.networking.k8s.io/v1", "ReferenceGrant"}};

struct model {
	struct random random;
	int64_t now;
	struct text objects[KINDS][NAMES];
};

static const char *const namespaces[] = {"default", "other"};

static uint32_t
below(struct model *model, uint32_t limit)
{
	return random_below(&model->random, limit);
}

static const char *
pick_reference(struct model *model)
{
	static const char *const all[] = {"{name: x0}", "{name: x1}",
	    "{name: x0, namespace: other}", "{name: x1, namespace: default}",
	    "{kind: ConfigMap, name: x0}"};

	return all[below(model, sizeof(all) / sizeof(all[0]))];
}

static void
push_validation(struct model *model, struct text *out)
{
	text_printf(out,
	    "{validation: {caCertificateRefs: [{group: \"\", kind: %s, name: "
	    "x%u%s}], mode: %s}}",
	    below(model, 5) ? "ConfigMap" : "Secret", below(model, 2),
	    below(model, 3) ? "" : ", namespace: other",
	    below(model, 2) ? "AllowValidOnly" : "AllowInsecureFallback");
}

static void
push_listeners(struct model *model, const char *prefix, struct text *out)
{
	static const char *const hosts[][2] = {{"a.example", "*.example"},
	    {"b.example", "b.b.example"}, {"c.example", "*.c.example"}};

	text_push_string(out, "  listeners:\n");
	for (unsigned i = 0; i < 1 + below(model, 3); i++)
		text_printf(out,
		    "  - {name: %s%u, port: %u, protocol: HTTPS, hostname: "
		    "\"%s\", tls: {certificateRefs: [%s, %s]}}\n",
		    prefix, i, 80 + 2 * below(model, 2),
		    hosts[i][below(model, 2)], pick_reference(model),
		    pick_reference(model));
}

static void
make_gateway(struct model *model, struct text *out)
{
	static const char *const takes[] = {"None", "Same", "All"};

	text_printf(out,
	    "spec:\n  gatewayClassName: yumen\n"
	    "  allowedListeners: {namespaces: {from: %s}}\n",
	    takes[below(model, 3)]);
	if (below(model, 3) == 0) {
		text_push_string(out, "  tls:\n    frontend: {default: ");
		push_validation(model, out);
		text_push_string(out, ", perPort: [{port: 82, tls: ");
		push_validation(model, out);
		text_push_string(out, "}]}\n");
		if (below(model, 2))
			text_printf(out,
			    "    backend: {clientCertificateRef: %s}\n",
			    pick_reference(model));
	}
	push_listeners(model, "l", out);
}

static void
make_set(struct model *model, struct text *out)
{
	text_printf(out, "spec:\n  parentRef: {name: x%u, namespace: %s}\n",
	    below(model, 2), namespaces[below(model, 2)]);
	push_listeners(model, "s", out);
}

static void
make_object(
    struct model *model, enum kind kind, unsigned name, struct text *out)
{
	const struct pem *pem = &pems[below(model, PEMS)];
	const char *namespace = namespaces[name % 2];

	text_reset(out);
	if (kind == MODEL_SECRET) {
		push_secret(out, namespace, name / 2, pem);
		return;
	}
	text_printf(out,
	    "apiVersion: %s\nkind: %s\nmetadata: {name: x%u, namespace: %s}\n",
	    kinds[kind].version, kinds[kind].kind, name / 2, namespace);
	if (kind == MODEL_GATEWAY) {
		make_gateway(model, out);
	} else if (kind == MODEL_SET) {
		make_set(model, out);
	} else if (kind == MODEL_CONFIGMAP) {
		text_push_string(out, "data:\n");
		push_block(out, below(model, 3) ? "ca.crt" : "other",
		    below(model, 4) ? &pem->chain : &pem->key);
	} else {
		text_printf(out,
		    "spec:\n  from: [{group: gateway.networking.k8s.io, kind: "
		    "%s, namespace: %s}]\n  to: [{group: \"\", kind: "
		    "%s}]\n",
		    kinds[below(model, 2)].kind, namespaces[1 - name % 2],
		    below(model, 2) ? "Secret" : "ConfigMap");
	}
}

static void
edit(struct model *model, struct world *world)
{
	enum kind kind = below(model, KINDS);
	unsigned name = below(model, NAMES);
	struct text *yaml = &model->objects[kind][name];
	struct gw_object *object;

	if (below(model, 8) == 0) {
		model->now += below(model, 4) * DAY;
		gw_state_clock(world->state, model->now);
	}
	if (yaml->length > 0 && below(model, 3) == 0) {
		object = world_object(text_slice(yaml));
		world_remove(world, object);
		gw_object_free(&object);
		text_reset(yaml);
		return;
	}
	make_object(model, kind, name, yaml);
	object = world_object(text_slice(yaml));
	world_put(world, &object);
}

static void
print_whole(const struct model *model, struct text *out)
{
	struct world world;

	begin(&world);
	gw_state_clock(world.state, model->now);
	for (unsigned i = KINDS; i-- > 0;)
		for (unsigned j = 0; j < NAMES; j++) {
			const struct text *yaml = &model->objects[i][j];

			if (yaml->length == 0)
				continue;
			struct gw_object *object =
			    world_object(text_slice(yaml));

			world_put(&world, &object);
		}
	world_reconcile(&world);
	world_print(&world, out);
	world_fini(&world);
}

static void
run_seed(uint64_t seed)
{
	struct model *model = memory_zero(1, sizeof(*model));
	struct world world;
	struct text left, right;

	random_init_seed(&model->random, seed);
	model->now = NOW;
	begin(&world);
	text_init(&left);
	text_init(&right);
	for (unsigned i = 0; i < EDITS; i++) {
		for (unsigned edits = 1 + below(model, 3); edits > 0; edits--)
			edit(model, &world);
		world_reconcile(&world);
		text_reset(&left);
		text_reset(&right);
		world_print(&world, &left);
		print_whole(model, &right);
		if (!slice_equal(text_slice(&left), text_slice(&right)))
			fail_msg(
			    "seed %llu, edit %u: incremental\n%s\nwhole\n%s",
			    (unsigned long long)seed, i, left.data, right.data);
	}
	text_fini(&left);
	text_fini(&right);
	world_fini(&world);
	for (unsigned i = 0; i < KINDS; i++)
		for (unsigned j = 0; j < NAMES; j++)
			text_fini(&model->objects[i][j]);
	memory_free(model);
}

static void
incremental_equals_whole(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_secret_costs_its_own),
	    cmocka_unit_test(it_heals),
	    cmocka_unit_test(time_passes),
	    cmocka_unit_test(all_are_seen),
	    cmocka_unit_test(incremental_equals_whole),
	};

	return cmocka_run_group_tests(tests, make_pems, free_pems);
}
