/* Golden cases of admission and reconcile: cases/<name>/input.yaml to
 * cases/<name>/expected.txt. Each is run four ways that must agree: all objects
 * at once, in the order of the file; at once, shuffled; one by one with a
 * reconcile after each; and one by one shuffled, with other objects coming and
 * going. In the end all objects are removed, and no unit may be left. Each
 * object is also written out, read again, and must be the same.
 *
 *	golden CASES [--update]
 *
 * Comment lines at the top of an input say what else a case needs:
 *	# controller-name NAME
 *	# namespaces-explicit
 *	# cluster                       (addresses are a cluster's)
 *	# forwards                      (a cluster: announcers lead what comes
 *	                                 to pods of their node)
 *	# ignore-exclude-lb             (nodes with that label announce too)
 *	# pool-namespace NAME           (whose pools count; without, all do)
 *	# metallb WHAT                  (one runs there: what it is seen by)
 *	# unread KIND denied|missing    (pools, or L2Advertisements, cannot be
 *	                                 listed)
 *	# in-order                      (who came first counts: no other order,
 *	                                 and nobody comes and goes)
 *	# now TIME                      (RFC 3339; without, no time passes)
 *	# later SECONDS                 (pass in the end, once all is said)
 *	# tickets                       (seeds of their keys are given)
 *	# carries PROTOCOL...           (besides HTTP/1; as in enum gw_carry)
 *	# fleet CLASS|none              (a cluster: proxies are made, Services
 *	                               of this loadBalancerClass)
 *	# report UNIT LABEL why         (LABEL as in core/error.def)
 *	# refused UNIT why
 *	# announcer ADDRESS NODE LABEL INTERFACES|- RIVAL|- why */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/gw/world.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/must.h"
#include "core/random.h"
#include "gw/address.h"
#include "wire/record_tree.h"

enum { SHUFFLES = 4, NAMES_MAX = 8, PATH_BYTES = 1024, CASES_MAX = 512 };

static bool
read_file(const char *path, struct text *out)
{
	FILE *file = fopen(path, "r");
	char buffer[4096];
	size_t length;

	text_reset(out);
	if (!file)
		return false;
	while ((length = fread(buffer, 1, sizeof(buffer), file)) > 0)
		text_push(out, slice_make(buffer, length));
	fclose(file);
	return true;
}

/* ---- what a case asks for ---- */

struct input {
	struct text yaml;
	struct slice names[NAMES_MAX], pool_namespaces[NAMES_MAX];
	bool in_order;
	struct gw_options options;
	int64_t now; /* 0: none is said */
	uint64_t later;
	bool has_tickets;
	struct slice metallb; /* or absent */
	enum gw_unread unread[GW_KIND__COUNT];
	struct gw_fleet_options fleet;
};

/* The words of the next "# ..." line, or false at the first other line. */
static bool
next_line(struct slice *rest, struct slice *words)
{
	if (!slice_cut(rest, '\n', words) || words->length < 2 ||
	    words->data[0] != '#')
		return false;
	*words = slice_skip(*words, 2);
	return true;
}

