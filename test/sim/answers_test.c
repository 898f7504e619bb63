/* Addresses that are asked for on the simulated loop: whatever becomes of the
 * connects, each is told of once, when one opens or when the time is over, and
 * nothing is left open. */
#include "ctl/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/metric.h"
#include "core/text.h"
#include "sim/loop.h"

static struct net_loop *loop;
static struct ctl_answers *answers;
static struct text told; /* "gateway address;" and "over gateway;" */
static const uint16_t ports[] = {80, 443};

static void
on_answer(void *context, struct slice gateway, struct slice address)
{
	(void)context;
	text_printf(
	    &told, "%.*s %.*s;", SLICE_ARGS(gateway), SLICE_ARGS(address));
}

static void
on_over(void *context, struct slice gateway)
{
	(void)context;
	text_printf(&told, "over %.*s;", SLICE_ARGS(gateway));
}

static int
set_up(void **state)
{
	(void)state;
	loop = sim_loop_new(1);
	answers = ctl_answers_new(&(struct ctl_answers_options){
	    .loop = loop, .on_answer = on_answer, .on_over = on_over});
	text_init(&told);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ctl_answers_free(&answers);
	assert_int_equal(sim_loop_open_count(loop), 0);
	assert_int_equal(sim_loop_pending_count(loop), 0);
	net_loop_free(loop);
	text_fini(&told);
	return 0;
}

static void
ask(const char *gateway, const struct slice *addresses, uint32_t count,
    uint32_t port_count)
{
	ctl_answers_ask(answers,
	    &(struct gw_unproven){.gateway = slice_from_string(gateway),
	        .addresses = addresses,
	        .address_count = count,
	        .ports = ports,
	        .port_count = port_count});
}

static void
ask_one(const char *gateway, const char *address)
{
	const struct slice one = slice_from_string(address);

	ctl_answers_begin(answers);
	ask(gateway, &one, 1, 1);
	ctl_answers_end(answers);
}

static void
expect_told(const char *want)
{
	assert_string_equal(told.length > 0 ? told.data : "", want);
	text_reset(&told);
}

static struct sim_pipe *
take(const char *want)
{
	struct net_address address;
	struct sim_pipe *pipe = sim_loop_take_connect(loop, &address);
	char text[NET_ADDRESS_TEXT];

	assert_non_null(pipe);
	text[net_address_format(&address, text)] = '\0';
	assert_string_equal(text, want);
	return pipe;
}

/* As long as kube-proxy leads nowhere. */
static void
refused_and_then_connected(void **state)
{
	(void)state;
	ask_one("ns/web", "192.0.2.1");
	for (unsigned i = 0; i < 7; i++) {
		struct sim_pipe *pipe = take("192.0.2.1:80");

		sim_pipe_refuse(pipe, i % 2 ? ERROR_REFUSED : ERROR_RESET);
		sim_loop_settle(loop);
		assert_true(sim_pipe_is_closed(pipe));
		assert_null(sim_loop_take_connect(loop, NULL));
		sim_loop_pass(
		    loop, LIMIT_VALUE_ADDRESS_TRY_MS + 2 * NET_TIMER_TICK_MS);
		/* Asked for again meanwhile, it is not begun anew. */
		ask_one("ns/web", "192.0.2.1");
	}
	expect_told("");
	struct sim_pipe *pipe = take("192.0.2.1:80");

	sim_pipe_accept(pipe);
	sim_loop_settle(loop);
	expect_told("ns/web 192.0.2.1;");
	assert_true(sim_pipe_is_closed(pipe));
	assert_int_equal(sim_pipe_written(pipe).length, 0);
	assert_int_equal(sim_loop_pending_count(loop), 0);
	ctl_answers_begin(answers);
	ctl_answers_end(answers);
	expect_told("over ns/web;");
}

static unsigned
hits(enum limit limit)
{
	struct text text;
	char line[100];
	uint64_t count = 0;

	snprintf(line, sizeof(line), "yumen_limit_hits_total{limit=\"%s\"} ",
	    limit == LIMIT_ADDRESS_TRIES ? "address_tries"
	                                 : "address_answer_ms");
	text_init(&text);
	metrics_write(&text);
	const char *found = strstr(text.data, line);

	if (found != NULL) {
		struct slice rest = slice_from_string(found + strlen(line));
		struct slice number;

		assert_true(slice_cut(&rest, '\n', &number) &&
		    slice_to_number(number, UINT32_MAX, &count));
	}
	text_fini(&text);
	return (unsigned)count;
}

/* It may answer others: no longer than ADDRESS_ANSWER_MS, however each connect
 * fails. */
static void
expect_given_up(void (*end)(struct sim_pipe *pipe))
{
	unsigned before = hits(LIMIT_ADDRESS_ANSWER_MS), tries = 0;
	uint64_t began_ms = net_loop_now_ms(loop);

	ask_one("ns/web", "2001:db8::1");
	while (told.length == 0) {
		struct sim_pipe *pipe = sim_loop_take_connect(loop, NULL);

		tries += pipe != NULL;
		if (pipe != NULL && end != NULL)
			end(pipe);
		else
			assert_true(sim_loop_jump(loop));
		assert_in_range(sim_loop_open_count(loop), 0, 1);
	}
	expect_told("ns/web 2001:db8::1;");
	assert_in_range(net_loop_now_ms(loop) - began_ms,
	    LIMIT_VALUE_ADDRESS_ANSWER_MS,
	    LIMIT_VALUE_ADDRESS_ANSWER_MS + 2 * NET_TIMER_TICK_MS);
	assert_int_equal(hits(LIMIT_ADDRESS_ANSWER_MS), before + 1);
	assert_true(tries > 5);
	assert_int_equal(sim_loop_open_count(loop), 0);
	assert_int_equal(sim_loop_pending_count(loop), 0);
}

