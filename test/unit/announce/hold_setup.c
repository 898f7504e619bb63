/* A hold with a clock and randomness of its own. */
#include "hold_setup.h"

#include "core/must.h"

#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"
const uint8_t ip4[WIRE_IP_BYTES] = MAPPED "\xc0\0\2\1";
const uint8_t ip6[WIRE_IP_BYTES] = "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1";
const uint8_t other4[WIRE_IP_BYTES] = MAPPED "\xc0\0\2\2";
const uint8_t nobody[WIRE_IP_BYTES];
const uint8_t us[WIRE_HARDWARE_BYTES] = "\2\0\0\0\0\1";
const uint8_t them[WIRE_HARDWARE_BYTES] = "\2\0\0\0\0\2";

void
count(struct setup *s)
{
	for (unsigned i = 0; i < s->out.count; i++) {
		const struct wire_neighbour *message = &s->out.messages[i];
		if (message->is_tell)
			s->tells++;
		else if (wire_ip_is_zero(message->other))
			s->probes++;
		else
			s->asks++;
	}
}

void
run_until(struct setup *s, uint64_t until_ms)
{
	while (s->hold.due_ms <= until_ms) {
		s->now_ms = s->hold.due_ms;
		announce_hold_tick(&s->hold, s->now_ms, &s->random, &s->out);
		count(s);
		assert_true(s->hold.due_ms > s->now_ms ||
		    s->hold.state == ANNOUNCE_HELD);
	}
	s->now_ms = until_ms;
}

void
hear_from(struct setup *s, bool is_peer, struct wire_neighbour message)
{
	memcpy(message.hardware, them, sizeof(message.hardware));
	announce_hold_hear(
	    &s->hold, &message, is_peer, s->now_ms, &s->random, &s->out);
	count(s);
}

void
hear(struct setup *s, struct wire_neighbour message)
{
	hear_from(s, false, message);
}

struct wire_neighbour
message(bool is_tell, const uint8_t *subject, const uint8_t *other)
{
	struct wire_neighbour value = {
	    .is_tell = is_tell, .is_ipv6 = !wire_ip_is_ipv4(subject)};
	memcpy(value.subject, subject, WIRE_IP_BYTES);
	memcpy(value.other, other, WIRE_IP_BYTES);
	return value;
}

void
start(struct setup *s, const uint8_t *ip, bool probe)
{
	*s = (struct setup){.now_ms = 1000};
	random_init_seed(&s->random, 1);
	announce_hold_init(&s->hold, ip, us, &s->budget);
	announce_hold_yield(&s->hold, them, s->now_ms);
	if (!probe)
		hear_from(s, true, message(true, ip, nobody));
	announce_hold_take(&s->hold, s->now_ms, &s->random);
}

void
forget(struct setup *s)
{
	s->probes = s->asks = s->tells = 0;
}
