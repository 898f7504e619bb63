/* Pools in `describe`: which pool an address is of, and who has a pool's
 * addresses. */
#include "addr/ip.h"
#include "cmd/describe_priv.h"
#include "cmd/look.h"

static bool
has_address(const json_t *pool, const struct addr_ip *ip)
{
	const json_t *ranges = look_at(pool, "spec", "addresses");

	for (size_t i = 0; i < json_array_size(ranges); i++) {
		const char *text = json_string_value(json_array_get(ranges, i));
		struct addr_range range;

		if (addr_range_parse(slice_from_string(text), &range) == NULL &&
		    addr_range_has(&range, ip))
			return true;
	}
	return false;
}

/* "10.0.0.1 (pool web),10.0.0.2" */
static void
push_addresses(struct text *out, const json_t *addresses, const json_t *pools)
{
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const char *value =
		    look_text(json_array_get(addresses, i), "value");
		struct addr_ip ip;

		text_printf(out, "%s%s", i > 0 ? ", " : "", value);
		if (!addr_ip_parse(slice_from_string(value), &ip))
			continue;
		for (size_t j = 0; j < json_array_size(pools); j++) {
			const json_t *pool = json_array_get(pools, j);

			if (!has_address(pool, &ip))
				continue;
			text_printf(out, " (pool %s)",
			    look_text(
			        json_object_get(pool, "metadata"), "name"));
			break;
		}
	}
}

void
describe_addresses(const struct describing *describing)
{
	const json_t *addresses =
	    look_at(describing->object, "status", "addresses");
	struct text text;
	json_t *answer;

	if (json_array_size(addresses) == 0)
		return;
	answer =
	    describe_ask(describing, "/api/v1/objects?kind=ipaddresspools");
	text_init(&text);
	push_addresses(&text, addresses, json_object_get(answer, "items"));
	describe_line(describing->out, "Addresses", text.data);
	text_fini(&text);
	json_decref(answer);
}

void
describe_pool(const struct describing *describing)
{
	json_t *answer =
	    describe_ask(describing, "/api/v1/objects?kind=gateways");
	const json_t *items = json_object_get(answer, "items");
	struct table table;

	table_init(&table, 2);
	describe_cell(&table, "%s", "ADDRESS");
	describe_cell(&table, "%s", "GATEWAY");
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *gateway = json_array_get(items, i);
		const json_t *metadata = json_object_get(gateway, "metadata");
		const json_t *addresses =
		    look_at(gateway, "status", "addresses");

		for (size_t j = 0; j < json_array_size(addresses); j++) {
			const char *value =
			    look_text(json_array_get(addresses, j), "value");
			struct addr_ip ip;

			if (!addr_ip_parse(slice_from_string(value), &ip) ||
			    !has_address(describing->object, &ip))
				continue;
			describe_cell(&table, "%s", value);
			describe_cell(&table, "%s/%s",
			    look_text(metadata, "namespace"),
			    look_text(metadata, "name"));
		}
	}
	describe_table(describing->out, "In use", &table);
	json_decref(answer);
}
