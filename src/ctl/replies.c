/* What follows from what the agent says. */
#include "core/clock.h"
#include "core/log.h"
#include "ctl/ctl_priv.h"
#include "gw/address.h"

static void
take_reply(struct ctl *ctl, const struct feed_reply *reply)
{
	switch (reply->kind) {
	case FEED_CONFIRM:
		if (reply->name.length > 0)
			ctl_statuses_served(ctl->statuses, reply->name,
			    &reply->generation, clock_wall_ms());
		else
			ctl_statuses_confirm(
			    ctl->statuses, &reply->generation, clock_wall_ms());
		return;
	case FEED_WAIT:
		ctl_statuses_wait(ctl->statuses, reply->name,
		    &reply->generation, reply->why, clock_wall_ms());
		return;
	case FEED_REFUSE:
		if (reply->why.length > 0)
			log_event(LOG_UNIT_REFUSED,
			    LOG_TEXT("unit", reply->name),
			    LOG_TEXT("why", reply->why));
		gw_state_report_refused(ctl->state, reply->name, reply->why);
		break;
	case FEED_CLAIM:
		gw_state_report_claim(ctl->state, reply->name, &reply->claim);
		break;
	case FEED_REPORT:
		if (!slice_starts_with(reply->name, SLICE("listener/")))
			return;
		if (reply->error != ERROR_OK)
			log_event(LOG_LISTENER_NOT_BOUND,
			    LOG_TEXT("unit", reply->name),
			    LOG_STRING("error", error_label(reply->error)),
			    LOG_TEXT("why", reply->why));
		gw_state_report(
		    ctl->state, reply->name, reply->error, reply->why);
		break;
	}
	ctl->state_changed = true;
}

void
ctl_take_replies(struct ctl *ctl)
{
	struct feed_reply *reply;

	while ((reply = feed_take_reply(ctl->options.feed)) != NULL) {
		take_reply(ctl, reply);
		feed_reply_free(&reply);
	}
}
