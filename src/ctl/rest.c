/* Rests that double. */
#include "ctl/rest_priv.h"

#include "core/limit.h"
#include "core/must.h"

/* Whoever corrects what we write does so a few times; more is a quarrel. */
enum { TOLD_AT = 5 };
/* What has stayed for so long was accepted: past the longest rest. */
#define PEACE_MS 60000

uint32_t
ctl_rest_ms(unsigned at)
{
	must(at < CTL_RESTS);
	return (uint32_t)LIMIT_VALUE_KUBE_RETRY_MS << at;
}

static uint32_t
stayed_ms(const struct ctl_undone *undone, uint64_t now_ms)
{
	return (uint32_t)now_ms - undone->written_ms;
}

uint32_t
ctl_undone_wait_ms(
    const struct ctl_undone *undone, uint64_t hash, uint64_t now_ms)
{
	uint32_t rest_ms = ctl_rest_ms(undone->times);
	uint32_t stayed = stayed_ms(undone, now_ms);

	if (undone->hash == 0 || undone->hash != hash || stayed >= rest_ms)
		return 0;
	return rest_ms - stayed;
}

bool
ctl_undone_note(struct ctl_undone *undone, uint64_t hash, uint64_t now_ms)
{
	bool again = undone->hash != 0 && undone->hash == hash &&
	    stayed_ms(undone, now_ms) < PEACE_MS;
	uint8_t before = undone->times;

	undone->hash = hash;
	undone->written_ms = (uint32_t)now_ms;
	if (!again)
		undone->times = 0;
	else if (undone->times < CTL_RESTS - 1)
		undone->times++;
	return before < TOLD_AT && undone->times == TOLD_AT;
}
