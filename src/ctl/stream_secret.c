/* What cannot be read is as if it were not there. */
#include "ctl/stream_secret.h"

#include "core/memory.h"
#include "core/must.h"
#include "wire/base64.h"

static void
take_key(const struct gw_secret *secret, struct slice key, struct text *out)
{
	for (uint32_t i = 0; i < secret->data_count; i++)
		if (slice_equal(secret->data[i].key, key))
			(void)wire_base64_take(out, secret->data[i].value);
}

static int
digit_of(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool
take_seed(struct slice line, uint8_t seed[GW_TICKET_SEED_BYTES])
{
	struct slice drawn;

	if (!slice_cut(&line, ' ', &drawn) ||
	    line.length != (size_t)2 * GW_TICKET_SEED_BYTES)
		return false;
	for (size_t i = 0; i < GW_TICKET_SEED_BYTES; i++) {
		int high = digit_of(line.data[2 * i]);
		int low = digit_of(line.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		seed[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static void
take_tickets(struct gw_state *state, struct slice text)
{
	uint8_t seeds[GW_TICKET_SEEDS_MAX][GW_TICKET_SEED_BYTES];
	struct slice line;
	unsigned count = 0;

	while (count < GW_TICKET_SEEDS_MAX && slice_cut(&text, '\n', &line))
		count += take_seed(line, seeds[count]);
	gw_state_tickets(
	    state, (const uint8_t(*)[GW_TICKET_SEED_BYTES])seeds, count);
	memory_wipe(seeds, sizeof(seeds));
}

void
ctl_stream_secret_take(struct gw_state *state, const struct gw_object *object)
{
	must(object->kind == GW_SECRET);
	struct text bundle, tickets;

	text_init(&bundle);
	text_init(&tickets);
	take_key(object->secret, SLICE(CTL_STREAM_BUNDLE), &bundle);
	take_key(object->secret, SLICE(CTL_STREAM_TICKETS), &tickets);
	gw_state_fleet_bundle(state, text_slice(&bundle));
	take_tickets(state, text_slice(&tickets));
	text_fini(&bundle);
	text_wipe(&tickets);
}