static uint32_t
carry_of(struct slice name)
{
	static const struct {
		const char *name;
		uint32_t carry;
	} rows[] = {
	    {"HTTPS", GW_CARRY_HTTPS},
	    {"TLS", GW_CARRY_TLS},
	    {"TCP", GW_CARRY_TCP},
	    {"UDP", GW_CARRY_UDP},
	    {"BACKEND_TLS", GW_CARRY_BACKEND_TLS},
	    {"HTTP2", GW_CARRY_HTTP2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_equal(name, slice_from_string(rows[i].name)))
			return rows[i].carry;
	fprintf(stderr, "nothing to carry: %.*s\n", SLICE_ARGS(name));
	exit(2);
}

static void
read_fleet(struct input *input, struct slice balancer)
{
	input->fleet = (struct gw_fleet_options){
	    .namespace = SLICE("yumen-system"),
	    .service = SLICE("yumen-controller"),
	    .port = 9912,
	    .image = SLICE("yumen.dev/yumen:test"),
	    .balancer_class =
	        slice_equal(balancer, SLICE("none")) ? SLICE_NONE : balancer,
	    .envoy_namespace = SLICE("envoy-gateway-system"),
	};
	input->options.fleet = &input->fleet;
	input->options.addressing = GW_ADDRESSING_CLUSTER;
}

static void
read_unread(struct input *input, struct slice words)
{
	enum gw_kind kind;
	struct slice name;

	if (!slice_cut(&words, ' ', &name) || !gw_kind_parse(name, &kind)) {
		fprintf(stderr, "no kind: %.*s\n", SLICE_ARGS(words));
		exit(2);
	}
	input->unread[kind] = slice_equal(words, SLICE("missing"))
	    ? GW_UNREAD_MISSING
	    : GW_UNREAD_DENIED;
}

static void
read_options(struct input *input)
{
	struct slice rest = text_slice(&input->yaml), words, word;

	input->options = (struct gw_options){
	    .controller_names = input->names,
	    .pool_namespaces = input->pool_namespaces,
	    .namespaces_implied = true,
	};
	while (next_line(&rest, &words)) {
		slice_cut(&words, ' ', &word);
		if (slice_equal(word, SLICE("controller-name")) &&
		    input->options.controller_name_count < NAMES_MAX)
			input->names[input->options.controller_name_count++] =
			    words;
		else if (slice_equal(word, SLICE("namespaces-explicit")))
			input->options.namespaces_implied = false;
		else if (slice_equal(word, SLICE("cluster")))
			input->options.addressing = GW_ADDRESSING_CLUSTER;
		else if (slice_equal(word, SLICE("forwards")))
			input->options.forwards = true;
		else if (slice_equal(word, SLICE("pool-namespace")) &&
		    input->options.pool_namespace_count < NAMES_MAX)
			input->pool_namespaces[input->options
			                           .pool_namespace_count++] =
			    words;
		else if (slice_equal(word, SLICE("metallb")))
			input->metallb = words;
		else if (slice_equal(word, SLICE("unread")))
			read_unread(input, words);
		else if (slice_equal(word, SLICE("in-order")))
			input->in_order = true;
		else if (slice_equal(word, SLICE("now")))
			must(clock_parse(words, &input->now));
		else if (slice_equal(word, SLICE("later")))
			must(slice_to_number(words, UINT32_MAX, &input->later));
		else if (slice_equal(word, SLICE("ignore-exclude-lb")))
			input->options.takes_excluded = true;
		else if (slice_equal(word, SLICE("tickets")))
			input->has_tickets = true;
		else if (slice_equal(word, SLICE("fleet")))
			read_fleet(input, words);
		else if (slice_equal(word, SLICE("carries")))
			while (slice_cut(&words, ' ', &word))
				input->options.carries |= carry_of(word);
	}
}

static enum error
error_of_label(struct slice label)
{
	for (unsigned i = 0; i < ERROR__COUNT; i++)
		if (slice_equal(label, slice_from_string(error_label(i))))
			return i;
	fprintf(stderr, "no error is called %.*s\n", SLICE_ARGS(label));
	exit(2);
}

static struct slice
take_word(struct slice *words)
{
	struct slice word;

	return slice_cut(words, ' ', &word) && !slice_equal(word, SLICE("-"))
	    ? word
	    : SLICE("");
}

static void
report_claim(struct world *world, struct slice words)
{
	struct slice address = take_word(&words);
	struct feed_claim claim = {.node = take_word(&words)};
	struct text unit;

	claim.error = error_of_label(take_word(&words));
	claim.interfaces = take_word(&words);
	claim.rival = take_word(&words);
	claim.why = words;
	text_init(&unit);
	text_printf(&unit, "claim/%.*s", SLICE_ARGS(address));
	gw_state_report_claim(world->state, text_slice(&unit), &claim);
	text_fini(&unit);
}

/* Reports are of units, so that they come when all objects are there. */
static void
report(struct world *world, const struct input *input)
{
	struct slice rest = text_slice(&input->yaml), words, word, unit, label;

	while (next_line(&rest, &words)) {
		slice_cut(&words, ' ', &word);
		if (slice_equal(word, SLICE("report"))) {
			slice_cut(&words, ' ', &unit);
			slice_cut(&words, ' ', &label);
			gw_state_report(
			    world->state, unit, error_of_label(label), words);
		} else if (slice_equal(word, SLICE("refused"))) {
			slice_cut(&words, ' ', &unit);
			gw_state_report_refused(world->state, unit, words);
		} else if (slice_equal(word, SLICE("announcer"))) {
			report_claim(world, words);
		}
	}
	world_reconcile(world);
	if (input->later == 0)
		return;
	gw_state_clock(world->state, input->now + (int64_t)input->later);
	world_reconcile(world);
}

/* ---- the four ways ---- */

static void
begin(struct world *world, const struct input *input)
{
	static const uint8_t seeds[][GW_TICKET_SEED_BYTES] = {"new", "old"};

	world_init(world, &input->options);
	if (input->has_tickets)
		gw_state_tickets(world->state, seeds, 2);
	if (input->options.fleet)
		gw_state_fleet_bundle(world->state, SLICE("a bundle\n"));
	if (slice_is_set(input->metallb))
		gw_state_metallb(world->state, input->metallb);
	for (unsigned i = 0; i < GW_KIND__COUNT; i++)
		if (input->unread[i] != GW_READ)
			(void)gw_state_unread(
			    world->state, i, input->unread[i]);
	if (input->now)
		gw_state_clock(world->state, input->now);
}

static void
shuffle(struct world_objects *objects, struct random *random)
{
	for (size_t i = objects->count; i > 1; i--) {
		size_t j = random_below(random, (uint32_t)i);
		struct gw_object *object = objects->items[i - 1];

		objects->items[i - 1] = objects->items[j];
		objects->items[j] = object;
	}
}

static void
run_whole(const struct input *input, struct random *random, struct text *out,
    struct text *findings)
{
	struct world world;

	begin(&world, input);
	struct world_objects objects =
	    world_admit(&world, text_slice(&input->yaml));

	if (random)
		shuffle(&objects, random);
	for (size_t i = 0; i < objects.count; i++)
		world_put(&world, &objects.items[i]);
	world_reconcile(&world);
	report(&world, input);
	world_print(&world, out);
	if (findings)
		text_push(findings, text_slice(&world.findings));
	world_objects_fini(&objects);
	world_fini(&world);
}

/* One of the objects that are there goes and comes back. */
static void
blink(struct world *world, struct slice yaml, size_t which)
{
	struct world_objects again = world_admit(world, yaml);

	if (which < again.count) {
		world_remove(world, again.items[which]);
		world_reconcile(world);
		world_put(world, &again.items[which]);
		world_reconcile(world);
	}
	world_objects_fini(&again);
}

static bool
run_steps(const struct input *input, struct random *random, struct text *out)
{
	struct slice yaml = text_slice(&input->yaml);
	struct world world;
	struct text left;

	begin(&world, input);
	struct world_objects objects = world_admit(&world, yaml);
	struct world_objects names = world_admit(&world, yaml);

	if (random)
		shuffle(&objects, random);
	for (size_t i = 0; i < objects.count; i++) {
		world_put(&world, &objects.items[i]);
		world_reconcile(&world);
	}
	for (size_t i = 0; random && i < names.count; i++)
		blink(
		    &world, yaml, random_below(random, (uint32_t)names.count));
	report(&world, input);
	world_print(&world, out);
	for (size_t i = 0; i < names.count; i++) {
		world_remove(&world, names.items[i]);
		world_reconcile(&world);
	}
	text_init(&left);
	world_print(&world, &left);
	bool clean = left.length == 0;

	if (!clean)
		fprintf(stderr, "left after all was removed:\n%s\n", left.data);
	text_fini(&left);
	world_objects_fini(&objects);
	world_objects_fini(&names);
	world_fini(&world);
	return clean;
}

/* Written as YAML and read again, an object is what it was. */
static bool
check_written(const struct input *input)
{
	struct world world;
	bool same = true;

	world_init(&world, &input->options);
	struct world_objects objects =
	    world_admit(&world, text_slice(&input->yaml));

	for (size_t i = 0; i < objects.count; i++) {
		const struct gw_object *a = objects.items[i];
		struct text yaml;

		if (gw_kinds[a->kind].type == &gw_shown_type)
			continue; /* its record has its metadata alone */
		text_init(&yaml);
		wire_record_to_yaml(
		    &yaml, gw_kinds[a->kind].type, a->record, 0);
		struct gw_object *b = world_object(text_slice(&yaml));

		if (a->digest != b->digest) {
			fprintf(stderr, "not the same when read again:\n%s\n",
			    yaml.data);
			same = false;
		}
		gw_object_free(&b);
		text_fini(&yaml);
	}
	world_objects_fini(&objects);
	world_fini(&world);
	return same;
}

/* ---- cases ---- */

static void
show_difference(const char *name, const char *what, const struct text *wanted,
    const struct text *got)
{
	struct slice a = text_slice(wanted), b = text_slice(got), left, right;
	unsigned line = 1;

	for (;; line++) {
		bool more_left = slice_cut(&a, '\n', &left);
		bool more_right = slice_cut(&b, '\n', &right);

		if (!more_left && !more_right)
			return;
		if (more_left && more_right && slice_equal(left, right))
			continue;
		fprintf(stderr,
		    "%s: %s: line %u\n  wanted: %.*s\n  got:    %.*s\n", name,
		    what, line, SLICE_ARGS(more_left ? left : SLICE("(end)")),
		    SLICE_ARGS(more_right ? right : SLICE("(end)")));
		return;
	}
}

static bool
agrees(const char *name, const char *what, const struct text *wanted,
    const struct text *got)
{
	if (slice_equal(text_slice(wanted), text_slice(got)))
		return true;
	show_difference(name, what, wanted, got);
	return false;
}

static bool
check_ways(
    const char *name, const struct input *input, const struct text *wanted)
{
	struct random random;
	struct text got;
	bool good = check_written(input);

	text_init(&got);
	good = run_steps(input, NULL, &got) && good;
	good = agrees(name, "one by one", wanted, &got) && good;
	for (unsigned seed = 1; seed <= SHUFFLES && !input->in_order; seed++) {
		random_init_seed(&random, seed);
		text_reset(&got);
		run_whole(input, &random, &got, NULL);
		good = agrees(name, "shuffled", wanted, &got) && good;
		text_reset(&got);
		good = run_steps(input, &random, &got) && good;
		good =
		    agrees(name, "one by one, shuffled", wanted, &got) && good;
	}
	text_fini(&got);
	return good;
}

static bool
update_file(const char *path, const struct text *text)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return false;
	bool good = fwrite(text->data, 1, text->length, file) == text->length;

	return fclose(file) == 0 && good;
}