static void
refuse(struct sim_pipe *pipe)
{
	sim_pipe_refuse(pipe, ERROR_REFUSED);
	sim_loop_settle(loop);
}

static void
refused_for_ever(void **state)
{
	(void)state;
	expect_given_up(refuse);
}

static void
nobody_says_anything(void **state)
{
	(void)state;
	expect_given_up(NULL);
}

/* Connects that fail at once, and what is no address. */
static void
no_way_leads_there(void **state)
{
	(void)state;
	sim_loop_fail_connects(loop, ERROR_UNREACHABLE);
	ask_one("ns/web", "192.0.2.1");
	sim_loop_pass(loop, 1000);
	sim_loop_fail_connects(loop, ERROR_OK);
	sim_loop_pass(loop, LIMIT_VALUE_ADDRESS_TRY_MS + 2 * NET_TIMER_TICK_MS);
	expect_told("");
	sim_pipe_accept(take("192.0.2.1:80"));
	sim_loop_settle(loop);
	expect_told("ns/web 192.0.2.1;");
	ask_one("ns/none", "None");
	expect_told("over ns/web;");
	sim_loop_pass(loop, LIMIT_VALUE_ADDRESS_ANSWER_MS + 1000);
	expect_told("ns/none None;");
}

/* One that opens is enough. */
static void
ports_in_turn(void **state)
{
	const struct slice address = SLICE("192.0.2.1");

	(void)state;
	ctl_answers_begin(answers);
	ask("ns/web", &address, 1, 2);
	ctl_answers_end(answers);
	sim_pipe_refuse(take("192.0.2.1:80"), ERROR_REFUSED);
	sim_loop_pass(loop, LIMIT_VALUE_ADDRESS_TRY_MS + 2 * NET_TIMER_TICK_MS);
	sim_pipe_accept(take("192.0.2.1:443"));
	sim_loop_settle(loop);
	expect_told("ns/web 192.0.2.1;");
}

/* An address, or its Gateway, goes while it is connected to. */
static void
not_asked_for_any_more(void **state)
{
	const struct slice both[] = {SLICE("192.0.2.1"), SLICE("192.0.2.2")};

	(void)state;
	ctl_answers_begin(answers);
	ask("ns/web", both, 2, 1);
	ask("ns/other", both, 1, 1);
	ctl_answers_end(answers);
	struct sim_pipe *first = take("192.0.2.1:80");
	struct sim_pipe *second = take("192.0.2.2:80");

	take("192.0.2.1:80");
	assert_int_equal(sim_loop_open_count(loop), 3);
	ctl_answers_begin(answers);
	ask("ns/web", both + 1, 1, 1);
	ctl_answers_end(answers);
	expect_told("over ns/other;");
	assert_true(sim_pipe_is_closed(first));
	assert_int_equal(sim_loop_open_count(loop), 1);
	sim_pipe_accept(second);
	sim_loop_settle(loop);
	expect_told("ns/web 192.0.2.2;");
}

/* Of many only so many are tried at once; the others have their turn. */
static void
many_wait_for_their_turn(void **state)
{
	enum { COUNT = LIMIT_VALUE_ADDRESS_TRIES + 20 };
	static char texts[COUNT][16];
	static struct slice addresses[COUNT];
	unsigned before = hits(LIMIT_ADDRESS_TRIES), answered = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(texts[i], sizeof(texts[i]), "192.0.2.%u", i + 1);
		addresses[i] = slice_from_string(texts[i]);
	}
	ctl_answers_begin(answers);
	ask("ns/web", addresses, COUNT, 1);
	ctl_answers_end(answers);
	assert_int_equal(sim_loop_open_count(loop), LIMIT_VALUE_ADDRESS_TRIES);
	assert_int_equal(hits(LIMIT_ADDRESS_TRIES), before + 20);
	while (answered < COUNT) {
		struct sim_pipe *pipe = sim_loop_take_connect(loop, NULL);

		if (pipe == NULL) {
			assert_true(sim_loop_jump(loop));
			continue;
		}
		sim_pipe_accept(pipe);
		sim_loop_settle(loop);
		answered++;
		assert_in_range(
		    sim_loop_open_count(loop), 0, LIMIT_VALUE_ADDRESS_TRIES);
	}
	unsigned told_of = 0;

	for (size_t i = 0; i < told.length; i++)
		told_of += told.data[i] == ';';
	assert_int_equal(told_of, COUNT);
	assert_int_equal(hits(LIMIT_ADDRESS_ANSWER_MS), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
	    TEST(many_wait_for_their_turn),
	    TEST(refused_and_then_connected),
	    TEST(refused_for_ever),
	    TEST(nobody_says_anything),
	    TEST(no_way_leads_there),
	    TEST(ports_in_turn),
	    TEST(not_asked_for_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
