/* What a cluster tells ctl beside its objects: who leads, which statuses are
 * shown, what of fleets is not as it is to be, that a MetalLB runs there, and
 * which addresses answer in it. */
#include "core/clock.h"
#include "ctl/ctl_priv.h"
#include "gw/address.h"

static void
on_cluster(void *context)
{
	struct ctl *ctl = context;

	net_loop_defer(ctl->loop, &ctl->round);
}

static void
on_shown(
    void *context, enum gw_kind kind, struct slice namespace, struct slice name)
{
	ctl_cluster_status(context, kind, namespace, name);
}

/* Announcers go to who leads. */
static void
on_leader(void *context, bool leads, struct slice leader)
{
	struct ctl *ctl = context;

	gw_state_clock(ctl->state, clock_wall_ms() / 1000);
	gw_state_listen(ctl->state, leads);
	ctl->state_changed = true;
	net_loop_defer(ctl->loop, &ctl->round);
	ctl_accounts_set_leader(ctl->accounts, leader);
	net_loop_wake(ctl->options.admin_loop);
}

static void
on_metallb(void *context, struct slice what)
{
	struct ctl *ctl = context;

	gw_state_metallb(ctl->state, what);
	ctl->state_changed = true;
}

void
ctl_hear_unread(struct ctl *ctl)
{
	static const enum gw_kind kinds[] = {
	    GW_IPADDRESSPOOL, GW_L2ADVERTISEMENT};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		ctl->state_changed |= gw_state_unread(ctl->state, kinds[i],
		    ctl_cluster_unread(ctl->cluster, kinds[i]));
}

static void
on_fleet_word(void *context, struct slice namespace, struct slice name,
    enum gw_fleet_word word, struct slice what)
{
	struct ctl *ctl = context;

	gw_state_report_fleet(ctl->state, namespace, name, word, what);
	ctl->state_changed = true;
	net_loop_defer(ctl->loop, &ctl->round);
}

/* ---- addresses ---- */

static void
on_answer(void *context, struct slice gateway, struct slice address)
{
	struct ctl *ctl = context;

	gw_state_report_answer(ctl->state, gateway, address);
	ctl->state_changed = true;
	net_loop_defer(ctl->loop, &ctl->round);
}

static void
on_over(void *context, struct slice gateway)
{
	const struct ctl *ctl = context;

	ctl_statuses_release(ctl->statuses, gateway, clock_wall_ms());
}

static void
on_unproven(void *context, const struct gw_unproven *asked)
{
	const struct ctl *ctl = context;
	struct text why;

	ctl_answers_ask(ctl->answers, asked);
	if (!asked->alone) {
		on_over(context, asked->gateway);
		return;
	}
	text_init(&why);
	text_printf(
	    &why, "%.*s does not answer yet", SLICE_ARGS(asked->addresses[0]));
	ctl_statuses_hold(ctl->statuses, asked->gateway, text_slice(&why));
	text_fini(&why);
}

void
ctl_ask_answers(struct ctl *ctl)
{
	ctl_answers_begin(ctl->answers);
	gw_state_each_unproven(ctl->state, on_unproven, ctl);
	ctl_answers_end(ctl->answers);
}

enum error
ctl_open_cluster(struct ctl *ctl, const struct ctl_sink *sink)
{
	const struct ctl_options *options = &ctl->options;
	struct ctl_cluster_options cluster = {
	    .loop = ctl->loop,
	    .access = options->cluster,
	    .sink = *sink,
	    .on_change = on_cluster,
	    .context = ctl,
	    .state = ctl->state,
	    .statuses = ctl->statuses,
	    .controller_names = options->gw.controller_names,
	    .controller_name_count = options->gw.controller_name_count,
	    .has_fleets = options->gw.fleet != NULL,
	    .on_fleet_word = on_fleet_word,
	    .on_metallb = on_metallb,
	    .on_leader = on_leader,
	    .lease = options->lease,
	    .identity = options->identity,
	};
	enum error error = ctl_cluster_new(&cluster, &ctl->cluster);

	gw_state_listen(ctl->state, !slice_is_set(options->lease));
	if (options->gw.fleet != NULL)
		ctl->answers = ctl_answers_new(&(struct ctl_answers_options){
		    .loop = ctl->loop,
		    .on_answer = on_answer,
		    .on_over = on_over,
		    .context = ctl,
		});
	if (error == ERROR_OK)
		ctl_statuses_on_shown(ctl->statuses, on_shown, ctl->cluster);
	return error;
}
