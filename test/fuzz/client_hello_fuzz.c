/* Any bytes as the beginning of a connection: the same is said however they
 * are cut, and what is read lies in what came. */
#include "wire/client_hello.h"

#include <stdlib.h>
#include "core/limit.h"
#include "core/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_result(const struct wire_client_hello *hello, size_t used, size_t size)
{
	must(used <= size && used <= LIMIT_VALUE_CLIENT_HELLO_BYTES);
	must(!slice_is_set(hello->server_name) ||
	    (hello->server_name.length > 0 &&
	        !memchr(
	            hello->server_name.data, 0, hello->server_name.length)));
	must(hello->server_name.length + hello->protocols.length < used);
	if (slice_is_set(hello->protocols))
		must(hello->protocols.length > 1);
	must(!wire_client_hello_offers(hello, SLICE("no such protocol")) ||
	    hello->protocols.length > 16);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice raw = slice_make((const char *)data, size);
	struct wire_client_hello whole, cut;

	wire_client_hello_init(&whole);
	wire_client_hello_init(&cut);
	ssize_t used = wire_client_hello_feed(&whole, raw);
	ssize_t used_cut = 0;
	/* Some 32 cuts, the last one at the end. */
	size_t step = size / 32 + 1;
	for (size_t length = 0; used_cut == 0 && length < size;) {
		length = length + step < size ? length + step : size;
		char *copy = malloc(length);
		must(copy);
		memcpy(copy, data, length);
		used_cut =
		    wire_client_hello_feed(&cut, slice_make(copy, length));
		free(copy);
	}
	must(used == used_cut);
	must(whole.version == cut.version);
	must(whole.has_tls13 == cut.has_tls13);
	must(whole.server_name.length == cut.server_name.length);
	if (used > 0)
		check_result(&whole, (size_t)used, size);
	wire_client_hello_fini(&whole);
	wire_client_hello_fini(&cut);
	return 0;
}