static bool
run_case(const char *folder, const char *name, bool update)
{
	char path[PATH_BYTES];
	struct input input = {0};
	struct text told, result, expected;
	bool good;

	text_init(&input.yaml);
	text_init(&told);
	text_init(&result);
	text_init(&expected);
	snprintf(path, sizeof(path), "%s/%s/input.yaml", folder, name);
	good = read_file(path, &input.yaml);
	if (!good) {
		fprintf(stderr, "%s: cannot be read\n", path);
		goto out;
	}
	read_options(&input);
	run_whole(&input, NULL, &result, &told);
	good = check_ways(name, &input, &result);
	text_push(&told, text_slice(&result));

	snprintf(path, sizeof(path), "%s/%s/expected.txt", folder, name);
	if (update)
		good = update_file(path, &told) && good;
	read_file(path, &expected);
	good = agrees(name, "expected.txt", &expected, &told) && good;
out:
	text_fini(&expected);
	text_fini(&result);
	text_fini(&told);
	text_fini(&input.yaml);
	return good;
}

static int
is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
main(int count, char **arguments)
{
	struct dirent **entries;
	unsigned failed = 0;

	if (count < 2) {
		fprintf(stderr, "usage: golden CASES [--update]\n");
		return 2;
	}
	bool update = count > 2 && strcmp(arguments[2], "--update") == 0;
	int cases = scandir(arguments[1], &entries, is_case, alphasort);

	if (cases <= 0) {
		fprintf(stderr, "%s: no cases\n", arguments[1]);
		return 2;
	}
	for (int i = 0; i < cases; i++) {
		if (!run_case(arguments[1], entries[i]->d_name, update))
			failed++;
		free(entries[i]);
	}
	free(entries);
	printf("%d golden cases, %u failed\n", cases, failed);
	return failed ? 1 : 0;
}
